"""Who takes part, by name; and which directory of a model each is given."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from talkie.bench.contenders import Gathering, chosen, contender, contender_name, gather
from talkie.bench.directories import find
from talkie.bench.models import Wish, make_models
from talkie.bench.peers.child import LoadWish
from talkie.bench.peers.environment import Environment, Environments
from talkie.bench.peers.table import PEERS, peer
from talkie.errors import InvalidValue, ModelNotFound, TalkieError


def names(*wanted: str) -> list[str]:
    return [contender_name(*pair) for pair in chosen(wanted)]


def test_a_peer_is_all_of_its_variants() -> None:
    assert names("faster-whisper:one-by-one", "talkie") == ["faster-whisper:one-by-one", "talkie"]
    assert len(names("faster-whisper")) == len(peer("faster-whisper").variants)
    assert names("talkie", "talkie") == ["talkie"]
    assert names("talkie", "talkie:fit") == ["talkie", "talkie:fit"]
    everybody = names(*(one.name for one in PEERS))
    assert len(set(everybody)) == len(everybody)


@pytest.mark.parametrize("wrong", ["nobody", "faster-whisper:batched-7", ""])
def test_who_is_not_known_is_an_error_with_the_names_that_are(wrong: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        chosen([wrong])
    assert "One of:" in caught.value.hint


def test_who_cannot_take_part_is_told(tmp_path: Path) -> None:
    absent: list[tuple[str, TalkieError]] = []
    unavailable = next(one for one in PEERS if one.unavailable)
    how = Gathering(Environments(tmp_path), lambda *_: None, lambda *said: absent.append(said), tmp_path / "own")
    found = gather([unavailable.name, "talkie"], how)
    assert [one.name for one in found] == ["talkie"]
    assert [name for name, _ in absent] == [unavailable.name]
    assert dict(found[0].options)["home"] == str(tmp_path / "own")


def test_each_gets_the_form_it_reads(tmp_path: Path) -> None:
    (tmp_path / "openai").mkdir()
    (tmp_path / "ct2-int8").mkdir()
    environment = Environment("x", Path(sys.executable), 7)
    wish = LoadWish(Path(), "int8", beam=5)
    made = {name: contender(peer(name), peer(name).variants[0], environment) for name in ("openai-whisper", "talkie")}
    theirs = made["openai-whisper"].wish(tmp_path, wish)
    assert (theirs.model, theirs.compute_type, theirs.beam) == (tmp_path / "openai", "float32", 5)
    assert made["talkie"].wish(tmp_path, wish).model == tmp_path / "ct2-int8"
    assert made["talkie"].wish(tmp_path / "ct2-int8", wish).model == tmp_path / "ct2-int8"


def test_models_are_found_by_size_by_path_and_in_the_store(tmp_path: Path) -> None:
    make_models(Wish(tmp_path / "made", sizes=("micro",), formats=("ct2-int8",)))
    stored: list[str] = []

    def store(name: str) -> Path:
        stored.append(name)
        return tmp_path / "store"

    by_size = find("micro", tmp_path / "made", store)
    assert (by_size.name, by_size.directory) == ("micro", tmp_path / "made" / "micro")
    assert len(by_size.told.split()) == 65
    by_path = find(str(tmp_path / "made" / "micro" / "ct2-int8"), tmp_path, store)
    assert (by_path.name, by_path.told) == ("micro", by_size.told)
    real = find("whisper-base", tmp_path / "made", store)
    assert (real.name, real.told, stored) == ("whisper-base", "", ["whisper-base"])
    with pytest.raises(ModelNotFound) as caught:
        find("tiny", tmp_path / "made", store)
    assert "talkie bench models" in caught.value.hint
