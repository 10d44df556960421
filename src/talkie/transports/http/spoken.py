"""What a request for speech sends, made on its own thread: encoded pieces, each with the marks that begin in it.

The service makes samples, an encoder makes bytes of them; long stretches are cut, so that a slow reader is waited for a
quarter of a second at a time. Knows nothing of sockets.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from talkie.audio.encoders import open_encoder
from talkie.errors import EngineFailed, NothingToSay
from talkie.types import Mark, Samples

if TYPE_CHECKING:
    from talkie.runtime.cancel import CancelToken
    from talkie.transports.speech import SpeakService
    from talkie.types import SpeechChunk
    from talkie.wire.speech import SpeechCall

PIECE_S = 0.25
"""Short, so that the first bytes do not wait for the encoding of a whole sentence."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """`data` may be empty where an encoder still waits for more; `end_s` seconds of speech were made by now."""

    data: bytes
    marks: tuple[Mark, ...]
    end_s: float


def spoken(service: SpeakService, call: SpeechCall, cancel: CancelToken) -> Iterator[Spoken]:
    """Pieces as the speech is made. Raises what the service raises, `NothingToSay` where it made no sound at all."""
    chunks = service.speak(call.request, cancel)
    with contextlib.closing(chunks):  # type: ignore[type-var]
        first = next(chunks, None)
        if first is None:
            raise NothingToSay
        rate = first.sample_rate
        try:
            encoder = open_encoder(call.response_format, rate)
        except ValueError as error:
            raise EngineFailed("encoder", f"{error}.") from None
        made = 0
        for part, marks in _parts(chain((first,), chunks), round(PIECE_S * rate)):
            cancel.check()
            made += len(part)
            yield Spoken(encoder.feed(part), marks, made / rate)
        yield Spoken(encoder.finish(), (), made / rate)


def _parts(chunks: Iterable[SpeechChunk], most: int) -> Iterator[tuple[Samples, tuple[Mark, ...]]]:
    """Stretches of so many samples at most; the marks of a chunk go with its first."""
    for chunk in chunks:
        yield chunk.samples[:most], chunk.marks
        for at in range(most, len(chunk.samples), most):
            yield chunk.samples[at : at + most], ()
