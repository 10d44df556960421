"""The built-in voice: sound, marks, closed lists and odd texts, through a real worker process."""

# ruff: noqa: RUF001  (IPA has letters of its own that look like others)

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from talkie.engines.base import SynthesizeOptions
from talkie.engines.tts.espeak import MAX_TEXT_CHARACTERS, EspeakSynthesizer, speakable
from talkie.errors import InvalidValue, UnsupportedByModel


@pytest.fixture(scope="module")
def voice() -> Iterator[EspeakSynthesizer]:
    made = EspeakSynthesizer()
    yield made
    made.close()


def test_it_speaks_and_says_when(voice: EspeakSynthesizer) -> None:
    [chunk] = voice.synthesize("Hello, world.", SynthesizeOptions())
    words = [mark for mark in chunk.marks if mark.kind == "word"]
    assert [mark.text for mark in words] == ["Hello", "world"]
    assert words[0].end_s <= words[1].start_s < words[1].end_s <= len(chunk.samples) / chunk.sample_rate
    assert any(mark.kind == "phoneme" and mark.text == "w" for mark in chunk.marks)
    assert chunk.samples.dtype == np.float32
    assert 0.1 < float(np.abs(chunk.samples).max()) <= 1.0


def test_marks_cover_the_sound_without_overlap(voice: EspeakSynthesizer) -> None:
    [chunk] = voice.synthesize("One, two; three. Four?", SynthesizeOptions())
    for kind in ("word", "phoneme"):
        marks = [mark for mark in chunk.marks if mark.kind == kind]
        assert marks
        for one, following in pairwise(marks):
            assert one.start_s <= one.end_s <= following.start_s


def test_a_long_text_comes_in_pieces_with_each_mark_once(voice: EspeakSynthesizer) -> None:
    chunks = list(voice.synthesize("tick tock " * 40, SynthesizeOptions()))
    assert len(chunks) > 2
    words = [mark.text for chunk in chunks for mark in chunk.marks if mark.kind == "word"]
    assert words == ["tick", "tock"] * 40
    edge = 0.0
    for chunk in chunks:
        assert all(edge <= mark.start_s for mark in chunk.marks)
        edge += len(chunk.samples) / chunk.sample_rate


def speech(espeak: EspeakSynthesizer, **options: object) -> np.ndarray:
    return np.concatenate([chunk.samples for chunk in espeak.synthesize("a steady pace", SynthesizeOptions(**options))])


def brightness_hz(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples))
    return float(np.average(np.fft.rfftfreq(len(samples), 1 / 22050), weights=spectrum))


def test_speed_shortens(voice: EspeakSynthesizer) -> None:
    slow, normal, quick = (len(speech(voice, speed=speed)) for speed in (0.5, 1.0, 2.0))
    assert quick < normal < slow


@pytest.mark.parametrize(
    ("tag", "like"),
    [("de-DE", "de"), ("zh-CN", "cmn"), ("en-AU", "en-us"), ("en_GB", "en-gb"), ("nb-NO", "nb"), ("sr-Latn", "sr")],
)
def test_tags_of_languages_find_a_voice(voice: EspeakSynthesizer, tag: str, like: str) -> None:
    assert phonemes(voice, "1 2 3", language=tag) == phonemes(voice, "1 2 3", voice=like)


def phonemes(espeak: EspeakSynthesizer, text: str, **options: object) -> str:
    chunks = espeak.synthesize(text, SynthesizeOptions(**options))
    return "".join(mark.text for chunk in chunks for mark in chunk.marks if mark.kind == "phoneme")


def pitch_hz(samples: np.ndarray) -> float:
    """The middle one of the shortest strong periods, from 60 to 400 Hz, of all loud stretches of 46 ms."""
    found = []
    for start in range(0, len(samples) - 1024, 512):
        frame = samples[start : start + 1024]
        if np.abs(frame).max() > 0.2:
            likeness = np.fft.irfft(np.abs(np.fft.rfft(frame, 2048)) ** 2)[55:368]
            strong = int(np.flatnonzero(likeness > 0.75 * likeness.max())[0])
            found.append(22050 / (55 + strong + int(np.argmax(likeness[strong : strong + 10]))))
    return float(np.median(found))


