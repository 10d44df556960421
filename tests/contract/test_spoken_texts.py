"""The built-in voice through the whole pipeline: times against the sound itself, texts of one word in many languages,
joins without clicks, odd texts, and the loop through recognisers."""

# ruff: noqa: RUF001  (letters of other alphabets are meant)

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from commands import COMMANDS
from talkie.audio.joins import at_rate
from talkie.engines.asr.sphinx import SphinxRecognizer
from talkie.engines.asr.whisper import WhisperRecognizer
from talkie.engines.base import PRESETS, RecognizeOptions, Recognizer, SynthesizeOptions
from talkie.engines.tts.espeak import EspeakSynthesizer
from talkie.errors import BadSsml, InvalidValue, NothingToSay, TextTooLong
from talkie.pipeline.align import aligner
from talkie.pipeline.speak import speak
from talkie.pipeline.speak_plan import SpeakPlan
from talkie.runtime.cancel import CancelToken
from talkie.text.wer import Wer, word_error_rate
from talkie.types import Audio, Mark, Samples, SpeechChunk, Transcript
from whisper_models import TRAINED

RATE = 22_050
FRAME = 110
LANGUAGES = {
    "en": ("yes", "good day"),
    "de": ("ja", "guten Tag"),
    "fr": ("oui", "bonne journée"),
    "es": ("sí", "buenos días"),
    "it": ("sì", "buona sera"),
    "pt": ("sim", "bom dia"),
    "nl": ("ja", "goede morgen"),
    "pl": ("tak", "dzień dobry"),
    "ru": ("да", "добрый день"),
    "sv": ("ja", "god morgon"),
    "tr": ("evet", "iyi günler"),
    "el": ("ναι", "καλή μέρα"),
    "ar": ("نعم", "صباح الخير"),
    "hi": ("हाँ", "शुभ प्रभात"),
    "cmn": ("是", "你好"),
    "ja": ("はい", "おはよう です"),
    "ko": ("네", "안녕 하세요"),
    "fi": ("kyllä", "hyvää päivää"),
}


@pytest.fixture(scope="module")
def espeak() -> Iterator[EspeakSynthesizer]:
    made = EspeakSynthesizer()
    yield made
    made.close()


def plan(espeak: EspeakSynthesizer, **options: object) -> SpeakPlan:
    return SpeakPlan(espeak.synthesize, espeak.info, SynthesizeOptions(**options))  # type: ignore[arg-type]


def say(text: str, made: SpeakPlan) -> tuple[Samples, list[Mark]]:
    chunks = list(speak(text, made, CancelToken()))
    return np.concatenate([chunk.samples for chunk in chunks]), [mark for chunk in chunks for mark in chunk.marks]


def kind(marks: list[Mark], wanted: str) -> list[Mark]:
    return [mark for mark in marks if mark.kind == wanted]


# -- times ---------------------------------------------------------------------------------------------------------


def onsets_s(samples: Samples) -> list[float]:
    """Where it becomes loud after at least 60 ms of silence, by frames of 5 ms; nothing but the sound is asked."""
    whole = len(samples) // FRAME
    rms = np.sqrt(np.mean(samples[: whole * FRAME].reshape(whole, FRAME) ** 2, axis=1))
    found, quiet = [], 99
    for index, loud in enumerate(rms > 0.01 * rms.max()):
        if loud and quiet >= 12:
            found.append(index * FRAME / RATE)
        quiet = 0 if loud else quiet + 1
    return found


@pytest.mark.parametrize("speed", [0.7, 1.0, 1.4])
@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "door, window, table, chair, apple, seven, house, stop, fish, milk."),
        ("de", "Tür, Fenster, Tisch, Stuhl, Apfel, sieben, Haus, Fisch."),
        ("fr", "porte, fenêtre, table, chaise, pomme, sept."),
        ("es", "puerta, ventana, mesa, silla, manzana."),
        ("en", "Door. Window! Table? Chair. Apple. Seven. House. Fish."),
    ],
)
def test_words_begin_where_they_are_heard_to(espeak: EspeakSynthesizer, language: str, text: str, speed: float) -> None:
    samples, marks = say(text, plan(espeak, language=language, speed=speed))
    words, heard = kind(marks, "word"), onsets_s(samples)
    assert [word.text for word in words] == text.split()
    assert len(heard) == len(words)
    assert max(abs(word.start_s - onset_s) for word, onset_s in zip(words, heard, strict=True)) < 0.06
    assert not any(word.estimated for word in words)


TEXT = "Dr. Smith paid $3.50 for it, and 21 people (nearly all) said: “well done!” He's 1.5 m tall; she isn't."


def test_marks_are_in_order_and_inside_and_join_to_the_text(espeak: EspeakSynthesizer) -> None:
    samples, marks = say(TEXT, replace(plan(espeak), visemes=True))
    assert " ".join(mark.text for mark in kind(marks, "word")) == TEXT
    for wanted in ("word", "phoneme", "viseme"):
        found = kind(marks, wanted)
        assert found
        assert all(one.end_s <= two.start_s + 1e-6 for one, two in pairwise(found)), wanted
        assert found[0].start_s >= 0
        assert found[-1].end_s <= len(samples) / RATE + 1e-6


