from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from talkie.errors import InvalidValue, VoiceExists, VoiceNotFound
from talkie.models import voice_store
from talkie.models.voice_store import ClonedVoice, VoiceStore

WAV = b"RIFF and so on"


@pytest.fixture
def store(tmp_path: Path) -> VoiceStore:
    return VoiceStore(tmp_path)


def add(store: VoiceStore, name: str = "Anna", owner: str = "", wav: bytes = WAV) -> ClonedVoice:
    return store.add(name, wav, language="de", owner=owner, seconds=4.5, consent="she said yes")


def test_a_voice_is_kept_with_all_that_was_said_of_it(store: VoiceStore) -> None:
    made = add(store, owner="key a")
    assert store.find(made.id) == store.find("Anna") == made
    assert (made.name, made.language, made.owner, made.seconds) == ("Anna", "de", "key a", 4.5)
    assert made.consent == "she said yes" and made.recording.read_bytes() == WAV
    assert VoiceStore(store.directory.parent).list() == [made]


def test_it_is_nobody_elses(store: VoiceStore) -> None:
    made = add(store, owner="a")
    for wish in (made.id, "Anna"):
        assert store.find(wish, "b") is None
        with pytest.raises(VoiceNotFound):
            store.remove(wish, "b")
    other = add(store, owner="b")
    assert store.find("Anna", "a") == made and store.find("Anna", "b") == other
    assert store.list("a") == [made] and len(store.list()) == 2
    assert made.fingerprint == other.fingerprint and made.id != other.id
    assert store.find("Anna") is None, "of two owners: which one?"
    with pytest.raises(VoiceNotFound):
        store.remove("Anna")
    assert store.remove(other.id) == other and store.find("Anna") == made


def test_only_its_user_can_read_it(store: VoiceStore) -> None:
    made = add(store)
    assert store.directory.stat().st_mode & 0o777 == 0o700
    assert made.recording.parent.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in made.recording.parent.iterdir()} == {0o600}


def test_a_removed_voice_is_gone_from_the_disk(store: VoiceStore) -> None:
    made = add(store)
    store.remove("Anna")
    assert list(store.directory.iterdir()) == []
    with pytest.raises(VoiceNotFound):
        store.remove(made.id)
    assert add(store).name == "Anna"


def test_a_name_is_given_once_by_one_owner(store: VoiceStore) -> None:
    add(store)
    with pytest.raises(VoiceExists):
        add(store)


@pytest.mark.parametrize("name", ["", " ", " a", "a/b", "../x", "a\nb", "x" * 65, "voice_" + "0" * 24])
def test_what_is_no_name(store: VoiceStore, name: str) -> None:
    with pytest.raises(InvalidValue):
        add(store, name)
    assert not store.directory.exists()


def test_there_is_a_bound(store: VoiceStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice_store, "MOST_OF_ONE_OWNER", 2)
    monkeypatch.setattr(voice_store, "MOST", 3)
    add(store, "a")
    add(store, "b")
    with pytest.raises(InvalidValue):
        add(store, "c")
    add(store, "c", owner="else")
    with pytest.raises(InvalidValue):
        add(store, "d", owner="else")


@pytest.mark.parametrize("wish", ["../../etc", "voice_../x", "voice_" + "f" * 24, "", "voice_\0"])
def test_a_wish_never_becomes_a_path(store: VoiceStore, wish: str) -> None:
    add(store)
    assert store.find(wish) is None


@pytest.mark.parametrize("damage", ["no card", "not json", "no recording", "a link", "lacks", "huge"])
def test_what_is_damaged_is_left_out(store: VoiceStore, damage: str, tmp_path: Path) -> None:
    made = add(store)
    card = made.recording.parent / voice_store.CARD
    if damage == "no card":
        card.unlink()
    elif damage == "not json":
        card.write_text("{")
    elif damage == "no recording":
        made.recording.unlink()
    elif damage == "a link":
        made.recording.unlink()
        (tmp_path / "elsewhere").write_bytes(WAV)
        made.recording.symlink_to(tmp_path / "elsewhere")
    elif damage == "lacks":
        card.write_text(json.dumps({"name": "Anna"}))
    else:
        card.write_bytes(b" " * 20_000 + card.read_bytes())
    assert store.list() == [] and store.find(made.id) is None


def test_many_at_once(store: VoiceStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: add(store, f"voice {number}"), range(24)))
    assert {voice.id for voice in store.list()} == {voice.id for voice in made}
