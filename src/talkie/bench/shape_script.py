"""What a shape-true model is made to write, as tokens that follow each other. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from talkie.bench.shape_vocabulary import LANGUAGES, LANGUAGES_V3, Vocabulary, make_vocabulary

_STEP_S = 0.02
_RIVALS = 6
_SOT, _END, _PLAIN = "<|startoftranscript|>", "<|endoftext|>", "<|notimestamps|>"
_TRANSCRIBE, _TRANSLATE = "<|transcribe|>", "<|translate|>"


@dataclass(frozen=True, slots=True)
class Shape:
    """Dimensions of a Whisper model (openai/whisper `ModelDimensions`)."""

    width: int
    heads: int
    encoder_layers: int
    decoder_layers: int
    mels: int = 80

    @property
    def languages(self) -> tuple[str, ...]:
        """The models with 128 mels (large-v3 and turbo) know one language more."""
        return LANGUAGES_V3 if self.mels == 128 else LANGUAGES


@dataclass(frozen=True, slots=True)
class Script:
    """What the decoder writes: `words` words in `segments` phrases over `until_s` seconds, then the end.

    `until_s` under the length of the audio is a decoder that stops early. `open_end` leaves two timestamps at the end
    in place of one, as a decoder does that wants the rest in the next window. 65 words in 30 s are true to life.
    """

    words: int = 65
    segments: int = 3
    until_s: float = 29.0
    open_end: bool = False
    english_only: bool = False


@dataclass(frozen=True, slots=True)
class Learned:
    """What the weights must know: all `tokens`; the `chain` that follow each other; `twins` (twin, token), which lead
    to the same; `rivals` (rival, token), which do so too and are second best where the token is best; `hints` (before,
    after) where timestamps lie between, which may not be said; ids of languages, and of what may not come first."""

    tokens: tuple[str, ...]
    chain: tuple[str, ...]
    twins: tuple[tuple[str, str], ...]
    rivals: tuple[tuple[str, str], ...]
    hints: tuple[tuple[str, str], ...]
    language_ids: tuple[int, ...]
    blank_ids: tuple[int, ...]


def learn(vocabulary: Vocabulary, script: Script) -> Learned:
    before = (_SOT,) if script.english_only else (_SOT, "<|en|>", _TRANSCRIBE)
    # Without timestamps, the token that says so stands where the first timestamp would.
    twins = [(_PLAIN, _timestamp(0))] + ([] if script.english_only else [(_TRANSLATE, _TRANSCRIBE)])
    ids = vocabulary.ids
    written = _written(vocabulary, script)
    return Learned(
        tokens=vocabulary.tokens,
        chain=(*before, *written),
        twins=tuple(twins),
        rivals=tuple(_rivals(vocabulary, script)),
        hints=tuple(_hints(written)),
        language_ids=tuple(ids[f"<|{code}|>"] for code in vocabulary.languages),
        blank_ids=(ids["Ġ"], ids[_END]),
    )


def written_text(script: Script, vocabulary: Vocabulary | None = None) -> str:
    """The text that a model of this script writes, in the made-up vocabulary unless another is given."""
    words = _words(vocabulary or make_vocabulary(multilingual=not script.english_only), script.words)
    return " ".join(word.removeprefix("Ġ") for word in words)


def _words(vocabulary: Vocabulary, count: int) -> list[str]:
    """Words that differ from each other, spread over the vocabulary."""
    step = max(1, len(vocabulary.words) // max(1, count))
    return list(vocabulary.words[::step][:count])


def _rivals(vocabulary: Vocabulary, script: Script) -> Iterator[tuple[str, str]]:
    """Other words for the first ones, so that the beams of a search are as long as the best and end with it, as those
    of a real model do. Without them a search would end early, or go on for as long as it may."""
    words = _words(vocabulary, script.words)
    used = set(words)
    others = (word for word in vocabulary.words if word not in used)
    yield from zip(others, words[:_RIVALS], strict=False)


def _hints(written: list[str]) -> Iterator[tuple[str, str]]:
    """What follows a word when the timestamps after it are left out."""
    said = [token for token in written if not token.removeprefix("<|")[:1].isdigit()]
    following = dict(pairwise(written))
    yield from ((before, after) for before, after in pairwise(said) if following[before] != after)


def _written(vocabulary: Vocabulary, script: Script) -> list[str]:
    words = _words(vocabulary, script.words)
    bounds = [round(part * len(words) / script.segments) for part in range(script.segments + 1)]
    steps = [round(part * script.until_s / script.segments / _STEP_S) for part in range(script.segments + 1)]
    found: list[str] = []
    for part in range(script.segments):
        # A token has one follower only, so a phrase begins 20 ms after the last one ended, not at the same mark.
        start = steps[part] + (1 if part else 0)
        found += [_timestamp(start), *words[bounds[part] : bounds[part + 1]], _timestamp(steps[part + 1])]
    if script.open_end:
        found.append(_timestamp(steps[-1] + 1))
    return [*found, _END]


def _timestamp(step: int) -> str:
    return f"<|{step * _STEP_S:.2f}|>"
