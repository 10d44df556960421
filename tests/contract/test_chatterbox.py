"""A cloned voice from the recording to the last word: store, service, the real worker; the package is a small fake."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fake_chatterbox import make_environment, make_model, said
from hub import LocalHub, Repo
from talkie.audio.encode import encode_wav
from talkie.engines.base import SynthesizeOptions
from talkie.engines.tts.espeak import EspeakSynthesizer
from talkie.errors import EngineFailed, EngineUnavailable, ImportFailed, UnsupportedByModel
from talkie.models.pull import Patience
from talkie.models.store import ModelStore
from talkie.runtime.cancel import CancelToken
from talkie.runtime.config import ServiceConfig
from talkie.runtime.service import Service
from talkie.runtime.speech import SpeakRequest
from talkie.types import SpeechChunk

WAIT_S = 60


@pytest.fixture(scope="module")
def recording() -> bytes:
    """Nobody's voice: the built-in one's."""
    voice = EspeakSynthesizer()
    try:
        text = "The ship sailed at four in the morning, with seven men on board and a letter for the master."
        return encode_wav(np.concatenate([one.samples for one in voice.synthesize(text, SynthesizeOptions())]), 22_050)
    finally:
        voice.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def log(home: Path) -> Path:
    return make_environment(home)


@pytest.fixture
def service(home: Path, log: Path) -> Iterator[Service]:
    make_model(home)
    service = Service(ServiceConfig(home=home))
    yield service
    service.close()


def seconds(chunks: list[SpeechChunk]) -> float:
    return sum(len(chunk.samples) / chunk.sample_rate for chunk in chunks)


def test_a_recording_becomes_a_voice_that_speaks(service: Service, recording: bytes, log: Path) -> None:
    card = service.add_voice("anna", io.BytesIO(recording), consent="for a test")
    assert (card.model, card.engine, card.cloned) == ("chatter", "chatterbox", True)
    text = "Good morning to you. This is the second sentence of it."
    chunks = list(service.speak(SpeakRequest(text, voice="anna")))
    words = [mark for chunk in chunks for mark in chunk.marks if mark.kind == "word"]
    assert [mark.text for mark in words] == text.split()
    assert all(mark.estimated for mark in words)
    assert seconds(chunks) > 3.0
    assert said(log).count("analysed") == 1
    (row,) = [row for row in service.loaded() if row.name == "chatter"]
    assert (row.kind, row.engine) == ("synthesizer", "chatterbox")


def test_it_speaks_for_nobody_unasked(service: Service) -> None:
    chunks = list(service.speak(SpeakRequest("There are many people here.", cache=False)))
    assert chunks[0].sample_rate == 22_050, "the built-in voice's"
    with pytest.raises(UnsupportedByModel, match="no voice of its own"):
        list(service.speak(SpeakRequest("Good morning.", model="chatter")))


def test_a_crash_and_one_who_leaves_harm_nobody_else(service: Service, recording: bytes, log: Path) -> None:
    service.add_voice("anna", io.BytesIO(recording))
    with pytest.raises(EngineFailed):
        list(service.speak(SpeakRequest("Please crash.", voice="anna")))
    cancel = CancelToken()
    leaving = threading.Thread(target=lambda: _drain(service, SpeakRequest("This is forever.", voice="anna"), cancel))
    leaving.start()
    waiting = threading.Event()
    while "five tokens" not in said(log) and leaving.is_alive():
        waiting.wait(0.02)
    cancel.cancel()
    leaving.join(WAIT_S)
    assert not leaving.is_alive()
    assert seconds(list(service.speak(SpeakRequest("And good morning.", voice="anna")))) > 1.0


def test_without_its_environment_the_way_to_it_is_told(home: Path, recording: bytes) -> None:
    make_model(home)
    service = Service(ServiceConfig(home=home))
    try:
        assert service.add_voice("anna", io.BytesIO(recording)).model == ""
        with pytest.raises((UnsupportedByModel, EngineUnavailable)) as refused:
            list(service.speak(SpeakRequest("Good morning.", voice="anna")))
        assert "talkie engines install chatterbox" in refused.value.hint
        assert seconds(list(service.speak(SpeakRequest("Good morning.", cache=False)))) > 0.5
    finally:
        service.close()


def test_a_model_comes_into_the_store_without_its_pickle(tmp_path: Path, home: Path) -> None:
    files = {path.name: path.read_bytes() for path in make_model(tmp_path / "there", own_hz=200).iterdir()}
    files |= {"t3_mtl23ls_v2.safetensors": b"x", "ve.pt": b"x", "Cangjie5_TC.json": b"{}"}
    with LocalHub({"ResembleAI/chatterbox": Repo(files, large=("t3_cfg.safetensors",))}) as hub:
        store = ModelStore(home, endpoint=hub.url, offline=False, patience=Patience(1, 0.001))
        model = store.pull("hf:ResembleAI/chatterbox")
    assert (model.name, model.engine, model.kind, model.languages) == (
        "chatterbox",
        "chatterbox",
        "synthesizer",
        ("en",),
    )
    here = {path.name for path in model.path.iterdir()}
    assert here == {"t3_cfg.safetensors", "s3gen.safetensors", "ve.safetensors", "tokenizer.json", "manifest.json"}
    assert all(verdict.ok for verdict in store.verify())
    assert store.import_(store.export(model.name, tmp_path), name="again").engine == "chatterbox"
    cut = make_model(tmp_path / "cut")
    (cut / "s3gen.safetensors").write_bytes((cut / "s3gen.safetensors").read_bytes()[:-1])
    with pytest.raises(ImportFailed, match=r"s3gen\.safetensors is cut off"):
        store.import_(cut)


def _drain(service: Service, request: SpeakRequest, cancel: CancelToken) -> None:
    try:
        list(service.speak(request, cancel))
    except Exception as error:
        assert type(error).__name__ == "Cancelled"
