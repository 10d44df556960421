"""Kokoro's real library on a tiny graph: voices, languages, marks, long texts, and files that are not right."""

# ruff: noqa: RUF001  (IPA has letters of its own that look like others)

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from onnx_voices import TOKEN_SAMPLES, kokoro_directory, kokoro_graph, piper_graph
from talkie.engines import registry
from talkie.engines.base import SynthesizeOptions, Voice
from talkie.engines.tts.kokoro import KokoroSynthesizer
from talkie.errors import EngineUnavailable, InvalidValue, ModelBroken, UnsupportedByModel
from talkie.types import SpeechChunk

pytest.importorskip("kokoro_onnx")


@pytest.fixture(scope="module")
def kokoro(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KokoroSynthesizer]:
    made = KokoroSynthesizer(kokoro_directory(tmp_path_factory.mktemp("kokoro")), name="tiny", threads=1)
    yield made
    made.close()


def say(kokoro: KokoroSynthesizer, text: str, **options: object) -> list[SpeechChunk]:
    return list(kokoro.synthesize(text, SynthesizeOptions(**options)))  # type: ignore[arg-type]


def marks(chunks: list[SpeechChunk], kind: str) -> list[str]:
    return [mark.text for chunk in chunks for mark in chunk.marks if mark.kind == kind]


def loudness(chunks: list[SpeechChunk]) -> float:
    return float(np.abs(np.concatenate([chunk.samples for chunk in chunks])).max())


def test_what_the_files_say_is_what_the_loaded_engine_says(kokoro: KokoroSynthesizer, tmp_path: Path) -> None:
    described = KokoroSynthesizer.describe(kokoro_directory(tmp_path / "again"), name="tiny")
    assert described == kokoro.info
    assert described.languages == ("en", "fr")
    assert Voice("bf_emma", ("en-gb",)) in described.voices
    assert "jf_alpha" not in [voice.name for voice in described.voices]
    untimed = KokoroSynthesizer.describe(kokoro_directory(tmp_path / "untimed", timed=False), name="old")
    assert (described.marks, untimed.marks) == (("word", "phoneme"), ())


def test_every_word_has_its_time(kokoro: KokoroSynthesizer) -> None:
    text = "We came to the end of the road, and it took 3.50 minutes."
    chunks = say(kokoro, text)
    assert marks(chunks, "word") == text.split()
    [chunk] = say(kokoro, "papa mama")
    papa, mama = (mark for mark in chunk.marks if mark.kind == "word")
    token_s = TOKEN_SAMPLES / 24_000
    assert papa.end_s - papa.start_s == pytest.approx(6 * token_s, abs=0.02)  # p ˈ ɑ ː p ə
    assert mama.start_s - papa.end_s == pytest.approx(token_s, abs=0.02)  # the space


def test_phonemes_keep_their_length_and_lose_their_stress(kokoro: KokoroSynthesizer) -> None:
    assert marks(say(kokoro, "papa"), "phoneme") == ["p", "ɑː", "p", "ə"]


def test_the_marks_of_a_language_switch_are_not_spoken(kokoro: KokoroSynthesizer) -> None:
    said = "".join(marks(say(kokoro, "le 你好 jeu", language="fr"), "phoneme"))
    assert "en" not in said
    assert said


def test_a_long_text_is_made_in_batches_that_the_model_can_take(kokoro: KokoroSynthesizer) -> None:
    text = "one two three four five six, " * 20
    chunks = say(kokoro, text)
    assert len(chunks) > 5
    assert marks(chunks, "word") == text.split()
    assert all(len(chunk.samples) <= 120_000 for chunk in chunks)


def test_voices_sound_unlike_each_other_and_the_language_finds_its_own(kokoro: KokoroSynthesizer) -> None:
    by_name = {name: loudness(say(kokoro, "hello", voice=name)) for name in ("af_heart", "bf_emma", "ff_siwis")}
    assert len({round(value, 3) for value in by_name.values()}) == 3
    usual = {tag: loudness(say(kokoro, "hello", language=tag)) for tag in ("en", "en-gb", "fr")}
    assert usual["en"] == pytest.approx(by_name["af_heart"])
    assert usual["en-gb"] == pytest.approx(by_name["bf_emma"])
    assert usual["fr"] == pytest.approx(by_name["ff_siwis"], rel=0.1)


def test_a_voice_may_speak_another_language_than_its_own(kokoro: KokoroSynthesizer) -> None:
    english = marks(say(kokoro, "bonjour", voice="af_heart", language="en"), "phoneme")
    french = marks(say(kokoro, "bonjour", voice="af_heart", language="fr"), "phoneme")
    assert "ʒ" in french
    assert english != french
    with pytest.raises(UnsupportedByModel):
        kokoro.synthesize("hallo", SynthesizeOptions(voice="af_heart", language="de"))


def test_ipa_is_said_as_it_stands(kokoro: KokoroSynthesizer) -> None:
    assert marks(say(kokoro, "t͡ʃiːz ɡʊd", phonemes=True), "phoneme") == ["t", "ʃ", "iː", "z", "ɡ", "ʊ", "d"]
    with pytest.raises(InvalidValue, match="Ω"):
        say(kokoro, "aΩ", phonemes=True)


def test_speed_beyond_the_models_is_its_quickest(kokoro: KokoroSynthesizer) -> None:
    twice, four = (sum(len(chunk.samples) for chunk in say(kokoro, "papa", speed=speed)) for speed in (2.0, 4.0))
    assert twice == four


def test_a_killed_worker_is_replaced(kokoro: KokoroSynthesizer) -> None:
    [pid] = kokoro.pids()
    os.kill(pid, signal.SIGKILL)
    assert marks(say(kokoro, "papa"), "word") == ["papa"]


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("kokoro-v1.0.onnx", b"no graph", "kokoro-v1.0.onnx is not an ONNX model"),
        ("kokoro-v1.0.onnx", piper_graph(), "it takes no tokens or input_ids, style, speed"),
        ("kokoro-v1.0.onnx", kokoro_graph().replace(b"Reshape", b"Reshope"), "cannot be loaded"),
        ("voices-v1.0.bin", b"no archive", "voices-v1.0.bin is not a NumPy archive"),
        ("more.onnx", b"", r"2 files \*.onnx"),
    ],
)
def test_files_that_are_not_right_are_named(tmp_path: Path, file: str, content: bytes, says: str) -> None:
    directory = kokoro_directory(tmp_path)
    (directory / file).write_bytes(content)
    with pytest.raises(ModelBroken, match=says):
        KokoroSynthesizer(directory, name="tiny", threads=1)


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    with pytest.raises(EngineUnavailable) as caught:
        registry.load("kokoro")
    assert "talkie[kokoro]" in caught.value.hint
    with pytest.raises(EngineUnavailable) as caught:
        registry.load("piper")
    assert "GPL" in caught.value.hint


def test_its_sound_is_that_of_the_library_alone(kokoro: KokoroSynthesizer, tmp_path: Path) -> None:
    from kokoro_onnx import Kokoro

    directory = kokoro_directory(tmp_path)
    alone = Kokoro(str(directory / "kokoro-v1.0.onnx"), str(directory / "voices-v1.0.bin"))
    text = "It was late, and nobody came. Was it 7 or 8?"
    expected, rate = alone.create(text, "bf_emma", 1.5, "en-gb", sentence_pause=0.0, clause_pause=0.0)
    assert rate == kokoro.info.sample_rate
    heard = np.concatenate([chunk.samples for chunk in say(kokoro, text, voice="bf_emma", speed=1.5)])
    np.testing.assert_allclose(heard, expected, atol=1e-6)
