"""The sound around each frame as a face network wants it: sixteen features, eight before it and eight from it on.

The features of an utterance are those of its mel windows, the first and the last of them twice; frame i takes
[i-8 : i+8], and zeros where there are none. Windows are encoded when a frame asks for them, so that the first frame
waits for no more than its own. Knows nothing of pictures.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from talkie.audio.face_mel import FaceMel
from talkie.types import Samples

BEFORE, AFTER = 8, 8
FEATURE_SIZE = 512
AUDIO_SHAPE = (32, 16, 16)
WINDOW_SHAPE = (16, 80)
SILENT_MEL = -4.0
"""What the mel of digital silence is everywhere."""
_WINDOWS_A_CALL = 64

Encode: TypeAlias = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Windows `(K, 16, 80)` to features `(K, 512)`."""


class FaceFeatures:
    """One utterance; frames are asked for in order. Holds the windows that frames to come still need.

    Feature 0 is that of window 0 and feature f of window f - 1, for the first stands there twice, and so does the last.
    """

    def __init__(self, encode: Encode) -> None:
        self._encode = encode
        self._mel = FaceMel()
        self._first = 0  # the number of the first window that is held
        self._rows: deque[NDArray[np.float32]] = deque()  # windows that are encoded, then those that are not
        self._windows: deque[NDArray[np.float32]] = deque()
        self._whole = False

    def feed(self, samples: Samples) -> None:
        self._windows.extend(self._mel.feed(samples))

    def finish(self) -> None:
        self._windows.extend(self._mel.finish())
        self._whole = True

    @property
    def certain(self) -> int:
        """How many frames have all their features, whatever is said next; after the end every frame has."""
        return max(0, self._known - AFTER + 2)

    @property
    def held(self) -> int:
        """Windows."""
        return len(self._rows) + len(self._windows)

    def audio(self, frame: int) -> NDArray[np.float32]:
        """`(32, 16, 16)`, for this frame or a later one than before; it must be certain."""
        self.skip(frame)
        self._encode_until(frame + AFTER - 1)
        audio = np.zeros((BEFORE + AFTER, FEATURE_SIZE), np.float32)
        last = self._known - 1
        for place, feature in enumerate(range(frame - BEFORE, frame + AFTER)):
            if 0 <= feature <= last + 1 + self._whole:
                window = min(max(0, feature - 1), last)
                audio[place] = self._rows[window - self._first]
        return audio.reshape(AUDIO_SHAPE)

    def skip(self, frame: int) -> None:
        """No frame before this one will be asked for: what only those needed is forgotten, encoded or not."""
        needed = min(frame - BEFORE - 1, self._known - 1)
        while self._first < needed:
            (self._rows or self._windows).popleft()
            self._first += 1

    @property
    def _known(self) -> int:
        return self._first + self.held

    def _encode_until(self, window: int) -> None:
        """All windows before that one."""
        while self._windows and (missing := window - self._first - len(self._rows)) > 0:
            count = min(missing, len(self._windows), _WINDOWS_A_CALL)
            self._rows.extend(self._encode(np.stack([self._windows.popleft() for _ in range(count)])))


def silent_audio(encode: Encode) -> NDArray[np.float32]:
    """`(32, 16, 16)`: what a frame hears in the middle of a long silence."""
    feature = encode(np.full((1, *WINDOW_SHAPE), SILENT_MEL, np.float32))
    return np.repeat(feature, BEFORE + AFTER, axis=0).reshape(AUDIO_SHAPE)