def muted(espeak: EspeakSynthesizer, text: str, options: SynthesizeOptions) -> Iterator[SpeechChunk]:
    for chunk in espeak.synthesize(text, options):
        yield replace(chunk, marks=())


def test_words_found_by_a_recogniser_are_near_the_true_ones(espeak: EspeakSynthesizer, trained: Recognizer) -> None:
    """Of an engine that tells no times: spread by their letters the worst words are off by 0.2 s."""
    off: list[float] = []
    made = plan(espeak, voice="en-us+klatt4", speed=0.9)
    aligned = replace(
        made,
        synthesize=lambda text, options: muted(espeak, text, options),
        align=aligner(lambda audio: heard_by(trained, audio)),
    )
    for text in COMMANDS:
        true, found = (kind(say(text, one)[1], "word") for one in (made, aligned))
        assert all(mark.estimated for mark in found)
        off += [abs(one.start_s - two.start_s) for one, two in zip(true, found, strict=True)]
    assert float(np.median(off)) < 0.03
    assert float(np.percentile(off, 95)) < 0.12


# -- the loop ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained() -> Iterator[Recognizer]:
    if not (TRAINED / "model.bin").exists():
        pytest.skip("the trained test model is not here")
    made = WhisperRecognizer(TRAINED, compute_type="int8", threads=1)
    yield made
    made.close()


@pytest.fixture(scope="module")
def sphinx() -> Iterator[Recognizer]:
    made = SphinxRecognizer()
    yield made
    made.close()


def heard_by(recogniser: Recognizer, audio: Audio) -> Transcript:
    samples = at_rate(audio.samples, audio.sample_rate, 16_000)
    options = RecognizeOptions(language="en", words=True, decoding=PRESETS["fast"])
    [transcript] = recogniser.recognize([Audio(samples)], [options])
    return transcript


def errors(recogniser: Recognizer, made: SpeakPlan, texts: tuple[str, ...]) -> Wer:
    total, edge = Wer(), np.zeros(round(0.3 * RATE), np.float32)
    for text in texts:
        samples = np.concatenate([edge, say(text, made)[0], edge])
        total += word_error_rate(text, heard_by(recogniser, Audio(samples, RATE)).text)
    return total


@pytest.mark.parametrize("name", ["en-us+klatt4", "en-us", "en-gb"])
def test_the_trained_model_hears_what_is_said(espeak: EspeakSynthesizer, trained: Recognizer, name: str) -> None:
    """Sixty words; it makes no mistake today."""
    assert errors(trained, plan(espeak, voice=name, speed=0.9), COMMANDS).rate <= 0.05


def test_the_trained_model_hears_a_long_text(espeak: EspeakSynthesizer, trained: Recognizer) -> None:
    """Several sentences in one stream, with their pauses: what joins could spoil."""
    text = "Good morning talkie. Open the door, please. Turn off the light. What time is it? Play music, please."
    assert errors(trained, plan(espeak, voice="en-us+klatt4", speed=0.9), (text,)).rate <= 0.15


def test_the_built_in_recogniser_hears_what_is_said(espeak: EspeakSynthesizer, sphinx: Recognizer) -> None:
    """It was trained on people: the sentences are those that it understands."""
    texts = ("There are many people in the room.", "We need more time.", "We are moving to another country.")
    assert errors(sphinx, plan(espeak, voice="en-us+f2", speed=0.9), texts).rate <= 0.15


# -- small texts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_word_and_two_words_come_out_whole(espeak: EspeakSynthesizer, language: str) -> None:
    one, two = (say(text, plan(espeak, language=language)) for text in LANGUAGES[language])
    for text, (samples, marks) in zip(LANGUAGES[language], (one, two), strict=True):
        whole = np.concatenate([c.samples for c in espeak.synthesize(text, SynthesizeOptions(language=language))])
        assert float(np.sum(samples**2)) == pytest.approx(float(np.sum(whole**2)), rel=0.03)
        assert float(np.abs(samples).max()) > 0.1
        assert kind(marks, "phoneme")[-1].end_s <= len(samples) / RATE
    assert 0.25 < len(one[0]) / RATE < 1.2
    assert len(one[0]) < len(two[0]) < 2.2 * RATE


WITHOUT_NUMBERS = ("chr-US-Qaaa-x-west", "cv", "sjn")


def test_every_voice_says_something_short(espeak: EspeakSynthesizer) -> None:
    assert len(espeak.info.voices) > 130
    for one in espeak.info.voices:
        text = "ma" if one.name in WITHOUT_NUMBERS else "2"
        samples, marks = say(text, plan(espeak, voice=one.name, language=one.languages[0]))
        assert 0.2 < len(samples) / RATE < 2.0, one
        assert float(np.abs(samples).max()) > 0.05, one
        assert [mark.text for mark in kind(marks, "word")] == [text]


# -- joins ---------------------------------------------------------------------------------------------------------


