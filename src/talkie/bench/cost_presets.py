"""Prices by place, from the one table that the page reads as well: `web/cost-presets.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files

from talkie.errors import InvalidValue

TABLE = "cost-presets.toml"


@dataclass(frozen=True, slots=True)
class Preset:
    """`prices` is the month in which they were read, or `none`."""

    name: str
    title: str
    prices: str
    values: dict[str, float | None]


def presets() -> dict[str, Preset]:
    text = (files("talkie") / "web" / TABLE).read_text(encoding="utf-8")
    return {name: _preset(name, dict(table)) for name, table in tomllib.loads(text).items()}


def preset(name: str) -> Preset:
    """Raises `InvalidValue`."""
    known = presets()
    if name not in known:
        hint = f"There are {', '.join(known)}: `talkie cost --presets`."
        raise InvalidValue("preset", f"There are no prices of {name[:40]!r}.", hint=hint)
    return known[name]


def _preset(name: str, table: dict[str, str | float]) -> Preset:
    title, prices = str(table.pop("title")), str(table.pop("prices"))
    return Preset(name, title, prices, {key: float(value) for key, value in table.items()})
