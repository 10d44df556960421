"""The OpenVINO backend: a converted Whisper model in memory, as a `Backend`. Processors only."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from talkie.audio.mel import MAX_FRAMES
from talkie.engines import openvino_runtime
from talkie.engines.asr.whisper import hardware, search
from talkie.engines.asr.whisper.backend import AlignItem, GenerateOptions
from talkie.engines.asr.whisper.decoding import Hypothesis
from talkie.engines.asr.whisper.openvino.compiled import CROSS, ENCODER, ENCODER_OF_ANY_LENGTH, STEP, Compiled, put, run
from talkie.engines.asr.whisper.openvino.converted import Converted
from talkie.engines.asr.whisper.openvino.spare import SpareBlocks
from talkie.engines.asr.whisper.openvino.steps import CrossKeys, DecoderSteps
from talkie.engines.asr.whisper.words import Alignment
from talkie.errors import EngineFailed, TalkieError

MAX_BATCH = 12


class Encoded:
    """What the encoder made of some windows, and their cross keys and values once somebody decodes."""

    def __init__(self, windows: list[NDArray[np.float32]]) -> None:
        self.windows = windows
        self.cross: CrossKeys | None = None
        self.lock = threading.Lock()


class OpenVinoModel:
    """A `Backend` on OpenVINO. Its methods may be called from several threads at once."""

    name = "openvino"
    device = "cpu"
    max_batch = MAX_BATCH

    def __init__(self, converted: Converted, compiled: Compiled, workers: int) -> None:
        hardware.keep_large_blocks()
        self._converted = converted
        self._compiled = compiled
        self.workers = workers
        self._spare = SpareBlocks(workers)
        self.compute_type = converted.form.name
        self.n_mels = converted.n_mels
        self.multilingual = converted.multilingual
        for name in (ENCODER, CROSS, STEP):
            with _working():
                compiled.graph(name)

    def encode(self, features: NDArray[np.float32]) -> Encoded:
        """`features`: shape `(windows, n_mels, frames)`. Windows go through one by one: a batch gains nothing here."""
        graph = ENCODER if features.shape[2] == MAX_FRAMES else ENCODER_OF_ANY_LENGTH
        windows = []
        with _working(), self._compiled.request(graph) as request:
            for window in features:
                put(request.get_input_tensor(0), window[None])
                windows.append(run(request)[0].copy())
        return Encoded(windows)

    def languages(self, encoded: Encoded, numbers: Sequence[int]) -> list[list[tuple[str, float]]]:
        known = self._converted.vocabulary
        with _working():
            steps = self._steps(encoded, numbers)
            scores = steps.feed(np.full((len(numbers), 1, 1), known.start, np.int64))
            return search.languages(scores, known.languages)

    def generate(
        self, encoded: Encoded, prompts: Sequence[tuple[int, list[int]]], temperature: float, options: GenerateOptions
    ) -> list[Hypothesis]:
        with _working():
            steps = self._steps(encoded, [number for number, _ in prompts], options.suppressed)
            return search.generate(
                steps, [prompt for _, prompt in prompts], self._converted.vocabulary, temperature, options
            )

    def align(self, encoded: Encoded, start_sequence: list[int], items: Sequence[AlignItem]) -> list[Alignment]:
        return [self._align(encoded, start_sequence, item) for item in items]

    def _align(self, encoded: Encoded, start_sequence: list[int], item: AlignItem) -> Alignment:
        """The text is fed as a whole; what the alignment heads look at says where its tokens lie."""
        known = self._converted.vocabulary
        tokens = [*start_sequence, known.no_timestamps, *item.tokens, known.layout.end]
        first = len(start_sequence)
        with _working():
            steps = self._steps(encoded, [item.number])
            scored = range(first, first + len(item.tokens))
            logits, attention = steps.run(np.array(tokens, np.int64)[None, None], None, scored)
            return search.alignment(attention[0, :, :, : item.frames // 2], logits[0], item.tokens, known.layout, first)

    def _steps(self, encoded: Encoded, numbers: Sequence[int], suppressed: Sequence[int] = ()) -> DecoderSteps:
        request = openvino_runtime.new_request(self._compiled.graph(STEP))
        cross = self._cross(encoded).take(numbers)
        return DecoderSteps(request, cross, self._converted.vocabulary.layout, suppressed)

    def _cross(self, encoded: Encoded) -> CrossKeys:
        """Made for all windows at once, each written to its place in one large tensor."""
        with encoded.lock:
            if encoded.cross is None:
                encoded.cross = self._make_cross(encoded.windows)
            return encoded.cross

    def _make_cross(self, windows: Sequence[NDArray[np.float32]]) -> CrossKeys:
        tensor = openvino_runtime.load().Tensor
        ports, frames = self._compiled.graph(CROSS).outputs, windows[0].shape[1]
        shapes = [[len(windows), *(frames if size < 0 else size for size in _sizes(port)[1:])] for port in ports]
        types = [port.element_type for port in ports]
        blocks = self._spare.take([prod(shape) * kind.size for shape, kind in zip(shapes, types, strict=True)])
        tensors: dict[str, Any] = {
            _input_name(number): tensor(block[: prod(shape) * kind.size], shape, kind)
            for number, (block, shape, kind) in enumerate(zip(blocks, shapes, types, strict=True))
        }
        with self._compiled.request(CROSS) as request:
            for at, window in enumerate(windows):
                for number, whole in enumerate(tensors.values()):
                    shape = list(whole.shape)
                    part = tensor(whole, [at, *([0] * (len(shape) - 1))], [at + 1, *shape[1:]])
                    request.set_output_tensor(number, part)
                put(request.get_input_tensor(0), window)
                run(request)
        cross = CrossKeys(tensors, len(windows), blocks)
        weakref.finalize(cross, self._spare.give, blocks)
        return cross

    def close(self) -> None:
        self._spare.close()
        self._compiled.close()


def _sizes(port: Any) -> list[int]:
    return [-1 if dimension.is_dynamic else dimension.get_length() for dimension in port.partial_shape]


def _input_name(number: int) -> str:
    layer, part = divmod(number, 2)
    return f"cross_{('keys', 'values')[part]}_{layer}"


@contextmanager
def _working() -> Iterator[None]:
    try:
        yield
    except TalkieError:
        raise
    except Exception as error:
        raise EngineFailed("whisper", str(error)) from error
