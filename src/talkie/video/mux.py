"""A talking face as a stream of bytes while it is made: fragmented MP4, or WebM.

Both begin at 0 with picture and sound. Knows nothing of sockets; files are `film.py`.
"""

from __future__ import annotations

from typing import Protocol

from talkie.types import FaceChunk, VideoFrame
from talkie.video.codecs import with_lengths
from talkie.video.encode import TICKS_HZ, AccessUnit, VideoEncoder
from talkie.video.film import Film, Form, Sink, write_film
from talkie.video.mp4 import SOUND, VIDEO, Run, Sample, SoundTrack, VideoTrack, fragment, init_segment
from talkie.video.pace import Pace
from talkie.video.sound import PRIMING, SOUND_HZ, SoundEncoder

__all__ = ["FragmentedMp4", "Muxer", "WebM", "open_muxer", "write_film"]

FRAGMENT_S = 0.2
"""At least, but for the first and the last: shorter ones are mostly boxes."""


class Muxer(Protocol):
    """One film. `finish` is called once, `close` always; after an error only `close` may be called."""

    @property
    def media_type(self) -> str:
        """With the codecs as soon as bytes came."""
        ...

    def add(self, chunk: FaceChunk) -> bytes:
        """What is whole by now, which may be nothing. Raises `VideoFailed`."""
        ...

    def finish(self) -> bytes: ...

    def close(self) -> None: ...


def open_muxer(form: Form) -> Muxer:
    return FragmentedMp4() if form == "mp4" else WebM()


class FragmentedMp4:
    """H.264 and AAC. The first chunk with a picture gives the header and the first fragment."""

    media_type = "video/mp4"

    def __init__(self) -> None:
        self._pace = Pace()
        self._sound = SoundEncoder("aac")
        self._video: VideoEncoder | None = None
        self._pictures, self._sounds = _Line(VIDEO), _Line(SOUND)
        self._fragments = 0

    def add(self, chunk: FaceChunk) -> bytes:
        chunk = self._pace.take(chunk)
        head = self._begin(chunk) if self._video is None and chunk.frames else b""
        for frame in chunk.frames:
            self._show(frame)
        if len(chunk.samples):
            self._sounds.samples += [
                Sample(u.data, u.duration) for u in self._sound.feed(chunk.samples, chunk.sample_rate)
            ]
        waiting_s = max(self._pictures.ticks / TICKS_HZ, self._sounds.ticks / SOUND_HZ)
        return head + (self._cut() if head or waiting_s >= FRAGMENT_S else b"")

    def finish(self) -> bytes:
        self._pace.finish()
        assert self._video is not None
        self._keep(self._video.flush())
        self._sounds.samples += [Sample(unit.data, unit.duration) for unit in self._sound.finish()]
        return self._cut()

    def close(self) -> None:
        if self._video is not None:
            self._video.close()

    def _begin(self, chunk: FaceChunk) -> bytes:
        height, width, _ = chunk.frames[0].image.shape
        self._video = video = VideoEncoder(width, height, chunk.fps)
        self.media_type = f'video/mp4; codecs="{video.codec_string}, mp4a.40.2"'
        return init_segment(
            VideoTrack(video.width, video.height, TICKS_HZ, video.avcc),
            SoundTrack(SOUND_HZ, self._sound.header, PRIMING["aac"]),
        )

    def _show(self, frame: VideoFrame) -> None:
        assert self._video is not None
        self._keep(self._video.encode(frame.image, frame.index))

    def _keep(self, units: list[AccessUnit]) -> None:
        for unit in units:
            ticks = round(unit.pts + unit.duration_s * TICKS_HZ) - self._pictures.start - self._pictures.ticks
            self._pictures.samples.append(Sample(with_lengths(unit.data), ticks, unit.key))

    def _cut(self) -> bytes:
        runs = [line.cut() for line in (self._pictures, self._sounds) if line.samples]
        if not runs:
            return b""
        self._fragments += 1
        return fragment(self._fragments, runs)


class _Line:
    """Samples of one track that wait for their fragment."""

    def __init__(self, track: int) -> None:
        self.track, self.start = track, 0
        self.samples: list[Sample] = []

    @property
    def ticks(self) -> int:
        return sum(sample.duration for sample in self.samples)

    def cut(self) -> Run:
        run = Run(self.track, self.start, tuple(self.samples))
        self.start += self.ticks
        self.samples = []
        return run


class WebM:
    """VP9 and Opus, in clusters of 0.4 s."""

    media_type = "video/webm"

    def __init__(self) -> None:
        self._sink = Sink()
        self._film = Film(self._sink, "webm")

    def add(self, chunk: FaceChunk) -> bytes:
        self._film.add(chunk)
        return self._sink.take()

    def finish(self) -> bytes:
        self._film.finish()
        return self._sink.take()

    def close(self) -> None:
        self._film.close()
