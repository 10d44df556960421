"""Manifests: round trip, and nothing hostile believed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.errors import ModelBroken
from talkie.models import manifest
from talkie.models.manifest import MANIFEST_FILE, FileEntry, Manifest

GOOD: dict[str, Any] = {
    "format": 1,
    "name": "mine",
    "engine": "whisper",
    "files": [{"path": "model.bin", "size_bytes": 3, "sha256": "a" * 64}],
    "languages": ["en"],
}

lines = st.text(st.characters(categories=["L", "N", "P", "Zs"], include_characters=" "), max_size=40).filter(
    lambda text: text == "" or text.isprintable()
)
digests = st.text("0123456789abcdef", min_size=64, max_size=64)
entries = st.builds(
    FileEntry, st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True), st.integers(0, 2**50), digests
)
manifests = st.builds(
    Manifest,
    name=lines,
    engine=lines,
    files=st.lists(entries, min_size=1, max_size=5, unique_by=lambda entry: entry.path).map(tuple),
    languages=st.lists(st.sampled_from(["en", "de", "haw"]), max_size=3).map(tuple),
    licence=lines,
    source=lines,
    revision=lines,
    made_at=lines,
)


@given(manifests)
def test_round_trip(record: Manifest) -> None:
    assert manifest.parse(record.to_json(), "mine") == record


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=9),
        lambda x: st.lists(x) | st.dictionaries(st.sampled_from(list(GOOD)), x),
    )
)
def test_any_json_is_a_manifest_or_an_error(data: object) -> None:
    with pytest.raises(ModelBroken):
        manifest.parse(json.dumps(data), "mine")


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../x", "a/b", "a\\b", "..", ".hidden", "", "x" * 200, "a\0b", 7, None, ["model.bin"]],
)
def test_a_path_that_is_no_plain_name_is_refused(path: object) -> None:
    data = GOOD | {"files": [{"path": path, "size_bytes": 3, "sha256": "a" * 64}]}
    with pytest.raises(ModelBroken, match="plain file name"):
        manifest.parse(json.dumps(data), "mine")


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"format": None},
        {"name": 5},
        {"name": "x" * 400},
        {"source": "line\nbreak"},
        {"licence": "\x1b[31m"},
        {"files": []},
        {"files": None},
        {"files": {"model.bin": 1}},
        {"files": ["model.bin"]},
        {"files": [GOOD["files"][0]] * 2},
        {"files": [GOOD["files"][0] | {"size_bytes": -1}]},
        {"files": [GOOD["files"][0] | {"size_bytes": True}]},
        {"files": [GOOD["files"][0] | {"size_bytes": "3"}]},
        {"files": [GOOD["files"][0] | {"sha256": "A" * 64}]},
        {"files": [GOOD["files"][0] | {"sha256": None}]},
        {"files": [{"path": f"f{n}", "size_bytes": 1, "sha256": "a" * 64} for n in range(100)]},
        {"languages": "en"},
        {"languages": ["../.."]},
        {"languages": ["en"] * 2000},
    ],
)
def test_a_field_that_cannot_be_is_refused(change: dict[str, Any]) -> None:
    manifest.parse(json.dumps(GOOD), "mine")
    with pytest.raises(ModelBroken):
        manifest.parse(json.dumps(GOOD | change), "mine")


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"format": 1e999}', "null", "\ufeff{}"])
def test_broken_json_is_an_error(text: str) -> None:
    with pytest.raises(ModelBroken):
        manifest.parse(text, "mine")


def test_reading(tmp_path: Path) -> None:
    assert manifest.read(tmp_path) is None
    manifest.write(tmp_path, manifest.parse(json.dumps(GOOD), "mine"))
    assert manifest.read(tmp_path) == manifest.parse(json.dumps(GOOD), "mine")
    assert [path.name for path in tmp_path.iterdir()] == [MANIFEST_FILE]


def test_reading_refuses_a_link_a_giant_and_noise(tmp_path: Path) -> None:
    path = tmp_path / MANIFEST_FILE
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ModelBroken, match="UTF-8"):
        manifest.read(tmp_path)
    path.write_bytes(b" " * (manifest.MAX_MANIFEST_BYTES + 1))
    with pytest.raises(ModelBroken, match="larger"):
        manifest.read(tmp_path)
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelBroken, match="plain file"):
        manifest.read(tmp_path)
