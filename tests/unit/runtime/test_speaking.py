"""A text on its way through the runtime, spoken by an engine of tones."""

from __future__ import annotations

import io
import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from fakes import LoudnessDetector
from fakes_voice import FAKE_VOICE, FakeSynthesizer, tone
from talkie.audio.encode import encode_wav
from talkie.engines.base import SynthesizerInfo, Voice
from talkie.errors import (
    Cancelled,
    EngineFailed,
    InvalidValue,
    ModelNotFound,
    NothingToSay,
    QueueFull,
    ShuttingDown,
    TalkieError,
    TextTooLong,
    UnsupportedByModel,
    VoiceExists,
    VoiceNotFound,
)
from talkie.models.stored import StoredModel
from talkie.runtime.admission import Admission
from talkie.runtime.cancel import CancelToken
from talkie.runtime.config import ServiceConfig
from talkie.runtime.counting import REGISTRY
from talkie.runtime.leases import LeaseTable
from talkie.runtime.speaking import Speaking
from talkie.runtime.speech import SpeakRequest
from talkie.runtime.speech_lane import SpeechLane
from talkie.types import Audio, Mark, SpeechChunk

WAIT_S = 20
TEXT = "one two three. four five six."
HELLO = SpeakRequest(TEXT, voice="anna", generation=7)


