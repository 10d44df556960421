"""The microphone, through `sounddevice` and PortAudio. The only place that knows either; both are optional.

Sound comes in a thread of PortAudio's and waits in a line of bounded length; whoever is too slow for it loses the
oldest and is told.
"""

from __future__ import annotations

import queue
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from talkie.audio.formats import MAX_RATE_HZ, MIN_RATE_HZ, RawFormat
from talkie.cli.output import note
from talkie.cli.stop import Stop
from talkie.errors import EngineUnavailable, TalkieError

BLOCK_S = 0.05
QUEUE_S = 30.0
WAIT_S = 0.2
USUAL_RATE_HZ = 16_000
SILENT_S = 4.0


class NoMicrophone(EngineUnavailable):
    """There is nothing to listen with, or it cannot be opened."""

    def __init__(self, why: str, *, hint: str) -> None:
        TalkieError.__init__(self, f"The microphone cannot be used: {why}", hint=hint)


@dataclass(frozen=True, slots=True)
class Device:
    """A microphone that the system knows. `number` and `name` both choose it."""

    number: int
    name: str
    channels: int
    rate_hz: int
    is_default: bool = False


def devices() -> list[Device]:
    """All there are. Raises `NoMicrophone` where that cannot be asked."""
    sound = _library()
    try:
        found = list(sound.query_devices())
        default = _default(sound)
    except sound.PortAudioError as error:
        raise NoMicrophone(f"{error}.", hint="Is the sound system running?") from None
    return [
        Device(
            number,
            str(entry["name"]),
            int(entry["max_input_channels"]),
            round(entry["default_samplerate"]),
            number == default,
        )
        for number, entry in enumerate(found)
        if entry["max_input_channels"] > 0
    ]


class Microphone:
    """An open microphone: mono, 16 bits, at its own rate. It records from here on."""

    def __init__(self, device: str | None = None) -> None:
        """`device` is a number or a part of a name; None: the system's. Raises `NoMicrophone`."""
        sound = _library()
        self._blocks: queue.Queue[bytes] = queue.Queue(round(QUEUE_S / BLOCK_S))
        self._lost = False
        try:
            chosen = sound.query_devices(_choice(device), "input")
            rate = round(chosen["default_samplerate"]) or USUAL_RATE_HZ
            self.raw = RawFormat(min(max(rate, MIN_RATE_HZ), MAX_RATE_HZ))
            self._stream = sound.RawInputStream(
                samplerate=self.raw.sample_rate,
                blocksize=round(self.raw.sample_rate * BLOCK_S),
                device=_choice(device),
                channels=1,
                dtype="int16",
                callback=self._take,
            )
            self._stream.start()
        except (sound.PortAudioError, ValueError) as error:  # ValueError: no such device
            raise NoMicrophone(f"{error}.", hint="`talkie listen --devices` lists those that are here.") from None

    def pieces(self, stop: Stop) -> Iterator[bytes]:
        """What is said, until `stop` is set."""
        ear, told_lost = _SilenceWatch(), False
        while not stop.is_set():
            try:
                piece = self._blocks.get(timeout=WAIT_S)
            except queue.Empty:
                if not self._stream.active:
                    raise NoMicrophone("it has gone.", hint="Was it unplugged?") from None
                continue
            ear.look(piece)
            if self._lost and not told_lost:
                told_lost = True
                note("sound was lost: the machine does not keep up with the microphone.")
            yield piece

    def close(self) -> None:
        self._stream.close()

    def __enter__(self) -> Microphone:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take(self, data: Any, frames: int, when: Any, status: Any) -> None:
        """PortAudio's call, in its thread: it may not wait."""
        if self._blocks.full():
            self._lost = True
            try:
                self._blocks.get_nowait()
            except queue.Empty:
                return
        self._blocks.put_nowait(bytes(data))


class _SilenceWatch:
    """A microphone that is muted gives zeros, and nobody would know why no words come."""

    def __init__(self) -> None:
        self._silent_blocks = 0

    def look(self, piece: bytes) -> None:
        if self._silent_blocks < 0:
            return
        self._silent_blocks = self._silent_blocks + 1 if peak(piece) == 0 else -1
        if self._silent_blocks * BLOCK_S >= SILENT_S:
            note("the microphone gives nothing but zeros. Is it muted, or may this program not hear it?")
            self._silent_blocks = -1


def peak(piece: bytes) -> float:
    """The loudest sample of 16-bit sound, 0 to 1."""
    samples = np.frombuffer(piece, "<i2")
    return float(np.abs(samples.astype(np.int32)).max()) / 32768 if len(samples) else 0.0


def _choice(device: str | None) -> int | str | None:
    return int(device) if device is not None and device.isdigit() else device


def _default(sound: ModuleType) -> int:
    chosen = sound.default.device
    return int(chosen[0] if hasattr(chosen, "__getitem__") else chosen)


def _library() -> ModuleType:
    try:
        return import_module("sounddevice")
    except ImportError:
        raise NoMicrophone(
            "the package sounddevice is not installed.", hint="Install it with Talkie: pip install 'talkie[mic]'"
        ) from None
    except OSError:
        raise NoMicrophone(
            "the library PortAudio is not installed.",
            hint="On Debian and Ubuntu: apt install libportaudio2; on Fedora: dnf install portaudio.",
        ) from None
