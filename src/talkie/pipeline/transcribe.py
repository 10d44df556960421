"""One recording to one transcript: windows of speech go to a recogniser, segments come back in order.

Knows nothing of who asked or how many others there are: whoever calls gives a `submit` that takes one window and
returns a future, and windows of other recordings may be batched with ours behind it.

Two ways through a recording. With voice activity, windows hold speech only and several may be in flight. Without
it, windows follow one another as in openai/whisper `transcribe`: each begins where the decoder got to in the last.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TypeAlias

from talkie.audio import skips
from talkie.audio.segment import SegmentOptions
from talkie.engines.base import RecognizeOptions, RecognizerInfo, VoiceActivityDetector
from talkie.pipeline.ahead import Ahead
from talkie.pipeline.feeding import Feed, InFlight, Submit
from talkie.pipeline.heard import Heard
from talkie.pipeline.windows import Recording, SeekWindows, speech_windows
from talkie.types import SAMPLE_RATE_HZ, Audio, Progress, Samples, Transcript, TranscriptEvent

Wait: TypeAlias = Callable[["Future[Transcript]"], Transcript]

DECODED_S = 60.0
"""Seconds decoded ahead where there is no voice activity: two windows."""


def wait_plainly(future: Future[Transcript]) -> Transcript:
    return future.result()


@dataclass(frozen=True, slots=True)
class TranscribePlan:
    """How one recording is to be heard. `detector` None: no voice activity, windows one after the other."""

    submit: Submit
    info: RecognizerInfo
    options: RecognizeOptions = field(default_factory=RecognizeOptions)
    detector: VoiceActivityDetector | None = None
    segmenting: SegmentOptions = field(default_factory=SegmentOptions)
    filters: bool = True
    lookahead: int = 2
    first_batch: int = 1
    wait: Wait = wait_plainly


def transcribe(
    blocks: Iterable[Samples], plan: TranscribePlan, *, total_s: float | None = None
) -> Generator[TranscriptEvent, None, None]:
    """Progress and segments as they are ready, then the whole `Transcript`. Times are those of the recording."""
    recording = Recording(blocks)
    hearing = _Hearing(plan)
    with _feed(recording, hearing) if plan.detector else _blocks_ahead(recording) as ahead:
        heard = _by_speech(ahead, hearing) if isinstance(ahead, Feed) else _by_seeking(ahead, hearing)
        for window, transcript in heard:
            transcript = skips.transcript(transcript, window.skips)
            segments = hearing.heard.keep(window, transcript)
            with ahead.paused():
                yield from segments
                yield Progress(min(transcript.decoded_until_s, recording.duration_s), total_s)
    yield Progress(recording.duration_s, total_s)
    yield hearing.heard.result(recording.duration_s)


def _feed(recording: Recording, hearing: _Hearing) -> Feed:
    plan = hearing.plan
    assert plan.detector is not None
    longest_s = min(plan.segmenting.max_seconds, plan.info.max_seconds)
    windows = speech_windows(recording, plan.detector, replace(plan.segmenting, max_seconds=longest_s))
    return Feed(windows, plan.submit, hearing, gather=plan.first_batch)


def _blocks_ahead(recording: Recording) -> Ahead[Samples]:
    return Ahead(iter(recording), len, DECODED_S * SAMPLE_RATE_HZ)


def _by_speech(feed: Feed, hearing: _Hearing) -> Iterator[tuple[Audio, Transcript]]:
    """Windows of speech, a few in flight at a time; where a decoder stopped early its rest is decoded again."""
    for one in feed:
        yield from _finish(one, feed, hearing)


def _finish(one: InFlight, feed: Feed, hearing: _Hearing) -> Iterator[tuple[Audio, Transcript]]:
    """The transcript of a window, then those of what its decoder left out, while `Heard` asks for them."""
    plan, window, future = hearing.plan, one.window, one.future
    for resumes in count():
        transcript = plan.wait(future)
        hearing.heard.learn(transcript)
        feed.terms_changed()
        yield window, transcript
        rest = hearing.heard.rest(window, transcript, resumes)
        if rest is None:
            return
        window, future = rest, plan.submit(rest, hearing.options)


def _by_seeking(blocks: Iterable[Samples], hearing: _Hearing) -> Iterator[tuple[Audio, Transcript]]:
    windows = SeekWindows(blocks, hearing.plan.info.max_seconds)
    while (window := windows.next()) is not None:
        transcript = hearing.plan.wait(hearing.plan.submit(window, hearing.options))
        hearing.heard.learn(transcript)
        yield window, transcript
        windows.seek(transcript.decoded_until_s)


class _Hearing:
    """A plan, and what has been heard so far: the terms on which windows are submitted."""

    def __init__(self, plan: TranscribePlan) -> None:
        self.plan = plan
        self.heard = Heard(plan.info, plan.options, filters=plan.filters, by_speech=plan.detector is not None)

    @property
    def options(self) -> RecognizeOptions:
        return self.heard.options

    @property
    def lookahead(self) -> int:
        """One where each window needs the answer to the last."""
        return 1 if self.heard.needs_answer else max(1, self.plan.lookahead)
