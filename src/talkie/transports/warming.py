"""A service that is warmed in a thread of its own, from as early as it is there. Knows nothing of models and doors."""

from __future__ import annotations

import logging
import threading
from typing import Protocol

from talkie.errors import TalkieError

_log = logging.getLogger(__name__)


class Warmable(Protocol):
    def warm(self) -> None: ...


def start_warming(service: Warmable) -> None:
    """What fails, readiness and the request will say again."""
    threading.Thread(target=_warm, args=(service,), name="warm", daemon=True).start()


def _warm(service: Warmable) -> None:
    try:
        service.warm()
    except TalkieError as error:
        _log.warning("The model is not ready: %s %s", error.message, error.hint)
    except Exception as error:
        _log.error("Warming failed: %s", type(error).__name__, exc_info=error)
