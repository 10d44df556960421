"""A plan is carried out whole or not at all, with a systemd that plays along or does not."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from talkie.cli.service_doing import Ready, install, uninstall, wait_until_ready
from talkie.cli.service_plan import Places, Wish, install_plan, remove_plan, system_places
from talkie.cli.service_systemd import Answer, Systemd
from talkie.errors import TalkieError

URL = "http://127.0.0.1:8000"


class FakeSystemd:
    """Obeys systemctl, remembers what it was told; `fails` is the word of a command that does not work."""

    def __init__(self, *, active: bool = False, fails: str = "", **state: str) -> None:
        self.state = {"ActiveState": "active" if active else "inactive", "SubState": "running", "NRestarts": "0"}
        self.state |= {"UnitFileState": "enabled" if active else ""} | state
        self.fails = fails
        self.told: list[str] = []

    def __call__(self, words: Sequence[str]) -> Answer:
        self.told.append(" ".join(words))
        if "show" in words:
            return Answer(0, "\n".join(f"{name}={value}" for name, value in self.state.items()))
        if words[0] == "journalctl":
            return Answer(0, "error: it did not work\nMain process exited, status=226/NAMESPACE")
        if self.fails and self.fails in words:
            self.fails = ""
            return Answer(1, "Job failed.")
        if {"restart", "start"} & {*words}:
            self.state["ActiveState"] = "active"
        if {"stop", "--now"} & {*words}:
            self.state["ActiveState"] = "inactive"
        return Answer(0, "")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return system_places(tmp_path)


def carried(places: Places, fake: FakeSystemd, port: str = "8000", *, had_user: bool = False) -> Ready:
    plan = install_plan(places, Wish(("/opt/talkie/bin/talkie",), {"port": port}))
    systemd = Systemd(system=True, run=fake)
    wait = partial(wait_until_ready, systemd, URL, 0.0, ask=lambda _: Ready(True))
    return install(plan, places, systemd, wait, had_user=had_user)


def files(places: Places) -> dict[str, bytes]:
    root = places.units.parents[2]
    return {str(path): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_files_are_written_before_it_is_started(places: Places) -> None:
    fake = FakeSystemd()
    assert carried(places, fake).ready
    assert places.environment.stat().st_mode & 0o777 == 0o600
    assert [line for line in fake.told if "show" not in line] == [
        f"systemd-sysusers {places.users}",
        "systemctl daemon-reload",
        "systemctl enable talkie.service",
        "systemctl restart talkie.service",
    ]


@pytest.mark.parametrize("fails", ["systemd-sysusers", "daemon-reload", "enable", "restart"])
def test_a_first_start_that_fails_leaves_nothing(places: Places, fails: str, tmp_path: Path) -> None:
    fake = FakeSystemd(fails=fails)
    with pytest.raises(TalkieError) as failed:
        carried(places, fake)
    assert "error: it did not work" in failed.value.message and "nesting" in failed.value.hint
    assert not list(tmp_path.iterdir())
    assert {"systemctl disable talkie.service", "systemctl stop talkie.service"} <= {*fake.told}
    assert fake.told[-1] == "userdel talkie"


def test_an_upgrade_that_fails_leaves_the_old_one_running(places: Places) -> None:
    carried(places, FakeSystemd())
    before, fake = files(places), FakeSystemd(active=True, fails="restart")
    with pytest.raises(TalkieError):
        carried(places, fake, port="9000", had_user=True)
    assert files(places) == before
    assert places.environment.stat().st_mode & 0o777 == 0o600
    assert fake.told[-1] == "systemctl restart talkie.service"
    assert fake.state["ActiveState"] == "active"
    assert "systemctl disable talkie.service" not in fake.told


def test_a_break_in_the_middle_is_undone_too(places: Places, tmp_path: Path) -> None:
    plan = install_plan(places, Wish(("/opt/talkie/bin/talkie",), {"port": "1"}))

    def broken() -> Ready:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        install(plan, places, Systemd(system=True, run=FakeSystemd()), broken)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("state", [{"ActiveState": "failed"}, {"SubState": "auto-restart"}, {"NRestarts": "1"}])
def test_one_that_dies_is_no_success_though_another_answers(state: dict[str, str]) -> None:
    systemd = Systemd(system=True, run=FakeSystemd(active=True, **state))
    with pytest.raises(TalkieError, match="did not start"):
        wait_until_ready(systemd, URL, 60.0, ask=lambda _: Ready(True))


def test_it_waits_until_it_is_ready() -> None:
    answers = iter([None, Ready(False, {"model": "converting 40 %"}), Ready(True)])
    pauses: list[float] = []
    systemd = Systemd(system=True, run=FakeSystemd(active=True))
    assert wait_until_ready(systemd, URL, 60.0, ask=lambda _: next(answers), pause=pauses.append).ready
    assert len(pauses) == 2


def test_one_that_is_fetching_models_is_a_success_that_says_so(places: Places) -> None:
    clock = iter([0.0, 61.0])
    found = wait_until_ready(
        Systemd(system=True, run=FakeSystemd(active=True)),
        URL,
        60.0,
        ask=lambda _: Ready(False, {"pull whisper-base": "43 %"}),
        clock=lambda: next(clock),
    )
    assert found == Ready(False, {"pull whisper-base": "43 %"})


def test_one_that_never_answers_is_a_failure() -> None:
    clock = iter([0.0, 61.0])
    systemd = Systemd(system=True, run=FakeSystemd(active=True))
    with pytest.raises(TalkieError, match="nobody answers"):
        wait_until_ready(systemd, URL, 60.0, ask=lambda _: None, clock=lambda: next(clock))


def test_what_others_put_beside_the_unit_stays(places: Places) -> None:
    carried(places, FakeSystemd())
    override = places.gpu.with_name("override.conf")
    override.parent.mkdir()
    override.write_text("[Service]\nNice=5\n")
    uninstall(remove_plan(places, purge=True), Systemd(system=True, run=FakeSystemd(active=True)))
    assert list(files(places)) == [str(override)]
    assert not places.environment.parent.exists()


def test_without_systemd_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TalkieError, match="not run by systemd") as failed:
        Systemd(system=True, run=FakeSystemd(), booted=tmp_path / "none").check()
    assert "talkie serve" in failed.value.hint
    with pytest.raises(TalkieError, match="no systemd for this user"):
        Systemd(system=False, run=FakeSystemd(fails="show-environment"), booted=tmp_path).check()
