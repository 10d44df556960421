"""The microphone over a `sounddevice` that is made up: what we make of it is tested, and not what PortAudio does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from talkie.audio.formats import RawFormat
from talkie.cli import microphone, microphone_list
from talkie.cli.microphone import Microphone, NoMicrophone, devices, peak
from talkie.cli.stop import Stop

LOUD = np.full(2205, 16384, "<i2").tobytes()
SILENT = bytes(4410)


class PortAudioError(Exception):
    pass


class FakeStream:
    def __init__(self, sound: FakeSound, callback: Callable[..., None], **asked: Any) -> None:
        self.sound, self.callback, self.asked = sound, callback, asked
        self.active = False

    def start(self) -> None:
        self.active = self.sound.lives
        for block in self.sound.blocks:
            self.callback(memoryview(block), len(block) // 2, None, None)

    def close(self) -> None:
        self.active = False
        self.sound.closed += 1


class FakeSound(ModuleType):
    """What we use of the package."""

    def __init__(self, blocks: tuple[bytes, ...] = (), *, broken: str = "", lives: bool = True) -> None:
        super().__init__("sounddevice")
        self.PortAudioError = PortAudioError
        self.blocks, self.broken, self.closed, self.lives = blocks, broken, 0, lives
        self.streams: list[FakeStream] = []
        self.default = type("Default", (), {"device": (1, 0)})
        self.entries = [
            {"name": "Speakers", "max_input_channels": 0, "default_samplerate": 48_000.0},
            {"name": "Desk microphone", "max_input_channels": 2, "default_samplerate": 44_100.0},
        ]

    def query_devices(self, device: Any = None, kind: str | None = None) -> Any:
        if self.broken:
            raise PortAudioError(self.broken)
        if kind is None:
            return self.entries
        if isinstance(device, str):
            raise ValueError(f"No input device matching {device!r}")  # noqa: TRY004 - as the package does
        return self.entries[1]

    def RawInputStream(self, **asked: Any) -> FakeStream:
        self.streams.append(FakeStream(self, **asked))
        return self.streams[-1]


@pytest.fixture
def sound(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., FakeSound]]:
    def install(*blocks: bytes, **more: Any) -> FakeSound:
        fake = FakeSound(blocks, **more)
        monkeypatch.setitem(sys.modules, "sounddevice", fake)
        return fake

    monkeypatch.setattr(microphone, "WAIT_S", 0.01)
    yield install


def test_it_records_at_its_own_rate(sound: Callable[..., FakeSound]) -> None:
    fake = sound(LOUD, SILENT)
    stop = Stop()
    with Microphone() as mic:
        pieces = mic.pieces(stop)
        assert [next(pieces), next(pieces)] == [LOUD, SILENT]
        stop.set()
        assert list(pieces) == []
    [stream] = fake.streams
    assert mic.raw == RawFormat(44_100) and fake.closed == 1
    assert stream.asked["samplerate"] == 44_100 and stream.asked["channels"] == 1 and stream.asked["dtype"] == "int16"
    assert stream.asked["blocksize"] == 2205 and stream.asked["device"] is None


def test_which_one(sound: Callable[..., FakeSound]) -> None:
    fake = sound()
    Microphone("1").close()
    assert fake.streams[0].asked["device"] == 1
    with pytest.raises(NoMicrophone, match="matching 'none such'"):
        Microphone("none such")


def test_what_is_not_taken_in_time_is_lost_and_told(
    sound: Callable[..., FakeSound], capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = [bytes([number % 256, 1]) * 10 for number in range(605)]
    sound(*blocks)
    stop = Stop()
    with Microphone() as mic:
        pieces = mic.pieces(stop)
        assert [next(pieces) for _ in range(600)] == blocks[5:]
    assert capsys.readouterr().err.count("sound was lost") == 1


def test_one_that_is_unplugged(sound: Callable[..., FakeSound]) -> None:
    sound(lives=False)
    with Microphone() as mic, pytest.raises(NoMicrophone, match="gone"):
        list(mic.pieces(Stop()))


@pytest.mark.parametrize(("first", "told"), [(SILENT, True), (LOUD, False)])
def test_one_that_is_muted(
    sound: Callable[..., FakeSound], capsys: pytest.CaptureFixture[str], first: bytes, told: bool
) -> None:
    sound(first, *[SILENT] * 100)
    with Microphone() as mic:
        pieces = mic.pieces(Stop())
        for _ in range(101):
            next(pieces)
    assert ("muted" in capsys.readouterr().err) is told


def test_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(NoMicrophone) as raised:
        devices()
    assert "talkie[mic]" in raised.value.hint


def test_no_portaudio(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> ModuleType:
        raise OSError("PortAudio library not found")

    monkeypatch.setattr(microphone, "import_module", fail)
    with pytest.raises(NoMicrophone) as raised:
        Microphone()
    assert "libportaudio2" in raised.value.hint


def test_a_sound_system_that_does_not_run(sound: Callable[..., FakeSound]) -> None:
    sound(broken="Host error")
    for ask in (devices, Microphone):
        with pytest.raises(NoMicrophone, match="Host error"):
            ask()


@pytest.mark.parametrize(("block", "said"), [(LOUD, "It hears: -6 dB"), (SILENT, "Nothing but silence")])
def test_the_list_and_a_trial(
    sound: Callable[..., FakeSound],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    block: bytes,
    said: str,
) -> None:
    monkeypatch.setattr(microphone_list, "TRY_S", 0.1)
    sound(block)
    microphone_list.show_devices(None)
    captured = capsys.readouterr()
    assert "1       Desk microphone  2         44100 Hz  default" in captured.out and "Speakers" not in captured.out
    assert said in captured.err


def test_no_microphone_at_all(sound: Callable[..., FakeSound], capsys: pytest.CaptureFixture[str]) -> None:
    sound().entries.pop()
    microphone_list.show_devices(None)
    assert "There is no microphone" in capsys.readouterr().err


def test_levels() -> None:
    assert peak(LOUD) == 0.5 and peak(b"") == 0.0 and peak(np.array([-32768], "<i2").tobytes()) == 1.0
    assert microphone_list.meter(1.0).count("#") == 30 and microphone_list.meter(0.0).count("#") == 0
    assert "faint" in microphone_list.verdict(0.001)
