"""What a look at a machine finds: facts by topic, and the advice that follows. Knows nothing of what is looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Advice:
    """Something to know, and what to do about it. `broken`: Talkie cannot do its work so."""

    what: str
    hint: str
    broken: bool = False


@dataclass(slots=True)
class Report:
    """Facts by topic, in the order they are shown, and what follows from them."""

    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    advice: list[Advice] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not any(item.broken for item in self.advice)

    def advise(self, what: str, hint: str, *, broken: bool = False) -> None:
        self.advice.append(Advice(what, hint, broken))
