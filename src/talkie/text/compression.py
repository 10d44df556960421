"""How well a text compresses: a loop of words gives itself away by how little is new in it. Pure."""

from __future__ import annotations

import zlib


def compression_ratio(text: str) -> float:
    """len(text) / len(zlib(text)) in bytes, as in openai/whisper `utils.compression_ratio`: above 2.4 it loops."""
    data = text.encode("utf-8", "replace")
    return len(data) / len(zlib.compress(data))
