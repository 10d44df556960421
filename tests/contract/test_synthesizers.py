"""What every synthesiser does alike, over every engine that can run here: the built-in voice, and tiny models of the
others through their real libraries."""

# ruff: noqa: RUF001  (IPA has letters of its own that look like others)

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from onnx_voices import kokoro_directory, piper_directory
from talkie.engines.base import SynthesizeOptions, Synthesizer
from talkie.engines.tts.espeak import EspeakSynthesizer
from talkie.engines.tts.kokoro import KokoroSynthesizer
from talkie.engines.tts.piper import PiperSynthesizer
from talkie.errors import InvalidValue, ShuttingDown, TalkieError
from talkie.types import SpeechChunk

pytest.importorskip("kokoro_onnx")
pytest.importorskip("piper")

ENGINES: dict[str, Callable[[Path], Synthesizer]] = {
    "espeak": lambda _: EspeakSynthesizer(),
    "kokoro": lambda path: KokoroSynthesizer(kokoro_directory(path), name="tiny", threads=1),
    "kokoro-untimed": lambda path: KokoroSynthesizer(
        kokoro_directory(path, timed=False, tokens="input_ids"), name="tiny", threads=1
    ),
    "piper": lambda path: PiperSynthesizer(piper_directory(path), name="tiny", threads=1),
    "piper-speakers": lambda path: PiperSynthesizer(
        piper_directory(path, speakers=3, lengths_are_output=True), name="tiny", threads=1
    ),
}


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synthesizer]:
    made = ENGINES[request.param](tmp_path_factory.mktemp("voice"))
    yield made
    made.close()


def say(engine: Synthesizer, text: str, **options: object) -> list[SpeechChunk]:
    return list(engine.synthesize(text, SynthesizeOptions(**options)))  # type: ignore[arg-type]


def seconds(chunks: list[SpeechChunk]) -> float:
    return sum(len(chunk.samples) / chunk.sample_rate for chunk in chunks)


def peak(chunks: list[SpeechChunk]) -> float:
    return max((float(np.abs(chunk.samples).max(initial=0.0)) for chunk in chunks), default=0.0)


def test_sound_is_mono_float_at_the_rate_it_told(engine: Synthesizer) -> None:
    chunks = say(engine, "One, two; three.")
    assert seconds(chunks) > 0.5
    for chunk in chunks:
        assert chunk.sample_rate == engine.info.sample_rate
        assert chunk.samples.dtype == np.float32
        assert chunk.samples.ndim == 1
        assert np.isfinite(chunk.samples).all()
    assert 0.02 < peak(chunks) <= 1.0


def test_marks_are_of_the_kinds_it_told_in_order_and_inside(engine: Synthesizer) -> None:
    at_s = 0.0
    kinds = set()
    last = dict.fromkeys(("word", "phoneme"), 0.0)
    for chunk in say(engine, "The end of the story was told. It took 3.50 minutes, more or less, to tell it. " * 2):
        end_s = at_s + len(chunk.samples) / chunk.sample_rate
        for mark in chunk.marks:
            kinds.add(mark.kind)
            assert at_s - 1e-6 <= mark.start_s <= end_s + 1e-6, "a mark is in the chunk in which it begins"
            assert last[mark.kind] - 1e-6 <= mark.start_s <= mark.end_s
            last[mark.kind] = mark.start_s
        at_s = end_s
    assert kinds == set(engine.info.marks)
    assert max(last.values()) <= at_s


def test_the_words_it_names_are_in_the_text_in_that_order(engine: Synthesizer) -> None:
    if "word" not in engine.info.marks:
        pytest.skip("it gives no words")
    text = "We came to the end of the road, and then it rained."
    at = 0
    named = [mark.text for chunk in say(engine, text) for mark in chunk.marks if mark.kind == "word"]
    assert len(named) >= 10
    for word in named:
        at = text.index(word, at) + len(word)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\n\t\0\x1b",
        "?!…",
        "🙂🙂",
        "שלום עולם",
        "你好",
        "a",
        "x" * 1500,
        "\ud800",
        "[[",
        "]] (en) [[x]]",
        "—",
        "%s {0}",
    ],
    ids=lambda text: ascii(text[:8]),
)
def test_odd_texts_are_spoken_or_are_silence(engine: Synthesizer, text: str) -> None:
    chunks = say(engine, text)
    assert all(len(chunk.samples) for chunk in chunks) or seconds(chunks) < 1.0
    assert seconds(say(engine, "well")) > 0.1, "and it goes on"


def test_what_is_too_much_is_refused_at_once(engine: Synthesizer) -> None:
    for text, options in (
        ("a" * (engine.info.max_characters + 1), {}),
        ("a", {"speed": 9.0}),
        ("a", {"speed": 0.01}),
        ("a", {"volume": 3.0}),
        ("a", {"voice": "nobody-of-that-name"}),
    ):
        with pytest.raises(InvalidValue):
            engine.synthesize(text, SynthesizeOptions(**options))  # type: ignore[arg-type]


def test_every_voice_it_lists_speaks(engine: Synthesizer) -> None:
    voices = engine.info.voices
    assert len({voice.name for voice in voices}) == len(voices) > 0
    for voice in voices[:: max(1, len(voices) // 12)]:
        assert voice.languages
        assert peak(say(engine, "hello", voice=voice.name)) > 0.01, voice.name


def test_every_language_it_lists_has_a_voice(engine: Synthesizer) -> None:
    for language in engine.info.languages[:: max(1, len(engine.info.languages) // 12)]:
        assert peak(say(engine, "a e i o u", language=language)) > 0.01, language


def test_a_language_it_does_not_know_is_refused(engine: Synthesizer) -> None:
    with pytest.raises(TalkieError) as caught:
        engine.synthesize("hello", SynthesizeOptions(language="xx"))
    assert caught.value.param == "language"


def test_speed_and_volume_are_as_asked(engine: Synthesizer) -> None:
    text = "seven steady words of the same length"
    usual, quick, quiet = (say(engine, text, **each) for each in ({}, {"speed": 2.0}, {"volume": 0.25}))
    assert seconds(quick) < 0.75 * seconds(usual)
    assert peak(quiet) < 0.5 * peak(usual)
    assert abs(seconds(quiet) - seconds(usual)) < 0.35


def test_phonemes_in_place_of_letters(engine: Synthesizer) -> None:
    if not engine.info.phonemes:
        pytest.skip("it takes none")
    assert peak(say(engine, "həlˈoʊ", phonemes=True)) > 0.01
    with pytest.raises(InvalidValue):
        say(engine, "h漢", phonemes=True)


def test_leaving_early_leaves_it_free_for_the_next(engine: Synthesizer) -> None:
    for _ in range(3):
        chunks = engine.synthesize("tick tock " * 60, SynthesizeOptions())
        first = next(chunks)
        assert len(first.samples)
        chunks.close()  # type: ignore[attr-defined]
    assert [mark for chunk in say(engine, "well") for mark in chunk.marks if mark.text.startswith("tick")] == []


@pytest.mark.parametrize("name", ENGINES)
def test_close_ends_its_processes(name: str, tmp_path: Path) -> None:
    made = ENGINES[name](tmp_path / "voice")
    say(made, "one")
    pids = (getattr(made, "pids", None) or made._pool.pids)()  # type: ignore[attr-defined]
    assert pids
    made.close()
    made.close()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    with pytest.raises(ShuttingDown):
        say(made, "two")
