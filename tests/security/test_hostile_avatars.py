"""Zips that were made to leave their place, to fill the disk, or to be something else than they say. None of them
leaves a file anywhere, and each is told in words."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_packs import write_pictures, zip_of, zip_with
from talkie.errors import BadAvatar, StoreFull
from talkie.models import avatar_zip
from talkie.models.avatar_store import AvatarStore

TABLE = b'kind = "pictures"\npictures = { A = "A.png" }\n'
Zip = Callable[[zipfile.ZipFile], None]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return zip_of(write_pictures(tmp_path_factory.mktemp("packs") / "bob", "AX")).getvalue()


def refuse(home: Path, data: bytes) -> BadAvatar:
    """The error; nothing was written but the empty directory of avatars."""
    home.mkdir(exist_ok=True)
    before = _there(home)
    with pytest.raises(BadAvatar) as told:
        AvatarStore(home).add(io.BytesIO(data), "bad")
    assert _there(home) == before
    assert not any((home / "avatars").iterdir())
    return told.value


def _there(home: Path) -> list[Path]:
    return sorted(path for path in home.parent.rglob("*") if path != home / "avatars")


def entry(name: str, data: bytes = b"x", mode: int = 0) -> bytes:
    """A zip of a table and one entry, of any name and kind."""
    made = zip_with({"avatar.toml": TABLE})
    info = zipfile.ZipInfo("placeholder")
    info.filename, info.external_attr = name, mode << 16
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr(info, data)
    return made.getvalue()


@pytest.mark.parametrize(
    "name",
    [
        "../out.png",
        "a/../../out.png",
        "/tmp/out.png",
        "//host/out.png",
        "..\\out.png",
        "C:\\out.png",
        "C:out.png",
        "~/out.png",
        "a\nb.png",
        "..",
        "x" * 300 + ".png",
        "a/b/c/d/e/f/g.png",
    ],
)
def test_names_that_lead_out(tmp_path: Path, name: str) -> None:
    assert refuse(tmp_path / "home", entry(name)).where == "pack.zip"
    assert not Path("/tmp/out.png").exists()


def test_a_name_with_an_end_inside(tmp_path: Path) -> None:
    data = entry("aXb.png").replace(b"aXb.png", b"a\0b.png")
    assert "leads out" in refuse(tmp_path / "home", data).detail


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices(tmp_path: Path, kind: int) -> None:
    assert "link or a device" in refuse(tmp_path / "home", entry("A.png", b"/etc/passwd", kind | 0o777)).detail


@pytest.mark.parametrize("names", [("A.png", "A.png"), ("A.png", "a.PNG"), ("A.png", "./A.png")])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_doubles(tmp_path: Path, names: tuple[str, str]) -> None:
    made = zip_with({"avatar.toml": TABLE, names[0]: b"x"})
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr(names[1], b"y")
    assert "twice" in refuse(tmp_path / "home", made.getvalue()).detail


def test_a_file_that_is_a_directory_as_well(tmp_path: Path) -> None:
    refuse(tmp_path / "home", zip_with({"avatar.toml": TABLE, "A.png": b"x", "A.png/B.png": b"y"}).getvalue())


def test_encrypted(tmp_path: Path) -> None:
    data = bytearray(zip_with({"avatar.toml": TABLE}).getvalue())
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    assert "encrypted" in refuse(tmp_path / "home", bytes(data)).detail


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_packing(tmp_path: Path, method: int) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        archive.writestr("avatar.toml", TABLE)
    assert "not read" in refuse(tmp_path / "home", made.getvalue()).detail


def test_too_many_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(avatar_zip, "MAX_FILES", 5)
    files = {f"{number}.png": b"" for number in range(6)}
    assert "a pack may have 5" in refuse(tmp_path / "home", zip_with({"avatar.toml": TABLE, **files}).getvalue()).detail
    directories = {f"{number}/": b"" for number in range(11)}
    data = zip_with({"avatar.toml": TABLE, **directories}).getvalue()
    assert "12 entries" in refuse(tmp_path / "home", data).detail


def test_bombs_that_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    big = bytes(avatar_zip.RATIO_FREE_BYTES + 1)
    data = zip_with({"avatar.toml": TABLE, "A.png": big}).getvalue()
    assert len(data) < 100_000 and "expands more than 200 times" in refuse(tmp_path / "home", data).detail
    monkeypatch.setattr(avatar_zip, "MAX_PACK_BYTES", 1000)
    many = {f"{number}.png": bytes(400) for number in range(3)}
    data = zip_with({"avatar.toml": TABLE, **many}).getvalue()
    assert "unpacks to more than" in refuse(tmp_path / "home", data).detail


def test_bombs_that_lie(tmp_path: Path) -> None:
    """The sizes in both headers say ten bytes, and a million come out."""
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packed.compress(bytes(1_000_000)) + packed.flush()
    name = b"avatar.toml"
    numbers = (zlib.crc32(bytes(10)), len(body), 10)
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 8, 0, 0, *numbers, len(name), 0) + name + body
    central = struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 8, 0, 0, *numbers, len(name), 0, 0, 0, 0, 0, 0) + name
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, len(central), len(local), 0)
    assert refuse(tmp_path / "home", local + central + end).where in ("pack.zip", "avatar.toml")


def test_more_than_the_disk_holds_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = avatar_zip.SPARE_BYTES + 5000
    monkeypatch.setattr(avatar_zip, "free_bytes", lambda _: free)
    data = zip_with({"avatar.toml": TABLE, "A.png": bytes(100_000)}).getvalue()
    assert len(data) < 5000
    with pytest.raises(StoreFull):
        AvatarStore(tmp_path).add(io.BytesIO(data), "bad")
    assert not any((tmp_path / "avatars").iterdir())


@pytest.mark.parametrize("data", [b"", b"PK", b"no zip", b"\x1f\x8b" + bytes(100), b"PK\5\6" + bytes(18)])
def test_no_zip(tmp_path: Path, data: bytes) -> None:
    assert refuse(tmp_path / "home", data).code == "bad_avatar"


def test_several_packs_or_none(tmp_path: Path) -> None:
    for files in ({"a/avatar.toml": TABLE, "b/avatar.toml": TABLE}, {"A.png": b"x"}, {"a/b/avatar.toml": TABLE}):
        assert refuse(tmp_path / "home", zip_with(files).getvalue()).where == "avatar.toml"


def test_what_some_systems_add_is_left_out(tmp_path: Path, sound: bytes) -> None:
    made = io.BytesIO(sound)
    with zipfile.ZipFile(made, "a") as archive:
        for name in ("__MACOSX/._A.png", ".DS_Store", "Thumbs.db", "._A.png"):
            archive.writestr(name, b"x")
    stored = AvatarStore(tmp_path).add(io.BytesIO(made.getvalue()), "bob")
    assert {path.name for path in stored.directory.iterdir()} == {"avatar.toml", "A.png", "X.png", ".talkie.json"}


@settings(max_examples=60)
@given(st.data())
def test_mutated_zips_are_taken_whole_or_refused(
    tmp_path_factory: pytest.TempPathFactory, sound: bytes, data: st.DataObject
) -> None:
    whole = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 5))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    store = AvatarStore(tmp_path_factory.mktemp("home"))
    try:
        store.add(io.BytesIO(whole[: data.draw(st.sampled_from([len(whole), len(whole) // 2]))]), "bob")
        store.get("bob")
    except BadAvatar:
        assert not any(store.directory.iterdir())
