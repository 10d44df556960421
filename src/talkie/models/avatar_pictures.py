"""The pictures of an avatar pack: each is whole, of the one size, and there are not too many pixels in all.

Each is unpacked once and forgotten, and none before its header was believed.
"""

from __future__ import annotations

from pathlib import Path

from talkie.models.avatar_boxes import check_boxes
from talkie.models.avatar_files import MAX_FRAMES, MAX_SIDE_PX, MIN_SIDE_PX, NEURAL_FPS
from talkie.models.avatar_findings import Findings
from talkie.models.avatar_pack import AvatarPack
from talkie.video.headers import VideoHeader, picture_header, try_picture, try_video, video_header

MAX_PICTURE_BYTES = 64 * 1024 * 1024
MAX_PIXELS = 8_000_000_000
"""Of all frames together: 3000 of 1920x1080 and some more, which is two minutes of video."""
MAX_TOLD = 5
"""Pictures with a fault that are named one by one."""


def check_pictures(pack: AvatarPack, findings: Findings) -> None:
    if pack.is_video:
        _check_video(pack, findings)
        shown = []
    elif pack.kind == "neural":
        shown = list(pack.frames)
    else:
        shown = [path for path in (pack.base, pack.blink, *pack.pictures.values()) if path is not None]
        _check_opaque(pack, findings)
    if isinstance(pack.closed, Path):
        shown.append(pack.closed)
    if len(shown) * pack.width * pack.height > MAX_PIXELS:
        most = MAX_PIXELS // (pack.width * pack.height)
        findings.error("frames", f"of {pack.width}x{pack.height} px there may be {most} frames, not {len(shown)}.")
        return
    _check_each(pack, dict.fromkeys(shown), findings)


def _check_each(pack: AvatarPack, paths: dict[Path, None], findings: Findings) -> None:
    wrong = []
    for path in paths:
        fault = _picture_fault(path, pack.width, pack.height)
        if fault:
            wrong.append((str(path.relative_to(pack.directory)), fault))
    for where, fault in wrong[:MAX_TOLD]:
        findings.error(where, fault)
    if len(wrong) > MAX_TOLD:
        findings.error("frames", f"{len(wrong) - MAX_TOLD} more pictures are wrong in such a way.")


def _picture_fault(path: Path, width: int, height: int) -> str:
    try:
        if path.stat().st_size > MAX_PICTURE_BYTES:
            return f"it is larger than {MAX_PICTURE_BYTES // 2**20} MiB."
        header = picture_header(path)
        if not (MIN_SIDE_PX <= header.width <= MAX_SIDE_PX and MIN_SIDE_PX <= header.height <= MAX_SIDE_PX):
            return f"it is {header.width}x{header.height} px; a side may have {MIN_SIDE_PX} to {MAX_SIDE_PX}."
        if (header.width, header.height) != (width, height):
            return f"it is {header.width}x{header.height} px, and the first picture is {width}x{height}."
        try_picture(path)
    except ValueError as error:
        return f"it cannot be read: {error}."
    except OSError as error:
        return f"it cannot be read: {error.strerror}."
    return ""


def _check_opaque(pack: AvatarPack, findings: Findings) -> None:
    """What lies under all others must hide what is behind it."""
    try:
        has_alpha = picture_header(pack.rest).has_alpha
    except (ValueError, OSError):
        return  # told with the others
    if has_alpha:
        findings.warn(pack.rest.name, "it may be transparent, and nothing lies under it.", "Give an opaque base.")


def _check_video(pack: AvatarPack, findings: Findings) -> None:
    try:
        header = video_header(pack.frames[0])
    except ValueError:
        return  # told already
    if header.frames * header.width * header.height > MAX_PIXELS:
        findings.error("frames", "the video is too long for its size.")
    else:
        _check_frames(pack, header, findings)
    if header.fps and abs(header.fps - NEURAL_FPS) > 0.01:
        findings.warn(
            "frames",
            f"the video has {header.fps:g} frames a second, and they are shown at {NEURAL_FPS:g}.",
            "`ffmpeg -i IN -vf fps=25 OUT` makes it right.",
        )


def _check_frames(pack: AvatarPack, header: VideoHeader, findings: Findings) -> None:
    """As many as there are, whatever the header says."""
    path = pack.frames[0]
    most = min(MAX_FRAMES, MAX_PIXELS // max(1, header.width * header.height))
    try:
        count = try_video(path, most)
    except ValueError as error:
        findings.error(path.name, f"it cannot be read: {error}.")
        return
    if count > most:
        findings.error("frames", f"the video has more than {most} frames.")
    elif count == 0:
        findings.error(path.name, "there is no picture in it.")
    elif count != header.frames:  # else it was checked when the pack was read
        check_boxes(pack.boxes, count, header.width, header.height, findings)
