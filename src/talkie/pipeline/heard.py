"""What has been heard of one recording or utterance so far, and what that changes for its windows to come.

Knows nothing of how windows are found or submitted. Language is found once and kept; segments pass the filters, and
what does not is kept with its reason; what a decoder left out is asked for again, a few times.
"""

from __future__ import annotations

from dataclasses import replace

from talkie.audio import skips
from talkie.engines.base import RecognizeOptions, RecognizerInfo
from talkie.pipeline.missing import remainder
from talkie.text.filters import FilterContext, apply
from talkie.types import Audio, Dropped, Notice, Segment, Transcript

MAX_RESUMES = 8
"""How often the rest of one window is decoded again before we say that speech is missing."""
PREVIOUS_TEXT_CHARS = 1000
PROMPT_RESET_TEMPERATURE = 0.5


class Heard:
    """`by_speech`: windows carry the spans in which voice activity found speech. `options` are those of the next
    window."""

    def __init__(self, info: RecognizerInfo, options: RecognizeOptions, *, filters: bool, by_speech: bool) -> None:
        self.options = with_only_language(info, options)
        self._info, self._filters, self._by_speech = info, filters, by_speech
        self._first_prompt = options.prompt
        self._segments: list[Segment] = []
        self._dropped: list[Dropped] = []
        self._notices: list[Notice] = []
        self._language = self.options.language or ""
        self._language_probability = 1.0

    @property
    def needs_answer(self) -> bool:
        """Until the language is known (it is found once and kept), or where each window needs the last."""
        return self.options.language is None or self.options.decoding.condition_on_previous_text

    def learn(self, transcript: Transcript) -> None:
        if not self._language and transcript.language:
            self._language = transcript.language
            self._language_probability = transcript.language_probability
            self.options = replace(self.options, language=transcript.language)
        if self.options.decoding.condition_on_previous_text:
            self.options = replace(self.options, prompt=self._prompt_after(transcript))

    def _prompt_after(self, transcript: Transcript) -> str:
        if any(segment.temperature > PROMPT_RESET_TEMPERATURE for segment in transcript.segments):
            return self._first_prompt
        so_far = [segment.text.strip() for segment in (*self._segments[-50:], *transcript.segments)]
        return " ".join([self._first_prompt, " ".join(so_far)[-PREVIOUS_TEXT_CHARS:]]).strip()

    def keep(self, window: Audio, transcript: Transcript) -> list[Segment]:
        """The segments that pass the filters. Times of `transcript` are those of the recording."""
        speech = skips.spans(window) if self._by_speech else None
        context = FilterContext(language=transcript.language or self._language, speech=speech)
        self._dropped.extend(transcript.dropped)
        self._notices.extend(notice for notice in transcript.notices if notice not in self._notices)
        kept: list[Segment] = []
        for segment in transcript.segments:
            reason = apply(segment, context) if self._filters else None
            if reason is None:
                kept.append(segment)
            else:
                self._dropped.append(Dropped(segment, reason))
        self._segments += kept
        return kept

    def rest(self, window: Audio, transcript: Transcript, resumes: int) -> Audio | None:
        """What the decoder left out of a window that was taken up again so often; None where that is to be all.
        Times of `transcript` are those of the window."""
        if not self._info.may_stop_early:
            return None
        left = remainder(window, transcript)
        if left.audio is not None and resumes == MAX_RESUMES:
            message = f"About {left.missing_s:.1f} seconds of speech could not be turned into text."
            self._notices.append(Notice("speech_missing", message))
            return None
        return left.audio

    def result(self, duration_s: float, decoded_until_s: float | None = None) -> Transcript:
        """All of it. `decoded_until_s` where it does not begin at 0."""
        return Transcript(
            segments=tuple(self._segments),
            language=self._language,
            language_probability=self._language_probability,
            duration_s=duration_s,
            task=self.options.task,
            model=self._info.name,
            decoded_until_s=duration_s if decoded_until_s is None else decoded_until_s,
            notices=tuple(self._notices),
            dropped=tuple(self._dropped),
        )


def with_only_language(info: RecognizerInfo, options: RecognizeOptions) -> RecognizeOptions:
    """An engine of one language has nothing to find out, so its windows need not wait for the first."""
    if options.language is None and len(info.languages) == 1:
        return replace(options, language=info.languages[0])
    return options
