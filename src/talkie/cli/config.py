"""`talkie config`: every setting, its value and where the value came from. Keys are never shown."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from talkie.settings import Origin, Settings

MASK = "********"

HEAD = """# Settings

<!-- Written by `talkie config --markdown`; a test holds it against the table in src/talkie/settings.py. -->

A flag wins over the environment, the environment over the file, the file over the default. The file is the first
`talkie.toml` found here, in the user's configuration directory (`~/.config/talkie`) and in Talkie's home; a line looks
like `port = 9000`, a list like `cors_origins = ["https://app.example"]` (in the environment: separated by commas).
`talkie config` shows what is in force and where each value came from. An unknown name is a warning that names the
nearest known one.

| setting | environment | default | what it means |
|---|---|---|---|
"""


def config(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="The reference page docs/settings.md.")] = False,
) -> None:
    """Show the settings in force and where each came from."""
    if markdown:
        sys.stdout.write(settings_page())
        return
    from talkie.settings import load_settings

    settings, origins = load_settings()
    sys.stdout.write(_as_json(settings, origins) if as_json else _as_table(settings, origins))


def settings_page() -> str:
    """The text of docs/settings.md, from the table."""
    from talkie.settings import Settings, env_name

    rows = [
        f"| `{name}` | `{env_name(name)}` | {_default_cell(field)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return HEAD + "\n".join(rows) + "\n"


def _default_cell(field: Any) -> str:
    if field.default_factory is not None:
        return "the platform's data directory"
    shown = show(field.default)
    return f"`{shown}`" if shown else "none"


def show(value: Any) -> str:
    """A value as one would write it in the environment; a secret as a mask."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, float):
        return f"{value:g}" if value < 1e6 else f"{value:.0f}"
    return MASK if hasattr(value, "get_secret_value") else str(value)


def _as_table(settings: Settings, origins: dict[str, Origin]) -> str:
    rows = [(name, show(getattr(settings, name)) or "-", str(origin)) for name, origin in origins.items()]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return "".join(f"{name:<{widths[0]}}  {value:<{widths[1]}}  {origin}\n" for name, value, origin in rows)


def _as_json(settings: Settings, origins: dict[str, Origin]) -> str:
    table = {
        name: {"value": _plain(getattr(settings, name)), "origin": origin.kind, "where": origin.where}
        for name, origin in origins.items()
    }
    return json.dumps(table, indent=2) + "\n"


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    return list(value) if isinstance(value, tuple) else show(value)
