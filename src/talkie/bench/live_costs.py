"""What a live server costs while it is spoken to: processor time, memory, and how far behind its sessions are.

Lag is the server's own word (`GET /v1/sessions`), asked for every second; the rest is read from /proc for a server on
this machine. Knows nothing of what is said.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from types import TracebackType

import httpx

from talkie.bench.machine import family, processor_seconds, resident_bytes

EVERY_S, ASK_S = 1.0, 5.0


@dataclass(slots=True)
class Costs:
    """`lags_s` are those of all sessions, every second; the others are 0 where the server's process is not known."""

    lags_s: list[float] = field(default_factory=list)
    processor_s: float = 0.0
    resident: int = 0
    """Of all of its processes, at most, in bytes; shared pages are counted in each."""


class Watch:
    """A context manager: watches from its beginning to its end, in a thread of its own."""

    def __init__(self, url: str, pid: int | None = None, api_key: str | None = None) -> None:
        self.costs = Costs()
        self._pid, self._began_s = pid, 0.0
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=ASK_S, trust_env=False)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bench-watch", daemon=True)

    def __enter__(self) -> Watch:
        self._began_s = processor_seconds(self._pid) if self._pid else 0.0
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._http.close()
        if self._pid:
            self.costs.processor_s = processor_seconds(self._pid) - self._began_s

    def _run(self) -> None:
        while not self._over.wait(EVERY_S):
            self.costs.lags_s += [card.lag_s for card in cards(self._http)]
            if self._pid:
                now = sum(resident_bytes(pid) for pid in family(self._pid))
                self.costs.resident = max(self.costs.resident, now)


@dataclass(frozen=True, slots=True)
class Card:
    """One session, as the server tells it."""

    heard_s: float
    lag_s: float


def cards(http: httpx.Client) -> list[Card]:
    """Of all live sessions; none where the server does not tell."""
    try:
        rows = http.get("/v1/sessions").json()["data"]
        return [Card(float(row["seconds_heard"]), float(row["lag_s"])) for row in rows]
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return []
