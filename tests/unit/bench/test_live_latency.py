"""From messages with their times to delays: each from the moment it must count from."""

from __future__ import annotations

import numpy as np
import pytest

from talkie.bench.live_client import Log
from talkie.bench.live_events import Seen, seen
from talkie.bench.live_latency import delays, emission, spread, together
from talkie.bench.live_sound import WINDOW_S, Cut, Said, speech_in
from talkie.types import Span, Word


def cut(*speech: tuple[float, float], texts: tuple[str, ...] = ("one two three",), seconds: float = 10.0) -> Cut:
    """Speech where it is said to be, and nothing else."""
    probabilities = np.zeros(round(seconds / WINDOW_S), np.float32)
    for start_s, end_s in speech:
        probabilities[round(start_s / WINDOW_S) : round(end_s / WINDOW_S)] = 0.9
    said = tuple(Said(text, Span(*span)) for text, span in zip(texts, speech, strict=True))
    return Cut(np.zeros(round(seconds * 16_000), np.int16), said, probabilities)


def final(at_s: float, start_s: float, end_s: float, text: str, utterance: int = 0) -> Seen:
    words = text.split()
    step_s = (end_s - start_s) / max(1, len(words))
    timed = tuple(Word(w, start_s + n * step_s, start_s + (n + 1) * step_s) for n, w in enumerate(words))
    return Seen(at_s, "final", utterance, text, Span(start_s, end_s), timed)


def test_each_delay_counts_from_its_own_moment() -> None:
    log = Log([
        Seen(0.0, "ready", text="fake"),
        Seen(1.6, "partial", 0, "", Span(0.7, 1.5)),
        Seen(2.0, "partial", 0, "one", Span(0.7, 1.9)),
        Seen(3.0, "partial", 0, "one two", Span(0.7, 2.9)),
        final(4.8, 0.64, 4.3, "one two three"),
    ])  # fmt: skip
    found = delays(cut((0.96, 3.968)), log)
    assert found.first_partial == [pytest.approx(2.0 - 0.96)]  # the empty one is no text
    assert found.final == [pytest.approx(4.8 - 3.968)]
    assert found.emission == pytest.approx([2.0 - 1.86, 3.0 - 3.08, 4.8 - 4.3])
    assert (found.wer.rate, found.utterances, found.without_partial, found.unanswered) == (0.0, 1, 0, 0)


def test_without_a_partial_the_final_is_the_first_text() -> None:
    found = delays(cut((0.96, 3.968)), Log([final(4.8, 0.64, 4.3, "one two three")]))
    assert found.first_partial == [pytest.approx(4.8 - 0.96)]
    assert found.without_partial == 1


def test_partials_of_another_utterance_do_not_count() -> None:
    spoken = cut((0.96, 1.92), (3.84, 4.8), texts=("one", "two"))
    log = Log([
        final(2.6, 0.7, 2.2, "one"),
        Seen(4.5, "partial", 1, "two", Span(3.5, 4.4)),
        final(5.5, 3.5, 5.1, "two", utterance=1),
    ])  # fmt: skip
    found = delays(spoken, log)
    assert found.first_partial == pytest.approx([2.6 - 0.96, 4.5 - 3.84])
    assert found.final == pytest.approx([2.6 - 1.92, 5.5 - 4.8])


def test_what_nobody_answered_is_counted_and_is_wrong() -> None:
    spoken = cut((0.96, 1.92), (3.84, 4.8), texts=("one", "two"))
    found = delays(spoken, Log([final(2.6, 0.7, 2.2, "one")]))
    assert (found.unanswered, found.utterances) == (1, 1)
    assert found.wer.deletions == 1


def test_text_where_nobody_spoke_is_no_delay_but_is_wrong() -> None:
    found = delays(cut((0.96, 1.92), texts=("one",)), Log([final(9.0, 7.0, 8.0, "thank you")]))
    assert (found.utterances, found.final, found.unanswered) == (0, [], 1)
    assert found.wer.errors == 2


def test_a_word_misheard_at_first_does_not_hide_those_after_it() -> None:
    said = final(9.0, 0.0, 3.0, "One, two three.")
    partials = [Seen(1.0, "partial", 0, "fun"), Seen(2.0, "partial", 0, "fun two three")]
    assert emission(said, partials, "en") == pytest.approx([9.0 - 1.0, 2.0 - 2.0, 2.0 - 3.0])


def test_sessions_are_summed() -> None:
    spoken, log = cut((0.96, 3.968)), Log([final(4.8, 0.64, 4.3, "one two three")])
    found = together([spoken, spoken], [log, log])
    assert (found.utterances, found.wer.words, len(found.emission)) == (2, 6, 6)


def test_percentiles() -> None:
    assert spread([]) is None
    found = spread([0.1 * number for number in range(101)])
    assert found is not None
    assert (found.p50, found.p95, found.p99, found.count) == (
        pytest.approx(5.0), pytest.approx(9.5), pytest.approx(9.9), 101,
    )  # fmt: skip


def test_speech_is_from_the_first_loud_window_to_the_last() -> None:
    probabilities = np.array([0, 0, 0.6, 0.1, 0.5, 0.2, 0.9], np.float32)
    assert speech_in(probabilities, Span(0, 6 * WINDOW_S)) == Span(2 * WINDOW_S, 5 * WINDOW_S)
    assert speech_in(probabilities, Span(0, 2 * WINDOW_S)) is None


def test_messages_of_the_door() -> None:
    assert seen('{"type": "ready", "model": "tiny"}', 0.1) == Seen(0.1, "ready", text="tiny")
    assert seen('{"type": "error", "error": {"code": "busy"}}', 1.0) == Seen(1.0, "error", text="busy")
    assert seen('{"type": "speech_started", "at": 2.5}', 3.0).span == Span(2.5, 2.5)
    assert seen('{"type": "keep_alive"}', 1.0).kind == "other"
    partial = seen('{"type": "partial", "utterance": 2, "start": 1, "end": 2, "text": "a b", "committed": "a"}', 1.0)
    assert (partial.kind, partial.utterance, partial.text, partial.span) == ("partial", 2, "a b", Span(1.0, 2.0))
    words = '[{"word": " a", "start": 1, "end": 1.5, "probability": 0.9}]'
    whole = seen(f'{{"type": "final", "utterance": 2, "start": 1, "end": 2, "text": "a", "words": {words}}}', 1.0)
    assert whole.words == (Word("a", 1.0, 1.5),)


@pytest.mark.parametrize("message", ["[]", "{", '{"type": "final"}', '{"type": "partial", "utterance": {}}'])
def test_what_is_no_message_is_an_error(message: str) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        seen(message, 0.0)
