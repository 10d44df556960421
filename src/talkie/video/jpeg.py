"""One picture as a file: JPEG for streams of single pictures, PNG where nothing may be lost.

Pillow is loaded with the first of them.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from talkie.types import Picture

QUALITY = 80


def jpeg(picture: Picture, quality: int = QUALITY) -> bytes:
    """`quality` is 1 to 95."""
    return _saved(picture, format="JPEG", quality=quality)


def png(picture: Picture) -> bytes:
    return _saved(picture, format="PNG", compress_level=1)


def _saved(picture: Picture, **options: Any) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture[..., ::-1])).save(file, **options)
    return file.getvalue()
