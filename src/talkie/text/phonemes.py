"""Phonemes as people and programs write them: IPA of any language, X-SAMPA, and the ARPAbet of English recognisers.

Tables and pure functions. Knows nothing of mouths (`visemes.py`) or of which engine says what.
"""

# ruff: noqa: RUF001  (IPA looks like other letters)
from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

STRESS = frozenset("ˈˌ")
LENGTH = frozenset("ːˑ")
TIES = frozenset("\u0361\u035c\u200d")
TONES = frozenset("˥˦˧˨˩↑↓↗↘ꜛꜜ0123456789")
BREAKS = frozenset("|‖.‿-_")
MODIFIERS = frozenset("ʰʱʲʷˠˤˀⁿˡʼʴʵ˞ˬᵊᶿʳʸᶹᵐᵑᵝ˭'`^~\"")
"""Letters after a phoneme that colour it. The last ones stand in for marks where espeak-ng has no IPA for them."""

_CONSONANTS = "pbtdʈɖcɟkɡgqɢʔʡʢmɱnɳɲŋɴʙrʀⱱɾɽɸβfvθðszʃʒʂʐçʝxɣχʁħʕhɦɬɮʋɹɻjɰlɭʎʟʍwɥʜɕʑɺɧɫʦʣʧʤʨʥʘǀǃǂǁɓɗʄɠʛƥƭƙɚɝᶑꞎꭧ"
_VOWELS = "iyɨʉɯuɪʏʊᵻᵿeøɘɵɤoəɛœɜɞʌɔæɐaɶɑɒɩɷ"
LETTERS = frozenset(_CONSONANTS + _VOWELS)
"""Every base letter of the chart, and the older ones that dictionaries still use."""

_KNOWN = (LETTERS | STRESS | LENGTH | TIES | TONES | BREAKS | MODIFIERS | {" "}) - set("'`^~\"_")

MAX_PHONEMES = 400
_NO_SOUND = MODIFIERS | LENGTH | STRESS
_LANGUAGE_SWITCH = re.compile(r"\([a-z]{2,3}[-\w]*\)")

_SHORT = str.maketrans({"A": "eɪ", "I": "aɪ", "O": "oʊ", "Q": "əʊ", "W": "aʊ", "Y": "ɔɪ", "T": "ɾ"})
"""Capitals with which Kokoro writes what is two vowels to others, and its flapped t."""

_ARPABET = {
    "AA": "ɑ", "AE": "æ", "AH": "ʌ", "AO": "ɔ", "AW": "aʊ", "AX": "ə", "AXR": "ɚ", "AY": "aɪ", "B": "b",
    "CH": "tʃ", "D": "d", "DH": "ð", "DX": "ɾ", "EH": "ɛ", "EL": "l", "EM": "m", "EN": "n", "ER": "ɝ", "EY": "eɪ",
    "F": "f", "G": "ɡ", "HH": "h", "IH": "ɪ", "IX": "ɨ", "IY": "i", "JH": "dʒ", "K": "k", "L": "l", "M": "m",
    "N": "n", "NG": "ŋ", "OW": "oʊ", "OY": "ɔɪ", "P": "p", "Q": "ʔ", "R": "ɹ", "S": "s", "SH": "ʃ", "T": "t",
    "TH": "θ", "UH": "ʊ", "UW": "u", "UX": "ʉ", "V": "v", "W": "w", "WH": "ʍ", "Y": "j", "Z": "z", "ZH": "ʒ",
}  # fmt: skip
_ARPABET_NAME = re.compile(r"([A-Z]{1,3})[0-2]?")

