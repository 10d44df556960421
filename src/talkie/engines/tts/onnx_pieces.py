"""Inside a worker process: what the engines on ONNX Runtime share. Speech in pieces, marks from phonemes, the session.

Knows nothing of the pool, and nothing of what turns text into phonemes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from talkie.engines.tts.word_groups import spans_of_words

REPLY_SAMPLES = 120_000
"""At most so many a reply: five seconds at 24 kHz."""
LOUDEST = 0.98
_STRESS = frozenset("ˈˌ")
_QUIET = 3

Samples: TypeAlias = NDArray[np.float32]
Symbol: TypeAlias = tuple[str, float, float]
"""One letter of IPA (or a space, or a sign) with its start and end in seconds."""
Row: TypeAlias = tuple[str, str, float, float]
"""Kind (`word` or `phoneme`), text, start and end in seconds."""
Part: TypeAlias = tuple[Samples, Sequence[Row]]
"""Some speech and its marks, whose times count from the part's start."""


class Pieces:
    """An utterance on its way out, a few seconds a reply; nothing is made before it is asked for."""

    def __init__(self, parts: Iterator[Part], sample_rate: int, volume: float) -> None:
        self._parts, self._rate, self._volume = parts, sample_rate, volume
        self._samples: Samples = np.zeros(0, np.float32)
        self._rows: list[Row] = []
        self._sent = 0

    def reply(self) -> tuple[dict[str, Any], Samples]:
        """`more` is false with the last, which is empty. A mark is in the reply in which it begins."""
        while not len(self._samples):
            part = next(self._parts, None)
            if part is None:
                return {"marks": [], "more": False}, np.zeros(0, np.float32)
            offset_s = self._sent / self._rate
            self._samples = louder(part[0], self._volume)
            end_s = offset_s + len(self._samples) / self._rate
            self._rows = [
                (kind, text, min(start_s + offset_s, end_s), min(stop_s + offset_s, end_s))
                for kind, text, start_s, stop_s in part[1]
            ]
        piece, self._samples = self._samples[:REPLY_SAMPLES], self._samples[REPLY_SAMPLES:]
        self._sent += len(piece)
        last = not len(self._samples)
        now = [row for row in self._rows if last or row[2] < self._sent / self._rate]
        self._rows = self._rows[len(now) :]
        return {"marks": now, "more": True}, np.ascontiguousarray(piece)


def louder(samples: NDArray[Any], factor: float) -> Samples:
    """As loud as asked, or as it can be without clipping."""
    plain: Samples = np.nan_to_num(np.asarray(samples, np.float32).ravel())
    peak = float(np.abs(plain).max(initial=0.0))
    return np.asarray(plain * min(factor, max(LOUDEST, min(peak, 1.0)) / max(peak, 1e-6)), np.float32)


class Marks:
    """Marks of an utterance that is made in parts: its words, and which of its phonemes say each.

    `phonemes` are those of all of it, letter by letter; `measure` makes the phonemes of one word.
    """

    def __init__(self, words: Sequence[str], phonemes: str | Sequence[str], measure: Callable[[str], str]) -> None:
        spans = spans_of_words(words, group_sizes(phonemes), lambda word: sum(group_sizes(measure(word))))
        self._words = list(zip(words, spans, strict=False))
        self._seen = 0

    def rows(self, symbols: Sequence[Symbol]) -> list[Row]:
        """The marks of the next part; none where its phonemes have no times."""
        sounds = [sound for group in _groups(symbols) for sound in _phonemes(group)]
        first, self._seen = self._seen, self._seen + len(sounds)
        named: list[Row] = []
        for word, (start, end) in self._words:
            if sounds and first <= start < min(end, self._seen):
                named.append(("word", word, sounds[start - first][2], sounds[min(end, self._seen) - 1 - first][3]))
        return sorted([*named, *sounds], key=lambda row: (row[2], row[0] != "word"))


def group_sizes(phonemes: str | Sequence[str]) -> list[int]:
    """How many phonemes are in each stretch between spaces that has any."""
    sizes = [len(_phonemes(group)) for group in _groups([(one, 0.0, 0.0) for one in phonemes])]
    return [size for size in sizes if size]


def spoken_words(text: str) -> list[str]:
    """What an engine says as words: between spaces, with something in it to be said."""
    return [word for word in text.split() if any(letter.isalnum() for letter in word)]


def session(model: str | bytes, threads: int, device: str) -> Any:
    """An ONNX Runtime session with so many threads."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _QUIET
    providers = ["CPUExecutionProvider"]
    if device != "cpu" and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        providers.insert(0, "CUDAExecutionProvider")
    return onnxruntime.InferenceSession(model, sess_options=options, providers=providers)


def _groups(symbols: Sequence[Symbol]) -> Iterator[list[Symbol]]:
    group: list[Symbol] = []
    for symbol in symbols:
        if symbol[0].isspace():
            yield group
            group = []
        else:
            group.append(symbol)
    yield group


def _phonemes(group: Sequence[Symbol]) -> list[Row]:
    """Letters with what belongs to them: stress before, length and other signs after; punctuation is none."""
    found: list[Row] = []
    begun_s: float | None = None
    for text, start_s, end_s in group:
        category = unicodedata.category(text[0])
        if text in _STRESS:
            begun_s = start_s
        elif category in ("Lm", "Mn", "Sk", "Nd") and found:
            kind, before, first_s, _ = found[-1]
            found[-1] = kind, before + text, first_s, end_s
        elif category[0] == "L":
            found.append(("phoneme", text, start_s if begun_s is None else begun_s, end_s))
            begun_s = None
    return found
