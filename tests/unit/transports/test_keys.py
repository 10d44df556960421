"""Keys: kept as digests, read from a file that may change, wanted once they were wanted."""

from __future__ import annotations

from pathlib import Path

import pytest

from talkie.errors import KeyMissing, KeyWrong, SettingsError
from talkie.transports.keys import ANYBODY, KeyRing, StoredKey, new_key, read_keys, write_keys


@pytest.mark.parametrize("name", ["keys.toml", "keys.json"])
def test_a_written_file_reads_back_and_is_private(tmp_path: Path, name: str) -> None:
    path = tmp_path / "deep" / name
    key, stored = new_key("laptop", ["transcribe", "models:read"])
    write_keys(path, [stored])
    assert read_keys(path) == [stored]
    assert path.stat().st_mode & 0o777 == 0o600
    assert key not in path.read_text() and list(path.parent.iterdir()) == [path]


def test_a_key_opens_its_scopes_only(tmp_path: Path) -> None:
    key, stored = new_key("laptop", ["transcribe"])
    write_keys(tmp_path / "k.toml", [stored])
    ring = KeyRing(None, tmp_path / "k.toml")
    caller = ring.identify(key)
    assert caller.name == "laptop" and caller.may("transcribe") and not caller.may("metrics")
    assert KeyRing("secret").identify("secret").may("metrics")


def test_who_shows_no_key_or_a_wrong_one() -> None:
    ring = KeyRing("secret")
    for shown in (None, ""):
        with pytest.raises(KeyMissing):
            ring.identify(shown)
    with pytest.raises(KeyWrong):
        ring.identify("secret2")
    assert KeyRing().identify("anything") is ANYBODY


def test_the_file_may_change_while_the_server_runs(tmp_path: Path) -> None:
    path = tmp_path / "k.toml"
    ring = KeyRing(None, path)
    assert ring.identify(None) is ANYBODY
    key, stored = new_key("later", ["transcribe"])
    write_keys(path, [stored])
    assert ring.identify(key).name == "later"
    path.write_text("keys = [")  # half-written: what was known stays in force
    assert ring.identify(key).name == "later"
    path.unlink()
    with pytest.raises(KeyWrong):
        ring.identify(key)
    with pytest.raises(KeyMissing):  # never open again
        ring.identify(None)


def test_an_empty_file_holds_no_keys(tmp_path: Path) -> None:
    path = tmp_path / "k.toml"
    write_keys(path, [])
    assert read_keys(path) == [] and KeyRing(None, path).identify(None) is ANYBODY


@pytest.mark.parametrize(
    "text",
    [
        '[[keys]]\nname = "a"',
        "keys = 3",
        "[[key]]",
        '[[keys]]\nname="a b"\nsha256="00"\nscopes=[]',
        '{"keys": 1}',
        "\xff",
    ],
)
def test_a_damaged_file_does_not_open_the_door(tmp_path: Path, text: str) -> None:
    path = tmp_path / "k.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(SettingsError):
        KeyRing(None, path)


@pytest.mark.parametrize(
    ("name", "scopes"), [("", ()), ("a/b", ()), ('x"', ()), ("n" * 65, ()), ("ok", ("everything",))]
)
def test_names_and_scopes_are_closed_lists(name: str, scopes: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError):
        StoredKey(name, "0" * 64, scopes)
