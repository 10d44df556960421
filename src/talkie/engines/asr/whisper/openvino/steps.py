"""The decoder at work on some windows: the state of one request, seen from a search as `Steps`.

A request serves one batch and is thrown away: one that is used again for a larger batch gives wrong tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from talkie.engines.asr.whisper.openvino.compiled import put, run
from talkie.engines.asr.whisper.prompt import MAX_LENGTH
from talkie.engines.asr.whisper.search.scores import FullScores
from talkie.engines.asr.whisper.search.steps import Ids, Layout, Scores

_MASKED = np.float32(-1e9)
_NO_MASK = np.zeros((1, MAX_LENGTH + 1), np.float32)


class DecoderSteps:
    """`Steps` over one request. Not for two threads at once."""

    def __init__(self, request: Any, cross: CrossKeys, layout: Layout, suppressed: Sequence[int] = ()) -> None:
        self._request = request
        self._cross = cross
        self._layout = layout
        self._suppressed = suppressed
        self._past = 0
        self._rows = np.arange(cross.windows)[:, None]  # of the last call, by window and beam
        cross.give(request)

    def feed(self, tokens: Ids, parents: Ids | None = None) -> Scores:
        logits = self.run(tokens, parents, [tokens.shape[2] - 1])[0]
        return FullScores(logits.reshape(*tokens.shape[:2], -1), self._layout, self._suppressed)

    def run(self, tokens: Ids, parents: Ids | None, positions: Sequence[int]) -> list[NDArray[np.float32]]:
        """All outputs of the graph, scored at `positions` of the new tokens; good until the next call."""
        windows, beams, count = tokens.shape
        if parents is None:
            chosen = np.broadcast_to(self._rows, (windows, beams))
        else:
            chosen = np.take_along_axis(self._rows, parents, axis=1)
        given: dict[str, NDArray[Any]] = {
            "tokens": tokens.astype(np.int64),
            "past": np.array(self._past, np.int64),
            "parents": chosen.reshape(-1).astype(np.int32),
            "mask": self._mask(count),
            "last": np.array(positions, np.int64),
        }
        for name, array in given.items():
            put(self._request.get_tensor(name), array)
        outputs = run(self._request)
        self._past += count
        self._rows = np.arange(windows * beams).reshape(windows, beams)
        return outputs

    def keep(self, windows: Sequence[int]) -> None:
        self._rows = self._rows[list(windows)]
        self._cross = self._cross.take(windows)
        self._cross.give(self._request)

    def _mask(self, count: int) -> NDArray[np.float32]:
        """Nobody looks ahead: `(count, past + count)`."""
        if count == 1:
            return _NO_MASK[:, : self._past + 1]
        mask: NDArray[np.float32] = np.triu(np.full((count, self._past + count), _MASKED, np.float32), self._past + 1)
        return mask


class CrossKeys:
    """Cross keys and values of some windows, as tensors that a request reads where they lie: in `blocks`."""

    def __init__(self, tensors: dict[str, Any], windows: int, blocks: Sequence[Any] = ()) -> None:
        self._tensors = tensors
        self._blocks = blocks
        self.windows = windows

    def give(self, request: Any) -> None:
        for name, tensor in self._tensors.items():
            request.set_tensor(name, tensor)

    def take(self, numbers: Sequence[int]) -> CrossKeys:
        """Those of some windows, in this order: the same ones when they are all wanted, else copied."""
        if list(numbers) == list(range(self.windows)):
            return self
        return CrossKeys({name: _copied(tensor, numbers) for name, tensor in self._tensors.items()}, len(numbers))


def _copied(tensor: Any, numbers: Sequence[int]) -> Any:
    """Rows of a tensor. BF16 has no type in NumPy, so the bytes are copied as whole numbers of the same size."""
    shape = list(tensor.shape)
    shape[0] = len(numbers)
    copy = type(tensor)(tensor.element_type, shape)
    raw = np.uint16 if tensor.element_type.size == 2 else np.uint32
    np.take(tensor.data.view(raw), list(numbers), axis=0, out=copy.data.view(raw))
    return copy
