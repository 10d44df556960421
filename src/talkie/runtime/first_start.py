"""The models that the settings want to be here: pulled where they are not, one after the other, and tried again
where that fails.

Blocks in a thread of its own while everything else works. Knows nothing of what the models are for, and what is done
with one that has come. What is here already is found without a network and without a write.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from talkie.errors import Cancelled, InvalidModelName, ModelBroken, ModelNotFound, Offline, TalkieError
from talkie.models.name import HUB_PREFIX
from talkie.models.store import ModelStore, StoredModel
from talkie.runtime.pull_figures import PullFigures, duration

READY = "ready"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Backoff:
    """The pause after a failure, in seconds; it doubles up to the longest, and there is no end to the tries."""

    first_s: float = 5.0
    longest_s: float = 300.0


class FirstStart:
    """`wanted` are names of the catalogue or of the store, or `hf:owner/repo[@revision]`. Thread-safe to look at."""

    def __init__(
        self,
        store: ModelStore,
        wanted: Sequence[str] = (),
        *,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._wanted = tuple(dict.fromkeys(wanted))
        self._backoff = backoff or Backoff()
        self._clock = clock
        self._began, self._stopped = False, threading.Event()
        self._states: dict[str, Callable[[], str]] = dict.fromkeys(self._wanted, lambda: "next in line")

    def run(self) -> Iterator[StoredModel]:
        """Every model as soon as it is here. Ends when all are that can come, or after `stop`."""
        self._began = True
        left, pause_s = list(self._wanted), self._backoff.first_s
        while left and not self._stopped.is_set():
            again = []
            for reference in left:
                try:
                    model = self._bring(reference)
                except Cancelled:
                    return
                except (TalkieError, OSError) as error:
                    if self._fail(reference, error, pause_s):
                        again.append(reference)
                else:
                    self._states[reference] = lambda: READY
                    yield model
            pause_s = self._backoff.first_s if len(again) < len(left) else pause_s
            left = again
            if left and self._stopped.wait(pause_s):
                return
            pause_s = min(2 * pause_s, self._backoff.longest_s)

    def stop(self) -> None:
        """A pull at work ends with its next bytes; what has come of it stays for the next start."""
        self._stopped.set()

    @property
    def is_done(self) -> bool:
        return all(state() == READY for state in self._states.values())

    def states(self) -> dict[str, str]:
        """Of each that is wanted: `43 %, 12 s left`, `ready`, or what is wrong."""
        return {reference: state() for reference, state in self._states.items()}

    def state(self, name: str) -> str:
        """Of one that is yet to come, by the name that it will have; empty for any other, and before `run`."""
        for reference, state in self._states.items() if self._began else ():
            if (words := state()) != READY and name in (reference, self._name(reference)):
                return words
        return ""

    def _bring(self, reference: str) -> StoredModel:
        here = self._here(reference)
        if here is not None:
            return here
        figures = PullFigures(self._clock)
        self._states[reference] = lambda: "asking the hub"

        def step(done_bytes: int, total_bytes: int, _file: str) -> None:
            if self._stopped.is_set():
                raise Cancelled
            self._states[reference] = figures.words
            if figures.step(done_bytes, total_bytes):
                _log.info("Pulling %s (%.0f MB): %s", reference, total_bytes / 1e6, figures.words())

        model = self._store.pull(reference, progress=step, notice=lambda text: self._wait(reference, text))
        _log.info("%s is here (%.0f MB).", model.name, model.size_bytes / 1e6)
        return model

    def _here(self, reference: str) -> StoredModel | None:
        """One that is in the store, however it came there; a damaged one is fetched again."""
        name = self._name(reference) if reference.startswith(HUB_PREFIX) else reference
        try:
            return self._store.get(name)
        except (ModelNotFound, ModelBroken):
            return None

    def _name(self, reference: str) -> str:
        try:
            return self._store.name_of(reference)
        except (ModelNotFound, InvalidModelName):  # one laid down by hand, that no catalogue knows
            return reference

    def _wait(self, reference: str, text: str) -> None:
        """Another process is at it: what it has so far is seen on the disk."""
        name = self._name(reference)
        _log.info("%s", text)

        def words() -> str:
            return f"another server is pulling it ({self._store.unfinished().get(name, 0) / 1e6:.0f} MB so far)"

        self._states[reference] = words

    def _fail(self, reference: str, error: TalkieError | OSError, pause_s: float) -> bool:
        """Say so. False when no further try can help."""
        code, message, hint = _words(error)
        if isinstance(error, Offline):
            _log.error("%s %s", message, hint)
            self._states[reference] = lambda: f"{code}: {message}"
            return False
        _log.error("%s %s The next try is in %s.", message, hint, duration(pause_s))
        due_s = self._clock() + pause_s
        self._states[reference] = lambda: (
            f"{code}: {message} The next try is in {duration(max(0.0, due_s - self._clock()))}."
        )
        return True


def _words(error: TalkieError | OSError) -> tuple[str, str, str]:
    if isinstance(error, TalkieError):
        return error.code, error.message, error.hint
    return "store_failed", f"The volume cannot be used: {error.strerror or type(error).__name__}.", ""
