"""What a client of the realtime API is told: every event of ours is one of OpenAI's, by their own package's types."""

from __future__ import annotations

import itertools
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.beta.realtime import TranscriptionSessionUpdatedEvent
from openai.types.realtime import (
    RealtimeServerEvent,
    SessionCreatedEvent,
    SessionUpdatedEvent,
)
from pydantic import BaseModel

from talkie.errors import EngineFailed
from talkie.transports.http.errors import words_of
from talkie.types import (
    LiveEvent,
    LiveFinal,
    LiveNotice,
    LivePartial,
    Notice,
    Segment,
    Span,
    SpeechStarted,
    SpeechStopped,
    Transcript,
    Word,
)
from talkie.wire.openai import to_json
from talkie.wire.realtime_events import Telling
from talkie.wire.realtime_session import LOGPROBS, SEGMENTS, WORDS, RealtimeSession, Turns

HEARD = "conversation.item.input_audio_transcription."
MODELS: dict[str, type[BaseModel]] = {
    get_args(model.model_fields["type"].annotation)[0]: model for model in get_args(get_args(RealtimeServerEvent)[0])
}
USUAL = Turns()
FAILED = words_of(EngineFailed("fake", "it broke"))


def telling(*, turns: Turns | None = USUAL, older: bool = False, include: tuple[str, ...] = ()) -> Telling:
    numbers: dict[str, itertools.count[int]] = {}

    def make_id(kind: str) -> str:
        return f"{kind}_{next(numbers.setdefault(kind, itertools.count()))}"

    return Telling(RealtimeSession("sess_1", turns=turns, include=include), older=older, make_id=make_id)


def final(text: str, utterance: int = 0, notices: tuple[Notice, ...] = ()) -> LiveFinal:
    words = tuple(Word(word, 0.5 + place, 1.0 + place, 0.5) for place, word in enumerate(text.split()))
    segments = (Segment(text, 0.5, 2.0, words),) if text else ()
    return LiveFinal(utterance, Span(0.5, 2.0), Transcript(segments, "en" if text else "", 1.0, 1.5, notices=notices))


def spoken(text: str, utterance: int = 0, by_client: bool = False) -> list[LiveEvent]:
    """The events of one utterance whose first word is committed while it is spoken."""
    first, _, rest = text.partition(" ")
    return [
        SpeechStarted(utterance, 0.5),
        LivePartial(utterance, 0.5, 1.0, "", first, "en"),
        LivePartial(utterance, 0.5, 1.5, first, rest, "en"),
        SpeechStopped(utterance, 2.0, by_client),
        final(text, utterance),
    ]


def told(by: Telling, *events: LiveEvent) -> list[dict[str, Any]]:
    said = [said for event in events for said in by.tell(event)]
    for event in said:
        check(event)
    return said


def check(event: dict[str, Any]) -> None:
    """It is an event of OpenAI's, strictly, and can be written."""
    MODELS[event["type"]].model_validate(event, strict=True)
    assert event["event_id"] and b"NaN" not in to_json(event)


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("conversation.item.").removeprefix("input_audio_") for event in events]


def test_an_utterance_that_the_server_ends() -> None:
    said = told(telling(), *spoken("hello there"))
    assert kinds(said) == [
        "buffer.speech_started",
        "transcription.delta",
        "buffer.speech_stopped",
        "buffer.committed",
        "added",
        "done",
        "transcription.delta",
        "transcription.completed",
    ]
    assert said[0]["audio_start_ms"] == 500 and said[2]["audio_end_ms"] == 2000
    assert [event["delta"] for event in said if event["type"] == HEARD + "delta"] == ["hello", " there"]
    assert {event.get("item_id", "item_0") for event in said} == {"item_0"}
    assert said[4]["item"]["id"] == said[5]["item"]["id"] == "item_0"
    last = said[-1]
    assert last["transcript"] == "hello there" and last["usage"] == {"type": "duration", "seconds": 1.5}
    assert last["languages"] == [{"code": "en"}] and last["logprobs"] is None and "words" not in last
    assert len({event["event_id"] for event in said}) == len(said)


