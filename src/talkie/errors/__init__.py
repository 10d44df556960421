"""Every error Talkie raises on purpose, as one tree. Each class writes its own message and hint.

    TalkieError
      AudioError            undecodable_audio no_audio_stream empty_audio audio_too_long audio_too_large
                            bad_raw_parameters container_not_allowed unreadable_file
      RequestError          invalid_value bad_request_body body_too_large upload_timeout unsupported_by_model
                            text_too_long bad_ssml nothing_to_say voice_not_found voice_exists
      ModelError            model_not_found invalid_model_name model_broken model_in_use pull_failed import_failed
                            model_exists offline store_full store_read_only
      EngineError           engine_unavailable engine_failed
      BusyError             queue_full shutting_down server_unreachable too_many_sessions model_coming
      SessionError          session_lagging slow_reader session_idle session_ended session_not_found
      AccessError           key_missing key_wrong key_rate_limited scope_missing origin_refused host_refused
      AvatarError           avatar_not_found avatar_exists bad_avatar video_failed
      SettingsError         bad_setting unsafe_address address_taken
      AnswerError           bad_answer
      Cancelled             cancelled

Knows nothing of status codes: one table in `transports/` gives each class its own.
"""

from __future__ import annotations

from talkie.errors.access import (
    AccessError,
    AddressTaken,
    HostRefused,
    KeyMissing,
    KeyRateLimited,
    KeyWrong,
    OriginRefused,
    ScopeMissing,
    SettingsError,
    UnsafeAddress,
)
from talkie.errors.audio import (
    AudioError,
    AudioTooLarge,
    AudioTooLong,
    BadRawParameters,
    ContainerNotAllowed,
    EmptyAudio,
    NoAudioStream,
    UndecodableAudio,
    UnreadableFile,
)
from talkie.errors.base import AnswerError, Cancelled, TalkieError
from talkie.errors.engines import (
    BusyError,
    EngineError,
    EngineFailed,
    EngineUnavailable,
    ModelComing,
    QueueFull,
    ServerUnreachable,
    ShuttingDown,
    TooManySessions,
)
from talkie.errors.faces import AvatarError, AvatarExists, AvatarNotFound, BadAvatar, VideoFailed
from talkie.errors.models import (
    ImportFailed,
    InvalidModelName,
    ModelBroken,
    ModelError,
    ModelExists,
    ModelInUse,
    ModelNotFound,
    Offline,
    PullFailed,
    StoreFull,
    StoreReadOnly,
)
from talkie.errors.requests import (
    BadRequestBody,
    BadSsml,
    BodyTooLarge,
    InvalidValue,
    NothingToSay,
    RequestError,
    TextTooLong,
    UnsupportedByModel,
    UploadTimeout,
    VoiceExists,
    VoiceNotFound,
)
from talkie.errors.sessions import SessionEnded, SessionError, SessionIdle, SessionLagging, SessionNotFound, SlowReader

__all__ = [
    "AccessError",
    "AddressTaken",
    "AnswerError",
    "AudioError",
    "AudioTooLarge",
    "AudioTooLong",
    "AvatarError",
    "AvatarExists",
    "AvatarNotFound",
    "BadAvatar",
    "BadRawParameters",
    "BadRequestBody",
    "BadSsml",
    "BodyTooLarge",
    "BusyError",
    "Cancelled",
    "ContainerNotAllowed",
    "EmptyAudio",
    "EngineError",
    "EngineFailed",
    "EngineUnavailable",
    "HostRefused",
    "ImportFailed",
    "InvalidModelName",
    "InvalidValue",
    "KeyMissing",
    "KeyRateLimited",
    "KeyWrong",
    "ModelBroken",
    "ModelComing",
    "ModelError",
    "ModelExists",
    "ModelInUse",
    "ModelNotFound",
    "NoAudioStream",
    "NothingToSay",
    "Offline",
    "OriginRefused",
    "PullFailed",
    "QueueFull",
    "RequestError",
    "ScopeMissing",
    "ServerUnreachable",
    "SessionEnded",
    "SessionError",
    "SessionIdle",
    "SessionLagging",
    "SessionNotFound",
    "SettingsError",
    "ShuttingDown",
    "SlowReader",
    "StoreFull",
    "StoreReadOnly",
    "TalkieError",
    "TextTooLong",
    "TooManySessions",
    "UndecodableAudio",
    "UnreadableFile",
    "UnsafeAddress",
    "UnsupportedByModel",
    "UploadTimeout",
    "VideoFailed",
    "VoiceExists",
    "VoiceNotFound",
]
