"""Piper's real library on a tiny graph: speakers, marks, sentences, and files that are not right."""

# ruff: noqa: RUF001  (IPA has letters of its own that look like others)

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from onnx_voices import PIPER_FRAMES, PIPER_HOP, PIPER_RATE, kokoro_graph, piper_config, piper_directory
from talkie.engines.base import SynthesizeOptions, Voice
from talkie.engines.tts.piper import PiperSynthesizer
from talkie.errors import InvalidValue, ModelBroken, UnsupportedByModel
from talkie.types import SpeechChunk

pytest.importorskip("piper")
JSON = "en_US-test-medium.onnx.json"


@pytest.fixture(scope="module")
def piper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PiperSynthesizer]:
    made = PiperSynthesizer(piper_directory(tmp_path_factory.mktemp("piper")), name="tiny", threads=1)
    yield made
    made.close()


def say(piper: PiperSynthesizer, text: str, **options: object) -> list[SpeechChunk]:
    return list(piper.synthesize(text, SynthesizeOptions(**options)))  # type: ignore[arg-type]


def marks(chunks: list[SpeechChunk], kind: str) -> list[str]:
    return [mark.text for chunk in chunks for mark in chunk.marks if mark.kind == kind]


def pitch_hz(chunks: list[SpeechChunk]) -> float:
    samples = np.concatenate([chunk.samples for chunk in chunks])
    return float(np.abs(np.fft.rfft(samples)).argmax() * PIPER_RATE / len(samples))


def test_what_the_files_say_is_what_the_loaded_engine_says(piper: PiperSynthesizer, tmp_path: Path) -> None:
    assert PiperSynthesizer.describe(piper_directory(tmp_path), name="tiny") == piper.info
    assert piper.info.voices == (Voice("en_US-test-medium", ("en-us",)),)
    assert (piper.info.sample_rate, piper.info.marks) == (PIPER_RATE, ("word", "phoneme"))


def test_every_word_has_its_time_though_the_graph_does_not_give_it(piper: PiperSynthesizer) -> None:
    text = "We came to the end of the road. And it took 3.50 minutes."
    chunks = say(piper, text)
    assert marks(chunks, "word") == text.split()
    [chunk] = say(piper, "papa mama")
    papa, mama = (mark for mark in chunk.marks if mark.kind == "word")
    symbol_s = 2 * PIPER_FRAMES * PIPER_HOP / PIPER_RATE  # and the padding after it
    assert papa.start_s == pytest.approx(symbol_s)  # the beginning of a sentence is a symbol too
    assert papa.end_s - papa.start_s == pytest.approx(6 * symbol_s)  # p ˈ ɑ ː p ə
    assert mama.start_s - papa.end_s == pytest.approx(symbol_s)


def test_sentences_come_one_by_one(piper: PiperSynthesizer) -> None:
    chunks = piper.synthesize("One. Two. Three.", SynthesizeOptions())
    assert [marks([chunk], "word") for chunk in chunks] == [["One."], ["Two."], ["Three."]]


def test_speakers_are_voices(tmp_path: Path) -> None:
    piper = PiperSynthesizer(piper_directory(tmp_path, speakers=3, lengths_are_output=True), threads=1)
    try:
        assert [voice.name for voice in piper.info.voices] == ["speaker-0", "speaker-1", "speaker-2"]
        heard = {voice.name: pitch_hz(say(piper, "papa", voice=voice.name)) for voice in piper.info.voices}
        assert list(heard.values()) == pytest.approx([150, 300, 450], rel=0.05)
        assert pitch_hz(say(piper, "papa")) == pytest.approx(150, rel=0.05)
        assert marks(say(piper, "papa mama", voice="speaker-2"), "word") == ["papa", "mama"]
        with pytest.raises(InvalidValue, match="speaker-9"):
            piper.synthesize("papa", SynthesizeOptions(voice="speaker-9"))
    finally:
        piper.close()


def test_brackets_in_a_text_are_not_taken_for_phonemes(piper: PiperSynthesizer) -> None:
    assert marks(say(piper, "[[papa]]"), "phoneme") == marks(say(piper, "papa"), "phoneme") == ["p", "ɑː", "p", "ə"]


def test_ipa_is_said_as_it_stands(piper: PiperSynthesizer) -> None:
    assert marks(say(piper, "həlˈoʊ wɜːld", phonemes=True), "phoneme") == [*"həloʊw", "ɜː", "l", "d"]
    with pytest.raises(InvalidValue, match="Ω"):
        say(piper, "aΩ", phonemes=True)


def test_speed_goes_both_ways(piper: PiperSynthesizer) -> None:
    lengths = [sum(len(chunk.samples) for chunk in say(piper, "papa", speed=speed)) for speed in (0.5, 1.0, 3.0)]
    assert lengths[0] == 2 * lengths[1] == 6 * lengths[2]


def test_another_language_is_refused(piper: PiperSynthesizer) -> None:
    with pytest.raises(UnsupportedByModel):
        piper.synthesize("hallo", SynthesizeOptions(language="de"))


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("en_US-test-medium.onnx", b"no graph", "en_US-test-medium.onnx is not an ONNX model"),
        ("en_US-test-medium.onnx", kokoro_graph(), "it takes no input, input_lengths, scales"),
        (JSON, b"{", f"{JSON} is not the description"),
        (JSON, b"[]", f"{JSON} is not the description"),
        (JSON, b"{}", f"{JSON} is not the description"),
        (JSON, json.dumps({**{"audio": {"sample_rate": "fast"}}, "num_speakers": 1}).encode(), "not the description"),
    ],
)
def test_files_that_are_not_right_are_named(tmp_path: Path, file: str, content: bytes, says: str) -> None:
    directory = piper_directory(tmp_path)
    (directory / file).write_bytes(content)
    with pytest.raises(ModelBroken, match=says):
        PiperSynthesizer(directory, name="tiny", threads=1)


def test_a_map_without_what_sentences_begin_with_is_found_when_it_speaks(tmp_path: Path) -> None:
    directory = piper_directory(tmp_path)
    (directory / JSON).write_text(json.dumps(piper_config() | {"phoneme_type": "nonsense"}))
    with pytest.raises(UnsupportedByModel, match="nonsense"):
        PiperSynthesizer(directory, name="tiny", threads=1)


def test_its_sound_is_that_of_the_library_alone(piper: PiperSynthesizer, tmp_path: Path) -> None:
    from piper import PiperVoice, SynthesisConfig

    directory = piper_directory(tmp_path)
    alone = PiperVoice.load(directory / "en_US-test-medium.onnx")
    text = "It was late, and nobody came. Was it 7 or 8?"
    made = alone.synthesize(text, SynthesisConfig(length_scale=1 / 1.5))
    expected = np.concatenate([chunk.audio_float_array for chunk in made])
    np.testing.assert_allclose(
        np.concatenate([one.samples for one in say(piper, text, speed=1.5)]), expected, atol=1e-6
    )
