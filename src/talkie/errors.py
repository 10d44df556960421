"""Every error Talkie raises on purpose, as one tree. Each class writes its own message and hint.

    TalkieError
      AudioError            undecodable_audio no_audio_stream empty_audio audio_too_long audio_too_large
                            bad_raw_parameters container_not_allowed unreadable_file
      RequestError          invalid_value bad_request_body body_too_large upload_timeout unsupported_by_model
                            text_too_long bad_ssml nothing_to_say voice_not_found voice_exists
      ModelError            model_not_found invalid_model_name model_broken model_in_use pull_failed import_failed
                            model_exists offline store_full
      EngineError           engine_unavailable engine_failed
      BusyError             queue_full shutting_down server_unreachable too_many_sessions
      SessionError          session_lagging slow_reader session_idle session_ended session_not_found
      AccessError           key_missing key_wrong key_rate_limited scope_missing origin_refused host_refused
      SettingsError         bad_setting unsafe_address
      AnswerError           bad_answer
      Cancelled             cancelled

Knows nothing of status codes: one table in `transports/` gives each class its own.
"""

from __future__ import annotations

from typing import ClassVar


class TalkieError(Exception):
    """Base of the tree. `code` is stable, `hint` says what to do next, `param` names the field at fault."""

    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str, *, hint: str = "", param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.param = param


class AudioError(TalkieError):
    """The recording itself is at fault."""

    code = "audio_error"


class UndecodableAudio(AudioError):
    code = "undecodable_audio"

    def __init__(self, detail: str = "") -> None:
        super().__init__(
            "The file could not be decoded as audio" + (f": {detail}" if detail else "."),
            hint="Check that it plays in a media player; wav, flac, mp3, ogg, webm, m4a and most others work.",
            param="file",
        )


class UnreadableFile(AudioError):
    code = "unreadable_file"

    def __init__(self, why: str) -> None:
        super().__init__(f"The file cannot be opened: {why}.", hint="Check its path and its permissions.", param="file")


class NoAudioStream(AudioError):
    code = "no_audio_stream"

    def __init__(self) -> None:
        super().__init__("The file has no audio stream.", hint="Was the sound muted when it was made?", param="file")


class EmptyAudio(AudioError):
    code = "empty_audio"

    def __init__(self) -> None:
        super().__init__(
            "The file holds no audio at all.", hint="Was the recording stopped before it began?", param="file"
        )


class AudioTooLong(AudioError):
    code = "audio_too_long"

    def __init__(self, limit_s: float) -> None:
        super().__init__(
            f"The recording is longer than the limit of {limit_s:g} seconds.",
            hint="Split it, or raise the setting max_audio_seconds.",
            param="file",
        )


class AudioTooLarge(AudioError):
    code = "audio_too_large"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(
            f"The file is larger than the limit of {limit_bytes / 1e6:g} MB.",
            hint="Send it compressed (opus, mp3), or raise the setting max_upload_mb.",
            param="file",
        )


class BadRawParameters(AudioError):
    code = "bad_raw_parameters"

    def __init__(self, detail: str) -> None:
        super().__init__(
            f"Raw PCM cannot be read that way: {detail}",
            hint="Give the sample rate (8000 to 192000 Hz), channels (1 to 8) and encoding.",
            param="file",
        )


class ContainerNotAllowed(AudioError):
    code = "container_not_allowed"

    def __init__(self, found: str = "") -> None:
        super().__init__(
            "This kind of file is not accepted as audio" + (f": {found}." if found else "."),
            hint="Playlists, session descriptions and scripts are refused; send the recording itself.",
            param="file",
        )


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


class ModelError(TalkieError):
    """A model or the store that holds it."""

    code = "model_error"


class ModelNotFound(ModelError):
    code = "model_not_found"

    def __init__(self, name: str, *, hint: str = "") -> None:
        super().__init__(
            f"The model {name!r} is not here.",
            hint=hint or "`talkie list` shows what is here; `talkie pull whisper-base` fetches a model.",
            param="model",
        )


class InvalidModelName(ModelError):
    code = "invalid_model_name"

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name[:80]!r} is not a model name: {why}", hint="For example: whisper-base", param="model")


class ModelBroken(ModelError):
    code = "model_broken"

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(
            f"The model {name!r} is damaged: {detail}",
            hint=f"`talkie verify {name}` tells more; `talkie pull {name}` mends it.",
            param="model",
        )


class ModelInUse(ModelError):
    code = "model_in_use"

    def __init__(self, name: str) -> None:
        super().__init__(f"The model {name!r} is in use by another process.", hint="Try again when it has finished.")


class PullFailed(ModelError):
    code = "pull_failed"

    def __init__(self, name: str, detail: str, *, hint: str = "") -> None:
        super().__init__(
            f"Pulling {name!r} failed: {detail}",
            hint=hint or "Run the same command again: it goes on where it stopped.",
        )


