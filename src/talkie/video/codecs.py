"""The video codecs that faces leave in, and what each encoder of FFmpeg is told.

All pictures become 4:2:0 in limited range: of BT.709, said so in the stream; VP8 knows BT.601 only. Knows nothing of
containers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from talkie.errors import VideoFailed

VideoCodec: TypeAlias = Literal["h264", "vp8", "vp9"]

BT709, BT601, LIMITED = 1, 5, 1
"""As ISO/IEC 23091-2 counts matrices, primaries and transfer curves; FFmpeg's range of 16..235."""
BITS_A_PIXEL = 0.15
"""At most, for a second: faces seldom need half of it."""
MIN_KBITS = 100
KEY_S, REALTIME_KEY_S = 4.0, 1.0
MIN_SIDE, MAX_SIDE = 16, 4096
MIN_FPS, MAX_FPS = 1.0, 120.0
PIXELS_A_THREAD = 1 << 20
MAX_THREADS = 4
"""Up to a thousand by a thousand one thread is as fast as two. Those of VP8 wait by spinning: three times the work."""

SMALL_PIXELS, SMALL_LEVEL = 99 * 256, "2"
"""Up to QCIF x264 writes level 1b, whose name browsers refuse; this one holds such pictures at any rate of ours."""
SEQUENCE, PICTURE = 7, 8
"""Types of the two units of an H.264 header."""
HEADERS = (SEQUENCE, PICTURE)

VP9_LEVELS = ((36_864, 10), (73_728, 11), (122_880, 20), (245_760, 21), (552_960, 30), (983_040, 31), (2_228_224, 41))
"""Pixels of a picture up to which a level goes, at 30 pictures a second or near it (VP9 bitstream annex A)."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One codec: FFmpeg's encoder and its options, for a file and where every picture must leave at once."""

    encoder: str
    whole: dict[str, str] = field(default_factory=dict)
    realtime: dict[str, str] = field(default_factory=dict)
    matrix: int = BT709
    most_threads: int = MAX_THREADS


_VPX = {"deadline": "realtime", "lag-in-frames": "0", "auto-alt-ref": "0"}
RECIPES: dict[VideoCodec, Recipe] = {
    "h264": Recipe(
        "libx264", {"preset": "veryfast", "crf": "20"}, {"preset": "superfast", "tune": "zerolatency", "crf": "22"}
    ),
    "vp8": Recipe("libvpx", {**_VPX, "crf": "10", "cpu-used": "4"}, {**_VPX, "crf": "10", "cpu-used": "8"}, BT601, 1),
    "vp9": Recipe("libvpx-vp9", {**_VPX, "crf": "28", "cpu-used": "6"}, {**_VPX, "crf": "28", "cpu-used": "8"}),
}


@dataclass(frozen=True, slots=True)
class VideoPlan:
    """What is to be encoded. The sides are those of the pictures; what is encoded has even ones.

    Raises `VideoFailed` for what no player shows.
    """

    width: int
    height: int
    fps: float = 25.0
    codec: VideoCodec = "h264"
    realtime: bool = False

    def __post_init__(self) -> None:
        if not all(MIN_SIDE <= side <= MAX_SIDE for side in (self.width, self.height)):
            raise VideoFailed(f"{self.width} by {self.height} pixels.", hint=f"{MIN_SIDE} to {MAX_SIDE} a side.")
        if not MIN_FPS <= self.fps <= MAX_FPS:
            raise VideoFailed(f"{self.fps:g} frames a second.", hint=f"{MIN_FPS:g} to {MAX_FPS:g}.")

    @property
    def coded(self) -> tuple[int, int]:
        """Width and height, even."""
        return self.width + self.width % 2, self.height + self.height % 2

    @property
    def rate(self) -> Fraction:
        """Frames a second as players count them: 25, 30000/1001."""
        return Fraction(self.fps).limit_denominator(1001)

    @property
    def kbits(self) -> int:
        return max(MIN_KBITS, round(self.width * self.height * self.fps * BITS_A_PIXEL / 1000))


def configure(context: Any, plan: VideoPlan) -> None:
    """Tell an encoder of FFmpeg, not yet open, all that it must know."""
    from av.codec.context import Flags

    recipe = RECIPES[plan.codec]
    context.width, context.height = plan.coded
    context.pix_fmt = "yuv420p"
    context.framerate, context.time_base = plan.rate, 1 / plan.rate
    context.color_primaries = context.color_trc = BT709
    context.colorspace = recipe.matrix
    context.color_range = LIMITED
    context.flags |= Flags.global_header
    context.gop_size = max(1, round(plan.fps * (REALTIME_KEY_S if plan.realtime else KEY_S)))
    context.thread_count = min(recipe.most_threads, 1 + plan.width * plan.height // PIXELS_A_THREAD)
    options = dict(recipe.realtime if plan.realtime else recipe.whole)
    if plan.codec == "h264":
        options |= {"maxrate": f"{plan.kbits}k", "bufsize": f"{plan.kbits}k"}
        if plan.width * plan.height <= SMALL_PIXELS:
            options["level"] = SMALL_LEVEL
    else:
        context.bit_rate = plan.kbits * 1000
    context.options = options


def codec_string(plan: VideoPlan, header: bytes) -> str:
    """As RFC 6381 and WebCodecs name it. `header` is the Annex B header of H.264."""
    if plan.codec == "vp8":
        return "vp8"
    if plan.codec == "vp9":
        pixels = plan.width * plan.height
        level = next((level for most, level in VP9_LEVELS if pixels <= most), 51)
        return f"vp09.00.{level}.08"
    sequence = next(unit for unit in nal_units(header) if unit[0] & 31 == SEQUENCE)
    return f"avc1.{sequence[1:4].hex().upper()}"


def nal_units(data: bytes) -> list[bytes]:
    """The units of an H.264 stream in Annex B form, their start codes taken off."""
    return [unit.rstrip(b"\0") for unit in data.split(b"\0\0\1") if unit.rstrip(b"\0")]


def with_lengths(data: bytes) -> bytes:
    """Annex B to what MP4 holds: four bytes of length before each unit, and no headers, which stand in `avcC`."""
    units = (unit for unit in nal_units(data) if unit[0] & 31 not in HEADERS)
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)


def avc_config(header: bytes) -> bytes:
    """The `avcC` of ISO/IEC 14496-15 from the header of a stream of 8-bit 4:2:0."""
    units = nal_units(header)
    sequence = next(unit for unit in units if unit[0] & 31 == SEQUENCE)
    picture = next(unit for unit in units if unit[0] & 31 == PICTURE)
    config = bytes([1, *sequence[1:4], 0xFF, 0xE1]) + len(sequence).to_bytes(2, "big") + sequence
    config += b"\1" + len(picture).to_bytes(2, "big") + picture
    return config + (b"\xfd\xf8\xf8\0" if sequence[1] in (100, 110, 122, 144) else b"")
