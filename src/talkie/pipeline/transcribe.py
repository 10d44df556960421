"""One recording to one transcript: windows of speech go to a recogniser, segments come back in order.

Knows nothing of who asked or how many others there are: whoever calls gives a `submit` that takes one window and
returns a future, and windows of other recordings may be batched with ours behind it.

Two ways through a recording. With voice activity, windows hold speech only and several may be in flight. Without
it, windows follow one another as in openai/whisper `transcribe`: each begins where the decoder got to in the last.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from talkie.audio.segment import SegmentOptions
from talkie.engines.base import RecognizeOptions, RecognizerInfo, VoiceActivityDetector
from talkie.pipeline.missing import Remainder, remainder
from talkie.pipeline.windows import Recording, SeekWindows, speech_windows
from talkie.text.filters import FilterContext, apply
from talkie.types import Audio, Dropped, Notice, Progress, Samples, Segment, Transcript, TranscriptEvent

Submit: TypeAlias = Callable[[Audio, RecognizeOptions], "Future[Transcript]"]
Wait: TypeAlias = Callable[["Future[Transcript]"], Transcript]

MAX_RESUMES = 8
"""How often the rest of one window is decoded again before we say that speech is missing."""
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
    wait: Wait = wait_plainly


def transcribe(
    blocks: Iterable[Samples], plan: TranscribePlan, *, total_s: float | None = None
) -> Iterator[TranscriptEvent]:
    """Progress and segments as they are ready, then the whole `Transcript`. Times are those of the recording."""
    recording = Recording(blocks)
    hearing = _Hearing(plan)
    heard = _by_speech(recording, hearing) if plan.detector else _by_seeking(recording, hearing)
    for window, transcript in heard:
        yield from hearing.keep(window, transcript)
        yield Progress(min(transcript.decoded_until_s, recording.duration_s), total_s)
    yield Progress(recording.duration_s, total_s)
    yield hearing.result(recording.duration_s)


def _by_speech(recording: Recording, hearing: _Hearing) -> Iterator[tuple[Audio, Transcript]]:
    """Windows of speech, a few in flight at a time; where a decoder stopped early its rest is decoded again."""
    plan = hearing.plan
    assert plan.detector is not None
    in_flight: deque[tuple[Audio, Future[Transcript]]] = deque()
    segmenting = replace(plan.segmenting, max_seconds=min(plan.segmenting.max_seconds, plan.info.max_seconds))
    try:
        for window in speech_windows(recording, plan.detector, segmenting):
            while in_flight and (len(in_flight) >= hearing.lookahead or in_flight[0][1].done()):
                yield from _finish(*in_flight.popleft(), hearing)
            in_flight.append((window, plan.submit(window, hearing.options)))
        while in_flight:
            yield from _finish(*in_flight.popleft(), hearing)
    finally:
        for _, future in in_flight:
            future.cancel()


def _finish(window: Audio, future: Future[Transcript], hearing: _Hearing) -> Iterator[tuple[Audio, Transcript]]:
    """The transcript of a window, then those of what its decoder left out, at most `MAX_RESUMES` times."""
    plan = hearing.plan
    for resume in range(MAX_RESUMES + 1):
        transcript = plan.wait(future)
        hearing.learn(transcript)
        yield window, transcript
        rest = remainder(window, transcript) if plan.info.may_stop_early else Remainder()
        if rest.audio is None:
            return
        if resume == MAX_RESUMES:
            hearing.notice_missing(rest.missing_s)
            return
        window, future = rest.audio, plan.submit(rest.audio, hearing.options)


def _by_seeking(recording: Recording, hearing: _Hearing) -> Iterator[tuple[Audio, Transcript]]:
    windows = SeekWindows(recording, hearing.plan.info.max_seconds)
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

    def keep(self, window: Audio, transcript: Transcript) -> Iterator[Segment]:
        """The segments that pass the filters; what does not is kept with its reason."""
        speech = window.speech if self.plan.detector else None
        context = FilterContext(language=transcript.language or self._language, speech=speech)
        self._dropped.extend(transcript.dropped)
        self._notices.extend(notice for notice in transcript.notices if notice not in self._notices)
        for segment in transcript.segments:
            reason = apply(segment, context) if self.plan.filters else None
            if reason is None:
                self._segments.append(segment)
                yield segment
            else:
                self._dropped.append(Dropped(segment, reason))

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
