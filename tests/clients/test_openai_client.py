"""The `openai` package, unchanged, against a running server: every format, streams, translations and errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from server_fixtures import ON_SERVER, SAID, WHISPER, WRITTEN, speech_wav
from server_process import ServerProcess
from talkie.text.wer import word_error_rate

BUILT_IN = "sphinx-en"

pytestmark = ON_SERVER


@pytest.fixture
def client(server: ServerProcess) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0, timeout=60) as made:
        yield made


def file() -> tuple[str, bytes]:
    return "speech.wav", speech_wav()


def test_json(client: openai.OpenAI) -> None:
    answer = client.audio.transcriptions.create(model="whisper-1", file=file())
    assert answer.text == WRITTEN
    assert answer.usage is not None and answer.usage.type == "duration" and answer.usage.seconds == 2


@pytest.mark.parametrize("model", ["gpt-4o-transcribe", "gpt-4o-mini-transcribe", "auto", WHISPER])
def test_models_by_the_names_clients_know(client: openai.OpenAI, model: str) -> None:
    assert client.audio.transcriptions.create(model=model, file=file()).text == WRITTEN


def test_text(client: openai.OpenAI) -> None:
    text = client.audio.transcriptions.create(model="whisper-1", file=file(), response_format="text")
    assert text == WRITTEN + "\n"  # type: ignore[comparison-overlap]


@pytest.mark.parametrize(("response_format", "begins"), [("srt", "1\n00:00:0"), ("vtt", "WEBVTT\n\n00:0")])
def test_subtitles(client: openai.OpenAI, response_format: Any, begins: str) -> None:
    text = client.audio.transcriptions.create(model="whisper-1", file=file(), response_format=response_format)
    assert isinstance(text, str) and text.startswith(begins) and " --> " in text


@pytest.mark.parametrize("model", [WHISPER, BUILT_IN])
def test_verbose_json_with_words(client: openai.OpenAI, model: str) -> None:
    answer = client.audio.transcriptions.create(
        model=model,
        file=file(),
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
        language="en",
        temperature=0,
    )
    assert word_error_rate(SAID, answer.text).rate < 0.5 if model == BUILT_IN else answer.text == WRITTEN
    assert answer.language == "english" and 1 < answer.duration < 10
    assert answer.segments and answer.words
    assert " ".join(word.word for word in answer.words) == answer.text
    for part in [*answer.segments, *answer.words]:
        assert 0 <= part.start <= part.end <= answer.duration + 0.1
    assert answer.segments[0].avg_logprob <= 0 and answer.segments[0].no_speech_prob >= 0


def test_a_stream(client: openai.OpenAI) -> None:
    stream = client.audio.transcriptions.create(model="whisper-1", file=file(), stream=True)
    *deltas, done = list(stream)
    assert done.type == "transcript.text.done" and done.text == WRITTEN and len(deltas) == 2
    assert all(event.type == "transcript.text.delta" for event in deltas)
    assert "".join(event.delta for event in deltas if event.type == "transcript.text.delta") == done.text


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # the package's word for its translations
@pytest.mark.parametrize("response_format", ["json", "text", "srt", "verbose_json", "vtt"])
def test_a_whisper_translates(client: openai.OpenAI, response_format: Any) -> None:
    answer = client.audio.translations.create(model=WHISPER, file=file(), response_format=response_format)
    if response_format == "verbose_json":
        assert answer.language == "english" and answer.segments  # type: ignore[attr-defined]
    text = answer if isinstance(answer, str) else answer.text
    assert WRITTEN.split()[0] in text and WRITTEN.split()[-1] in text


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
def test_the_built_in_engine_says_that_it_cannot_translate(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.audio.translations.create(model=BUILT_IN, file=file())
    assert caught.value.code == "unsupported_by_model" and "pull" in json.dumps(caught.value.body)


def test_errors_arrive_as_the_package_knows_them(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        client.audio.transcriptions.create(model="no-such-model", file=file())
    assert (missing.value.code, missing.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.BadRequestError) as language:
        client.audio.transcriptions.create(model="whisper-1", file=file(), language="klingon")
    assert (language.value.code, language.value.param) == ("invalid_value", "language")
    with pytest.raises(openai.BadRequestError) as broken:
        client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"this is a text\n" * 20))
    assert broken.value.code == "undecodable_audio"


def test_silence_is_no_text(client: openai.OpenAI) -> None:
    silence = speech_wav()[:44] + bytes(64_000)
    assert client.audio.transcriptions.create(model="whisper-1", file=("s.wav", silence)).text == ""


def test_models(client: openai.OpenAI) -> None:
    ids = {model.id for model in client.models.list()}
    assert {BUILT_IN, WHISPER} <= ids
    assert client.models.retrieve(BUILT_IN).object == "model"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("no-such-model")
