"""`talkie ps`: the models that a running server holds in memory, to hear or to speak, and who is being listened to.

Knows nothing of how they got there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from talkie.client import Client
    from talkie.settings import Settings

SECOND, ASKED_FOR = "ctranslate2", "asked for"
"""The library that works where the faster one does not, and the reason that is none to tell."""
HEAD = ("NAME", "KIND", "ENGINE", "SIZE", "PROCESSOR", "BACKEND", "UNTIL")
KINDS = {"recognizer": "hears", "synthesizer": "speaks", "face": "shows"}
SESSIONS_HEAD = ("SESSION", "DOOR", "MODEL", "STATE", "HEARD", "LAG", "CLIENT")


def ps(
    server: Annotated[
        str | None, typer.Option(metavar="URL", help="The server's address.", show_default="the settings' own")
    ] = None,
    api_key: Annotated[
        str | None, typer.Option(help="The server's key; better in the environment as TALKIE_API_KEY.")
    ] = None,
    cacert: Annotated[Path | None, typer.Option(help="Trust this certificate (PEM) of the server.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, for programs.")] = False,
) -> None:
    """Show the models that a running server holds in memory, and its live sessions.

    A model stays there until nobody has used it for a while (the setting idle_unload_s), or another one needs its
    place, the one idle for longest first.
    """
    from talkie.cli.output import note, table
    from talkie.client import Client
    from talkie.settings import load_settings

    settings, _ = load_settings()
    key = api_key or (settings.api_key.get_secret_value() if settings.api_key else None)
    with Client(server or address(settings), key, cacert=cacert) as client:
        loaded = client.ps()
        sizes = {item.get("id"): item.get("size_bytes") for item in client.models()}
        sessions = [] if as_json else _sessions(client)
    if as_json:
        typer.echo(json.dumps([{**item, "size_bytes": sizes.get(item.get("name"))} for item in loaded], indent=2))
        return
    for line in table(HEAD, [_row(item, sizes.get(item.get("name"))) for item in loaded]):
        typer.echo(line)
    for item in loaded:
        if item.get("backend") == SECOND and item.get("backend_reason") not in ("", ASKED_FOR, None):
            note(f"{item.get('name')} is run by CTranslate2: {item.get('backend_reason')}")
    if not loaded:
        note("no model is in memory; the first recording or text brings one in.")
    for line in table(SESSIONS_HEAD, [_session(item) for item in sessions]) if sessions else ():
        typer.echo(line)


def address(settings: Settings) -> str:
    """Where a server with these settings listens, as seen from this machine."""
    scheme = "https" if settings.tls != "off" or settings.tls_cert else "http"
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(settings.host, settings.host)  # noqa: S104
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.port}"


def _sessions(client: Client) -> list[dict[str, Any]]:
    """None where the key may see models only."""
    from talkie.errors import ScopeMissing

    try:
        return client.sessions()
    except ScopeMissing:
        return []


def _session(item: dict[str, Any]) -> tuple[str, ...]:
    heard_s, lag_s = float(item.get("seconds_heard") or 0.0), float(item.get("lag_s") or 0.0)
    return (
        *(str(item.get(name) or "-") for name in ("id", "door", "model", "state")),
        f"{heard_s:.0f} s",
        f"{lag_s:.1f} s",
        str(item.get("client") or "-"),
    )


def _backend(item: dict[str, Any]) -> str:
    """The library, and how many calls it takes at once."""
    name, workers = str(item.get("backend") or ""), int(item.get("workers") or 1)
    return f"{name} x{workers}" if name and workers > 1 else name or "-"


def _row(item: dict[str, Any], size_bytes: Any) -> tuple[str, ...]:
    from talkie.cli.output import size

    device, arithmetic = str(item.get("device", "")), str(item.get("compute_type") or "")
    return (
        str(item.get("name", "-")),
        KINDS.get(str(item.get("kind") or "recognizer"), "-"),
        str(item.get("engine", "-")),
        size(size_bytes) if size_bytes else "-",
        f"{device} {arithmetic}".strip() or "-",
        _backend(item),
        _until(item),
    )


def _until(item: dict[str, Any]) -> str:
    users, idle_s, unload_s = int(item.get("users") or 0), float(item.get("idle_s") or 0.0), item.get("unload_s")
    if users:
        return f"in use by {users}"
    if unload_s is None:
        return f"needed (idle {idle_s:.0f} s)"
    return f"{_span(float(unload_s))} from now (idle {_span(idle_s)})"


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
