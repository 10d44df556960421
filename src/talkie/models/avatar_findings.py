"""What a look at an avatar pack finds: all that is wrong with it, and not only the first. Knows nothing of packs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from talkie.errors import BadAvatar

MOST = 50
"""A pack of three thousand wrong frames has one fault, not three thousand."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`where` is a file of the pack or a key of its table; `what` a sentence. A warning keeps no pack out."""

    level: Literal["error", "warning"]
    where: str
    what: str
    hint: str = ""


@dataclass(slots=True)
class Findings:
    """In the order of discovery; beyond `MOST` they are counted, and the count is told."""

    found: list[Finding] = field(default_factory=list)
    left_out: int = 0

    @property
    def ok(self) -> bool:
        return not any(one.level == "error" for one in self.found)

    def error(self, where: str, what: str, hint: str = "") -> None:
        self._add(Finding("error", where, what, hint))

    def warn(self, where: str, what: str, hint: str = "") -> None:
        self._add(Finding("warning", where, what, hint))

    def _add(self, one: Finding) -> None:
        errors = sum(other.level == "error" for other in self.found)
        if len(self.found) < MOST or (one.level == "error" and errors == 0):
            self.found.append(one)
        else:
            self.left_out += 1

    def refuse(self) -> None:
        """Raises `BadAvatar` with the first error, if there is one."""
        for one in self.found:
            if one.level == "error":
                others = sum(other.level == "error" for other in self.found) + self.left_out - 1
                more = f" ({others} more: `talkie avatar check` tells all.)" if others else ""
                raise BadAvatar(one.where, one.what + more, hint=one.hint)
