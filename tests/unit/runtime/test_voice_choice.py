from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fakes_voice import FAKE_VOICE
from talkie.engines.base import SynthesizerInfo, Voice
from talkie.errors import EngineUnavailable, ModelNotFound, TalkieError, UnsupportedByModel, VoiceNotFound
from talkie.models.stored import StoredModel
from talkie.models.voice_store import VoiceStore
from talkie.runtime.speech import SpeakRequest
from talkie.runtime.voice_choice import ESPEAK, Speakers, fingerprint, language_of

INFOS = {
    "good": replace(FAKE_VOICE, name="good"),
    "german": replace(FAKE_VOICE, name="german", languages=("de",), voices=(Voice("thorsten", ("de",)),)),
    "copycat": replace(FAKE_VOICE, name="copycat", languages=("en", "fr"), voices=(), cloning=True),
    "lacking": replace(FAKE_VOICE, name="lacking", voices=(Voice("ghost", ("xx",)),)),
}
ESPEAK_INFO = replace(
    FAKE_VOICE,
    name=ESPEAK,
    engine=ESPEAK,
    languages=("en", "de", "ru"),
    voices=(Voice("de", ("de",)), Voice("en-us", ("en-us",)), Voice("ru", ("ru",))),
)


def model(name: str, rank: int, languages: tuple[str, ...], path: Path, engine: str = "espeak") -> StoredModel:
    return StoredModel(name, engine, path / name, 1, languages, source="import", rank=rank)


class Store:
    """A store of models that speak, and one that hears."""

    def __init__(self, path: Path, *names: str) -> None:
        ranks = {"good": 5, "german": 9, "copycat": 2, "lacking": 8}
        self.models = [model(name, ranks[name], INFOS[name].languages, path) for name in names]
        self.models.append(model("whisper-base", 99, ("en", "de"), path, "whisper"))

    def list(self) -> list[StoredModel]:
        return self.models

    def get(self, name: str) -> StoredModel:
        found = [one for one in self.models if one.name == name]
        if not found:
            raise ModelNotFound(name)
        return found[0]

    resolve = get


def described(one: StoredModel) -> SynthesizerInfo:
    if one.name == "lacking":
        raise EngineUnavailable("x", "its package is missing")
    return INFOS[one.name]


def speakers(tmp_path: Path, *names: str, usual: str = "auto") -> Speakers:
    store = Store(tmp_path, *names)
    return Speakers(store, VoiceStore(tmp_path), usual, described=described)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("request_", "chosen", "voice", "language"),
    [
        (SpeakRequest("hello"), "good", "", "en"),
        (SpeakRequest("hello", model="tts-1-hd"), "good", "", "en"),
        (SpeakRequest("hello", voice="bernd"), "good", "bernd", "de"),
        (SpeakRequest("hello", voice="nova"), "good", "af_nova", "en"),
        (SpeakRequest("hello", voice="thorsten"), "german", "thorsten", "de"),
        (SpeakRequest("hello", voice="german/thorsten"), "german", "thorsten", "de"),
        (SpeakRequest("hello", model="german", voice="thorsten"), "german", "thorsten", "de"),
        (SpeakRequest("hello", model="german"), "german", "", "de"),
        (SpeakRequest("hello", model="german", voice="nova"), "german", "thorsten", "de"),
        (SpeakRequest("hallo", language="de"), "good", "", "de"),
        (SpeakRequest("Привет"), ESPEAK, "ru", "ru"),
        (SpeakRequest("hallo", model="espeak", language="de-DE"), ESPEAK, "de", "de-DE"),
        (SpeakRequest("<speak>Привет</speak>", voice="alloy"), ESPEAK, "ru", "ru"),
        (SpeakRequest("hello", model="espeak", voice="de+f2"), ESPEAK, "de+f2", "de"),
        (SpeakRequest("hello", model="espeak", voice="onyx"), ESPEAK, "en-us+m7", "en-us"),
        (SpeakRequest("hello", model="espeak", voice="onyx", language="de"), ESPEAK, "de+m7", "de"),
        (SpeakRequest("hello", voice="en-us"), ESPEAK, "en-us", "en-us"),
        (SpeakRequest("Привет", model="german", voice="thorsten"), "german", "thorsten", "de"),
    ],
)
def test_what_a_request_means(tmp_path: Path, request_: SpeakRequest, chosen: str, voice: str, language: str) -> None:
    choice = speakers(tmp_path, "good", "german", "lacking").choose(request_)
    assert choice.model.name == chosen
    assert choice.resolved(INFOS.get(chosen, ESPEAK_INFO)) == (voice, language)


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (SpeakRequest("x", model="nobody"), ModelNotFound),
        (SpeakRequest("x", model="whisper-base"), UnsupportedByModel),
        (SpeakRequest("x", voice="whisper-base/anna"), UnsupportedByModel),
        (SpeakRequest("x", model="good", voice="german/thorsten"), VoiceNotFound),
        (SpeakRequest("x", model="good", voice="thorsten"), VoiceNotFound),
        (SpeakRequest("x", voice="nobody"), VoiceNotFound),
        (SpeakRequest("x", model="german", language="en"), UnsupportedByModel),
        (SpeakRequest("x", model="espeak", voice="xx+f2"), VoiceNotFound),
    ],
)
def test_what_cannot_be(tmp_path: Path, request_: SpeakRequest, error: type[TalkieError]) -> None:
    with pytest.raises(error):
        choice = speakers(tmp_path, "good", "german").choose(request_)
        choice.resolved(INFOS.get(choice.model.name, ESPEAK_INFO))


