"""A caller's microphone: its track as mono sound at 16 kHz."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import numpy as np
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, AudioResampler

from talkie.types import Samples
from talkie.wire.face_protocol import MICROPHONE_HZ

if TYPE_CHECKING:
    from aiortc import MediaStreamTrack


async def heard(track: MediaStreamTrack) -> AsyncIterator[Samples]:
    """To the end of the track."""
    resampler = AudioResampler(format="flt", layout="mono", rate=MICROPHONE_HZ)
    while True:
        try:
            frame = await track.recv()
        except MediaStreamError:
            return
        if not isinstance(frame, AudioFrame):
            continue
        for part in resampler.resample(frame):
            yield np.ascontiguousarray(part.to_ndarray()[0], dtype=np.float32)
