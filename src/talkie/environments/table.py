"""Engines that live in environments of their own: what each needs, what it costs, and under which licence it comes.

A list of exact versions with their hashes lies beside this file, NAME.txt. Knows nothing of how one is made.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from talkie.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class Recipe:
    """`download_bytes` and `disk_bytes` as measured on Linux (x86_64); `pythons` the versions that the list is made
    for, the preferred one last; `check` is a program that its interpreter must run through without an error.
    """

    name: str
    title: str
    licence: str
    what: str
    pythons: tuple[str, ...]
    download_bytes: int
    disk_bytes: int
    check: str
    then: str
    """What to do when it is there."""

    @property
    def lock(self) -> Path:
        """Exact versions and hashes, as pip reads them."""
        return Path(__file__).with_name(f"{self.name}.txt")

    @property
    def fingerprint(self) -> str:
        """Changes with whatever would make another environment."""
        lines = [line for line in self.lock.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        return hashlib.sha256("\n".join([*lines, self.check]).encode()).hexdigest()

    @property
    def packages(self) -> int:
        """How many the list names; a machine takes nearly all of them."""
        lines = self.lock.read_text(encoding="utf-8").splitlines()
        return len({line.partition("==")[0] for line in lines if "==" in line and line[0] not in "# "})


CHATTERBOX = Recipe(
    name="chatterbox",
    title="Chatterbox 0.1.7",
    licence="MIT (the code); with torch (BSD) and, on Linux, NVIDIA's CUDA libraries under NVIDIA's own terms",
    what="imitates a voice from a recording; English",
    pythons=("3.12", "3.11"),
    download_bytes=3_300_000_000,
    disk_bytes=6_300_000_000,
    # Where the watermark cannot be loaded the package has None in its place, and would fail at the first word.
    check="import perth, chatterbox.tts as it; perth.PerthImplicitWatermarker(); it.ChatterboxTTS.from_local",
    then="Next: `talkie pull hf:ResembleAI/chatterbox`, then `talkie voices add NAME RECORDING`.",
)
RECIPES = (CHATTERBOX,)


def recipe(name: str) -> Recipe:
    """Raises `InvalidValue`."""
    for one in RECIPES:
        if one.name == name:
            return one
    raise InvalidValue(
        "engine",
        f"There is no engine {name[:40]!r} with an environment of its own.",
        hint=f"There is: {', '.join(one.name for one in RECIPES)}. `talkie engines` lists all engines.",
    )