class ImportFailed(ModelError):
    code = "import_failed"

    def __init__(self, what: str, detail: str, *, hint: str = "") -> None:
        super().__init__(
            f"{what!r} cannot be imported: {detail}",
            hint=hint or "It takes a CTranslate2 Whisper directory, or a zip or tar of one.",
        )


class ModelExists(ModelError):
    code = "model_exists"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"A model {name!r} is in the store already.",
            hint=f"Give another name with --name, or remove it first: `talkie rm {name}`.",
        )


class Offline(ModelError):
    code = "offline"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name!r} is not in the store and offline mode is on.",
            hint="Turn it off (TALKIE_OFFLINE, HF_HUB_OFFLINE), or bring the model on a disk: `talkie import DIR|ZIP`.",
        )


class StoreFull(ModelError):
    code = "store_full"

    def __init__(self, need_bytes: int, free_bytes: int, path: str) -> None:
        super().__init__(
            f"{need_bytes / 1e6:,.0f} MB are needed and {free_bytes / 1e6:,.0f} MB are free at {path}.",
            hint="Remove a model with `talkie rm NAME`, or set TALKIE_HOME to a larger disk.",
        )


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

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"{limit} live sessions are open, and there may be no more.",
            hint="End one (GET and DELETE /v1/sessions), or raise the setting max_sessions.",
            retry_after_s=5.0,
        )


class ServerUnreachable(BusyError):
    """What a client says when nobody answers."""

    code = "server_unreachable"

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"Nobody answers at {url}: {why}", hint="Is the server running? `talkie serve` starts it.")


class SessionError(TalkieError):
    """A live session cannot go on."""

    code = "session_error"


class SessionLagging(SessionError):
    code = "session_lagging"

    def __init__(self, lag_s: float) -> None:
        super().__init__(
            f"The machine is {lag_s:.0f} seconds behind the speaker and cannot catch up.",
            hint="Use a smaller model or fewer sessions at once; `talkie bench live` shows how many fit.",
        )


class SlowReader(SessionError):
    code = "slow_reader"

    def __init__(self) -> None:
        super().__init__("The client does not read what it is told.", hint="Read events while you send sound.")


class SessionIdle(SessionError):
    code = "session_idle"

    def __init__(self, idle_s: float) -> None:
        super().__init__(
            f"No sound came for {idle_s:g} seconds.", hint="Send silence while nobody speaks, or open a new session."
        )


class SessionEnded(SessionError):
    code = "session_ended"

    def __init__(self) -> None:
        super().__init__("The session was ended by somebody else.", hint="Open a new one.")


class SessionNotFound(SessionError):
    code = "session_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such session.", hint="GET /v1/sessions lists those that are open.")


class AccessError(TalkieError):
    """Who asks may not."""

    code = "access_denied"


class KeyMissing(AccessError):
    code = "key_missing"

    def __init__(self) -> None:
        super().__init__("This server wants a key.", hint="Send it as `Authorization: Bearer KEY`.")


class KeyWrong(AccessError):
    code = "key_wrong"

    def __init__(self) -> None:
        super().__init__("The key is not known here.", hint="Ask whoever runs this server for one.")


class KeyRateLimited(AccessError):
    code = "key_rate_limited"

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("Too many wrong keys from this address.", hint="Wait a little before the next try.")
        self.retry_after_s = retry_after_s


class ScopeMissing(AccessError):
    code = "scope_missing"

    def __init__(self, scope: str) -> None:
        super().__init__(f"The key does not have the scope {scope!r}.", hint="Use another key.")


class OriginRefused(AccessError):
    code = "origin_refused"

    def __init__(self) -> None:
        super().__init__(
            "Requests from this web origin are not allowed.", hint="Add it to the setting cors_origins if it is yours."
        )


class HostRefused(AccessError):
    code = "host_refused"

    def __init__(self) -> None:
        super().__init__(
            "The Host header names a host that this server is not.", hint="Add it to the setting allowed_hosts."
        )


class SettingsError(TalkieError):
    """A setting that cannot be."""

    code = "bad_setting"


class UnsafeAddress(SettingsError):
    code = "unsafe_address"

    def __init__(self, host: str) -> None:
        super().__init__(
            f"Listening on {host} without a key would open this machine to everybody.",
            hint="Set TALKIE_API_KEY (or keys_file), or listen on 127.0.0.1.",
        )


class AnswerError(TalkieError):
    """A server answered a client of ours, but not as a speech server does."""

    code = "bad_answer"

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"The answer of {url} cannot be used: {why}", hint="Is that a speech server's address?")


class Cancelled(TalkieError):
    """The one who asked went away; nobody reads this."""

    code = "cancelled"

    def __init__(self) -> None:
        super().__init__("The request was cancelled.")
