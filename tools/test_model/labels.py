"""What a window should be heard as: tokens, where in the sound each is told, and labels of the frames.

Times are in encoder frames of 20 ms unless a name says otherwise.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from test_model.speech import Floats
from test_model.words import TIMESTAMPS, WORDS, Vocabulary

FULL_FRAMES = 3000  # 30 s of 10 ms
LATEST_FIRST_START = 50  # decoders allow a first timestamp of 1 s at most
GUARD = 2  # frames of room about a word


@dataclass
class Segment:
    words: list[tuple[int, float, float]] = field(default_factory=list)  # index in WORDS, start, end
    cut: bool = False  # by the window's end: only its start is told


@dataclass
class Window:
    features: Floats  # (80, frames of 10 ms)
    segments: list[Segment]
    offset: int  # of the window's start in the model's positions


@dataclass
class Batch:
    """Arrays of a batch of B windows with T encoder frames and at most L tokens."""

    features: Floats  # (B, 80, 2T)
    offsets: npt.NDArray[np.int64]  # (B,)
    tokens: npt.NDArray[np.int64]  # (B, L)
    targets: npt.NDArray[np.int64]  # (B, L), -1 where nothing is learnt
    spans: npt.NDArray[np.int64]  # (B, L, 2) frames that tell the target, (0, 0) for none
    pauses: npt.NDArray[np.int64]  # (B, L) where the next word begins, 0 for what is no word
    frame_words: npt.NDArray[np.int64]  # (B, T) index in WORDS, or len(WORDS) between words
    ordinals: npt.NDArray[np.int64]  # (B, T) which word of the window, -1 between words


def make_batch(windows: list[Window], vocabulary: Vocabulary, rng: np.random.Generator) -> Batch:
    rows = [label(window, vocabulary, rng) for window in windows]
    length = max(len(row.tokens) for row in rows)
    frames = windows[0].features.shape[1] // 2
    count = len(windows)
    batch = Batch(
        features=np.stack([w.features for w in windows]),
        offsets=np.array([w.offset for w in windows]),
        tokens=np.full((count, length), vocabulary.special("endoftext")),
        targets=np.full((count, length), -1),
        spans=np.zeros((count, length, 2), np.int64),
        pauses=np.zeros((count, length), np.int64),
        frame_words=np.full((count, frames), len(WORDS)),
        ordinals=np.full((count, frames), -1),
    )
    for i, (window, row) in enumerate(zip(windows, rows, strict=True)):
        batch.tokens[i, : len(row.tokens)] = row.tokens
        batch.targets[i, : len(row.targets)] = row.targets
        batch.spans[i, : len(row.spans)] = np.clip(row.spans, 0, frames)
        batch.pauses[i, : len(row.spans)] = np.clip(_pauses(window, row, vocabulary), 0, frames)
        for ordinal, (index, start, end) in enumerate(w for s in window.segments for w in s.words):
            inside = slice(round(start), max(round(start) + 1, round(end)))
            batch.frame_words[i, inside] = index
            batch.ordinals[i, inside] = ordinal
    return batch


@dataclass
class Row:
    tokens: list[int]
    targets: list[int]
    spans: list[tuple[int, int]]


def label(window: Window, vocabulary: Vocabulary, rng: np.random.Generator) -> Row:
    """What the decoder reads and should say, in one of Whisper's two forms."""
    timed = bool(rng.random() < 0.62)
    full = window.features.shape[1] == FULL_FRAMES  # a file's later windows have all that was said before as prompt
    prompt = previous_text(vocabulary, rng, long=full) if rng.random() < (0.4 if full else 0.12) else []
    start, end = vocabulary.special("startoftranscript"), vocabulary.special("endoftext")
    head = [start] if timed else [start, vocabulary.special("notimestamps")]
    body, spans = (timed_body if timed else plain_body)(window, vocabulary)
    if not window.segments:
        # The first answer is "no speech"; the rest teaches what to say when that token is not allowed.
        tokens = [*prompt, start, vocabulary.timestamp_begin if timed else vocabulary.special("notimestamps")]
        return Row(tokens, [-1] * len(prompt) + [vocabulary.special("nospeech"), end], [(0, 0)] * len(tokens))
    targets = [-1] * (len(prompt) + len(head) - 1) + body + [end]
    last = max(b for _, b in spans)
    spans = [(0, 0)] * (len(prompt) + len(head) - 1) + spans + [(last, last + 12)]
    return Row(prompt + head + body, targets, spans)


def _pauses(window: Window, row: Row, vocabulary: Vocabulary) -> list[int]:
    """For each word that a row says, where the next one begins; the last word has no pause."""
    words = [word for segment in window.segments for word in segment.words]
    starts = iter([*(round(a) for _, a, _ in words[1:]), round(words[-1][2])] if words else [])
    return [next(starts) if 0 <= target < vocabulary.text_size else 0 for target in row.targets]


def timed_body(window: Window, vocabulary: Vocabulary) -> tuple[list[int], list[tuple[int, int]]]:
    tokens: list[int] = []
    spans: list[tuple[int, int]] = []
    for number, segment in enumerate(window.segments):
        begin, finish = round(segment.words[0][1]), round(segment.words[-1][2])
        told = window.offset + begin
        if number == 0 and window.offset == 0 and window.features.shape[1] == FULL_FRAMES:
            told = min(told, LATEST_FIRST_START)
        tokens.append(vocabulary.timestamp_begin + min(told, TIMESTAMPS - 1))
        spans.append((max(0, begin - 4), begin + 5))
        if segment.cut and number > 0:
            break
        words, places = _words(segment, vocabulary)
        tokens += words
        spans += places
        if segment.cut:
            break
        tokens.append(vocabulary.timestamp_begin + min(window.offset + finish, TIMESTAMPS - 1))
        spans.append((max(0, finish - 5), finish + 4))
    return tokens, spans


def plain_body(window: Window, vocabulary: Vocabulary) -> tuple[list[int], list[tuple[int, int]]]:
    parts = [_words(segment, vocabulary) for segment in window.segments]
    return [token for words, _ in parts for token in words], [place for _, places in parts for place in places]


def _words(segment: Segment, vocabulary: Vocabulary) -> tuple[list[int], list[tuple[int, int]]]:
    tokens = [vocabulary.word(WORDS[index]) for index, _, _ in segment.words]
    spans = [(max(0, round(a) - GUARD + 1), round(b) + GUARD) for _, a, b in segment.words]
    return tokens, spans


def previous_text(vocabulary: Vocabulary, rng: np.random.Generator, *, long: bool = False) -> list[int]:
    """A prompt: earlier words with or without timestamps, or words that are not ours, spelt in bytes."""
    tokens = [vocabulary.special("startofprev")]
    kind = rng.random()
    if kind < 0.25:
        return tokens + [int(rng.integers(vocabulary.text_size)) for _ in range(int(rng.integers(1, 30)))]
    digits = WORDS[:10] if rng.random() < 0.4 else WORDS
    for _ in range(int(rng.integers(1, 25 if long else 5))):
        words = [vocabulary.word(str(rng.choice(digits))) for _ in range(int(rng.integers(1, 7)))]
        if kind < 0.6:
            times = sorted(rng.integers(0, TIMESTAMPS, 2))
            words = [int(times[0]) + vocabulary.timestamp_begin, *words, int(times[1]) + vocabulary.timestamp_begin]
        tokens += words
    return tokens[:224]