_XSAMPA = {
    "A": "ɑ", "{": "æ", "6": "ɐ", "Q": "ɒ", "E": "ɛ", "@": "ə", "3": "ɜ", "I": "ɪ", "O": "ɔ", "2": "ø", "9": "œ",
    "&": "ɶ", "U": "ʊ", "}": "ʉ", "V": "ʌ", "Y": "ʏ", "1": "ɨ", "M": "ɯ", "7": "ɤ", "8": "ɵ", "B": "β", "C": "ç",
    "D": "ð", "F": "ɱ", "G": "ɣ", "H": "ɥ", "J": "ɲ", "K": "ɬ", "L": "ʎ", "N": "ŋ", "P": "ʋ", "R": "ʁ", "S": "ʃ",
    "T": "θ", "W": "ʍ", "X": "χ", "Z": "ʒ", "4": "ɾ", "5": "ɫ", "?": "ʔ", "g": "ɡ", '"': "ˈ", "%": "ˌ", ":": "ː",
    "_h": "ʰ", "_j": "ʲ", "'": "ʲ", "_w": "ʷ", "=": "\u0329", "~": "\u0303", "_~": "\u0303", "_0": "\u0325",
    "_=": "\u0329", "_^": "\u032f", "_d": "\u032a", "_}": "\u031a", "_r": "\u031d", "_o": "\u031e", "_G": "ˠ",
    "_?\\": "ˤ", "_>": "ʼ", "`": "˞", "r\\": "ɹ", "r\\`": "ɻ", "r`": "ɽ", "t`": "ʈ", "d`": "ɖ", "n`": "ɳ", "s`": "ʂ",
    "z`": "ʐ", "l`": "ɭ", "p\\": "ɸ", "B\\": "ʙ", "R\\": "ʀ", "G\\": "ɢ", "N\\": "ɴ", "J\\": "ɟ", "j\\": "ʝ",
    "s\\": "ɕ", "z\\": "ʑ", "x\\": "ɧ", "X\\": "ħ", "?\\": "ʕ", "h\\": "ɦ", "H\\": "ʜ", "K\\": "ɮ", "L\\": "ʟ",
    "M\\": "ɰ", "l\\": "ɺ", "v\\": "ʋ", "O\\": "ʘ", "|\\": "ǀ", "!\\": "ǃ", "=\\": "ǂ", "I\\": "ᵻ", "U\\": "ᵿ",
    "@\\": "ɘ", "3\\": "ɞ", "@`": "ɚ", "3`": "ɝ", "b_<": "ɓ", "d_<": "ɗ", "g_<": "ɠ", "-": "", ".": ".", "_": "",
}  # fmt: skip
_XSAMPA_SAME = frozenset("abcdefhijklmnopqrstuvwxyz ")


def is_ipa(text: str) -> bool:
    """Only what IPA is written with, and at least one sound; so never a bracket, a tag or a control character."""
    return 0 < len(text) <= MAX_PHONEMES and stranger(text) is None and bool(split_ipa(text))


def stranger(text: str) -> str | None:
    """The first character that is none of IPA's."""
    return next((character for character in text if not _is_known(character)), None)


def _is_known(character: str) -> bool:
    if character in _KNOWN:
        return True
    decomposed = unicodedata.normalize("NFD", character)
    base, marks = decomposed[0], decomposed[1:]
    return (base in _KNOWN or unicodedata.category(base) == "Mn") and all(
        unicodedata.category(mark) == "Mn" for mark in marks
    )


def split_ipa(text: str) -> tuple[str, ...]:
    """The single sounds of a stretch of IPA, each with its length and colour; stress, tones and breaks are gone.

    Diphthongs come as their two vowels, affricates as their two consonants unless tied or written in one letter.
    """
    sounds: list[str] = []
    tied = False
    for character in unicodedata.normalize("NFD", _LANGUAGE_SWITCH.sub(" ", text).translate(_SHORT)):
        if character in LETTERS or (character.isalpha() and character not in _NO_SOUND):
            if tied and sounds:
                sounds[-1] += character
            else:
                sounds.append(character)
            tied = False
        elif character in TIES:
            tied = bool(sounds)
            if sounds:
                sounds[-1] += character
        elif sounds and (character in LENGTH or character in MODIFIERS or unicodedata.category(character) == "Mn"):
            sounds[-1] += character
    return tuple(unicodedata.normalize("NFC", sound) for sound in sounds)


def ipa_of_arpabet(name: str) -> str | None:
    """IPA for `AH0` or `ch`; an empty string for silence and noises (`SIL`, `+NSN+`), None for what is no ARPAbet."""
    if name in {"SIL", "<sil>", "<s>", "</s>"} or (name.startswith("+") and name.endswith("+")):
        return ""
    found = _ARPABET_NAME.fullmatch(name.upper())
    return _ARPABET.get(found[1]) if found else None


def are_arpabet(names: Iterable[str]) -> bool:
    """All of them; a single `W` is another sound in ARPAbet than Kokoro's."""
    return all(not name.islower() and ipa_of_arpabet(name) is not None for name in names if name.strip())


def ipa_of_xsampa(text: str) -> str | None:
    """The IPA of a word in X-SAMPA; None where it holds something that is none."""
    ipa, at = "", 0
    while at < len(text):
        longest = next((n for n in (3, 2, 1) if text[at : at + n] in _XSAMPA and len(text[at : at + n]) == n), 0)
        if not longest and text[at] not in _XSAMPA_SAME:
            return None
        ipa += _XSAMPA[text[at : at + longest]] if longest else text[at]
        at += longest or 1
    return unicodedata.normalize("NFC", ipa)
