"""Chatterbox: the real worker under another interpreter, with a package that only has the real one's shape."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from fake_chatterbox import make_environment, make_model, said
from talkie.engines.base import SynthesizeOptions
from talkie.engines.tts import chatterbox
from talkie.engines.tts.chatterbox import ChatterboxSynthesizer
from talkie.errors import EngineFailed, EngineUnavailable, InvalidValue, ModelBroken, UnsupportedByModel, VoiceNotFound
from talkie.types import Samples, SpeechChunk


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def log(home: Path) -> Path:
    return make_environment(home)


@pytest.fixture
def voice(home: Path, log: Path) -> Iterator[ChatterboxSynthesizer]:
    made = ChatterboxSynthesizer(make_model(home), threads=1)
    yield made
    made.close()


def recording(tmp_path: Path, hz: int) -> Path:
    """The package makes a tone of as many hertz as the recording has bytes."""
    path = tmp_path / f"{hz}.wav"
    path.write_bytes(bytes(hz))
    return path


def sound(chunks: Iterator[SpeechChunk]) -> Samples:
    return np.concatenate([chunk.samples for chunk in chunks])


def loudest_hz(samples: Samples) -> float:
    return float(np.abs(np.fft.rfft(samples)).argmax() * 24_000 / len(samples))


def until(condition: Callable[[], bool], limit_s: float = 60.0) -> None:
    waiting = threading.Event()
    for _ in range(int(limit_s / 0.02)):
        if condition():
            return
        waiting.wait(0.02)
    raise AssertionError("it never came")


def test_it_speaks_with_the_voice_of_a_recording(voice: ChatterboxSynthesizer, tmp_path: Path, log: Path) -> None:
    assert (voice.info.cloning, voice.info.marks, voice.info.sample_rate) == (True, (), 24_000)
    assert voice.info.voices == ()
    one, other = recording(tmp_path, 300), recording(tmp_path, 440)
    made = sound(voice.synthesize("Good morning.", SynthesizeOptions(reference=one)))
    assert len(made) == 13 * 2400
    assert loudest_hz(made) == pytest.approx(300, abs=2)
    assert loudest_hz(sound(voice.synthesize("And again.", SynthesizeOptions(reference=one)))) == pytest.approx(
        300, abs=2
    )
    assert said(log).count("analysed") == 1, "the same recording is analysed once"
    assert loudest_hz(sound(voice.synthesize("Another.", SynthesizeOptions(reference=other)))) == pytest.approx(
        440, abs=2
    )


def test_speed_keeps_the_pitch_and_volume_does_not_clip(voice: ChatterboxSynthesizer, tmp_path: Path) -> None:
    options = SynthesizeOptions(reference=recording(tmp_path, 300), speed=2.0, volume=2.0)
    made = sound(voice.synthesize("Twice as quick, please.", options))
    assert len(made) == pytest.approx(23 * 1200, rel=0.1)
    assert loudest_hz(made) == pytest.approx(300, abs=4)
    assert 0.9 <= np.abs(made).max() <= 0.981


def test_nobody_is_spoken_for_by_the_voice_before(home: Path, log: Path, tmp_path: Path) -> None:
    voice = ChatterboxSynthesizer(make_model(home, own_hz=200), threads=1)
    try:
        assert [one.name for one in voice.info.voices] == ["own"]
        sound(voice.synthesize("A clone.", SynthesizeOptions(reference=recording(tmp_path, 440))))
        assert loudest_hz(sound(voice.synthesize("Its own.", SynthesizeOptions()))) == pytest.approx(200, abs=2)
    finally:
        voice.close()


@pytest.mark.parametrize(
    ("text", "options", "error"),
    [
        ("a" * 501, SynthesizeOptions(), InvalidValue),
        ("a", SynthesizeOptions(speed=5.0), InvalidValue),
        ("a", SynthesizeOptions(volume=3.0), InvalidValue),
        ("a", SynthesizeOptions(voice="nobody"), InvalidValue),
        ("a", SynthesizeOptions(language="de"), UnsupportedByModel),
        ("a", SynthesizeOptions(), UnsupportedByModel),
    ],
)
def test_what_it_cannot_is_refused_at_once(
    voice: ChatterboxSynthesizer, text: str, options: SynthesizeOptions, error: type[Exception]
) -> None:
    with pytest.raises(error):
        voice.synthesize(text, options)


def test_who_leaves_stops_it_at_the_next_token(voice: ChatterboxSynthesizer, tmp_path: Path, log: Path) -> None:
    options, pids = SynthesizeOptions(reference=recording(tmp_path, 300)), voice.pids()
    chunks = voice.synthesize("This goes on forever.", options)
    assert len(next(chunks).samples) == 0
    until(lambda: "five tokens" in said(log))
    chunks.close()
    assert len(sound(voice.synthesize("The next.", options))) == 9 * 2400
    assert voice.pids() == pids, "the worker that was told to stop goes on with the next"


def test_one_that_does_not_listen_is_ended(
    voice: ChatterboxSynthesizer, tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chatterbox, "CALLED_OFF_S", 0.1)
    options, pids = SynthesizeOptions(reference=recording(tmp_path, 300)), voice.pids()
    chunks = voice.synthesize("It is deaf.", options)
    next(chunks)
    until(lambda: "deaf" in said(log))
    chunks.close()
    assert len(sound(voice.synthesize("The next.", options))) == 9 * 2400
    assert voice.pids() != pids


def test_a_crash_is_an_error_and_the_next_text_is_spoken(voice: ChatterboxSynthesizer, tmp_path: Path) -> None:
    options = SynthesizeOptions(reference=recording(tmp_path, 300))
    with pytest.raises(EngineFailed, match="ended with status 3"):
        list(voice.synthesize("Now crash.", options))
    assert len(sound(voice.synthesize("The next.", options))) == 9 * 2400


def test_more_memory_than_it_may_have_is_an_error(voice: ChatterboxSynthesizer, tmp_path: Path) -> None:
    options, pids = SynthesizeOptions(reference=recording(tmp_path, 300)), voice.pids()
    with pytest.raises(EngineFailed, match="Memory"):
        list(voice.synthesize("How greedy.", options))
    assert len(sound(voice.synthesize("The next.", options))) == 9 * 2400
    assert voice.pids() == pids


def test_nothing_to_say_is_nothing(voice: ChatterboxSynthesizer, tmp_path: Path) -> None:
    options = SynthesizeOptions(reference=recording(tmp_path, 300))
    assert len(sound(voice.synthesize(" ", options))) == 0
    with pytest.raises(VoiceNotFound):
        voice.synthesize("A.", SynthesizeOptions(reference=tmp_path / "gone.wav"))


def test_nothing_of_the_process_is_left(voice: ChatterboxSynthesizer) -> None:
    [pid] = voice.pids()
    voice.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_what_is_not_there_is_named(home: Path, tmp_path: Path) -> None:
    model = make_model(home)
    with pytest.raises(EngineUnavailable, match="not installed") as missing:
        ChatterboxSynthesizer.describe(model, name="chatter")
    assert "talkie engines install chatterbox" in missing.value.hint
    make_environment(home)
    assert ChatterboxSynthesizer.describe(model, name="chatter").cloning
    with pytest.raises(EngineUnavailable, match="xpu"):
        ChatterboxSynthesizer(model, device="xpu")
    with pytest.raises(EngineUnavailable, match="no CUDA device"):
        ChatterboxSynthesizer(model, device="cuda")
    elsewhere = make_model(tmp_path / "other").rename(tmp_path / "loose")
    with pytest.raises(EngineUnavailable, match="of the store only"):
        ChatterboxSynthesizer(elsewhere)
    (model / "tokenizer.json").write_text("")
    with pytest.raises(ModelBroken, match="there is no tokenizer in it"):
        ChatterboxSynthesizer(model)
    (model / "s3gen.safetensors").unlink()
    with pytest.raises(ModelBroken, match=r"s3gen\.safetensors missing"):
        ChatterboxSynthesizer.describe(model, name="chatter")


def test_without_its_watermark_it_says_nothing(home: Path, log: Path) -> None:
    (log.parent.parent / "perth.py").write_text("PerthImplicitWatermarker = None\n")
    with pytest.raises(ModelBroken, match="watermark"):
        ChatterboxSynthesizer(make_model(home))
