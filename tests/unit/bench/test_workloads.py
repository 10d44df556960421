"""Files that all contenders hear: of the stated length and rate, the same every time, with the text that is in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from talkie.bench.recordings import Recording
from talkie.bench.sentences import SENTENCES
from talkie.bench.workloads import LENGTHS_S, Workload, clips, prepare
from talkie.errors import InvalidValue


@pytest.fixture
def human(tmp_path: Path) -> list[Recording]:
    """Three tones of 2, 3 and 40 seconds, and a German one."""
    found = []
    for number, (seconds, language) in enumerate([(2.0, "en"), (3.0, "en"), (40.0, "en"), (2.0, "de")]):
        path = tmp_path / f"{number}.wav"
        times = np.arange(round(22_050 * seconds)) / 22_050
        soundfile.write(path, np.sin(times * 2 * np.pi * 100 * (number + 1)) / 2, 22_050)
        found.append(Recording(path, f"tone {number}", language, "read", seconds))
    return found


def test_whole_recordings_are_joined_and_the_rest_is_silence(tmp_path: Path, human: list[Recording]) -> None:
    made = prepare(Workload("30s"), tmp_path / "kept", human)
    samples, rate = soundfile.read(made.path)
    assert (rate, len(samples), made.seconds) == (16_000, 30 * 16_000, 30)
    assert made.text.split() == ["tone", "0", "tone", "1"] * 5
    assert np.abs(samples[: 16_000 * 2]).max() > 0.4
    assert not samples[-16_000:].any()


@pytest.mark.parametrize(("rate", "hertz"), [("8", 8_000), ("44.1", 44_100)])
def test_other_rates(tmp_path: Path, human: list[Recording], rate: str, hertz: int) -> None:
    info = soundfile.info(prepare(Workload("5s", rate=rate), tmp_path / "kept", human).path)
    assert (info.samplerate, info.frames, info.subtype) == (hertz, 5 * hertz, "PCM_16")


def test_a_file_is_made_once_and_anew_for_other_recordings(tmp_path: Path, human: list[Recording]) -> None:
    kept = tmp_path / "kept"
    first = prepare(Workload("5s"), kept, human)
    stamp = first.path.stat().st_mtime_ns
    assert prepare(Workload("5s"), kept, human) == first
    assert first.path.stat().st_mtime_ns == stamp
    assert prepare(Workload("5s"), kept, human[:1]).path != first.path
    assert {path.suffix for path in kept.iterdir()} == {".wav", ".json"}


def test_clips_begin_with_different_recordings(tmp_path: Path, human: list[Recording]) -> None:
    made = clips(3, Workload("5s"), tmp_path / "kept", human)
    assert [clip.text.split()[:2] for clip in made] == [["tone", "0"], ["tone", "1"], ["tone", "0"]]
    assert len({clip.path for clip in made}) == 3


@pytest.mark.parametrize("language", sorted(SENTENCES))
def test_the_built_in_voice_speaks_where_nobody_does(tmp_path: Path, language: str) -> None:
    one, other = (prepare(Workload("5s", language), tmp_path / name) for name in ("a", "b"))
    assert one.path.read_bytes() == other.path.read_bytes()
    assert (one.kind, one.language) == ("synthetic", language)
    assert one.text.startswith(SENTENCES[language][0])
    assert soundfile.read(one.path)[0].any()


@pytest.mark.parametrize("wrong", [{"length": "1h"}, {"language": "tlh"}, {"rate": "96"}])
def test_there_are_no_other_workloads(wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidValue) as caught:
        Workload(**wrong)
    assert caught.value.hint


def test_names_say_what_is_in_it() -> None:
    assert [Workload(length).name for length in LENGTHS_S] == ["5s-en-16k", "30s-en-16k", "5min-en-16k", "30min-en-16k"]
    assert Workload("5s", "de", "44.1", 2).name == "5s-de-44.1k-2"
