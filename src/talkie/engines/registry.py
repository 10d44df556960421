"""Engines by name, as strings, imported on first use; third parties add theirs by an entry point.

Knows nothing of what the engines import, and imports none of them to answer `available`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from talkie.errors import EngineUnavailable

ENTRY_POINT_GROUP = "talkie.engines"


@dataclass(frozen=True, slots=True)
class EngineEntry:
    """`target` is `module:callable`; `needs` are the import names it cannot do without.

    Of `needs_one` any will do: the last is what can be had for every machine.
    """

    name: str
    kind: str
    target: str
    needs: tuple[str, ...] = ()
    hint: str = ""
    needs_one: tuple[str, ...] = ()


BUILT_IN = (
    EngineEntry(
        "whisper",
        "recognizer",
        "talkie.engines.asr.whisper:WhisperRecognizer",
        ("tokenizers",),
        needs_one=("openvino", "ctranslate2"),
    ),
    EngineEntry("sphinx", "recognizer", "talkie.engines.asr.sphinx:SphinxRecognizer", ("pocketsphinx",)),
    EngineEntry("espeak", "synthesizer", "talkie.engines.tts.espeak:EspeakSynthesizer", ("espeakng_loader",)),
    EngineEntry(
        "kokoro",
        "synthesizer",
        "talkie.engines.tts.kokoro:KokoroSynthesizer",
        ("kokoro_onnx",),
        "It comes with the extra: pip install 'talkie[kokoro]'.",
    ),
    EngineEntry(
        "piper",
        "synthesizer",
        "talkie.engines.tts.piper:PiperSynthesizer",
        ("piper",),
        "It comes with the extra, which is under the GPL-3: pip install 'talkie[piper]'.",
    ),
    EngineEntry("chatterbox", "synthesizer", "talkie.engines.tts.chatterbox:ChatterboxSynthesizer"),
    EngineEntry("face-onnx", "face", "talkie.engines.lipsync.onnx:OnnxFace", needs_one=("openvino", "onnxruntime")),
    EngineEntry("silero", "vad", "talkie.engines.vad.silero:SileroDetector", needs_one=("openvino", "onnxruntime")),
)

_BUILT_IN = {entry.name: entry for entry in BUILT_IN}


@cache
def entries() -> dict[str, EngineEntry]:
    """All known engines by name: the built-in ones first, then entry points (`name = module:callable`)."""
    from importlib.metadata import entry_points  # takes longer to load than an engine's own module

    found = dict(_BUILT_IN)
    for point in entry_points(group=ENTRY_POINT_GROUP):
        kind, _, name = point.name.rpartition("/")
        found.setdefault(name, EngineEntry(name, kind or "recognizer", point.value))
    return found


def missing(name: str) -> tuple[str, ...]:
    """The import names that an engine needs and this installation lacks; empty when it can be used."""
    wanted = entry(name)
    lacks = [need for need in wanted.needs if find_spec(need) is None]
    if wanted.needs_one and all(find_spec(need) is None for need in wanted.needs_one):
        lacks.append(wanted.needs_one[-1])
    return tuple(lacks)


def entry(name: str) -> EngineEntry:
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    try:
        return entries()[name]
    except KeyError:
        raise EngineUnavailable(name, "no engine of that name is installed") from None


def load(name: str) -> Callable[..., Any]:
    """The engine's factory. Raises `EngineUnavailable` naming what is missing."""
    lacking = missing(name)
    if lacking:
        raise EngineUnavailable(name, f"missing {', '.join(lacking)}", hint=entry(name).hint)
    module, _, attribute = entry(name).target.partition(":")
    factory: Callable[..., Any] = getattr(import_module(module), attribute)
    return factory
