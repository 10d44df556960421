"""Speech to players: real programs that write down what they were given, and a pretended PortAudio."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from talkie.cli import player
from talkie.cli.player import PROGRAMS, NoLoudspeaker, open_player

TONE = np.linspace(-0.5, 0.5, 2205, dtype=np.float32)


class Portaudio:
    class PortAudioError(Exception):
        pass

    def __init__(self, *, broken: bool = False) -> None:
        self.heard: list[np.ndarray[Any, Any]] = []
        self.ended = ""
        self.broken = broken

    def OutputStream(self, **asked: Any) -> Any:
        if self.broken:
            raise self.PortAudioError("no device")
        assert asked == {"samplerate": 22_050, "channels": 1, "dtype": "float32"}
        return SimpleNamespace(
            start=lambda: None,
            write=self.heard.append,
            stop=lambda: self._end("played"),
            abort=lambda: self._end("stopped"),
            close=lambda: None,
        )

    def _end(self, how: str) -> None:
        self.ended = how


def programs(directory: Path, monkeypatch: pytest.MonkeyPatch, script: str, name: str = "aplay") -> Path:
    """A program of that name, the only one there is."""
    path = directory / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setattr(player, "_library", lambda: None)
    monkeypatch.setattr(player.shutil, "which", lambda wanted: str(path) if wanted == name else None)
    return path


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_gets_the_samples_and_their_rate(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs(tmp_path, monkeypatch, f'echo "$@" > {tmp_path}/arguments; cat > {tmp_path}/sound', name)
    loud = open_player(22_050)
    loud.play(TONE)
    loud.play(TONE)
    loud.finish()
    heard = np.frombuffer((tmp_path / "sound").read_bytes(), "<i2")
    assert len(heard) == 2 * len(TONE)
    assert heard[: len(TONE)] == pytest.approx(TONE * 32767, abs=1)
    assert "22050" in (tmp_path / "arguments").read_text()


def test_a_program_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs(tmp_path, monkeypatch, "cat > /dev/null; exit 3")
    loud = open_player(16_000)
    loud.play(TONE)
    with pytest.raises(NoLoudspeaker, match="code 3"):
        loud.finish()


def test_stopping_does_not_wait_for_the_sound_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs(tmp_path, monkeypatch, "exec sleep 60")
    loud = open_player(16_000)
    loud.play(TONE)
    loud.stop()


def test_portaudio_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = Portaudio()
    monkeypatch.setattr(player, "_library", lambda: sound)
    loud = open_player(22_050)
    loud.play(TONE)
    loud.finish()
    assert [part.shape for part in sound.heard] == [(len(TONE), 1)]
    assert sound.ended == "played"
    loud.stop()
    assert sound.ended == "stopped"


def test_no_device_and_no_program_are_clear_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player, "_library", lambda: Portaudio(broken=True))
    with pytest.raises(NoLoudspeaker, match="no device"):
        open_player(22_050)
    monkeypatch.setattr(player, "_library", lambda: None)
    monkeypatch.setattr(player.shutil, "which", lambda _: None)
    with pytest.raises(NoLoudspeaker) as caught:
        open_player(22_050)
    assert "-o speech.wav" in caught.value.hint
