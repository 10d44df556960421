"""`talkie`: the commands by name, each imported when it is called and not before, and the one error handler.

Knows what the commands are called and nothing of what they do. Nothing heavy may be imported here: `talkie --help`
must answer at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any

import typer
import typer.core
import typer.main

from talkie.cli.leaving import leave
from talkie.cli.output import FAILED, INTERRUPTED, exit_code, say, show_error
from talkie.errors import TalkieError

DEBUG = "--debug"


@dataclass(frozen=True, slots=True)
class Command:
    """`target` is `module:attribute` below `talkie.cli`: a function, or a Typer app with commands of its own."""

    target: str
    help: str


COMMANDS: dict[str, Command] = {
    "transcribe": Command("transcribe:transcribe", "Turn recordings into text, subtitles or JSON."),
    "listen": Command("listen:listen", "Turn speech into text while it is spoken."),
    "dictate": Command("dictate:dictate", "Speak, and have the text in the clipboard or at the cursor."),
    "say": Command("say:say", "Say a text: into a file, a pipe or the loudspeaker."),
    "animate": Command("animate:animate", "Let a face speak a recording, as a film."),
    "voices": Command("voices:app", "List voices, and make one from a recording."),
    "avatar": Command("avatar:app", "List faces that speak, check a pack of one, and add it."),
    "serve": Command("serve:serve", "Run the server: OpenAI's speech API on this machine."),
    "service": Command("service:app", "Run Talkie as a service of systemd."),
    "pull": Command("store:pull", "Fetch models; an interrupted pull goes on where it stopped."),
    "list": Command("store:list_models", "List the models that are here, or can be had."),
    "show": Command("store:show", "Tell all about one model."),
    "rm": Command("store:rm", "Remove models."),
    "verify": Command("store:verify", "Read every byte of the models and say what is wrong."),
    "import": Command("store:import_model", "Bring in a model from a directory or an archive."),
    "export": Command("store:export", "Write a model to a zip for another machine."),
    "tune": Command("tune:tune", "Measure every way to run a model here, and remember the best."),
    "engines": Command("engines:app", "List engines, and make the environment of one that needs its own."),
    "ps": Command("ps:ps", "Show the models that a running server holds in memory."),
    "doctor": Command("doctor:doctor", "Say what this machine can do and what is missing."),
    "config": Command("config:config", "Show the settings in force and where each came from."),
    "keys": Command("keys:app", "Add, list and remove the keys of the server."),
    "bench": Command("bench:app", "Measure error rates, speed, memory and start-up time."),
    "cost": Command("cost:cost", "Reckon what restarts cost: weights in the image, on a volume, as an artifact."),
    "demo": Command("demo:demo", "Speak, hear, and show how well: the whole way once round."),
}
"""In the order of `talkie --help`."""


class LazyGroup(typer.core.TyperGroup):
    """A group that lists its commands from the table above and imports the one that is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, command in COMMANDS.items():
            self.add_command(typer.core.TyperCommand(name, help=command.help), name)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, found, rest = super().resolve_command(ctx, args)
        if name != "serve":  # which has a log of its own
            _plain_warnings()
        return name, load(name) if name in COMMANDS else found, rest


app = typer.Typer(
    name="talkie",
    cls=LazyGroup,
    help="Talkie hears, speaks and shows a talking face: on your own machine, offline.",
    no_args_is_help=True,
    rich_markup_mode=None,  # rich alone costs more than all the rest of `--help`
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(context: typer.Context, option: typer.CallbackParam, given: bool) -> bool:
    """Of `--version` and `--json`, in either order: called for both, and the second knows of the first."""
    known = {**context.params, option.name: given}
    if {"version", "as_json"} <= set(known):
        if known["version"]:
            from talkie.cli.version import lines

            typer.echo(lines(as_json=known["as_json"]))
            raise typer.Exit
        if known["as_json"]:
            raise typer.BadParameter("it goes with --version; commands have one of their own.", param_hint="--json")
    return given


@app.callback(epilog="First steps: talkie demo, talkie transcribe FILE, talkie serve. More: talkie COMMAND --help")
def talkie(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave.")
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option("--json", callback=_show_version, is_eager=True, help="With --version: all about it, as JSON."),
    ] = False,
    debug: Annotated[
        bool, typer.Option(DEBUG, help="On an error, show where it came from (goes with every command).")
    ] = False,
) -> None:
    """Talkie hears, speaks and shows a talking face: on your own machine, offline."""


def load(name: str) -> Any:
    """The command of that name, with its options: imports its module."""
    module, _, attribute = COMMANDS[name].target.partition(":")
    found = getattr(import_module(f"talkie.cli.{module}"), attribute)
    if not isinstance(found, typer.Typer):
        function, found = found, typer.Typer()
        found.command(name, help=function.__doc__ or COMMANDS[name].help)(function)
    found.rich_markup_mode = None
    found._add_completion = False
    found.pretty_exceptions_enable = False
    command = typer.main.get_command(found)
    command.name = name
    command.context_settings.setdefault("help_option_names", ["-h", "--help"])
    return command


def run(arguments: Sequence[str] | None = None) -> None:
    """The entry point. Always ends in `SystemExit`; the codes are those of `talkie.cli.output`."""
    args = list(sys.argv[1:] if arguments is None else arguments)
    try:
        _run(args, debug=_take_debug(args))
    except SystemExit as ended:
        if arguments is None and ended.code == INTERRUPTED:
            leave(INTERRUPTED)  # a thread in the middle of decoding a window cannot be interrupted
        raise


def _run(args: list[str], *, debug: bool) -> None:
    # NumPy's library of matrix products begins with a thread a processor, which spin: a fifth of the work of a start.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    command = typer.main.get_command(app)
    try:
        command.main(args=args, prog_name="talkie")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:
        if debug:
            raise
        sys.exit(_tell(error))


def _tell(error: Exception) -> int:
    """What went wrong, on stderr; the exit code."""
    if isinstance(error, TalkieError):
        show_error(error)
        return exit_code(error)
    if isinstance(error, OSError):
        say(f"error: {error.strerror or error}" + (f": {error.filename}" if error.filename else ""))
        return FAILED
    say(f"error: something went wrong inside Talkie ({type(error).__name__}: {error})")
    say(f"hint: that is a fault of ours; the same command with {DEBUG} shows where, please report it.")
    return FAILED


def _plain_warnings() -> None:
    """Warnings of Talkie and its libraries as lines like all others on stderr."""
    import logging

    logging.basicConfig(level=logging.WARNING, format="warning: %(message)s")


def _take_debug(args: list[str]) -> bool:
    """Takes `--debug` out of the arguments, wherever it stands before a bare `--`."""
    end = args.index("--") if "--" in args else len(args)
    wanted = DEBUG in args[:end]
    args[:end] = [argument for argument in args[:end] if argument != DEBUG]
    return wanted
