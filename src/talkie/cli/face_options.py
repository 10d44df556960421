"""What the commands that show a face are told: which, how large, in what mood. Knows nothing of how it is shown."""

from __future__ import annotations

from pathlib import Path

from talkie.errors import InvalidValue
from talkie.runtime.face import FaceRequest

MIN_SIDE, MAX_SIDE = 32, 2160


def face_request(avatar: str, size: str | None, mood: str, *, here: bool = True) -> FaceRequest:
    """`here`: the face is made in this process, so that a pack may be named by its path. Raises `InvalidValue`."""
    width, height = size_of(size)
    return FaceRequest(avatar_of(avatar) if here else avatar, width, height, mood.strip())


def avatar_of(avatar: str) -> str:
    """A pack by its path where there is such a directory and the name looks like a path; else the name."""
    path = Path(avatar).expanduser()
    looks_like_a_path = path.name != avatar or avatar in (".", "..")
    if looks_like_a_path and not path.is_dir():
        raise InvalidValue(
            "avatar",
            f"There is no directory {avatar[:80]!r}.",
            hint="Name a directory with an avatar pack, or an avatar of `talkie avatar list`.",
        )
    return str(path.absolute()) if looks_like_a_path else avatar


def size_of(size: str | None) -> tuple[int, int]:
    """`512` is a width, its height in proportion; `640x480` is both. Zeros: the avatar's own. Raises `InvalidValue`."""
    if size is None:
        return 0, 0
    width, cross, height = size.strip().lower().partition("x")
    try:
        sides = int(width), int(height) if cross else 0
    except ValueError:
        raise _bad_size(size) from None
    if not all(MIN_SIDE <= side <= MAX_SIDE for side in sides[: 2 if cross else 1]):
        raise _bad_size(size)
    return sides


def _bad_size(size: str) -> InvalidValue:
    return InvalidValue(
        "size", f"{size[:40]!r} is no size.", hint=f"Like 512 or 640x480; a side is {MIN_SIDE} to {MAX_SIDE}."
    )
