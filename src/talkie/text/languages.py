"""The languages of Whisper: their codes, their English names, and what people and programs write for them.

Codes and names are those of openai/whisper `tokenizer.py` (ISO 639-1 where there is one; `jw`, `haw` and `yue` are its
own choices), because models carry them as tokens. Knows nothing of which model speaks which.
"""

from __future__ import annotations

import difflib

from talkie.errors import InvalidValue

LANGUAGES: dict[str, str] = {
    "en": "english",
    "zh": "chinese",
    "de": "german",
    "es": "spanish",
    "ru": "russian",
    "ko": "korean",
    "fr": "french",
    "ja": "japanese",
    "pt": "portuguese",
    "tr": "turkish",
    "pl": "polish",
    "ca": "catalan",
    "nl": "dutch",
    "ar": "arabic",
    "sv": "swedish",
    "it": "italian",
    "id": "indonesian",
    "hi": "hindi",
    "fi": "finnish",
    "vi": "vietnamese",
    "he": "hebrew",
    "uk": "ukrainian",
    "el": "greek",
    "ms": "malay",
    "cs": "czech",
    "ro": "romanian",
    "da": "danish",
    "hu": "hungarian",
    "ta": "tamil",
    "no": "norwegian",
    "th": "thai",
    "ur": "urdu",
    "hr": "croatian",
    "bg": "bulgarian",
    "lt": "lithuanian",
    "la": "latin",
    "mi": "maori",
    "ml": "malayalam",
    "cy": "welsh",
    "sk": "slovak",
    "te": "telugu",
    "fa": "persian",
    "lv": "latvian",
    "bn": "bengali",
    "sr": "serbian",
    "az": "azerbaijani",
    "sl": "slovenian",
    "kn": "kannada",
    "et": "estonian",
    "mk": "macedonian",
    "br": "breton",
    "eu": "basque",
    "is": "icelandic",
    "hy": "armenian",
    "ne": "nepali",
    "mn": "mongolian",
    "bs": "bosnian",
    "kk": "kazakh",
    "sq": "albanian",
    "sw": "swahili",
    "gl": "galician",
    "mr": "marathi",
    "pa": "punjabi",
    "si": "sinhala",
    "km": "khmer",
    "sn": "shona",
    "yo": "yoruba",
    "so": "somali",
    "af": "afrikaans",
    "oc": "occitan",
    "ka": "georgian",
    "be": "belarusian",
    "tg": "tajik",
    "sd": "sindhi",
    "gu": "gujarati",
    "am": "amharic",
    "yi": "yiddish",
    "lo": "lao",
    "uz": "uzbek",
    "fo": "faroese",
    "ht": "haitian creole",
    "ps": "pashto",
    "tk": "turkmen",
    "nn": "nynorsk",
    "mt": "maltese",
    "sa": "sanskrit",
    "lb": "luxembourgish",
    "my": "myanmar",
    "bo": "tibetan",
    "tl": "tagalog",
    "mg": "malagasy",
    "as": "assamese",
    "tt": "tatar",
    "haw": "hawaiian",
    "ln": "lingala",
    "ha": "hausa",
    "ba": "bashkir",
    "jw": "javanese",
    "su": "sundanese",
    "yue": "cantonese",
}
"""Code to lower-case English name, in the order of Whisper's tokens (the order is part of the models)."""

OTHER_NAMES: dict[str, str] = {
    "bokmal": "no",
    "bokmål": "no",
    "burmese": "my",
    "castilian": "es",
    "farsi": "fa",
    "filipino": "tl",
    "flemish": "nl",
    "haitian": "ht",
    "letzeburgesch": "lb",
    "mandarin": "zh",
    "moldavian": "ro",
    "moldovan": "ro",
    "panjabi": "pa",
    "pushto": "ps",
    "sinhalese": "si",
    "slovene": "sl",
    "valencian": "ca",
}
OTHER_CODES: dict[str, str] = {
    "cmn": "zh",
    "fil": "tl",
    "in": "id",  # ISO 639 before 1989, as are iw, ji and mo
    "iw": "he",
    "ji": "yi",
    "jv": "jw",
    "mo": "ro",
    "nb": "no",
    "prs": "fa",
    "sh": "sr",
}
UNKNOWN = frozenset({"", "auto", "detect", "und", "none", "null"})
"""What clients send when they mean: find out."""

_BY_NAME = {name: code for code, name in LANGUAGES.items()} | OTHER_NAMES


def parse_language(text: str | None) -> str | None:
    """A code of `LANGUAGES` for `en`, `EN`, `en-US`, `en_US.UTF-8`, `english`, `English`; None for "find out".

    Raises `InvalidValue` with the nearest name for anything else: a hint is never dropped in silence.
    """
    wanted = " ".join((text or "").split()).lower()
    if wanted in UNKNOWN:
        return None
    if wanted in _BY_NAME:
        return _BY_NAME[wanted]
    code = wanted.replace("_", "-").partition("-")[0]
    code = OTHER_CODES.get(code, code)
    if code in LANGUAGES:
        return code
    raise InvalidValue("language", f"There is no language {wanted[:40]!r}.", hint=_nearest(wanted[:40]))


def language_name(code: str) -> str:
    """The lower-case English name of a code, or the code itself where it is not Whisper's."""
    return LANGUAGES.get(code, code)


def _nearest(wanted: str) -> str:
    near = difflib.get_close_matches(wanted, _BY_NAME, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {near[0]} ({_BY_NAME[near[0]]})?"
    return "Give a code like en or a name like english; leave it out to have the language found."
