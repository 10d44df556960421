from __future__ import annotations

import io
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import pytest

from avatar_packs import write_neural, write_pictures, zip_of
from talkie.errors import AvatarExists, AvatarNotFound, BadAvatar, InvalidValue, StoreFull, TalkieError
from talkie.models import avatar_store, avatar_zip
from talkie.models.avatar_pack import AvatarPack
from talkie.models.avatar_store import AvatarStore
from talkie.models.avatar_table import CARD


@pytest.fixture
def store(tmp_path: Path) -> AvatarStore:
    return AvatarStore(tmp_path / "home")


@pytest.fixture(scope="session")
def bob(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pictures(tmp_path_factory.mktemp("packs") / "bob")


def names(store: AvatarStore, owner: str | None = None) -> list[str]:
    return [one.name for one in store.list(owner)]


def left_over(store: AvatarStore) -> list[str]:
    return [path.name for path in store.directory.iterdir() if path.name.startswith(".")]


def test_a_pack_is_kept_from_a_directory_a_zip_and_a_stream(store: AvatarStore, bob: Path, tmp_path: Path) -> None:
    made = store.add(bob)
    (tmp_path / "b.zip").write_bytes(zip_of(bob, Path("carl")).getvalue())
    assert (store.add(tmp_path / "b.zip").name, store.add(zip_of(bob), "dora").name) == ("carl", "dora")
    assert names(store) == ["bob", "carl", "dora"] and left_over(store) == []
    found = store.get("bob")
    assert found == made and found.pack is not None and found.pack.directory == store.directory / "bob"
    assert sorted(path.name for path in found.directory.iterdir()) == sorted(
        [CARD, *(path.name for path in bob.iterdir())]
    )
    assert found.size_bytes == sum(path.stat().st_size for path in bob.iterdir())
    assert abs(found.added_s - time.time()) < 100


def test_networks_are_tried_before_it_is_kept(store: AvatarStore, tmp_path: Path) -> None:
    tried: list[AvatarPack] = []
    store.add(zip_of(write_neural(tmp_path / "anna"), Path("anna")), open_networks=tried.append)
    assert [pack.name for pack in tried] == ["anna"]

    def refuse(pack: AvatarPack) -> None:
        raise BadAvatar("face.onnx", "it cannot be opened.")

    with pytest.raises(BadAvatar, match="cannot be opened"):
        store.add(tmp_path / "anna", "other", open_networks=refuse)
    assert names(store) == ["anna"] and left_over(store) == []


def test_names(store: AvatarStore, bob: Path, tmp_path: Path) -> None:
    store.add(bob)
    for again in (lambda: store.add(bob), lambda: store.add(bob, "bob")):
        with pytest.raises(AvatarExists):
            again()
    for wrong in ("talkie", "../x", "A", ".x"):
        with pytest.raises(BadAvatar, match="name"):
            store.add(bob, wrong)
        with pytest.raises(AvatarNotFound):
            store.get(wrong)
        with pytest.raises(AvatarNotFound):
            store.remove(wrong)
    with pytest.raises(BadAvatar, match="name: the pack says none"):
        store.add(zip_of(bob))
    with pytest.raises(BadAvatar, match="no such file"):
        store.add(tmp_path / "nothing")
    assert names(store) == ["bob"] and left_over(store) == []


def test_it_is_its_owners(store: AvatarStore, bob: Path) -> None:
    store.add(bob, "mine", "key a")
    store.add(bob, "theirs", "key b")
    store.add(bob, "ours")
    assert names(store) == ["mine", "ours", "theirs"]
    assert names(store, "key a") == ["mine", "ours"] and names(store, "key b") == ["ours", "theirs"]
    assert store.get("ours", "key a").owner == "" and store.get("mine", "key a").owner == "key a"
    for act in (store.get, store.remove):
        with pytest.raises(AvatarNotFound):
            act("theirs", "key a")
    with pytest.raises(AvatarNotFound):
        store.remove("ours", "key a")
    store.remove("mine", "key a")
    store.remove("theirs")
    store.remove("ours", "")
    assert names(store) == [] and list(store.directory.iterdir()) == []


def test_only_its_user_can_read_it(store: AvatarStore, bob: Path) -> None:
    made = store.add(bob)
    assert store.directory.stat().st_mode & 0o777 == made.directory.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o077 for path in made.directory.iterdir()} == {0}


