"""What a server loads before anybody asks, how far that is, and what stands in its way.

First what is here, then, as it comes, what the settings have pulled. Knows nothing of requests: it is handed what
loads a model and what chooses one.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from talkie.errors import ModelComing, ShuttingDown, TalkieError
from talkie.models.store import ModelStore, StoredModel
from talkie.runtime.first_start import READY, FirstStart
from talkie.runtime.preparation import Preparations

LOADING, WAITING = "loading", "waiting for what is pulled"
MODEL, DETECTOR = "model", "voice activity"
BUILT_IN, BROKEN = "built-in", "broken"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Work:
    """`choose` says which model `auto` means now; `load` and `detect` load a model and the detector of speech.
    All raise the errors of `talkie.errors`."""

    choose: Callable[[], StoredModel]
    load: Callable[[StoredModel], None]
    detect: Callable[[], None]


class Warming:
    """Thread-safe: one thread warms, others look."""

    def __init__(self, work: Work, store: ModelStore, first_start: FirstStart, preparations: Preparations) -> None:
        self._work, self._store = work, store
        self._first_start, self._preparations = first_start, preparations
        self._needed = {MODEL: LOADING, DETECTOR: LOADING}
        self._damaged: dict[str, str] = {}
        self._fell_back = False
        self._stopped = threading.Event()

    def run(self) -> None:
        """Until all is here and loaded. What fails is told by `parts`; this raises nothing of `talkie.errors`."""
        self._warm_model(is_last=self._first_start.is_done)
        with self._telling(DETECTOR):
            self._go_on()
            self._work.detect()
        for _ in self._first_start.run():
            self._warm_model(is_last=self._first_start.is_done)
        if WAITING in self._needed.values():  # for what cannot come
            self._warm_model(is_last=True)

    def stop(self) -> None:
        """Nothing more is pulled, prepared or loaded; what is at work ends with its next step."""
        self._stopped.set()
        self._first_start.stop()
        self._preparations.stop()

    def parts(self) -> dict[str, str]:
        """How each part is: loading, ready, or what is wrong with it."""
        coming = {f"pull {name}": state for name, state in self._first_start.states().items()}
        needed = {part: self._state(part, state) for part, state in self._needed.items()}
        return {**self._damaged, **coming, **needed}

    def is_done(self, parts: Mapping[str, str]) -> bool:
        """Whether all that was wanted is here and, by `parts`, ready. A damaged model counts where the built-in one
        stands in for it."""
        is_warm = all(parts.get(part) == READY for part in self._needed)
        return is_warm and self._first_start.is_done and not self._fell_back

    def _state(self, part: str, state: str) -> str:
        """A model that loads for the first time on this machine says how far it has come."""
        return (self._preparations.state(part.removeprefix(f"{MODEL} ")) or state) if state == LOADING else state

    def _warm_model(self, *, is_last: bool) -> None:
        """A built-in model is not loaded while a better one may be on its way; who asks for it has it all the same."""
        self._look_for_damage()
        with self._telling(MODEL):
            try:
                model = self._work.choose()
            except ModelComing:
                self._need(MODEL, WAITING)
                return
            is_built_in = model.state == BUILT_IN
            self._fell_back = is_built_in and bool(self._damaged)
            if is_built_in and not is_last:
                self._need(MODEL, WAITING)
                return
            name = f"{MODEL} {model.name}"
            self._need(name, LOADING)
            with self._telling(name):
                self._go_on()
                self._work.load(model)

    def _go_on(self) -> None:
        if self._stopped.is_set():
            raise ShuttingDown

    def _need(self, part: str, state: str) -> None:
        self._needed = {part: state, DETECTOR: self._needed[DETECTOR]}

    def _look_for_damage(self) -> None:
        broken = [model for model in self._store.list(broken=True) if model.state == BROKEN]
        for model in broken:
            if f"{MODEL} {model.name}" not in self._damaged:
                _log.error("%s `talkie pull %s` mends it.", model.problem, model.name)
        self._damaged = {f"{MODEL} {model.name}": f"model_broken: {model.problem}" for model in broken}

    @contextmanager
    def _telling(self, part: str) -> Iterator[None]:
        try:
            yield
        except ShuttingDown as error:
            self._needed[part] = f"{error.code}: {error.message}"
        except TalkieError as error:
            _log.warning("The %s is not ready: %s %s", part, error.message, error.hint)
            self._needed[part] = f"{error.code}: {error.message}"
        except Exception as error:
            _log.error("The %s is not ready: %s", part, type(error).__name__, exc_info=error)
            self._needed[part] = f"internal_error: {type(error).__name__}"
        else:
            if self._needed.get(part) == LOADING:
                self._needed[part] = READY
