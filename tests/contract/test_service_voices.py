"""Models that speak behind the service: found by voice and language, their words joined to the text, and let go."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from onnx_voices import kokoro_directory, piper_directory
from talkie.errors import ModelInUse
from talkie.models.store import ModelStore
from talkie.runtime.config import ServiceConfig
from talkie.runtime.service import Service
from talkie.runtime.speech import SpeakRequest
from talkie.types import SpeechChunk

pytest.importorskip("kokoro_onnx")
pytest.importorskip("piper")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ModelStore:
    place = tmp_path_factory.mktemp("voices")
    store = ModelStore(place / "home")
    store.import_(kokoro_directory(place / "kokoro"))
    store.import_(piper_directory(place / "lessac"))
    return store


@pytest.fixture
def service(store: ModelStore) -> Iterator[Service]:
    made = Service(ServiceConfig(home=store.home, threads=1))
    yield made
    made.close()


def words(chunks: list[SpeechChunk]) -> list[tuple[str, bool]]:
    return [(mark.text, mark.estimated) for chunk in chunks for mark in chunk.marks if mark.kind == "word"]


def test_a_voice_is_found_by_its_name_and_its_words_are_timed(service: Service) -> None:
    cards = {card.id: card for card in service.voices()}
    assert (cards["kokoro/bf_emma"].model, cards["kokoro/bf_emma"].engine) == ("kokoro", "kokoro")
    assert cards["lessac/en_US-test-medium"].engine == "piper"
    text = "At the end of the day it took 3.50 minutes. All was said."
    chunks = list(service.speak(SpeakRequest(text, voice="bf_emma")))
    found = words(chunks)
    assert [word.strip(".") for word, _ in found] == [word.strip(".") for word in text.split()]
    assert sum(estimated for _, estimated in found) <= 2
    assert {chunk.sample_rate for chunk in chunks} == {24_000}
    piper = list(service.speak(SpeakRequest("All was said.", model="lessac")))
    assert [(word.strip("."), estimated) for word, estimated in words(piper)] == [
        ("All", False),
        ("was", False),
        ("said", False),
    ]


def test_a_model_that_speaks_is_held_while_it_is_loaded_and_let_go_after(service: Service, store: ModelStore) -> None:
    assert list(service.speak(SpeakRequest("well", model="kokoro")))
    with pytest.raises(ModelInUse):
        store.remove("kokoro")
    service.close()
    assert store.verify("kokoro")[0].ok


def test_the_gpl_stays_out_of_our_process(store: ModelStore) -> None:
    code = (
        "import json, sys; from pathlib import Path\n"
        "from talkie.engines.base import SynthesizeOptions\n"
        "from talkie.engines.tts.piper import PiperSynthesizer\n"
        "engine = PiperSynthesizer(Path(sys.argv[1]), threads=1)\n"
        "count = len(list(engine.synthesize('one', SynthesizeOptions())))\n"
        "engine.close()\n"
        "print(json.dumps([count, [one for one in ('piper', 'onnxruntime', 'phonemizer') if one in sys.modules]]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(store.models / "lessac")], capture_output=True, text=True, check=True
    )
    assert json.loads(run.stdout) == [1, []]
