"""The same arithmetic for every server: words that were said are found in what can be read, and when."""

from __future__ import annotations

import json

import numpy as np
import pytest

from talkie.bench.live_client import Log
from talkie.bench.live_dialects import Listen, WhisperLive, WhisperStreaming
from talkie.bench.live_events import Seen
from talkie.bench.live_sound import Cut, Said
from talkie.bench.live_views import places, together, view_delays, views
from talkie.types import Span

CUT = Cut(
    np.zeros(16_000 * 10, np.int16),
    (Said("one two", Span(1.0, 2.0)), Said("two three", Span(4.0, 5.0))),
    np.zeros(312, np.float32),
)


def partial(at_s: float, text: str, utterance: int = 0) -> Seen:
    return Seen(at_s, "partial", utterance, text)


def final(at_s: float, text: str, utterance: int = 0) -> Seen:
    return Seen(at_s, "final", utterance, text)


def test_what_can_be_read_is_what_is_certain_and_the_newest_guess() -> None:
    log = Log([
        Seen(0, "ready"), partial(1, "on"), partial(2, "one tw"), final(3, "one two"), partial(4, "tw", 1),
        final(5, "two three", 1), Seen(6, "done"),
    ])  # fmt: skip
    assert [(one.certain, one.shown) for one in views(log)] == [
        ("", "on"), ("", "one tw"), ("one two", "one two"), ("one two", "one two tw"),
        ("one two two three", "one two two three"),
    ]  # fmt: skip


def test_words_lie_in_their_recordings_by_their_length() -> None:
    assert [(one.word, one.recording) for one in places(CUT)] == [("1", 0), ("2", 0), ("2", 1), ("3", 1)]
    spoken = Cut(CUT.samples, (Said("a house", Span(1.0, 2.0)),), CUT.probabilities)
    assert [(one.start_s, one.end_s) for one in places(spoken)] == [
        (1.0, pytest.approx(7 / 6)), (pytest.approx(7 / 6), 2.0),
    ]  # fmt: skip


def test_delays_of_each_recording() -> None:
    log = Log([
        partial(1.6, "one"), partial(2.1, "one two"), final(2.9, "one two"), partial(4.9, "two", 1),
        final(6.0, "two three", 1),
    ])  # fmt: skip
    found = view_delays(CUT, log)
    assert found.first_partial == pytest.approx([1.6 - 1.0, 4.9 - 4.0])
    assert found.final == pytest.approx([2.9 - 2.0, 6.0 - 5.0])
    assert found.emission == pytest.approx([1.6 - 1.5, 2.1 - 2.0, 4.9 - 4.5, 6.0 - 5.0])
    assert (found.wer.rate, found.utterances, found.unanswered) == (0.0, 2, 0)


def test_a_word_cannot_be_read_before_it_is_said() -> None:
    """The second "two" is not taken for the first one's."""
    found = view_delays(CUT, Log([partial(2.5, "two"), final(3.0, "one two"), final(5.5, "two three", 1)]))
    assert found.first_partial == pytest.approx([2.5 - 1.0, 5.5 - 4.0])


def test_a_last_word_that_was_misheard_has_no_final_but_is_an_answer() -> None:
    found = view_delays(CUT, Log([final(3.0, "one too many"), final(6.0, "three", 1)]))
    assert (len(found.final), found.utterances, found.unanswered) == (1, 1, 0)
    assert found.final == pytest.approx([6.0 - 5.0])
    assert view_delays(CUT, Log([partial(3.0, "one two")])).unanswered == 2
    assert together([CUT, CUT], [Log(), Log()]).unanswered == 4


def test_whisper_live_tells_segments_again_and_again() -> None:
    dialect = WhisperLive()
    assert json.loads(dialect.hello("/models/tiny", "en") or "")["model"] == "/models/tiny"
    assert dialect.url("http://127.0.0.1:9", "x", "en") == "ws://127.0.0.1:9"
    rows = [
        {"start": "0.500", "end": "1.500", "text": " one", "completed": True},
        {"start": "1.500", "end": "2.000", "text": " two", "completed": False},
    ]
    found = list(dialect.read(json.dumps({"uid": "bench", "segments": rows}), 3.0))
    assert found == [Seen(3.0, "final", 500, "one", Span(0.5, 1.5)), Seen(3.0, "partial", 1500, "two", Span(1.5, 2.0))]
    assert [one.kind for one in dialect.read('{"uid": "bench", "message": "SERVER_READY"}', 0.0)] == ["ready"]
    assert [one.text for one in dialect.read('{"uid": "bench", "status": "WAIT"}', 0.0)] == ["WAIT"]
    assert dialect.end() == b"END_OF_AUDIO"


def test_whisper_streaming_tells_what_is_certain() -> None:
    found = [one for row in ('{"type": "ready"}', '{"start": 1, "end": 2, "text": " one"}', '{"type": "done"}')
             for one in WhisperStreaming().read(row, 1.0)]  # fmt: skip
    assert [(one.kind, one.text) for one in found] == [("ready", ""), ("final", "one"), ("done", "")]


def test_our_own_door_is_asked_for_the_model() -> None:
    url = Listen().url("https://talk.example:8443/", "tiny", "en")
    assert url.startswith("wss://talk.example:8443/v1/listen?")
    assert "model=tiny" in url and "client=bench" in url