def test_an_utterance_that_the_client_ends() -> None:
    by = telling(turns=None)
    by.commits(2.0)
    said = told(by, *spoken("hello there", by_client=True))
    assert kinds(said) == [
        "transcription.delta",
        "buffer.committed",
        "added",
        "done",
        "transcription.delta",
        "transcription.completed",
    ]


def test_a_commit_while_the_server_listens_for_turns() -> None:
    by = telling()
    by.commits(2.0)
    assert "buffer.speech_stopped" not in kinds(told(by, *spoken("hello", by_client=True)))


def test_the_older_names() -> None:
    said = kinds(told(telling(older=True), *spoken("hello")))
    assert "created" in said and "added" not in said and "done" not in said


def test_items_follow_one_another() -> None:
    by = telling()
    said = told(by, *spoken("one"), *spoken("two", 1))
    assert [event["previous_item_id"] for event in said if event["type"].endswith(".committed")] == [None, "item_0"]


def test_the_next_utterance_may_begin_before_the_last_text() -> None:
    first, second = spoken("one"), spoken("two", 1)
    said = told(telling(), *first[:4], *second[:4], first[4], second[4])
    assert [(e["item_id"], e["transcript"]) for e in said if e["type"] == HEARD + "completed"] == [
        ("item_0", "one"),
        ("item_1", "two"),
    ]


def test_what_was_told_and_not_said_is_put_right_by_the_last_word() -> None:
    """The final pass may hear otherwise than the partials did: then only `completed` tells it."""
    said = told(telling(), *spoken("hello there")[:4], final("Hallo there"))
    assert [event["delta"] for event in said if event["type"] == HEARD + "delta"] == ["hello"]
    assert said[-1]["transcript"] == "Hallo there"


def test_sound_without_a_word_is_answered_too() -> None:
    by = telling(turns=None)
    by.commits(3.0)
    silence = Span(3.0, 3.0)
    said = told(by, SpeechStopped(0, 3.0, True), LiveFinal(0, silence, Transcript()))
    assert kinds(said) == ["buffer.committed", "added", "done", "transcription.completed"]
    assert said[-1]["transcript"] == "" and said[-1]["usage"]["seconds"] == 0 and "languages" not in said[-1]


def test_what_was_cleared_is_no_item() -> None:
    by = telling()
    began = told(by, *spoken("hello there")[:3])
    by.clears(2.0)
    check(by.cleared())
    said = told(by, SpeechStopped(0, 2.0, True), final(""))
    assert kinds(began) == ["buffer.speech_started", "transcription.delta"]
    assert kinds(said) == ["buffer.speech_stopped"], "who was told of a beginning is told of the end"
    assert list(by.failed(FAILED)) == []
    then = told(by, *spoken("more", 1))
    assert next(event for event in then if event["type"].endswith("committed"))["previous_item_id"] is None


def test_a_clear_that_found_nothing_takes_nothing_away() -> None:
    by = telling(turns=None)
    by.clears(0.2)
    by.clears(0.2)
    by.commits(2.0)
    said = told(by, *spoken("hello", by_client=True))
    assert "buffer.committed" in kinds(said) and said[-1]["transcript"] == "hello"
    by.clears(3.0)
    by.commits(4.0)
    silence = told(by, SpeechStopped(1, 4.0, True), LiveFinal(1, Span(4.0, 4.0), Transcript()))
    assert kinds(silence)[0] == "buffer.committed"


def test_log_probabilities_and_words_are_told_when_asked_for() -> None:
    said = told(telling(include=(LOGPROBS, WORDS)), *spoken("hello there"))
    assert said[-1]["logprobs"][1] == {"token": " there", "bytes": list(b" there"), "logprob": -0.693147}
    assert said[-1]["words"][0] == {"word": "hello", "start": 0.5, "end": 1.0, "probability": 0.5}


