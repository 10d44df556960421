"""Which shape each array of a Whisper model has, under CTranslate2's names: a library may trust them blindly. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

AUDIO_CONTEXT = 1500
TEXT_CONTEXT = 448
_KERNEL = 3
_ROOM = re.compile(r"^(encoder|decoder)/(layer_\d+/)?")

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Shapes:
    """Sizes of one model: `width` of a vector, `hidden` of the feed-forward layers."""

    width: int
    hidden: int
    tokens: int
    mels: int

    def fits(self, key: str, shape: Shape) -> bool:
        """Whether the array of this name may have this shape."""
        if key.endswith("position_encodings/encodings"):
            rows = AUDIO_CONTEXT if key.startswith("encoder") else TEXT_CONTEXT
            return len(shape) == 2 and shape[0] >= rows and shape[1] == self.width
        name, _, part = _ROOM.sub("", key).rpartition("/")
        if part in ("gamma", "beta"):
            return shape == (self.width,)
        wanted = self._weights.get(name)
        return wanted is not None and shape == (wanted if part == "weight" else wanted[:1])

    @cached_property
    def _weights(self) -> dict[str, Shape]:
        width = self.width
        square = (width, width)
        return {
            "conv1": (width, self.mels, _KERNEL),
            "conv2": (width, width, _KERNEL),
            "self_attention/linear_0": (3 * width, width),
            "self_attention/linear_1": square,
            "attention/linear_0": square,
            "attention/linear_1": (2 * width, width),
            "attention/linear_2": square,
            "ffn/linear_0": (self.hidden, width),
            "ffn/linear_1": (width, self.hidden),
            "embeddings": (self.tokens, width),
            "projection": (self.tokens, width),
        }
