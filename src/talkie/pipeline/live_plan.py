"""How one live session is to be heard: a plain record. Knows nothing of what is done with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from talkie.audio.segment import SegmentOptions
from talkie.engines.base import RecognizeOptions, RecognizerInfo, RecognizerStream, VoiceActivityDetector
from talkie.pipeline.feeding import Submit

PARTIAL_EVERY_S = 0.6
"""New sound between two passes over an utterance, while nothing presses."""

OpenStream: TypeAlias = Callable[[RecognizeOptions], RecognizerStream]


def steadily() -> float:
    return PARTIAL_EVERY_S


@dataclass(frozen=True, slots=True)
class LivePlan:
    """`submit_final` takes windows to be heard in full, `submit_partial` those of guesses; `options` are those of
    finals. `by_client`: no turns, the client says where an utterance ends. `native`: the `open` of an engine with
    native partials, else None. `partial_every_s` is asked before each pass: how many seconds of new sound it needs
    (infinity: none is made)."""

    submit_final: Submit
    submit_partial: Submit
    info: RecognizerInfo
    detector: VoiceActivityDetector
    options: RecognizeOptions = field(default_factory=RecognizeOptions)
    segmenting: SegmentOptions = field(default_factory=SegmentOptions)
    by_client: bool = False
    partials: bool = True
    filters: bool = True
    native: OpenStream | None = None
    partial_every_s: Callable[[], float] = steadily
