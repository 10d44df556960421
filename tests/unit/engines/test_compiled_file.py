"""Compiled forms in files: what comes back is what was written for the same key, or nothing."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from talkie.engines.compiled_file import HEAD_BYTES, LEFT_S, MAX_KEPT, PART, CompiledFile

BLOB = bytes(range(256)) * 8


@pytest.fixture
def kept(tmp_path: Path) -> CompiledFile:
    return CompiledFile(tmp_path / "compiled", "graph.xml", "version 1")


def content(kept: CompiledFile) -> bytes:
    read = kept.read()
    assert read is not None
    return read.tobytes()


def test_what_was_written_comes_back(kept: CompiledFile) -> None:
    assert kept.read() is None
    kept.write(BLOB)
    assert content(kept) == BLOB
    assert [path.name for path in kept.directory.iterdir()] == [kept.path.name]


def test_another_key_has_another_file(kept: CompiledFile) -> None:
    kept.write(BLOB)
    other = CompiledFile(kept.directory, kept.name, "version 2")
    assert other.read() is None
    other.write(b"other")
    assert (content(kept), content(other)) == (BLOB, b"other")


def test_a_key_whose_file_name_is_the_same_by_chance_is_another_key(kept: CompiledFile) -> None:
    kept.write(BLOB)
    other = CompiledFile(kept.directory, kept.name, "version 2")
    kept.path.rename(other.path)
    assert other.read() is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, HEAD_BYTES + len(BLOB) - 1), change=st.sampled_from(["cut", "flip", "more"]))
def test_damage_is_seen(kept: CompiledFile, place: int, change: str) -> None:
    kept.write(BLOB)
    content = bytearray(kept.path.read_bytes())
    if change == "cut":
        del content[place:]
    elif change == "flip":
        content[place] ^= 1
    else:
        content.append(0)
    kept.path.write_bytes(content)
    assert kept.read() is None


def test_what_is_changed_in_memory_stays_out_of_the_file(kept: CompiledFile) -> None:
    kept.write(BLOB)
    read = kept.read()
    assert read is not None
    read[:] = 0
    assert content(kept) == BLOB


def test_a_directory_that_cannot_be_made_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    kept = CompiledFile(tmp_path / "file", "graph.xml", "key")
    kept.write(BLOB)
    assert kept.read() is None


def test_old_forms_go(kept: CompiledFile) -> None:
    for number in range(MAX_KEPT + 3):
        CompiledFile(kept.directory, kept.name, f"version {number}").write(BLOB)
    CompiledFile(kept.directory, "another.xml", "key").write(BLOB)
    assert len(list(kept.directory.iterdir())) == MAX_KEPT + 1


def test_what_a_process_left_that_was_ended_goes(kept: CompiledFile) -> None:
    kept.directory.mkdir()
    left, at_work = (kept.path.with_suffix(f".{pid}-1{PART}") for pid in (1, 2))
    for part in (left, at_work):
        part.write_bytes(BLOB)
    long_ago_s = time.time() - LEFT_S - 60
    os.utime(left, (long_ago_s, long_ago_s))
    kept.write(BLOB)
    assert {path.name for path in kept.directory.iterdir()} == {kept.path.name, at_work.name}


def test_a_form_that_is_used_stays_whoever_else_makes_some(kept: CompiledFile) -> None:
    for number in range(MAX_KEPT):
        one = CompiledFile(kept.directory, kept.name, f"processor {number}")
        one.write(BLOB)
        os.utime(one.path, (number, number))
    used, left = (CompiledFile(kept.directory, kept.name, f"processor {number}") for number in (0, 1))
    assert content(used) == BLOB
    CompiledFile(kept.directory, kept.name, "processor new").write(BLOB)
    assert content(used) == BLOB and left.read() is None
