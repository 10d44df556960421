"""The two networks of an avatar pack as one `FaceModel`: windows of sound to features, pictures and features to mouths.

Knows what goes in and out, and who may call at once; `choice.py` knows what runs it. Buffers are made once and used
again: after the first call of a size nothing is allocated but what the caller is given.
"""

from __future__ import annotations

import os
from math import ceil
from pathlib import Path
from threading import Lock

import numpy as np

from talkie.engines.base import FaceModelInfo
from talkie.engines.lipsync import probes
from talkie.engines.lipsync.choice import Chosen, Wish, open_encoder, open_face
from talkie.engines.lipsync.network import ENGINE, Floats, Sources
from talkie.engines.lipsync.signature import FEATURE, MAX_BATCH
from talkie.engines.tts.onnx_graph import read_graph
from talkie.errors import BadAvatar, EngineFailed

FACE, ENCODER = "face.onnx", "audio_encoder.onnx"
WORKERS = 2
"""While one waits for the network the other writes down what goes in and takes out what came."""
MAX_NETWORK_BYTES = 512 * 1024 * 1024


class OnnxFace:
    """`FaceModel` of any pack. `encode` and `infer` may be called at any time; who finds no room waits.

    `face` and `encoder` are the files where they are not called as the contract has it. `threads` 0: all processors.
    `sources`: how many source frames there are that come again and again, 0 for none.
    Raises `BadAvatar` for files that are no such networks, `EngineUnavailable` for a backend that is not there.
    """

    def __init__(
        self,
        directory: Path,
        *,
        name: str = "",
        face: Path | None = None,
        encoder: Path | None = None,
        backend: str = "auto",
        threads: int = 0,
        max_batch: int = 16,
        sources: int = 0,
    ) -> None:
        wish = Wish(backend, threads or _processors(), max(1, min(max_batch, MAX_BATCH)))
        face, encoder = face or directory / FACE, encoder or directory / ENCODER
        for path in (face, encoder):
            _check_file(path)
        self._encode_lock = Lock()
        self._encoder = open_encoder(encoder)
        heard = probes.audio_of(self.encode(probes.windows()))
        if not np.isfinite(heard).all():
            raise BadAvatar(encoder.name, "what it gives are no numbers, from sound that is.")
        self._chosen: Chosen | None = open_face(face, wish, lambda size: (probes.visuals(size), heard))
        self._chosen.network.keep(sources)
        self._chosen.network.warm()
        self.info = _info(name or directory.name, self._chosen, wish)

    def encode(self, windows: Floats) -> Floats:
        """`(K, 16, 80)` to `(K, 512)`. Raises `EngineFailed`."""
        if windows.ndim != 3 or windows.shape[1:] != (16, 80):
            raise EngineFailed(ENGINE, f"windows are (K, 16, 80), not {windows.shape}")
        features = np.empty((len(windows), FEATURE), np.float32)
        with self._encode_lock:
            self._encoder.run([windows.swapaxes(1, 2)[:, None]], features)
        return features

    def infer(self, visual: Floats, audio: Floats, out: Floats | None = None, sources: Sources = ()) -> Floats:
        """`(B, 6, S, S)` and `(B, 32, 16, 16)` to `(B, 3, S, S)`. Raises `EngineFailed`."""
        chosen = self._chosen
        if chosen is None:
            raise EngineFailed(ENGINE, "it is closed")
        signature, items = chosen.network.signature, len(visual)
        if out is None:
            out = np.empty((items, *signature.output.shape), np.float32)
        shapes = [tensor.shape for tensor in (*signature.inputs, signature.output)]
        if items > self.info.max_batch or any(
            array.shape != (items, *shape) for array, shape in zip((visual, audio, out), shapes, strict=True)
        ):
            has = f"{visual.shape}, {audio.shape} and {out.shape}"
            raise EngineFailed(ENGINE, f"{has} are not at most {self.info.max_batch} frames of its shapes")
        chosen.network.run((visual, audio), out, sources)
        return out

    def close(self) -> None:
        self._chosen = None


def _info(name: str, chosen: Chosen, wish: Wish) -> FaceModelInfo:
    fixed = chosen.network.signature.batch
    return FaceModelInfo(
        name=name,
        engine=ENGINE,
        size=chosen.network.signature.output.shape[-1],
        workers=WORKERS,
        keeps=chosen.network.keeps,
        max_batch=wish.max_batch if fixed is None else fixed * ceil(wish.max_batch / fixed),
        device=chosen.device,
        compute_type=chosen.compute_type,
        backend=chosen.backend,
        backend_reason=chosen.reason,
    )


def _check_file(path: Path) -> None:
    try:
        size = path.stat().st_size
    except OSError:
        raise BadAvatar(path.name, "it is not there.") from None
    if size > MAX_NETWORK_BYTES:
        raise BadAvatar(path.name, f"it is larger than {MAX_NETWORK_BYTES // 2**20} MiB.")
    try:
        elsewhere = read_graph(path).elsewhere
    except (ValueError, OSError) as error:
        raise BadAvatar(path.name, f"it is no ONNX file: {error}.") from error
    if elsewhere:
        raise BadAvatar(
            path.name, "its weights lie in other files.", hint="onnx.save(model, path) writes them into one."
        )


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
