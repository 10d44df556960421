"""Guesses of an engine that has them itself: it is fed in a thread of its own, and what it says is agreed upon.

Knows nothing of sessions. Such an engine takes most of a processor, and to open it may mean to wait for one of its
processes, so whoever owns an utterance must not wait for it. One that cannot keep up is given up for the utterance.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from math import isinf

import numpy as np

from talkie.audio.utterances import Utterances
from talkie.engines.base import RecognizeOptions, RecognizerStream
from talkie.errors import QueueFull, TalkieError
from talkie.pipeline.live_guesses import Telling, believable
from talkie.pipeline.live_plan import LivePlan
from talkie.types import SAMPLE_RATE_HZ, LivePartial, Samples, Span, Transcript

PIECE_S = 0.3
"""The engine is given no less at a time: each call costs something."""
BEHIND_S = 5.0
"""An engine so far behind the speaker is no use to him."""


class NativeGuesses:
    """`Guesses` by an engine's own partials. `refused` is called, by the owner's thread, where the engine has no place
    for another stream."""

    def __init__(
        self, number: int, start: int, plan: LivePlan, changed: Callable[[], None], refused: Callable[[], None]
    ) -> None:
        self._plan, self._refused = plan, refused
        self._telling = Telling(number, start / SAMPLE_RATE_HZ)
        self._start_s = start / SAMPLE_RATE_HZ
        self._given = start
        self._stream: _Stream | None = _Stream(plan, start, changed)

    def hear(self, utterances: Utterances) -> None:
        new = utterances.judged - self._given
        if self._stream is None or new < PIECE_S * SAMPLE_RATE_HZ:
            return
        if isinf(self._plan.partial_every_s()) or self._stream.behind_s > BEHIND_S:
            self.close()
            return
        start = max(self._given, utterances.open_from or 0)
        self._stream.give(utterances.read(start, utterances.judged))
        self._given = utterances.judged

    def collect(self) -> LivePartial | None:
        stream = self._stream
        if stream is None:
            return None
        if stream.is_refused:
            self.close()
            self._refused()
            return None
        guess = stream.take()
        if guess is None:
            return None
        text, until_s = guess
        self._telling.agreement.hear(text)
        language = self._plan.options.language or self._plan.info.languages[0]
        return self._telling.partial(until_s, language)

    def go_on(self, sample: int) -> int:
        """The engine's own text goes on too."""
        return 0

    def close(self) -> int:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
        return 0


class _Stream:
    """The engine's stream and its thread, which ends soon after `close`. Only the newest guess is kept."""

    def __init__(self, plan: LivePlan, start: int, changed: Callable[[], None]) -> None:
        self._plan, self._changed = plan, changed
        self._start_s = self._until_s = start / SAMPLE_RATE_HZ
        self._news = threading.Condition()
        self._waiting: list[Samples] = []
        self._guess: tuple[str, float] | None = None
        self._settled = self._last = ""
        self._closed = False
        self.is_refused = False
        threading.Thread(target=self._run, name="talkie-native", daemon=True).start()

    @property
    def behind_s(self) -> float:
        return sum(map(len, self._waiting)) / SAMPLE_RATE_HZ

    def give(self, samples: Samples) -> None:
        with self._news:
            self._waiting.append(samples)
            self._news.notify_all()

    def take(self) -> tuple[str, float] | None:
        """The newest guess and the time up to which it heard."""
        with self._news:
            guess, self._guess = self._guess, None
        return guess

    def close(self) -> None:
        with self._news:
            self._closed = True
            self._waiting.clear()
            self._news.notify_all()

    def _run(self) -> None:
        stream = None
        try:
            stream = self._open()
            while (samples := self._next()) is not None:
                self._feed(stream, samples)
        except QueueFull:
            self.is_refused = True
            self._changed()
        except TalkieError:  # no more guesses at this utterance; what is wrong for good is told by its final
            pass
        finally:
            if stream is not None:
                stream.close()

    def _open(self) -> RecognizerStream:
        assert self._plan.native is not None
        options = self._plan.options
        wanted = RecognizeOptions(language=options.language, prompt=options.prompt, hotwords=options.hotwords)
        return self._plan.native(wanted)

    def _next(self) -> Samples | None:
        with self._news:
            self._news.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return None
            waiting, self._waiting = self._waiting, []
        return np.concatenate(waiting)

    def _feed(self, stream: RecognizerStream, samples: Samples) -> None:
        partial = stream.feed(samples)
        self._until_s += len(samples) / SAMPLE_RATE_HZ
        if partial is None:  # the same as before, and of more sound: that is agreement
            text = self._last
        else:
            segment = partial.segment
            heard = Transcript((segment,), self._plan.options.language or "")
            if not believable(heard, Span(self._start_s, self._until_s), self._plan):
                return
            text = f"{self._settled} {segment.text}".strip()
            if partial.final:
                self._settled = text
        self._last = text
        with self._news:
            self._guess = (text, self._until_s)
        self._changed()