def test_pitch_moves_the_voice(voice: EspeakSynthesizer) -> None:
    low, normal, high = (pitch_hz(speech(voice, pitch=pitch)) for pitch in (0.7, 1.0, 1.6))
    assert low < 0.95 * normal
    assert high > 1.3 * normal


def test_volume_scales_and_never_clips(voice: EspeakSynthesizer) -> None:
    silent, half, normal, double = (np.abs(speech(voice, volume=volume)).max() for volume in (0.0, 0.5, 1.0, 2.0))
    assert silent == 0.0
    assert half == pytest.approx(normal / 2, rel=0.02)
    assert 1.2 * normal < double < 0.99


@pytest.mark.parametrize(("option", "value"), [("pitch", 0.4), ("pitch", 2.1), ("volume", -0.1), ("volume", 2.1)])
def test_pitch_and_volume_have_bounds(voice: EspeakSynthesizer, option: str, value: float) -> None:
    with pytest.raises(InvalidValue, match=option):
        voice.synthesize("x", SynthesizeOptions(**{option: value}))


@pytest.mark.parametrize(
    ("ipa", "language", "said"),
    [
        ("təˈmɑːtoʊ", "en", "təmˈɑːɾoʊ"),
        ("ˈt͡ʃiːz", "en", "tʃˈiːz"),
        ("ˈʃtʁaːsə", "de", "ʃdʁˈaːsə|ʃtʁˈasə|ʃtʁˈaːsə"),
        ("bɔ̃ˈʒuʁ", "fr", "bɔ̃ʒˈuʁ"),
        ("ˈɲo", "es", "ɲˈo"),
    ],
)
def test_phonemes_are_said(voice: EspeakSynthesizer, ipa: str, language: str, said: str) -> None:
    assert phonemes(voice, ipa, language=language, phonemes=True) in said.split("|")


def test_words_of_phonemes_have_marks(voice: EspeakSynthesizer) -> None:
    [chunk] = voice.synthesize("həˈloʊ wˈɜːld", SynthesizeOptions(phonemes=True))
    assert [mark.text for mark in chunk.marks if mark.kind == "word"] == ["həˈloʊ", "wˈɜːld"]


def test_phonemes_inside_a_text(voice: EspeakSynthesizer) -> None:
    options = SynthesizeOptions(inline=((8, 14, "təˈmɑːtoʊ"),))
    [chunk] = voice.synthesize("say the tomato [[now]] please", options)
    words = [mark for mark in chunk.marks if mark.kind == "word"]
    assert [mark.text for mark in words] == ["say", "the", "tomato", "now", "please"]
    tomato = [mark.text for mark in chunk.marks if mark.kind == "phoneme" and words[2].start_s <= mark.start_s]
    assert "".join(tomato).startswith("təmˈɑː")


@pytest.mark.parametrize(
    "language", ["en", "de", "fr", "es", "it", "pl", "ru", "sv", "nl", "pt", "cs", "tr", "cmn", "hi"]
)
def test_what_a_voice_says_it_can_say_again(voice: EspeakSynthesizer, language: str) -> None:
    said = phonemes(voice, "3 8 21 100", language=language)
    again = phonemes(voice, said, language=language, phonemes=True)
    assert len(again) > 0.6 * len(said)


@pytest.mark.parametrize("symbol", ["漢", "@", "ﬁ"])
def test_a_symbol_that_is_no_phoneme(voice: EspeakSynthesizer, symbol: str) -> None:
    with pytest.raises(InvalidValue, match="no sound"):
        list(voice.synthesize(f"he{symbol}lo", SynthesizeOptions(phonemes=True)))
    assert phonemes(voice, "hi", language="en")


@pytest.mark.parametrize(
    ("text", "long"), [("one 1234567 two", "1234567"), ("one 漢字仮名 two", "漢字仮名"), ("one 3.50 two", "3.50")]
)
def test_a_word_said_as_several_lasts_as_long_as_they_do(voice: EspeakSynthesizer, text: str, long: str) -> None:
    words = [
        mark for chunk in voice.synthesize(text, SynthesizeOptions()) for mark in chunk.marks if mark.kind == "word"
    ]
    assert [mark.text for mark in words] == ["one", long, "two"]
    assert words[1].end_s - words[1].start_s > 0.7
    assert words[2].start_s - words[1].end_s < 0.15


