"""`talkie service`: Talkie as a service of systemd, for this machine or for one user.

Says what it is going to do before it does it, and leaves nothing half done. Data goes to stdout, the rest to stderr.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from talkie.cli.service_plan import Places, Wish
    from talkie.cli.service_systemd import Systemd

app = typer.Typer(help="Run Talkie as a service of systemd.", no_args_is_help=True)

Form = Annotated[
    bool | None,
    typer.Option(
        "--system/--user", help="For the machine, or for you alone.", show_default="system where you are root"
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the files and commands and do nothing.")]


@app.command()
def install(
    system: Form = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on; any but loopback gets a key.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.")] = None,
    pull: Annotated[str | None, typer.Option(help="Models to fetch at the start where they are not here.")] = None,
    model: Annotated[str | None, typer.Option(help="What `auto` means.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Any setting; may be given several times.")
    ] = None,
    gpu: Annotated[bool | None, typer.Option("--gpu/--no-gpu", help="Let it use graphics cards.")] = None,
    memory_max: Annotated[str | None, typer.Option(help="The most memory it may take, like 6G or 50%.")] = None,
    linger: Annotated[bool, typer.Option("--linger", help="User service: go on after you log out.")] = False,
    wait_s: Annotated[float, typer.Option("--wait", min=1, help="Seconds to wait until it is ready.")] = 60.0,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Install or upgrade the service, start it, and wait until it is ready. What is not said stays as it was."""
    from talkie.cli import service_doing, service_plan, service_wish
    from talkie.cli.ps import address
    from talkie.cli.service_saying import agree, report, show

    places, systemd = _form(system)
    given = service_wish.settings_given({"host": host, "port": port, "pull": pull, "model": model}, settings or ())
    _check_may(systemd, dry_run)
    wish = _wish(places, systemd, given, trial=not dry_run)
    wish = _with(wish, gpu=gpu, memory_max=memory_max, linger=linger and not places.system)
    plan = service_plan.install_plan(places, wish)
    if dry_run:
        show(service_plan.told(plan, contents=True))
        return
    url = address(service_wish.in_force(places, wish.settings))
    _check_free(systemd, url)
    agree("talkie service install", service_plan.told(plan), yes, more="--dry-run shows every file.")
    ready = service_doing.install(
        plan,
        places,
        systemd,
        lambda: service_doing.wait_until_ready(systemd, url, wait_s),
        had_user=service_wish.has_user(places),
    )
    report(ready, places, wish)
    typer.echo(url)


@app.command()
def uninstall(
    system: Form = None,
    purge: Annotated[bool, typer.Option("--purge", help="Models, voices, keys and settings too.")] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Stop the service and take its files away. Models, keys and settings stay, unless --purge."""
    from talkie.cli import service_doing, service_plan, service_wish
    from talkie.cli.output import say
    from talkie.cli.service_saying import agree, show

    places, systemd = _form(system, installed=True)
    _check_may(systemd, dry_run)
    plan = service_plan.remove_plan(places, purge=purge, has_user=purge and service_wish.has_user(places))
    if not plan.before and not plan.gone and not plan.trees:
        say("There is nothing to uninstall.")
        return
    if dry_run:
        show(service_plan.told(plan))
        return
    agree("talkie service uninstall", service_plan.told(plan), yes)
    service_doing.uninstall(plan, systemd)
    say("The service is gone.")
    if not purge and places.home.exists():
        say(f"Models and keys are still in {places.home}, settings in {places.environment}; --purge removes them.")


@app.command()
def status(
    system: Form = None, as_json: Annotated[bool, typer.Option("--json", help="JSON, for programs.")] = False
) -> None:
    """Say whether the service runs, where, and how much memory it takes. Ends with 1 when it does not run."""
    from talkie.cli.service_saying import facts_of, show
    from talkie.cli.service_systemd import is_active

    places, systemd = _form(system, installed=True)
    _check_installed(places)
    systemd.check()
    facts = facts_of(places, systemd.state())
    if as_json:
        typer.echo(json.dumps(facts, indent=2))
    else:
        show(f"{name:<9} {value}" for name, value in facts.items() if value not in (None, "", {}))
    if not is_active({"ActiveState": str(facts["state"])}):
        raise typer.Exit(1)


@app.command()
def logs(
    system: Form = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many lines of the past.")] = 100,
) -> None:
    """Show what the service wrote to the journal."""
    from talkie.errors import TalkieError

    places, systemd = _form(system, installed=True)
    _check_installed(places)
    words = systemd.log_command("--no-pager", "--output=cat", f"--lines={lines}", *(["--follow"] if follow else []))
    try:
        os.execvp(words[0], words)  # noqa: S606
    except FileNotFoundError:
        raise TalkieError("The program journalctl is not here.", hint="It comes with systemd.") from None


def _form(system: bool | None, *, installed: bool = False) -> tuple[Places, Systemd]:
    """The form that was asked for; else, of those that are installed, the user's own; else by who asks."""
    from talkie.cli.service_plan import system_places
    from talkie.cli.service_systemd import Systemd
    from talkie.cli.service_wish import own_places

    if system is None:
        system = os.geteuid() == 0
        if installed:
            own, everyones = own_places().unit.exists(), system_places().unit.exists()
            system = everyones if own != everyones else system
    return (system_places() if system else own_places()), Systemd(system=system)


def _wish(places: Places, systemd: Systemd, given: dict[str, str], *, trial: bool) -> Wish:
    """What the service shall be, by the settings that will be in force. A trial finds out what a user's manager can."""
    from talkie.cli import service_wish
    from talkie.cli.service_plan import Wish, service_of
    from talkie.cli.service_unit import sandbox_properties

    if places.system:
        service_wish.check_seen(service_wish.parts_of_program())
        service_wish.has_user(places)
    settings = service_wish.in_force(places, given)
    wish = Wish(
        command=service_wish.program(),
        settings=service_wish.with_address_and_key(settings, given),
        groups=service_wish.card_groups(),
        grace_s=settings.shutdown_grace_s,
        lonely=service_wish.is_lonely(settings),
    )
    if places.system or not trial or systemd.can(sandbox_properties(service_of(places, wish))):
        return wish
    from talkie.cli.output import note

    note("this machine lets no user's service hide parts of the file system: those lines are left out of the unit.")
    return _with(wish, sandbox=False)


def _with(wish: Wish, **changes: Any) -> Wish:
    from dataclasses import replace

    return replace(wish, **changes)


def _check_may(systemd: Systemd, dry_run: bool) -> None:
    """Raises `TalkieError` where there is no systemd, or who asks may not."""
    from talkie.errors import TalkieError

    if dry_run:
        return
    systemd.check()
    if systemd.system and os.geteuid():
        raise TalkieError(
            "The service of the machine is for root to install.",
            hint=f"sudo {' '.join(_own_words())}; or one of your own: --user",
        )


def _own_words() -> list[str]:
    from talkie.cli.service_wish import program

    return [*program(), *sys.argv[1:]]


def _check_installed(places: Places) -> None:
    from talkie.errors import TalkieError

    if not places.unit.exists():
        raise TalkieError("Talkie is not installed as a service here.", hint="talkie service install")


def _check_free(systemd: Systemd, url: str) -> None:
    """Raises `AddressTaken` when another program answers where the service shall."""
    from talkie.cli.service_doing import probe
    from talkie.cli.service_systemd import is_active
    from talkie.errors import AddressTaken

    if not is_active(systemd.state()) and probe(url) is not None:
        raise AddressTaken(f"Another server answers at {url} already.", hint="Another port: --port 8001", param="port")
