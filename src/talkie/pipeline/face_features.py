"""The sound around each frame as a face network wants it: sixteen features, eight before it and eight from it on.

The features of an utterance are those of its mel windows, the first and the last of them twice; frame i takes
[i-8 : i+8], and zeros where there are none. Windows are encoded when a frame asks for them, so that the first frame
waits for no more than its own. Knows nothing of pictures.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import islice
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
    """One utterance; frames are asked for in order. Holds the features that frames to come still need."""

    def __init__(self, encode: Encode) -> None:
        self._encode = encode
        self._mel = FaceMel()
        self._windows: deque[NDArray[np.float32]] = deque()  # not encoded yet, each (16, 80)
        self._rows: deque[NDArray[np.float32]] = deque()
        self._first = 0  # the number of the first of `_rows`
        self._whole = self._ended = False

    def feed(self, samples: Samples) -> None:
        self._windows.extend(self._mel.feed(samples))

    def finish(self) -> None:
        self._windows.extend(self._mel.finish())
        self._whole = True

    @property
    def certain(self) -> int:
        """How many frames have all their features, whatever is said next; after the end every frame has."""
        begun = bool(self._first or self._rows)
        features = self._first + len(self._rows) + len(self._windows) + (not begun)
        return max(0, features - AFTER + 1)

    def audio(self, frame: int) -> NDArray[np.float32]:
        """`(32, 16, 16)`, for this frame or a later one than before; it must be certain."""
        self._encode_until(frame + AFTER)
        start = max(frame - BEFORE, 0)
        self._forget(start)
        audio = np.zeros((BEFORE + AFTER, FEATURE_SIZE), np.float32)
        for place, row in enumerate(islice(self._rows, frame + AFTER - start), start - frame + BEFORE):
            audio[place] = row
        return audio.reshape(AUDIO_SHAPE)

    def _encode_until(self, count: int) -> None:
        while self._windows and self._first + len(self._rows) < count:
            missing = count - self._first - len(self._rows)
            taken = [self._windows.popleft() for _ in range(min(missing, len(self._windows), _WINDOWS_A_CALL))]
            features = self._encode(np.stack(taken))
            if not self._first and not self._rows:
                self._rows.append(features[0])
            self._rows.extend(features)
        if self._whole and not self._windows and self._rows and not self._ended:
            self._rows.append(self._rows[-1])
            self._ended = True

    def _forget(self, before: int) -> None:
        while self._rows and self._first < before and len(self._rows) > 1:
            self._rows.popleft()
            self._first += 1


def silent_audio(encode: Encode) -> NDArray[np.float32]:
    """`(32, 16, 16)`: what a frame hears in the middle of a long silence."""
    feature = encode(np.full((1, *WINDOW_SHAPE), SILENT_MEL, np.float32))
    return np.repeat(feature, BEFORE + AFTER, axis=0).reshape(AUDIO_SHAPE)
