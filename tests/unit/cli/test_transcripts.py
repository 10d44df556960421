"""The work of `talkie transcribe` with somebody made up who hears."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from talkie.cli.inputs import Input
from talkie.cli.transcripts import Job, transcribe_all
from talkie.errors import EngineFailed, InvalidValue, ModelNotFound, UndecodableAudio
from talkie.types import Dropped, Notice, Progress, Segment, Transcript

BUILT_IN = Notice("built_in_model", "Rough.")


class Hearer:
    """Hears the name of the recording; `errors` are raised by name, after one segment where it begins with `late`."""

    def __init__(self, **errors: BaseException) -> None:
        self.errors, self.heard, self.closed = errors, [], False

    def hear(self, source: Any) -> Iterator[Any]:
        name = Path(source).stem
        self.heard.append(name)
        if name in self.errors and not name.startswith("late"):
            raise self.errors[name]
        yield Progress(0.0, 2.0)
        segments = (Segment(f"this is {name}", 0, 1), Segment("the end", 1, 2))
        yield segments[0]
        if name in self.errors:
            raise self.errors[name]
        yield segments[1]
        dropped = (Dropped(Segment("Thanks!", 2, 3), "known_phrase"),)
        notices = (BUILT_IN, Notice("truncated_audio", "It was cut off."))
        yield Transcript(segments, "en", 1.0, 2.0, model="fake", notices=notices, dropped=dropped)

    def close(self) -> None:
        self.closed = True


def inputs(*names: str) -> list[Input]:
    return [Input(Path(name), name) for name in names]


def job(*names: str, formats: list[str] | None = None, output: Path | None = None, verbose: bool = False) -> Job:
    return Job.plan(inputs(*names), formats, output, words=False, verbose=verbose)


# -- what goes where ---------------------------------------------------------------------------------------------------


def test_text_on_stdout_unless_asked_otherwise() -> None:
    planned = job("a.wav")
    assert planned.formats == ("text",) and planned.tasks[0].paths == () and planned.only_text
    assert job("a.wav", formats=["TXT", "txt"]).formats == ("text",)


def test_files_in_a_directory_and_a_file_by_its_name(tmp_path: Path) -> None:
    assert job("a.wav", output=tmp_path).tasks[0].paths == (tmp_path / "a.txt",)
    assert job("a.wav", formats=["srt,vtt"], output=tmp_path / "new").tasks[0].paths == (
        tmp_path / "new" / "a.srt",
        tmp_path / "new" / "a.vtt",
    )
    named = job("a.wav", output=tmp_path / "talk.srt")
    assert named.formats == ("srt",) and named.tasks[0].paths == (tmp_path / "talk.srt",)
    forced = job("a.wav", formats=["verbose_json"], output=tmp_path / "talk.data")
    assert forced.formats == ("verbose_json",) and forced.tasks[0].paths == (tmp_path / "talk.data",)
    several = job("a.wav", "b.wav", output=tmp_path / "talk.srt")
    assert several.tasks[0].paths == (tmp_path / "talk.srt" / "a.txt",)


@pytest.mark.parametrize(
    ("names", "formats", "output", "param"),
    [
        (["a.wav"], ["docx"], None, "format"),
        (["a.wav"], ["srt", "vtt"], None, "format"),
        (["a.wav", "b.wav"], ["srt"], None, "output"),
        (["a.wav"], None, Path("talk.docx"), "output"),
        (["a.wav"], ["json", "verbose_json"], Path("out"), "format"),
    ],
)
def test_what_cannot_be(names: list[str], formats: list[str] | None, output: Path | None, param: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        job(*names, formats=formats, output=output)
    assert refused.value.param == param and refused.value.hint


# -- doing it ----------------------------------------------------------------------------------------------------------


def test_text_is_written_as_it_is_heard(capfd: pytest.CaptureFixture[str]) -> None:
    hearer = Hearer(late=EngineFailed("fake", "it broke"))
    with pytest.raises(EngineFailed):
        transcribe_all(job("late.wav"), hearer)
    assert capfd.readouterr().out == "this is late\n" and hearer.closed


def test_notes_are_told_once_and_what_is_of_one_recording_with_its_name(capfd: pytest.CaptureFixture[str]) -> None:
    assert transcribe_all(job("a.wav", "b.wav"), Hearer()) == 0
    captured = capfd.readouterr()
    assert captured.out == "==> a.wav <==\nthis is a\nthe end\n\n==> b.wav <==\nthis is b\nthe end\n\n"
    assert captured.err.splitlines() == [
        "note: Rough.",
        "note: a.wav: It was cut off.",
        "note: b.wav: It was cut off.",
    ]


def test_verbose_tells_what_was_dropped_and_why(capfd: pytest.CaptureFixture[str]) -> None:
    transcribe_all(job("a.wav", verbose=True), Hearer())
    told = capfd.readouterr().err
    assert "dropped 2.00 to 3.00 s (known_phrase): Thanks!" in told
    assert "2.0 s heard by fake in" in told and told.rstrip().endswith(", en")


def test_a_bad_one_does_not_stop_the_others(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    hearer = Hearer(bad=UndecodableAudio(), late=EngineFailed("fake", "it broke"))
    planned = job("a.wav", "bad.wav", "late.wav", "c.wav", formats=["json"], output=tmp_path)
    assert transcribe_all(planned, hearer) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "c.json"]
    told = capfd.readouterr().err
    assert "error: bad.wav: The file could not be decoded" in told and "hint:" in told
    assert told.endswith("2 of 4 recordings could not be transcribed.\n") and hearer.closed


def test_a_bad_one_writes_nothing_to_stdout(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UndecodableAudio):
        transcribe_all(job("bad.wav", formats=["vtt"]), Hearer(bad=UndecodableAudio()))
    assert capfd.readouterr().out == ""


def test_what_would_meet_them_all_ends_the_work(tmp_path: Path) -> None:
    hearer = Hearer(b=ModelNotFound("x"))
    with pytest.raises(ModelNotFound):
        transcribe_all(job("a.wav", "b.wav", "c.wav", output=tmp_path), hearer)
    assert hearer.heard == ["a", "b"] and hearer.closed
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_json_of_several_is_a_line_each_with_its_name(capfd: pytest.CaptureFixture[str]) -> None:
    assert transcribe_all(job("a.wav", "b.wav", formats=["json"]), Hearer()) == 0
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [(line["file"], line["text"]) for line in lines] == [
        ("a.wav", "this is a the end"),
        ("b.wav", "this is b the end"),
    ]


@pytest.mark.parametrize("how", ["ctrl-c", "sigterm"])
def test_interrupted_it_keeps_what_was_finished(how: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    class Interrupted(Hearer):
        def hear(self, source: Any) -> Iterator[Any]:
            for event in super().hear(source):
                yield event
                if Path(source).stem == "b":
                    if how == "ctrl-c":
                        raise KeyboardInterrupt
                    os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    hearer = Interrupted()
    assert transcribe_all(job("a.wav", "b.wav", "c.wav", output=tmp_path), hearer) == 130
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"] and hearer.closed
    assert hearer.heard == ["a", "b"] and "interrupted" in capfd.readouterr().err
    assert signal.getsignal(signal.SIGTERM) is before
