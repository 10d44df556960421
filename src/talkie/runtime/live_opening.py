"""From a wish to a hearing: a model is leased, its places in the line are taken, and what is wished for is checked.

Knows nothing of threads or events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from talkie.pipeline.live import LiveHearing, LivePlan
from talkie.runtime.requests import LiveRequest, check_capabilities, recognize_options, segment_options
from talkie.types import Notice

if TYPE_CHECKING:
    from talkie.engines.base import RecognizerInfo, VoiceActivityDetector
    from talkie.runtime.config import ServiceConfig
    from talkie.runtime.jobs import Job
    from talkie.runtime.leases import LeaseTable

ANY_S = 30.0
NO_WORDS = Notice("no_word_times", "The model gives no word times.")


@dataclass(frozen=True)
class Ears:
    """A hearing that is open. `plan` says how another request is to be heard by it; raises as `recognize_options` and
    `check_capabilities`."""

    hearing: LiveHearing
    info: RecognizerInfo
    plan: Callable[[LiveRequest], LivePlan]
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class Opening:
    """All that hearings of one model need. `key` is the model to the table of leases; `notices` are told first."""

    leases: LeaseTable
    key: str
    detector: VoiceActivityDetector
    config: ServiceConfig
    notices: tuple[Notice, ...] = ()

    def check(self, request: LiveRequest) -> None:
        """What can be said of a request without its model. Raises `InvalidValue`."""
        recognize_options(request.as_recording(), self.config.preset)
        segment_options(request.turns, energy_gate=False, max_seconds=ANY_S)

    @contextmanager
    def open(
        self, request: LiveRequest, changed: Callable[[], None], partial_every_s: Callable[[], float]
    ) -> Iterator[Ears]:
        """Loads the model when it is not. Raises `UnsupportedByModel`, `InvalidValue`, and what loading raises."""
        with (
            self.leases.lease(self.key) as lane,
            lane.open("live") as finals,
            lane.open("partial") as partials,
        ):
            info = lane.recognizer.info
            native = getattr(lane.recognizer, "open", None) if info.partials else None

            def plan(wish: LiveRequest) -> LivePlan:
                return self._plan(wish, finals, partials, info, native, partial_every_s)

            without_words = (NO_WORDS,) if request.words and not info.words else ()
            hearing = LiveHearing(plan(request), changed)
            try:
                yield Ears(hearing, info, plan, (*self.notices, *without_words))
            finally:
                hearing.close()

    def _plan(
        self,
        request: LiveRequest,
        finals: Job,
        partials: Job,
        info: RecognizerInfo,
        native: Any,
        partial_every_s: Callable[[], float],
    ) -> LivePlan:
        recording = replace(request.as_recording(), words=request.words and info.words)
        check_capabilities(recording, info)
        return LivePlan(
            submit_final=finals.submit,
            submit_partial=partials.submit,
            info=info,
            detector=self.detector,
            options=recognize_options(recording, self.config.preset),
            segmenting=segment_options(
                request.turns, energy_gate=self.config.energy_gate, max_seconds=info.max_seconds
            ),
            by_client=request.turns is None,
            partials=request.partials,
            filters=request.filters,
            native=native,
            partial_every_s=partial_every_s,
        )
