"""`talkie say --face`: a text, spoken by a face. Knows nothing of how either is made."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from talkie.errors import InvalidValue

if TYPE_CHECKING:
    from talkie.audio.encoders import SpeechFormat
    from talkie.runtime.speech import SpeakRequest
    from talkie.settings import Settings
    from talkie.types import Mark


@dataclass(frozen=True, slots=True)
class Film:
    """`path` and how the face is to look; `sound`, where the speech alone goes too, in `sound_form`; who makes it."""

    path: str
    avatar: str = ""
    size: str | None = None
    mood: str = ""
    sound: str | None = None
    sound_form: SpeechFormat = "wav"
    server: str | None = None
    api_key: str | None = None
    cacert: Path | None = None


def say_with_face(settings: Settings, spoken: SpeakRequest, pieces: Iterable[str] | None, film: Film) -> list[Mark]:
    """The marks of what was said. It is not played. Raises `InvalidValue` and what making it raises."""
    from talkie.cli.artists import open_artist
    from talkie.cli.face_options import face_request
    from talkie.cli.face_output import PIPE, output_of
    from talkie.cli.face_progress import showing
    from talkie.cli.spoken_outputs import opened

    if film.server is not None and (film.sound is not None or spoken.align):
        raise InvalidValue(
            "face",
            "A server sends a film alone.",
            hint="Without --output, --captions and --marks, or without --server.",
        )
    if film.sound == film.path == PIPE:
        raise InvalidValue("face", "Film and sound cannot go into one pipe.", hint="Give one of them a file.")
    request = face_request(film.avatar, film.size, film.mood, here=film.server is None)
    output_of(film.path, None)  # what is wrong with it is told before a file is begun
    with ExitStack() as stack:
        heard = stack.enter_context(opened(film.sound, film.sound_form)).take if film.sound is not None else None
        artist = stack.enter_context(closing(open_artist(settings, film.server, film.api_key, film.cacert)))
        display = stack.enter_context(showing("showing"))
        return artist.show(spoken, pieces, request, output_of(film.path, None, heard), display)
