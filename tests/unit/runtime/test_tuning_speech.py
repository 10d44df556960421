from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from talkie.runtime import tuning_speech
from talkie.runtime.tuning_speech import WINDOW_S, Said, alone, cut, errors, pack, read, write


def said(seconds: float, text: str = "one two", language: str = "en", level: float = 0.5) -> Said:
    return Said(np.full(round(seconds * 16_000), level, np.float32), text, language)


def test_short_recordings_share_windows_by_language() -> None:
    talks = pack([said(8.0, "a"), said(8.0, "b", "de"), said(8.0, "c"), said(8.0, "d"), said(8.0, "e")])
    assert [(talk.text, talk.language) for talk in talks] == [("a c d", "en"), ("e", "en"), ("b", "de")]
    assert all(len(talk.windows) == 1 and talk.seconds <= WINDOW_S for talk in talks)
    assert talks[0].seconds == pytest.approx(3 * 8.4)


def test_a_long_recording_is_cut_where_it_is_quiet_and_loses_nothing() -> None:
    samples = np.ones(70 * 16_000, np.float32)
    for quiet_s in (24.0, 51.0):
        samples[round(quiet_s * 16_000) : round((quiet_s + 0.2) * 16_000)] = 0.0
    windows = list(cut(samples))
    assert [len(window) / 16_000 for window in windows] == pytest.approx([24.1, 27.0, 18.9], abs=0.15)
    assert np.array_equal(np.concatenate(windows), samples)
    (talk,) = pack([Said(samples, "text", "en")])
    assert len(talk.windows) == 3


def test_no_more_than_is_needed() -> None:
    many = [said(60.0) for _ in range(40)]
    assert sum(talk.seconds for talk in pack(many)) <= tuning_speech.MAX_SECONDS
    assert len(alone([said(3.0), said(40.0)])) == 2


def test_errors_are_those_of_whole_texts() -> None:
    talks = pack([said(40.0, "one two three four"), said(2.0, "eins zwei", "de")])
    wer = errors(talks, [["One, two!", "three five"], ["eins"]])
    assert (wer.errors, wer.words) == (2, 6)


def test_it_is_the_same_after_writing_and_reading(tmp_path: Path) -> None:
    talks = pack([said(40.0, "lång", level=0.25), said(2.0, "kurz", "de")])
    write(talks, tmp_path / "speech.f32")
    again = read(tmp_path / "speech.f32")
    assert [(talk.text, talk.language) for talk in again] == [("lång", "en"), ("kurz", "de")]
    for before, after in zip(talks, again, strict=True):
        assert len(before.windows) == len(after.windows)
        assert all(np.array_equal(*pair) for pair in zip(before.windows, after.windows, strict=True))
