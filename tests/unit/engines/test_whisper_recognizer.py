"""The recogniser itself, on shape-true models: what it says of itself, what it refuses, batches, edges, its end."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import ctranslate2
import numpy as np
import pytest

from fakes import hear_all
from talkie.engines.asr.whisper import WhisperRecognizer, hardware
from talkie.engines.base import PRESETS, DecodingOptions, RecognizeOptions
from talkie.engines.registry import load
from talkie.errors import EngineFailed, EngineUnavailable, InvalidValue, ModelBroken, UnsupportedByModel
from talkie.types import Audio
from whisper_models import EARLY, ENGLISH, OPEN_END, SEVERAL, shape_model

FAST = PRESETS["fast"]
GREEDY = RecognizeOptions(decoding=FAST)


def noise(seconds: float, seed: int = 0, start_s: float = 0.0) -> Audio:
    samples = 0.05 * np.random.default_rng(seed).standard_normal(round(seconds * 16_000))
    return Audio(samples.astype(np.float32), start_s=start_s)


@pytest.fixture(scope="module")
def whisper() -> Iterator[WhisperRecognizer]:
    recognizer = WhisperRecognizer(shape_model(SEVERAL), name="whisper-micro", device="cpu", threads=1)
    yield recognizer
    recognizer.close()


def test_the_registry_finds_it() -> None:
    assert load("whisper") is WhisperRecognizer


def test_what_it_says_of_itself(whisper: WhisperRecognizer) -> None:
    info = whisper.info
    assert (info.name, info.engine, info.device) == ("whisper-micro", "whisper", "cpu")
    assert info.compute_type == "int8_float32"
    assert len(info.languages) == 99
    assert info.tasks == ("transcribe", "translate")
    assert (info.words, info.prompts, info.may_stop_early, info.partials) == (True, True, True, False)
    assert info.max_seconds == 30.0
    assert info.max_batch > 1


def test_the_name_is_that_of_the_directory_where_none_is_given() -> None:
    recognizer = WhisperRecognizer(shape_model(SEVERAL), device="cpu", compute_type="float32", threads=1)
    assert recognizer.info.name == "shape-micro"
    assert recognizer.info.compute_type == "float32"
    recognizer.close()


def test_a_window_of_any_length(whisper: WhisperRecognizer) -> None:
    for seconds in (0.02, 0.5, 7.3, 30.0):
        (heard,) = hear_all(whisper, [noise(seconds, start_s=100.0)], GREEDY)
        assert heard.model == "whisper-micro"
        assert heard.language == "en"
        assert heard.duration_s == pytest.approx(seconds)
        assert heard.decoded_until_s == pytest.approx(100.0 + seconds)
        for segment in heard.segments:
            assert 100.0 <= segment.start_s < segment.end_s <= 100.0 + seconds


def test_text_outside_the_sound_is_kept_with_its_reason(whisper: WhisperRecognizer) -> None:
    """The model writes 28 s of text into a window of 10: what has no time in it is dropped, and said to be."""
    (heard,) = hear_all(whisper, [noise(10.0)], GREEDY)
    texts = [segment.text for segment in heard.segments] + [one.segment.text for one in heard.dropped]
    (whole,) = hear_all(whisper, [noise(30.0)], GREEDY)
    assert texts == [segment.text for segment in whole.segments]
    assert {one.reason for one in heard.dropped} == {"no_duration"}


@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize("samples", [0, 1, 159, 160, 319])
def test_hardly_any_sound(whisper: WhisperRecognizer, samples: int, words: bool) -> None:
    audio = Audio(np.zeros(samples, np.float32), start_s=3.0)
    (heard,) = hear_all(whisper, [audio], RecognizeOptions(words=words, decoding=FAST))
    assert heard.decoded_until_s == pytest.approx(audio.end_s)
    assert all(not segment.words for segment in heard.segments)
    if samples < 160:
        assert heard.segments == ()


def test_no_windows_no_transcripts(whisper: WhisperRecognizer) -> None:
    assert hear_all(whisper, [], GREEDY) == []


@pytest.mark.parametrize("words", [False, True])
def test_a_batch_gives_what_its_windows_give_one_by_one(whisper: WhisperRecognizer, words: bool) -> None:
    """More windows than go into one call, of every length, one of them empty."""
    options = RecognizeOptions(words=words, decoding=FAST)
    batch = [
        noise(seconds, seed, 10.0 * seed) for seed, seconds in enumerate((30, 3, 0, 12.5, 30, 1, 0.01, 29.99, 5, 8))
    ]
    together = hear_all(whisper, batch, options)
    alone = [hear_all(whisper, [audio], options)[0] for audio in batch]
    for one, other in zip(together, alone, strict=True):
        assert [segment.tokens for segment in one.segments] == [segment.tokens for segment in other.segments]
        assert one.decoded_until_s == pytest.approx(other.decoded_until_s, abs=0.05)
    assert len(batch) > whisper.info.max_batch


MIXED = (
    RecognizeOptions(language="de", decoding=FAST, words=True),
    RecognizeOptions(language="fr", task="translate", decoding=FAST),
    RecognizeOptions(decoding=FAST, words=True),
    RecognizeOptions(language="en", decoding=FAST),
)


def test_windows_of_several_requests_share_a_batch(whisper: WhisperRecognizer) -> None:
    """Language, task and words are each window's own, and each is heard as it is alone."""
    batch = [noise(seconds, seed) for seed, seconds in enumerate((30, 12, 30, 25))]
    assert len({whisper.batch_key(*item) for item in zip(batch, MIXED, strict=True)}) == 1
    together = whisper.recognize(batch, MIXED)
    for audio, options, heard in zip(batch, MIXED, together, strict=True):
        (alone,) = whisper.recognize([audio], [options])
        assert [segment.tokens for segment in heard.segments] == [segment.tokens for segment in alone.segments]
        assert [word.text for word in heard.words] == [word.text for word in alone.words]
        assert bool(heard.words) == options.words
        assert (heard.language, heard.task) == (options.language or alone.language, options.task)


