from __future__ import annotations

import pytest

from talkie.engines.base import SynthesizerInfo, Voice
from talkie.runtime.voice_names import ESPEAK_VARIANTS, OPENAI_VOICES, base, espeak_voice, is_auto, speaks, stand_in

ESPEAK = SynthesizerInfo(
    "espeak",
    "espeak",
    ("en", "de", "cmn", "pt", "nb"),
    (
        *(Voice(name, (name,)) for name in ("cmn", "de", "en-gb", "en-us", "nb", "pt-br")),
        Voice("pt", ("pt", "pt-pt")),
    ),
    22_050,
)


def test_openais_thirteen() -> None:
    assert set(OPENAI_VOICES) == {
        "alloy",
        "ash",
        "ballad",
        "coral",
        "echo",
        "fable",
        "onyx",
        "nova",
        "sage",
        "shimmer",
        "verse",
        "marin",
        "cedar",
    }


@pytest.mark.parametrize("model", ["", "auto", "tts-1", "tts-1-hd", "gpt-4o-mini-tts", "tts-1-1106"])
def test_what_means_the_best_that_is_here(model: str) -> None:
    assert is_auto(model)
    assert not is_auto(f"x{model}") or not model


@pytest.mark.parametrize(
    ("name", "language", "voice"),
    [
        ("alloy", "en", "en-us"),
        ("nova", "en", "en-us+f3"),
        ("nova", "en-GB", "en-gb+f3"),
        ("onyx", "de-AT", "de+m7"),
        ("echo", "zh", "cmn+m1"),
        ("echo", "pt", "pt-br+m1"),
        ("echo", "pt_PT", "pt+m1"),
        ("coral", "no", "nb+f2"),
        ("coral", "xx", ""),
    ],
)
def test_a_variant_of_the_languages_own_voice(name: str, language: str, voice: str) -> None:
    assert espeak_voice(ESPEAK, language, ESPEAK_VARIANTS[name]) == voice


def test_all_are_different_voices() -> None:
    assert len({espeak_voice(ESPEAK, "en", variant) for variant in ESPEAK_VARIANTS.values()}) == len(OPENAI_VOICES)


def test_other_engines_deal_theirs_out() -> None:
    voices = [Voice(name, ("en",)) for name in ("af_heart", "af_nova", "am_adam")] + [Voice("ff_siwis", ("fr-fr",))]
    dealt = {name: stand_in(voices, name, "en") for name in OPENAI_VOICES}
    assert dealt["nova"] == "af_nova", "its namesake"
    assert set(dealt.values()) == {"af_heart", "af_nova", "am_adam"}
    assert stand_in(voices, "alloy", "fr") == "ff_siwis"
    assert stand_in(voices, "alloy", "de") == stand_in([], "alloy", None) == ""


def test_languages_of_one_kind() -> None:
    assert base("EN_us") == "en"
    assert speaks(("en-us",), "en-GB") and speaks(("cmn",), "zh") and not speaks(("de",), "en")
