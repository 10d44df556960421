"""Engines, and a server that has no room."""

from __future__ import annotations

from talkie.errors.base import TalkieError


class EngineError(TalkieError):
    """An engine cannot start, or failed at its work."""

    code = "engine_error"


class EngineUnavailable(EngineError):
    code = "engine_unavailable"

    def __init__(self, engine: str, why: str, *, hint: str = "") -> None:
        super().__init__(f"The engine {engine!r} cannot be used: {why}", hint=hint or "`talkie doctor` tells more.")


class EngineFailed(EngineError):
    code = "engine_failed"

    def __init__(self, engine: str, why: str) -> None:
        super().__init__(f"The engine {engine!r} failed: {why}", hint="Try again; if it stays so, report it.")


class BusyError(TalkieError):
    """The server cannot take more work now. `retry_after_s` says when to come again."""

    code = "busy"

    def __init__(self, message: str, *, hint: str = "", retry_after_s: float = 1.0) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class QueueFull(BusyError):
    code = "queue_full"

    def __init__(self, waiting: int, retry_after_s: float = 1.0) -> None:
        super().__init__(
            f"{waiting} requests are already waiting.",
            hint="Try again after the time in Retry-After.",
            retry_after_s=retry_after_s,
        )


class ShuttingDown(BusyError):
    code = "shutting_down"

    def __init__(self) -> None:
        super().__init__("The server is shutting down.", hint="Try again in a moment.", retry_after_s=5.0)


class TooManySessions(BusyError):
    code = "too_many_sessions"

    def __init__(self, limit: int, setting: str = "max_sessions") -> None:
        """`setting` is what bounds them."""
        super().__init__(
            f"{limit} live sessions are open, and there may be no more.",
            hint=f"End one (GET and DELETE /v1/sessions), or raise the setting {setting}.",
            retry_after_s=5.0,
        )


class ModelComing(BusyError):
    """The model is on its way here: its pull at the start of the server has not come to its end."""

    code = "model_coming"

    def __init__(self, name: str, state: str) -> None:
        super().__init__(
            f"The model {name!r} is being pulled: {state}.",
            hint="Try again later; `/readyz` says how far it is.",
            retry_after_s=10.0,
        )


class ServerUnreachable(BusyError):
    """What a client says when nobody answers."""

    code = "server_unreachable"

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"Nobody answers at {url}: {why}", hint="Is the server running? `talkie serve` starts it.")
