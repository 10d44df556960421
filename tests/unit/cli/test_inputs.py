from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from talkie.cli.inputs import find_inputs
from talkie.errors import InvalidValue


class Piped(io.StringIO):
    buffer = io.BytesIO(b"sound")


def test_files_directories_and_each_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "talks"
    (folder / "below").mkdir(parents=True)
    for name in ("b.MP3", "a.wav", "notes.txt", ".hidden", "below/c.wav"):
        (folder / name).touch()
    found = find_inputs(["odd.name", "talks", "talks/a.wav", str(folder / "b.MP3"), "gone.wav"])
    assert [item.name for item in found] == ["odd.name", "talks/a.wav", "talks/b.MP3", "gone.wav"]
    assert [item.stem for item in found] == ["odd", "a", "b", "gone"]
    assert found[1].open() == Path("talks/a.wav")


def test_a_directory_without_recordings_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(InvalidValue, match="no recordings"):
        find_inputs([str(tmp_path)])


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Piped())
    (item,) = find_inputs(["-", "-"])
    assert (item.path, item.name, item.stem, item.open()) == (None, "-", "stdin", Piped.buffer)


def test_a_terminal_is_no_recording(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Piped()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stdin", terminal)
    with pytest.raises(InvalidValue, match="terminal"):
        find_inputs(["-"])