def test_words_end_where_their_sound_ends(voice: EspeakSynthesizer) -> None:
    [chunk] = voice.synthesize("Hello, world.", SynthesizeOptions())
    hello, world = (mark for mark in chunk.marks if mark.kind == "word")
    assert hello.end_s < world.start_s - 0.1
    assert world.end_s < len(chunk.samples) / chunk.sample_rate - 0.2


def test_variants_differ(voice: EspeakSynthesizer) -> None:
    plain, again, other = (brightness_hz(speech(voice, voice=name)) for name in ("en-us", "en-us", "en-us+f3"))
    assert abs(plain - again) < 0.02 * plain < 0.05 * plain < abs(plain - other)


def test_every_voice_listed_can_be_used(voice: EspeakSynthesizer) -> None:
    for one in voice.info.voices:
        assert list(voice.synthesize("1", SynthesizeOptions(voice=one.name))), one


@pytest.mark.parametrize("name", ["en-uss", "en-us+nobody", "+f3", "../../etc/passwd", "en-us\0", "EN-US", "a" * 9999])
def test_voices_are_a_closed_list(voice: EspeakSynthesizer, name: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        voice.synthesize("x", SynthesizeOptions(voice=name))
    assert caught.value.param == "voice"
    assert len(str(caught.value)) < 100


def test_the_nearest_voice_is_named(voice: EspeakSynthesizer) -> None:
    with pytest.raises(InvalidValue) as caught:
        voice.synthesize("x", SynthesizeOptions(voice="en-uss"))
    assert "en-us" in caught.value.hint


@pytest.mark.parametrize("speed", [0.0, 0.24, 4.1, float("nan"), float("inf"), -1.0])
def test_speed_has_bounds(voice: EspeakSynthesizer, speed: float) -> None:
    with pytest.raises(InvalidValue, match="speed"):
        voice.synthesize("x", SynthesizeOptions(speed=speed))


def test_text_has_a_bound(voice: EspeakSynthesizer) -> None:
    with pytest.raises(InvalidValue, match="4097"):
        voice.synthesize("x" * (MAX_TEXT_CHARACTERS + 1), SynthesizeOptions())


def test_languages(voice: EspeakSynthesizer) -> None:
    assert {"en", "de", "fr", "es", "zh"} - set(voice.info.languages) <= {"zh"}  # Mandarin is called cmn there
    for language in ("en", "de", "fr", "zh", "no", "pt"):
        assert list(voice.synthesize("1", SynthesizeOptions(language=language)))
    with pytest.raises(UnsupportedByModel, match="'xx'"):
        voice.synthesize("x", SynthesizeOptions(language="xx"))


@pytest.mark.parametrize(
    "text", ["", " ", "\0", "a\0b", "\x1b[31m", "\ud800", "\U0001f600", "[[h@l'oU]]", "<speak>", "日本"]
)
def test_odd_texts_do_no_harm(voice: EspeakSynthesizer, text: str) -> None:
    chunks = list(voice.synthesize(text, SynthesizeOptions()))
    assert chunks
    assert all(np.isfinite(chunk.samples).all() for chunk in chunks)


def test_text_after_a_nul_is_spoken_too(voice: EspeakSynthesizer) -> None:
    [chunk] = voice.synthesize("before\0after", SynthesizeOptions())
    assert [mark.text for mark in chunk.marks if mark.kind == "word"] == ["before", "after"]
    assert speakable("a\0b\ud800c") == "a b c"


def test_a_generator_left_early_gives_the_worker_back(voice: EspeakSynthesizer) -> None:
    speech = voice.synthesize("tick tock " * 40, SynthesizeOptions())
    next(speech)
    speech.close()  # type: ignore[attr-defined]
    assert list(voice.synthesize("again", SynthesizeOptions()))


def test_a_worker_that_dies_is_replaced(voice: EspeakSynthesizer) -> None:
    [pid] = voice._pool.pids()
    os.kill(pid, signal.SIGKILL)
    assert list(voice.synthesize("still here", SynthesizeOptions()))
