"""Special tokens and words from a vocabulary, against the reference's tokenizer on the same file."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st

from talkie.engines.asr.whisper import byte_level, splitting
from talkie.engines.asr.whisper.model_files import check
from talkie.engines.asr.whisper.tokenizer_file import load_tokens
from talkie.engines.asr.whisper.tokens import _BRACKET_GROUPS, _NOTES, _SIGN_GROUPS, _SIGNS, WhisperTokens
from talkie.errors import ModelBroken
from whisper_models import ENGLISH, TRAINED, shape_model


@functools.cache
def load_tokens_once() -> WhisperTokens:
    return load_tokens(check(shape_model()), multilingual=True)


@functools.cache
def reference(language: str = "en", task: str = "transcribe") -> Any:
    from faster_whisper.tokenizer import Tokenizer

    return Tokenizer(tokenizers.Tokenizer.from_file(str(shape_model() / "tokenizer.json")), True, task, language)


@pytest.fixture
def ours() -> WhisperTokens:
    return load_tokens_once()


def test_special_tokens_are_those_of_the_file(ours: WhisperTokens) -> None:
    theirs = reference()
    assert (ours.start, ours.end, ours.previous) == (theirs.sot, theirs.eot, theirs.sot_prev)
    assert (ours.no_timestamps, ours.timestamp_begin) == (theirs.no_timestamps, theirs.timestamp_begin)
    assert len(ours.languages) == 99
    assert ours.languages[:3] == ("en", "zh", "de")
    assert ours.tasks == ("transcribe", "translate")


@pytest.mark.parametrize("language", ["en", "zh", "haw"])
@pytest.mark.parametrize("task", ["transcribe", "translate"])
def test_start_sequence(ours: WhisperTokens, language: str, task: Any) -> None:
    assert ours.start_sequence(language, task) == reference(language, task).sot_sequence


def test_suppressed_tokens_are_those_of_the_reference(ours: WhisperTokens) -> None:
    from faster_whisper.transcribe import get_suppressed_tokens

    assert ours.suppressed == get_suppressed_tokens(reference(), [-1])


def reference_tokenizer(directory: Path) -> Any:
    return tokenizers.Tokenizer.from_file(str(directory / "tokenizer.json"))


MODELS: dict[str, Callable[[], Path]] = {
    "trained": lambda: TRAINED,
    "shape": shape_model,
    "english": lambda: shape_model(ENGLISH),
}


@pytest.mark.parametrize("model", MODELS)
def test_suppressed_tokens_are_those_that_merging_by_the_file_gives(model: str) -> None:
    directory = MODELS[model]()
    tokens, library = load_tokens(check(directory), multilingual=True), reference_tokenizer(directory)
    signs = [*_SIGNS, *_SIGN_GROUPS, *_BRACKET_GROUPS, *_NOTES, "-", "'"]
    for sign in [*signs, *(" " + sign for sign in signs)]:
        theirs = list(library.encode(sign, add_special_tokens=False).ids)
        assert byte_level.merged(sign, tokens._ids) == theirs, sign


@pytest.mark.parametrize("model", ["trained", "shape"])
@given(data=st.data())
def test_any_tokens_are_written_as_the_library_writes_them(model: str, data: st.DataObject) -> None:
    tokens, library = opened(MODELS[model]())
    ids = data.draw(st.lists(st.integers(0, tokens.end - 1) | st.integers(0, 255), max_size=24))
    assert tokens.decode(ids) == library.decode(ids)


@functools.cache
def opened(directory: Path) -> tuple[WhisperTokens, Any]:
    return load_tokens(check(directory), multilingual=True), reference_tokenizer(directory)


@given(st.text(max_size=40))
def test_text_comes_back(text: str) -> None:
    tokens, _ = opened(shape_model())
    assert tokens.decode(tokens.encode(text)) == text


@given(st.binary(max_size=12))
def test_bytes_that_are_no_text_are_marked(content: bytes) -> None:
    written = [byte_level.letters()[byte] for byte in content]
    assert byte_level.text(written) == content.decode("utf-8", errors="replace")


def test_a_token_with_other_letters_is_taken_as_it_stands() -> None:
    assert byte_level.text(["Ġa", "字 "]) == " a字 "


def test_a_piece_without_its_bytes_has_no_tokens() -> None:
    assert byte_level.merged("ab", {"a": 0}) == []
    assert byte_level.merged("abc", {"a": 0, "b": 1, "c": 2, "bc": 3, "ab": 4}) == [0, 3]


def test_the_library_is_loaded_with_the_first_text_only() -> None:
    code = f"""
