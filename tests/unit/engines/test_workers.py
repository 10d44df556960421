"""Worker processes: nothing lost, nothing left behind, whatever happens to the process or to us."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from talkie.engines.workers import WorkerLost, WorkerPool, WorkerSpec
from talkie.errors import Cancelled, EngineFailed, QueueFull, ShuttingDown

ECHO = WorkerSpec("echo", "worker_tasks:EchoTask", arena_bytes=1 << 16, load_timeout_s=30, call_timeout_s=30)


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    made = WorkerPool(ECHO, max_waiting=1, restarts=3)
    yield made
    made.close()


def gone(pid: int) -> bool:
    """No such process, not even as a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def until(condition: Any, limit_s: float = 20.0) -> bool:
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def test_values_and_sound_go_through_and_come_back(pool: WorkerPool) -> None:
    sound = np.linspace(-1, 1, 1000, dtype=np.float32)
    reply = pool.call("double", {}, sound)
    np.testing.assert_array_equal(np.frombuffer(reply.payload, np.float32), sound * 2)
    assert pool.call("echo", {"a": [1, "ß"]}).values["args"] == {"a": [1, "ß"]}


def test_a_talkative_library_reaches_no_terminal(pool: WorkerPool, capfd: pytest.CaptureFixture[str]) -> None:
    pool.call("echo")
    assert capfd.readouterr() == ("", "")


def test_the_worker_is_another_process_and_imports_only_its_engine(pool: WorkerPool) -> None:
    values = pool.call("echo").values
    assert values["pid"] in pool.pids()
    assert values["pid"] != os.getpid()
    assert not {"pytest", "talkie.engines.workers", "ctranslate2", "typer"} & set(values["modules"])


def test_ready_says_when_the_engine_has_loaded() -> None:
    pool = WorkerPool(WorkerSpec("echo", ECHO.task, {"load_delay_s": 0.3}, arena_bytes=4096))
    try:
        assert not pool.ready()
        assert until(pool.ready)
        assert pool.call("add", {"value": 1}).values == {"sum": 1}
    finally:
        pool.close()


def test_an_exception_is_told_and_the_worker_lives_on(pool: WorkerPool) -> None:
    before = pool.call("echo").values["pid"]
    with pytest.raises(EngineFailed, match="ValueError: not like that"):
        pool.call("raise")
    with pytest.raises(EngineFailed):
        pool.call("too_much", {"bytes": (1 << 16) + 1})
    with pytest.raises(EngineFailed, match="do not fit"):
        pool.call("echo", {}, bytes((1 << 16) + 1))
    assert pool.call("echo").values["pid"] == before


def test_a_lost_job_is_tried_once_more(tmp_path: Path) -> None:
    pool = WorkerPool(WorkerSpec("echo", ECHO.task, {"marker": str(tmp_path / "died")}, arena_bytes=4096))
    try:
        first = pool.pids()
        assert pool.call("die_once").values["pid"] not in first
        assert all(gone(pid) for pid in first)
    finally:
        pool.close()


def test_a_job_that_kills_twice_is_given_up_and_the_next_one_works(pool: WorkerPool) -> None:
    with pytest.raises(WorkerLost, match="status -6"):
        pool.call("die")
    assert pool.call("add", {"value": 2}).values == {"sum": 2}


def test_restarts_are_bounded() -> None:
    pool = WorkerPool(ECHO, restarts=1)
    try:
        with pytest.raises(EngineFailed):
            pool.call("die")
        with pytest.raises(EngineFailed, match="ended 1 times within a minute"):
            pool.call("echo")
        assert not pool.ready()
    finally:
        pool.close()


def test_an_engine_that_cannot_load_says_why() -> None:
    pool = WorkerPool(WorkerSpec("broken", "worker_tasks:BrokenTask", arena_bytes=4096), restarts=2)
    try:
        with pytest.raises(EngineFailed, match="RuntimeError: the model is missing"):
            pool.call("echo")
        assert not pool.ready()
    finally:
        pool.close()


def test_a_worker_killed_while_idle_is_replaced(pool: WorkerPool) -> None:
    [before] = [pool.call("echo").values["pid"]]
    os.kill(before, signal.SIGKILL)
    assert pool.call("echo").values["pid"] != before
    assert gone(before)


def test_a_job_over_its_time_takes_the_process_with_it(pool: WorkerPool) -> None:
    before = pool.call("echo").values["pid"]
    with pytest.raises(EngineFailed, match="no answer within"):
        pool.call("sleep", {"s": 60}, timeout_s=0.1)
    assert gone(before)
    assert pool.call("echo").values["pid"] != before