def test_without_any_other_the_built_in_voice_speaks(tmp_path: Path) -> None:
    choice = speakers(tmp_path, "lacking").choose(SpeakRequest("hello"))
    assert choice.key == ESPEAK and choice.resolved(ESPEAK_INFO) == ("", "en")


@pytest.mark.parametrize(
    ("usual", "chosen", "voice"), [("bernd", "good", "bernd"), ("german/thorsten", "german", "thorsten")]
)
def test_the_setting_counts_where_a_request_names_no_voice(tmp_path: Path, usual: str, chosen: str, voice: str) -> None:
    here = speakers(tmp_path, "good", "german", usual=usual)
    choice = here.choose(SpeakRequest("hello", model="tts-1"))
    assert (choice.model.name, choice.voice) == (chosen, voice)
    assert here.choose(SpeakRequest("hello", voice="anna")).voice == "anna"
    assert here.choose(SpeakRequest("hello", model="german")).voice == ""


def test_a_voice_from_a_recording_needs_an_engine_that_can_imitate(tmp_path: Path) -> None:
    voice = VoiceStore(tmp_path).add("mine", b"wav", language="fr", owner="a", seconds=4.0)
    without = speakers(tmp_path, "good")
    for request_ in (SpeakRequest("x", voice="mine"), SpeakRequest("x", model="good", voice=voice.id)):
        with pytest.raises(UnsupportedByModel) as refused:
            without.choose(request_)
        assert "talkie engines install chatterbox" in refused.value.hint
    choice = speakers(tmp_path, "good", "copycat").choose(SpeakRequest("x", voice="mine", owner="a"))
    assert choice.model.name == "copycat" and choice.clone == voice
    assert choice.resolved(INFOS["copycat"]) == ("", "fr")


def test_a_model_without_voices_of_its_own_speaks_only_when_it_is_named(tmp_path: Path) -> None:
    here = speakers(tmp_path, "copycat")
    assert here.choose(SpeakRequest("hello")).model.name == ESPEAK
    assert here.choose(SpeakRequest("hello", model="copycat")).model.name == "copycat"


@pytest.mark.parametrize("by_id", [True, False])
def test_a_voice_of_somebody_else_is_not_there(tmp_path: Path, by_id: bool) -> None:
    voice = VoiceStore(tmp_path).add("mine", b"wav", language="en", owner="a", seconds=4.0)
    here = speakers(tmp_path, "copycat")
    with pytest.raises(VoiceNotFound):
        here.choose(SpeakRequest("x", voice=voice.id if by_id else "mine", owner="b")).resolved(ESPEAK_INFO)


def test_a_model_is_described_once(tmp_path: Path) -> None:
    asked: list[str] = []

    def counting(one: StoredModel) -> SynthesizerInfo:
        asked.append(one.name)
        return INFOS[one.name]

    here = Speakers(Store(tmp_path, "good", "german"), VoiceStore(tmp_path), described=counting)  # type: ignore[arg-type]
    for _ in range(3):
        here.choose(SpeakRequest("x", voice="thorsten"))
    assert sorted(asked) == ["german", "good"]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("hello", None),
        ("", None),
        ("123 …", None),
        ("Привет, world", "ru"),
        ("<speak xml:lang='x'>שלום</speak>", "he"),
        ("漢字", "zh"),
        ("漢字かな", "ja"),
        ("안녕하세요", "ko"),
        ("the letter \u03b1 in an English sentence", None),
        ("Καλημέρα", "el"),
        ("नमस्ते", "hi"),
    ],
)
def test_what_a_text_looks_like(text: str, language: str | None) -> None:
    assert language_of(text) == language


def test_another_file_is_another_model(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "a.onnx").write_bytes(b"1")
    one = model("m", 1, ("en",), tmp_path)
    before = fingerprint(one)
    assert fingerprint(one) == before
    (tmp_path / "m" / "a.onnx").write_bytes(b"22")
    assert fingerprint(one) != before
