"""The word error rate bench: sums by set, tables, predictions, manifests. A service that knows its lines stands in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile

from talkie.bench import wer as bench
from talkie.bench.recordings import Recording, read_manifest, synthesize
from talkie.bench.report import json_line, megabytes, percent, table
from talkie.errors import InvalidValue
from talkie.runtime.requests import TranscribeRequest
from talkie.types import Progress, Segment, Transcript

MANIFEST = """path,text,language,kind,seconds,licence
a.wav,one two three four,en,read,2.5,CC0
b.wav,go,en,command,0.5,CC0
c.wav,five six,en,read,25,CC0
d.wav,guten Tag,de,read,2,CC0
"""


class ServiceByHeart:
    """Says what it was told to say for each file name."""

    def __init__(self, lines: dict[str, str]) -> None:
        self.lines, self.heard = lines, []

    def transcribe(self, source: Path, request: TranscribeRequest) -> Iterator[Any]:
        self.heard.append(source.name)
        yield Progress(1.0)
        segment = Segment(self.lines[source.name], 0.0, 1.0)
        yield segment
        yield Transcript(segments=(segment,), model=request.model)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "manifest.csv"
    path.write_text(MANIFEST)
    return path


@pytest.fixture
def result(manifest: Path) -> bench.WerResult:
    recordings = read_manifest(manifest, lambda row: row.language == "en")
    lines = {"a.wav": "one two free four more", "b.wav": "go", "c.wav": ""}
    return bench.measure(ServiceByHeart(lines), recordings, TranscribeRequest(model="heart"))


def test_a_manifest_is_read_by_its_file_or_directory(manifest: Path) -> None:
    rows = read_manifest(manifest)
    assert rows == read_manifest(manifest.parent)
    assert rows[0] == Recording(manifest.parent / "a.wav", "one two three four", "en", "read", 2.5)
    assert [row.group for row in rows] == ["read", "command", "long", "read"]


@pytest.mark.parametrize("text", ["path,text\na,b\n", "", "path,text,language,kind,seconds\na,b,en,read,soon\n"])
def test_a_wrong_manifest_is_a_clear_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.csv").write_text(text)
    if not text:
        assert read_manifest(tmp_path) == []
        return
    with pytest.raises(InvalidValue, match="not as expected") as caught:
        read_manifest(tmp_path)
    assert "path,text,language,kind,seconds" in caught.value.hint


def test_no_manifest_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="cannot be read"):
        read_manifest(tmp_path / "nowhere.csv")


def test_errors_are_summed_by_set(result: bench.WerResult) -> None:
    assert result.model == "heart"
    assert {name: bench.add(one.wer for one in group).errors for name, group in result.groups().items()} == {
        "read": 2,
        "command": 0,
        "long": 2,
    }
    assert result.total.rate == pytest.approx(4 / 7)
    values = result.as_json()
    assert values["sets"] == {"read": 0.5, "command": 0.0, "long": 1.0}
    assert (values["recordings"], values["sound_s"]) == (3, 28.0)


def test_the_model_is_loaded_before_the_clock_starts(manifest: Path) -> None:
    service = ServiceByHeart({"a.wav": "", "b.wav": ""})
    seen: list[int] = []
    bench.measure(service, read_manifest(manifest)[:2], TranscribeRequest(), seen.append)
    assert service.heard == ["a.wav", "a.wav", "b.wav"]
    assert seen == [1, 2]


def test_the_table_has_a_line_for_each_set_and_the_totals(result: bench.WerResult) -> None:
    head, _, *rows = [line.split("  ") for line in bench.as_table(result).splitlines()]
    assert head[0] == "set"
    assert [row[0].strip() for row in rows] == ["read", "command", "long", "all but long", "all"]
    assert "57.1 %" in bench.as_table(result)


def test_predictions_are_lines_of_the_leaderboard(result: bench.WerResult, tmp_path: Path) -> None:
    bench.write_predictions(tmp_path / "out.jsonl", [result])
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert len(lines) == 3
    assert set(lines[0]) == {"audio_filepath", "duration", "time", "text", "pred_text"}
    assert lines[0]["pred_text"] == "one two free four more"


def test_the_built_in_voice_makes_recordings_that_say_what_they_hold(tmp_path: Path) -> None:
    [one, other] = synthesize(tmp_path, ["Good morning.", "Go on."])
    info = soundfile.info(one.path)
    assert (one.text, one.kind, one.language) == ("Good morning.", "synthetic", "en")
    assert info.frames / info.samplerate == pytest.approx(one.seconds)
    assert other.path != one.path


def test_tables_are_aligned_and_lines_are_json() -> None:
    assert table(("a", "n"), [("long name", "1"), ("b", "100")]).splitlines() == [
        "a            n",
        "---------  ---",
        "long name    1",
        "b          100",
    ]
    assert json.loads(json_line("x", {"rate": 0.5})) == {"bench": "x", "rate": 0.5}
    assert (percent(0.2594), megabytes(12_345_678)) == ("25.9 %", "12 MB")
