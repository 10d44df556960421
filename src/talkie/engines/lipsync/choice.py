"""Which library runs a face network, and in what arithmetic: the fastest that gives the same pictures.

`auto` takes a GPU where ONNX Runtime can use one; else OpenVINO in BF16, where the processor computes with that and
the pictures stay within 40 dB of those of ONNX Runtime in 32 bits (docs/decisions/0102); else OpenVINO in 32 bits;
else ONNX Runtime. The pictures are compared at load, on this network. Where ONNX Runtime is left out (the one folder,
the image for processors) BF16 is held against OpenVINO's own 32 bits. Knows nothing of how libraries work.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from talkie.engines import openvino_runtime
from talkie.engines.lipsync.network import ENGINE, Floats, Network
from talkie.engines.lipsync.onnx_network import CPU, CUDA, TENSORRT, OnnxNetwork, SessionOptions, installed, providers
from talkie.engines.lipsync.openvino_network import OpenVinoNetwork, read_signature
from talkie.engines.lipsync.signature import Signature, encoder_signature, face_signature
from talkie.errors import BadAvatar, EngineError, EngineUnavailable, InvalidValue

AUTO, ONNXRUNTIME, OPENVINO = "auto", "onnxruntime", "openvino"
BACKENDS = (AUTO, ONNXRUNTIME, OPENVINO, "cuda", "tensorrt")
LEAST_DB = {"bf16": 40.0, "f32": 60.0}
_PROVIDERS = {"cuda": (CUDA, CPU), "tensorrt": (TENSORRT, CUDA, CPU)}
_GPU_HINT = "`pip install onnxruntime-gpu` in place of onnxruntime, with NVIDIA's libraries; or face_backend = auto."

_log = logging.getLogger(__name__)
Inputs = tuple[Floats, Floats]


@dataclass(frozen=True, slots=True)
class Wish:
    backend: str = AUTO
    threads: int = 1
    max_batch: int = 16


@dataclass(frozen=True, slots=True)
class Wanted:
    """What comes out for `inputs`, and of whom that is known."""

    inputs: Inputs
    picture: Floats
    whose: str


@dataclass(frozen=True, slots=True)
class Chosen:
    network: Network
    device: str
    backend: str
    compute_type: str
    reason: str


def open_face(path: Path, wish: Wish, probes: Callable[[int], Inputs]) -> Chosen:
    """`probes` gives inputs for pictures of a size, to compare by. Raises `BadAvatar`, `EngineUnavailable`."""
    if wish.backend not in BACKENDS:
        raise InvalidValue("face_backend", f"{wish.backend!r} is none of {', '.join(BACKENDS)}.")
    if not installed() and openvino_runtime.available() and wish.backend in (AUTO, OPENVINO):
        return _openvino_alone(path, wish, probes)
    gpu = _gpu(path, wish)
    if gpu is not None:
        _picture_of(gpu.network, probes(_size(gpu.network)), path.name)
        return gpu
    plain = OnnxNetwork(path, face_signature, SessionOptions((CPU,), wish.threads))
    inputs = probes(_size(plain))
    wanted = _picture_of(plain, inputs, path.name)
    if wish.backend == ONNXRUNTIME:
        return Chosen(plain, "cpu", ONNXRUNTIME, "float32", "it was asked for")
    why_not = ["OpenVINO is not installed"]
    if openvino_runtime.available():
        precisions = ("bf16", "f32") if "BF16" in _capabilities() else ("f32",)
        chosen, why_not = _openvino(path, plain.signature, wish, precisions, Wanted(inputs, wanted, "ONNX Runtime's"))
        if chosen is not None:
            return chosen
    if wish.backend == OPENVINO:
        raise EngineUnavailable(ENGINE, "; ".join(why_not), hint="face_backend = auto takes what works.")
    return Chosen(plain, "cpu", ONNXRUNTIME, "float32", "; ".join(why_not))


def open_encoder(path: Path) -> Network:
    """One thread: a window of sound is small. Raises `BadAvatar`, `EngineUnavailable`."""
    if installed() or not openvino_runtime.available():
        return OnnxNetwork(path, encoder_signature, SessionOptions(threads=1))
    return OpenVinoNetwork(path, read_signature(path, encoder_signature), precision="f32", threads=1)


def closeness_db(picture: Floats, wanted: Floats) -> float:
    """The peak signal-to-noise ratio of numbers in 0..1, of the worst item; infinite where they are the same."""
    errors = np.square(picture - wanted, dtype=np.float64).reshape(len(wanted), -1).mean(axis=1)
    worst = float(errors.max())
    return float(-10 * np.log10(worst)) if worst > 0 else float("inf")


def _openvino_alone(path: Path, wish: Wish, probes: Callable[[int], Inputs]) -> Chosen:
    signature = read_signature(path, face_signature)
    plain = OpenVinoNetwork(path, signature, precision="f32", threads=wish.threads)
    inputs = probes(_size(plain))
    wanted = Wanted(inputs, _picture_of(plain, inputs, path.name), "its own 32-bit")
    chosen, why_not = _openvino(path, signature, wish, ("bf16",) if "BF16" in _capabilities() else (), wanted)
    if chosen is not None:
        return chosen
    return Chosen(plain, "cpu", OPENVINO, "float32", "; ".join([*why_not, "ONNX Runtime is not installed"]))


def _openvino(
    path: Path, signature: Signature, wish: Wish, precisions: Sequence[str], wanted: Wanted
) -> tuple[Chosen | None, list[str]]:
    why_not = []
    for precision in precisions:
        try:
            network = OpenVinoNetwork(path, signature, precision=precision, threads=wish.threads)
            found = closeness_db(_picture_of(network, wanted.inputs, path.name), wanted.picture)
        except (EngineError, BadAvatar) as error:
            why_not.append(f"OpenVINO cannot run it ({error.message[:100]})")
            continue
        told = f"{found:.0f} dB from {wanted.whose} pictures"
        if found >= LEAST_DB[precision]:
            compute_type = "bfloat16" if precision == "bf16" else "float32"
            reason = "; ".join([*why_not, f"the fastest here; {told}"])
            return Chosen(network, "cpu", OPENVINO, compute_type, reason), why_not
        why_not.append(f"OpenVINO in {precision} is {told}")
    return None, why_not


def _capabilities() -> tuple[str, ...]:
    try:
        return openvino_runtime.capabilities()
    except EngineError:
        return ()


def _gpu(path: Path, wish: Wish) -> Chosen | None:
    """None where none is wanted, or `auto` finds none. A provider that was asked for by name must be there."""
    wants = [wish.backend] if wish.backend in _PROVIDERS else ["cuda"] if wish.backend == AUTO else []
    there = providers() if wants else ()
    for name in wants:
        first = _PROVIDERS[name][0]
        if first in there:
            usable = tuple(one for one in _PROVIDERS[name] if one in there)
            network = OnnxNetwork(path, face_signature, SessionOptions(usable, wish.threads, wish.max_batch))
            if network.providers[0] == first:
                reason = "it was asked for" if wish.backend == name else "a GPU can be used"
                return Chosen(network, "cuda", name, "float32", reason)
        if wish.backend == name:
            why = f"this ONNX Runtime cannot use {first} here; it has {', '.join(there)}"
            raise EngineUnavailable(ENGINE, why, hint=_GPU_HINT)
        _log.debug("No GPU for faces: ONNX Runtime has %s.", there)
    return None


def _size(network: Network) -> int:
    return network.signature.output.shape[-1]


def _picture_of(network: Network, inputs: Inputs, where: str) -> Floats:
    picture = np.empty((len(inputs[0]), *network.signature.output.shape), np.float32)
    network.run(inputs, picture)
    if not np.isfinite(picture).all():
        raise BadAvatar(where, "what it gives are no numbers, from a picture and sound that are.")
    return picture
