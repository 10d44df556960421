"""The test model's tokens, as the `tokenizers` package and faster-whisper read them."""

import pytest
import tokenizers

from test_model.words import SPECIALS, TIMESTAMPS, WORDS, Vocabulary, byte_alphabet


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary()


@pytest.fixture(scope="module")
def tokenizer(vocabulary: Vocabulary) -> tokenizers.Tokenizer:
    return tokenizers.Tokenizer.from_str(vocabulary.tokenizer_json())


def test_alphabet_is_that_of_byte_level_tokenizers() -> None:
    assert set(byte_alphabet()) == set(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    assert byte_alphabet()[ord("a")] == "a"


def test_no_token_twice(vocabulary: Vocabulary) -> None:
    assert len(set(vocabulary.tokens)) == len(vocabulary)


def test_timestamps_come_last_after_no_timestamps(vocabulary: Vocabulary) -> None:
    assert vocabulary.tokens[-1] == "<|30.00|>"
    assert vocabulary.tokens[-TIMESTAMPS] == "<|0.00|>"
    assert vocabulary.special("notimestamps") == vocabulary.timestamp_begin - 1
    assert vocabulary.special("endoftext") == vocabulary.text_size


@pytest.mark.parametrize("word", WORDS)
def test_every_word_is_one_token(word: str, vocabulary: Vocabulary, tokenizer: tokenizers.Tokenizer) -> None:
    assert tokenizer.encode(" " + word, add_special_tokens=False).ids == [vocabulary.word(word)]


@pytest.mark.parametrize("text", [" open the door", " Zanzibar, 12 pence!", " naïve 日本"])
def test_text_survives_a_round_trip(text: str, tokenizer: tokenizers.Tokenizer) -> None:
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False).ids) == text


def test_specials_and_timestamps_have_their_numbers(vocabulary: Vocabulary, tokenizer: tokenizers.Tokenizer) -> None:
    for name in (*SPECIALS, "<|0.00|>", "<|12.34|>", "<|30.00|>"):
        assert tokenizer.token_to_id(name) == vocabulary.ids[name]
    assert tokenizer.get_vocab_size() == len(vocabulary)


def test_text_leaves_specials_out(vocabulary: Vocabulary) -> None:
    ids = [vocabulary.timestamp_begin, vocabulary.word("open"), vocabulary.word("door"), vocabulary.timestamp_begin + 9]
    assert vocabulary.text(ids) == "open door"
