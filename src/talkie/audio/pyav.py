"""Every other container and codec: FFmpeg, through PyAV, on a short lead.

Knows nothing of what a file is called or where it lies: FFmpeg gets a reader without a name, may open nothing else
(`io_open` refuses, no protocol is allowed), may use only demuxers of the list in `sniff.py`, and decodes sound only,
with one thread. Its own log stays off, as PyAV leaves it: it would quote titles and names.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any, NoReturn

import av
import numpy as np
from av.codec import Codec, codecs_available
from av.stream import Discard
from numpy.typing import NDArray

from talkie.audio.downmix import layout_weights, to_mono
from talkie.audio.endings import falls_short, mp3_counts_frames, mp4_has_index, ogg_is_cut, wav_header
from talkie.audio.formats import AudioInfo, Findings, Piece, check_shape
from talkie.audio.sniff import DEMUXERS, HEAD_BYTES, Kind
from talkie.audio.source import Source
from talkie.audio.timeline import Timeline, silence
from talkie.errors import AudioError, ContainerNotAllowed, NoAudioStream, UndecodableAudio

BUFFER_BYTES = 1 << 16
GATHER_SAMPLES = 1 << 16
"""Frames are gathered to about this many samples before they are converted: most are only 20 ms long."""
MAX_FRAME_SAMPLES = 1 << 22
"""Some codecs let a file name the size of a frame; honest ones stay far below this."""
PACKETS_TO_LIMIT = 1000
"""How many packets after the key frame before a time are looked at for that time: 20 seconds of speech codecs."""
TIMED = frozenset(("matroska", "mov", "ogg", "asf", "flv"))
"""Containers whose time stamps are written, not counted up."""
SCALES = {"u8": 2.0**7, "s16": 2.0**15, "s32": 2.0**31, "flt": 1.0, "dbl": 1.0}


class PyavDecoder:
    """Raises `UndecodableAudio`, `NoAudioStream`, `ContainerNotAllowed`."""

    def __init__(self, source: Source, kind: Kind) -> None:
        self._source, self._kind = source, kind
        self._container = _open(source, kind)
        try:
            self._stream = self._choose()
            self._prepare()
        except _FOREIGN as error:
            self.close()
            _reraise(error)
            raise UndecodableAudio from error

    def _choose(self) -> Any:
        streams = self._container.streams.audio
        if not streams:
            raise NoAudioStream
        stream = self._container.streams.best("audio") or streams[0]
        if stream.codec_context is None:
            raise UndecodableAudio("nothing here decodes its codec.")
        for other in self._container.streams:
            if other is not stream:
                other.discard = Discard.all
        return stream

    def _prepare(self) -> None:
        stream, context = self._stream, self._stream.codec_context
        context.thread_count = 1
        context.thread_type = "NONE"
        if context.sample_rate or context.channels:
            check_shape(context.sample_rate, context.channels)
        self._name = self._container.format.name.split(",")[0]
        duration_s = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None
        if duration_s is None and self._container.duration:
            duration_s = self._container.duration / av.time_base
        duration_s = duration_s if duration_s and duration_s > 0 else None
        self.info = AudioInfo(self._name, context.name, context.sample_rate, context.channels, duration_s)
        self.findings = Findings(expected_s=self._expected(duration_s))

    def _expected(self, duration_s: float | None) -> float | None:
        """How long the recording must be, where the container counts it and does not guess."""
        if self._name == "wav":
            header = wav_header(self._source)
            return header.expected_s if header else None
        alone = len(self._container.streams) == 1
        counted = self._name == "mov" or (self._name in ("matroska", "flac", "tta", "ape") and alone)
        if self._name == "mp3":
            counted = mp3_counts_frames(self._source.peek(0, HEAD_BYTES))
        return duration_s if counted else None

    def surely_longer_than(self, seconds: float) -> bool:
        """Is there a packet with a time stamp that late? Looked for only where the header claims such a length."""
        known = self.info.duration_s
        if known is None or known <= seconds or self._name not in TIMED:
            return False
        with _open(self._source, self._kind) as container:
            stream = container.streams[self._stream.index]
            late = (seconds + (container.start_time or 0) / av.time_base) / stream.time_base
            try:
                container.seek(int(late), stream=stream)
                packets = islice(container.demux(stream), PACKETS_TO_LIMIT)
                return any(packet.size and packet.pts is not None and packet.pts >= late for packet in packets)
            except _FOREIGN:
                return False

    def pieces(self) -> Iterator[Piece]:
        timeline = Timeline()
        gathered = _Gathered()
        for frame in self._frames():
            hole = timeline.hole(self._time(frame))
            if not gathered.takes(frame) or gathered.samples >= GATHER_SAMPLES or hole:
                yield from gathered.release()
            if hole:
                timeline.add(round(hole * frame.sample_rate), frame.sample_rate)
                yield from silence(hole, frame.sample_rate)
            gathered.add(frame)
            timeline.add(frame.samples, frame.sample_rate)
        yield from gathered.release()
        self.findings.truncated |= falls_short(timeline.held_s, self.findings.expected_s)
        self.findings.truncated |= self._name == "ogg" and ogg_is_cut(self._source)

    def _time(self, frame: Any) -> float | None:
        """Seconds from the start of the container, where its time stamps mean something."""
        if self._name not in TIMED or frame.pts is None or frame.time_base is None:
            return None
        return float(frame.pts * frame.time_base) - (self._container.start_time or 0) / av.time_base

    def _frames(self) -> Iterator[Any]:
        """Decoded frames; a damaged packet is skipped, a damaged container ends the recording."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
            except _FOREIGN as error:
                self.findings.truncated = True
                _reraise(error)
                return
            try:
                frames = packet.decode()
            except EOFError:
                return
            except _FOREIGN as error:
                _reraise(error)
                self.findings.skipped += 1
                continue
            for frame in frames:
                if frame.samples > MAX_FRAME_SAMPLES:
                    raise UndecodableAudio("its frames are too large.")
                if frame.samples > 0:
                    check_shape(frame.sample_rate, len(frame.layout.channels))
                    yield frame

    def close(self) -> None:
        self._container.close()


