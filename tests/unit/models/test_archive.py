"""Import and export: what comes in is bounded and stays inside; what goes out comes in again."""

from __future__ import annotations

import io
import json
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_files import whisper_files, write_model
from talkie.errors import ImportFailed, InvalidModelName, ModelBroken, ModelExists, StoreFull
from talkie.models import archive, layout
from talkie.models.manifest import MANIFEST_FILE
from talkie.models.store import ModelStore


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "home")


def make_zip(path: Path, entries: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as out:
        for name, data in entries.items():
            out.writestr(name, data)
    return path


def make_tar(path: Path, entries: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as out:  # type: ignore[call-overload]
        for name, data in entries.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            out.addfile(info, io.BytesIO(data))
    return path


def left_over(store: ModelStore) -> list[str]:
    """What a failed import left in the store: there should be nothing but locks."""
    found = [path for path in store.home.rglob("*") if path.is_file() and path.suffix != ".lock"]
    return [str(path) for path in found]


def refused(store: ModelStore, source: Path, match: str) -> None:
    with pytest.raises(ImportFailed, match=match):
        store.import_(source, name="mine")
    assert left_over(store) == []


def test_a_directory(store: ModelStore, tmp_path: Path) -> None:
    notices: list[str] = []
    source = write_model(tmp_path / "faster-whisper-mine", **{"README.md": b"x", "pytorch_model.bin": b"x"})
    (source / "sub").mkdir()
    model = store.import_(source, notice=notices.append)
    assert (model.name, model.state, model.source) == ("faster-whisper-mine", "verified", "import")
    assert sorted(path.name for path in model.path.iterdir()) == sorted([*whisper_files(), MANIFEST_FILE])
    assert "README.md" in notices[0]
    assert all(verdict.ok for verdict in store.verify())


@pytest.mark.parametrize("prefix", ["", "mine/", "./mine/", "a/mine/"])
def test_a_zip(store: ModelStore, tmp_path: Path, prefix: str) -> None:
    source = make_zip(tmp_path / "mine.zip", {prefix + name: data for name, data in whisper_files().items()})
    assert store.import_(source).name == "mine"
    assert store.verify()[0].ok


@pytest.mark.parametrize(("suffix", "mode"), [("tar", "w"), ("tar.gz", "w:gz"), ("tgz", "w:gz"), ("tar.xz", "w:xz")])
def test_a_tar(store: ModelStore, tmp_path: Path, suffix: str, mode: str) -> None:
    entries = {f"mine/{name}": data for name, data in whisper_files().items()}
    assert store.import_(make_tar(tmp_path / f"mine.{suffix}", entries, mode)).name == "mine"
    assert store.verify()[0].ok


def test_a_snapshot_of_the_hubs_cache(store: ModelStore, tmp_path: Path) -> None:
    root = tmp_path / "models--Systran--faster-whisper-base"
    blobs = write_model(root / "blobs")
    snapshot = root / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    for name in whisper_files():
        (snapshot / name).symlink_to(f"../../blobs/{name}")
    model = store.import_(snapshot)
    assert model.name == "whisper-base"
    assert not any(path.is_symlink() for path in model.path.iterdir())
    assert (blobs / "model.bin").exists()


def test_a_link_that_leads_out_is_refused(store: ModelStore, tmp_path: Path) -> None:
    source = write_model(tmp_path / "mine")
    (tmp_path / "secret.json").write_text("{}")
    (source / "config.json").unlink()
    (source / "config.json").symlink_to(tmp_path / "secret.json")
    refused(store, source, "leads out")


def test_a_pipe_is_refused_and_not_waited_for(store: ModelStore, tmp_path: Path) -> None:
    source = write_model(tmp_path / "mine")
    (source / "config.json").unlink()
    os.mkfifo(source / "config.json")
    refused(store, source, "plain file")


@pytest.mark.parametrize(
    "name", ["../config.json", "/tmp/config.json", "a/../../config.json", "..\\config.json", "C:/config.json", "a\nb"]
)
def test_a_name_that_leads_out_is_refused(store: ModelStore, tmp_path: Path, name: str) -> None:
    entries = whisper_files() | {name: b"{}"}
    refused(store, make_zip(tmp_path / "mine.zip", entries), "leads out")
    refused(store, make_tar(tmp_path / "mine.tar", entries, "w"), "leads out")


@given(st.text(max_size=40))
def test_a_safe_path_stays_inside(name: str) -> None:
    try:
        path = archive.safe_path(name, "x.zip")
    except ImportFailed:
        return
    assert Path(os.path.normpath(Path("/stage") / path)).is_relative_to("/stage")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_refused(store: ModelStore, tmp_path: Path, kind: bytes) -> None:
    source = tmp_path / "mine.tar"
    with tarfile.open(source, "w") as out:
        info = tarfile.TarInfo("mine/config.json")
        info.type, info.linkname = kind, "/etc/passwd"
        out.addfile(info)
    refused(store, source, "link or device")


def test_a_link_in_a_zip_is_refused(store: ModelStore, tmp_path: Path) -> None:
    source = tmp_path / "mine.zip"
    with zipfile.ZipFile(source, "w") as out:
        info = zipfile.ZipInfo("config.json")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        out.writestr(info, "/etc/passwd")
    refused(store, source, "link or device")


def test_bombs_are_refused(store: ModelStore, tmp_path: Path) -> None:
    bomb = bytes(archive.RATIO_FREE_BYTES + 1)
    refused(store, make_zip(tmp_path / "mine.zip", {"model.bin": bomb}, zipfile.ZIP_DEFLATED), "expands")
    refused(store, make_tar(tmp_path / "mine.tar.gz", {"other": bomb * 2}), "expands")


def test_too_many_entries_are_refused(store: ModelStore, tmp_path: Path) -> None:
    entries = {f"x/{number}": b"" for number in range(archive.MAX_ENTRIES + 1)}
    refused(store, make_zip(tmp_path / "mine.zip", entries), "more than 1000")


def test_a_tar_that_claims_too_much_is_refused(store: ModelStore, tmp_path: Path) -> None:
    info = tarfile.TarInfo("model.bin")
    info.size = layout.MAX_MODEL_BYTES + 1
    source = tmp_path / "mine.tar"
    source.write_bytes(info.tobuf() + bytes(10_000))
    refused(store, source, "unpacks to more")


def test_a_file_larger_than_the_disk_is_refused_before_it_is_copied(tmp_path: Path) -> None:
    (tmp_path / "tmp" / "stage").mkdir(parents=True)
    intake = archive.Intake("mine", tmp_path / "tmp" / "stage", lambda done, file: None)
    with pytest.raises(StoreFull, match=str(tmp_path)):
        intake.copy(io.BytesIO(b"x"), intake.stage / "model.bin", 10**18)
    assert list(intake.stage.iterdir()) == []


def test_two_models_in_one_archive_are_refused(store: ModelStore, tmp_path: Path) -> None:
    entries = {f"{folder}/{name}": data for folder in "ab" for name, data in whisper_files().items()}
    refused(store, make_zip(tmp_path / "mine.zip", entries), "more than one model")


@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x03\x04" + bytes(50), b"\x1f\x8b" + bytes(50)])
def test_what_is_no_archive_is_refused(store: ModelStore, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "mine.zip").write_bytes(data)
    refused(store, tmp_path / "mine.zip", "zip or tar|damaged")


@pytest.mark.parametrize("suffix", ["zip", "tar.gz"])
def test_a_cut_off_archive_is_refused(store: ModelStore, tmp_path: Path, suffix: str) -> None:
    entries = whisper_files(200_000)
    whole = make_zip(tmp_path / "w.zip", entries) if suffix == "zip" else make_tar(tmp_path / "w.tar.gz", entries)
    source = tmp_path / f"mine.{suffix}"
    source.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    refused(store, source, "damaged|zip or tar|cut off")


def test_an_archive_with_a_changed_byte_is_refused(store: ModelStore, tmp_path: Path) -> None:
    source = make_zip(tmp_path / "mine.zip", whisper_files(50_000))
    data = bytearray(source.read_bytes())
    data[20_000] ^= 1
    source.write_bytes(data)
    refused(store, source, "damaged")


def test_what_is_no_model_is_refused(store: ModelStore, tmp_path: Path) -> None:
    refused(store, make_zip(tmp_path / "mine.zip", {"config.json": b"{}"}), r"model\.bin")
    refused(store, write_model(tmp_path / "m", **{"config.json": b"no"}), r"config\.json is not JSON")
    refused(store, tmp_path / "nothing", "no such")


def test_a_name_that_is_taken_or_cannot_be(store: ModelStore, tmp_path: Path) -> None:
    source = write_model(tmp_path / "mine")
    store.import_(source)
    with pytest.raises(ModelExists):
        store.import_(source)
    assert store.import_(source, name="other").name == "other"
    for name in ("../x", "sphinx-en", "auto"):
        with pytest.raises(InvalidModelName):
            store.import_(source, name=name)
    with pytest.raises(ImportFailed, match="already"):
        store.import_(store.models / "mine", name="third")


def test_export_and_import_again(store: ModelStore, tmp_path: Path) -> None:
    store.import_(write_model(tmp_path / "mine"))
    seen: list[tuple[int, int, str]] = []
    path = store.export("mine", tmp_path, progress=lambda *step: seen.append(step))
    assert path == tmp_path / "mine.zip"
    assert seen[-1][0] == seen[-1][1] == store.get("mine").size_bytes
    other = ModelStore(tmp_path / "other")
    model = other.import_(path)
    assert (model.name, model.languages) == ("mine", ("en", "de", "fr"))
    for name, data in whisper_files().items():
        assert (model.path / name).read_bytes() == data


def test_export_does_not_replace_and_is_repeatable(store: ModelStore, tmp_path: Path) -> None:
    store.import_(write_model(tmp_path / "mine"))
    first = store.export("mine", tmp_path / "a.zip")
    with pytest.raises(ModelExists):
        store.export("mine", tmp_path / "a.zip")
    second = store.export("mine", tmp_path / "b.zip")
    assert first.read_bytes() == second.read_bytes()
    store.export("mine", tmp_path / "a.zip", force=True)
    with pytest.raises(InvalidModelName):
        store.export("sphinx-en", tmp_path / "c.zip")


def test_a_damaged_model_is_not_exported(store: ModelStore, tmp_path: Path) -> None:
    model = store.import_(write_model(tmp_path / "mine"))
    data = bytearray((model.path / "model.bin").read_bytes())
    data[-9] ^= 1
    (model.path / "model.bin").write_bytes(data)
    with pytest.raises(ModelBroken, match="checksum"):
        store.export("mine", tmp_path / "mine.zip")
    assert not list(tmp_path.glob("*.zip*"))
    assert not list(tmp_path.glob(".*.part"))


def test_an_export_that_was_tampered_with_is_refused(store: ModelStore, tmp_path: Path) -> None:
    store.import_(write_model(tmp_path / "mine"))
    path = store.export("mine", tmp_path / "mine.zip")
    with zipfile.ZipFile(path) as archive_in:
        entries = {name: archive_in.read(name) for name in archive_in.namelist()}
    entries["mine/config.json"] = b'{"changed": true}'
    refused(ModelStore(tmp_path / "other"), make_zip(tmp_path / "bad.zip", entries), "not those of its manifest")


def test_a_hostile_manifest_in_an_archive(store: ModelStore, tmp_path: Path) -> None:
    store.import_(write_model(tmp_path / "mine"))
    data = json.loads((store.models / "mine" / MANIFEST_FILE).read_text())
    for key, value in (("name", "../../evil"), ("files", []), ("format", 9)):
        entries = whisper_files() | {MANIFEST_FILE: json.dumps(data | {key: value}).encode()}
        other = ModelStore(tmp_path / f"other-{key}")
        if key == "name":
            assert other.import_(make_zip(tmp_path / "n.zip", entries)).name == "evil"
        else:
            refused(other, make_zip(tmp_path / f"{key}.zip", entries), MANIFEST_FILE)


def test_a_model_by_hand_is_exported_with_a_manifest(store: ModelStore, tmp_path: Path) -> None:
    write_model(store.models / "by-hand")
    path = store.export("by-hand", tmp_path / "x.zip")
    with zipfile.ZipFile(path) as archive_in:
        assert f"by-hand/{MANIFEST_FILE}" in archive_in.namelist()
    assert ModelStore(tmp_path / "other").import_(path).name == "by-hand"
