"""Talking faces in messages of `talkie.v1`: requests to what Talkie understands, pictures back. Pure.

The contract is `protos/talkie/v1/talkie.proto`. No answer is longer than `PIECE_BYTES` and its frame, for clients take
4 MB and a picture of 1080 rows has six.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from talkie.audio.formats import RawFormat
from talkie.errors import InvalidValue
from talkie.runtime.face import FaceRequest
from talkie.types import FaceChunk, VideoFrame
from talkie.wire.grpc_requests import raw_format
from talkie.wire.grpc_speech import MAX_GENERATION, raw_audio, short, speak_request
from talkie.wire.protos.talkie.v1 import talkie_pb2 as pb
from talkie.wire.video import MAX_MOOD, MEDIA_TYPES, AnimateCall, VideoFormat, avatar_name, side

PIECE_BYTES = 1024 * 1024
FORMS: dict[int, VideoFormat | None] = {
    pb.AnimateRequest.OUTPUT_UNSPECIFIED: "mp4",
    pb.AnimateRequest.OUTPUT_MP4: "mp4",
    pb.AnimateRequest.OUTPUT_WEBM: "webm",
    pb.AnimateRequest.OUTPUT_FRAMES: None,
}


def output(message: pb.AnimateRequest) -> VideoFormat | None:
    """The form of the film; None: pictures as they are. Raises `InvalidValue`."""
    if message.output not in FORMS:
        raise InvalidValue("output", f"There is no output {message.output}.")
    return FORMS[message.output]


def animate_call(message: pb.AnimateRequest, owner: str | None) -> AnimateCall:
    """Raises `InvalidValue`, `BadRawParameters`, `AvatarNotFound`."""
    source = message.WhichOneof("source")
    if source is None:
        raise InvalidValue("source", "There is neither audio nor a text.", hint="Set `text` or `audio`.")
    raw = raw_format(message.raw) if source == "audio" and message.HasField("raw") else None
    face = FaceRequest(
        avatar=avatar_name(message.avatar or "auto"),
        width=side("width", message.width),
        height=side("height", message.height),
        mood=short("mood", message.mood, MAX_MOOD),
        raw=raw,
        generation=message.generation,
        owner=owner,
    )
    return AnimateCall(face, speak_request(message, owner) if source == "text" else None, output(message) or "mp4")


def film_format(form: VideoFormat) -> pb.AnimateFormat:
    return pb.AnimateFormat(media_type=MEDIA_TYPES[form])


def frames_format(chunk: FaceChunk) -> pb.AnimateFormat:
    """As the first chunk with a picture shows it."""
    height, width = chunk.frames[0].image.shape[:2]
    audio = raw_audio(RawFormat(chunk.sample_rate, 1, "s16le"))
    return pb.AnimateFormat(width=width, height=height, fps=chunk.fps, audio=audio)


def frame_messages(frame: VideoFrame, fps: float) -> Iterator[pb.VideoFrame]:
    """The picture in stretches of rows."""
    height, width = frame.image.shape[:2]
    rows = max(1, PIECE_BYTES // (3 * width))
    for first in range(0, height, rows):
        rgb = np.ascontiguousarray(frame.image[first : first + rows, :, ::-1])
        yield pb.VideoFrame(
            at_s=round(frame.index / fps, 4),
            width=width,
            height=height,
            rgb=rgb.tobytes(),
            index=frame.index,
            first_row=first,
        )


def answer_generation(call: AnimateCall) -> int:
    return call.face.generation & MAX_GENERATION
