"""What the headers of a picture or a video say, before anything of it is unpacked. Knows nothing of avatars.

The bounds are on what is read here: a header that claims a huge picture is refused by whoever asked.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, NamedTuple

PICTURE_FORMATS = ("PNG", "JPEG", "WEBP")
VIDEO_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm"
"""FFmpeg's names of what reads mp4, mov, webm and mkv."""
VIDEO_CODECS = ("h264", "hevc", "vp8", "vp9", "av1", "libdav1d", "libvpx-vp9", "mpeg4", "mjpeg", "png", "ffv1")


class PictureHeader(NamedTuple):
    width: int
    height: int
    has_alpha: bool


class VideoHeader(NamedTuple):
    """`frames` 0: the file does not say."""

    width: int
    height: int
    fps: float
    frames: int


def picture_header(path: Path) -> PictureHeader:
    """Raises `ValueError` for what is no PNG, JPEG or WebP."""
    with _opened(path) as image:
        alpha = image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info
        return PictureHeader(image.width, image.height, alpha)


def try_picture(path: Path) -> None:
    """Unpacks a picture whose header was looked at, and forgets it. Raises `ValueError` where it is damaged."""
    with _opened(path) as image:
        try:
            image.load()
        except Exception as error:  # Pillow's readers raise whatever they like at what is damaged
            raise ValueError(_said(error)) from None


@contextlib.contextmanager
def _opened(path: Path) -> Any:
    import warnings

    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the bounds are the caller's
            image = Image.open(path, formats=PICTURE_FORMATS)
    except Exception as error:
        raise ValueError(_said(error)) from None
    with image:
        yield image


def video_header(path: Path) -> VideoHeader:
    """Raises `ValueError` for what is no video that Talkie reads."""
    import av

    try:
        with path.open("rb") as file, open_video(file) as container:
            stream = container.streams.video[0]
            rate = stream.average_rate or stream.guessed_rate or 0
            frames = stream.frames or _frames_by_duration(container, stream, float(rate))
            return VideoHeader(stream.codec_context.width, stream.codec_context.height, float(rate), frames)
    except (av.FFmpegError, ValueError, IndexError, OSError, RuntimeError) as error:
        raise ValueError(_said(error)) from None


def try_video(path: Path, most: int) -> int:
    """Unpacks a video and forgets it: the number of its frames, `most` + 1 where there are more. Raises `ValueError`
    where it is damaged, or its pictures change their size."""
    import av

    count, sizes = 0, set()
    try:
        with path.open("rb") as file, open_video(file) as container:
            for frame in container.decode(video=0):
                count += 1
                sizes.add((frame.width, frame.height))
                if len(sizes) > 1:
                    raise ValueError("its pictures change their size")
                if count > most:
                    break
    except (av.FFmpegError, ValueError, IndexError, OSError, RuntimeError) as error:
        raise ValueError(_said(error)) from None
    return count


def open_video(file: Any) -> Any:
    """A PyAV container of a file that is open already: FFmpeg may open nothing else (no playlists, no protocols)."""
    import av

    options = {
        "format_whitelist": VIDEO_FORMATS,
        "protocol_whitelist": "none",
        "codec_whitelist": ",".join(VIDEO_CODECS),
    }
    return av.open(file, mode="r", container_options=options, metadata_errors="ignore", io_open=_refuse)


def _refuse(*_: object) -> None:
    raise ValueError("it wants to open another file")


def _frames_by_duration(container: Any, stream: Any, rate: float) -> int:
    if stream.duration and stream.time_base:
        return round(float(stream.duration * stream.time_base) * rate)
    return round(container.duration / 1e6 * rate) if container.duration else 0


def _said(error: Exception) -> str:
    """What a library says, without the names of paths and objects that stand in it."""
    words = str(error).partition(":")[0].partition("/")[0].strip()
    return words[:80] if words and "<" not in words and "'" not in words else type(error).__name__
