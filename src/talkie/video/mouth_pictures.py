"""Pictures of one face with different mouths: brought to one size, cut to what differs, and faded into each other.

Knows nothing of sound, and nothing of where the pictures came from. Pillow is loaded by the first set of pictures.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from talkie.errors import BadAvatar
from talkie.types import Picture

if TYPE_CHECKING:
    from PIL import Image

LETTERS = "ABCDEFGHX"
NEAR: dict[str, str] = {
    "A": "XGB", "B": "CGHEA", "C": "BHDE", "D": "CEHB", "E": "CFDB", "F": "EBA", "G": "ABX", "H": "CBD", "X": "AGB",
}  # fmt: skip
"""What stands in for a mouth that was not drawn, the best first; failing all, any."""

Box = tuple[int, int, int, int]


def stand_in(letter: str, there: Container[str]) -> str:
    """The letter of the picture that shows a mouth; its own, where there is one."""
    return next((one for one in (letter, *NEAR[letter], *LETTERS) if one in there), letter)


class MouthPictures:
    """All mouths of an avatar in memory, at one size. Safe for threads: nothing changes once it was made."""

    def __init__(
        self,
        pictures: Mapping[str, Path],
        width: int,
        height: int,
        *,
        base: Path | None = None,
        blink: Path | None = None,
    ) -> None:
        """Raises `BadAvatar`."""
        size = width, height
        ground = _read(base, size, None) if base is not None else None
        if ground is None:
            lowest = pictures[stand_in("X", pictures)]
            ground = _read(lowest, size, None)
        drawn = {letter: _read(path, size, ground) for letter, path in pictures.items()}
        self.rest: Picture = drawn[stand_in("X", drawn)]
        self.box = _differing(list(drawn.values()), self.rest)
        left, top, right, bottom = self.box
        cuts = {letter: picture[top:bottom, left:right].copy() for letter, picture in drawn.items()}
        self._mouths = {letter: cuts[stand_in(letter, cuts)] for letter in LETTERS}
        self._shut = self._eyes_shut(_read(blink, size, ground)) if blink is not None else None

    def mouth(self, letter: str) -> Picture:
        """What lies in `box`."""
        return self._mouths.get(letter, self._mouths["X"])

    def face(self, mouth: Picture, *, blink: bool) -> Picture:
        """A picture of its own with a mouth in it."""
        picture = (self._shut if blink and self._shut is not None else self.rest).copy()
        left, top, right, bottom = self.box
        picture[top:bottom, left:right] = mouth
        return picture

    def _eyes_shut(self, blink: Picture) -> Picture:
        """The face at rest with the eyes of another picture: where the mouth is, that one does not count."""
        left, top, right, bottom = self.box
        shut = blink.copy()
        shut[top:bottom, left:right] = self.rest[top:bottom, left:right]
        return shut


def faded(first: Picture, second: Picture, share: float) -> Picture:
    """Between two mouths; `share` 0 is the first."""
    part = np.uint16(min(max(round(share * 256), 0), 256))
    mixed: Picture = ((first.astype(np.uint16) * (256 - part) + second.astype(np.uint16) * part + 128) >> 8).astype(
        np.uint8
    )
    return mixed


def contact_sheet(pictures: MouthPictures) -> Picture:
    """All mouths beside one another, in the order of their letters, three in a row."""
    faces = [pictures.face(pictures.mouth(letter), blink=False) for letter in LETTERS]
    return np.vstack([np.hstack(faces[at : at + 3]) for at in (0, 3, 6)])


def _read(path: Path, size: tuple[int, int], ground: Picture | None) -> Picture:
    """A picture laid over the ground where it is transparent."""
    from PIL import Image

    try:
        with Image.open(path, formats=("PNG", "JPEG", "WEBP")) as image:
            own = image.convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadAvatar(path.name, f"the picture cannot be read ({type(error).__name__}).") from None
    if own.size != size:
        own = _resized(own, size)
    under = Image.new("RGBA", size, (255, 255, 255, 255))
    if ground is not None:
        under.paste(Image.fromarray(ground[..., ::-1].copy()), (0, 0))
    under.alpha_composite(own)
    return np.ascontiguousarray(np.asarray(under.convert("RGB"))[..., ::-1])


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    from PIL import Image as Images

    return image.convert("RGBa").resize(size, Images.Resampling.LANCZOS).convert("RGBA")


def _differing(pictures: list[Picture], rest: Picture) -> Box:
    """The least box outside which all pictures are alike, but for what a lossy format makes of equal pixels."""
    height, width = rest.shape[:2]
    rows, columns = np.zeros(height, bool), np.zeros(width, bool)
    for picture in pictures:
        differs = (np.abs(picture.astype(np.int16) - rest) > 12).any(2)
        rows |= differs.any(1)
        columns |= differs.any(0)
    if not rows.any():
        return 0, 0, 1, 1
    top, left = int(rows.argmax()), int(columns.argmax())
    bottom, right = height - int(rows[::-1].argmax()), width - int(columns[::-1].argmax())
    return max(0, left - 2), max(0, top - 2), min(width, right + 2), min(height, bottom + 2)
