"""The built-in avatar: a face that Talkie draws, whose mouth follows shapes or, where there are none, the sound.

Knows nothing of painting (`video/drawn/`); importing it loads no image library, making a face does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from talkie.errors import InvalidValue
from talkie.pipeline.face_lines import TrackLine
from talkie.pipeline.face_track import AT_REST, LOOKAHEAD_S, Moment
from talkie.pipeline.faces import FaceInfo, FaceLine
from talkie.types import Picture

if TYPE_CHECKING:
    from talkie.video.drawn.idle import Idle
    from talkie.video.drawn.layers import Layers
    from talkie.video.drawn.moods import Mood
    from talkie.video.drawn.mouth import MouthShape

NAME, TITLE, LICENCE = "talkie", "Talkie", "Apache-2.0"
SIZE = 512
MIN_SIZE, MAX_SIZE = 64, 2048
MIN_FPS, MAX_FPS = 1.0, 120.0
MOODS = ("calm", "cheerful", "attentive", "sleepy", "still")
_HELD_S = 0.12  # how long a mouth takes from where it was left to where it should be


class DrawnFace:
    """`mood` is one of `MOODS`; the same `seed` gives the same idle motion. Raises `InvalidValue`."""

    def __init__(
        self, width: int = SIZE, height: int = SIZE, *, fps: float = 25.0, mood: str = "", seed: int = 0
    ) -> None:
        mood = mood or MOODS[0]
        if mood not in MOODS:
            raise InvalidValue("mood", f"There is no mood {mood[:40]!r}.", hint=f"One of {', '.join(MOODS)}.")
        for name, side in (("width", width), ("height", height)):
            if not MIN_SIZE <= side <= MAX_SIZE:
                raise InvalidValue(name, f"The {name} must be {MIN_SIZE} to {MAX_SIZE} pixels.")
        if not MIN_FPS <= fps <= MAX_FPS:
            raise InvalidValue("fps", f"There can be {MIN_FPS:g} to {MAX_FPS:g} frames a second.")
        from talkie.video.drawn.layers import layers_of
        from talkie.video.drawn.moods import MOODS as KNOWN

        self._layers, self._mood, self._seed = layers_of(width, height), KNOWN[mood], seed
        self._info = FaceInfo(NAME, "drawn", width, height, fps, LOOKAHEAD_S, visemes=True)

    @property
    def info(self) -> FaceInfo:
        return self._info

    def open(self) -> FaceLine:
        from talkie.video.drawn.idle import Idle

        fps = self._info.fps
        return TrackLine(_DrawnShow(self._layers, self._mood, Idle(self._mood, fps, self._seed), fps), fps)

    def close(self) -> None:
        """Nothing to give back: layers are kept for the next face of this size."""


def portrait(width: int = SIZE, height: int = SIZE, mood: str = "") -> Picture:
    """The face at rest, its eyes open."""
    from talkie.video.drawn.idle import Pose
    from talkie.video.drawn.painter import Painter
    from talkie.video.drawn.shapes import REST

    face = DrawnFace(width, height, mood=mood)
    return Painter(face._layers).paint(Pose(brow_lift=face._mood.brow_lift, shut=face._mood.lids), REST)


class _DrawnShow:
    def __init__(self, layers: Layers, mood: Mood, idle: Idle, fps: float) -> None:
        from talkie.video.drawn.painter import Painter
        from talkie.video.drawn.shapes import REST

        self._painter, self._mood, self._idle, self._fps = Painter(layers), mood, idle, fps
        self._mouth = self._left = replace(REST, smile=REST.smile + mood.smile)
        self._since = 1 << 30
        self._stress = 0.0

    def picture(self, moment: Moment) -> Picture:
        self._mouth = self._smooth(self._shaped(moment))
        self._stress += (moment.loud - self._stress) * min(1.0, 4.5 / self._fps)
        if moment is AT_REST and self._stress < 0.01:
            self._stress = 0.0
        return self._painter.paint(self._idle.next(self._stress), self._mouth)

    def leave(self) -> None:
        self._left, self._since = self._mouth, 0

    def _shaped(self, moment: Moment) -> MouthShape:
        """A loud vowel is wider open than a soft one, and closed lips are closed whatever is beside them."""
        from talkie.video.drawn.shapes import LETTERS, blended

        mouth = blended((LETTERS.get(letter, LETTERS["X"]), weight) for letter, weight in moment.weights)
        parted = 1 - moment.lips
        opening = min(1.0, mouth.opening * (0.65 + 0.47 * moment.loud)) * parted
        smile = mouth.smile + self._mood.smile * (1 - 0.6 * mouth.rounding) * (1 - 0.4 * opening)
        return replace(mouth, opening=opening, press=max(mouth.press * parted, 0.9 * moment.lips), smile=smile)

    def _smooth(self, wanted: MouthShape) -> MouthShape:
        from talkie.video.drawn.shapes import between

        self._since += 1
        share = self._since / (_HELD_S * self._fps + 1)
        return wanted if share >= 1 else between(self._left, wanted, share)
