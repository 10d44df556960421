"""A run of the restart bench as data: for each size of model, weights in the image beside weights on a volume.

Knows nothing of how anything was measured, or of how it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from talkie.bench.results import check_kind, made, read_json
from talkie.errors import InvalidValue

RESTART = "restart"
SCHEMA = 1
BAKED, VOLUME = "baked", "volume"
WAYS = {BAKED: "weights in the image", VOLUME: "slim image, weights on a volume"}


@dataclass(frozen=True, slots=True)
class Way:
    """`build_s` makes the image (for the slim one: nothing new), `pack_s` packs it as a registry keeps it.

    The first launch on a machine that has nothing is `image_pull_s` and then `first_ready_s`, in which the volume's way
    also pulls and checks the model. `restarts_s` are later starts on that machine, and `moved_s` one on a machine that
    has to fetch the image but reaches the volume.
    """

    way: str
    model_mb: int
    build_s: float
    pack_s: float
    image_bytes: int
    packed_bytes: int
    image_pull_s: float
    first_ready_s: float
    restarts_s: tuple[float, ...]
    model_pulled_bytes: int = 0
    load_average: float = 0.0

    @property
    def first_launch_s(self) -> float:
        return self.image_pull_s + self.first_ready_s

    @property
    def moved_s(self) -> float:
        """The image fetched once more, then an ordinary start."""
        return self.image_pull_s + sorted(self.restarts_s)[len(self.restarts_s) // 2]


@dataclass(frozen=True, slots=True)
class RestartResult:
    """`rate_mb_s` is the speed of the line that images and models come over. `absent` says why a size is missing."""

    machine: Mapping[str, Any]
    created: str
    image: str
    rate_mb_s: float
    ways: tuple[Way, ...]
    absent: Mapping[str, str]
    schema: int = SCHEMA

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def way(self, way: str, model_mb: int) -> Way | None:
        return next((one for one in self.ways if (one.way, one.model_mb) == (way, model_mb)), None)

    @property
    def sizes(self) -> list[int]:
        return list(dict.fromkeys(one.model_mb for one in self.ways))


def read_result(path: Path) -> RestartResult:
    """What the bench wrote or printed. Raises `InvalidValue`."""
    return parse_result(read_json(path), path.name)


def parse_result(values: Mapping[str, Any], name: str = "the file") -> RestartResult:
    """Raises `InvalidValue` for what is no result of a schema that is known here."""
    check_kind(values, RESTART, SCHEMA, name)
    try:
        ways = tuple(_way(one) for one in values["ways"])
        return made(RestartResult, {**values, "ways": ways})
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        raise InvalidValue("result", f"{name} is not as expected: {error}") from error


def _way(values: Mapping[str, Any]) -> Way:
    restarts = tuple(float(one) for one in values["restarts_s"])
    if not restarts:
        raise ValueError("a way without restarts")
    return made(Way, {**values, "restarts_s": restarts})
