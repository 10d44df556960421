"""Piper voices, one model a voice, through `piper-tts` (GPL-3) in worker processes.

A voice's graph takes `input` (1, n), `input_lengths` (1,), `scales` (3,) and, where it has several speakers, `sid`
(1,); it gives `output` (1, 1, 1, samples). How long each phoneme lasts is inside every graph and an output of few: it
is made one while loading, so that words have times (docs/decisions/0096). Knows nothing of sentences or requests;
`piper_worker.py` is the other end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from talkie.engines.base import SynthesizeOptions, SynthesizerInfo, Voice
from talkie.engines.tts.espeak import speakable
from talkie.engines.tts.onnx_voice import MAX_TEXT_CHARACTERS, OnnxVoice, Work, check_request, graph_of, only
from talkie.errors import InvalidValue, ModelBroken, UnsupportedByModel
from talkie.types import MarkKind, SpeechChunk

_INPUTS = (("input",), ("input_lengths",), ("scales",))
_TASK = "talkie.engines.tts.piper_worker:PiperTask"
_PHONEME_TYPES = ("espeak", "text")
"""The ways to phonemes that need no other package and fetch nothing from a network."""
_MAX_CONFIG_BYTES = 4 * 1024 * 1024
_MAX_SPEAKERS = 10_000


class PiperSynthesizer:
    """Synthesiser. Up to `workers` texts are spoken at once, each with `threads` threads."""

    def __init__(self, path: Path, *, name: str = "", device: str = "auto", threads: int = 0, workers: int = 0) -> None:
        """Raises `ModelBroken`, `UnsupportedByModel`."""
        path = Path(path)
        name = name or path.name
        model, config = _files(path, name)
        described = self.describe(path, name=name)
        self._speakers = _speakers(model, config)
        facts = graph_of(model, name, _INPUTS)
        options = {
            "model": str(model),
            "config": str(model) + ".json",
            "lengths": facts.ceilings[0] if _hides_lengths(facts.outputs, facts.ceilings) else "",
        }
        self._voice = OnnxVoice(Work("piper", _TASK, options, name, device, threads, workers))
        self.info = _info(name, model, config, described.marks, self._voice)

    @staticmethod
    def describe(path: Path, *, name: str) -> SynthesizerInfo:
        """The same from the files alone. Raises `ModelBroken`, `UnsupportedByModel`."""
        model, config = _files(path, name)
        facts = graph_of(model, name, _INPUTS)
        timed = len(facts.outputs) > 1 or _hides_lengths(facts.outputs, facts.ceilings)
        return _info(name, model, config, ("word", "phoneme") if timed else ())

    def ready(self) -> bool:
        return self._voice.ready()

    def pids(self) -> tuple[int, ...]:
        return self._voice.pids()

    def synthesize(self, text: str, options: SynthesizeOptions) -> Iterator[SpeechChunk]:
        """Speech sentence by sentence. Raises `InvalidValue`, `UnsupportedByModel`: at once; a phoneme that the voice
        does not know is `InvalidValue` with the first piece."""
        check_request(text, options)
        if not options.voice and options.language.lower().partition("-")[0] not in self.info.languages:
            raise UnsupportedByModel("language", f"This voice does not speak the language {options.language[:40]!r}.")
        args = {
            "speaker": self._speaker(options.voice),
            "speed": options.speed,
            "volume": options.volume,
            "phonemes": options.phonemes,
        }
        return self._voice.speak(speakable(text), args, self.info.sample_rate)

    def close(self) -> None:
        self._voice.close()

    def _speaker(self, voice: str) -> int | None:
        """None: the one and only, or the usual one of several."""
        if not voice:
            return None
        if voice not in self._speakers:
            near = ", ".join(get_close_matches(voice[:40], list(self._speakers), 3, 0.3))
            raise InvalidValue(
                "voice", f"This model has no voice {voice[:40]!r}.", hint=f"Near it: {near}." if near else ""
            )
        return self._speakers[voice]


def _hides_lengths(outputs: tuple[str, ...], ceilings: tuple[str, ...]) -> bool:
    return len(outputs) == 1 and len(ceilings) == 1


def _files(path: Path, name: str) -> tuple[Path, dict[str, Any]]:
    model = only(path, "*.onnx", name)
    beside = model.with_name(model.name + ".json")
    try:
        if beside.stat().st_size > _MAX_CONFIG_BYTES:
            raise ModelBroken(name, f"{beside.name} is larger than {_MAX_CONFIG_BYTES} bytes.")
        config: dict[str, Any] = json.loads(beside.read_bytes())
        if not all(isinstance(config[key], dict) for key in ("audio", "espeak", "phoneme_id_map")):
            raise TypeError
        int(config["audio"]["sample_rate"])
        if not 1 <= int(config["num_speakers"]) <= _MAX_SPEAKERS:
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise ModelBroken(name, f"{beside.name} is not the description of a Piper voice.") from None
    kind = str(config.get("phoneme_type") or "espeak")
    if kind not in _PHONEME_TYPES:
        raise UnsupportedByModel("model", f"The voice {name!r} reads text in a way ({kind[:20]}) that is not built in.")
    return model, config


def _speakers(model: Path, config: dict[str, Any]) -> dict[str, int | None]:
    """Names and numbers: of one speaker that of the file."""
    count = int(config["num_speakers"])
    if count <= 1:
        return {model.stem: None}
    named = config.get("speaker_id_map") or {}
    found = {str(name): int(number) for name, number in named.items() if 0 <= int(number) < count}
    return {**found} or {str(number): number for number in range(count)}


def _tag(config: dict[str, Any]) -> str:
    told = config.get("language")
    code = str(told.get("code") or "") if isinstance(told, dict) else ""
    return (code or str(config["espeak"].get("voice") or "en")).replace("_", "-").lower()


def _info(
    name: str, model: Path, config: dict[str, Any], marks: tuple[MarkKind, ...], work: OnnxVoice | None = None
) -> SynthesizerInfo:
    tag = _tag(config)
    return SynthesizerInfo(
        name=name,
        engine="piper",
        languages=(tag.partition("-")[0],),
        voices=tuple(Voice(speaker, (tag,)) for speaker in _speakers(model, config)),
        sample_rate=int(config["audio"]["sample_rate"]),
        marks=marks,
        max_characters=MAX_TEXT_CHARACTERS,
        workers=work.workers if work else 1,
        phonemes=str(config.get("phoneme_type") or "espeak") == "espeak",
        device=work.device if work else "cpu",
        backend="onnxruntime",
        backend_reason=work.device_reason if work else "",
    )
