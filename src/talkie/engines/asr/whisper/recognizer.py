"""Whisper as a recogniser: windows of speech in, transcripts out, equal to the reference's and many at a time.

Knows nothing of recordings, voice activity or what was said before: each window stands alone. What is done to a batch
stands in `hearing`; here a model is loaded, a request is held against what the model can do, and batches are cut.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talkie.audio.mel import MAX_SECONDS, content_frames
from talkie.engines.asr.whisper import results
from talkie.engines.asr.whisper.backend import Backend
from talkie.engines.asr.whisper.backends import BackendOptions, open_backend
from talkie.engines.asr.whisper.fitting import context_frames
from talkie.engines.asr.whisper.hearing import Heard, Hearing
from talkie.engines.asr.whisper.model_config import check_config
from talkie.engines.asr.whisper.model_files import check
from talkie.engines.asr.whisper.prompt import context, max_length
from talkie.engines.asr.whisper.tokenizer_file import load_tokens
from talkie.engines.asr.whisper.tokens import WhisperTokens
from talkie.engines.base import RecognizeOptions, RecognizerInfo
from talkie.engines.memory import give_back_free_memory
from talkie.errors import EngineFailed, UnsupportedByModel
from talkie.types import SAMPLE_RATE_HZ, Audio, Transcript

_HOP_S = 0.01


@dataclass(frozen=True, slots=True)
class _Loaded:
    model: Backend
    tokens: WhisperTokens


class WhisperRecognizer:
    """Any Whisper model in CTranslate2 form, from its directory, on the library that suits it (`backends`).

    `choices` are those of `BackendOptions`. `device`: auto, cpu or cuda. `compute_type`: default (INT8 on processors,
    FP16 on CUDA devices that are fast at it), auto, or one of CTranslate2's; `info` says what it came to. `workers`
    are calls at once, each on `threads` processors; 0: as many as suit the machine.

    Raises `ModelNotFound`, `ModelBroken` naming the file at fault, `EngineUnavailable` where what was asked for is
    missing here, `InvalidValue` for settings that this machine cannot do.
    """

    def __init__(self, path: Path, *, name: str = "", **choices: Any) -> None:
        files = check(Path(path), name)
        words = check_config(files)
        opened = open_backend(files, BackendOptions(**choices))
        model = opened.model
        tokens = load_tokens(files, multilingual=model.multilingual)
        self._loaded: _Loaded | None = _Loaded(model, tokens)
        self._info = RecognizerInfo(
            name=files.name,
            engine="whisper",
            languages=tokens.languages,
            tasks=tokens.tasks,
            words=words,
            prompts=tokens.previous is not None,
            max_seconds=float(MAX_SECONDS),
            max_batch=model.max_batch,
            workers=model.workers,
            may_stop_early=True,
            device=model.device,
            compute_type=model.compute_type,
            backend=model.name,
            backend_reason=opened.reason,
        )

    @property
    def info(self) -> RecognizerInfo:
        return self._info

    def batch_key(self, audio: Audio, options: RecognizeOptions) -> Hashable:
        """Windows of one context, decoded by the same rules after prompts of one length: language, task and words may
        differ.

        Raises `UnsupportedByModel` for a language or task the model does not have, `InvalidValue` where the prompt
        leaves no room for `max_new_tokens`, `EngineFailed` for a window of another kind.
        """
        self._check(audio, options)
        tokens = self._still_loaded().tokens
        start = tokens.start_sequence(options.language or tokens.languages[0], options.task)
        prompt = context(tokens, options).prompt(start)
        max_length(len(prompt), options.decoding.max_new_tokens)
        frames = context_frames(options, content_frames(len(audio.samples)))
        return options.decoding, len(prompt), frames

    def recognize(self, batch: Sequence[Audio], options: Sequence[RecognizeOptions]) -> list[Transcript]:
        """One transcript for each window of at most 30 s at 16 kHz, in order.

        Raises what `batch_key` raises, and `EngineFailed` when the library fails.
        """
        loaded = self._still_loaded()
        heard = [Heard.of(*item) for item in zip(batch, options, strict=True)]
        alike: dict[Hashable, list[Heard]] = {}
        for item in heard:
            key = self.batch_key(item.audio, item.options)
            if item.window.frames:
                alike.setdefault(key, []).append(item)
        hearing = Hearing(loaded.model, loaded.tokens)
        for group in alike.values():
            for first in range(0, len(group), self._info.max_batch):
                hearing.run(group[first : first + self._info.max_batch])
        return [results.transcript(item, loaded.tokens.decode, self._info.name) for item in heard]

    def close(self) -> None:
        """Unload the model and give back its memory; may be called twice."""
        loaded, self._loaded = self._loaded, None
        if loaded is not None:
            loaded.model.close()
            del loaded
            give_back_free_memory()

    def _still_loaded(self) -> _Loaded:
        if self._loaded is None:
            raise EngineFailed("whisper", "the model was unloaded.")
        return self._loaded

    def _check(self, audio: Audio, options: RecognizeOptions) -> None:
        info = self._info
        if options.language is not None and options.language not in info.languages:
            what = "hears English only" if info.languages == ("en",) else f"does not know {options.language!r}"
            raise UnsupportedByModel("language", f"The model {info.name!r} {what}.")
        if options.task not in info.tasks:
            raise UnsupportedByModel("task", f"The model {info.name!r} cannot {options.task}.")
        if options.words and not info.words:
            raise UnsupportedByModel("words", f"The model {info.name!r} has no heads to time words by.")
        if audio.sample_rate != SAMPLE_RATE_HZ or audio.duration_s > MAX_SECONDS + _HOP_S:
            raise EngineFailed("whisper", f"a window must be at most {MAX_SECONDS} s at {SAMPLE_RATE_HZ} Hz.")
