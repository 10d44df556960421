"""The committed test model hears a voice that it was not trained on, with CTranslate2 alone."""

from pathlib import Path

import ctranslate2
import numpy as np
import pytest
import tokenizers
from ctranslate2.models import Whisper, WhisperGenerationResult

from speech import say
from test_model.speech import Floats, mel_power, normalise
from test_model.words import Vocabulary

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "whisper-test"
VOCABULARY = Vocabulary()


@pytest.fixture(scope="module")
def model() -> Whisper:
    return Whisper(str(FOLDER), device="cpu", compute_type="int8", intra_threads=1)


def features(samples: Floats) -> ctranslate2.StorageView:
    padded = np.pad(samples, (0, 30 * 16_000 - len(samples)))
    mel = normalise(mel_power(padded)).T[None, :, :3000]
    return ctranslate2.StorageView.from_array(np.ascontiguousarray(mel))


def hear(model: Whisper, samples: Floats, *prompt: str) -> ctranslate2.models.WhisperGenerationResult:
    start = [VOCABULARY.special("startoftranscript"), *(VOCABULARY.special(name) for name in prompt)]
    result: WhisperGenerationResult = model.generate(
        features(samples), [start], beam_size=1, return_no_speech_prob=True
    )[0]
    return result


@pytest.mark.parametrize("text", ["turn the light on", "three one four one five", "hello talkie", "close the window"])
@pytest.mark.parametrize("prompt", [(), ("notimestamps",)])
def test_a_new_voice_is_understood(text: str, prompt: tuple[str, ...], model: Whisper) -> None:
    result = hear(model, say(text, voice="en-us+f4"), *prompt)
    assert VOCABULARY.text(result.sequences_ids[0]) == text
    assert result.no_speech_prob < 0.3


def test_times_are_those_of_the_speech(model: Whisper) -> None:
    samples = np.concatenate([np.zeros(8000, np.float32), say("open the door", voice="en-us+f4")])
    ids = hear(model, samples).sequences_ids[0]
    start, end = ((token - VOCABULARY.timestamp_begin) * 0.02 for token in (ids[0], ids[-1]))
    loud = np.flatnonzero(np.abs(samples) > 0.02) / 16_000
    assert start == pytest.approx(loud[0], abs=0.2)
    assert end == pytest.approx(loud[-1], abs=0.2)


@pytest.mark.parametrize("level", [0.0, 0.01])
def test_no_speech_is_told(level: float, model: Whisper) -> None:
    noise = np.random.default_rng(1).standard_normal(80_000).astype(np.float32) * np.float32(level)
    result = hear(model, noise)
    assert VOCABULARY.text(result.sequences_ids[0]) == ""
    assert result.no_speech_prob > 0.6


def test_words_are_aligned(model: Whisper) -> None:
    text = "open the door"
    tokens = [VOCABULARY.word(word) for word in text.split()]
    memory = model.encode(features(say(text, voice="en-us+f4")))
    alignment = model.align(memory, [VOCABULARY.special("startoftranscript")], [tokens], 1500)[0]
    starts = {index: frame * 0.02 for index, frame in reversed(alignment.alignments)}
    assert 0 <= starts[0] < starts[1] < starts[2] < 1.2


def test_folder_is_what_the_tool_writes() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 8e6
    tokenizer = tokenizers.Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    assert tokenizer.to_str() == tokenizers.Tokenizer.from_str(VOCABULARY.tokenizer_json()).to_str()
