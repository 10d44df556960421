"""Requests that cannot be fulfilled as they are."""

from __future__ import annotations

from talkie.errors.base import TalkieError


class RequestError(TalkieError):
    """The request asks for something that cannot be."""

    code = "invalid_request"


class InvalidValue(RequestError):
    code = "invalid_value"

    def __init__(self, param: str, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint, param=param)


class BadRequestBody(RequestError):
    code = "bad_request_body"

    def __init__(self, detail: str, *, hint: str = "", param: str | None = None) -> None:
        super().__init__(
            f"The body of the request cannot be read: {detail}",
            hint=hint or "Send a form (multipart/form-data) with a part named file.",
            param=param,
        )


class BodyTooLarge(RequestError):
    code = "body_too_large"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(
            f"The body of the request is larger than the limit of {limit_bytes / 1e6:g} MB.",
            hint="Split the text into several requests.",
        )


class UploadTimeout(RequestError):
    code = "upload_timeout"

    def __init__(self, idle_s: float) -> None:
        super().__init__(
            f"Nothing of the upload arrived for {idle_s:g} seconds.",
            hint="Send it again; on a slow line, raise the setting upload_idle_s.",
            param="file",
        )


class UnsupportedByModel(RequestError):
    """A capability that the chosen model does not have: never dropped in silence."""

    code = "unsupported_by_model"

    def __init__(self, param: str, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint or "Choose another model: `talkie list`, `talkie pull`.", param=param)


class TextTooLong(RequestError):
    code = "text_too_long"

    def __init__(self, characters: int, limit: int) -> None:
        super().__init__(
            f"The text has {characters} characters; {limit} are the most.",
            hint="Split it, or raise the setting max_speech_characters.",
            param="input",
        )


class BadSsml(RequestError):
    """`line` counts from 1."""

    code = "bad_ssml"

    def __init__(self, line: int, why: str) -> None:
        super().__init__(
            f"The SSML is wrong in line {line}: {why}",
            hint="Talkie knows speak, p, s, break, prosody, phoneme, say-as and sub.",
            param="input",
        )


class NothingToSay(RequestError):
    code = "nothing_to_say"

    def __init__(self) -> None:
        super().__init__("There is nothing in the text that can be spoken.", hint="Send words.", param="input")


class VoiceNotFound(RequestError):
    code = "voice_not_found"

    def __init__(self, voice: str, near: str = "") -> None:
        super().__init__(
            f"There is no voice {voice[:64]!r}." + (f" Near it: {near}." if near else ""),
            hint="`talkie voices` lists them, as does GET /v1/audio/voices.",
            param="voice",
        )


class VoiceExists(RequestError):
    code = "voice_exists"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is a voice {name[:64]!r} already.", hint="Choose another name.", param="name")
