"""The one table from errors to status codes, and every error answer of the HTTP door.

Knows nothing of routes. A status is looked up by class, the nearest ancestor first; nothing of a Python exception
that is not ours, nor of a validation library, ever reaches a client.
"""

from __future__ import annotations

import logging
import math
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import Response

from talkie import errors
from talkie.errors import TalkieError
from talkie.wire.openai import JSON, ErrorWords, error_words, to_json

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request

log = logging.getLogger("talkie.http")

CLIENT_CLOSED_REQUEST = 499

STATUS: dict[type[TalkieError], int] = {
    TalkieError: 500,
    errors.AudioError: 400,
    errors.AudioTooLong: 413,
    errors.AudioTooLarge: 413,
    errors.RequestError: 400,
    errors.BodyTooLarge: 413,
    errors.UploadTimeout: 408,
    errors.TextTooLong: 413,
    errors.VoiceNotFound: 404,
    errors.VoiceExists: 409,
    errors.ModelError: 500,
    errors.ModelNotFound: 404,
    errors.InvalidModelName: 404,
    errors.ImportFailed: 400,
    errors.ModelExists: 409,
    errors.ModelInUse: 409,
    errors.PullFailed: 502,
    errors.Offline: 503,
    errors.StoreFull: 507,
    errors.EngineError: 500,
    errors.EngineUnavailable: 503,
    errors.BusyError: 503,
    errors.SessionError: 500,
    errors.SessionLagging: 503,
    errors.SlowReader: 408,
    errors.SessionIdle: 408,
    errors.SessionEnded: 409,
    errors.SessionNotFound: 404,
    errors.AvatarError: 500,
    errors.AvatarNotFound: 404,
    errors.AvatarExists: 409,
    errors.BadAvatar: 400,
    errors.AnswerError: 502,
    errors.AccessError: 403,
    errors.KeyMissing: 401,
    errors.KeyWrong: 401,
    errors.KeyRateLimited: 429,
    errors.SettingsError: 500,
    errors.Cancelled: CLIENT_CLOSED_REQUEST,
}

_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_HTTP_CODES = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large", 415: "unsupported_media_type"}
INTERNAL = ErrorWords("Something went wrong inside the server.", "server_error", "internal_error")


def status_of(error: TalkieError) -> int:
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def words_of(error: TalkieError) -> ErrorWords:
    return error_words(error, _type(status_of(error)))


def error_response(error: TalkieError) -> Response:
    """The answer to an error of ours, with the headers that go with it."""
    status = status_of(error)
    headers = {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="talkie"'
    wait_s = getattr(error, "retry_after_s", None)
    if wait_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(wait_s)))
    return _response(status, words_of(error), headers)


def log_fault(error: BaseException) -> None:
    """The place of a fault, for whoever mends it; the log's formatter leaves out what the exception says."""
    log.error("A request failed: %s", type(error).__name__, exc_info=error)


def internal_response() -> Response:
    """What a client learns of a fault in the server: that there was one. The log has the rest."""
    return _response(500, INTERNAL, {})


def handle_errors(app: FastAPI) -> None:
    """Every error that a handler or the router raises is answered in one shape."""
    from fastapi.exceptions import RequestValidationError

    async def talkie_error(_request: Request, error: Exception) -> Response:
        assert isinstance(error, TalkieError)
        if status_of(error) == HTTPStatus.INTERNAL_SERVER_ERROR:
            log_fault(error)
        return error_response(error)

    async def http_error(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        code = _HTTP_CODES.get(error.status_code, "invalid_request")
        message = {404: "There is nothing at this address.", 405: "This address knows no such method."}.get(
            error.status_code, HTTPStatus(error.status_code).phrase
        )
        words = ErrorWords(message, _type(error.status_code), code, hint="/docs lists what there is.")
        return _response(error.status_code, words, dict(error.headers or {}))

    async def validation_error(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        fault = error.errors()[0] if error.errors() else {"loc": ()}
        param = str(fault["loc"][-1]) if fault["loc"] else None
        words = ErrorWords("A value is missing or cannot be.", "invalid_request_error", "invalid_value", param)
        return _response(400, words, {})

    app.add_exception_handler(TalkieError, talkie_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, validation_error)


def _type(status: int) -> str:
    return _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")


def _response(status: int, words: ErrorWords, headers: dict[str, str]) -> Response:
    return Response(to_json(words.body()), status, headers, JSON)
