"""A live session over a real lane, for tests: sound goes in as fast as it is taken, events come out."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from talkie.engines.base import RecognizeOptions, VoiceActivityDetector
from talkie.pipeline.live import LiveHearing, LivePlan
from talkie.pipeline.transcribe import TranscribePlan, transcribe
from talkie.runtime.scheduler import Lane
from talkie.types import SAMPLE_RATE_HZ, LiveEvent, LiveFinal, LivePartial, Samples, SpeechStarted, Transcript

PATIENCE_S = 60.0


def listen(
    lane: Lane,
    detector: VoiceActivityDetector,
    samples: Samples,
    options: RecognizeOptions,
    *,
    piece_s: float = 0.1,
    guesses_in_time: bool = False,
    news_each_s: float = 0.0,
    **changes: object,
) -> list[LiveEvent]:
    """The events of a session that hears `samples` and nothing else. `guesses_in_time`: as if each guess came before
    the next piece of sound, however slow the machine is. `news_each_s`: after a piece that was speech, wait so long for
    news of it at most. `by_client`: one commit, at the end."""
    news = threading.Event()
    with lane.open("live") as finals, lane.open("partial") as partials:
        asked = []

        def guess(audio, options):  # type: ignore[no-untyped-def]
            asked.append(partials.submit(audio, options))
            return asked[-1]

        plan = LivePlan(finals.submit, guess, lane.recognizer.info, detector, options)
        hearing = LiveHearing(replace(plan, **changes), news.set)  # type: ignore[arg-type]
        events: list[LiveEvent] = []
        step = round(piece_s * SAMPLE_RATE_HZ)
        for at in range(0, len(samples), step):
            events += hearing.feed(samples[at : at + step])
            if news_each_s and any(isinstance(event, SpeechStarted) for event in events) and not finals_of(events):
                news.wait(news_each_s)
                news.clear()
                events += hearing.collect()
            while guesses_in_time and asked:
                one = asked.pop()
                if not one.cancelled():
                    one.exception(PATIENCE_S)
                events += hearing.collect()
        events += hearing.finish()
        while hearing.pending:
            assert news.wait(PATIENCE_S), "no answer came"
            news.clear()
            events += hearing.collect()
        hearing.close()
    return events


def heard_from_file(
    lane: Lane, detector: VoiceActivityDetector, samples: Samples, options: RecognizeOptions
) -> Transcript:
    """What the pipeline of files makes of the same sound."""
    with lane.open() as job:
        plan = TranscribePlan(job.submit, lane.recognizer.info, options, detector)
        *_, last = transcribe([samples], plan)
    assert isinstance(last, Transcript)
    return last


def finals_of(events: Sequence[LiveEvent]) -> list[LiveFinal]:
    return [event for event in events if isinstance(event, LiveFinal)]


def partials_of(events: Sequence[LiveEvent]) -> list[LivePartial]:
    return [event for event in events if isinstance(event, LivePartial)]


def text_of(events: Sequence[LiveEvent]) -> str:
    return " ".join(final.transcript.text for final in finals_of(events)).strip()


def apart(parts: Sequence[Samples], pause_s: float) -> Samples:
    """One recording, a pause before, between and after."""
    pause = np.zeros(round(pause_s * SAMPLE_RATE_HZ), np.float32)
    return np.concatenate([pause, *(piece for part in parts for piece in (part, pause))])
