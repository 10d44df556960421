"""A run of the deployment bench as data: each form's turns, round by round, and where they were measured.

Times are of one machine and one hour; what is to outlive them is a ratio of two forms in one round. Knows nothing of
how anything was measured, or of how it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from talkie.bench.results import check_kind, made, read_json
from talkie.errors import InvalidValue

DEPLOY = "deploy"
SCHEMA = 1
TUPLES = ("answers_s", "uploads_mb_s", "plain_s", "tls_s", "plain_new_s", "tls_new_s")
NATIVE, BUNDLE, LXC = "native", "folder", "lxc"
HOST, BRIDGE = "container-host", "container-bridge"
CONTAINERS = (HOST, BRIDGE)


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes in RAM: of the server and its workers, and of what the form needs around them.

    `rss` counts shared pages in each process, `pss` divides them among all who share them, be they ours or not.
    """

    rss: int = 0
    pss: int = 0
    around_rss: int = 0
    around_pss: int = 0

    @property
    def together(self) -> int:
        return self.rss + self.around_rss


@dataclass(frozen=True, slots=True)
class Gpu:
    """Of the first device: bytes that the server's processes hold there, and how busy it was while nobody asked."""

    resident_bytes: int = 0
    unloaded_bytes: int = 0
    idle_percent: float = 0.0


@dataclass(frozen=True, slots=True)
class Turn:
    """One start of one form, and all that was asked of it.

    `ready_s` counts from the start of the first process to the answer that the model is there; `reload_s` is one answer
    after the model had been put out. `plain_s` and `tls_s` are answers of two servers asked in turns on kept
    connections, the `new` ones on a connection of their own each. `text` is a digest of what was heard.
    """

    round: int
    ready_s: float
    first_s: float
    answers_s: tuple[float, ...]
    resident: Memory
    unloaded: Memory
    reload_s: float
    idle_share: float
    uploads_mb_s: tuple[float, ...]
    text: str
    plain_s: tuple[float, ...] = ()
    tls_s: tuple[float, ...] = ()
    plain_new_s: tuple[float, ...] = ()
    tls_new_s: tuple[float, ...] = ()
    gpu: Gpu | None = None
    load_average: float = 0.0


@dataclass(frozen=True, slots=True)
class FormRun:
    """One form. `disk` is what lies on the disk, by part; `absent` why it was not measured, or no further."""

    name: str
    title: str
    disk: Mapping[str, int] = field(default_factory=dict)
    turns: tuple[Turn, ...] = ()
    absent: str = ""

    @property
    def disk_bytes(self) -> int:
        return sum(self.disk.values())


@dataclass(frozen=True, slots=True)
class DeployResult:
    """One run. `shape_true`: a model of real dimensions and random weights, for speed only."""

    machine: Mapping[str, Any]
    created: str
    model: str
    shape_true: bool
    audio_s: float
    options: Mapping[str, Any]
    forms: tuple[FormRun, ...]
    schema: int = SCHEMA

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def read_result(path: Path) -> DeployResult:
    """What the bench wrote or printed. Raises `InvalidValue`."""
    return parse_result(read_json(path), path.name)


def parse_result(values: Mapping[str, Any], name: str = "the file") -> DeployResult:
    """Raises `InvalidValue` for what is no result of a schema that is known here."""
    check_kind(values, DEPLOY, SCHEMA, name)
    try:
        forms = tuple(_form(one) for one in values["forms"])
        return made(DeployResult, {**values, "forms": forms})
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        raise InvalidValue("result", f"{name} is not as expected: {error}") from error


def _form(values: Mapping[str, Any]) -> FormRun:
    turns = tuple(_turn(one) for one in values.get("turns", ()))
    disk = {str(part): int(size) for part, size in values.get("disk", {}).items()}
    return made(FormRun, {**values, "turns": turns, "disk": disk})


def _turn(values: Mapping[str, Any]) -> Turn:
    parts: dict[str, Any] = {name: tuple(float(one) for one in values.get(name, ())) for name in TUPLES}
    parts |= {name: made(Memory, values[name]) for name in ("resident", "unloaded")}
    parts["gpu"] = made(Gpu, values["gpu"]) if values.get("gpu") else None
    for name in ("round", "ready_s", "first_s", "reload_s", "idle_share"):
        float(values[name])
    if not (parts["answers_s"] and parts["uploads_mb_s"]):
        raise ValueError("a turn without answers or uploads")
    return made(Turn, {**values, **parts})
