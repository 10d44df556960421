"""Recordings that cannot be heard."""

from __future__ import annotations

from talkie.errors.base import TalkieError


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