def test_what_cannot_share_a_batch_has_another_key(whisper: WhisperRecognizer) -> None:
    """Other rules, or a longer prompt; asked for together all the same, they are heard one after the other."""
    first = RecognizeOptions(language="en", decoding=FAST, prompt="red door")
    others = (replace(first, prompt="one two three four"), replace(first, decoding=PRESETS["strict"]))
    audio = noise(30.0)
    assert whisper.batch_key(audio, first) == whisper.batch_key(noise(2.0), replace(first, prompt="door red"))
    assert whisper.batch_key(audio, first) not in [whisper.batch_key(audio, other) for other in others]
    heard = whisper.recognize([audio] * 3, [first, *others])
    assert [one.text for one in heard] == [hear_all(whisper, [audio], options)[0].text for options in (first, *others)]


def test_as_many_threads_as_it_says_may_call_at_once(whisper: WhisperRecognizer) -> None:
    recognizer = WhisperRecognizer(shape_model(SEVERAL), name="whisper-micro", device="cpu", threads=1, workers=2)
    assert recognizer.info.workers == 2
    batches = [[noise(seconds, seed) for seed in range(3)] for seconds in (4.0, 30.0, 11.0, 22.0)]
    with ThreadPoolExecutor(2) as pool:
        at_once = list(pool.map(lambda batch: hear_all(recognizer, batch, GREEDY), batches))
    recognizer.close()
    for batch, heard in zip(batches, at_once, strict=True):
        assert [one.text for one in heard] == [one.text for one in hear_all(whisper, batch, GREEDY)]


def test_impossible_samples_do_no_harm(whisper: WhisperRecognizer) -> None:
    samples = np.full(16_000, np.nan, np.float32)
    bad, good = hear_all(whisper, [Audio(samples), noise(30.0)], GREEDY)
    (alone,) = hear_all(whisper, [noise(30.0)], GREEDY)
    assert good.text == alone.text
    assert bad.duration_s == 1.0


