"""How many wrong keys an address may show before it has to wait. Bounded in memory; knows nothing of keys."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict, deque
from collections.abc import Callable

FAILURES, WINDOW_S, MAX_ADDRESSES = 10, 60.0, 4096


class Throttle:
    """At most `failures` in `window_s` for each address; of too many addresses the oldest are forgotten."""

    def __init__(
        self, failures: int = FAILURES, window_s: float = WINDOW_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._failures = failures
        self._window_s = window_s
        self._clock = clock
        self._table: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, address: str) -> float:
        """Seconds until the address may try again; 0 now."""
        times = self._table.get(_group(address))
        if times is None or len(times) < self._failures:
            return 0.0
        return max(0.0, times[0] + self._window_s - self._clock())

    def failed(self, address: str) -> None:
        group = _group(address)
        self._table.setdefault(group, deque(maxlen=self._failures)).append(self._clock())
        self._table.move_to_end(group)
        while len(self._table) > MAX_ADDRESSES:
            self._table.popitem(last=False)


def _group(address: str) -> str:
    """An IPv6 user commands a whole /64, so that counts as one address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address) and not parsed.ipv4_mapped:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
