"""IPA to the mnemonics that espeak-ng reads between `[[` and `]]`, for one voice.

The library writes IPA and does not read it, so each mnemonic of its data is spoken once and what comes out is noted:
a tenth of a second for a voice, the first time. Knows nothing of processes or sound.
Format of `phontab`: https://github.com/espeak-ng/espeak-ng/blob/1.52.0/src/libespeak-ng/synthdata.c (LoadPhData).
"""

# ruff: noqa: RUF001  (IPA has letters of its own that look like others)

from __future__ import annotations

import re
import struct
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path

_TABLE_HEADER, _PHONEME_BYTES, _TABLE_BYTES = 4, 16, 36
_STRESS = {"ˈ": "'", "ˌ": ",", "'": "'", "ˑ": "", ".": "", "‿": "", "͡": "", "͜": "", "|": "", "‖": ""}
_VOWEL = "a"
_OTHER_USE = frozenset("_|#*;[]' ,%=-!+>&")  # stress, pauses, and what changes its neighbours
_NEAREST = """
a æ ɐ ɑ aː ɑː ʌ ə|æ a ɛ aː|ɐ a ə ʌ æ|ɑ a ɑː aː æ|ʌ ɐ a æ ɑ|ɒ ɔ ɑ ɑː ɔː o|ɔ o ɒ ɔː oː
o ɔ oː oʊ ɔː|ɤ o ɔ ʌ oː oʊ|e ɛ eː eɪ|ɛ e ɛː æ|ə ɐ ɛ e a ʌ|ɘ ə ɪ e|ɵ ø ə o|ɜ ə ɛ ɜː e|ɞ ə ɔ o
ø œ øː e ɛ ɜː|œ ø ɛ e ɜː|ɶ œ a æ|i ɪ iː|ɪ i ᵻ e iː|ɨ ɪ i|y ʏ yː i iː|ʏ y ɪ i|u ʊ uː|ʊ u uː
ʉ uː u ʊ|ɯ u ʊ uː|ᵻ ɪ i|ɚ ə ɜː|ɝ ɜː ə|ɹ r ɾ ʁ ɻ|r ɹ ɾ ʁ ʀ|ɾ r ɹ t|ʁ ʀ ɣ r ɹ|ʀ ʁ r ɹ|ɻ ɹ r
ɽ ɾ r ɹ|l ɫ ɭ|ɫ l|ɭ l|ʎ lʲ l|ɬ ʃ s|ɮ l|g ɡ|ɡ g|ɣ ɡ x h|x χ h k|χ x h|h x ħ|ɦ h|ħ h x|ʕ ʔ h
ç x ʃ h|ʝ j|j i|w ʋ v u|ʋ v w|β b v|ɸ f|v w f|θ s t f|ð z d v|s z|z s|ʃ s ʂ|ʒ ʃ z|ʂ ʃ s|ʐ ʒ z
ɕ ʃ s|ʑ ʒ z|n ŋ m|ɲ n|ŋ n|ɳ n|ɴ ŋ n|ɱ m|m n|t t̪ ʈ|d d̪ ɖ|ʈ t t̪|ɖ d d̪|c k t|ɟ ɡ d|q k|ɢ ɡ|k ɡ
p b|b p|f v
"""
"""A sound and what is said where a voice lacks it, the nearest first: English has no ʁ, it says its own r."""
_NEAR = {first: others for first, *others in map(str.split, re.split(r"[|\n]", _NEAREST.strip()))}
_SILENT = frozenset("ʔː")


def mnemonics(data_path: str) -> list[str]:
    """Names of all phonemes of all languages, the shortest first."""
    data = (Path(data_path) / "phontab").read_bytes()
    names, at = set[str](), _TABLE_HEADER
    for _ in range(data[0]):
        count, at = data[at], at + _TABLE_BYTES
        for _ in range(count):
            [packed] = struct.unpack_from("4s", data, at)
            names.add(packed.rstrip(b"\0").decode("latin-1"))
            at += _PHONEME_BYTES
    return sorted(
        (name for name in names if name and name.isprintable() and not set(name) & _OTHER_USE),
        key=lambda name: (len(name), name),
    )


def table(names: Iterable[str], pronounce: Callable[[str], str]) -> dict[str, str]:
    """IPA to mnemonic. `pronounce` says mnemonics and tells the IPA of what was said."""
    found: dict[str, str] = {}
    vowel = _unstressed(pronounce(_VOWEL))
    for name in names:
        ipa = _unstressed(pronounce(name + _VOWEL))  # not at the end of a word, where a German d becomes a t
        if ipa.endswith(vowel) and ipa != vowel:
            found.setdefault(ipa.removesuffix(vowel), name)
    return found


def _unstressed(ipa: str) -> str:
    return "".join(letter for letter in ipa if letter not in "ˈˌ")


def in_mnemonics(ipa: str, known: dict[str, str]) -> str:
    """Words of mnemonics, each in its brackets. Raises `ValueError` with the symbol that the voice cannot say."""
    longest = max(map(len, known), default=1)
    return " ".join(f"[[{_word(unicodedata.normalize('NFC', word), known, longest)}]]" for word in ipa.split())


def _word(rest: str, known: dict[str, str], longest: int) -> str:
    said = list[str]()
    while rest:
        size = next((size for size in range(min(longest, len(rest)), 0, -1) if rest[:size] in known), 0)
        symbol = rest[0]
        if size:
            said.append(known[rest[:size]])
            rest = rest[size:]
        elif symbol in _STRESS or symbol in _SILENT or unicodedata.category(symbol) in ("Mn", "Lm", "Sk"):
            said.append(_STRESS.get(symbol, ""))
            rest = rest[1:]
        elif near := next((near for near in _NEAR.get(symbol, ()) if near in known), ""):
            said.append(known[near])
            rest = rest[1:]
        elif (plain := unicodedata.normalize("NFD", symbol)) != symbol:
            rest = plain + rest[1:]
        else:
            raise ValueError(symbol)
    return "".join(said)
