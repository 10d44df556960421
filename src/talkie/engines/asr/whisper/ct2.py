"""The CTranslate2 backend: a Whisper model in memory, and the four things that can be asked of it.

Knows nothing of rules, prompts or words: ids in, ids and numbers out. Errors of the library leave it as talkie.errors.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import ctranslate2
import numpy as np
from numpy.typing import NDArray

from talkie.audio.mel import MAX_FRAMES
from talkie.engines.asr.whisper import hardware
from talkie.engines.asr.whisper.backend import AlignItem, GenerateOptions
from talkie.engines.asr.whisper.decoding import Hypothesis
from talkie.engines.asr.whisper.model_files import ModelFiles
from talkie.engines.asr.whisper.prompt import max_length
from talkie.engines.asr.whisper.tokens import TIMESTAMP_STEP_S
from talkie.engines.asr.whisper.words import Alignment
from talkie.errors import EngineFailed, EngineUnavailable, ModelBroken, TalkieError

_log = logging.getLogger(__name__)

_CUDA_SIGNS = ("cuda", "cublas", "cudnn")
_CUDA_HINT = (
    "Install NVIDIA's libraries (`pip install nvidia-cublas-cu12`, its lib directory on LD_LIBRARY_PATH), or use the "
    "device cpu."
)
_MEDIAN_FILTER = 7


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """As in `WhisperRecognizer`; nothing is chosen yet."""

    device: str = "auto"
    compute_type: str = "default"
    threads: int = 0
    workers: int = 1


class Encoded:
    """What the encoder made of some windows. Parts are cut out in main memory, and only when parts are wanted."""

    def __init__(self, view: ctranslate2.StorageView, count: int) -> None:
        self._view = view
        self._count = count
        self._array: NDArray[np.float32] | None = None

    def take(self, numbers: Sequence[int]) -> ctranslate2.StorageView:
        """The windows of these numbers, in this order."""
        if list(numbers) == list(range(self._count)):
            return self._view
        if self._array is None:
            view = self._view.to(ctranslate2.DataType.float32)
            self._array = np.array(view.to_device(ctranslate2.Device.cpu) if view.device != "cpu" else view)
        return ctranslate2.StorageView.from_array(np.ascontiguousarray(self._array[list(numbers)]))


MAX_BATCH = {"cpu": 8, "cuda": 16}


class Ct2Model:
    """A `Backend` on CTranslate2. Its methods may be called from several threads at once."""

    name = "ctranslate2"

    def __init__(self, files: ModelFiles, options: LoadOptions) -> None:
        hardware.use_wide_vectors()
        self.device = hardware.choose_device(options.device)
        compute_type = hardware.choose_compute_type(options.compute_type, self.device)
        if self.device == "cpu":
            hardware.keep_large_blocks()
        with _loading(files.name):
            self._model: Any = ctranslate2.models.Whisper(
                str(files.directory),
                device=self.device,
                compute_type=compute_type,
                intra_threads=hardware.choose_threads(options.threads, options.workers),
                inter_threads=options.workers,
            )
        self.max_batch = MAX_BATCH[self.device]
        self.workers = options.workers
        self.n_mels = int(self._model.n_mels)
        self.multilingual = bool(self._model.is_multilingual)
        self.compute_type = str(self._model.compute_type)
        if self.device == "cuda":
            # CUDA's libraries are looked for at the first use only: better now than in somebody's request.
            self.encode(np.zeros((1, self.n_mels, MAX_FRAMES), np.float32))

    def encode(self, features: NDArray[np.float32]) -> Encoded:
        """`features`: shape `(windows, n_mels, 3000)`."""
        with _working():
            return Encoded(self._model.encode(ctranslate2.StorageView.from_array(features)), len(features))

    def languages(self, encoded: Encoded, numbers: Sequence[int]) -> list[list[tuple[str, float]]]:
        """For each window the language tokens and their probabilities, the likeliest first."""
        with _working():
            found: list[list[tuple[str, float]]] = self._model.detect_language(encoded.take(numbers))
            return found

    def generate(
        self, encoded: Encoded, prompts: Sequence[tuple[int, list[int]]], temperature: float, options: GenerateOptions
    ) -> list[Hypothesis]:
        """One hypothesis for each `(window number, prompt)`; the prompts must be of one length."""
        decoding = options.decoding
        search = (
            {
                "beam_size": 1,
                "num_hypotheses": decoding.best_of,
                "sampling_topk": 0,
                "sampling_temperature": temperature,
            }
            if temperature > 0
            else {"beam_size": decoding.beam_size, "patience": decoding.patience}
        )
        with _working():
            results = self._model.generate(
                encoded.take([number for number, _ in prompts]),
                [prompt for _, prompt in prompts],
                max_length=max_length(len(prompts[0][1]), decoding.max_new_tokens),
                length_penalty=decoding.length_penalty,
                repetition_penalty=decoding.repetition_penalty,
                no_repeat_ngram_size=decoding.no_repeat_ngram_size,
                suppress_blank=decoding.suppress_blank,
                suppress_tokens=list(options.suppressed),
                max_initial_timestamp_index=round(decoding.max_initial_timestamp_s / TIMESTAMP_STEP_S),
                return_scores=True,
                return_no_speech_prob=True,
                **search,
            )
        return [Hypothesis(tuple(one.sequences_ids[0]), one.scores[0], one.no_speech_prob) for one in results]

    def align(self, encoded: Encoded, start_sequence: list[int], items: Sequence[AlignItem]) -> list[Alignment]:
        """Windows are aligned one by one: in a batch the padding of shorter texts moves the words of longer ones."""
        return [self._align(encoded, start_sequence, item) for item in items]

    def _align(self, encoded: Encoded, start_sequence: list[int], item: AlignItem) -> Alignment:
        with _working():
            (result,) = self._model.align(
                encoded.take([item.number]),
                start_sequence,
                [list(item.tokens)],
                item.frames,
                median_filter_width=_MEDIAN_FILTER,
            )
        return Alignment(result.alignments, result.text_token_probs)

    def close(self) -> None:
        self._model.unload_model()


def open_model(files: ModelFiles, options: LoadOptions) -> Ct2Model:
    """A model on the device asked for; with `auto`, on the processor where CUDA is there but cannot be used."""
    try:
        return Ct2Model(files, options)
    except EngineUnavailable as error:
        if options.device != "auto":
            raise
        _log.warning("%s Using the processor. %s", error.message, error.hint)
        return Ct2Model(files, replace(options, device="cpu"))


@contextmanager
def _loading(name: str) -> Iterator[None]:
    try:
        yield
    except TalkieError:
        raise
    except MemoryError:
        raise EngineFailed("whisper", f"there is not enough memory for the model {name!r}.") from None
    except Exception as error:
        detail = str(error)
        if any(sign in detail.lower() for sign in _CUDA_SIGNS):
            raise EngineUnavailable("whisper", detail, hint=_CUDA_HINT) from error
        raise ModelBroken(name, detail) from error


@contextmanager
def _working() -> Iterator[None]:
    try:
        yield
    except TalkieError:
        raise
    except Exception as error:
        detail = str(error)
        if "libcublas" in detail.lower() or "libcudnn" in detail.lower():
            raise EngineUnavailable("whisper", detail, hint=_CUDA_HINT) from error
        raise EngineFailed("whisper", detail) from error
