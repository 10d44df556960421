"""The peers that Talkie is measured beside: what each one installs, which weights it reads, how it is at its best.

Data and nothing else: environments are made by `environment.py`, and runners are driven by `child.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from talkie.errors import InvalidValue

RUNNERS = Path(__file__).with_name("runners")
TORCH = "torch==2.13.0"
NUMPY = "numpy==2.4.6"
CTRANSLATE2 = ("ctranslate2==4.8.5", "tokenizers==0.23.3", "huggingface-hub==2.4.0", NUMPY)


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to run a peer. `batch` 0: one window at a time. `options` go to its library or settings by name. `extra`
    ones take part only where they are named: a promise that others do not make is not the peer's usual self."""

    name: str
    batch: int = 0
    options: dict[str, Any] = field(default_factory=dict)
    extra: bool = False


@dataclass(frozen=True, slots=True)
class Peer:
    """One program that hears.

    `formats` are directories of the model's forms by the type of arithmetic asked for; the first is what it is measured
    with when it cannot have that type. `requirements` are exact; `alone` are installed without the dependencies that
    they name; `torch` asks for a build for processors only; `omit` are taken out again after all. A peer is measured
    at the best of its `variants`. `unavailable` says why a peer cannot be measured here at all.
    """

    name: str
    title: str
    runner: str = ""
    formats: dict[str, str] = field(default_factory=dict)
    variants: tuple[Variant, ...] = (Variant("default"),)
    requirements: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()
    torch: bool = False
    ffmpeg: bool = False
    omit: tuple[str, ...] = ()
    timed_words: bool = True
    unavailable: str = ""

    @property
    def script(self) -> Path:
        return RUNNERS / self.runner

    @property
    def own(self) -> bool:
        """Does it run in the interpreter that runs the bench?"""
        return self.name == TALKIE

    def format_for(self, compute_type: str) -> tuple[str, str]:
        """`(compute type, directory of the form)` that comes nearest to the wish."""
        if compute_type in self.formats:
            return compute_type, self.formats[compute_type]
        return next(iter(self.formats.items()))


TALKIE = "talkie"
_CT2 = {"int8": "ct2-int8", "float32": "ct2-float32"}
_FFMPEG = "imageio-ffmpeg==0.8.1"

PEERS: tuple[Peer, ...] = (
    Peer(
        name=TALKIE,
        title="Talkie",
        runner="run_talkie.py",
        formats=_CT2,
        variants=(Variant("default"), Variant("fit", 0, {"context": "fit"}, extra=True)),
    ),
    Peer(
        name="faster-whisper",
        title="faster-whisper 1.2.1",
        runner="run_faster_whisper.py",
        formats=_CT2,
        variants=(Variant("batched 8", 8), Variant("batched 4", 4), Variant("one by one")),
        requirements=("faster-whisper==1.2.1", "onnxruntime==1.31.1", "av==18.1.0", *CTRANSLATE2),
    ),
    Peer(
        name="whispers2t",
        title="WhisperS2T 1.3.1",
        runner="run_whispers2t.py",
        formats=_CT2,
        variants=(Variant("batch 8", 8), Variant("batch 4", 4)),
        requirements=(
            *("tqdm==4.70.1", "rich==15.0.0", "platformdirs==4.14.7", "requests==2.34.2", _FFMPEG),
            *CTRANSLATE2,
        ),
        alone=("whisper-s2t==1.3.1",),
        torch=True,
        ffmpeg=True,
        timed_words=False,
    ),
    Peer(
        name="openai-whisper",
        title="openai-whisper 20250625",
        runner="run_openai_whisper.py",
        formats={"float32": "openai"},
        requirements=(
            *("more-itertools==11.2.1", "numba==0.68.1", "tiktoken==0.14.0", "tqdm==4.70.1", NUMPY),
            *("setuptools==83.0.0",),
        ),
        alone=("openai-whisper==20250625",),
        torch=True,
    ),
    Peer(
        name="whisper.cpp",
        title="whisper.cpp (pywhispercpp 1.5.1)",
        runner="run_whispercpp.py",
        formats={"float16": "ggml"},
        variants=(Variant("default"), Variant("flash attention", 0, {"flash_attn": True})),
        requirements=("pywhispercpp==1.5.1", NUMPY),
    ),
    Peer(
        name="openvino-genai",
        title="openvino-genai 2026.4.1",
        runner="run_openvino_genai.py",
        formats={"int8": "openvino"},
        requirements=(*("openvino-genai==2026.4.1.0", "openvino==2026.4.1", "openvino-tokenizers==2026.4.1.0", NUMPY),),
        omit=("openvino-telemetry",),
    ),
    Peer(
        name="onnx-asr",
        title="onnx-asr 0.12.0",
        unavailable="it reads ONNX exports with a merged decoder, which are made with torch and are not a form of ours",
    ),
    Peer(
        name="sherpa-onnx",
        title="sherpa-onnx 2.0.1",
        unavailable="it reads ONNX exports of its own shape only, written by its script from openai-whisper with torch",
    ),
)


def peer(name: str) -> Peer:
    """The peer of that name. Raises `InvalidValue`."""
    for one in PEERS:
        if one.name == name:
            return one
    known = ", ".join(one.name for one in PEERS)
    raise InvalidValue("peer", f"{name[:40]!r} is not a peer.", hint=f"One of: {known}.")
