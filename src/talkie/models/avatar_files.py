"""The files an avatar pack names: which are there, in what order, and how large their pictures are.

Knows nothing of what they are for.
"""

from __future__ import annotations

import re
from pathlib import Path

from talkie.models.avatar_findings import Findings
from talkie.models.avatar_table import Table
from talkie.models.files import is_plain_file
from talkie.video.headers import VideoHeader, picture_header, video_header

LETTERS = tuple("ABCDEFGHX")
"""The mouth shapes, as `text.visemes` has them."""
PICTURES, VIDEOS = (".png", ".jpg", ".jpeg", ".webp"), (".mp4", ".webm", ".mkv", ".mov")
NEURAL_FPS = 25.0
"""What the networks of this family were trained for."""
MAX_SIDE_PX, MIN_SIDE_PX = 4096, 16
MAX_FRAMES = 3000


def mouths(directory: Path, table: Table, findings: Findings) -> dict[str, Path]:
    """By letter, of those that are there; what is named and missing is an error."""
    wish = table.values.get("pictures", ".")
    if isinstance(wish, dict):
        wrong = [letter for letter in wish if letter not in LETTERS]
        for letter in wrong:
            findings.error("pictures", f"{letter[:20]!r} is no mouth shape.", f"They are {' '.join(LETTERS)}.")
        named = {letter: table.path("pictures", what=wish[letter]) for letter in LETTERS if letter in wish}
        found = {letter: there(path, f"pictures.{letter}", PICTURES, findings) for letter, path in named.items()}
    else:
        place = directory if wish == "." else table.path("pictures")
        named = found = {letter: place and first_there(place, letter) for letter in LETTERS}
    if named.get("A") is None and any(found.values()):
        findings.error("pictures", "the closed mouth, A, is missing.", "`talkie avatar new` fills in what is missing.")
    return {letter: path for letter, path in found.items() if path is not None}


def first_there(place: Path, letter: str) -> Path | None:
    return next((path for end in PICTURES if is_plain_file(path := place / f"{letter}{end}")), None)


def frames_in(source: Path, findings: Findings) -> tuple[tuple[Path, ...], bool]:
    """The images in the order of their numbers, or one video, and which of both."""
    if source.is_dir() and not source.is_symlink():
        images = [path for path in _entries(source) if path.suffix.lower() in PICTURES]
        images.sort(key=lambda path: ([int(part) for part in re.findall(r"\d{1,18}", path.stem)], path.name))
        if not images:
            findings.error("frames", f"there is no picture in {source.name}.", "They are PNG, JPEG or WebP.")
        if len(images) > MAX_FRAMES:
            findings.error("frames", f"there are {len(images)} frames, and may be {MAX_FRAMES}.")
        return tuple(images[:MAX_FRAMES]), False
    found = there(source, "frames", VIDEOS, findings)
    return ((found,) if found is not None else ()), True


def _entries(directory: Path) -> list[Path]:
    try:
        return list(directory.iterdir())
    except OSError:
        return []


def there(path: Path | None, where: str, endings: tuple[str, ...], findings: Findings) -> Path | None:
    """The path, if it is a plain file of the right kind."""
    if path is None:
        return None
    if path.suffix.lower() not in endings:
        findings.error(where, f"{path.name} ends in none of {' '.join(endings)}.")
    elif not is_plain_file(path):
        is_there = path.is_symlink() or path.exists()
        findings.error(where, f"{path.name} is {'no plain file' if is_there else 'missing'}.")
    else:
        return path
    return None


def header(path: Path, is_video: bool, findings: Findings) -> VideoHeader | None:
    """Of the first picture, in the terms of a video."""
    try:
        if is_video:
            return video_header(path)
        width, height, _ = picture_header(path)
        return VideoHeader(width, height, NEURAL_FPS, 0)
    except ValueError as error:
        findings.error(path.name, f"it cannot be read: {error}.")
        return None


def size(table: Table, first: VideoHeader | None, findings: Findings) -> tuple[int, int]:
    found = (first.width, first.height) if first is not None else (MIN_SIDE_PX, MIN_SIDE_PX)
    for key, px in zip(("width", "height"), found, strict=True):
        if not MIN_SIDE_PX <= px <= MAX_SIDE_PX:
            findings.error(key, f"pictures are {px} px, and may be {MIN_SIDE_PX} to {MAX_SIDE_PX}.")
        said = int(table.number(key, px, MIN_SIDE_PX, MAX_SIDE_PX, whole=True)) if key in table.values else px
        if said != px and first is not None:
            findings.error(key, f"avatar.toml says {said} px, and the first picture has {px}.")
    return found
