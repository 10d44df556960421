"""Where what was made for a machine is kept: the same place wherever the volume is, another where none can write."""

from __future__ import annotations

from pathlib import Path

from model_files import write_model
from talkie.engines.asr.whisper.choice import Choice, recall, remember
from talkie.engines.asr.whisper.model_files import check
from talkie.engines.compiled_file import CompiledFile
from talkie.models.store import ModelStore
from talkie.runtime.config import ServiceConfig
from talkie.runtime.kept import kept_in

HERE, THERE = "this processor", "another processor"
CHOSEN = Choice("openvino", "int8_bfloat16", "measured")


def place_of(home: Path) -> Path:
    return kept_in(ModelStore(home).get("mine"), ServiceConfig(home))


def test_a_volume_that_moved_between_two_kinds_of_processors_keeps_what_was_made_for_both(tmp_path: Path) -> None:
    home, moved = tmp_path / "one" / "data", tmp_path / "workspace"
    files = check(write_model(home / "models" / "mine"))
    place = place_of(home)
    remember(place, files, "default on cpu", CHOSEN, HERE)
    CompiledFile(place / "int8_bfloat16", "encoder.xml", HERE).write(b"for one" * 10)

    home.rename(moved)
    there, files = place_of(moved), check(moved / "models" / "mine")
    assert there.relative_to(moved) == place.relative_to(home)
    assert recall(there, files, "default on cpu", THERE) is None
    assert CompiledFile(there / "int8_bfloat16", "encoder.xml", THERE).read() is None
    remember(there, files, "default on cpu", Choice("ctranslate2", "int8", "measured"), THERE)
    CompiledFile(there / "int8_bfloat16", "encoder.xml", THERE).write(b"for the other")

    moved.rename(home)
    back = CompiledFile(place / "int8_bfloat16", "encoder.xml", HERE).read()
    assert back is not None and back.tobytes() == b"for one" * 10
    assert recall(place, check(home / "models" / "mine"), "default on cpu", HERE) == CHOSEN


def test_models_of_one_name_in_two_places_share_nothing(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    one, two = (write_model(tmp_path / folder / "mine") for folder in ("a", "b"))
    places = {kept_in(store.resolve(str(path)), ServiceConfig(tmp_path)) for path in (one, two)}
    assert len(places) == 2


def test_where_nobody_can_write_it_is_made_elsewhere(tmp_path: Path) -> None:
    outside = write_model(tmp_path / "mine")  # the model itself may lie anywhere
    home = tmp_path / "no-directory"
    home.write_text("")
    config = ServiceConfig(home)
    model = ModelStore(tmp_path).resolve(str(outside))
    place = kept_in(model, config)
    assert not place.is_relative_to(home) and place == kept_in(model, config)
    (place / "made").mkdir()
    assert list(place.iterdir()) == [place / "made"]