@dataclass
class House:
    """`Speaking` and all it stands on. Models: `tones`, and `copycat`, which imitates."""

    home: Path
    engine: FakeSynthesizer = field(default_factory=lambda: FakeSynthesizer(replace(FAKE_VOICE, name="tones")))
    concurrency: int = 4
    aligned: list[tuple[float, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.infos = {
            "tones": self.engine.info,
            "copycat": replace(FAKE_VOICE, name="copycat", voices=(), cloning=True),
            "espeak": replace(FAKE_VOICE, name="espeak", voices=(Voice("en-us", ("en-us",)),)),
        }
        self.engines: dict[str, FakeSynthesizer] = {}
        self.leases = LeaseTable(self._load, 2)
        self.admission = Admission(self.concurrency, 0)
        config = ServiceConfig(home=self.home, max_speech_characters=1000, speech_cache_mb=10.0)
        self.speaking = Speaking(
            config,
            self,
            self.leases,
            self.admission,
            LoudnessDetector(),
            self._align,
            described=self._described,  # type: ignore[arg-type]
        )

    def list(self) -> list[StoredModel]:
        found = []
        for rank, name in enumerate(("copycat", "tones")):
            path = self.home / "models" / name
            path.mkdir(parents=True, exist_ok=True)
            found.append(StoredModel(name, "espeak", path, 1, ("en",), source="import", rank=rank))
        return found

    def get(self, name: str) -> StoredModel:
        try:
            return {model.name: model for model in self.list()}[name]
        except KeyError:
            raise ModelNotFound(name) from None

    resolve = get

    def words(self, request: SpeakRequest = HELLO) -> list[str]:
        return words(self.speaking.speak(request))

    def _described(self, model: StoredModel) -> SynthesizerInfo:
        return self.infos[model.name]

    def _load(self, name: str) -> SpeechLane:
        engine = self.engine if name == "tones" else FakeSynthesizer(self.infos[name])
        self.engines[name] = engine
        return SpeechLane(engine)

    def _align(self, audio: Audio, text: str, language: str, cancel: CancelToken) -> tuple[Mark, ...]:
        self.aligned.append((audio.duration_s, text, language))
        names = text.split()
        step_s = audio.duration_s / len(names)
        return tuple(Mark("word", name, at * step_s, (at + 1) * step_s, True) for at, name in enumerate(names))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    if house.engine.gate is not None:
        house.engine.gate.set()
    house.leases.close()


def words(chunks: Iterator[SpeechChunk]) -> list[str]:
    return [mark.text for chunk in chunks for mark in chunk.marks if mark.kind == "word"]


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"talkie_speech_{name}", labels) or 0.0


def test_a_text_is_spoken_on_one_timeline(house: House) -> None:
    chunks = list(house.speaking.speak(HELLO))
    marks = [mark for chunk in chunks for mark in chunk.marks if mark.kind == "word"]
    assert [mark.text for mark in marks] == TEXT.split()
    assert all(one.end_s <= two.start_s + 1e-6 for one, two in itertools.pairwise(marks))
    assert marks[-1].end_s <= sum(len(chunk.samples) for chunk in chunks) / chunks[0].sample_rate
    assert {chunk.generation for chunk in chunks} == {7} and len({chunk.sample_rate for chunk in chunks}) == 1
    assert {options.voice for options in house.engine.asked} == {"anna"}


def test_the_same_again_comes_from_the_disk_and_loads_nothing(house: House) -> None:
    first = list(house.speaking.speak(HELLO))
    other = House(house.home)
    again = list(other.speaking.speak(replace(HELLO, generation=8)))
    assert other.leases.loaded() == [] and other.engine.texts == []
    np.testing.assert_allclose(
        np.concatenate([chunk.samples for chunk in again]),
        np.concatenate([chunk.samples for chunk in first]),
        atol=1e-4,
    )
    assert [chunk.marks for chunk in again] == [chunk.marks for chunk in first]
    assert {chunk.generation for chunk in again} == {8}


@pytest.mark.parametrize(
    "other",
    [
        {"text": "one two three. four five seven."},
        {"voice": "bernd"},
        {"speed": 1.1},
        {"visemes": True},
        {"align": True},
        {"language": "de"},
        {"instructions": "softly"},
        {"cache": False},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_wish_is_another_entry(house: House, other: dict[str, object]) -> None:
    house.words()
    made = len(house.engine.texts)
    house.words(replace(HELLO, **other))  # type: ignore[arg-type]
    assert len(house.engine.texts) > made


def test_the_users_lexicon_counts_too(house: House) -> None:
    house.words()
    (house.home / "lexicon.toml").write_text('[all]\nfour = "vier"\n')
    assert house.words() == TEXT.split()
    assert "vier five six." in house.engine.texts
    (house.home / "lexicon.toml").write_text("[all]\nfour = 4\n")
    with pytest.raises(TalkieError) as failed:
        house.words()
    assert failed.value.code == "bad_lexicon"


@pytest.mark.parametrize("cache", [None, True])
def test_a_voice_of_a_person_is_kept_only_where_that_is_asked_for(house: House, cache: bool | None) -> None:
    card = house.speaking.add_voice("me", recording(), language="en", owner="a")
    request = SpeakRequest(TEXT, voice=card.id, owner="a", cache=cache)
    for _ in range(2):
        house.words(request)
    engine = house.engines["copycat"]
    assert len([text for text in engine.texts if text.startswith("one")]) == (1 if cache else 2)
    assert {options.reference.name for options in engine.asked if options.reference} == {"reference.wav"}


def test_who_leaves_stops_the_engine_and_keeps_nothing(house: House) -> None:
    before = counted("requests_total", model="tones", outcome="cancelled")
    speech = house.speaking.speak(replace(HELLO, text="word " * 190))
    next(speech)
    speech.close()
    assert house.engine.left.wait(WAIT_S)
    assert house.admission.running == 0 and house.leases.loaded()[0].users == 0
    assert counted("requests_total", model="tones", outcome="cancelled") == before + 1
    kept = house.home / "cache" / "speech"
    assert not kept.exists() or list(kept.iterdir()) == []


def test_a_token_stops_it_from_another_thread(house: House) -> None:
    house.engine.gate = threading.Event()
    cancel = CancelToken()
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(lambda: list(house.speaking.speak(HELLO, cancel)))
        assert house.engine.started.wait(WAIT_S)
        cancel.cancel()
        with pytest.raises(Cancelled):
            job.result(WAIT_S)
    assert house.admission.running == 0


def test_an_engine_that_fails_is_told_and_not_kept(house: House) -> None:
    house.engine.fails["four five six."] = RuntimeError("words of the text")
    before = counted("requests_total", model="tones", outcome="failed")
    for _ in range(2):
        with pytest.raises(EngineFailed) as failed:
            house.words()
        assert "words" not in failed.value.message
    assert counted("requests_total", model="tones", outcome="failed") == before + 2
    house.engine.fails.clear()
    assert house.words() == TEXT.split()


def test_a_text_that_is_still_being_written_is_spoken_sentence_by_sentence(house: House) -> None:
    more = threading.Event()

    def writing() -> Iterator[str]:
        yield "one two three. Four "
        assert more.wait(WAIT_S)
        yield "five six."

    speech = house.speaking.speak(replace(HELLO, text=""), pieces=writing())
    heard = [next(speech)]
    assert house.engine.texts[0] == "one two three."
    more.set()
    heard += speech
    assert words(iter(heard)) == ["one", "two", "three.", "Four", "five", "six."]


def test_there_are_only_so_many_places(tmp_path: Path) -> None:
    house = House(tmp_path, concurrency=1)
    house.engine.gate = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(house.words)
        assert house.engine.started.wait(WAIT_S)
        with pytest.raises(QueueFull):
            house.words(replace(HELLO, text="other words"))
        house.engine.gate.set()
        assert job.result(WAIT_S) == TEXT.split()
    house.leases.close()


def test_what_is_kept_needs_no_place(tmp_path: Path) -> None:
    house = House(tmp_path, concurrency=1)
    assert house.words() == TEXT.split()
    house.engine.gate = threading.Event()
    house.engine.started.clear()
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(house.words, replace(HELLO, text="other words"))
        assert house.engine.started.wait(WAIT_S)
        assert house.words() == TEXT.split()
        house.engine.gate.set()
        job.result(WAIT_S)
    house.leases.close()


def test_the_end_of_the_service_ends_what_is_being_said(house: House) -> None:
    speech = house.speaking.speak(replace(HELLO, text="one two three four. " * 40))
    next(speech)
    house.leases.close()
    with pytest.raises(ShuttingDown):
        list(speech)
    assert house.engine.closed and house.admission.running == 0


def test_words_without_times_are_looked_for_where_that_is_asked_for(house: House) -> None:
    house.engine.info = replace(house.engine.info, marks=())
    house.infos["tones"] = house.engine.info
    bare = house.engine.synthesize

    def without_marks(text: str, options: object) -> Iterator[SpeechChunk]:
        for chunk in bare(text, options):  # type: ignore[arg-type]
            yield replace(chunk, marks=())

    house.engine.synthesize = without_marks  # type: ignore[assignment, method-assign]
    assert house.words() == TEXT.split() and house.aligned == []
    assert house.words(replace(HELLO, align=True)) == TEXT.split()
    assert [text for _, text, _ in house.aligned] == ["one two three.", "four five six."]


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (SpeakRequest(""), NothingToSay),
        (SpeakRequest("x" * 1001), TextTooLong),
        (SpeakRequest("x", speed=5.0), InvalidValue),
        (SpeakRequest("x", model="nobody"), ModelNotFound),
    ],
)
def test_what_is_wrong_is_told_at_once(house: House, request_: SpeakRequest, error: type[TalkieError]) -> None:
    with pytest.raises(error):
        house.speaking.speak(request_)


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (SpeakRequest("!?", voice="anna"), NothingToSay),
        (SpeakRequest("x", model="tones", voice="nobody"), VoiceNotFound),
        (SpeakRequest("x", model="tones", language="fi"), UnsupportedByModel),
    ],
)
def test_what_the_model_knows_is_told_before_the_first_piece(
    house: House, request_: SpeakRequest, error: type[TalkieError]
) -> None:
    speech = house.speaking.speak(request_)
    with pytest.raises(error):
        next(speech)
    assert house.admission.running == 0


