"""Phonemes guessed from letters, spread over the time of their word: for engines that tell none, for mouths to move by.

A rough rule for scripts with an alphabet of Latin or Greek or Cyrillic descent; other letters open the mouth. Every
mark says that it is estimated. Knows nothing of languages.
"""

# ruff: noqa: RUF001  (IPA has letters of its own that look like others)

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from talkie.types import Mark

_PAIRS = {
    "sh": "ʃ", "ch": "tʃ", "th": "θ", "ph": "f", "ck": "k", "qu": "k", "ng": "ŋ", "oo": "uː", "ee": "iː", "ea": "iː",
    "ou": "aʊ", "ow": "oʊ", "ai": "eɪ", "ay": "eɪ", "ei": "aɪ", "ie": "iː", "eu": "ɔɪ", "au": "aʊ",
}  # fmt: skip
_ALPHABETS = (
    "a a|b b|c k|d d|e ɛ|f f|g ɡ|h h|i ɪ|j dʒ|k k|l l|m m|n n|o ɔ|p p|q k|r ɹ|s s|t t|u ʊ|v v|w w|x k|y i|z z",
    "ß s|æ ɛ|ø ø|œ œ|ł w|đ d|þ θ|ð ð|ı ɪ",
    "α a|β v|γ ɡ|δ ð|ε ɛ|ζ z|η i|θ θ|ι i|κ k|λ l|μ m|ν n|ξ k|ο ɔ|π p|ρ r|σ s|ς s|τ t|υ i|φ f|χ x|ψ p|ω ɔ",
    "а a|б b|в v|г ɡ|д d|е ɛ|ж ʒ|з z|и i|й j|к k|л l|м m|н n|о ɔ|п p|р r|с s|т t|у u|ф f|х x|ц ts|ч tʃ|ш ʃ|щ ʃ|ы ɪ|"
    "э ɛ|ю u|я a|і i|ї i|є ɛ|ґ ɡ|ј j|љ l|њ n|ћ tɕ|ђ dʑ|џ dʒ",
)
_LETTERS = dict(pair.split() for alphabet in _ALPHABETS for pair in alphabet.split("|"))
_OTHER = "a"


def spread(words: Sequence[Mark]) -> Iterator[Mark]:
    """Phonemes of each word, vowels twice as long as consonants, from its start to its end."""
    for word in words:
        sounds = guessed(word.text)
        weights = [2.0 if sound[0] in "aeiouɪɛɔʊøə" else 1.0 for sound in sounds]
        at, second = word.start_s, (word.end_s - word.start_s) / max(1.0, sum(weights))
        for sound, weight in zip(sounds, weights, strict=True):
            end_s = min(at + weight * second, word.end_s)
            yield Mark("phoneme", sound, at, end_s, estimated=True)
            at = end_s


def guessed(text: str) -> list[str]:
    """`sheep` is ʃ iː p. Letters that are silent in most places are few enough to be left in."""
    letters = [letter for letter in unicodedata.normalize("NFKD", text.casefold()) if letter.isalnum()]
    sounds, at = list[str](), 0
    while at < len(letters):
        pair = "".join(letters[at : at + 2])
        sound = _PAIRS.get(pair)
        at += 2 if sound else 1
        sounds.append(sound or _LETTERS.get(pair[0], _OTHER))
    return [sound for sound, before in zip(sounds, ["", *sounds], strict=False) if sound != before]
