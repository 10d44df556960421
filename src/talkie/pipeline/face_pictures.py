"""An avatar of mouth pictures: the picture of the shape that is said, faded into the next; eyes that blink.

Knows nothing of files but that a pack names them; importing it loads no image library, making a face does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from talkie.errors import InvalidValue
from talkie.pipeline.face_lines import TrackLine
from talkie.pipeline.face_track import LOOKAHEAD_S, Moment
from talkie.pipeline.faces import FaceInfo, FaceLine
from talkie.types import Picture

if TYPE_CHECKING:
    from talkie.models.avatar_pack import AvatarPack
    from talkie.video.drawn.idle import Idle
    from talkie.video.mouth_pictures import MouthPictures

MIN_SIZE, MAX_SIZE = 16, 2048
_FADE_S = 0.08
_OPENINGS = {"X": 0.0, "A": 0.0, "G": 0.2, "F": 0.35, "B": 0.3, "H": 0.5, "E": 0.6, "C": 0.6, "D": 1.0}
_BY_SOUND = ((0.16, "X", "X"), (0.42, "B", "F"), (0.72, "C", "E"), (2.0, "D", "E"))
"""Up to which opening a mouth is this letter; the second where the sound is dark."""


class PicturesFace:
    """`width` and `height` 0: the pack's own; one of them: the other in proportion. Raises `BadAvatar`."""

    def __init__(self, pack: AvatarPack, *, width: int = 0, height: int = 0, fps: float | None = None) -> None:
        from talkie.video.mouth_pictures import MouthPictures

        width, height = _size(pack, width, height)
        self._pictures = MouthPictures(pack.pictures, width, height, base=pack.base, blink=pack.blink)
        self._info = FaceInfo(pack.name, "pictures", width, height, fps or pack.fps, LOOKAHEAD_S, visemes=True)

    @property
    def info(self) -> FaceInfo:
        return self._info

    def open(self) -> FaceLine:
        from talkie.video.drawn.idle import Idle
        from talkie.video.drawn.moods import MOODS

        fps = self._info.fps
        return TrackLine(_PicturesShow(self._pictures, Idle(MOODS["calm"], fps), fps), fps)

    def portrait(self) -> Picture:
        return self._pictures.rest

    def close(self) -> None:
        """Nothing but memory was taken."""


def letter_of(moment: Moment) -> str:
    """The one picture that shows a moment best."""
    if moment.lips >= 0.5:
        return "A"
    weights = dict(moment.weights)
    if not moment.by_sound:
        return max(weights, key=lambda letter: weights[letter])
    opening = sum(weight * _OPENINGS.get(letter, 0.0) for letter, weight in weights.items())
    dark = weights.get("E", 0.0) > weights.get("D", 0.0) + weights.get("C", 0.0)
    return next(round_one if dark else letter for most, letter, round_one in _BY_SOUND if opening < most)


class _PicturesShow:
    def __init__(self, pictures: MouthPictures, idle: Idle, fps: float) -> None:
        self._pictures, self._idle = pictures, idle
        self._letter, self._from = "X", pictures.mouth("X")
        self._mouth = self._from
        self._since = self._fade = max(1, round(_FADE_S * fps))

    def picture(self, moment: Moment) -> Picture:
        from talkie.video.mouth_pictures import faded

        wanted = letter_of(moment)
        if wanted != self._letter:
            self._letter, self._from, self._since = wanted, self._mouth, 0
        self._since = min(self._since + 1, self._fade)
        there = self._pictures.mouth(wanted)
        self._mouth = there if self._since == self._fade else faded(self._from, there, self._since / self._fade)
        return self._pictures.face(self._mouth, blink=self._idle.next().shut > 0.4)

    def leave(self) -> None:
        """The next mouth is faded into in any case."""


def _size(pack: AvatarPack, width: int, height: int) -> tuple[int, int]:
    if width and not height:
        height = round(pack.height * width / pack.width)
    elif height and not width:
        width = round(pack.width * height / pack.height)
    if not width:  # photographs may be larger than anybody shows a face
        width, height = fitted(pack, MAX_SIZE)
    if not (MIN_SIZE <= width <= MAX_SIZE and MIN_SIZE <= height <= MAX_SIZE):
        raise InvalidValue("width" if width > height else "height", f"A picture has {MIN_SIZE} to {MAX_SIZE} pixels.")
    return width, height


def fitted(pack: AvatarPack, side: int) -> tuple[int, int]:
    """The pack's own size, or in proportion one whose longer side is this."""
    share = min(1.0, side / max(pack.width, pack.height))
    return max(1, round(pack.width * share)), max(1, round(pack.height * share))
