from __future__ import annotations

import contextlib
import io
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from live_files import TONE as SOUND
from live_files import recording
from talkie.audio.formats import RawFormat
from talkie.cli import live_sources
from talkie.cli.live_sources import Piped, Recording
from talkie.cli.stop import Stop
from talkie.errors import EmptyAudio, InvalidValue, TalkieError, UnreadableFile


def everything(source: Recording | Piped) -> bytes:
    with contextlib.closing(source):
        return b"".join(source.pieces(Stop()))


def test_a_recording_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "talk.wav"
    path.write_bytes(recording())
    source = Recording(path, realtime=False)
    samples = np.frombuffer(everything(source), np.float32)
    assert source.raw == RawFormat(16_000, 1, "f32le")
    assert np.allclose(samples * 32768, np.frombuffer(SOUND, "<i2"), atol=1)


def test_bare_sound_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "talk.raw"
    path.write_bytes(SOUND)
    assert len(everything(Recording(path, realtime=False, raw=RawFormat(8_000)))) == 4 * 16_000


def test_a_recording_at_speaking_pace_waits(tmp_path: Path) -> None:
    """Every piece waits for its own time, and a wish to stop ends the wait."""
    path = tmp_path / "talk.wav"
    path.write_bytes(recording())
    waits: list[float] = []

    class Hasty(Stop):
        def wait(self, timeout_s: float) -> bool:
            waits.append(timeout_s)
            return len(waits) > 3

    source = Recording(path, realtime=True)
    assert len(list(source.pieces(Hasty()))) == 3
    source.close()
    assert 0.05 < waits[0] <= 0.1 and waits[3] > 0.3


def test_no_such_recording(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile):
        Recording(tmp_path / "none.wav", realtime=False)


def test_a_damaged_recording_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "talk.wav"
    path.write_bytes(recording(times=8)[:-100_000])
    everything(Recording(path, realtime=False))
    assert "note: The recording ends early" in capsys.readouterr().err


def test_a_pipe_with_a_wav_in_it() -> None:
    source = Piped(None, io.BytesIO(recording(22_050)))
    assert source.raw == RawFormat(22_050) and everything(source) == SOUND


def test_a_pipe_with_bare_sound() -> None:
    assert everything(Piped(RawFormat(8_000), io.BytesIO(SOUND))) == SOUND
    source = Piped(None, io.BytesIO(SOUND))
    assert source.raw == RawFormat(16_000) and everything(source) == SOUND
    assert everything(Piped(None, io.BytesIO(b"R"))) == b"R"


@pytest.mark.parametrize("data", [b"", b"RIFF", recording()[:30]])
def test_a_pipe_with_nothing_in_it(data: bytes) -> None:
    with pytest.raises(EmptyAudio):
        Piped(None, io.BytesIO(data))


def test_a_pipe_in_which_nothing_comes_can_be_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_sources, "LOOK_S", 0.01)
    read, write = os.pipe()
    stop = Stop()
    with os.fdopen(read, "rb") as stream, os.fdopen(write, "wb") as sender:
        source = Piped(RawFormat(16_000), stream)
        pieces = source.pieces(stop)
        sender.write(SOUND)
        sender.flush()
        assert next(pieces)
        timer = threading.Timer(0.05, stop.set)
        timer.start()
        assert b"".join(pieces) in (b"", SOUND)
        timer.join()


def test_a_terminal_is_no_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(InvalidValue) as raised:
        Piped(None)
    assert isinstance(raised.value, TalkieError) and "arecord" in raised.value.hint