def test_how_far_a_decoder_came() -> None:
    early = WhisperRecognizer(shape_model(EARLY), device="cpu", threads=1)
    (heard,) = hear_all(early, [noise(30.0, start_s=60.0)], GREEDY)
    assert heard.segments[-1].end_s == pytest.approx(65.0)
    assert heard.decoded_until_s == pytest.approx(90.0)  # a single timestamp at the end: it says it is done
    open_end = WhisperRecognizer(shape_model(OPEN_END), device="cpu", threads=1)
    (heard,) = hear_all(open_end, [noise(30.0, start_s=60.0)], GREEDY)
    assert heard.decoded_until_s == pytest.approx(69.0)
    early.close()
    open_end.close()


def test_an_unsure_window_is_tried_again_and_a_silent_one_reported(whisper: WhisperRecognizer) -> None:
    """A threshold nobody can reach makes every try fail; then all is taken for silence."""
    unsure = DecodingOptions(beam_size=1, best_of=1, temperatures=(0.0, 0.2), log_prob_threshold=1.0)
    (heard,) = hear_all(whisper, [noise(30.0)], RecognizeOptions(decoding=unsure))
    assert {segment.temperature for segment in heard.segments} == {0.2}
    silent = DecodingOptions(beam_size=1, temperatures=(0.0,), log_prob_threshold=1.0, no_speech_threshold=-1.0)
    (heard,) = hear_all(whisper, [noise(30.0, start_s=5.0)], RecognizeOptions(decoding=silent))
    assert heard.segments == ()
    assert heard.decoded_until_s == pytest.approx(35.0)
    (dropped,) = heard.dropped
    assert dropped.reason == "no_speech"
    assert (dropped.segment.start_s, dropped.segment.end_s) == (5.0, 35.0)


@pytest.mark.parametrize(
    ("options", "param"),
    [
        (RecognizeOptions(language="xx"), "language"),
        (RecognizeOptions(decoding=DecodingOptions(max_new_tokens=446)), "max_new_tokens"),
    ],
)
def test_what_it_cannot_do_is_refused(whisper: WhisperRecognizer, options: RecognizeOptions, param: str) -> None:
    with pytest.raises((UnsupportedByModel, InvalidValue)) as caught:
        hear_all(whisper, [noise(1.0)], options)
    assert caught.value.param == param
    with pytest.raises(type(caught.value)):
        whisper.batch_key(noise(1.0), options)


def test_an_english_only_model_refuses_other_languages_and_translation() -> None:
    recognizer = WhisperRecognizer(shape_model(ENGLISH), device="cpu", threads=1)
    assert recognizer.info.languages == ("en",)
    assert recognizer.info.tasks == ("transcribe",)
    for options, param in ((RecognizeOptions(language="de"), "language"), (RecognizeOptions(task="translate"), "task")):
        with pytest.raises(UnsupportedByModel) as caught:
            hear_all(recognizer, [noise(1.0)], options)
        assert caught.value.param == param
    for language in ("en", None):
        (heard,) = hear_all(recognizer, [noise(30.0)], RecognizeOptions(language=language, decoding=FAST))
        assert (heard.language, heard.language_probability) == ("en", 1.0)
        assert len(heard.segments) == 2
    recognizer.close()


def test_windows_it_was_not_made_for_are_refused(whisper: WhisperRecognizer) -> None:
    for audio in (noise(31.0), Audio(np.zeros(8000, np.float32), sample_rate=8000)):
        with pytest.raises(EngineFailed):
            hear_all(whisper, [audio], GREEDY)


def test_128_mels() -> None:
    recognizer = WhisperRecognizer(shape_model(EARLY, size="micro128"), device="cpu", threads=1)
    (heard,) = hear_all(recognizer, [noise(6.0)], GREEDY)
    assert len(heard.text.split()) == EARLY.words
    recognizer.close()


