"""Recordings of every kind, made on the fly: good ones, odd ones and hostile ones, as bytes.

`tone` is what they hold, so that what comes out can be compared. `GOOD` makes a good file of each format, `HOSTILE` is
a table of bad ones with the code that each must give, `mutations` damages good ones.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Iterator
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


FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}

GOOD: dict[str, Callable[[Floats, int], bytes]] = {
    "wav-s16": lambda x, rate: wav(x, rate),
    "wav-s24": lambda x, rate: wav(x, rate, "PCM_24"),
    "wav-s32": lambda x, rate: wav(x, rate, "PCM_32"),
    "wav-u8": lambda x, rate: wav(x, rate, "PCM_U8"),
    "wav-f32": lambda x, rate: wav(x, rate, "FLOAT"),
    "wav-f64": lambda x, rate: wav(x, rate, "DOUBLE"),
    "wav-mulaw": lambda x, rate: wav(x, rate, "ULAW"),
    "wav-alaw": lambda x, rate: wav(x, rate, "ALAW"),
    "wav-ima-adpcm": lambda x, rate: wav(x, rate, "IMA_ADPCM"),
    "wav-ms-adpcm": lambda x, rate: wav(x, rate, "MS_ADPCM"),
    "wav-mp3": lambda x, rate: encode(x, rate, "wav", "libmp3lame"),
    "wav-extensible": lambda x, rate: wav(x, rate, container="WAVEX"),
    "rifx": lambda x, rate: _rifx(x, rate),
    "rf64": lambda x, rate: wav(x, rate, container="RF64"),
    "w64": lambda x, rate: wav(x, rate, container="W64"),
    "aiff": lambda x, rate: wav(x, rate, container="AIFF"),
    "au": lambda x, rate: wav(x, rate, container="AU"),
    "caf": lambda x, rate: wav(x, rate, container="CAF"),
    "nist-sphere": lambda x, rate: wav(x, rate, container="NIST"),
    "flac": lambda x, rate: wav(x, rate, container="FLAC"),
    "mp3": lambda x, rate: encode(x, rate, "mp3", "libmp3lame"),
    "mp3-cover": lambda x, rate: encode(x, rate, "mp3", "libmp3lame", picture=True),
    "mp2": lambda x, rate: encode(x, rate, "mp2", "mp2"),
    "ogg-vorbis": lambda x, rate: wav(x, rate, "VORBIS", "OGG"),
    "ogg-opus": lambda x, rate: encode(x, rate, "ogg", "libopus", coded_rate=48_000),
    "ogg-flac": lambda x, rate: encode(x, rate, "ogg", "flac"),
    "webm-opus": lambda x, rate: encode(x, rate, "webm", "libopus", coded_rate=48_000),
    "webm-opus-recorder": lambda x, rate: encode(x, rate, "webm", "libopus", coded_rate=48_000, pipe=True),
    "matroska-pcm": lambda x, rate: encode(x, rate, "matroska", "pcm_s16le"),
    "mp4-aac": lambda x, rate: encode(x, rate, "mp4", "aac"),
    "mp4-aac-fragmented": lambda x, rate: encode(x, rate, "mp4", "aac", pipe=True, options=FRAGMENTED),
    "mp4-opus": lambda x, rate: encode(x, rate, "mp4", "libopus", coded_rate=48_000),
    "mov-alac": lambda x, rate: encode(x, rate, "mov", "alac"),
    "aac-adts": lambda x, rate: encode(x, rate, "adts", "aac"),
    "ac3": lambda x, rate: encode(x, rate, "ac3", "ac3"),
    "eac3": lambda x, rate: encode(x, rate, "eac3", "eac3"),
    "mpegts-aac": lambda x, rate: encode(x, rate, "mpegts", "aac"),
    "flv-aac": lambda x, rate: encode(x, rate, "flv", "aac"),
    "avi-mp3": lambda x, rate: encode(x, rate, "avi", "libmp3lame"),
    "wavpack": lambda x, rate: encode(x, rate, "wv", "wavpack"),
    "tta": lambda x, rate: encode(x, rate, "tta", "tta"),
}
"""One file of each kind from mono samples and their rate (48 kHz suits them all)."""


def _rifx(samples: Floats, rate: int) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, subtype="PCM_16", format="WAV", endian="BIG")
    return file.getvalue()


def id3(size: int, body: bytes = b"") -> bytes:
    """An ID3v2 tag that says it has `size` bytes, and has `body`."""
    return b"ID3\x03\0\0" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + body


def claiming(data: bytes, data_bytes: int) -> bytes:
    """A WAV whose data chunk says another length."""
    place = data.index(b"data") + 4
    return data[:place] + struct.pack("<I", data_bytes) + data[place + 4 :]


def lying_webm(seconds: float) -> bytes:
    """One second of sound whose header says `seconds`."""
    data = GOOD["webm-opus"](tone(1.0, 48_000), 48_000)
    place = data.index(b"\x44\x89\x88") + 3
    return data[:place] + struct.pack(">d", seconds * 1000) + data[place + 8 :]


def silent_video() -> bytes:
    """Pictures, and no sound."""
    sink = io.BytesIO()
    with av.open(sink, "w", format="matroska") as output:
        stream: Any = output.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for _ in range(5):
            picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))
    return sink.getvalue()


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("speech.wav", wav(tone()))
    return file.getvalue()


def _channels(count: int) -> bytes:
    return wav(np.repeat(tone(0.1)[:, None], count, axis=1))


PLAYLISTS: dict[str, bytes] = {
    "m3u8": b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    "m3u8 behind a byte order mark": b"\xef\xbb\xbf  \r\n#EXTM3U\nhttp://127.0.0.1/\n",
    "m3u8 with bytes behind it": b"#EXTM3U\nfile:///etc/passwd\n\xff\xfe\x00\x01" + bytes(500),
    "m3u8 in UTF-16": "\ufeff#EXTM3U\nhttp://127.0.0.1/\n".encode("utf-16-le"),
    "concat": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "concat without its first line": b"file '/etc/passwd'\n",
    "sdp": b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nm=audio 5004 RTP/AVP 0\r\n",
    "dash": b'<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>',
    "pls": b"[playlist]\nFile1=http://127.0.0.1/\n",
    "smil": b"<smil><body><audio src='http://127.0.0.1/'/></body></smil>",
    "an address": b"http://127.0.0.1/speech.wav\n",
}
"""Files that tell a player what else to open."""

HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "empty_audio"),
    "a wav without samples": (lambda: wav(np.zeros(0, np.float32)), "empty_audio"),
    "one byte": (lambda: b"\x00", "undecodable_audio"),
    "text": (lambda: b"Please transcribe this.\n" * 50, "undecodable_audio"),
    "html": (lambda: b"<!DOCTYPE html><html><body></body></html>", "undecodable_audio"),
    "zip": (_zip, "undecodable_audio"),
    "picture": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(200), "undecodable_audio"),
    "zeros": (lambda: bytes(100_000), "undecodable_audio"),
    "noise": (lambda: np.random.default_rng(1).bytes(200_000), "undecodable_audio"),
    "a tag that claims 250 MB": (lambda: id3(250_000_000) + bytes(1000), "undecodable_audio"),
    "a rate of 1 Hz": (lambda: wav(tone(), 1), "undecodable_audio"),
    "a rate of 400 kHz": (lambda: wav(tone(), 400_000), "undecodable_audio"),
    "64 channels": (lambda: _channels(64), "undecodable_audio"),
    "9 channels": (lambda: _channels(9), "undecodable_audio"),
    "a video without sound": (silent_video, "no_audio_stream"),
    "an mp4 that was cut off": (lambda: GOOD["mp4-aac"](tone(), 16_000)[:4000], "undecodable_audio"),
    **{name: (lambda data=data: data, "container_not_allowed") for name, data in PLAYLISTS.items()},
}
"""What must be refused, and with which code."""


def mutations(count: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """`count` damaged files of every container: bytes changed, lengths blown up, pieces lost and pieces added."""
    samples = tone(1.0, 48_000)
    names = [name for name in GOOD if name not in ("wav-s32", "wav-f64", "wav-extensible")]
    for number in range(count):
        random = np.random.default_rng((seed, number))
        name = names[number % len(names)]
        data = bytearray(GOOD[name](samples, 48_000))
        for _ in range(int(random.choice([1, 5, 50]))):
            place = int(random.integers(min(len(data), int(random.choice([64, 512, 1 << 20])))))
            match int(random.integers(4)):
                case 0:
                    data[place] = int(random.integers(256))
                case 1:
                    data[place : place + 4] = [b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", bytes(4)][number % 3]
                case 2:
                    del data[place : place + int(random.integers(1, 50))]
                case _:
                    data[place:place] = random.bytes(int(random.integers(1, 20)))
        yield f"{name} {number}", bytes(data)
