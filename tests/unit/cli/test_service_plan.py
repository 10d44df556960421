"""What is going to be done: the environment file line by line, the files of each form, and what is told of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.cli.service_environment import changed, parse, shown
from talkie.cli.service_plan import Places, Wish, install_plan, remove_plan, system_places, told, user_places
from talkie.errors import InvalidValue, TalkieError

WISH = Wish(("/opt/talkie/bin/talkie",), {"host": "127.0.0.1", "port": "8000"})
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=40)


def put(places: Places, wish: Wish = WISH) -> None:
    for file in install_plan(places, wish).files:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        file.path.write_text(file.text, encoding="utf-8")


@given(TEXT, TEXT)
def test_a_setting_comes_back_as_it_was(first: str, second: str) -> None:
    text = changed("", {"model": first.strip(), "voice": second.strip()})
    assert parse(text) == {"model": first.strip(), "voice": second.strip()}
    assert parse(changed(text, {"model": "x"})) == {"model": "x", "voice": second.strip()}


def test_lines_of_people_stay() -> None:
    mine = "# quiet, please\nTALKIE_LOG_LEVEL='error'\nHTTPS_PROXY=http://proxy:3128\nTALKIE_PORT=1\n"
    found = changed(mine, {"port": "2", "pull": "whisper-base kokoro"})
    assert found == mine.replace("PORT=1", "PORT=2") + 'TALKIE_PULL="whisper-base kokoro"\n'
    assert parse(found) == {"log_level": "error", "port": "2", "pull": "whisper-base kokoro"}


def test_a_line_break_would_be_another_setting() -> None:
    with pytest.raises(InvalidValue):
        changed("", {"model": "a\nTALKIE_HOST=0.0.0.0"})


def test_keys_are_not_for_eyes() -> None:
    assert "tk_1" not in shown("TALKIE_API_KEY=tk_1\nTALKIE_PORT=1\n")
    assert "TALKIE_PORT=1" in shown("TALKIE_API_KEY=tk_1\nTALKIE_PORT=1\n")


def test_the_machines_service_is_a_user_a_file_of_settings_and_a_unit(tmp_path: Path) -> None:
    places = system_places(tmp_path)
    plan = install_plan(places, WISH)
    assert [file.path for file in plan.files] == [places.users, places.environment, places.unit]
    assert [oct(file.mode) for file in plan.files] == ["0o644", "0o600", "0o644"]
    assert [command[0] for command in plan.after] == ["systemd-sysusers", "systemctl", "systemctl", "systemctl"]
    assert not list(tmp_path.iterdir())


def test_a_users_service_needs_no_root(tmp_path: Path) -> None:
    plan = install_plan(user_places(tmp_path, tmp_path / "talkie"), replace(WISH, linger=True))
    assert all(file.path.is_relative_to(tmp_path) for file in plan.files)
    assert ("loginctl", "enable-linger") in plan.after
    assert all("--user" in command for command in plan.after if command[0] == "systemctl")


def test_what_is_not_said_stays(tmp_path: Path) -> None:
    places = system_places(tmp_path)
    put(places, replace(WISH, memory_max="6G", gpu=True))
    again = install_plan(places, WISH)
    assert {file.path: file.text for file in again.files} == {file.path: file.path.read_text() for file in again.files}
    assert places.gpu in [file.path for file in again.files]
    without = install_plan(places, replace(WISH, memory_max="", gpu=False))
    assert without.gone == (places.gpu,)
    assert not any("MemoryMax" in file.text for file in without.files)


def test_a_unit_of_somebody_else_is_not_touched(tmp_path: Path) -> None:
    places = system_places(tmp_path)
    places.unit.parent.mkdir(parents=True)
    places.unit.write_text("[Service]\nExecStart=/bin/cat\n")
    with pytest.raises(TalkieError, match="not written by Talkie"):
        install_plan(places, WISH)


@pytest.mark.parametrize("memory", ["lots", "6 G", "-1", "6G\nUser=root", "infinity"])
def test_no_other_line_comes_in_by_the_memory(tmp_path: Path, memory: str) -> None:
    with pytest.raises(InvalidValue):
        install_plan(system_places(tmp_path), replace(WISH, memory_max=memory))


def test_everything_is_told_and_no_secret(tmp_path: Path) -> None:
    places = system_places(tmp_path)
    plan = install_plan(places, replace(WISH, settings={"api_key": "tk_secret"}, gpu=True))
    lines = list(told(plan, contents=True))
    assert [line.split()[1] for line in lines if line.startswith("write")] == [str(file.path) for file in plan.files]
    assert [line.removeprefix("run ").split() for line in lines if line.startswith("run")] == [
        list(c) for c in plan.after
    ]
    assert "    ProtectSystem=strict" in lines
    assert "tk_secret" not in "\n".join(lines)


def test_removing_leaves_data_unless_it_is_to_go(tmp_path: Path) -> None:
    places = system_places(tmp_path)
    put(places)
    places.home.mkdir(parents=True)
    kept = remove_plan(places, purge=False)
    assert places.environment not in kept.gone and not kept.trees
    purged = remove_plan(places, purge=True)
    assert places.environment in purged.gone
    assert purged.trees == (places.home,)
    assert purged.before == (("systemctl", "disable", "--now", "talkie.service"),)
    assert ("userdel", "talkie") in purged.after


def test_a_home_that_may_be_more_than_talkies_is_not_purged(tmp_path: Path) -> None:
    with pytest.raises(TalkieError, match="other things may lie there"):
        remove_plan(user_places(tmp_path, tmp_path / "documents"), purge=True)
    (tmp_path / "real").mkdir()
    (tmp_path / "talkie").symlink_to(tmp_path / "real")
    with pytest.raises(TalkieError):
        remove_plan(user_places(tmp_path, tmp_path / "talkie"), purge=True)
