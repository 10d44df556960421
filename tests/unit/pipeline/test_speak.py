"""A text to one stream of speech: order, times, pauses, pieces, leaving early. The voice is a tone for each word."""

# ruff: noqa: RUF001  (IPA has letters of its own that look like others)

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from talkie.engines.base import SynthesizeOptions
from talkie.errors import BadSsml, Cancelled, EngineFailed, NothingToSay, TextTooLong, UnsupportedByModel
from talkie.pipeline.speak import speak
from talkie.pipeline.speak_plan import SpeakPlan
from talkie.runtime.cancel import CancelToken
from talkie.text.lexicon import Entry, Lexicon
from talkie.types import Audio, Mark, SpeechChunk
from tone_voice import GAP_S, WORD_S, ToneVoice

LONG = "This is a clause that is long enough, and here the sentence ends. Another one follows it! Is this the last?"


def spoken(text: str | Iterable[str], voice: ToneVoice, **more: object) -> list[SpeechChunk]:
    return list(speak(text, plan(voice, **more), CancelToken()))


def plan(voice: ToneVoice, **more: object) -> SpeakPlan:
    return SpeakPlan(voice.synthesize, voice.info, **more)  # type: ignore[arg-type]


def sound(chunks: list[SpeechChunk]) -> np.ndarray:
    return np.concatenate([chunk.samples for chunk in chunks])


def marks(chunks: list[SpeechChunk], kind: str = "word") -> list[Mark]:
    return [mark for chunk in chunks for mark in chunk.marks if mark.kind == kind]


