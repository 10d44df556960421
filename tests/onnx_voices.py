"""Tiny models that speak: ONNX graphs with the inputs and outputs of the real ones, written as protobuf by hand.

Each phoneme is a tone of its own loudness, so that lengths, marks, voices and speed can be told from the samples.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

FLOAT, INT64 = 1, 7
TOKEN_SAMPLES = 2400
"""Of a phoneme at normal speed, in the Kokoro graph."""
PIPER_RATE, PIPER_FRAMES, PIPER_HOP = 22_050, 6, 256
"""How a phoneme lasts in the Piper graph: so many frames of so many samples."""
KOKORO_VOICES = ("af_heart", "am_adam", "bf_emma", "ff_siwis", "jf_alpha")


def field(number: int, value: int | bytes | str) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def tensor(name: str, values: Any, kind: int) -> bytes:
    array = np.asarray(values, np.float32 if kind == FLOAT else np.int64)
    shape = b"".join(field(1, size) for size in array.shape)
    return shape + field(2, kind) + field(8, name) + field(9, array.tobytes())


def value(name: str, kind: int, *shape: int | str) -> bytes:
    sizes = b"".join(field(1, field(1, one) if isinstance(one, int) else field(2, one)) for one in shape)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, sizes)))


def node(kind: str, inputs: str, outputs: str, **numbers: int | list[int]) -> bytes:
    made = b"".join(field(1, name) for name in inputs.split()) + b"".join(field(2, name) for name in outputs.split())
    made += field(4, kind)
    for name, number in numbers.items():
        many = isinstance(number, list)
        content = b"".join(field(8, one) for one in number) if isinstance(number, list) else field(3, number)
        made += field(5, field(1, name) + content + field(20, 7 if many else 2))
    return made


def model(nodes: list[bytes], weights: list[bytes], inputs: list[bytes], outputs: list[bytes]) -> bytes:
    graph = b"".join(field(1, one) for one in nodes) + field(2, "voice")
    graph += b"".join(field(5, one) for one in weights)
    graph += b"".join(field(11, one) for one in inputs) + b"".join(field(12, one) for one in outputs)
    return field(1, 8) + field(8, field(2, 13)) + field(7, graph)


def _tone(samples: int, hz: float, rate: int) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(samples) / rate).astype(np.float32)


def kokoro_graph(*, timed: bool = True, tokens: str = "tokens") -> bytes:
    """`tokens` or `input_ids` (1, n), `style` (1, 256), `speed` (1,) to `audio` and, where timed, `duration`."""
    nodes = [
        node("Cast", tokens, "loud", to=FLOAT),
        node("Unsqueeze", "loud last", "loud3"),
        node("Div", "length speed", "samples_f"),
        node("Cast", "samples_f", "samples", to=INT64),
        node("Slice", "tone zero samples last", "wave"),
        node("ReduceMean", "style", "voice", keepdims=0),
        node("Mul", "loud3 wave", "parts"),
        node("Mul", "parts voice", "spoken"),
        node("Reshape", "spoken flat", "audio"),
    ]
    outputs = [value("audio", FLOAT, "samples")]
    if timed:
        nodes += [node("Shape", tokens, "size"), node("Expand", "frames size", "duration")]
        outputs.append(value("duration", INT64, 1, "n"))
    weights = [
        tensor("tone", _tone(TOKEN_SAMPLES * 2, 200, 24_000).reshape(1, 1, -1) / 178, FLOAT),
        tensor("length", [TOKEN_SAMPLES], FLOAT),
        tensor("zero", [0], INT64),
        tensor("last", [2], INT64),
        tensor("flat", [-1], INT64),
        tensor("frames", [4], INT64),
    ]
    inputs = [value(tokens, INT64, 1, "n"), value("style", FLOAT, 1, 256), value("speed", FLOAT, 1)]
    return model(nodes, weights, inputs, outputs)


def kokoro_voices(names: tuple[str, ...] = KOKORO_VOICES) -> dict[str, np.ndarray]:
    """One style for each length of a text: here all the same, and each voice louder than the one before."""
    return {name: np.full((510, 1, 256), 0.5 + number / 10, np.float32) for number, name in enumerate(names)}


def kokoro_directory(path: Path, *, timed: bool = True, tokens: str = "tokens") -> Path:
    path.mkdir(parents=True, exist_ok=True)
    (path / "kokoro-v1.0.onnx").write_bytes(kokoro_graph(timed=timed, tokens=tokens))
    with (path / "voices-v1.0.bin").open("wb") as file:
        np.savez(file, **kokoro_voices())
    return path


def piper_graph(*, speakers: int = 1, lengths_are_output: bool = False) -> bytes:
    """`input` (1, n), `input_lengths` (1,), `scales` (3,), `sid` (1,) to `output` (1, 1, 1, samples); `w_ceil`, how
    many frames each phoneme lasts, is inside. A speaker has a pitch of its own."""
    longest = PIPER_FRAMES * PIPER_HOP * 5
    nodes = [
        node("Shape", "input", "size"),
        node("Gather", "scales one", "length"),
        node("Mul", "length frames", "w"),
        node("Expand", "w size", "w_all"),
        node("Unsqueeze", "w_all first", "w_row"),
        node("Ceil", "w_row", "w_ceil"),
        node("ReduceMax", "w_ceil", "w_max", keepdims=0),
        node("Mul", "w_max hop", "samples_f"),
        node("Cast", "samples_f", "samples", to=INT64),
        node("Slice", "wave first samples last", "tone"),
        node("Cast", "input", "loud", to=FLOAT),
        node("Unsqueeze", "loud last", "loud3"),
        node("Mul", "loud3 tone", "parts"),
        node("Reshape", "parts flat", "output"),
    ]
    nodes.insert(0, node("Gather", "bank sid", "wave2") if speakers > 1 else node("Identity", "bank", "wave2"))
    nodes.insert(1, node("Unsqueeze", "wave2 first", "wave"))
    weights = [
        tensor("bank", [_tone(longest, 150 * (1 + number), PIPER_RATE) for number in range(speakers)], FLOAT),
        tensor("one", [1], INT64),
        tensor("frames", [PIPER_FRAMES], FLOAT),
        tensor("hop", [PIPER_HOP], FLOAT),
        tensor("first", [0], INT64),
        tensor("last", [2], INT64),
        tensor("flat", [1, 1, 1, -1], INT64),
    ]
    inputs = [value("input", INT64, 1, "n"), value("input_lengths", INT64, 1), value("scales", FLOAT, 3)]
    inputs += [value("sid", INT64, 1)] if speakers > 1 else []
    outputs = [value("output", FLOAT, 1, 1, 1, "samples")]
    outputs += [value("w_ceil", FLOAT, 1, 1, "n")] if lengths_are_output else []
    return model(nodes, weights, inputs, outputs)


def piper_config(*, speakers: int = 1) -> dict[str, Any]:
    from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP

    return {
        "audio": {"sample_rate": PIPER_RATE, "quality": "medium"},
        "espeak": {"voice": "en-us"},
        "language": {"code": "en_US", "family": "en", "region": "US"},
        "inference": {"noise_scale": 0.667, "length_scale": 1.0, "noise_w": 0.8},
        "phoneme_type": "espeak",
        "phoneme_id_map": DEFAULT_PHONEME_ID_MAP,
        "num_symbols": 256,
        "num_speakers": speakers,
        "speaker_id_map": {f"speaker-{number}": number for number in range(speakers)} if speakers > 1 else {},
        "hop_length": PIPER_HOP,
    }


def piper_directory(path: Path, *, speakers: int = 1, lengths_are_output: bool = False) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    graph = piper_graph(speakers=speakers, lengths_are_output=lengths_are_output)
    (path / "en_US-test-medium.onnx").write_bytes(graph)
    (path / "en_US-test-medium.onnx.json").write_text(json.dumps(piper_config(speakers=speakers)))
    return path