def test_joins_make_no_clicks(espeak: EspeakSynthesizer) -> None:
    """The largest step between two samples near a join is no larger than speech makes by itself."""
    text = (
        "<speak>One sentence here. <prosody rate='fast'>Quick</prosody> words <prosody pitch='high'>and high</prosody> "
        "ones <break time='5ms'/> meet, <lang xml:lang='de'>guten Tag</lang> again. Last one!</speak>"
    )
    samples, marks = say(text, plan(espeak))
    steps = np.abs(np.diff(samples))
    words = [word for word in kind(marks, "word") if word.text in ("Quick", "words", "and", "ones", "meet,", "guten")]
    assert len(words) == 6
    own = float(np.percentile(steps, 99.9))
    for word in words:
        near = steps[max(0, round((word.start_s - 0.08) * RATE)) : round(word.start_s * RATE)]
        assert float(near.max()) < own
    assert abs(float(samples[0])) < 0.01 > abs(float(samples[-1]))


# -- odd texts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("a" * 10_000, "en"),
        ("漢字" * 200, "ja"),
        ("I like 🍕 and 😀!", "en"),
        ("😀🍕👨‍👩‍👧‍👦🇩🇪", "en"),
        ("مرحبا بالعالم. كيف حالك؟", "ar"),
        ("שלום עולם", "en"),
        ("a\0b\x07c\x1b[31md\u202e\u2066e\ufeff\ud800", "en"),
        ("Hello, Straße, ça va? Привет 你好 مرحبا.", "en"),
        ("Z" + "\u0301" * 5000, "en"),
        ("[[h@l'oU]] {{{ <b> & \\ " + "(" * 5000, "en"),
        ("a" + "." * 10_000 + "b", "en"),
        ("\n" * 10_000 + "a" + "\r\n" * 10_000, "en"),
        ("100% & 3 < 4 §5 #6 @7 +8 =9 ~1 ^2", "en"),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_odd_texts_are_spoken(espeak: EspeakSynthesizer, text: str, language: str) -> None:
    samples, marks = say(text, plan(espeak, language=language))
    assert np.isfinite(samples).all()
    assert float(np.abs(samples).max()) > 0.05
    words = kind(marks, "word")
    assert words
    assert all(one.end_s <= two.start_s + 1e-6 for one, two in pairwise(words))
    assert words[-1].end_s <= len(samples) / RATE + 1e-6


@pytest.mark.parametrize("text", ["word " * 200_000, "w" * 1_000_000], ids=["words", "one word"])
def test_a_megabyte_is_refused_or_spoken_as_it_is_listened_to(espeak: EspeakSynthesizer, text: str) -> None:
    with pytest.raises(TextTooLong):
        speak(text, plan(espeak), CancelToken())
    given: list[str] = []

    def noted(asked: str, options: SynthesizeOptions) -> Iterator[SpeechChunk]:
        given.append(asked)
        return espeak.synthesize(asked, options)

    made = replace(plan(espeak), synthesize=noted, max_characters=2_000_000)
    speech = speak(text, made, CancelToken())
    heard_s = sum(len(next(speech).samples) for _ in range(20)) / RATE
    speech.close()
    assert heard_s > 5
    assert sum(map(len, given)) < 3000


@pytest.mark.parametrize(
    ("text", "options", "error"),
    [
        ("", {}, NothingToSay),
        (" \n\t ", {}, NothingToSay),
        ("?!", {}, NothingToSay),
        ("<speak>one<break/>", {}, BadSsml),
        ("<speak><audio src='x'/></speak>", {}, BadSsml),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><speak>&a;</speak>", {"ssml": True}, BadSsml),
        ("hello", {"voice": "nobody"}, InvalidValue),
        ("hello", {"speed": 4.5}, InvalidValue),
        ("hello", {"speed": 0.0}, InvalidValue),
        ("hello", {"speed": float("nan")}, InvalidValue),
        ("hello", {"pitch": 3.0}, InvalidValue),
        ("hello", {"volume": -1.0}, InvalidValue),
        ("{x|ipa:h漢}", {}, InvalidValue),
    ],
)
def test_what_cannot_be_spoken_is_a_clear_error(
    espeak: EspeakSynthesizer, text: str, options: dict[str, object], error: type[Exception]
) -> None:
    made = replace(
        plan(espeak, **{name: value for name, value in options.items() if name != "ssml"}), ssml="ssml" in options
    )
    with pytest.raises(error) as caught:
        say(text, made)
    assert str(caught.value)


def test_phonemes_in_a_text_keep_its_melody(espeak: EspeakSynthesizer) -> None:
    """They are said in one breath with the words beside them, which a cut would make longer and lower."""
    plain, _ = say("Say the tomato now please.", plan(espeak))
    told, marks = say("Say the {tomato|ipa:təˈmɑːtoʊ} now please.", plan(espeak))
    assert len(told) == pytest.approx(len(plain), rel=0.1)
    assert [mark.text for mark in kind(marks, "word")] == ["Say", "the", "tomato", "now", "please."]