class _Gathered:
    """Frames of one shape, converted together."""

    def __init__(self) -> None:
        self.samples = 0
        self._frames: list[NDArray[Any]] = []
        self._shape: tuple[Any, ...] = ()

    def takes(self, frame: Any) -> bool:
        return not self._frames or self._shape == _shape(frame)

    def add(self, frame: Any) -> None:
        self._shape = _shape(frame)
        channels = len(frame.layout.channels)
        array = frame.to_ndarray()
        self._frames.append(array.T if frame.format.is_planar else array.reshape(-1, channels))
        self.samples += frame.samples

    def release(self) -> Iterator[Piece]:
        if not self._frames:
            return
        rate, format_name, layout = self._shape
        joined = np.concatenate(self._frames)
        self._frames, self.samples = [], 0
        yield Piece(to_mono(_to_float(joined, format_name), _weights(layout)), rate)


def _shape(frame: Any) -> tuple[Any, ...]:
    return frame.sample_rate, frame.format.packed.name, frame.layout.name


def _to_float(samples: NDArray[Any], format_name: str) -> NDArray[np.float32]:
    with np.errstate(over="ignore", invalid="ignore"):
        values = samples.astype(np.float32)
    if format_name == "u8":
        values -= 128
    scale = SCALES[format_name]
    return values if scale == 1 else values / np.float32(scale)


@cache
def _weights(layout: str) -> NDArray[np.float32]:
    return layout_weights([channel.name for channel in av.AudioLayout(layout).channels])


_FOREIGN = (av.FFmpegError, ValueError, RuntimeError, LookupError, OSError, TypeError, AudioError)
"""What PyAV raises, and what our own reader raises through it."""


def _open(source: Source, kind: Kind) -> Any:
    try:
        return av.open(
            source.reader(),
            mode="r",
            format=kind.demuxer or None,
            container_options={
                "format_whitelist": ",".join(DEMUXERS),
                "protocol_whitelist": "none",
                "codec_whitelist": _sound_codecs(),
            },
            metadata_errors="ignore",
            buffer_size=BUFFER_BYTES,
            io_open=_refuse,
        )
    except _FOREIGN as error:
        _reraise(error)
        if kind.demuxer == "mov" and not mp4_has_index(source):
            raise UndecodableAudio("its index is missing: the recording was cut off before it was finished.") from error
        raise UndecodableAudio from error


def _refuse(url: str, flags: int, options: dict[str, str]) -> NoReturn:
    raise ContainerNotAllowed("it refers to other files")


def _reraise(error: BaseException) -> None:
    """Our own errors come through FFmpeg unharmed."""
    if isinstance(error, AudioError):
        raise error


@cache
def _sound_codecs() -> str:
    """Decoders of sound that FFmpeg may open while it looks at the streams: pictures are none of our business."""
    names = []
    for name in codecs_available:
        try:
            if Codec(name, "r").type == "audio":
                names.append(name)
        except ValueError:  # an encoder
            continue
    return ",".join(sorted(names))
