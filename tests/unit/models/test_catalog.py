"""The catalogue holds together: names, pins, languages and ranks."""

from __future__ import annotations

import re

import pytest

from talkie.models import catalog, layout
from talkie.models.name import HubReference, is_name, parse_reference


def test_every_spelling_means_one_model() -> None:
    spellings = [text for entry in catalog.catalog() for text in (entry.name, *entry.aliases)]
    spellings += [model.name for model in catalog.BUILT_IN]
    assert len(spellings) == len(set(spellings))
    assert all(is_name(text) for text in spellings)


def test_the_whole_family_is_there() -> None:
    for size in ("tiny", "base", "small", "medium"):
        assert catalog.find(size) is not None
        assert catalog.find(f"{size}.en") is not None
    for size in ("large-v1", "large-v2", "large-v3", "turbo", "distil-large-v3", "distil-small.en"):
        assert catalog.find(size) is not None


@pytest.mark.parametrize("entry", catalog.catalog(), ids=lambda entry: entry.name)
def test_an_entry_is_complete(entry: catalog.CatalogEntry) -> None:
    assert entry.revision == "main" or re.fullmatch(r"[0-9a-f]{40}", entry.revision)
    assert entry.sha256 == "" or re.fullmatch(r"[0-9a-f]{64}", entry.sha256)
    assert entry.description.endswith(".")
    assert entry.licence == {"whisper": "MIT", "kokoro": "Apache-2.0", "piper": ""}[entry.engine]
    assert entry.kind == layout.KINDS[entry.engine]
    assert 50 < entry.size_mb < 4000
    assert entry.ram_mb > 0
    assert parse_reference(f"hf:{entry.repo}").repo_id == entry.repo
    assert entry.reference == HubReference(*entry.repo.split("/"), entry.revision)


def test_languages() -> None:
    sizes = {entry.name: len(entry.languages) for entry in catalog.catalog()}
    assert sizes["whisper-base"] == 99
    assert sizes["whisper-large-v3"] == sizes["whisper-large-v3-turbo"] == 100
    for entry in catalog.catalog():
        assert len(set(entry.languages)) == len(entry.languages)
        if entry.name.endswith(".en"):
            assert entry.languages == ("en",)


def test_ranks_order_every_model() -> None:
    hearing = [entry for entry in catalog.catalog() if entry.kind == "recognizer"]
    assert len({entry.rank for entry in hearing}) == len(hearing)
    assert max(hearing, key=lambda entry: entry.rank).name == "whisper-large-v3"
    speaking = [entry for entry in catalog.catalog() if entry.kind == "synthesizer"]
    assert max(speaking, key=lambda entry: entry.rank).name == "kokoro"


def test_an_unknown_model_ranks_by_its_size() -> None:
    small = catalog.find("whisper-small")
    large = catalog.find("whisper-large-v3")
    assert small is not None
    assert large is not None
    assert catalog.rank_by_size(100) == 1
    assert catalog.rank_by_size(small.size_bytes) >= small.rank
    assert catalog.rank_by_size(large.size_bytes) == large.rank


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("whisper-bas", "whisper-base"), ("turbo-v3", "whisper-large-v3-turbo"), ("wisper-large-v3", "whisper-large-v3")],
)
def test_near_misses(typed: str, meant: str) -> None:
    assert meant in catalog.nearest(typed)


def test_far_misses() -> None:
    assert catalog.nearest("zzzzzzzz") == []


def test_any_piper_voice_is_found_by_its_name() -> None:
    entry = catalog.find("piper-nl_be-rdh-x_low")
    assert entry is not None
    assert entry.files == (
        "nl/nl_BE/rdh/x_low/nl_BE-rdh-x_low.onnx",
        "nl/nl_BE/rdh/x_low/nl_BE-rdh-x_low.onnx.json",
    )
    assert entry.languages == ("nl",)
    assert entry.source == "hf:rhasspy/piper-voices/nl/nl_BE/rdh/x_low"
    listed = catalog.find("piper-en_us-lessac-medium")
    assert listed is not None
    assert catalog.find_repo(listed.source.removeprefix("hf:")) == listed


@pytest.mark.parametrize("name", ["piper-en_us-lessac", "piper-en-lessac-medium", "piper-en_us-lessac-huge"])
def test_what_names_no_piper_voice(name: str) -> None:
    assert catalog.find(name) is None


def test_the_rank_of_an_unknown_voice_comes_from_voices() -> None:
    assert catalog.rank_by_size(10**10, "synthesizer") == 90
    assert catalog.rank_by_size(10**10) == 70
