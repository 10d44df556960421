"""Text brought to one form before two texts are compared: what counts as the same word.

`normalize(text, language)` serves word error rates only; it never touches what a user reads. English goes through
`normalize_english` (contractions, numbers, spelling), in the spirit of the normaliser of openai/whisper but written
anew and smaller; every other language goes through `normalize_generic`. Knows nothing of audio or engines.
"""

from __future__ import annotations

import re
import unicodedata

from talkie.text.numerals import numbers_to_digits

SPACELESS_LANGUAGES = frozenset({"zh", "yue", "ja", "th", "lo", "my", "km", "bo"})
"""Languages written without spaces between words: compared character by character."""

_BRACKETED = re.compile(r"\[[^\]]*\]|<[^>]*>|\([^)]*\)")
_FILLERS = re.compile(r"\b(?:uh+|um+|hm+|mm+|mhm|er+m|ah+)\b")
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "´": "'", "`": "'"})  # noqa: RUF001
_NOT_A_WORD = re.compile(r"[^\w\s.%$£€'-]|_")
_BETWEEN_DIGITS = re.compile(r"(?<=\d),(?=\d{3})")
_STRAY_POINT = re.compile(r"(?<!\d)\.|\.(?!\d)")
_CURRENCY = re.compile(r"([$£€])\s*(\d+(?:\.\d+)?)")
_CURRENCY_WORDS = {"$": "dollars", "£": "pounds", "€": "euros"}

_CONTRACTIONS = tuple(
    (re.compile(pattern), full)
    for pattern, full in (
        (r"\bwon't\b", "will not"),
        (r"\bcan(?:'t|not)\b", "can not"),
        (r"\bshan't\b", "shall not"),
        (r"\blet's\b", "let us"),
        (r"\by'all\b", "you all"),
        (r"\bma'am\b", "madam"),
        (r"'tis\b", "it is"),
        (r"'twas\b", "it was"),
        (r"\bgonna\b", "going to"),
        (r"\bgotta\b", "got to"),
        (r"\bwanna\b", "want to"),
        (r"n't\b", " not"),
        (r"'re\b", " are"),
        (r"'ll\b", " will"),
        (r"'ve\b", " have"),
        (r"'m\b", " am"),
        (r"'d\b", " would"),
        (r"'s (?=been\b|got\b)", " has "),
        (r"'s\b", " is"),
    )
)

_WORDS = {
    "mr": "mister", "mrs": "missus", "ms": "miss", "dr": "doctor", "prof": "professor", "st": "saint",
    "jr": "junior", "sr": "senior", "vs": "versus", "okay": "ok", "alright": "all right",
    "grey": "gray", "theatre": "theater", "centre": "center", "centres": "centers", "metre": "meter",
    "metres": "meters", "litre": "liter", "litres": "liters", "fibre": "fiber", "defence": "defense",
    "offence": "offense", "licence": "license", "practise": "practice", "programme": "program",
    "programmes": "programs", "cheque": "check", "catalogue": "catalog", "dialogue": "dialog",
    "travelled": "traveled", "travelling": "traveling", "traveller": "traveler", "cancelled": "canceled",
    "jewellery": "jewelry", "plough": "plow", "tyre": "tire", "tyres": "tires", "aluminium": "aluminum",
}  # fmt: skip
# Rules, not a dictionary: both sides of a comparison pass through them, so a rare wrong turn does no harm.
_SPELLING = (
    (re.compile(r"\b(col|hon|fav|lab|neighb|harb|behavi|flav|hum|rum|sav|vig|end?eav|arm|od|vap)our"), r"\1or"),
    (re.compile(r"(?<=[a-z]{3})is(e|ed|es|ing|ation|ations|er|ers)\b"), r"iz\1"),
    (re.compile(r"\b((?:an|par)al)ys(e|ed|es|ing)\b"), r"\1yz\2"),
)


def normalize(text: str, language: str = "en") -> str:
    """The words of `text` in one common form, joined by single spaces; `language` is an ISO 639-1 code."""
    return normalize_english(text) if language == "en" else normalize_generic(text, language)


def normalize_generic(text: str, language: str = "") -> str:
    """Case, punctuation and symbols away, compatibility forms folded; accents and vowel signs stay."""
    text = unicodedata.normalize("NFKC", _BRACKETED.sub(" ", text)).casefold().translate(_APOSTROPHES)
    kept = (character if unicodedata.category(character)[0] in "LMN" else " " for character in text)
    words = "".join(kept)
    return " ".join(words.replace(" ", "") if language in SPACELESS_LANGUAGES else words.split())


def normalize_english(text: str) -> str:
    """Lower case without punctuation, brackets, fillers or accents; contractions opened, numbers as digits."""
    text = _BRACKETED.sub(" ", _unaccented(text).lower().translate(_APOSTROPHES))
    text = _FILLERS.sub(" ", text)
    for pattern, full in _CONTRACTIONS:
        text = pattern.sub(full, text)
    text = _NOT_A_WORD.sub(" ", _BETWEEN_DIGITS.sub("", text))
    text = _CURRENCY.sub(lambda found: f"{found[2]} {_CURRENCY_WORDS[found[1]]}", text)
    text = _STRAY_POINT.sub(" ", text.replace("%", " percent ").replace("per cent", "percent"))
    text = re.sub(r"[-'$£€]", " ", text)
    for pattern, american in _SPELLING:
        text = pattern.sub(american, text)
    return " ".join(numbers_to_digits(_WORDS.get(word, word) for word in text.split()))


def _unaccented(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(character for character in decomposed if not unicodedata.combining(character))