def test_after_the_end_there_is_an_error_and_a_second_end_is_harmless() -> None:
    recognizer = WhisperRecognizer(shape_model(SEVERAL), device="cpu", threads=1)
    recognizer.close()
    recognizer.close()
    with pytest.raises(EngineFailed):
        hear_all(recognizer, [noise(1.0)], GREEDY)


@pytest.mark.parametrize(
    ("settings", "param"),
    [
        ({"device": "npu"}, "device"),
        ({"device": "cpu", "compute_type": "int4"}, "compute_type"),
        ({"device": "cpu", "threads": -1}, "threads"),
        ({"device": "cpu", "workers": -1}, "workers"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, object], param: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        WhisperRecognizer(shape_model(SEVERAL), **settings)  # type: ignore[arg-type]
    assert caught.value.param == param


@pytest.mark.parametrize("damage", ["cut off", "empty", "text"])
def test_damaged_weights(tmp_path: Path, damage: str) -> None:
    directory = tmp_path / "damaged"
    shutil.copytree(shape_model(EARLY), directory)
    weights = directory / "model.bin"
    content = {"cut off": weights.read_bytes()[:100_000], "empty": b"", "text": b"hello " * 100}[damage]
    weights.write_bytes(content)
    with pytest.raises(ModelBroken) as caught:
        WhisperRecognizer(directory, device="cpu")
    assert "damaged" in caught.value.message


@pytest.mark.parametrize(
    ("detail", "error"),
    [
        ("Library libcublas.so.12 is not found or cannot be loaded", EngineUnavailable),
        ("something else", EngineFailed),
    ],
)
def test_errors_of_the_library_become_ours(
    whisper: WhisperRecognizer, monkeypatch: pytest.MonkeyPatch, detail: str, error: type[Exception]
) -> None:
    class Failing:
        def encode(self, *_: object) -> None:
            raise RuntimeError(detail)

    assert whisper._loaded is not None
    monkeypatch.setattr(whisper._loaded.model, "_model", Failing())
    with pytest.raises(error):
        hear_all(whisper, [noise(1.0)], GREEDY)


class NoCublas:
    """A CUDA build whose libraries are not there: loads, and fails at the first use."""

    n_mels, is_multilingual, compute_type = 80, True, "float16"
    made: ClassVar[list[str]] = []

    def __init__(self, _path: str, *, device: str, **_: object) -> None:
        self.device = device
        self.made.append(device)

    def encode(self, *_: object) -> None:
        if self.device == "cuda":
            raise RuntimeError("Library libcublas.so.12 is not found or cannot be loaded")


def test_cuda_without_its_libraries(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Asked for CUDA, it is an error with a hint at once; asked for any device, the processor does the work."""
    monkeypatch.setattr(hardware, "may_have_cuda", lambda: True)
    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 1)
    monkeypatch.setattr(ctranslate2, "get_supported_compute_types", lambda device: {"float16", "int8"})
    monkeypatch.setattr(ctranslate2.models, "Whisper", NoCublas)
    with pytest.raises(EngineUnavailable) as caught:
        WhisperRecognizer(shape_model(SEVERAL), device="cuda")
    assert "libcublas" in caught.value.message
    assert "pip install" in caught.value.hint
    recognizer = WhisperRecognizer(shape_model(SEVERAL), device="auto")
    assert recognizer.info.device == "cpu"
    assert NoCublas.made == ["cuda", "cuda", "cpu"]
    assert "Using the processor" in caplog.text


def test_a_model_without_alignment_heads_refuses_to_time_words(tmp_path: Path) -> None:
    directory = tmp_path / "headless"
    shutil.copytree(shape_model(EARLY), directory)
    config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    (directory / "config.json").write_text(json.dumps(config | {"alignment_heads": None, "lang_ids": None}))
    recognizer = WhisperRecognizer(directory, device="cpu", threads=1)
    assert not recognizer.info.words
    for options, param in ((RecognizeOptions(words=True), "words"), (GREEDY, "language")):
        with pytest.raises(UnsupportedByModel) as caught:
            hear_all(recognizer, [noise(1.0)], options)
        assert caught.value.param == param
    recognizer.close()