def test_what_is_counted(house: House) -> None:
    def figures() -> list[float]:
        return [
            counted("requests_total", model="tones", outcome="ok"),
            counted("first_seconds_count", model="tones"),
            counted("cache_total", outcome="hit"),
            counted("cache_total", outcome="miss"),
        ]

    before, seconds_before = figures(), counted("seconds_total", model="tones")
    seconds = sum(len(chunk.samples) / chunk.sample_rate for _ in range(2) for chunk in house.speaking.speak(HELLO))
    assert [now - then for now, then in zip(figures(), before, strict=True)] == [2, 2, 1, 1]
    assert counted("seconds_total", model="tones") - seconds_before == pytest.approx(seconds)


# -- voices ------------------------------------------------------------------------------------------------------------


def recording(make: Callable[[], np.ndarray] = lambda: tone(4.0)) -> io.BytesIO:
    return io.BytesIO(encode_wav(make(), 16_000))


def test_a_voice_is_its_owners(house: House) -> None:
    mine = house.speaking.add_voice("me", recording(), language="de", owner="a", consent="it is me")
    assert (mine.name, mine.languages, mine.model, mine.cloned) == ("me", ("de",), "copycat", True)
    with pytest.raises(VoiceExists):
        house.speaking.add_voice("me", recording(), owner="a")
    theirs = house.speaking.add_voice("me", recording(), owner="b")
    speakers = house.speaking.speakers
    with pytest.raises(VoiceNotFound):
        speakers.choose(SpeakRequest("x", voice=mine.id, owner="b")).resolved(FAKE_VOICE)
    assert speakers.choose(SpeakRequest("x", voice="me", owner="b")).clone.id == theirs.id  # type: ignore[union-attr]
    with pytest.raises(VoiceNotFound):
        house.speaking.remove_voice(mine.id, owner="b")
    house.speaking.remove_voice("me", owner="a")
    with pytest.raises(VoiceNotFound):
        house.speaking.remove_voice("me", owner="a")


@pytest.mark.parametrize("name", ["nova", "anna", "en-us"])
def test_it_takes_no_name_of_another_voice(house: House, name: str) -> None:
    with pytest.raises(VoiceExists):
        house.speaking.add_voice(name, recording())


def test_all_voices_in_one_list(house: House) -> None:
    house.speaking.add_voice("me", recording(), owner="a")
    house.speaking.add_voice("you", recording(), owner="b")
    everybody, mine = house.speaking.voices(), house.speaking.voices("a")
    engines = ["en-us", "tones/anna", "tones/bernd", "tones/af_nova"]
    assert [card.id for card in everybody if not card.cloned] == engines
    assert [card.name for card in everybody if card.cloned] == ["me", "you"]
    assert [card.name for card in mine if card.cloned] == ["me"]
    assert [row.name for row in house.leases.loaded()] == ["espeak"], "nothing is loaded to be listed"


def test_a_bad_recording_leaves_nothing(house: House) -> None:
    with pytest.raises(InvalidValue):
        house.speaking.add_voice("me", recording(lambda: np.zeros(80_000, np.float32)))
    for name, language in (("a/b", "en"), ("me", "no language")):
        with pytest.raises(InvalidValue):
            house.speaking.add_voice(name, recording(), language=language)
    assert not (house.home / "voices").exists()
