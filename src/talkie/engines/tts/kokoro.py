"""Kokoro, a small model with natural voices, through `kokoro-onnx` in worker processes.

Its graph takes `tokens` or `input_ids` (1, n), `style` (1, 256) and `speed` (1,) and gives `audio` at 24 kHz; newer
exports give `duration` (1, n) as well, and then phonemes and words have times. Knows nothing of sentences or requests;
`kokoro_worker.py` is the other end.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from talkie.engines.base import SynthesizeOptions, SynthesizerInfo, Voice
from talkie.engines.tts.espeak import speakable
from talkie.engines.tts.onnx_voice import MAX_TEXT_CHARACTERS, OnnxVoice, Work, check_request, graph_of, only
from talkie.errors import InvalidValue, ModelBroken, UnsupportedByModel
from talkie.types import SpeechChunk

SAMPLE_RATE_HZ = 24_000
SPEEDS = (0.5, 2.0)
"""What the model was made for; what is asked beyond is said at the nearest of these."""
LANGUAGES = {"a": "en-us", "b": "en-gb", "e": "es", "f": "fr-fr", "h": "hi", "i": "it", "p": "pt-br"}
"""By the first letter of a voice's name. Voices for Japanese and Chinese (`j`, `z`) are left out: the rules that make
phonemes of such text are not in the package, and espeak's are not those that the model learnt."""
USUAL = ("af_heart", "bf_emma", "ff_siwis", "ef_dora", "if_sara", "hf_alpha", "pf_dora")
"""Of a language's voices the one that speaks when none is asked for."""
_INPUTS = (("tokens", "input_ids"), ("style",), ("speed",))
_TASK = "talkie.engines.tts.kokoro_worker:KokoroTask"
_MAX_VOICES = 1000


class KokoroSynthesizer:
    """Synthesiser. Up to `workers` texts are spoken at once, each with `threads` threads."""

    def __init__(self, path: Path, *, name: str = "", device: str = "auto", threads: int = 0, workers: int = 0) -> None:
        """Raises `ModelBroken`."""
        path = Path(path)
        model, voices = _files(path, name or path.name)
        described = self.describe(path, name=name or path.name)
        self._languages = {voice.name: voice.languages[0] for voice in described.voices}
        options = {"model": str(model), "voices": str(voices)}
        self._voice = OnnxVoice(Work("kokoro", _TASK, options, described.name, device, threads, workers))
        self.info = _info(described.name, described.voices, described.marks != (), self._voice)

    @staticmethod
    def describe(path: Path, *, name: str) -> SynthesizerInfo:
        """The same from the files alone. Raises `ModelBroken`."""
        model, voices = _files(path, name)
        facts = graph_of(model, name, _INPUTS)
        known = tuple(Voice(one, (LANGUAGES[one[0]],)) for one in _names(voices, name) if one[:1] in LANGUAGES)
        if not known:
            raise ModelBroken(name, f"{voices.name} has no voice of a language that can be spoken.")
        return _info(name, known, "duration" in facts.outputs)

    def ready(self) -> bool:
        return self._voice.ready()

    def pids(self) -> tuple[int, ...]:
        return self._voice.pids()

    def synthesize(self, text: str, options: SynthesizeOptions) -> Iterator[SpeechChunk]:
        """Speech as it is made, at most 510 phonemes at once. Raises `InvalidValue`, `UnsupportedByModel`: at once; a
        phoneme that the model does not know is `InvalidValue` with the first piece."""
        check_request(text, options)
        voice = self._voice_for(options)
        args = {
            "voice": voice,
            "language": self._language_for(voice, options.language),
            "speed": min(max(options.speed, SPEEDS[0]), SPEEDS[1]),
            "volume": options.volume,
            "phonemes": options.phonemes,
        }
        return self._voice.speak(speakable(text), args, SAMPLE_RATE_HZ)

    def close(self) -> None:
        self._voice.close()

    def _voice_for(self, options: SynthesizeOptions) -> str:
        if options.voice:
            if options.voice in self._languages:
                return options.voice
            near = ", ".join(get_close_matches(options.voice[:40], list(self._languages), 3, 0.3))
            raise InvalidValue(
                "voice", f"kokoro has no voice {options.voice[:40]!r}.", hint=f"Near it: {near}." if near else ""
            )
        tag = options.language.lower()
        fitting = [one for one, language in self._languages.items() if language == tag]
        fitting = fitting or [one for one, language in self._languages.items() if _family(language) == _family(tag)]
        if not fitting:
            raise UnsupportedByModel("language", f"kokoro has no voice for the language {tag[:40]!r}.")
        return next((one for one in USUAL if one in fitting), fitting[0])

    def _language_for(self, voice: str, asked: str) -> str:
        """The rules for pronunciation: the voice's own, or those of another language that was asked for."""
        own = self._languages[voice]
        if not asked or _family(asked) == _family(own):
            return asked.lower() if asked.lower() in LANGUAGES.values() else own
        found = next((one for one in LANGUAGES.values() if _family(one) == _family(asked)), "")
        if not found:
            raise UnsupportedByModel("language", f"kokoro does not speak the language {asked[:40]!r}.")
        return found


def _files(path: Path, name: str) -> tuple[Path, Path]:
    return only(path, "*.onnx", name), only(path, "voices*.bin", name)


def _names(voices: Path, model: str) -> list[str]:
    try:
        with ZipFile(voices) as archive:
            names = [one.removesuffix(".npy") for one in archive.namelist()]
    except (BadZipFile, OSError):
        raise ModelBroken(model, f"{voices.name} is not a NumPy archive of voices.") from None
    if not 1 <= len(names) <= _MAX_VOICES:
        raise ModelBroken(model, f"{voices.name} holds {len(names)} voices.")
    return sorted(names)


def _info(name: str, voices: tuple[Voice, ...], timed: bool, work: OnnxVoice | None = None) -> SynthesizerInfo:
    return SynthesizerInfo(
        name=name,
        engine="kokoro",
        languages=tuple(sorted({_family(voice.languages[0]) for voice in voices})),
        voices=voices,
        sample_rate=SAMPLE_RATE_HZ,
        marks=("word", "phoneme") if timed else (),
        max_characters=MAX_TEXT_CHARACTERS,
        workers=work.workers if work else 1,
        phonemes=True,
        device=work.device if work else "cpu",
        backend="onnxruntime",
        backend_reason=work.device_reason if work else "",
    )


def _family(tag: str) -> str:
    return tag.lower().replace("_", "-").partition("-")[0]
