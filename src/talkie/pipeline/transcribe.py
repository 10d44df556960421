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
from typing import TypeAlias

from talkie.audio import skips
from talkie.audio.segment import SegmentOptions
from talkie.engines.base import RecognizeOptions, RecognizerInfo, VoiceActivityDetector
from talkie.pipeline.ahead import Ahead
from talkie.pipeline.feeding import Feed, InFlight, Submit
from talkie.pipeline.missing import Remainder, remainder
from talkie.pipeline.windows import Recording, SeekWindows, speech_windows
from talkie.text.filters import FilterContext, apply
from talkie.types import SAMPLE_RATE_HZ, Audio, Dropped, Notice, Progress, Samples, Segment, Transcript, TranscriptEvent

Wait: TypeAlias = Callable[["Future[Transcript]"], Transcript]

MAX_RESUMES = 8
"""How often the rest of one window is decoded again before we say that speech is missing."""
DECODED_S = 60.0
"""Seconds decoded ahead where there is no voice activity: two windows."""
PREVIOUS_TEXT_CHARS = 1000
PROMPT_RESET_TEMPERATURE = 0.5


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
            segments = hearing.keep(window, transcript)
            with ahead.paused():
                yield from segments
                yield Progress(min(transcript.decoded_until_s, recording.duration_s), total_s)
    yield Progress(recording.duration_s, total_s)
    yield hearing.result(recording.duration_s)


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
    """The transcript of a window, then those of what its decoder left out, at most `MAX_RESUMES` times."""
    plan, window, future = hearing.plan, one.window, one.future
    for resume in range(MAX_RESUMES + 1):
        transcript = plan.wait(future)
        hearing.learn(transcript)
        feed.terms_changed()
        yield window, transcript
        rest = remainder(window, transcript) if plan.info.may_stop_early else Remainder()
        if rest.audio is None:
            return
        if resume == MAX_RESUMES:
            hearing.notice_missing(rest.missing_s)
            return
        window, future = rest.audio, plan.submit(rest.audio, hearing.options)


def _by_seeking(blocks: Iterable[Samples], hearing: _Hearing) -> Iterator[tuple[Audio, Transcript]]:
    windows = SeekWindows(blocks, hearing.plan.info.max_seconds)
    while (window := windows.next()) is not None:
        transcript = hearing.plan.wait(hearing.plan.submit(window, hearing.options))
        hearing.learn(transcript)
        yield window, transcript
        windows.seek(transcript.decoded_until_s)


class _Hearing:
    """What has been heard so far, and what that changes for the windows to come."""

    def __init__(self, plan: TranscribePlan) -> None:
        self.plan = plan
        self.options = _with_only_language(plan)
        self._segments: list[Segment] = []
        self._dropped: list[Dropped] = []
        self._notices: list[Notice] = []
        self._language = self.options.language or ""
        self._language_probability = 1.0

    @property
    def lookahead(self) -> int:
        """One until the language is known (it is found once and kept), or where each window needs the last."""
        waits = self.options.language is None or self.options.decoding.condition_on_previous_text
        return 1 if waits else max(1, self.plan.lookahead)

    def learn(self, transcript: Transcript) -> None:
        if not self._language and transcript.language:
            self._language = transcript.language
            self._language_probability = transcript.language_probability
            self.options = replace(self.options, language=transcript.language)
        if self.options.decoding.condition_on_previous_text:
            self.options = replace(self.options, prompt=self._prompt_after(transcript))

    def _prompt_after(self, transcript: Transcript) -> str:
        first = self.plan.options.prompt
        if any(segment.temperature > PROMPT_RESET_TEMPERATURE for segment in transcript.segments):
            return first
        so_far = [segment.text.strip() for segment in (*self._segments[-50:], *transcript.segments)]
        return " ".join([first, " ".join(so_far)[-PREVIOUS_TEXT_CHARS:]]).strip()

    def keep(self, window: Audio, transcript: Transcript) -> list[Segment]:
        """The segments that pass the filters; what does not is kept with its reason."""
        speech = skips.spans(window) if self.plan.detector else None
        context = FilterContext(language=transcript.language or self._language, speech=speech)
        self._dropped.extend(transcript.dropped)
        self._notices.extend(notice for notice in transcript.notices if notice not in self._notices)
        kept: list[Segment] = []
        for segment in transcript.segments:
            reason = apply(segment, context) if self.plan.filters else None
            if reason is None:
                kept.append(segment)
            else:
                self._dropped.append(Dropped(segment, reason))
        self._segments += kept
        return kept

    def notice_missing(self, seconds: float) -> None:
        message = f"About {seconds:.1f} seconds of speech could not be turned into text."
        self._notices.append(Notice("speech_missing", message))

    def result(self, duration_s: float) -> Transcript:
        return Transcript(
            segments=tuple(self._segments),
            language=self._language,
            language_probability=self._language_probability,
            duration_s=duration_s,
            task=self.plan.options.task,
            model=self.plan.info.name,
            decoded_until_s=duration_s,
            notices=tuple(self._notices),
            dropped=tuple(self._dropped),
        )


def _with_only_language(plan: TranscribePlan) -> RecognizeOptions:
    """An engine of one language has nothing to find out, so its windows need not wait for the first."""
    if plan.options.language is None and len(plan.info.languages) == 1:
        return replace(plan.options, language=plan.info.languages[0])
    return plan.options
