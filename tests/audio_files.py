"""Recordings of every kind, made on the fly: good ones, odd ones and hostile ones, as bytes.

`tone` is what they hold, so that what comes out can be compared. `make(name)` gives a good file by the name of its
format, `HOSTILE` a table of bad ones.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import soundfile

Floats = npt.NDArray[np.float32]


def tone(seconds: float = 1.0, rate: int = 16_000, hz: float = 440.0, level: float = 0.3) -> Floats:
    """A sine, mono float32."""
    return (level * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def wav(samples: Any, rate: int = 16_000, subtype: str = "PCM_16", container: str = "WAV") -> bytes:
    """Through libsndfile: `container` WAV, WAVEX, RF64, W64, FLAC, AIFF, OGG, AU, CAF..."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, subtype=subtype, format=container)
    return file.getvalue()


class Pipe(io.RawIOBase):
    """A sink that cannot seek, as a browser's recorder is: no duration, no index is ever written."""

    def __init__(self) -> None:
        super().__init__()
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.data += bytes(data)
        return len(data)


def encode(
    samples: Floats,
    rate: int = 16_000,
    container: str = "mp3",
    codec: str = "mp3",
    *,
    layout: str = "mono",
    pipe: bool = False,
    options: dict[str, str] | None = None,
    coded_rate: int | None = None,
    start_s: float = 0.0,
    picture: bool = False,
) -> bytes:
    """Through FFmpeg. `samples` is mono and goes to every channel of `layout`."""
    sink: Any = Pipe() if pipe else io.BytesIO()
    with av.open(sink, "w", format=container, options=options or {}) as output:
        stream: Any = output.add_stream(codec, rate=coded_rate or rate)
        stream.layout = layout
        image: Any = output.add_stream("mjpeg", rate=1) if picture else None
        if image is not None:
            image.width, image.height, image.pix_fmt = 64, 64, "yuvj420p"
            for packet in image.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")):
                output.mux(packet)
        channels = stream.codec_context.channels
        interleaved = np.repeat(samples, channels).reshape(1, -1)
        resampler = av.AudioResampler(stream.codec_context.format, layout, coded_rate or rate, _frame_size(stream))
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(interleaved), format="flt", layout=layout)
        frame.sample_rate = rate
        frame.pts = round(start_s * rate)
        for part in [*resampler.resample(frame), *resampler.resample(None), None]:
            for packet in stream.encode(part):
                output.mux(packet)
    return bytes(sink.data) if pipe else sink.getvalue()


def _frame_size(stream: Any) -> int | None:
    return stream.codec_context.frame_size or 1024
