"""OpenAI's names of models and voices, and what they stand for here. Pure; knows nothing of what is installed."""

from __future__ import annotations

from collections.abc import Sequence

from talkie.engines.base import SynthesizerInfo, Voice

AUTO_MODELS = frozenset({"", "auto", "tts-1", "tts-1-hd", "gpt-4o-mini-tts"})
"""What means: the best that is here. Dated forms (`tts-1-1106`) too; see `is_auto`."""

ESPEAK_VARIANTS = {
    "alloy": "",
    "ash": "m3",
    "ballad": "m2",
    "coral": "f2",
    "echo": "m1",
    "fable": "f5",
    "onyx": "m7",
    "nova": "f3",
    "sage": "f4",
    "shimmer": "f1",
    "verse": "m5",
    "marin": "steph",
    "cedar": "m4",
}
"""OpenAI's voices as variants of whichever of espeak-ng's voices speaks the language."""
OPENAI_VOICES = tuple(ESPEAK_VARIANTS)

USUAL_VOICES = {"en": "en-us", "fr": "fr-fr", "es": "es", "pt": "pt-br", "zh": "cmn", "no": "nb"}
"""The espeak-ng voice of a language that has several, or another code."""


def is_auto(model: str) -> bool:
    return model in AUTO_MODELS or model.startswith(("tts-1-", "gpt-4o-mini-tts-"))


def base(language: str) -> str:
    """`en` of `en-US`."""
    return language.lower().replace("_", "-").partition("-")[0]


def speaks(languages: Sequence[str], language: str) -> bool:
    """Whether a voice of those languages, codes or longer tags, is one for `language`."""
    wanted = {base(language), base(USUAL_VOICES.get(base(language), ""))} - {""}
    return any(base(one) in wanted for one in languages)


def espeak_voice(info: SynthesizerInfo, language: str, variant: str = "") -> str:
    """The voice of espeak-ng for a language, as near to its region as there is one. Empty: it has none."""
    known = {voice.name for voice in info.voices}
    tag = language.lower().replace("_", "-")
    nearest = next((voice.name for voice in info.voices if speaks(voice.languages, tag)), "")
    regional = next((voice.name for voice in info.voices if "-" in tag and tag in voice.languages), "")
    own = next((one for one in (regional, USUAL_VOICES.get(base(tag), ""), base(tag), nearest) if one in known), "")
    return f"{own}+{variant}" if own and variant else own


def stand_in(voices: Sequence[Voice], name: str, language: str | None) -> str:
    """The voice of any other engine for one of OpenAI's names: its namesake (`af_nova`), else they are dealt out evenly
    over those that speak the language. Empty: the engine has no voices by name."""
    fitting = [voice.name for voice in voices if language is None or speaks(voice.languages, language)]
    namesake = next((one for one in fitting if one.lower().rpartition("_")[2] == name), None)
    if namesake is not None or not fitting:
        return namesake or ""
    return fitting[OPENAI_VOICES.index(name) * len(fitting) // len(OPENAI_VOICES)]
