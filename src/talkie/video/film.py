"""A whole film in a container that FFmpeg writes: an MP4 that begins to play at once, or WebM; in a file or streamed.

A file appears under its name when it is whole. Knows nothing of faces.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeAlias

import av

from talkie.errors import VideoFailed
from talkie.types import FaceChunk
from talkie.video.codecs import RECIPES, VideoCodec, VideoPlan, configure
from talkie.video.encode import Planes
from talkie.video.pace import Pace
from talkie.video.sound import SOUND_HZ, SoundCodec, SoundFrames, configure_sound, encoder_name

Form: TypeAlias = Literal["mp4", "webm"]
CODECS: dict[Form, tuple[VideoCodec, SoundCodec]] = {"mp4": ("h264", "aac"), "webm": ("vp9", "opus")}
FILE_OPTIONS: dict[Form, dict[str, str]] = {"mp4": {"movflags": "+faststart"}, "webm": {}}
STREAM_OPTIONS = {"live": "1", "cluster_time_limit": "400", "flush_packets": "1"}


class Sink:
    """A file that only grows, and forgets what was taken from it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


class Film:
    """Picture and sound into `target`, a path or a sink. Sizes and rates are those of the first frames.

    Raises `VideoFailed`; a full disk is an `OSError`.
    """

    def __init__(self, target: Path | Sink, form: Form) -> None:
        self._target, self._form = target, form
        self._pace = Pace()
        self._sound = SoundFrames(CODECS[form][1])
        self._container: Any = None
        self._streams: tuple[Any, Any] = (None, None)
        self._planes: Planes | None = None

    def add(self, chunk: FaceChunk) -> None:
        chunk = self._pace.take(chunk)
        with _foreign():
            if self._container is None and chunk.frames:
                self._open(chunk)
            for frame in chunk.frames:
                self._show(frame.image, frame.index)
            self._say(self._sound.feed(chunk.samples, chunk.sample_rate) if len(chunk.samples) else [])

    def finish(self) -> None:
        """The last of both, and what the container ends in."""
        self._pace.finish()
        with _foreign():
            self._say([*self._sound.finish(), None])
            self._mux(self._streams[0], None)
            self._container.close()
        self._container = None

    def close(self) -> None:
        """The film is not wanted; harmless after `finish`."""
        container, self._container = self._container, None
        if container is not None:
            with contextlib.suppress(av.FFmpegError, OSError, ValueError):
                container.close()

    def _open(self, chunk: FaceChunk) -> None:
        height, width, _ = chunk.frames[0].image.shape
        codec, sound = CODECS[self._form]
        live = isinstance(self._target, Sink)
        plan = VideoPlan(width, height, chunk.fps, codec, live)
        target: Any = self._target if live else str(self._target)
        options = STREAM_OPTIONS if live else FILE_OPTIONS[self._form]
        self._container = av.open(target, "w", format=self._form, options={"fflags": "+bitexact", **options})
        pictures: Any = self._container.add_stream(RECIPES[codec].encoder, rate=plan.rate)
        configure(pictures.codec_context, plan)
        heard: Any = self._container.add_stream(encoder_name(sound), rate=SOUND_HZ)
        configure_sound(heard.codec_context, sound)
        self._planes, self._streams = Planes(plan), (pictures, heard)

    def _show(self, image: Any, index: int) -> None:
        assert self._planes is not None
        pictures = self._streams[0]
        frame = self._planes.of(image)
        frame.pts, frame.time_base = index, pictures.codec_context.time_base
        self._mux(pictures, frame)

    def _say(self, frames: list[Any]) -> None:
        for frame in frames:
            self._mux(self._streams[1], frame)

    def _mux(self, stream: Any, frame: Any) -> None:
        self._container.mux(stream.encode(frame))


def write_film(path: Path, chunks: Iterable[FaceChunk], form: Form = "mp4") -> None:
    """All of it into a file, which is there whole or not at all. Raises what `chunks` raises, `VideoFailed`."""
    with part_of(path) as part:
        film = Film(part, form)
        try:
            for chunk in chunks:
                film.add(chunk)
            film.finish()
        finally:
            film.close()


@contextlib.contextmanager
def part_of(path: Path) -> Iterator[Path]:
    """A name beside `path` that becomes it when the block ends well; what is there else is taken away."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = beside(path)
    try:
        yield part
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def beside(path: Path) -> Path:
    """A name of its own in the same directory, for what is not whole yet."""
    return path.with_name(f".{path.name[:80]}.{secrets.token_hex(4)}.part")


@contextlib.contextmanager
def _foreign() -> Iterator[None]:
    """What FFmpeg raises, as ours; what the machine raises (a full disk, a file that may not be written) stays."""
    try:
        yield
    except (PermissionError, FileNotFoundError, FileExistsError, IsADirectoryError):
        raise
    except av.FFmpegError as error:
        if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
            raise OSError(error.errno, error.strerror) from error
        raise VideoFailed(f"{error.strerror or type(error).__name__}.") from error
