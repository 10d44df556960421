"""Which writing systems a language uses, and which ones a text is written in. Knows nothing of speech.

A character's script is the first word of its Unicode name, which is right for every script below once full-width and
other presentation forms are folded (NFKC).
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import lru_cache

LATIN = frozenset({"LATIN"})
HAN = frozenset({"CJK", "BOPOMOFO", "IDEOGRAPHIC"})
CYRILLIC = frozenset({"CYRILLIC"})
ARABIC = frozenset({"ARABIC"})
DEVANAGARI = frozenset({"DEVANAGARI"})

SCRIPTS: dict[str, frozenset[str]] = {
    "am": frozenset({"ETHIOPIC"}),
    "ar": ARABIC,
    "as": frozenset({"BENGALI"}),
    "az": CYRILLIC | ARABIC,
    "ba": CYRILLIC,
    "be": CYRILLIC,
    "bg": CYRILLIC,
    "bn": frozenset({"BENGALI"}),
    "bo": frozenset({"TIBETAN"}),
    "bs": CYRILLIC,
    "el": frozenset({"GREEK"}),
    "fa": ARABIC,
    "gu": frozenset({"GUJARATI"}),
    "ha": ARABIC,
    "he": frozenset({"HEBREW"}),
    "hi": DEVANAGARI,
    "hy": frozenset({"ARMENIAN"}),
    "ja": HAN | {"HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"},
    "jw": frozenset({"JAVANESE"}),
    "ka": frozenset({"GEORGIAN"}),
    "kk": CYRILLIC | ARABIC,
    "km": frozenset({"KHMER"}),
    "kn": frozenset({"KANNADA"}),
    "ko": HAN | {"HANGUL"},
    "lo": frozenset({"LAO"}),
    "mk": CYRILLIC,
    "ml": frozenset({"MALAYALAM"}),
    "mn": CYRILLIC | {"MONGOLIAN"},
    "mr": DEVANAGARI,
    "ms": ARABIC,
    "my": frozenset({"MYANMAR"}),
    "ne": DEVANAGARI,
    "pa": ARABIC | {"GURMUKHI"},
    "ps": ARABIC,
    "ro": CYRILLIC,
    "ru": CYRILLIC,
    "sa": DEVANAGARI,
    "sd": ARABIC | DEVANAGARI,
    "si": frozenset({"SINHALA"}),
    "sr": CYRILLIC,
    "ta": frozenset({"TAMIL"}),
    "te": frozenset({"TELUGU"}),
    "tg": CYRILLIC | ARABIC,
    "th": frozenset({"THAI"}),
    "tk": CYRILLIC | ARABIC,
    "tt": CYRILLIC | ARABIC,
    "uk": CYRILLIC,
    "ur": ARABIC,
    "uz": CYRILLIC | ARABIC,
    "yi": frozenset({"HEBREW"}),
    "yue": HAN,
    "zh": HAN,
}
"""Scripts of a language beside Latin, which every language borrows from; a language not listed has Latin alone."""

KNOWN = LATIN.union(*SCRIPTS.values())


def allowed(language: str) -> frozenset[str]:
    return LATIN | SCRIPTS.get(language, frozenset())


def letters_by_script(text: str) -> Counter[str]:
    """How many letters of each known script a text holds; digits, marks and signs belong to none."""
    letters = (character for character in unicodedata.normalize("NFKC", text) if character.isalpha())
    counts = Counter(map(_script, letters))
    counts.pop("", None)
    return counts


@lru_cache(maxsize=4096)
def _script(character: str) -> str:
    first = unicodedata.name(character, "").partition(" ")[0]
    return first if first in KNOWN else ""
