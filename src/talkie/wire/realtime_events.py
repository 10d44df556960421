"""What a client of OpenAI's realtime API is told: the events of a live session, as that API writes them.

Pure: `LiveEvent`s in, JSON objects out. An utterance is an `item`; of its partials only the text that will not be taken
back is told. Knows nothing of sockets. Warnings have no event of their own, for clients take unknown ones for the end:
they ride along in `completed`.
"""

from __future__ import annotations

import math
import secrets
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from talkie.types import (
    LiveEvent,
    LiveFinal,
    LiveNotice,
    LivePartial,
    Notice,
    SpeechStarted,
    SpeechStopped,
    Transcript,
    Word,
)
from talkie.wire.openai import ErrorWords
from talkie.wire.realtime_session import LOGPROBS, SEGMENTS, WORDS, RealtimeSession

Json: TypeAlias = dict[str, Any]

ITEM = "conversation.item."
HEARD = "conversation.item.input_audio_transcription."
BUFFER = "input_audio_buffer."
MAX_NOTICES = 16
MAX_ORDERS = 1000
SURELY_BEFORE_S = 0.05
"""An utterance is noticed after longer than this, and resampling shifts time by less."""
LOWEST_LOGPROB = -100.0


def new_id(kind: str) -> str:
    return f"{kind}_{secrets.token_hex(10)}"


@dataclass(slots=True)
class _Item:
    """One utterance, and what was told of it."""

    id: str
    start_s: float | None = None
    announced: bool = False
    committed: bool = False
    forgotten: bool = False
    text: str = ""


