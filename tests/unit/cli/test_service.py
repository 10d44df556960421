"""`talkie service` from the outside, and what it finds out about this machine before it writes anything."""

from __future__ import annotations

import io
import pwd
from pathlib import Path

import pytest

from talkie.cli import service_wish
from talkie.cli.main import run
from talkie.cli.service_plan import Places, system_places, user_places
from talkie.errors import SettingsError, TalkieError


def command(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        run(["service", *arguments])
    return int(ended.value.code or 0)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's directories of its own, and nobody to answer questions."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    return tmp_path / "config"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return user_places(tmp_path, tmp_path / "talkie")


def write(places: Places, text: str) -> None:
    places.environment.parent.mkdir(parents=True, exist_ok=True)
    places.environment.write_text(text)


def test_a_dry_run_shows_everything_and_writes_nothing(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("install", "--user", "--dry-run", "--port", "9000", "--set", "log-json=true", "--gpu") == 0
    shown = capsys.readouterr().out
    for line in ("TALKIE_PORT=9000", "TALKIE_LOG_JSON=true", "NoNewPrivileges=yes", "DeviceAllow=char-nvidia* rw"):
        assert f"    {line}\n" in shown
    assert "run systemctl --user restart talkie.service" in shown
    assert str(config / "systemd/user/talkie.service") in shown
    assert not config.exists()


@pytest.mark.parametrize("setting", ["port", "prot=1", "home=/srv", "preset=careless", "port=99999"])
def test_a_setting_that_cannot_be_is_refused_first(
    config: Path, setting: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("install", "--user", "--dry-run", "--set", setting) == 2
    assert "hint:" in capsys.readouterr().err
    assert not config.exists()


@pytest.mark.parametrize("asked", [("status",), ("logs",)])
def test_what_is_not_installed_says_how(
    config: Path, asked: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(*asked, "--user") == 1
    assert "hint: talkie service install" in capsys.readouterr().err


def test_a_key_is_made_where_one_is_needed_and_only_there(places: Places) -> None:
    def found(given: dict[str, str]) -> dict[str, str]:
        return service_wish.with_address_and_key(service_wish.in_force(places, given), given)

    assert found({}) == {"host": "127.0.0.1", "port": "8000"}
    assert found({"host": "0.0.0.0"})["api_key"].startswith("tk_")
    write(places, "TALKIE_API_KEY=tk_mine\n")
    assert "api_key" not in found({"host": "0.0.0.0"})


def test_the_file_of_settings_is_what_counts(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    write(places, 'TALKIE_PORT=9000\nTALKIE_PULL="whisper-base kokoro"\n')
    monkeypatch.setenv("TALKIE_PORT", "1234")
    settings = service_wish.in_force(places)
    assert (settings.port, settings.pull, settings.home) == (9000, ("whisper-base", "kokoro"), places.home)
    with pytest.raises(SettingsError):
        service_wish.in_force(places, {"port": "none"})


def test_only_one_that_needs_no_network_is_lonely(places: Places) -> None:
    assert service_wish.is_lonely(service_wish.in_force(places, {"offline": "true"}))
    assert not service_wish.is_lonely(service_wish.in_force(places, {}))
    assert not service_wish.is_lonely(service_wish.in_force(places, {"offline": "true", "host": "0.0.0.0"}))


def test_a_program_that_the_service_could_not_read_is_refused(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "talkie"
    program.parent.mkdir()
    program.touch()
    for path in (*(one for one in program.parents if one.is_relative_to(tmp_path)), program):
        path.chmod(0o755)
    with pytest.raises(TalkieError, match="could not read") as failed:
        service_wish.check_seen([program], hidden=[tmp_path])
    assert "/opt/talkie" in failed.value.hint
    program.chmod(0o750)
    with pytest.raises(TalkieError, match="could not read"):
        service_wish.check_seen([program], hidden=[])
    service_wish.check_seen([Path("/bin/sh").resolve()])


@pytest.mark.parametrize("frozen", [False, True])
def test_a_link_to_the_current_release_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frozen: bool) -> None:
    release, link = tmp_path / "releases" / "1", tmp_path / "current"
    release.mkdir(parents=True)
    for name in ("talkie", "python"):
        (release / name).touch()
    link.symlink_to(release)
    monkeypatch.setattr("sys.frozen", frozen, raising=False)
    monkeypatch.setattr("sys.executable", str(release / ("talkie" if frozen else "python")))
    monkeypatch.setattr("sys.argv", [str(link / "talkie")])
    assert service_wish.program() == (str(link / "talkie"),)
    monkeypatch.setattr("sys.argv", ["talkie"])
    assert service_wish.program() == (str(release / "talkie"),)


def test_a_person_who_has_the_name_of_the_service_is_left_alone(tmp_path: Path) -> None:
    def nobody(name: str) -> pwd.struct_passwd:
        raise KeyError(name)

    def with_home(home: Path) -> bool:
        return service_wish.has_user(
            places, lambda name: pwd.struct_passwd((name, "x", 997, 997, "", str(home), "/bin/sh"))
        )

    places = system_places(tmp_path)
    assert not service_wish.has_user(places, nobody)
    assert with_home(places.home)
    with pytest.raises(TalkieError, match="somebody else"):
        with_home(tmp_path / "home/talkie")


def test_groups_that_are_not_there_are_not_named() -> None:
    def known(name: str) -> object:
        return {"render": 1}[name]

    assert service_wish.card_groups(known) == ("render",)


def test_the_home_is_that_of_the_unit_in_place(config: Path) -> None:
    unit = config / "systemd/user/talkie.service"
    unit.parent.mkdir(parents=True)
    unit.write_text('[Service]\nEnvironment="TALKIE_HOME=/srv/my 100%% talkie"\n')
    assert service_wish.own_places().home == Path("/srv/my 100% talkie")
