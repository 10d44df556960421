from __future__ import annotations

import sys
from typing import Any

import pytest
import typer

from talkie import __version__, errors
from talkie.cli import main
from talkie.cli.output import EXIT_CODES, exit_code
from talkie.errors import TalkieError


def run(*arguments: str) -> Any:
    with pytest.raises(SystemExit) as ended:
        main.run(arguments)
    return ended.value.code


def failing(error: BaseException) -> Any:
    """A command that raises."""

    def command() -> None:
        """Fail."""
        raise error

    return command


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes `talkie ps` raise."""

    def install(error: BaseException) -> None:
        monkeypatch.setattr("talkie.cli.ps.ps", failing(error))

    return install


def test_every_command_has_help_in_the_table_and_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    listed = capsys.readouterr().out
    for name, command in main.COMMANDS.items():
        assert f"\n  {name} " in listed and command.help.split()[0] in listed
        assert run(name, "--help") == 0
        shown = capsys.readouterr().out
        assert shown.startswith(f"Usage: talkie {name} ") and "--help" in shown and "install-completion" not in shown


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"talkie {__version__}\n"


def test_nothing_asked_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 2
    captured = capsys.readouterr()
    assert "Commands:" in captured.out + captured.err


def test_an_unknown_command_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("transcibe") == 2
    assert "Did you mean 'transcribe'?" in capsys.readouterr().err


def test_an_unknown_option_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("ps", "--nonsense") == 2
    assert "--nonsense" in capsys.readouterr().err


def test_an_error_has_a_hint_and_a_code(broken: Any, capsys: pytest.CaptureFixture[str]) -> None:
    broken(errors.ModelNotFound("x"))
    assert run("ps") == 4
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("error: The model 'x' is not here.\nhint: `talkie list`")
    assert "Traceback" not in captured.err


def test_debug_shows_where_it_came_from(broken: Any) -> None:
    broken(errors.ModelNotFound("x"))
    with pytest.raises(errors.ModelNotFound):
        main.run(["ps", "--debug"])
    with pytest.raises(errors.ModelNotFound):
        main.run(["--debug", "ps"])


def test_a_fault_of_ours_says_so(broken: Any, capsys: pytest.CaptureFixture[str]) -> None:
    broken(ZeroDivisionError("oops"))
    assert run("ps") == 1
    assert "ZeroDivisionError: oops" in capsys.readouterr().err


def test_files_that_cannot_be(broken: Any, capsys: pytest.CaptureFixture[str]) -> None:
    broken(PermissionError(13, "Permission denied", "/somewhere"))
    assert run("ps") == 1
    assert capsys.readouterr().err == "error: Permission denied: /somewhere\n"


def test_interrupted(broken: Any) -> None:
    broken(KeyboardInterrupt())
    assert run("ps") == 130


def test_a_reader_that_went_away_is_no_news(broken: Any, capsys: pytest.CaptureFixture[str]) -> None:
    streams = sys.stdout, sys.stderr
    broken(BrokenPipeError(32, "Broken pipe"))
    try:
        assert run("ps") == 1
    finally:
        sys.stdout, sys.stderr = streams
    assert capsys.readouterr().err == ""


def test_exit_codes_of_all_errors() -> None:
    def below(kind: type[TalkieError]) -> list[type[TalkieError]]:
        return [kind, *(deeper for child in kind.__subclasses__() for deeper in below(child))]

    codes = {kind: exit_code(kind.__new__(kind)) for kind in below(TalkieError)}
    assert set(codes.values()) == set(EXIT_CODES.values())
    assert codes[errors.InvalidValue] == 2 and codes[errors.UndecodableAudio] == 3 and codes[errors.PullFailed] == 4
    assert codes[errors.ServerUnreachable] == 5 and codes[errors.KeyWrong] == 6 and codes[errors.EngineFailed] == 1
    assert codes[errors.EngineUnavailable] == 4 and codes[errors.Cancelled] == 130


@pytest.mark.parametrize(
    ("given", "left", "debug"),
    [
        (["a", "--debug", "b"], ["a", "b"], True),
        (["a"], ["a"], False),
        (["a", "--", "--debug"], ["a", "--", "--debug"], False),
        (["--debug", "--", "--debug"], ["--", "--debug"], True),
    ],
)
def test_debug_is_taken_wherever_it_stands(given: list[str], left: list[str], *, debug: bool) -> None:
    assert main._take_debug(given) is debug and given == left


def test_groups_stay_groups() -> None:
    assert isinstance(main.load("keys"), typer.core.TyperGroup)
    assert not isinstance(main.load("ps"), typer.core.TyperGroup)
