"""An engine that is answered by hand, or knows what is said when, and a session around it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

import numpy as np

from fakes import FAKE_INFO, LoudnessDetector, heard
from talkie.engines.base import RecognizeOptions
from talkie.pipeline.live import LiveHearing, LivePlan
from talkie.types import SAMPLE_RATE_HZ, Audio, LiveEvent, LiveFinal, LivePartial, Samples, Transcript

INFO = replace(FAKE_INFO, languages=("en",))
WORD_S = 0.5


def said(audio: Audio, options: RecognizeOptions) -> Transcript:
    """Every half second holds a word that says which: `w7` is said from 3.5 to 4.0 s. Half a word is not heard."""
    first, end = int(np.ceil(audio.start_s / WORD_S - 1e-6)), int(audio.end_s / WORD_S + 1e-6)
    text = " ".join(f"w{number}" for number in range(first, end))
    return heard(audio, text) if text else Transcript(language="en")


@dataclass
class Asked:
    audio: Audio
    options: RecognizeOptions
    future: Future[Transcript] = field(default_factory=Future)

    def answer(self, transcript: Transcript | None = None) -> None:
        if self.future.set_running_or_notify_cancel():
            self.future.set_result(transcript or said(self.audio, self.options))


class HandSubmit:
    """What was asked waits until it is answered; `at_once`: it never waits."""

    def __init__(self, *, at_once: bool = False) -> None:
        self.asked: list[Asked] = []
        self.at_once = at_once

    def __call__(self, audio: Audio, options: RecognizeOptions) -> Future[Transcript]:
        self.asked.append(Asked(audio, options))
        if self.at_once:
            self.asked[-1].answer()
        return self.asked[-1].future

    @property
    def waiting(self) -> list[Asked]:
        return [one for one in self.asked if not one.future.done()]


class Session:
    """`finals` and `guesses` are what was submitted; `events` all that was told."""

    def __init__(self, *, at_once: bool = True, **changes: object) -> None:
        self.finals, self.guesses = HandSubmit(at_once=at_once), HandSubmit(at_once=at_once)
        plan = LivePlan(self.finals, self.guesses, INFO, LoudnessDetector())
        self.plan = replace(plan, **changes)  # type: ignore[arg-type]
        self.events: list[LiveEvent] = []
        self.calls = 0
        self.hearing = LiveHearing(self.plan, self._changed)

    def _changed(self) -> None:
        self.calls += 1

    def feed(self, samples: Samples, step_s: float = 0.1) -> None:
        step = round(step_s * SAMPLE_RATE_HZ)
        for at in range(0, len(samples), step):
            self.keep(self.hearing.feed(samples[at : at + step]))

    def keep(self, events: Sequence[LiveEvent]) -> None:
        self.events += events

    def collect(self) -> None:
        self.keep(self.hearing.collect())

    def finish(self) -> None:
        self.keep(self.hearing.finish())

    def told(self) -> list[str]:
        """The events since the last call, in short."""
        lines = [_line(event) for event in self.events]
        self.events.clear()
        return lines

    def partials(self) -> list[LivePartial]:
        return [event for event in self.events if isinstance(event, LivePartial)]

    def texts(self) -> list[str]:
        return [event.transcript.text for event in self.events if isinstance(event, LiveFinal)]


def _line(event: LiveEvent) -> str:
    name = type(event).__name__
    if isinstance(event, LivePartial):
        return f"{event.utterance} {event.committed}|{event.tentative}"
    if isinstance(event, LiveFinal):
        return f"{event.utterance} = {event.transcript.text}"
    return f"{getattr(event, 'utterance', '')} {name}".strip()


def loud(seconds: float) -> Samples:
    return (np.sin(np.arange(round(seconds * SAMPLE_RATE_HZ), dtype=np.float32) / 4) / 2).astype(np.float32)


def quiet(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE_HZ), np.float32)


def sound(*seconds: float) -> Samples:
    """Quiet and loud stretches in turn, quiet first."""
    parts = deque(loud(length) if number % 2 else quiet(length) for number, length in enumerate(seconds))
    return np.concatenate(parts)