class Telling:
    """One connection. `session` is the one in force, `older`: the client speaks the older names."""

    def __init__(
        self, session: RealtimeSession, *, older: bool = False, make_id: Callable[[str], str] = new_id
    ) -> None:
        self.session, self.older = session, older
        self._make_id = make_id
        self._items: dict[int, _Item] = {}
        self._last_item: str | None = None
        self._orders: deque[tuple[str, float]] = deque(maxlen=MAX_ORDERS)
        self._notices: list[Notice] = []
        self.ended_s = 0.0
        """Session time up to which sound was committed or forgotten."""

    # -- answers -----------------------------------------------------------------------------------------------------

    def shown(self, name: str) -> Json:
        """The session, by an event of this name: `session.created`, `session.updated`, or the older ones."""
        older = name.startswith("transcription_")
        return self._event(name, session=self.session.older_view() if older else self.session.view())

    def cleared(self) -> Json:
        return self._event(BUFFER + "cleared")

    def error(self, words: ErrorWords, event_id: str | None = None) -> Json:
        return self._event("error", error={**words.body()["error"], "event_id": event_id})

    def failed(self, words: ErrorWords) -> Iterator[Json]:
        """For every utterance that was committed and will get no text."""
        error = words.body()["error"]
        for item in self._items.values():
            if item.committed and not item.forgotten:
                yield self._event(HEARD + "failed", item_id=item.id, content_index=0, error=error)
        self._items.clear()

    # -- what the client did -----------------------------------------------------------------------------------------

    def commits(self, at_s: float) -> None:
        self._orders.append(("commit", at_s))
        self.ended_s = at_s

    def clears(self, at_s: float) -> None:
        if not self._orders or self._orders[-1] != ("clear", at_s):
            self._orders.append(("clear", at_s))
        self.ended_s = at_s

    # -- what was heard ----------------------------------------------------------------------------------------------

    def tell(self, event: LiveEvent) -> Iterator[Json]:
        """What the client is told of it, in order; nothing where the protocol has no word for it."""
        if isinstance(event, SpeechStarted):
            yield from self._started(event)
        elif isinstance(event, LivePartial):
            yield from self._partial(event)
        elif isinstance(event, SpeechStopped):
            yield from self._stopped(event)
        elif isinstance(event, LiveFinal):
            yield from self._final(event)
        elif isinstance(event, LiveNotice) and len(self._notices) < MAX_NOTICES:
            self._notices.append(event.notice)

    def _started(self, event: SpeechStarted) -> Iterator[Json]:
        item = _Item(self._make_id("item"), event.at_s, announced=self.session.turns is not None)
        self._items[event.utterance] = item
        if item.announced:
            yield self._event(BUFFER + "speech_started", audio_start_ms=_ms(event.at_s), item_id=item.id)

    def _partial(self, event: LivePartial) -> Iterator[Json]:
        item = self._item(event.utterance)
        if event.committed.startswith(item.text):
            yield from self._delta(item, event.committed)

    def _delta(self, item: _Item, text: str) -> Iterator[Json]:
        more, item.text = text[len(item.text) :], text
        if more:
            yield self._event(HEARD + "delta", item_id=item.id, content_index=0, delta=more)

    def _stopped(self, event: SpeechStopped) -> Iterator[Json]:
        item = self._item(event.utterance)
        item.forgotten = event.by_client and self._was_cleared(item)
        if item.announced and (item.forgotten or not event.by_client):
            yield self._event(BUFFER + "speech_stopped", audio_end_ms=_ms(event.at_s), item_id=item.id)
        if item.forgotten:
            return
        item.committed = True
        self.ended_s = max(self.ended_s, event.at_s)
        before, self._last_item = self._last_item, item.id
        yield self._event(BUFFER + "committed", item_id=item.id, previous_item_id=before)
        for name in ("created",) if self.older else ("added", "done"):
            yield self._event(ITEM + name, previous_item_id=before, item=_message(item.id))

    def _was_cleared(self, item: _Item) -> bool:
        """Was it a `clear` that ended it, not a `commit`? One that found nothing to forget has ended nothing."""
        while self._orders:
            order, at_s = self._orders.popleft()
            if order == "commit":
                return False
            if item.start_s is not None and item.start_s < at_s - SURELY_BEFORE_S:
                return True
        return False

    def _final(self, event: LiveFinal) -> Iterator[Json]:
        item = self._item(event.utterance)
        del self._items[event.utterance]
        if item.forgotten:
            return
        heard = event.transcript
        if heard.text.startswith(item.text):
            yield from self._delta(item, heard.text)
        if SEGMENTS in self.session.include:
            yield from self._segments(item, heard)
        notices, self._notices = [*self._notices, *heard.notices], []
        yield self._event(
            HEARD + "completed",
            item_id=item.id,
            content_index=0,
            transcript=heard.text,
            usage={"type": "duration", "seconds": _s(event.span.duration_s)},
            logprobs=[_logprob(word) for word in heard.words] if LOGPROBS in self.session.include else None,
            **({"languages": [{"code": heard.language}]} if heard.language else {}),
            **({"words": [_word(word) for word in heard.words]} if WORDS in self.session.include else {}),
            **({"warnings": [{"code": note.code, "message": note.message} for note in notices]} if notices else {}),
        )

    def _segments(self, item: _Item, heard: Transcript) -> Iterator[Json]:
        for segment in heard.segments:
            times = {"start": _s(segment.start_s), "end": _s(segment.end_s)}
            name = self._make_id("seg")
            about = {"id": name, "item_id": item.id, "content_index": 0, "speaker": ""}
            yield self._event(HEARD + "segment", **about, text=segment.text.strip(), **times)

    def _item(self, utterance: int) -> _Item:
        if utterance not in self._items:
            self._items[utterance] = _Item(self._make_id("item"))
        return self._items[utterance]

    def _event(self, name: str, **fields: Any) -> Json:
        return {"type": name, "event_id": self._make_id("event"), **fields}


def _message(item_id: str) -> Json:
    content = [{"type": "input_audio", "transcript": None}]
    return {
        "id": item_id,
        "object": "realtime.item",
        "type": "message",
        "status": "completed",
        "role": "user",
        "content": content,
    }


def _logprob(word: Word) -> Json:
    """Of a word, for tokens are not told: what stands before it belongs to it."""
    token = " " + word.text
    logprob = math.log(word.probability) if word.probability > 0 else LOWEST_LOGPROB
    return {"token": token, "bytes": list(token.encode("utf-8", "replace")), "logprob": round(logprob, 6)}


def _word(word: Word) -> Json:
    times = {"start": _s(word.start_s), "end": _s(word.end_s)}
    return {"word": word.text, **times, "probability": round(word.probability, 6)}


def _s(seconds: float) -> float:
    return round(float(seconds), 3)


def _ms(seconds: float) -> int:
    return max(0, round(seconds * 1000))