import sys
from pathlib import Path
from talkie.engines.asr.whisper.model_files import check
from talkie.engines.asr.whisper.tokenizer_file import load_tokens
tokens = load_tokens(check(Path({str(TRAINED)!r})), multilingual=True)
print(bool(tokens.suppressed), tokens.decode([256]) != "", "tokenizers" in sys.modules)
print(len(tokens.encode(" one")) > 0, "tokenizers" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout == "True True False\nTrue True\n"


def test_an_english_only_model_begins_with_the_start_alone() -> None:
    tokens = load_tokens(check(shape_model(ENGLISH)), multilingual=False)
    assert tokens.languages == ("en",)
    assert tokens.tasks == ("transcribe",)
    assert tokens.start_sequence("en", "transcribe") == [tokens.start]


class Codec:
    """Every token is a letter."""

    def encode(self, text: str) -> list[int]:
        return [ord(letter) for letter in text]

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(map(chr, ids))


SMALL = {"<|startoftranscript|>": 901, "<|endoftext|>": 900, "<|notimestamps|>": 903}


def test_a_reduced_vocabulary_does_without_what_it_lacks() -> None:
    tokens = WhisperTokens(Codec(), {**SMALL, "<|transcribe|>": 902, "<|de|>": 899}, multilingual=True)
    assert tokens.languages == ("de",)
    assert tokens.tasks == ("transcribe",)
    assert tokens.previous is None
    assert {901, 902} <= set(tokens.suppressed)
    assert None not in tokens.suppressed


def test_a_multilingual_model_without_language_tokens_is_english_only() -> None:
    tokens = WhisperTokens(Codec(), SMALL, multilingual=True)
    assert tokens.languages == ("en",)
    assert tokens.start_sequence("en", "transcribe") == [901]


@pytest.mark.parametrize("missing", SMALL)
def test_a_vocabulary_without_its_bones_is_broken(missing: str) -> None:
    with pytest.raises(ModelBroken, match=r"endoftext|startoftranscript|notimestamps"):
        WhisperTokens(Codec(), {name: token for name, token in SMALL.items() if name != missing}, multilingual=True)


TEXTS = [
    " bano kila, tire. Hello - isn't it? 'Quoted' (said)",
    " ünder 字字 ok",
    "字字字。字字",
    " ...",
    "",
    " a  b",
    " 12:30 50%",
]


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("text", TEXTS)
def test_words_are_those_of_the_reference(ours: WhisperTokens, text: str, language: str) -> None:
    ids = ours.encode(text)
    assert_same_words(ours, ids, language)


@given(st.text(max_size=30), st.sampled_from(["en", "ja"]))
def test_any_text_is_split_as_the_reference_splits_it(text: str, language: str) -> None:
    tokens = load_tokens_once()
    assert_same_words(tokens, tokens.encode(text), language)


@given(st.lists(st.integers(0, 255), max_size=12))
def test_no_token_is_lost_where_characters_are_broken(ids: list[int]) -> None:
    found = splitting.words(ids, load_tokens_once().decode, "ja")
    assert [token for word in found for token in word.tokens] == ids


def assert_same_words(tokens: WhisperTokens, ids: list[int], language: str) -> None:
    words, word_tokens = reference(language).split_to_word_tokens([*ids, tokens.end])
    found = splitting.words(ids, tokens.decode, language)
    if not ids:
        assert found == []
        return
    assert [one.text for one in found] == words[:-1]
    assert [list(one.tokens) for one in found] == word_tokens[:-1]
