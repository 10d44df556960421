"""Speech to the loudspeaker while it is made: through `sounddevice`, else through a program that plays what is piped.

The only place that knows either. Programs are started without a shell and get nothing but 16-bit samples.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from importlib import import_module
from typing import Any, Protocol

from talkie.audio.encode import to_pcm16
from talkie.errors import EngineUnavailable, TalkieError
from talkie.types import Samples

CLOSE_S = 30.0
"""What is still to be heard when all was handed over: a second, and players that are slow to end."""
PROGRAMS: dict[str, tuple[str, ...]] = {
    "pw-play": ("--rate={rate}", "--channels=1", "--format=s16", "-"),
    "paplay": ("--raw", "--rate={rate}", "--channels=1", "--format=s16le"),
    "aplay": ("-q", "-t", "raw", "-f", "S16_LE", "-c", "1", "-r", "{rate}", "-"),
    "ffplay": ("-nodisp", "-autoexit", "-loglevel", "error", "-f", "s16le", "-ar", "{rate}", "-i", "-"),
}
"""In the order they are looked for; each reads bare samples from its standard input."""


class NoLoudspeaker(EngineUnavailable):
    """There is nothing to play with, or it cannot be opened."""

    def __init__(self, why: str) -> None:
        TalkieError.__init__(
            self,
            f"Nothing can be played here: {why}",
            hint="Write a file with -o speech.wav, or install talkie[mic] (PortAudio) or one of "
            + ", ".join(PROGRAMS)
            + ".",
        )


class Player(Protocol):
    """`play` waits while enough is on its way; `finish` until all was heard; `stop` is silence at once."""

    def play(self, samples: Samples) -> None: ...

    def finish(self) -> None: ...

    def stop(self) -> None: ...


def open_player(sample_rate: int) -> Player:
    """Raises `NoLoudspeaker`."""
    sound = _library()
    if sound is not None:
        return Loudspeaker(sound, sample_rate)
    for name, arguments in PROGRAMS.items():
        if (path := shutil.which(name)) is not None:
            return Program([path, *(part.format(rate=sample_rate) for part in arguments)])
    raise NoLoudspeaker("there is neither PortAudio nor a program that plays sound.")


def _library() -> Any | None:
    try:
        return import_module("sounddevice")
    except (ImportError, OSError):  # OSError: the package is here, PortAudio is not
        return None


class Loudspeaker:
    """The default device, through PortAudio."""

    def __init__(self, sound: Any, sample_rate: int) -> None:
        self._sound = sound
        try:
            self._stream = sound.OutputStream(samplerate=sample_rate, channels=1, dtype="float32")
            self._stream.start()
        except sound.PortAudioError as error:
            raise NoLoudspeaker(f"{error}.") from None

    def play(self, samples: Samples) -> None:
        try:
            self._stream.write(samples.reshape(-1, 1))
        except self._sound.PortAudioError as error:
            raise NoLoudspeaker(f"{error}.") from None

    def finish(self) -> None:
        self._stream.stop()
        self._stream.close()

    def stop(self) -> None:
        self._stream.abort()
        self._stream.close()


class Program:
    """A player that reads samples from a pipe, which is what holds us back."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def play(self, samples: Samples) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(to_pcm16(samples).tobytes())
            self._process.stdin.flush()
        except OSError:
            raise NoLoudspeaker("the player ended before the speech did.") from None

    def finish(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            code = self._process.wait(CLOSE_S)
        except subprocess.TimeoutExpired:
            self.stop()
            raise NoLoudspeaker("the player does not end.") from None
        if code:
            raise NoLoudspeaker(f"the player ended with code {code}.")

    def stop(self) -> None:
        self._process.kill()
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.wait(CLOSE_S)
