"""Shape-true models: their vocabulary, their script, and that a model writes what it was made to write."""

from __future__ import annotations

from pathlib import Path

import ctranslate2
import numpy as np
import pytest
import tokenizers

from talkie.bench.shape_script import Script, learn, written_text
from talkie.bench.shape_true import SHAPES, make_shape_true
from talkie.bench.shape_vocabulary import LANGUAGES, make_vocabulary
from talkie.errors import InvalidValue
from whisper_models import ENGLISH, OPEN_END, SEVERAL, shape_model


def test_the_vocabulary_has_whispers_numbers() -> None:
    vocabulary = make_vocabulary()
    ids = {token: number for number, token in enumerate(vocabulary.tokens)}
    assert len(ids) == len(vocabulary.tokens) == 51_865
    assert (ids["<|endoftext|>"], ids["<|startoftranscript|>"], ids["<|0.00|>"]) == (50_257, 50_258, 50_364)
    assert (ids["<|en|>"], ids["<|su|>"], ids["<|30.00|>"]) == (50_259, 50_357, 51_864)
    assert len(LANGUAGES) == 99
    assert len(make_vocabulary(multilingual=False).tokens) == 51_864


def test_any_text_is_encoded_and_comes_back() -> None:
    tokenizer = tokenizers.Tokenizer.from_file(str(shape_model() / "tokenizer.json"))
    for text in (" bano tirelu kozi", "Grüße, 字! \n\t~", " " + written_text(Script())):
        assert tokenizer.decode(tokenizer.encode(text).ids) == text
    assert len(tokenizer.encode(" " + written_text(Script())).ids) == 65


def test_no_token_has_two_followers() -> None:
    for script in (Script(), SEVERAL, OPEN_END, ENGLISH, Script(words=200, segments=9)):
        chain = learn(make_vocabulary(multilingual=not script.english_only), script).chain
        assert len(set(chain)) == len(chain)


@pytest.mark.parametrize("compute_type", ["int8", "float32"])
def test_it_writes_its_script_whatever_the_sound_and_prompt(compute_type: str) -> None:
    model = ctranslate2.models.Whisper(str(shape_model(OPEN_END, compute_type=compute_type)), intra_threads=1)
    assert model.is_multilingual
    sound = np.random.default_rng(0).standard_normal((1, 80, 3000)).astype(np.float32)
    encoded = model.encode(ctranslate2.StorageView.from_array(sound))
    words = ["Ġ" + word for word in written_text(OPEN_END).split()]
    for prompt in (["<|transcribe|>"], ["<|translate|>"], ["<|transcribe|>", "<|notimestamps|>"]):
        start = ["<|startofprev|>", "Ġba", "<|startoftranscript|>", "<|fr|>"]
        for before in (start, start[2:]):
            (result,) = model.generate(encoded, [[*before, *prompt]], beam_size=1)
            assert [token for token in result.sequences[0] if not token.startswith("<|")] == words


def test_beams_are_as_long_as_the_best_and_timestamps_may_be_left_out() -> None:
    model = ctranslate2.models.Whisper(str(shape_model(Script(), "tiny")), intra_threads=1)
    encoded = model.encode(ctranslate2.StorageView.from_array(np.ones((1, 80, 60), np.float32)))
    start = ["<|startoftranscript|>", "<|en|>", "<|transcribe|>"]
    (result,) = model.generate(encoded, [start], beam_size=5, num_hypotheses=5)
    assert [len(sequence) for sequence in result.sequences] == 5 * [71]
    texts = [_words(sequence) for sequence in result.sequences]
    assert texts[0] == written_text(Script())
    assert len(set(texts)) == 5
    times = list(range(50_364, 51_865))
    for beams in (1, 5):
        (plain,) = model.generate(encoded, [[*start, "<|notimestamps|>"]], beam_size=beams, suppress_tokens=times)
        assert len(plain.sequences[0]) == 65
        assert _words(plain.sequences[0]) == written_text(Script())


def _words(tokens: list[str]) -> str:
    return " ".join(token.removeprefix("Ġ") for token in tokens if not token.startswith("<|"))


def test_it_hears_english() -> None:
    model = ctranslate2.models.Whisper(str(shape_model()), intra_threads=1)
    ((first, *_),) = model.detect_language(ctranslate2.StorageView.from_array(np.zeros((1, 80, 3000), np.float32)))
    assert first[0] == "<|en|>"
    assert first[1] > 0.9


def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    one, two, other = (
        make_shape_true(tmp_path / name, "micro", seed=seed) for name, seed in (("1", 1), ("2", 1), ("3", 2))
    )
    assert (one / "model.bin").read_bytes() == (two / "model.bin").read_bytes()
    assert (one / "model.bin").read_bytes() != (other / "model.bin").read_bytes()


def test_published_sizes_have_their_parameters() -> None:
    """Millions of parameters as openai/whisper's model card has them."""
    for name, millions in (("tiny", 39), ("base", 74), ("small", 244), ("medium", 769), ("turbo", 809)):
        shape = SHAPES[name]
        width = shape.width
        layers = shape.encoder_layers * 12 + shape.decoder_layers * 16
        parameters = layers * width**2 + 51_865 * width + 3 * width * (shape.mels + width) + 1_948 * width
        assert parameters / 1e6 == pytest.approx(millions, rel=0.06)


@pytest.mark.parametrize(
    ("size", "compute_type", "param"), [("huge", "int8", "size"), ("micro", "int3", "compute_type")]
)
def test_what_cannot_be_made_is_refused(tmp_path: Path, size: str, compute_type: str, param: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        make_shape_true(tmp_path, size, compute_type)
    assert caught.value.param == param
