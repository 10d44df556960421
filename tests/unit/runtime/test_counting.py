"""A process that nobody asks for figures never loads what keeps them; a server counts from its start."""

from __future__ import annotations

import subprocess
import sys

import pytest

from talkie.runtime.counting import REGISTRY, Counter

LIGHT = """
import sys
import talkie.runtime.service, talkie.compose
from talkie.runtime import metrics
metrics.REQUESTS.labels("m", "ok").inc()
metrics.WAITING.set(3); metrics.LIVE_SESSIONS.labels("page").inc(); metrics.LATENCY.labels("m").observe(1.0)
print("prometheus_client" in sys.modules)
metrics.count(); metrics.count()
metrics.REQUESTS.labels("m", "ok").inc(2)
metrics.LIVE_SESSIONS.labels("page").dec()
print(metrics.render().decode())
"""


def test_nothing_is_loaded_before_somebody_counts() -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, timeout=60, check=True)
    lines = done.stdout.splitlines()
    assert lines[0] == "False"
    assert 'talkie_transcriptions_total{model="m",outcome="ok"} 2.0' in lines, "what came before is not counted"
    assert "talkie_requests_waiting 3.0" in lines, "how things stand is"
    assert 'talkie_live_sessions{door="page"} 0.0' in lines


def test_one_declared_late_is_counted_too() -> None:
    REGISTRY.count()
    late = Counter("talkie_test_late", "Declared when counting had begun", ["kind"])
    late.labels("a").inc()
    late.labels("a").inc()
    assert REGISTRY.get_sample_value("talkie_test_late_total", {"kind": "a"}) == 2.0
    assert b"talkie_test_late_total" in REGISTRY.render()


def test_labels_are_given_in_full() -> None:
    with pytest.raises(ValueError, match="labels"):
        Counter("talkie_test_labels", "Has two", ["a", "b"]).labels("one")