def test_segments_are_told_when_asked_for() -> None:
    said = told(telling(include=(SEGMENTS,)), *spoken("hello there"))
    assert kinds(said)[-2:] == ["transcription.segment", "transcription.completed"]
    assert (said[-2]["start"], said[-2]["end"], said[-2]["text"]) == (0.5, 2.0, "hello there")


def test_warnings_ride_along_and_are_never_errors() -> None:
    by = telling()
    assert told(by, LiveNotice(Notice("partials_paused", "Busy."))) == []
    said = told(by, *spoken("hello")[:4], final("hello", notices=(Notice("other", "More."),)))
    assert [warning["code"] for warning in said[-1]["warnings"]] == ["partials_paused", "other"]
    assert "warnings" not in told(by, *spoken("more", 1))[-1]


def test_notices_without_end_are_kept_within_bounds() -> None:
    by = telling()
    for number in range(100):
        told(by, LiveNotice(Notice(f"n{number}", "x")))
    assert len(told(by, *spoken("hello"))[-1]["warnings"]) <= 16


def test_what_fails_is_told_of_each_utterance_that_waits() -> None:
    by = telling()
    told(by, *spoken("one")[:4], *spoken("two", 1)[:4], *spoken("three", 2)[:2])
    failed = list(by.failed(FAILED))
    for event in failed:
        check(event)
    assert [event["item_id"] for event in failed] == ["item_0", "item_1"]
    assert failed[0]["error"]["code"] == "engine_failed"


def test_an_error_carries_the_clients_own_id() -> None:
    event = telling().error(FAILED, "mine")
    check(event)
    assert event["error"]["event_id"] == "mine" and event["error"]["hint"]
    check(telling().error(FAILED))


@pytest.mark.parametrize("turns", [None, Turns(), Turns(eagerness="low")])
def test_the_session_is_shown_by_every_name(turns: Turns | None) -> None:
    by = telling(turns=turns, include=(LOGPROBS,))
    SessionCreatedEvent.model_validate(by.shown("session.created"), strict=True)
    SessionUpdatedEvent.model_validate(by.shown("session.updated"), strict=True)
    older = by.shown("transcription_session.updated")
    secret = {"expires_at": 0, "value": "never sent on a socket"}
    older["session"]["client_secret"] = secret
    older["session"]["input_audio_transcription"]["model"] = "whisper-1"  # the package lists OpenAI's own only
    TranscriptionSessionUpdatedEvent.model_validate(older, strict=True)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(["say", "pause", "text", "commit", "clear", "notice"]), max_size=40), st.booleans())
def test_any_order_of_what_happens_makes_events_of_theirs(steps: list[str], manual: bool) -> None:
    """A model of a session: each utterance is committed once and completed once, or it was cleared."""
    by = telling(turns=None if manual else Turns())
    said: list[dict[str, Any]] = []
    utterance, speaking, now, waiting = 0, False, 0.0, list[LiveEvent]()
    for step in steps:
        now += 1.0
        if step == "say" and not speaking:
            speaking = True
            said += told(by, SpeechStarted(utterance, now - 0.5))
        elif step == "text" and speaking:
            said += told(by, LivePartial(utterance, now - 0.5, now, "hello", "there"))
        elif step == "commit" or (step == "pause" and speaking and not manual):
            by_client = step == "commit"
            if by_client:
                by.commits(now)
            said += told(by, SpeechStopped(utterance, now, by_client))
            waiting.append(final("hello there" if speaking else "", utterance))
            utterance, speaking = utterance + 1, False
        elif step == "clear":
            by.clears(now)
            if speaking:
                said += told(by, SpeechStopped(utterance, now, True))
                waiting.append(final("", utterance))
                utterance, speaking = utterance + 1, False
        elif step == "notice":
            said += told(by, LiveNotice(Notice("n", "x")))
    said += told(by, *waiting)
    committed = [event["item_id"] for event in said if event["type"].endswith(".committed")]
    completed = [event["item_id"] for event in said if event["type"] == HEARD + "completed"]
    assert committed == completed and len(set(committed)) == len(committed)
    assert not list(by.failed(FAILED)) or speaking
