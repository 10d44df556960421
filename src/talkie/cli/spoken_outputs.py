"""Where speech goes from the command line: a file that is there whole or not at all, a pipe, or the loudspeaker.

Knows nothing of who speaks.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from talkie.audio.encoders import FORMATS, Encoder, SpeechFormat, open_encoder
from talkie.cli.player import Player, open_player
from talkie.cli.sinks import written_bytes
from talkie.errors import InvalidValue
from talkie.types import Samples

PIPE = "-"
OTHER_ENDINGS: dict[str, SpeechFormat] = {"ogg": "opus", "raw": "pcm", "wave": "wav"}


class Output(Protocol):
    """Takes speech piece by piece, all of one rate."""

    def take(self, samples: Samples, sample_rate: int) -> None: ...


def format_of(output: str | None, wanted: str | None) -> SpeechFormat:
    """The one asked for, else by the ending of the file's name, else wav. Raises `InvalidValue`."""
    ending = Path(output).suffix.lower().lstrip(".") if output and output != PIPE else ""
    name = (wanted or "").lower() or OTHER_ENDINGS.get(ending, ending) or "wav"
    if name not in FORMATS:
        raise InvalidValue("format", f"There is no format {name[:40]!r}.", hint=f"One of: {', '.join(FORMATS)}.")
    return name


@contextlib.contextmanager
def opened(output: str | None, form: SpeechFormat) -> Iterator[Output]:
    """A file, standard output (`-`), or (None) the loudspeaker."""
    if output is None:
        with _played() as loud:
            yield loud
    elif output == PIPE:
        encoded = Encoded(form, _to_pipe)
        yield encoded
        encoded.finish()
    else:
        with written_bytes(Path(output)) as write:
            encoded = Encoded(form, write)
            yield encoded
            encoded.finish()


class Encoded:
    """Speech in a format, to whatever takes bytes."""

    def __init__(self, form: SpeechFormat, write: Callable[[bytes], object]) -> None:
        self._form, self._write = form, write
        self._encoder: Encoder | None = None

    def take(self, samples: Samples, sample_rate: int) -> None:
        self._encoder = self._encoder or open_encoder(self._form, sample_rate)
        self._write(self._encoder.feed(samples))

    def finish(self) -> None:
        if self._encoder is not None:
            self._write(self._encoder.finish())


class Played:
    """Speech to the loudspeaker, which is opened with the first of it."""

    def __init__(self) -> None:
        self.player: Player | None = None

    def take(self, samples: Samples, sample_rate: int) -> None:
        self.player = self.player or open_player(sample_rate)
        self.player.play(samples)


@contextlib.contextmanager
def _played() -> Iterator[Played]:
    played = Played()
    try:
        yield played
    except BaseException:
        if played.player is not None:
            played.player.stop()
        raise
    if played.player is not None:
        played.player.finish()


def _to_pipe(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
