"""A face whose mouth is computed by a network: the source frames of a pack, with mouths that fit the sound.

    sound -> face_features.py (what each frame hears) -> crops -> the network (face_flights.py)
          -> face_gate.py (how far the mouth may open), face_closed.py (the shut one) -> pasted into the source frame

Knows nothing of who else asks the network; `Mouths` does. Marks are not looked at: the network hears for itself.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from talkie.engines.base import VoiceActivityDetector
from talkie.pipeline.face_closed import Closed, ClosedMouths, GivenMouths, SilentMouths
from talkie.pipeline.face_gate import GateOptions
from talkie.pipeline.face_neural_line import FPS, NeuralLine
from talkie.pipeline.faces import FaceInfo, MouthItem, Mouths
from talkie.types import Picture
from talkie.video.boxes import FaceBox, box_of, scaled
from talkie.video.crop import Crops, inner, resized
from talkie.video.paste import paste
from talkie.video.source import Source, open_source, read_picture

if TYPE_CHECKING:
    from talkie.models.avatar_pack import AvatarPack

LOOKAHEAD_S = 0.4625
"""The last window of a frame begins at most 20 mel steps of 12.5 ms after it, and is 15 steps and half a transform
long."""


@dataclass(frozen=True, slots=True)
class NeuralLook:
    """How mouths are put into the source frames.

    `boxes`: one, or one a frame. `feather`: the soft rim in parts of the box's side. `rgb`: the network's colours are
    the other way round. `closed`: the mouth in silence; a picture is as large as the source frames.
    """

    boxes: Sequence[FaceBox]
    name: str = "neural"
    feather: float = 0.0
    rgb: bool = False
    closed: Closed = "network"
    gate: GateOptions = field(default_factory=GateOptions)


def open_neural(
    pack: AvatarPack, mouths: Mouths, detector: VoiceActivityDetector, *, width: int = 0, height: int = 0
) -> NeuralFace:
    """The face of a pack, its pictures that large; 0: as they are. Raises `BadAvatar`."""
    source = open_source(pack.frames, is_video=pack.is_video, width=width, height=height)
    try:
        across, down = source.width / pack.width, source.height / pack.height
        boxes = [scaled(FaceBox(*box), across, down) for box in pack.boxes]
        closed: Closed
        if pack.closed == "network" or pack.closed == "source":
            closed = pack.closed
        else:
            closed = resized(read_picture(pack.closed, (pack.width, pack.height)), source.width, source.height)
        look = NeuralLook(boxes, pack.name, pack.feather, pack.colour_order == "rgb", closed)
        return NeuralFace(source, look, mouths, detector)
    except BaseException:
        source.close()
        raise


class NeuralFace:
    """A `Face`. `mouths` serves all lines that have none of their own."""

    def __init__(self, source: Source, look: NeuralLook, mouths: Mouths, detector: VoiceActivityDetector) -> None:
        size = mouths.info.size
        self.source, self.look, self.mouths, self.detector = source, look, mouths, detector
        self.crops = Crops(source.frame, look.boxes, size)
        self._name = object()  # its own: a pack is shown in several sizes
        self.info = FaceInfo(look.name, "neural", source.width, source.height, FPS, LOOKAHEAD_S)
        self.closed: ClosedMouths
        if isinstance(look.closed, str) and look.closed == "network":
            self.closed = SilentMouths(mouths, self.item)
        else:
            picture = None if isinstance(look.closed, str) else look.closed
            self.closed = GivenMouths(self.crops, picture, look.boxes, size)

    def open(self, mouths: Mouths | None = None) -> NeuralLine:
        """`mouths`: the network as this line alone asks it; its turns are its own then."""
        return NeuralLine(self, self.mouths if mouths is None else mouths)

    def close(self) -> None:
        self.source.close()

    def portrait(self) -> Picture:
        """The avatar at rest; no network is asked."""
        return self.source.frame(0)

    def crop(self, index: int) -> Picture:
        """What the network sees of a source frame."""
        return self.turned(inner(self.crops.outer(index)))

    def named(self, index: int) -> Hashable | None:
        """What a network that keeps something of so many crops may call this one."""
        return (self._name, index) if self.source.count <= self.mouths.info.keeps else None

    def item(self, index: int, audio: NDArray[np.float32]) -> MouthItem:
        """The mouth of a source frame for that sound."""
        return MouthItem(self.crop(index), audio, self.named(index))

    def turned(self, picture: Picture) -> Picture:
        """From our order of colours to the network's, or back."""
        return np.ascontiguousarray(picture[..., ::-1]) if self.look.rgb else picture

    def put(self, index: int, mouth: Picture) -> Picture:
        """The mouth in a source frame."""
        look = self.look
        return paste(self.source.frame(index), box_of(look.boxes, index), self.crops.outer(index), mouth, look.feather)

    def at_rest(self, index: int, shut: Picture) -> Picture:
        """A source frame with its mouth shut."""
        look = self.look
        if isinstance(look.closed, str) and look.closed == "source":
            return self.source.frame(index)
        return self.put(index, shut)
