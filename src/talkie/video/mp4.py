"""Fragmented MP4 (ISO/IEC 14496-12, -14 and -15): the boxes of one track of H.264 and one of AAC.

Written here and not by FFmpeg because its muxer cuts a fragment only when the next has begun: that is half a second
more before the first picture. Knows nothing of encoders; units go in, bytes come out.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

VIDEO, SOUND = 1, 2
"""Numbers of the tracks."""
KEY_FLAGS, OTHER_FLAGS = 0x0200_0000, 0x0101_0000
"""Depends on no other sample; depends on others and is no sync sample."""
MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x4000_0000)
BT709_LIMITED = struct.pack(">4sHHHB", b"nclx", 1, 1, 1, 0)


@dataclass(frozen=True, slots=True)
class Sample:
    """One access unit; `duration` in ticks of its track."""

    data: bytes
    duration: int
    key: bool = True


@dataclass(frozen=True, slots=True)
class Run:
    """Samples of one track, the first decoded at `start` ticks."""

    track: int
    start: int
    samples: Sequence[Sample]


@dataclass(frozen=True, slots=True)
class VideoTrack:
    width: int
    height: int
    timescale: int
    avcc: bytes


@dataclass(frozen=True, slots=True)
class SoundTrack:
    """`priming`: samples before the first that is to be heard; an edit list takes them off."""

    rate: int
    config: bytes
    priming: int


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def init_segment(video: VideoTrack, sound: SoundTrack) -> bytes:
    """What stands before all fragments."""
    movie = full(
        b"mvhd",
        0,
        0,
        struct.pack(">4IIH10x", 0, 0, 1000, 0, 0x10000, 0x100),
        MATRIX,
        bytes(24),
        struct.pack(">I", SOUND + 1),
    )
    extends = box(b"mvex", *(full(b"trex", 0, 0, struct.pack(">5I", track, 1, 0, 0, 0)) for track in (VIDEO, SOUND)))
    brands = box(b"ftyp", b"iso5", struct.pack(">I", 512), b"iso5iso6mp41avc1")
    return brands + box(b"moov", movie, _video(video), _sound(sound), extends)


def fragment(number: int, runs: Sequence[Run]) -> bytes:
    """`number` counts from 1."""
    size = len(_movie_fragment(number, runs, 0))
    data = b"".join(sample.data for run in runs for sample in run.samples)
    return _movie_fragment(number, runs, size + 8) + box(b"mdat", data)


def _movie_fragment(number: int, runs: Sequence[Run], offset: int) -> bytes:
    """`offset`: from the start of this box to the first byte of the first sample."""
    tracks = []
    for run in runs:
        rows = b"".join(
            struct.pack(">3I", sample.duration, len(sample.data), KEY_FLAGS if sample.key else OTHER_FLAGS)
            for sample in run.samples
        )
        tracks.append(
            box(
                b"traf",
                full(b"tfhd", 0, 0x20000, struct.pack(">I", run.track)),  # offsets count from this moof
                full(b"tfdt", 1, 0, struct.pack(">Q", run.start)),
                full(b"trun", 0, 0x701, struct.pack(">Ii", len(run.samples), offset), rows),
            )
        )
        offset += sum(len(sample.data) for sample in run.samples)
    return box(b"moof", full(b"mfhd", 0, 0, struct.pack(">I", number)), *tracks)


def _video(track: VideoTrack) -> bytes:
    sides = struct.pack(">HH", track.width, track.height)
    entry = box(
        b"avc1",
        struct.pack(">6xH16x", 1),
        sides,
        struct.pack(">IIIH32xHh", 0x48_0000, 0x48_0000, 0, 1, 0x18, -1),
        box(b"avcC", track.avcc),
        box(b"colr", BT709_LIMITED),
        box(b"pasp", struct.pack(">II", 1, 1)),
    )
    media = _media(track.timescale, b"vide", full(b"vmhd", 0, 1, bytes(8)), entry)
    return box(b"trak", _track_header(VIDEO, 0, track.width, track.height), media)


def _sound(track: SoundTrack) -> bytes:
    entry = box(
        b"mp4a", struct.pack(">6xH8xHHHHI", 1, 1, 16, 0, 0, track.rate << 16), full(b"esds", 0, 0, _descriptor(track))
    )
    edit = box(b"edts", full(b"elst", 0, 0, struct.pack(">IIiHH", 1, 0, track.priming, 1, 0)))  # to the end of all
    media = _media(track.rate, b"soun", full(b"smhd", 0, 0, bytes(4)), entry)
    return box(b"trak", _track_header(SOUND, 0x100, 0, 0), edit, media)


def _track_header(track: int, volume: int, width: int, height: int) -> bytes:
    head = struct.pack(">5I8xHHHH", 0, 0, track, 0, 0, 0, 0, volume, 0)
    return full(b"tkhd", 0, 3, head, MATRIX, struct.pack(">II", width << 16, height << 16))


def _media(timescale: int, handler: bytes, header: bytes, entry: bytes) -> bytes:
    """A track's media without samples: they are all in fragments."""
    references = box(b"dinf", full(b"dref", 0, 0, struct.pack(">I", 1), full(b"url ", 0, 1)))
    none = struct.pack(">I", 0)
    table = box(
        b"stbl",
        full(b"stsd", 0, 0, struct.pack(">I", 1), entry),
        full(b"stts", 0, 0, none),
        full(b"stsc", 0, 0, none),
        full(b"stsz", 0, 0, none, none),
        full(b"stco", 0, 0, none),
    )
    return box(
        b"mdia",
        full(b"mdhd", 0, 0, struct.pack(">4IHH", 0, 0, timescale, 0, 0x55C4, 0)),  # language: undetermined
        full(b"hdlr", 0, 0, struct.pack(">I4s12x", 0, handler), b"Talkie\0"),
        box(b"minf", header, references, table),
    )


def _descriptor(track: SoundTrack) -> bytes:
    """The elementary stream as MPEG-4 describes it (14496-1): AAC, its configuration, and no more."""
    config = _tagged(5, track.config)
    decoder = _tagged(4, struct.pack(">BB3xII", 0x40, 0x15, 0, 0) + config)
    return _tagged(3, struct.pack(">HB", SOUND, 0) + decoder + _tagged(6, b"\2"))


def _tagged(tag: int, body: bytes) -> bytes:
    return bytes([tag, len(body)]) + body
