"""The peers that hear while people speak: what each installs, and how it is spoken to. Data and nothing else.

They are servers, so their runners are not those of `table.py`: each writes its address and serves until it is ended.
"""

from __future__ import annotations

from talkie.bench.live_dialects import Dialect, WhisperLive, WhisperStreaming
from talkie.bench.peers.table import CTRANSLATE2, Peer
from talkie.errors import InvalidValue

_CT2 = {"int8": "ct2-int8", "float32": "ct2-float32"}
_FASTER = ("faster-whisper==1.2.1", "onnxruntime==1.31.1", "av==18.1.0", "websockets==17.4", *CTRANSLATE2)

LIVE_PEERS: dict[str, tuple[Peer, Dialect]] = {
    "whisper-live": (
        Peer(
            name="whisper-live",
            title="WhisperLive 0.10.0",
            runner="run_whisper_live.py",
            formats=_CT2,
            requirements=(
                *_FASTER,
                *("fastapi==0.165.0", "uvicorn==0.54.0", "python-multipart==0.0.34", "prometheus-client==0.26.0"),
                *("scipy==1.17.1", "tqdm==4.70.1"),
            ),
            alone=("whisper-live==0.10.0",),
            torch=True,
        ),
        WhisperLive(),
    ),
    "whisper-streaming": (
        Peer(
            name="whisper-streaming",
            title="whisper-streaming 0.1.0",
            runner="run_whisper_streaming.py",
            formats=_CT2,
            requirements=(*_FASTER, "librosa==0.11.0", "opus-fast-mosestokenizer==0.0.8.11"),
            alone=("whisper-streaming==0.1.0",),
        ),
        WhisperStreaming(),
    ),
}
"""whisper-streaming on the package index is a rework of ufal/whisper_streaming, which is not published there."""


def live_peer(name: str) -> tuple[Peer, Dialect]:
    """Raises `InvalidValue`."""
    if name not in LIVE_PEERS:
        known = ", ".join(("talkie", *LIVE_PEERS))
        raise InvalidValue("peers", f"{name[:40]!r} is no live peer.", hint=f"One of: {known}.")
    return LIVE_PEERS[name]
