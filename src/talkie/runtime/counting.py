"""Counters, gauges and histograms that cost nothing until somebody wants to read them.

What is declared here does nothing until `Registry.count` is called; from then on it is a metric of `prometheus_client`,
which a command line, a bench or a worker so never loads. Gauges say how things stand, and hand over what they were set
to before. Knows nothing of what is counted.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(slots=True, eq=False)
class _Family:
    """One metric with all its label values. `real` is prometheus's; `before` what gauges were set to without it."""

    kind: str
    name: str
    text: str
    labels: tuple[str, ...]
    options: dict[str, Any]
    real: Any = None
    before: dict[tuple[str, ...], float] = field(default_factory=dict)


class Registry:
    """All metrics of this process."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._families: list[_Family] = []
        self._real: Any = None

    @property
    def counts(self) -> bool:
        return self._real is not None

    def add(self, family: _Family) -> None:
        with self.lock:
            self._families.append(family)
            if self._real is not None:
                self._attach(family)

    def count(self) -> None:
        """From now on everything is counted. A second time is harmless."""
        with self.lock:
            if self._real is None:
                from prometheus_client import CollectorRegistry  # a tenth of the time that a service takes to import

                self._real = CollectorRegistry()
                for family in self._families:
                    self._attach(family)

    def get_sample_value(self, name: str, labels: Mapping[str, str] | None = None) -> float | None:
        """One figure as it would be read; None: there is none."""
        self.count()
        value = self._real.get_sample_value(name, dict(labels or {}))
        return None if value is None else float(value)

    def render(self) -> bytes:
        """All of it in the Prometheus text format."""
        self.count()
        from prometheus_client import generate_latest

        return generate_latest(self._real)

    def _attach(self, family: _Family) -> None:
        import prometheus_client

        make = getattr(prometheus_client, family.kind)
        real = make(family.name, family.text, family.labels, registry=self._real, **family.options)
        for values, amount in family.before.items():
            (real.labels(*values) if values else real).set(amount)
        family.real = real


REGISTRY = Registry()


class _Metric:
    """A family, or (by `labels`) one series of it."""

    _kind = ""

    def __init__(self, name: str, text: str, labels: Sequence[str] = (), **options: Any) -> None:
        self._family = _Family(self._kind, name, text, tuple(labels), options)
        self._values: tuple[str, ...] = ()
        self._series: Any = None
        REGISTRY.add(self._family)

    def labels(self, *values: str) -> Self:
        """The series of these label values."""
        if len(values) != len(self._family.labels):
            raise ValueError(f"{self._family.name} has the labels {self._family.labels}")
        series = copy.copy(self)
        series._values, series._series = values, None
        return series

    def _real(self) -> Any:
        """The series of prometheus; None while nobody counts."""
        family = self._family.real
        if self._series is None and family is not None:
            self._series = family.labels(*self._values) if self._values else family
        return self._series


class Counter(_Metric):
    """Only ever grows."""

    _kind = "Counter"

    def inc(self, amount: float = 1.0) -> None:
        if (real := self._real()) is not None:
            real.inc(amount)


class Histogram(_Metric):
    """How often values fell where; `buckets` are upper bounds."""

    _kind = "Histogram"

    def observe(self, value: float) -> None:
        if (real := self._real()) is not None:
            real.observe(value)


class Gauge(_Metric):
    """How things stand."""

    _kind = "Gauge"

    def set(self, value: float) -> None:
        if (real := self._real()) is not None:
            real.set(value)
            return
        with REGISTRY.lock:
            if self._real() is None:
                self._family.before[self._values] = value
                return
        self.set(value)

    def inc(self, amount: float = 1.0) -> None:
        if (real := self._real()) is not None:
            real.inc(amount)
            return
        with REGISTRY.lock:
            if self._real() is None:
                self._family.before[self._values] = self._family.before.get(self._values, 0.0) + amount
                return
        self.inc(amount)

    def dec(self, amount: float = 1.0) -> None:
        self.inc(-amount)
