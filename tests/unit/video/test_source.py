from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from talkie.errors import BadAvatar
from talkie.types import Picture
from talkie.video.source import ImageSource, open_source, ping_pong, read_picture
from talkie.video.source_video import VideoSource

WIDTH, HEIGHT, COUNT = 96, 64, 40


def picture(number: int) -> Picture:
    """Its number can be read even from a video: in the brightness of eight squares."""
    made = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    for bit in range(8):
        made[8:24, 8 + 10 * bit : 16 + 10 * bit] = 255 if number >> bit & 1 else 0
    made[40:60] = 200, 60, 20  # blue
    return made


def number_of(picture: Picture) -> int:
    return sum(int(picture[12:20, 10 + 10 * bit : 14 + 10 * bit].mean() > 128) << bit for bit in range(8))


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    directory = tmp_path_factory.mktemp("frames")
    paths = [directory / f"{number:04}.{['png', 'jpg', 'webp'][number % 3]}" for number in range(7)]
    for number, path in enumerate(paths):
        Image.fromarray(picture(number)[..., ::-1]).save(path, quality=95)
    return paths


@pytest.fixture(scope="module", params=["mp4", "webm"])
def video(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key frames far apart, with frames between that look both ways."""
    path = tmp_path_factory.mktemp("video") / f"anna.{request.param}"
    codec = "libx264" if request.param == "mp4" else "libvpx"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options={"g": "12", "crf": "20", "deadline": "realtime"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(COUNT):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(number), format="bgr24")))
        container.mux(stream.encode(None))
    return path


def test_frames_go_forward_and_backward() -> None:
    assert [ping_pong(step, 4) for step in range(9)] == [0, 1, 2, 3, 2, 1, 0, 1, 2]
    assert [ping_pong(step, 2) for step in range(4)] == [0, 1, 0, 1]
    assert {ping_pong(step, 1) for step in range(9)} == {0}


def test_images_are_read_in_blue_green_red(images: list[Path]) -> None:
    source = open_source(images, is_video=False)
    assert (source.count, source.width, source.height) == (7, WIDTH, HEIGHT)
    assert np.array_equal(source.frame(0), picture(0))
    for number in range(7):
        assert number_of(source.frame(number)) == number
        assert np.abs(source.frame(number)[50, 50].astype(int) - (200, 60, 20)).max() < 12
        assert not source.frame(number).flags.writeable


def test_what_was_read_is_kept_while_there_is_room(images: list[Path]) -> None:
    source = ImageSource(images, max_bytes=2 * WIDTH * HEIGHT * 3)
    first = source.frame(0)
    assert source.frame(0) is first
    source.frame(1)
    source.frame(2)
    assert source.frame(0) is not first and np.array_equal(source.frame(0), first)


def test_frames_are_made_to_a_size(images: list[Path], video: Path) -> None:
    for source in (open_source(images, is_video=False, width=48, height=32), VideoSource(video, 48, 32)):
        assert (source.width, source.height) == (48, 32)
        assert source.frame(3).shape == (32, 48, 3)
        source.close()


def test_any_frame_of_a_video_is_found_forward_backward_and_across(video: Path) -> None:
    source = VideoSource(video, max_bytes=8 * WIDTH * HEIGHT * 3)
    assert (source.count, source.width, source.height) == (COUNT, WIDTH, HEIGHT)
    there_and_back = [*range(COUNT), *range(COUNT - 1, -1, -1)]
    jumps = np.random.default_rng(1).integers(0, COUNT, 30).tolist()
    for index in [*there_and_back, *jumps]:
        found = source.frame(index)
        assert number_of(found) == index
        assert found[50, 50, 0] > 150 > found[50, 50, 2]
    source.close()


def test_the_same_frame_of_a_video_is_the_same_from_either_side(video: Path) -> None:
    source = VideoSource(video, max_bytes=1)
    forward = [source.frame(index).copy() for index in range(COUNT)]
    for index in (39, 20, 19, 0):
        assert np.array_equal(source.frame(index), forward[index])
    source.close()


def test_images_of_other_sizes_are_refused(images: list[Path], tmp_path: Path) -> None:
    other = tmp_path / "other.png"
    Image.new("RGB", (WIDTH, HEIGHT + 2)).save(other)
    source = open_source([*images, other], is_video=False)
    with pytest.raises(BadAvatar, match=r"other\.png.*96x66.*96x64"):
        source.frame(7)


def test_huge_images_are_refused_before_they_are_unpacked(tmp_path: Path) -> None:
    Image.new("1", (5000, 10)).save(tmp_path / "huge.png")
    with pytest.raises(BadAvatar, match="5000x10"):
        read_picture(tmp_path / "huge.png")


def test_damaged_files_are_refused(images: list[Path], video: Path, tmp_path: Path) -> None:
    broken = tmp_path / "0001.png"
    broken.write_bytes(images[0].read_bytes()[:200])
    with pytest.raises(BadAvatar, match=r"0001\.png"):
        open_source([broken], is_video=False)
    film = tmp_path / video.name
    film.write_bytes(video.read_bytes()[:100])
    with pytest.raises(BadAvatar, match="anna"):
        VideoSource(film)
    with pytest.raises(BadAvatar, match="none"):
        open_source([], is_video=False)


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48_000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(BadAvatar):
        VideoSource(path)
