"""Films, made and read again: how many pictures, how long, and whether picture and sound are together."""

from __future__ import annotations

import io
import struct
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from films import flashing, picture, seen
from talkie.errors import Cancelled, VideoFailed
from talkie.types import FaceChunk, VideoFrame
from talkie.video.film import Film, Form
from talkie.video.mux import open_muxer, write_film

NEAR_MS = 10.0


def streamed(chunks: Iterator[FaceChunk], form: Form) -> list[bytes]:
    muxer = open_muxer(form)
    try:
        return [*(muxer.add(chunk) for chunk in chunks), muxer.finish()]
    finally:
        muxer.close()


def in_a_file(chunks: Iterator[FaceChunk], form: Form, directory: Path) -> bytes:
    path = directory / f"film.{form}"
    write_film(path, chunks, form)
    assert not list(directory.glob(".*"))
    return path.read_bytes()


Make = Callable[[Iterator[FaceChunk], Form], bytes]


@pytest.fixture(params=["streamed", "file"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    if request.param == "streamed":
        return lambda chunks, form: b"".join(streamed(chunks, form))
    return lambda chunks, form: in_a_file(chunks, form, tmp_path)


def test_picture_and_sound_stay_together_for_a_minute() -> None:
    found = seen(b"".join(streamed(flashing(60, 4, rate=22_050), "mp4")))
    assert found.times_s == pytest.approx([index / 25 for index in range(1500)], abs=0.001)
    assert found.flashes == pytest.approx(range(4, 60, 4), abs=0.001)
    assert max(map(abs, found.offsets_ms)) < NEAR_MS
    assert found.sound_s == pytest.approx(60, abs=0.03)


@pytest.mark.parametrize("form", ["mp4", "webm"])
def test_picture_and_sound_begin_together_in_every_form(make: Make, form: Form) -> None:
    found = seen(make(flashing(8, 1, rate=22_050), form))
    assert found.times_s == pytest.approx([index / 25 for index in range(200)], abs=0.001)
    assert found.flashes == pytest.approx(range(1, 8), abs=0.001)
    assert max(map(abs, found.offsets_ms)) < NEAR_MS
    assert found.sound_s == pytest.approx(8, abs=0.03)


@pytest.mark.parametrize(("rate", "fps"), [(8000, 25.0), (48_000, 30.0), (44_100, 30_000 / 1001), (16_000, 60.0)])
def test_any_rate_of_sound_and_pictures(rate: int, fps: float) -> None:
    found = seen(b"".join(streamed(flashing(3, 1, rate=rate, fps=fps, step=7), "mp4")))
    assert found.times_s == pytest.approx([index / fps for index in range(round(3 * fps))], abs=0.001)
    assert len(found.flashes) == 2 and max(map(abs, found.offsets_ms)) < NEAR_MS


def boxes(data: bytes) -> list[tuple[str, bytes]]:
    found = []
    while data:
        size, kind = struct.unpack(">I4s", data[:8])
        assert 8 <= size <= len(data)
        found.append((kind.decode(), data[8:size]))
        data = data[size:]
    return found


def test_fragments_can_be_played_as_they_come() -> None:
    muxer = open_muxer("mp4")
    assert muxer.media_type == "video/mp4"
    chunks = list(flashing(3, 1))
    first = muxer.add(chunks[0])
    assert [kind for kind, _ in boxes(first)] == ["ftyp", "moov", "moof", "mdat"]
    assert muxer.media_type.startswith('video/mp4; codecs="avc1.64') and muxer.media_type.endswith('mp4a.40.2"')
    fragments = [body for kind, body in boxes(first) if kind == "moof"]
    for chunk in [*chunks[1:], None]:
        found = boxes(muxer.finish() if chunk is None else muxer.add(chunk))
        assert [kind for kind, _ in found] in ([], ["moof", "mdat"])
        fragments += [body for kind, body in found if kind == "moof"]
    numbers, starts = [], []
    for body in fragments:
        head, *tracks = boxes(body)
        numbers.append(struct.unpack(">4xI", head[1])[0])
        video = dict(boxes(tracks[0][1]))
        if struct.unpack(">4xI", video["tfhd"])[0] == 1:
            starts.append(struct.unpack(">4xQ", video["tfdt"])[0] / 90_000)
    assert numbers == list(range(1, len(fragments) + 1)) and len(starts) >= 6
    assert max(later - earlier for earlier, later in pairwise(starts)) <= 0.5
    muxer.close()
    muxer.close()


def test_pieces_of_one_frame_are_gathered() -> None:
    parts = streamed(flashing(2, 1, step=1), "mp4")
    assert sum(b"moof" in part for part in parts) <= 12
    assert len(seen(b"".join(parts)).times_s) == 50


def test_a_file_begins_with_its_index_and_its_last_picture_has_its_time(tmp_path: Path) -> None:
    film = in_a_file(flashing(1, 0.4), "mp4", tmp_path)
    kinds = [kind for kind, _ in boxes(film)]
    assert kinds.index("moov") < kinds.index("mdat")
    with av.open(io.BytesIO(film)) as container:
        video = container.streams.video[0]
        assert video.duration is not None and float(video.duration * video.time_base) == 1.0


def test_webm_comes_before_it_is_whole() -> None:
    parts = streamed(flashing(3, 1), "webm")
    assert b"".join(parts[:5]).count(b"\x1f\x43\xb6\x75") >= 2  # clusters


def test_colours_are_told_by_the_film(make: Make) -> None:
    red = np.full((48, 64, 3), (30, 40, 200), np.uint8)
    chunk = FaceChunk(np.zeros(4800, np.float32), 24_000, tuple(VideoFrame(red, n) for n in range(5)), 0.0)
    for form in ("mp4", "webm"):
        shown = picture(make(iter([chunk]), form), 2)
        assert np.abs(shown.astype(int) - (30, 40, 200)).max() <= 6


def test_sound_before_the_first_picture_is_held_and_frames_count_from_it() -> None:
    chunks = list(flashing(3, 1, step=5))
    bare = replace(chunks[0], frames=())
    late = replace(chunks[1], frames=chunks[0].frames + chunks[1].frames)
    film = [bare, late, *chunks[2:]]
    shifted = [replace(c, frames=tuple(replace(f, index=f.index + 100) for f in c.frames)) for c in film]
    found = seen(b"".join(streamed(iter(shifted), "mp4")))
    assert len(found.times_s) == 75 and found.times_s[0] == 0 and max(map(abs, found.offsets_ms)) < NEAR_MS


def test_pictures_that_were_left_out_move_nothing() -> None:
    chunks = (
        replace(c, frames=tuple(f for f in c.frames if f.index % 3 == 0 or f.index % 25 < 2)) for c in flashing(4, 1)
    )
    found = seen(b"".join(streamed(chunks, "mp4")))
    assert len(found.flashes) == 3 and max(map(abs, found.offsets_ms)) < NEAR_MS


def test_the_shortest_film_has_one_picture(make: Make) -> None:
    grey = np.full((32, 32, 3), 99, np.uint8)
    chunk = FaceChunk(np.zeros(80, np.float32), 8000, (VideoFrame(grey, 0),), 0.0)
    for form in ("mp4", "webm"):
        assert len(seen(make(iter([chunk]), form)).times_s) == 1


def test_samples_that_are_no_numbers_are_silence() -> None:
    (chunk,) = flashing(0.2, 1)
    bad = np.full_like(chunk.samples, np.nan)
    bad[::2] = np.inf
    bad[1000:] = 0
    found = seen(b"".join(streamed(iter([replace(chunk, samples=bad)]), "mp4")))
    assert found.sound_s > 0.19 and len(found.clicks) == 1


@pytest.mark.parametrize("form", ["mp4", "webm"])
def test_chunks_of_two_films_are_an_error(form: Form) -> None:
    chunk = next(flashing(1, 1))
    large = next(flashing(1, 1, side=64))
    backwards = replace(chunk, frames=chunk.frames[::-1])
    later = replace(chunk, frames=tuple(replace(frame, index=frame.index + 5) for frame in chunk.frames))
    for second, words in (
        (backwards, "not in order"),
        (large, "one size"),
        (replace(chunk, fps=30.0), "change their rate"),
        (replace(later, sample_rate=16_000), "changes its rate"),
    ):
        with pytest.raises(VideoFailed, match=words):
            streamed(iter([chunk, second]), form)
    with pytest.raises(VideoFailed, match="no picture"):
        streamed(iter([]), form)
    with pytest.raises(VideoFailed, match="long before"):
        streamed((replace(chunk, frames=()) for _ in range(100)), form)


def test_a_film_that_breaks_off_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "out" / "film.mp4"
    write_film(path, flashing(0.4, 1))
    before = path.read_bytes()

    def broken(error: BaseException) -> Iterator[FaceChunk]:
        for number, chunk in enumerate(flashing(8, 1)):
            if number == 30:
                assert len(list(path.parent.iterdir())) == 2
                raise error
            yield chunk

    for error in (Cancelled(), KeyboardInterrupt(), ValueError("x")):
        with pytest.raises(type(error)):
            write_film(path, broken(error))
        assert list(path.parent.iterdir()) == [path] and path.read_bytes() == before


def test_a_full_disk_is_told_as_such() -> None:
    """A device that is always full stands in for it."""
    film = Film(Path("/dev/full"), "webm")
    with pytest.raises(OSError, match="No space left"):
        try:
            for chunk in flashing(20, 1, side=64):
                film.add(chunk)
            film.finish()
        finally:
            film.close()


@pytest.mark.parametrize("form", ["mp4", "webm"])
def test_pictures_are_let_go_when_they_are_written(make: Make, form: Form) -> None:
    """Of all pictures only those are alive that an encoder may look at."""
    given: list[weakref.ref[np.ndarray]] = []
    most = 0

    def counted() -> Iterator[FaceChunk]:
        nonlocal most
        for chunk in flashing(20, 1):
            images = [frame.image.copy() for frame in chunk.frames]
            given.extend(weakref.ref(image) for image in images)
            most = max(most, sum(ref() is not None for ref in given))
            yield replace(chunk, frames=tuple(replace(f, image=i) for f, i in zip(chunk.frames, images, strict=True)))

    make(counted(), form)
    assert 5 <= most <= 15
