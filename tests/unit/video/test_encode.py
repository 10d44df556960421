"""Pictures to access units, decoded again by FFmpeg."""

from __future__ import annotations

import re

import av
import numpy as np
import pytest

from talkie.errors import VideoFailed
from talkie.types import Picture
from talkie.video.codecs import RECIPES, VideoCodec, VideoPlan, codec_string, nal_units, with_lengths
from talkie.video.encode import TICKS_HZ, AccessUnit, VideoEncoder

DECODERS: dict[VideoCodec, str] = {"h264": "h264", "vp8": "vp8", "vp9": "vp9"}
COLOURS = ((0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 255, 0), (0, 0, 255), (40, 30, 120), (180, 200, 240))
LEVELS = 6
"""How far a plain colour may be off: 4:2:0 in limited range has 220 levels, and codecs round."""


def plain(colour: tuple[int, int, int], width: int, height: int) -> Picture:
    return np.full((height, width, 3), colour, np.uint8)


def decoded(units: list[AccessUnit], codec: VideoCodec) -> list[av.VideoFrame]:
    decoder = av.CodecContext.create(DECODERS[codec], "r")
    frames = [frame for unit in units for frame in decoder.decode(av.Packet(unit.data))]
    return frames + decoder.decode(None)  # type: ignore[operator]


@pytest.mark.parametrize("codec", RECIPES)
def test_colours_come_back_and_the_stream_says_which_they_are(codec: VideoCodec) -> None:
    """Sides are odd, so that the padding is in it too."""
    for colour in COLOURS:
        encoder = VideoEncoder(63, 47, codec=codec)
        units = encoder.encode(plain(colour, 63, 47)) + encoder.flush()
        (frame,) = decoded(units, codec)
        assert (frame.width, frame.height) == (encoder.width, encoder.height) == (64, 48)
        assert frame.colorspace == (5 if codec == "vp8" else 1) and frame.color_range == 1
        shown = frame.reformat(format="bgr24", src_colorspace=frame.colorspace).to_ndarray().astype(int)
        assert np.abs(shown - colour).max() <= LEVELS, colour


@pytest.mark.parametrize("codec", RECIPES)
def test_in_real_time_every_picture_leaves_at_once_and_a_key_when_asked(codec: VideoCodec) -> None:
    encoder = VideoEncoder(64, 64, codec=codec)
    keys: list[bool] = []
    for index in range(30):
        if index == 10:
            encoder.force_key()
        (unit,) = encoder.encode(plain((index * 8, 80, 80), 64, 64))
        assert unit.pts == unit.dts == index * TICKS_HZ // 25 and unit.duration_s == 0.04
        assert unit.pts_s == pytest.approx(index / 25)
        keys.append(unit.key)
    assert encoder.flush() == []
    assert [index for index, key in enumerate(keys) if key][:2] == [0, 10]


@pytest.mark.parametrize("codec", RECIPES)
def test_a_reader_who_comes_late_waits_a_second_for_a_key(codec: VideoCodec) -> None:
    encoder = VideoEncoder(64, 64, codec=codec)
    keys = [encoder.encode(plain((index * 4, 80, 80), 64, 64))[0].key for index in range(60)]
    assert keys[0] and keys[25] and keys[50]


def test_every_key_picture_can_be_shown_alone() -> None:
    encoder = VideoEncoder(64, 64)
    encoder.encode(plain((0, 0, 0), 64, 64))
    encoder.force_key()
    (unit,) = encoder.encode(plain((0, 0, 200), 64, 64))
    (frame,) = decoded([unit], "h264")
    assert frame.to_ndarray(format="rgb24")[..., 0].mean() > 150


def test_the_codec_is_named_as_players_name_it() -> None:
    encoder = VideoEncoder(512, 512)
    profile = encoder.avcc[1:4].hex().upper()
    assert encoder.codec_string == f"avc1.{profile}" and re.fullmatch(r"avc1\.64001[E-F]", encoder.codec_string)
    sequence = nal_units(encoder.header)[0]
    assert encoder.avcc[6:8] == len(sequence).to_bytes(2, "big") and encoder.avcc[8:].startswith(sequence)
    for side in (16, 64, 144, 176):  # Chromium takes no level 1b, which would end in 09
        assert re.fullmatch(r"avc1\.6400(14|0[B-D]|1[0-9A-F])", VideoEncoder(side, side).codec_string)
    assert VideoEncoder(64, 64, codec="vp8").codec_string == "vp8"
    assert VideoEncoder(512, 512, codec="vp9").codec_string == "vp09.00.30.08"
    assert codec_string(VideoPlan(3840, 2160, codec="vp9"), b"") == "vp09.00.51.08"


def test_headers_stand_apart_in_mp4() -> None:
    encoder = VideoEncoder(64, 64)
    (unit,) = encoder.encode(plain((9, 9, 9), 64, 64))
    data = with_lengths(unit.data)
    kinds = []
    while data:
        length = int.from_bytes(data[:4], "big")
        kinds.append(data[4] & 31)
        data = data[4 + length :]
    assert 5 in kinds and not {7, 8} & set(kinds)


def test_frames_may_be_left_out_and_never_go_back() -> None:
    encoder = VideoEncoder(64, 64, fps=50)
    encoder.encode(plain((0, 0, 0), 64, 64), 3)
    (unit,) = encoder.encode(plain((0, 0, 0), 64, 64), 10)
    assert unit.pts == 10 * TICKS_HZ // 50
    with pytest.raises(ValueError, match="in order"):
        encoder.encode(plain((0, 0, 0), 64, 64), 10)


def test_for_a_file_the_encoder_may_look_ahead() -> None:
    encoder = VideoEncoder(64, 64, realtime=False)
    units = [unit for level in range(20) for unit in encoder.encode(plain((level * 9, 0, 0), 64, 64))]
    assert len(units) < 20
    units += encoder.flush()
    assert sorted(unit.pts for unit in units) == [index * 3600 for index in range(20)]
    assert [unit.dts for unit in units] == sorted(unit.dts for unit in units)
    assert len(decoded(units, "h264")) == 20


@pytest.mark.parametrize(("width", "height", "fps"), [(8, 64, 25), (64, 5000, 25), (64, 64, 0), (64, 64, 1000)])
def test_what_no_player_shows_is_refused(width: int, height: int, fps: float) -> None:
    with pytest.raises(VideoFailed) as caught:
        VideoEncoder(width, height, fps)
    assert caught.value.hint


def test_a_picture_of_another_size_and_a_closed_encoder_are_errors() -> None:
    encoder = VideoEncoder(64, 64)
    with pytest.raises(VideoFailed, match="one size"):
        encoder.encode(plain((0, 0, 0), 64, 32))
    encoder.close()
    encoder.close()
    with pytest.raises(VideoFailed, match="closed"):
        encoder.encode(plain((0, 0, 0), 64, 64))
