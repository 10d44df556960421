"""Names of models: what passes, what is refused, and that nothing that passes can leave a directory."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.errors import InvalidModelName
from talkie.models.name import MAX_NAME_LENGTH, HubReference, is_name, parse_name, parse_reference, suggest_name

GOOD = [
    ("whisper-base", "whisper-base"),
    ("Whisper-Base", "whisper-base"),
    ("whisper-tiny.en", "whisper-tiny.en"),
    ("whisper-distil-large-v3.5", "whisper-distil-large-v3.5"),
    ("my_model_2", "my_model_2"),
    ("a", "a"),
    ("7", "7"),
    ("sphinx-en", "sphinx-en"),
    ("x" * MAX_NAME_LENGTH, "x" * MAX_NAME_LENGTH),
]

BAD = [
    "",
    ".",
    "..",
    "...",
    ".hidden",
    "../up",
    "a/b",
    "/etc/passwd",
    "a\\b",
    "C:\\x",
    "a\0b",
    "a..b",
    "a--b",
    "a.",
    "-a",
    "a-",
    "a b",
    " a",
    "a\n",
    "naïve",
    "\u212aelvin",
    "whisper-base:int8",
    "~",
    "~root",
    "$HOME",
    "%2e%2e",
    "con",
    "NUL",
    "com1",
    "aux.en",
    "auto",
    "tmp",
    "models",
    "x" * (MAX_NAME_LENGTH + 1),
]


@pytest.mark.parametrize(("text", "name"), GOOD)
def test_a_good_name_has_one_spelling(text: str, name: str) -> None:
    assert parse_name(text) == name
    assert is_name(name)


@pytest.mark.parametrize("text", BAD)
def test_a_bad_name_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(InvalidModelName) as caught:
        parse_name(text)
    assert caught.value.message.endswith(".")
    assert not is_name(text)


@given(st.text(max_size=80))
def test_whatever_passes_stays_inside(text: str) -> None:
    try:
        name = parse_name(text)
    except InvalidModelName:
        return
    inside = Path("/store/models") / name
    assert inside.resolve().parent == Path("/store/models")
    assert parse_name(name) == name


@given(st.text(max_size=200))
def test_a_suggestion_is_a_name_or_an_error(text: str) -> None:
    with contextlib.suppress(InvalidModelName):
        assert is_name(suggest_name(text))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("faster-whisper-base", "faster-whisper-base"),
        ("My Model (v3.5)", "my-model-v3.5"),
        ("../../etc", "etc"),
        ("a" * 100, "a" * 64),
    ],
)
def test_suggestions(text: str, name: str) -> None:
    assert suggest_name(text) == name


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("hf:Systran/faster-whisper-base", HubReference("Systran", "faster-whisper-base")),
        ("hf:me/mine@v1.0", HubReference("me", "mine", "v1.0")),
        ("hf:me/mine@refs/pr/3", HubReference("me", "mine", "refs/pr/3")),
        ("hf:me/mine@" + "a" * 40, HubReference("me", "mine", "a" * 40)),
    ],
)
def test_references(text: str, reference: HubReference) -> None:
    assert parse_reference(text) == reference
    assert str(reference) == text


@pytest.mark.parametrize(
    "text",
    [
        "me/mine",
        "hf:",
        "hf:mine",
        "hf:me/",
        "hf:/mine",
        "hf:me/mine/more",
        "hf:../mine",
        "hf:me/..",
        "hf:me/mi ne",
        "hf:me/mine@",
        "hf:me/mine@../x",
        "hf:me/mine@a//b",
        "hf:me/mine@-x",
        "hf:me/mine?x=1",
        "hf:me/mine@a?b",
        "hf:m\0e/mine",
    ],
)
def test_bad_references_are_refused(text: str) -> None:
    with pytest.raises(InvalidModelName):
        parse_reference(text)
