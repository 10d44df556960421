"""A made-up vocabulary with the shape of Whisper's: byte-level pairs of 50,257 text tokens, then the special ones.

Words are syllables strung together ("bano", "tirelu"), so every one is a single token with the space before it, and any
text at all can be encoded, byte by byte if need be. Knows nothing of models.
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
TIMESTAMPS = 1501
_SPACE = "Ġ"
_TEXT_TOKENS = {True: 50_257, False: 50_256}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`tokens` in the order of their ids; `merges` are pairs, the most frequent first; `words` begin with a space."""

    tokens: tuple[str, ...]
    merges: tuple[tuple[str, str], ...]
    words: tuple[str, ...]
    text_tokens: int

    def save_tokenizer(self, path: Path) -> None:
        """Write tokenizer.json; timestamps are left out of it, as in the published models."""
        from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

        text = {token: number for number, token in enumerate(self.tokens[: self.text_tokens])}
        tokenizer = Tokenizer(models.BPE(vocab=text, merges=list(self.merges)))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        special = self.tokens[self.text_tokens : len(self.tokens) - TIMESTAMPS]
        tokenizer.add_special_tokens([AddedToken(token, special=True) for token in special])
        tokenizer.save(str(path), pretty=False)


def make_vocabulary(*, multilingual: bool = True) -> Vocabulary:
    """51,865 tokens, or the 51,864 of an English-only model (whose language tokens mean nothing)."""
    count = _TEXT_TOKENS[multilingual]
    letters = _byte_letters()
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
    return Vocabulary((*text, *_special()), tuple(merges), tuple(doubles), count)


def _special() -> list[str]:
    names = ["endoftext", "startoftranscript", *LANGUAGES, "translate", "transcribe"]
    names += ["startoflm", "startofprev", "nospeech", "notimestamps"]
    names += [f"{step * 0.02:.2f}" for step in range(TIMESTAMPS)]
    return [f"<|{name}|>" for name in names]


def _byte_letters() -> list[str]:
    """One printable letter for each of the 256 bytes, as byte-level tokenizers write them (GPT-2)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in printable]
    return [*map(chr, printable), *(chr(256 + number) for number in range(len(hidden)))]
