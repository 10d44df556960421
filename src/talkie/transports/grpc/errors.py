"""The one table from errors to gRPC status codes, and how a call that fails is answered.

A code is looked up by class, the nearest ancestor first. `talkie-code`, `talkie-hint` and `talkie-param` go into the
trailing metadata, which is ASCII: percent-encoded where the words are not. Nothing of a Python exception that is not
ours reaches a client.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from grpc import StatusCode

from talkie import errors
from talkie.errors import TalkieError

STATUS: dict[type[TalkieError], StatusCode] = {
    TalkieError: StatusCode.INTERNAL,
    errors.AudioError: StatusCode.INVALID_ARGUMENT,
    errors.AudioTooLarge: StatusCode.RESOURCE_EXHAUSTED,
    errors.RequestError: StatusCode.INVALID_ARGUMENT,
    errors.UploadTimeout: StatusCode.DEADLINE_EXCEEDED,
    errors.VoiceNotFound: StatusCode.NOT_FOUND,
    errors.VoiceExists: StatusCode.ALREADY_EXISTS,
    errors.AvatarNotFound: StatusCode.NOT_FOUND,
    errors.AvatarExists: StatusCode.ALREADY_EXISTS,
    errors.BadAvatar: StatusCode.FAILED_PRECONDITION,
    errors.ModelError: StatusCode.INTERNAL,
    errors.ModelNotFound: StatusCode.NOT_FOUND,
    errors.InvalidModelName: StatusCode.NOT_FOUND,
    errors.ImportFailed: StatusCode.INVALID_ARGUMENT,
    errors.ModelExists: StatusCode.ALREADY_EXISTS,
    errors.ModelInUse: StatusCode.FAILED_PRECONDITION,
    errors.PullFailed: StatusCode.UNAVAILABLE,
    errors.Offline: StatusCode.UNAVAILABLE,
    errors.StoreFull: StatusCode.RESOURCE_EXHAUSTED,
    errors.EngineError: StatusCode.INTERNAL,
    errors.EngineUnavailable: StatusCode.UNAVAILABLE,
    errors.BusyError: StatusCode.UNAVAILABLE,
    errors.QueueFull: StatusCode.RESOURCE_EXHAUSTED,
    errors.TooManySessions: StatusCode.RESOURCE_EXHAUSTED,
    errors.SessionError: StatusCode.INTERNAL,
    errors.SessionLagging: StatusCode.RESOURCE_EXHAUSTED,
    errors.SlowReader: StatusCode.DEADLINE_EXCEEDED,
    errors.SessionIdle: StatusCode.DEADLINE_EXCEEDED,
    errors.SessionEnded: StatusCode.CANCELLED,
    errors.SessionNotFound: StatusCode.NOT_FOUND,
    errors.AnswerError: StatusCode.INTERNAL,
    errors.AccessError: StatusCode.PERMISSION_DENIED,
    errors.KeyMissing: StatusCode.UNAUTHENTICATED,
    errors.KeyWrong: StatusCode.UNAUTHENTICATED,
    errors.KeyRateLimited: StatusCode.RESOURCE_EXHAUSTED,
    errors.SettingsError: StatusCode.INTERNAL,
    errors.Cancelled: StatusCode.CANCELLED,
}
CODE, HINT, PARAM, RETRY_AFTER = "talkie-code", "talkie-hint", "talkie-param", "retry-after"
_PRINTABLE = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a call ends that does not end well."""

    status: StatusCode
    message: str
    code: str
    hint: str = ""
    param: str | None = None
    retry_after_s: float | None = None

    def trailing(self) -> tuple[tuple[str, str], ...]:
        """Printable ASCII, as metadata must be."""
        said = {CODE: self.code, HINT: self.hint, PARAM: self.param or ""}
        if self.retry_after_s is not None:
            said[RETRY_AFTER] = str(max(1, math.ceil(self.retry_after_s)))
        return tuple((name, quote(value, safe=_PRINTABLE)) for name, value in said.items() if value)


INTERNAL = Refusal(StatusCode.INTERNAL, "Something went wrong inside the server.", "internal_error")
TOO_LATE = Refusal(StatusCode.DEADLINE_EXCEEDED, "The deadline of the call has passed.", "deadline_exceeded")
NO_METHOD = Refusal(
    StatusCode.UNIMPLEMENTED, "There is no such method here.", "unknown_method", "Reflection lists what there is."
)


class NotServed(Exception):
    """No such method here, or one of the contract that this server does not serve yet."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def status_of(error: TalkieError) -> StatusCode:
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def refusal_of(error: TalkieError) -> Refusal:
    wait_s = getattr(error, "retry_after_s", None)
    return Refusal(status_of(error), error.message, error.code, error.hint, error.param, wait_s)


def answer(context: Any, refusal: Refusal) -> None:
    """The call ends so as soon as its handler returns."""
    context.set_code(refusal.status)
    context.set_details(refusal.message.encode("utf-8", "replace").decode())
    context.set_trailing_metadata((*context.trailing_metadata(), *refusal.trailing()))
