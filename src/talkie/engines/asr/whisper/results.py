"""From what was heard in a window to the words of the domain: segments, and how far the decoder got. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from talkie.audio.mel import FRAME_S
from talkie.engines.asr.whisper.decoding import Decoded
from talkie.engines.asr.whisper.hearing import Heard
from talkie.engines.asr.whisper.timestamps import Phrase
from talkie.engines.asr.whisper.words import PhraseWords
from talkie.types import Dropped, Segment, Transcript

NO_SPEECH = "no_speech"
NO_DURATION = "no_duration"

TextOf = Callable[[Sequence[int]], str]


def transcript(heard: Heard, text_of: TextOf, model: str) -> Transcript:
    """The transcript of one window. Text that is not taken for speech is among `dropped`, with its reason."""
    segments, dropped = _sort(heard, text_of)
    return Transcript(
        segments=tuple(segments),
        language=heard.language,
        language_probability=heard.language_probability,
        duration_s=heard.audio.duration_s,
        task=heard.options.task,
        model=model,
        decoded_until_s=decoded_until_s(heard),
        dropped=tuple(dropped),
    )


def decoded_until_s(heard: Heard) -> float:
    """Where the next window would begin: the reference's `seek`, in seconds of the recording.

    The end of the audio when the decoder was done with the window; else the last timestamp, or the end of the last word
    where words are timed.
    """
    cut, window, end_s = heard.cut, heard.window, heard.audio.end_s
    if cut is None or cut.ends_alone:
        return end_s
    until_s = window.start_s + cut.frames_done * FRAME_S
    if heard.options.words:
        last_s = _last_end_s(heard.phrases)
        if last_s > window.start_s:
            until_s = window.start_s + round((last_s - window.start_s) / FRAME_S) * FRAME_S
    return end_s if until_s >= window.end_s else until_s


def _last_end_s(phrases: Sequence[PhraseWords]) -> float:
    for phrase in reversed(phrases):
        if phrase.words:
            return phrase.words[-1].end_s
    return phrases[-1].phrase.end_s


def _sort(heard: Heard, text_of: TextOf) -> tuple[list[Segment], list[Dropped]]:
    segments: list[Segment] = []
    dropped: list[Dropped] = []
    decoded = heard.decoded
    if decoded is None:
        return segments, dropped
    if heard.silent:
        whole = PhraseWords(Phrase(decoded.tokens, heard.window.start_s, heard.audio.end_s))
        segment = _segment(whole, decoded, text_of)
        return segments, [Dropped(segment, NO_SPEECH)] if segment.text else []
    for phrase in heard.phrases:
        segment = _segment(phrase, decoded, text_of)
        if segment.text and segment.end_s > segment.start_s:
            segments.append(segment)
        elif segment.text:
            dropped.append(Dropped(segment, NO_DURATION))
    return segments, dropped


def _segment(one: PhraseWords, decoded: Decoded, text_of: TextOf) -> Segment:
    return Segment(
        text=text_of(one.phrase.tokens).strip(),
        start_s=one.phrase.start_s,
        end_s=one.phrase.end_s,
        words=one.words,
        tokens=one.phrase.tokens,
        avg_logprob=decoded.avg_logprob,
        no_speech_prob=decoded.no_speech_prob,
        compression_ratio=decoded.compression_ratio,
        temperature=decoded.temperature,
    )
