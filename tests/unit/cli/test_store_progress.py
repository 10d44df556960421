"""Progress of a pull: a bar where somebody looks, a few lines where a log is kept."""

from __future__ import annotations

import pytest

from talkie.cli import store_progress


def test_lines_in_a_log_are_few(capsys: pytest.CaptureFixture[str]) -> None:
    with store_progress.shown("whisper-base") as update:
        for done in range(0, 1001):
            update(done * 1000, 1_000_000, "model.bin")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "whisper-base: 0 % of 1.0 MB"
    assert lines[-1] == "whisper-base: 100 % of 1.0 MB"
    assert len(lines) == 11


def test_an_unknown_total_is_no_division(capsys: pytest.CaptureFixture[str]) -> None:
    with store_progress.shown("import") as update:
        update(0, 0, "model.bin")
        update(10, 0, "model.bin")
    assert capsys.readouterr().err == ""


def test_the_bar_writes_to_stderr_only(capsys: pytest.CaptureFixture[str]) -> None:
    with store_progress._bar("whisper-base") as update:
        update(500, 1000, "model.bin")
        update(1000, 1000, "model.bin")
    assert capsys.readouterr().out == ""
