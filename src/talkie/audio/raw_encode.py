"""Samples to headerless PCM of any kind that `RawFormat` names: the other way of `raw.py`.

Knows nothing of rates: what is louder than full scale is clipped, and what is no number becomes silence.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from talkie.audio.encode import to_pcm16
from talkie.audio.formats import RawFormat
from talkie.audio.raw import decode_samples
from talkie.types import Samples


def encode_raw(samples: Samples, raw: RawFormat) -> bytes:
    """Mono samples of `raw.sample_rate`; with several channels each says the same."""
    spread = samples if raw.channels == 1 else np.repeat(samples, raw.channels)
    return _ENCODERS[raw.encoding](spread)


def _bounded(samples: Samples) -> NDArray[np.float64]:
    finite = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0).astype(np.float64)
    return np.clip(finite, -1.0, 1.0)


def _steps(samples: Samples, scale: int) -> NDArray[np.int64]:
    return np.rint(_bounded(samples) * scale).astype(np.int64)


def _three_bytes(samples: Samples) -> bytes:
    """The lower three of four."""
    wide = _steps(samples, 2**23 - 1).astype("<i4")
    return wide.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()


def _companded(encoding: str) -> Callable[[Samples], bytes]:
    """The code whose value is nearest: what G.711 prescribes, by the decoder's own table."""

    def encode(samples: Samples) -> bytes:
        codes, edges = _codes(encoding)
        return codes[np.searchsorted(edges, _bounded(samples))].tobytes()

    return encode


@cache
def _codes(encoding: str) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The codes from the lowest value to the highest, and the edges between them."""
    values = decode_samples(encoding, bytes(range(256))).astype(np.float64)
    order = np.argsort(values, kind="stable")
    rising = values[order]
    return order.astype(np.uint8), (rising[1:] + rising[:-1]) / 2


_ENCODERS: dict[str, Callable[[Samples], bytes]] = {
    "s16le": lambda samples: to_pcm16(samples).tobytes(),
    "s24le": _three_bytes,
    "s32le": lambda samples: _steps(samples, 2**31 - 1).astype("<i4").tobytes(),
    "u8": lambda samples: (_steps(samples, 127) + 128).astype(np.uint8).tobytes(),
    "f32le": lambda samples: _bounded(samples).astype("<f4").tobytes(),
    "f64le": lambda samples: _bounded(samples).astype("<f8").tobytes(),
    "mulaw": _companded("mulaw"),
    "alaw": _companded("alaw"),
}
