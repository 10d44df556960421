"""What a figure was taken on, and what processes cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

from talkie.bench import machine


def test_the_machine_is_described() -> None:
    here = machine.this_machine()
    assert here.cores >= 1 and here.memory_gb > 0
    assert f"{here.cores} cores" in str(here)
    assert json.loads(json.dumps(here.as_json()))["python"] == here.python


def test_a_family_is_counted_with_its_children() -> None:
    work = "import time\nwhile time.process_time() < 0.2: pass\nprint(1, flush=True)\ninput()"
    before = machine.processor_seconds(os.getpid())
    with subprocess.Popen([sys.executable, "-c", work], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stdin is not None
        child.stdout.readline()
        assert child.pid in machine.family(os.getpid())
        assert machine.processor_seconds(os.getpid()) - before >= 0.15
        assert 0 < machine.resident_bytes(child.pid) <= machine.peak_resident_bytes(child.pid)
        child.stdin.write(b"\n")
    for _ in range(100):
        if child.pid not in machine.family(os.getpid()):
            break
        time.sleep(0.01)
    assert child.pid not in machine.family(os.getpid())


def test_a_process_is_named_by_its_script() -> None:
    with subprocess.Popen(
        [sys.executable, "-P", "/usr/lib/none/worker_main.py", "3"],
        stderr=subprocess.DEVNULL,
    ) as child:
        assert machine.command_of(child.pid) in ("worker_main.py", "?")
    assert machine.command_of(2**22 + 1) == "?"
    assert machine.resident_bytes(2**22 + 1) == 0
