"""A vocabulary with the shape of Whisper's: byte-level pairs of 50,257 text tokens, then the special ones.

`make_vocabulary` makes one up. Its words are syllables strung together ("bano", "tirelu"), so every one is a single
token with the space before it, and any text at all can be encoded, byte by byte if need be. `shape_tiktoken` reads the
real one. Knows nothing of models.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path

LANGUAGES = tuple(
    code
    for row in (
        "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt la",
        "mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be",
        "tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su",
    )
    for code in row.split()
)
"""The 99 language codes of Whisper, in the order of their ids."""
LANGUAGES_V3 = (*LANGUAGES, "yue")
"""Those of large-v3 and turbo, which have 51,866 tokens."""
TIMESTAMPS = 1501
_SPACE = "Ġ"
_TEXT_TOKENS = {True: 50_257, False: 50_256}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`tokens` in the order of their ids; `merges` are pairs, the most frequent first; `words` begin with a space.

    Tokens are written in the letters that stand for bytes (`byte_letters`). `source` says where they are from.
    """

    tokens: tuple[str, ...]
    merges: tuple[tuple[str, str], ...]
    words: tuple[str, ...]
    text_tokens: int
    languages: tuple[str, ...] = LANGUAGES
    source: str = "made up"

    @property
    def special(self) -> tuple[str, ...]:
        """The special tokens that are not timestamps."""
        return self.tokens[self.text_tokens : len(self.tokens) - TIMESTAMPS]

    @property
    def ids(self) -> dict[str, int]:
        return {token: number for number, token in enumerate(self.tokens)}

    def text_bytes(self) -> list[bytes]:
        """The text tokens as the bytes that they stand for."""
        values = {letter: byte for byte, letter in byte_letters().items()}
        return [bytes(values[letter] for letter in token) for token in self.tokens[: self.text_tokens]]

    def save_tokenizer(self, path: Path, *, timestamps: bool = False) -> None:
        """Write tokenizer.json; without timestamps, as models in CTranslate2 form have it, or with them."""
        from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

        text = {token: number for number, token in enumerate(self.tokens[: self.text_tokens])}
        tokenizer = Tokenizer(models.BPE(vocab=text, merges=list(self.merges)))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        tokenizer.add_special_tokens([AddedToken(token, special=True) for token in self.special])
        if timestamps:
            times = self.tokens[len(self.tokens) - TIMESTAMPS :]
            tokenizer.add_tokens([AddedToken(token, normalized=False) for token in times])
        tokenizer.save(str(path), pretty=False)


def make_vocabulary(*, multilingual: bool = True, languages: tuple[str, ...] = LANGUAGES) -> Vocabulary:
    """51,865 tokens (one more for each more language), or the 51,864 of an English-only model, whose language tokens
    mean nothing."""
    count = _TEXT_TOKENS[multilingual]
    letters = list(byte_letters().values())
    syllables = [consonant + vowel for consonant, vowel in product("bcdfghjklmnpqrstvwxyz", "aeiou")]
    opening = [_SPACE + syllable for syllable in syllables]
    doubles = [first + second for first, second in product(opening, syllables)]
    # The multilingual vocabulary ends in an empty token, and CTranslate2 knows it by that.
    last = [""] if multilingual else []
    left = count - len(letters) - len(syllables) - len(opening) - len(doubles) - len(last)
    triples = [first + second for first, second in islice(product(doubles, syllables), left)]
    merges = [(syllable[0], syllable[1]) for syllable in syllables]
    merges += [(_SPACE, word[1:]) for word in opening]
    merges += [(word[:-2], word[-2:]) for word in (*doubles, *triples)]
    text = (*letters, *syllables, *opening, *doubles, *triples, *last)
    return Vocabulary((*text, *special_tokens(languages)), tuple(merges), tuple(doubles), count, languages)


def special_tokens(languages: tuple[str, ...]) -> list[str]:
    """Everything after the text, in order."""
    names = ["endoftext", "startoftranscript", *languages, "translate", "transcribe"]
    names += ["startoflm", "startofprev", "nospeech", "notimestamps"]
    names += [f"{step * 0.02:.2f}" for step in range(TIMESTAMPS)]
    return [f"<|{name}|>" for name in names]


def byte_letters() -> dict[int, str]:
    """One printable letter for each of the 256 bytes, as byte-level tokenizers write them (GPT-2), in their order."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in printable]
    letters = [*map(chr, printable), *(chr(256 + number) for number in range(len(hidden)))]
    return dict(zip([*printable, *hidden], letters, strict=True))
