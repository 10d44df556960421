"""A context no longer than the sound: how long, and when its result is not to be trusted. Pure.

Whisper was trained on windows of 30 s, and an encoder that is given 30 s works for 30 s, whatever of it is silence.
A short utterance in a short context costs a fraction; but reports of others show words lost where the context is cut
close to the sound, which a second or two of slack brought back. So there is slack, and a guard: what looks wrong is
heard again in the full context, and nobody is given the first attempt.
"""

from __future__ import annotations

from collections.abc import Sequence

from talkie.audio.mel import MAX_FRAMES
from talkie.engines.asr.whisper.decoding import Decoded
from talkie.engines.base import DecodingOptions, RecognizeOptions

SLACK_FRAMES = 128
"""64 positions of the encoder, 1.28 s."""
BUCKET_FRAMES = 100
"""Windows of a batch share one length, so lengths are rounded up to whole seconds."""
MIN_FRAMES = 300
SUREST_LOG_PROB = -0.7
"""The guard asks for more than the fallback does: an unsure text is cheaper to hear again than to get wrong."""
MISSING_FRAMES = 100
_STEP_FRAMES = 2


def context_frames(options: RecognizeOptions, content: int) -> int:
    """How long a window the encoder is given for `content` frames of sound."""
    return MAX_FRAMES if options.context == "full" else fitted_frames(content)


def fitted_frames(content: int) -> int:
    """Frames of 10 ms for `content` frames of sound: slack added, rounded up, at most a full window."""
    wanted = -(-(content + SLACK_FRAMES) // BUCKET_FRAMES) * BUCKET_FRAMES
    return min(max(wanted, MIN_FRAMES), MAX_FRAMES)


def is_doubtful(decoded: Decoded, content: int, timestamp_begin: int, options: DecodingOptions) -> bool:
    """Whether a text from a fitted context must be heard again: repetitive, unsure, empty, or ended too early."""
    ratio = options.compression_ratio_threshold
    return (
        (ratio is not None and decoded.compression_ratio > ratio)
        or decoded.avg_logprob < SUREST_LOG_PROB
        or not decoded.tokens
        or _ends_early(decoded.tokens, content, timestamp_begin)
    )


def _ends_early(tokens: Sequence[int], content: int, timestamp_begin: int) -> bool:
    """Judged by the last timestamp; without one there is nothing to judge by."""
    last = max((token - timestamp_begin for token in tokens if token >= timestamp_begin), default=None)
    return last is not None and content - last * _STEP_FRAMES > MISSING_FRAMES
