"""A recording or a text as a moving picture, made on its own thread: pieces of a file, or single pictures.

The service makes frames and sound, `talkie.video` makes bytes of them. Knows nothing of sockets.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from talkie.errors import NothingToSay

if TYPE_CHECKING:
    from talkie.runtime.cancel import CancelToken
    from talkie.transports.face import FaceService
    from talkie.types import FaceChunk
    from talkie.wire.video import AnimateCall


@dataclass(frozen=True, slots=True)
class Filmed:
    """`data` may be empty where a writer still waits for more; `end_s` seconds were made by now."""

    data: bytes
    end_s: float


def moving(
    service: FaceService, call: AnimateCall, recording: IO[bytes] | None, cancel: CancelToken
) -> Iterator[FaceChunk]:
    """What was asked for, as it is made: the text, or the recording. Raises what the service raises."""
    if call.spoken is not None:
        return service.show(call.spoken, call.face, cancel)
    assert recording is not None
    return service.animate(recording, call.face, cancel)


def filmed(
    service: FaceService, call: AnimateCall, recording: IO[bytes] | None, cancel: CancelToken
) -> Iterator[Filmed]:
    """The pieces of a file with picture and sound. Raises what the service raises, `VideoFailed`, and `NothingToSay`
    where nothing was made at all."""
    from talkie.video.mux import open_muxer  # FFmpeg is 100 ms of imports that a server without faces does without

    assert call.response_format != "mjpeg"
    end_s = 0.0
    chunks = moving(service, call, recording, cancel)
    with contextlib.closing(chunks), contextlib.closing(open_muxer(call.response_format)) as muxer:  # type: ignore[type-var]
        for chunk in chunks:
            cancel.check()
            end_s = end_of(chunk)
            yield Filmed(muxer.add(chunk), end_s)
        if not end_s:
            raise NothingToSay
        yield Filmed(muxer.finish(), end_s)


def stills(
    service: FaceService, call: AnimateCall, recording: IO[bytes] | None, cancel: CancelToken
) -> Iterator[Filmed]:
    """A JPEG for each frame, without sound; `end_s` is when the next takes its place. Raises as `filmed` does."""
    from talkie.video.jpeg import jpeg

    seen = False
    chunks = moving(service, call, recording, cancel)
    with contextlib.closing(chunks):  # type: ignore[type-var]
        for chunk in chunks:
            for frame in chunk.frames:
                cancel.check()
                seen = True
                yield Filmed(jpeg(frame.image), (frame.index + 1) / chunk.fps)
    if not seen:
        raise NothingToSay


def end_of(chunk: FaceChunk) -> float:
    """When its sound has ended, in seconds."""
    return chunk.start_s + len(chunk.samples) / chunk.sample_rate