def quiet_s(samples: np.ndarray, rate: int) -> list[float]:
    """Lengths of all stretches of silence."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (np.abs(samples) < 1e-4).astype(int), [0]])))
    lengths = (edges[1::2] - edges[::2]) / rate
    return [float(length) for length in lengths if length > 0.02]


def test_all_words_are_said_and_marked_in_order() -> None:
    voice = ToneVoice()
    chunks = spoken(LONG, voice)
    assert " ".join(mark.text for mark in marks(chunks)) == LONG
    assert len(voice.asked) == 4  # the first clause goes alone
    assert [text.split()[0] for text, _ in voice.asked] == ["This", "and", "Another", "Is"]


def test_marks_lie_on_the_sound() -> None:
    voice = ToneVoice()
    chunks = spoken(LONG, voice)
    samples, found = sound(chunks), marks(chunks)
    assert all(one.end_s <= two.start_s + 1e-9 for one, two in pairwise(found))
    assert found[-1].end_s < len(samples) / voice.rate
    for mark in found:
        middle = samples[round((mark.start_s + 0.02) * voice.rate) : round((mark.end_s - 0.02) * voice.rate)]
        assert float(np.abs(middle[: voice.rate // 100]).max()) > 0.1, mark
        assert mark.end_s - mark.start_s == pytest.approx(WORD_S, abs=0.01)


def test_a_mark_is_in_the_piece_in_which_it_begins() -> None:
    voice = ToneVoice(marks=("word",))
    at = 0
    for chunk in spoken(LONG, voice, visemes=True):
        until = at + len(chunk.samples)
        assert all(at <= round(mark.start_s * voice.rate, 3) < until for mark in chunk.marks)
        at = until


def test_pieces_are_short_at_first_and_bounded() -> None:
    voice = ToneVoice()
    lengths = [len(chunk.samples) / voice.rate for chunk in spoken(LONG * 3, voice, generation=7)]
    assert lengths[0] == pytest.approx(0.2)
    assert max(lengths) < 1.2


def test_generation_and_rate_are_on_every_piece() -> None:
    for rate in (None, 24_000):
        chunks = spoken(LONG, ToneVoice(), generation=7, sample_rate=rate)
        assert {(chunk.generation, chunk.sample_rate) for chunk in chunks} == {(7, rate or 16_000)}


def test_a_changed_rate_keeps_times() -> None:
    plain, changed = (marks(spoken(LONG, ToneVoice(), sample_rate=rate)) for rate in (None, 48_000))
    assert [mark.start_s for mark in changed] == pytest.approx([mark.start_s for mark in plain], abs=0.01)


def test_pauses_of_engines_are_replaced_by_right_ones() -> None:
    voice = ToneVoice()
    silences = quiet_s(sound(spoken("One two three. Four five six.\n\nSeven eight nine.", voice)), voice.rate)
    sentence, paragraph = (silence for silence in silences[:-1] if silence > GAP_S * 2)
    assert 0.3 < sentence < 0.6 < paragraph < 1.1
    assert silences[-1] == pytest.approx(0.14, abs=0.03)


def test_pauses_are_shorter_when_speech_is_faster() -> None:
    texts = "One two three. Four five six."
    slow, quick = (
        max(quiet_s(sound(spoken(texts, ToneVoice(), options=SynthesizeOptions(speed=speed))), 16_000))
        for speed in (1.0, 2.0)
    )
    assert quick < 0.7 * slow


def test_a_break_is_as_long_as_it_says() -> None:
    voice = ToneVoice()
    silences = quiet_s(sound(spoken("<speak>one <break time='800ms'/> two</speak>", voice)), voice.rate)
    assert silences[0] == pytest.approx(0.8 + 0.04 + 0.015, abs=0.03)


def test_breaks_before_and_after_speech_are_kept() -> None:
    voice = ToneVoice()
    text = "<speak><break time='600ms'/>one<break time='700ms'/></speak>"
    chunks = spoken(text, voice)
    assert marks(chunks)[0].start_s == pytest.approx(0.615, abs=0.02)
    assert len(sound(chunks)) / voice.rate == pytest.approx(0.6 + WORD_S + 0.055 + 0.7, abs=0.03)


def test_prosody_and_languages_reach_the_engine() -> None:
    voice = ToneVoice(abilities={"pitch": True})
    text = (
        "<speak>plain <prosody rate='150%' pitch='+20%' volume='50%'>quick</prosody> <lang xml:lang='de'>hallo</lang>"
        "</speak>"
    )
    spoken(text, voice, options=SynthesizeOptions(voice="tone", speed=2.0))
    plain, quick, german = (options for _, options in voice.asked)
    assert (plain.speed, plain.pitch, plain.voice) == (2.0, 1.0, "tone")
    assert quick.speed == pytest.approx(3.0)
    assert quick.pitch > 1.1
    assert quick.volume < 1.0
    assert (german.language, german.voice) == ("de", "")


def test_speed_of_a_part_stays_within_what_voices_can() -> None:
    voice = ToneVoice()
    spoken("<speak><prosody rate='200%'>quick</prosody></speak>", voice, options=SynthesizeOptions(speed=3.0))
    assert voice.asked[0][1].speed == 4.0


@pytest.mark.parametrize(
    "text",
    [
        "<speak>say <phoneme alphabet='ipa' ph='təˈmɑːtoʊ'>tomato</phoneme></speak>",
        "say {tomato|ipa:təˈmɑːtoʊ}",
        "<speak><prosody pitch='high'>up</prosody></speak>",
        "<speak><lang xml:lang='sv'>hej</lang></speak>",
    ],
)
def test_what_a_voice_cannot_do_is_refused_before_it_speaks(text: str) -> None:
    voice = ToneVoice()
    with pytest.raises(UnsupportedByModel):
        speak(text, plan(voice), CancelToken())
    assert not voice.asked


def test_phonemes_are_said_alone_where_they_cannot_be_inline() -> None:
    voice = ToneVoice(abilities={"phonemes": True})
    chunks = spoken("Say {tomato|ipa:təˈmɑːtoʊ} now.", voice)
    assert [(text, options.phonemes) for text, options in voice.asked] == [
        ("Say", False), ("təˈmɑːtoʊ", True), ("now.", False)
    ]  # fmt: skip
    assert [mark.text for mark in marks(chunks)] == ["Say", "tomato", "now."]


def test_phonemes_are_inline_where_they_can_be() -> None:
    voice = ToneVoice(abilities={"phonemes": True, "inline_phonemes": True})
    spoken("Say {tomato|ipa:təˈmɑːtoʊ} now.", voice)
    [(text, options)] = voice.asked
    assert text == "Say tomato now."
    assert options.inline == ((4, 10, "təˈmɑːtoʊ"),)


def test_visemes_cover_the_whole_time() -> None:
    voice = ToneVoice()
    chunks = spoken(LONG, voice, visemes=True)
    shapes, duration_s = marks(chunks, "viseme"), len(sound(chunks)) / voice.rate
    assert shapes[0].start_s == 0.0
    assert shapes[-1].end_s == pytest.approx(duration_s, abs=0.001)
    assert all(one.end_s == pytest.approx(two.start_s, abs=0.02) for one, two in pairwise(shapes))
    assert len({shape.text for shape in shapes}) > 3
    assert not marks(spoken(LONG, voice), "viseme")


def test_marks_do_not_overlap_where_lines_touch() -> None:
    text = "<speak>sheep <prosody rate='fast'>moo</prosody> papa <lang xml:lang='de'>Papa</lang> oh</speak>"
    for voice in (ToneVoice(), ToneVoice(marks=())):
        chunks = spoken(text, voice, visemes=True)
        assert len(voice.asked) == 5
        for kind in ("word", "phoneme", "viseme"):
            found = marks(chunks, kind)
            assert all(one.end_s <= two.start_s + 1e-9 for one, two in pairwise(found)), kind
            assert found[-1].start_s < len(sound(chunks)) / voice.rate
        assert all(len(chunk.samples) for chunk in chunks)


def test_the_lexicon_changes_what_is_said_and_not_what_is_marked() -> None:
    lexicon = Lexicon({"all": (Entry("nginx", spoken="engine ex"), Entry("gif", phonemes="dʒɪf"))})
    voice = ToneVoice()
    chunks = spoken("Our nginx sends a gif today.", voice, lexicon=lexicon)
    assert [text for text, _ in voice.asked] == ["Our engine ex sends a gif today."]
    assert " ".join(mark.text for mark in marks(chunks)) == "Our nginx sends a gif today."


def test_phonemes_are_spread_where_an_engine_tells_none() -> None:
    sounds = marks(spoken("sheep", ToneVoice()), "phoneme")
    assert [mark.text for mark in sounds] == ["ʃ", "iː", "p"]
    assert all(mark.estimated for mark in sounds)


def test_words_are_spread_where_an_engine_tells_none() -> None:
    words = marks(spoken("One three seventeen.", ToneVoice(marks=())))
    assert [mark.text for mark in words] == ["One", "three", "seventeen."]
    assert all(mark.estimated for mark in words)


def test_words_are_aligned_where_it_can_be_done() -> None:
    def align(audio: Audio, text: str) -> tuple[Mark, ...]:
        assert text == "One three."
        assert audio.duration_s == pytest.approx(2 * WORD_S + GAP_S, abs=0.1)
        return (Mark("word", "One", 0.1, 0.2), Mark("word", "three.", 0.3, 0.4))

    words = marks(spoken("One three.", ToneVoice(marks=()), align=align))
    assert [(mark.start_s, mark.estimated) for mark in words] == [(0.1, True), (0.3, True)]


def test_an_alignment_that_fails_is_done_without() -> None:
    def align(audio: Audio, text: str) -> tuple[Mark, ...]:
        raise EngineFailed("ears", "deaf")

    assert len(marks(spoken("One three.", ToneVoice(marks=()), align=align))) == 2


@pytest.mark.parametrize("pieces", [1, 2, 7])
def test_an_engine_may_give_a_sentence_in_pieces(pieces: int) -> None:
    voice = ToneVoice(pieces=pieces)
    chunks = spoken(LONG, voice)
    assert len(marks(chunks)) == len(LONG.split())
    assert voice.closed == len(voice.asked)


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_text_in_pieces_is_the_same_speech(size: int) -> None:
    parts = [LONG[at : at + size] for at in range(0, len(LONG), size)]
    assert np.array_equal(sound(spoken(parts, ToneVoice())), sound(spoken(LONG, ToneVoice())))


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_markup_in_pieces_is_markup(size: int) -> None:
    text = " <speak>one <break time='800ms'/> two<!-- a long comment that is not spoken --></speak>"
    voice = ToneVoice()
    chunks = spoken([text[at : at + size] for at in range(0, len(text), size)], voice, max_characters=20)
    assert [mark.text for mark in marks(chunks)] == ["one", "two"]
    assert np.array_equal(sound(chunks), sound(spoken(text, ToneVoice())))


def test_a_sentence_is_spoken_while_the_next_is_being_written() -> None:
    heard = threading.Event()

    def writing() -> Iterator[str]:
        yield "The first sentence is here. And the"
        assert heard.wait(30)
        yield " second."

    chunks = []
    for chunk in speak(writing(), plan(ToneVoice()), CancelToken()):
        chunks.append(chunk)
        if any(mark.text == "first" for mark in chunk.marks):
            heard.set()
    assert marks(chunks)[-1].text == "second."


def test_who_writes_may_fail() -> None:
    def writing() -> Iterator[str]:
        yield "One. Two. "
        raise EngineFailed("writer", "out of ink")

    with pytest.raises(EngineFailed, match="ink"):
        spoken(writing(), ToneVoice())


def test_a_slow_engine_is_given_clauses() -> None:
    """Five times as slow as it speaks: what follows the first sentence is cut, and all of it is said."""
    voice, clock = ToneVoice(), [0.0]
    text = "One two three four. " + "This is a clause that is long enough, " * 4 + "and this the end."

    def slow(asked: str, options: SynthesizeOptions) -> Iterator[SpeechChunk]:
        clock[0] += 0.2 * len(asked)
        yield from voice.synthesize(asked, options)

    made = replace(plan(voice), synthesize=slow, clock=lambda: clock[0])
    chunks = list(speak(text, made, CancelToken()))
    assert " ".join(mark.text for mark in marks(chunks)) == text
    assert len(voice.asked) == 5


def test_no_more_is_made_than_is_needed_soon() -> None:
    voice = ToneVoice()
    speech = speak("One two three four. " * 500, plan(voice, ahead_s=3.0), CancelToken())
    next(speech)
    for _ in range(20):
        next(speech)
    assert len(voice.asked) < 40
    speech.close()


def test_leaving_stops_the_engine_and_sets_the_flag() -> None:
    voice, cancel = ToneVoice(), CancelToken()
    speech = speak("One two three four. " * 500, plan(voice), cancel)
    next(speech)
    speech.close()
    assert cancel.cancelled
    assert voice.closed == len(voice.asked) < 100


def test_cancelling_stops_an_engine_in_the_midst() -> None:
    cancel, begun = CancelToken(), threading.Event()

    def endless(text: str, options: SynthesizeOptions) -> Iterator[SpeechChunk]:
        while True:
            begun.set()
            cancel.check()
            yield SpeechChunk(np.zeros(16, np.float32), 16_000)

    threading.Thread(target=lambda: begun.wait(30) and cancel.cancel(), daemon=True).start()
    with pytest.raises(Cancelled):
        list(speak("One. Two.", replace(plan(ToneVoice()), synthesize=endless), cancel))


def test_cancelling_leaves_a_text_that_never_ends() -> None:
    cancel, waiting, never = CancelToken(), threading.Event(), threading.Event()

    def writing() -> Iterator[str]:
        yield "One. Two. "
        waiting.set()
        never.wait(60)

    threading.Thread(target=lambda: waiting.wait(30) and cancel.cancel(), daemon=True).start()
    with pytest.raises(Cancelled):
        list(speak(writing(), plan(ToneVoice()), cancel))
    never.set()


def test_an_engine_that_fails_later_is_told_after_what_was_said() -> None:
    voice = ToneVoice()

    def failing(text: str, options: SynthesizeOptions) -> Iterator[SpeechChunk]:
        if voice.asked:
            raise EngineFailed("tone", "out of breath")
        yield from voice.synthesize(text, options)

    speech = speak("One two three. Four five six.", replace(plan(voice), synthesize=failing), CancelToken())
    assert next(speech).marks
    with pytest.raises(EngineFailed, match="breath"):
        list(speech)


@pytest.mark.parametrize("text", ["", " ", "\n\n", "... — !?", "<speak/>", "<speak> </speak>", "\0\x1b\x7f"])
def test_nothing_to_say(text: str) -> None:
    with pytest.raises(NothingToSay):
        speak(text, plan(ToneVoice()), CancelToken())
    with pytest.raises(NothingToSay):
        spoken([text], ToneVoice(), ssml=text.startswith("<"))


def test_a_text_that_is_too_long() -> None:
    with pytest.raises(TextTooLong):
        speak("a" * 101, plan(ToneVoice(), max_characters=100), CancelToken())
    with pytest.raises(TextTooLong):
        spoken(["word " * 10] * 10, ToneVoice(), max_characters=100)
    with pytest.raises(TextTooLong):
        speak(f"<speak>{'a' * 101}</speak>", plan(ToneVoice(), max_characters=100), CancelToken())
    with pytest.raises(TextTooLong):
        speak(f"<speak>a{'<p></p>' * 200}</speak>", plan(ToneVoice(), max_characters=100), CancelToken())


def test_broken_ssml_is_told_before_anything_is_spoken() -> None:
    with pytest.raises(BadSsml, match="line 2"):
        speak("<speak>one\n<wrong>two</wrong></speak>", plan(ToneVoice()), CancelToken())
    with pytest.raises(BadSsml):
        speak("no markup at all", plan(ToneVoice(), ssml=True), CancelToken())