def test_what_is_damaged_is_listed_with_the_reason(store: AvatarStore, bob: Path) -> None:
    made = store.add(bob, owner="key a")
    (made.directory / "A.png").unlink()
    one = store.list()[0]
    assert one.pack is None and one.problem == "pictures.A: A.png is missing."
    with pytest.raises(BadAvatar, match=r"A\.png is missing"):
        store.get("bob")
    (made.directory / "A.png").write_bytes((bob / "A.png").read_bytes())
    assert store.get("bob").pack is not None
    (made.directory / CARD).write_text("[")
    assert names(store, "key a") == [] == names(store, "") and names(store) == ["bob"], "whose it is, is not known"
    with pytest.raises(BadAvatar, match="card is damaged"):
        store.get("bob")
    store.remove("bob")
    assert names(store) == []


def test_one_that_was_laid_there_by_hand_is_everybodys(store: AvatarStore) -> None:
    write_pictures(store.directory / "eve")
    (store.directory / "not a name").mkdir()
    (store.directory / "linked").symlink_to("/etc")
    assert names(store, "key a") == ["eve"] and store.get("eve").size_bytes > 0
    with pytest.raises(AvatarNotFound):
        store.get("linked")


def test_a_card_that_comes_with_a_pack_is_not_believed(store: AvatarStore, bob: Path, tmp_path: Path) -> None:
    theirs = write_pictures(tmp_path / "eve")
    (theirs / CARD).write_text('{"owner": "boss", "size_bytes": 1}')
    assert store.add(theirs, owner="key a").owner == "key a"
    (theirs / CARD).unlink()
    (theirs / CARD).mkdir()
    (theirs / CARD / "x").write_text("x")
    assert store.add(theirs, "eve2", owner="key a").owner == "key a"


def test_of_many_at_once_one_wins(store: AvatarStore, bob: Path) -> None:
    data, start = zip_of(bob).getvalue(), threading.Barrier(4)

    def add(number: int) -> str:
        start.wait(20)
        try:
            return AvatarStore(store.directory.parent).add(io.BytesIO(data), "bob", str(number)).owner
        except AvatarExists:
            return ""

    with ThreadPoolExecutor(4) as pool:
        won = [owner for owner in pool.map(add, range(4)) if owner]
    assert len(won) == 1 and store.get("bob").owner == won[0] and left_over(store) == []
    with ThreadPoolExecutor(4) as pool:
        gone = list(pool.map(lambda _: _gone(store), range(4)))
    assert sorted(gone) == [False, False, False, True] and list(store.directory.iterdir()) == []


def _gone(store: AvatarStore) -> bool:
    try:
        store.remove("bob")
    except AvatarNotFound:
        return False
    return True


def test_there_is_an_end_to_them(store: AvatarStore, bob: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(avatar_store, "MOST", 2)
    store.add(bob, "a")
    store.add(bob, "b")
    with pytest.raises(InvalidValue, match="2 avatars"):
        store.add(bob, "c")


def test_a_full_disk_is_told_and_nothing_is_left(
    store: AvatarStore, bob: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(avatar_zip, "free_bytes", lambda _: avatar_zip.SPARE_BYTES + 100)
    for source in (bob, zip_of(bob, Path("bob"))):
        with pytest.raises(StoreFull):
            store.add(source)
    monkeypatch.undo()

    class Full(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(28, "No space left on device")

    with pytest.raises(StoreFull):
        store.add(Full(), "x")
    assert list(store.directory.iterdir()) == []


@pytest.mark.parametrize("broken", ["copy", "keep"])
def test_whatever_happens_nothing_is_left(
    store: AvatarStore, bob: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(*{"copy": (avatar_zip, "_copy"), "keep": (avatar_store, "write_durably")}[broken], fail)
    with pytest.raises((TalkieError, OSError)):
        store.add(zip_of(bob), "x")
    assert list(store.directory.iterdir()) == []


def test_what_a_kill_left_is_swept_in_a_day(store: AvatarStore, bob: Path) -> None:
    store.directory.mkdir(parents=True)
    for name, age_s in ((".making-old", 90_000), (".making-new", 10)):
        (store.directory / name).mkdir()
        os.utime(store.directory / name, (time.time() - age_s,) * 2)
    store.add(bob)
    assert left_over(store) == [".making-new"]


def test_an_upload_without_end_is_cut(store: AvatarStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(avatar_zip, "MAX_ZIP_BYTES", 3 * avatar_zip.CHUNK_BYTES)

    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += size
            return bytes(size)

    source = Endless()
    endless: IO[bytes] = source  # type: ignore[assignment]
    with pytest.raises(BadAvatar, match="larger than"):
        store.add(endless, "x")
    assert source.given <= 5 * avatar_zip.CHUNK_BYTES and list(store.directory.iterdir()) == []
