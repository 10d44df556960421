"""The service with real engines: which model is chosen, what is refused, and that stopping stops."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from speech import say
from talkie.audio.encode import encode_wav
from talkie.audio.formats import RawFormat
from talkie.errors import (
    Cancelled,
    EmptyAudio,
    InvalidModelName,
    ModelNotFound,
    ShuttingDown,
    TalkieError,
    UnsupportedByModel,
)
from talkie.runtime import metrics
from talkie.runtime.cancel import CancelToken
from talkie.runtime.config import ServiceConfig
from talkie.runtime.model_choice import BUILT_IN, BUILT_IN_NOTICE
from talkie.runtime.requests import TranscribeRequest
from talkie.runtime.service import Service
from talkie.types import SAMPLE_RATE_HZ, Progress, Samples, Segment, Transcript
from whisper_models import TRAINED

NAME = "whisper-test"
SAID = "open the door please"
FAST = TranscribeRequest(preset="fast")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def service(home: Path) -> Iterator[Service]:
    made = Service(ServiceConfig(home=home, threads=1, workers=1))
    made.store.import_(TRAINED, name=NAME)
    yield made
    made.close()


def recording(samples: Samples) -> io.BytesIO:
    return io.BytesIO(encode_wav(samples, SAMPLE_RATE_HZ))


def sentences(count: int) -> Samples:
    pause = np.zeros(5 * SAMPLE_RATE_HZ, np.float32)
    return np.concatenate([part for _ in range(count) for part in (say(SAID), pause)])


def hear(service: Service, samples: Samples, request: TranscribeRequest = FAST) -> Transcript:
    *_, last = service.transcribe(recording(samples), request)
    assert isinstance(last, Transcript)
    return last


def ended(outcome: str, model: str = NAME) -> float:
    return metrics.REGISTRY.get_sample_value("talkie_transcriptions_total", {"model": model, "outcome": outcome}) or 0.0


def test_a_model_in_the_store_goes_before_the_built_in_one(service: Service) -> None:
    before = ended("ok")
    transcript = hear(service, sentences(2), replace(FAST, words=True))
    assert (transcript.model, transcript.language, transcript.notices) == (NAME, "en", ())
    assert transcript.text == f"{SAID} {SAID}"
    assert transcript.duration_s == pytest.approx(len(sentences(2)) / SAMPLE_RATE_HZ, abs=1e-3)
    assert [word.text for word in transcript.words] == f"{SAID} {SAID}".split()
    assert ended("ok") == before + 1


def test_the_built_in_engine_says_how_to_get_a_better_one(tmp_path: Path) -> None:
    service = Service(ServiceConfig(home=tmp_path, workers=1))
    try:
        assert service.choose(FAST).name == BUILT_IN
        by_default = hear(service, say("one two three four five"))
        by_name = hear(service, say("one two three four five"), replace(FAST, model=BUILT_IN))
        with pytest.raises(UnsupportedByModel):
            hear(service, say(SAID), replace(FAST, language="de"))
    finally:
        service.close()
    assert by_default.notices == (BUILT_IN_NOTICE,)
    assert by_name.notices == ()
    assert by_default.text == by_name.text != ""


def test_events_come_in_order_and_progress_ends_with_the_recording(service: Service) -> None:
    *events, last = service.transcribe(recording(sentences(4)), FAST)
    done = [event.done_s for event in events if isinstance(event, Progress)]
    segments = [event for event in events if isinstance(event, Segment)]
    assert isinstance(last, Transcript)
    assert len(segments) >= 4
    assert done == sorted(done)
    assert done[-1] == last.duration_s


@pytest.mark.parametrize("vad", [True, False])
def test_silence_is_no_text(service: Service, vad: bool) -> None:
    assert hear(service, np.zeros(5 * SAMPLE_RATE_HZ, np.float32), replace(FAST, vad=vad)).text == ""


def test_raw_pcm(service: Service) -> None:
    pcm = (say(SAID) * 32767).astype("<i2").tobytes()
    request = replace(FAST, raw=RawFormat(SAMPLE_RATE_HZ))
    *_, last = service.transcribe(io.BytesIO(pcm), request)
    assert isinstance(last, Transcript)
    assert last.text == SAID


@pytest.mark.parametrize(
    ("samples", "request_", "error"),
    [
        (np.zeros(0, np.float32), FAST, EmptyAudio),
        (say(SAID), replace(FAST, model="nobody"), ModelNotFound),
        (say(SAID), replace(FAST, language="fr"), UnsupportedByModel),
        (say(SAID), replace(FAST, task="translate"), UnsupportedByModel),
    ],
)
def test_what_cannot_be_done_is_said(
    service: Service, samples: Samples, request_: TranscribeRequest, error: type[TalkieError]
) -> None:
    with pytest.raises(error):
        hear(service, samples, request_)
    assert hear(service, say(SAID)).text == SAID


def test_a_request_names_no_path_unless_it_comes_from_the_command_line(service: Service, home: Path) -> None:
    by_path = replace(FAST, model=str(TRAINED))
    with pytest.raises(InvalidModelName):
        hear(service, say(SAID), by_path)
    local = Service(ServiceConfig(home=home, threads=1, allow_paths=True))
    try:
        assert hear(local, say(SAID), by_path).text == SAID
    finally:
        local.close()


def test_a_cancelled_request_stops_and_the_next_one_is_served(service: Service) -> None:
    before = ended("cancelled")
    cancel = CancelToken()
    events = service.transcribe(recording(sentences(8)), FAST, cancel)
    assert next(event for event in events if isinstance(event, Segment)).text == SAID
    cancel.cancel()
    with pytest.raises(Cancelled):
        list(events)
    abandoned = service.transcribe(recording(sentences(8)), FAST)
    next(abandoned)
    abandoned.close()  # type: ignore[attr-defined]
    assert ended("cancelled") == before + 2
    assert hear(service, say(SAID)).text == SAID


def test_warm_says_what_is_ready_and_what_is_not(service: Service, tmp_path: Path) -> None:
    service.warm()
    assert service.ready().ok
    assert service.ready().parts[f"model {NAME}"] == "ready"
    assert NAME in [row.name for row in service.loaded()]
    assert [card.loaded for card in service.models() if card.id == NAME] == [True]

    missing = Service(ServiceConfig(home=tmp_path, model="whisper-tiny"))
    assert not missing.ready().ok
    missing.warm()
    assert not missing.ready().ok
    assert "model_not_found" in missing.ready().parts["model"]
    missing.close()


def test_nothing_is_taken_after_closing(tmp_path: Path) -> None:
    service = Service(ServiceConfig(home=tmp_path, workers=1))
    service.close()
    with pytest.raises(ShuttingDown):
        hear(service, say(SAID))
