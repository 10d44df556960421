from __future__ import annotations

from dataclasses import replace

import pytest

from fakes import FAKE_INFO
from talkie.engines.base import PRESETS
from talkie.errors import InvalidValue, UnsupportedByModel
from talkie.runtime.requests import LONG_S, MAX_PROMPT_CHARS, TranscribeRequest, check_capabilities, recognize_options
from talkie.runtime.turns import Priority


def test_no_temperature_and_zero_mean_the_presets_own() -> None:
    for temperature in (None, 0.0):
        options = recognize_options(TranscribeRequest(temperature=temperature), "balanced")
        assert options.decoding == PRESETS["balanced"]
    hot = recognize_options(TranscribeRequest(temperature=0.4, preset="fast"), "balanced")
    assert hot.decoding == replace(PRESETS["fast"], temperatures=(0.4,))


@pytest.mark.parametrize(
    ("asked", "duration_s", "priority"),
    [
        (None, 5.0, "interactive"),
        (None, None, "interactive"),
        (None, LONG_S + 1, "batch"),
        ("live", LONG_S + 1, "live"),
        ("batch", 5.0, "batch"),
    ],
)
def test_long_recordings_let_short_ones_go_before(
    asked: Priority | None, duration_s: float | None, priority: Priority
) -> None:
    assert TranscribeRequest(priority=asked).priority_of(duration_s) == priority


@pytest.mark.parametrize(
    ("request_", "param"),
    [
        (TranscribeRequest(preset="fastest"), "preset"),
        (TranscribeRequest(temperature=1.5), "temperature"),
        (TranscribeRequest(temperature=-0.1), "temperature"),
        (TranscribeRequest(temperature=float("nan")), "temperature"),
        (TranscribeRequest(prompt="a" * (MAX_PROMPT_CHARS + 1)), "prompt"),
        (TranscribeRequest(hotwords="a" * (MAX_PROMPT_CHARS + 1)), "hotwords"),
    ],
)
def test_what_cannot_be_names_its_field(request_: TranscribeRequest, param: str) -> None:
    with pytest.raises(InvalidValue) as raised:
        recognize_options(request_, "balanced")
    assert raised.value.param == param


def test_the_servers_preset_is_used_when_none_is_asked_for() -> None:
    assert recognize_options(TranscribeRequest(), "strict").decoding == PRESETS["strict"]


@pytest.mark.parametrize(
    ("request_", "param"),
    [
        (TranscribeRequest(language="fr"), "language"),
        (TranscribeRequest(task="translate"), "task"),
        (TranscribeRequest(words=True), "words"),
    ],
)
def test_what_a_model_cannot_do_is_refused(request_: TranscribeRequest, param: str) -> None:
    info = replace(FAKE_INFO, tasks=("transcribe",), words=False)
    with pytest.raises(UnsupportedByModel) as raised:
        check_capabilities(request_, info)
    assert raised.value.param == param
    check_capabilities(TranscribeRequest(language="de"), info)
