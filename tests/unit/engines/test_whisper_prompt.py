"""Prompts: what goes before the start of the transcript, and how long it may be."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.engines.asr.whisper.prompt import MAX_LENGTH, MAX_PREVIOUS, context, max_length
from talkie.engines.asr.whisper.tokens import WhisperTokens
from talkie.engines.base import RecognizeOptions
from talkie.errors import InvalidValue, UnsupportedByModel

SPECIAL = {
    "<|endoftext|>": 1000,
    "<|startoftranscript|>": 1001,
    "<|en|>": 1002,
    "<|translate|>": 1003,
    "<|transcribe|>": 1004,
    "<|startofprev|>": 1005,
    "<|notimestamps|>": 1006,
}


class Letters:
    """One token for each character."""

    def encode(self, text: str) -> list[int]:
        return [min(ord(letter), 999) for letter in text]

    def decode(self, ids: list[int]) -> str:
        return "".join(map(chr, ids))


def tokens(special: dict[str, int] = SPECIAL) -> WhisperTokens:
    return WhisperTokens(Letters(), special, multilingual=True)


def reference(prompt: str, hotwords: str) -> list[int]:
    from faster_whisper.transcribe import WhisperModel

    tokenizer = SimpleNamespace(encode=Letters().encode, sot_prev=1005, sot_sequence=[1001, 1002, 1004])
    previous = Letters().encode(" " + prompt.strip()) if prompt else []
    return WhisperModel.get_prompt(SimpleNamespace(max_length=448), tokenizer, previous, hotwords=hotwords or None)


def ours(prompt: str, hotwords: str) -> list[int]:
    known = tokens()
    options = RecognizeOptions(prompt=prompt, hotwords=hotwords)
    return context(known, options).prompt(known.start_sequence("en", "transcribe"))


@pytest.mark.parametrize("prompt", ["", "hello", "  hello  ", "x" * 222, "y" * 223, "abc" * 200])
@pytest.mark.parametrize("hotwords", ["", "Talkie", "z" * 50, "word " * 20])
def test_prompts_are_those_of_the_reference(prompt: str, hotwords: str) -> None:
    assert ours(prompt, hotwords) == reference(prompt, hotwords)


def test_of_a_long_prompt_the_end_is_kept_and_of_hotwords_the_beginning() -> None:
    assert ours("a" * 300 + "b" * 223, "")[1:224] == [ord("b")] * 223
    assert ours("", "c" * 300)[1:224] == [ord(" "), *[ord("c")] * 222]


@given(st.text(max_size=600), st.text(max_size=600))
def test_there_is_always_room_to_write(prompt: str, hotwords: str) -> None:
    assert len(ours(prompt, hotwords)) <= MAX_LENGTH - 100


def test_both_long_the_hotwords_stay_and_the_older_text_goes() -> None:
    found = ours("a" * 300, "b" * 300)
    assert found.count(ord("b")) == MAX_PREVIOUS - 1
    assert found.count(ord("a")) == MAX_LENGTH - MAX_LENGTH // 4 - MAX_PREVIOUS


def test_a_vocabulary_without_a_place_for_prompts_says_so() -> None:
    known = tokens({name: token for name, token in SPECIAL.items() if name != "<|startofprev|>"})
    assert context(known, RecognizeOptions()).tokens == ()
    with pytest.raises(UnsupportedByModel) as caught:
        context(known, RecognizeOptions(prompt="hello"))
    assert caught.value.param == "prompt"


def test_length_in_all() -> None:
    assert max_length(4, None) == 448
    assert max_length(4, 10) == 14
    for refused in (0, -1, 445):
        with pytest.raises(InvalidValue) as caught:
            max_length(4, refused)
        assert caught.value.param == "max_new_tokens"
