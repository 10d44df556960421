"""The networks of an avatar pack by what their files say: their shapes and types, and that they need nothing else.

Nothing is loaded; whether they work is seen when they are opened. The shapes are in docs/avatars.md.
"""

from __future__ import annotations

import math
from pathlib import Path

from talkie.models.avatar_findings import Findings
from talkie.models.avatar_pack import AvatarPack
from talkie.models.onnx_header import OnnxHeader, Port, read_onnx_header

MAX_NETWORK_BYTES = 512 * 1024 * 1024
FACE_PX = 320
FEATURES = 512


def check_networks(pack: AvatarPack, findings: Findings) -> None:
    for path, check in ((pack.face, _face_faults), (pack.encoder, _encoder_faults)):
        if path is None:
            continue
        if path.stat().st_size > MAX_NETWORK_BYTES:
            findings.error(path.name, f"it is larger than {MAX_NETWORK_BYTES // 2**20} MiB.")
            continue
        try:
            header = read_onnx_header(path)
        except (ValueError, OSError) as error:
            findings.error(path.name, f"it cannot be read: {error}.")
            continue
        _check_graph(path, header, findings)
        for fault in check(header):
            findings.error(path.name, fault, "docs/avatars.md has the shapes, and how to export.")


def _check_graph(path: Path, header: OnnxHeader, findings: Findings) -> None:
    if header.external:
        findings.error(path.name, "its weights lie in other files.", "onnx.save(model, path) writes them into one.")
    if header.domains:
        names = ", ".join(sorted(header.domains))[:80]
        findings.error(path.name, f"it needs operations that are not of ONNX itself ({names}).")


def _face_faults(header: OnnxHeader) -> list[str]:
    wanted = {"visual": (None, 6, FACE_PX, FACE_PX), "audio": (None, 32, 16, 16)}
    faults = []
    if len(header.inputs) != 2:
        faults.append(f"it has {len(header.inputs)} inputs, and should have two, visual and audio.")
    for what, shape in wanted.items():
        if len(header.inputs) == 2 and not any(_fits(port, shape) for port in header.inputs):
            has = " and ".join(str(port) for port in header.inputs)
            faults.append(f"no input is the {what} one, float32 (batch, {_shown(shape[1:])}): it has {has}.")
    faults += _output_faults(header, (None, 3, FACE_PX, FACE_PX))
    return faults


def _encoder_faults(header: OnnxHeader) -> list[str]:
    if len(header.inputs) != 1 or not _fits(header.inputs[0], (None, 1, 80, 16)):
        has = " and ".join(str(port) for port in header.inputs) or "none"
        return [f"its one input should be float32 (batch, 1, 80, 16), and it has {has}."]
    return _output_faults(header, None)


def _output_faults(header: OnnxHeader, shape: tuple[int | None, ...] | None) -> list[str]:
    """The first output counts; the encoder's, shape None, is 512 numbers a window, however they lie."""
    if not header.outputs:
        return ["it has no output."]
    port = header.outputs[0]
    if shape is not None and port.shape and not _fits(port, shape):
        return [f"its output should be float32 (batch, {_shown(shape[1:])}), and it is {port}."]
    sizes = [size for size in port.shape[1:] if size is not None]
    if shape is None and sizes and len(sizes) == len(port.shape) - 1 and math.prod(sizes) != FEATURES:
        return [f"its output should be 512 numbers a window, and it is {port}."]
    return []


def _fits(port: Port, shape: tuple[int | None, ...]) -> bool:
    """What is not fixed fits; whether it works is seen when it is opened."""
    same = all(None in (mine, wanted) or mine == wanted for mine, wanted in zip(port.shape, shape, strict=False))
    return port.dtype in ("float32", "float16") and len(port.shape) == len(shape) and same


def _shown(shape: tuple[int | None, ...]) -> str:
    return ", ".join(str(size) for size in shape)