def test_cancelling_ends_the_work(pool: WorkerPool) -> None:
    before = pool.call("echo").values["pid"]
    asked = threading.Event()
    asked.set()
    with pytest.raises(Cancelled):
        pool.call("sleep", {"s": 60}, cancelled=asked.is_set)
    assert gone(before)


def test_the_queue_is_bounded(pool: WorkerPool) -> None:
    with pool.lease() as lease:
        lease.ask("echo")
        with pytest.raises(QueueFull), pool.lease(wait_s=0.01):
            pass
        waiter = threading.Thread(target=pool.call, args=("echo",))
        waiter.start()
        assert until(lambda: pool._waiting == 1)
        with pytest.raises(QueueFull):
            pool.call("echo")
    waiter.join()


def test_a_lease_keeps_one_worker_for_several_requests() -> None:
    pool = WorkerPool(ECHO, workers=2)
    try:
        with pool.lease() as one, pool.lease() as other:
            assert [one.ask("add", {"value": 1}).values["sum"] for _ in range(3)] == [1, 2, 3]
            assert other.ask("add", {"value": 1}).values["sum"] == 1
    finally:
        pool.close()


def test_a_lease_that_has_ended_cannot_be_used(pool: WorkerPool) -> None:
    with pool.lease() as lease:
        pass
    with pytest.raises(RuntimeError, match="ended"):
        lease.ask("echo")


def test_a_machine_without_room_for_a_process_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("talkie.engines.worker_process.sys.executable", "/no/such/python")
    gc.collect()  # what earlier tests left behind is closed now and not meanwhile
    before = open_descriptors()
    with pytest.raises(EngineFailed, match="cannot start: No such file"):
        WorkerPool(ECHO)
    gc.collect()
    assert open_descriptors() <= before


def test_map_uses_all_workers_and_keeps_the_order() -> None:
    pool = WorkerPool(ECHO, workers=2)
    try:
        pids = pool.map(lambda s: pool.call("sleep", {"s": s}).values["pid"], [0.2, 0.2])
        assert len(set(pids)) == 2
        assert pool.map(lambda n: pool.call("echo", {"n": n}).values["args"]["n"], range(9)) == list(range(9))
    finally:
        pool.close()


def test_close_leaves_no_process_and_wakes_who_waits(pool: WorkerPool) -> None:
    pids = pool.pids()
    seen: list[BaseException] = []

    def work() -> None:
        try:
            pool.call("sleep", {"s": 60})
        except BaseException as error:
            seen.append(error)

    busy = [threading.Thread(target=work) for _ in range(2)]  # one asks, one waits for the worker
    for thread in busy:
        thread.start()
    assert until(lambda: pool._waiting == 1)
    pool.close()
    for thread in busy:
        thread.join()
    assert all(gone(pid) for pid in pids)
    assert len(seen) == 2 and all(isinstance(error, ShuttingDown | EngineFailed) for error in seen)
    with pytest.raises(ShuttingDown):
        pool.call("echo")
    pool.close()


def test_a_forgotten_pool_ends_its_workers() -> None:
    pool = WorkerPool(ECHO)
    pids = pool.pids()
    before = open_descriptors()
    del pool
    gc.collect()
    assert all(gone(pid) for pid in pids)
    assert open_descriptors() < before


def test_no_descriptor_is_left_behind() -> None:
    WorkerPool(ECHO).close()
    before = open_descriptors()
    for _ in range(3):
        WorkerPool(ECHO).close()
    assert open_descriptors() == before


PARENT = """
import os, sys, threading, time
from talkie.engines.workers import WorkerPool, WorkerSpec
pool = WorkerPool(WorkerSpec("echo", "worker_tasks:EchoTask", arena_bytes=4096))
print(pool.call("echo").values["pid"], flush=True)
threading.Thread(target=pool.call, args=("sleep", {"s": 60}), daemon=True).start()
time.sleep(60 if sys.argv[1] == "killed" else 0.1)
"""


@pytest.mark.parametrize("how", ["killed", "ended"])
def test_a_busy_worker_does_not_outlive_its_parent(how: str, tmp_path: Path) -> None:
    path = os.pathsep.join(entry for entry in sys.path if entry)
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, how],
        stdout=subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
    ) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        time.sleep(0.1)  # into the long job
        if how == "killed":
            parent.kill()
        parent.wait()
    assert until(lambda: gone(worker), 10)


def test_a_file_in_the_working_directory_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('imported from the working directory')")
    monkeypatch.chdir(tmp_path)
    pool = WorkerPool(ECHO)
    try:
        assert pool.call("add", {"value": 3}).values == {"sum": 3}
    finally:
        pool.close()
