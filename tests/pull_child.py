"""A process that pulls a model and kills itself at a chosen moment: `pull_child.py HOME URL [MODE NUMBER]`.

MODE `bytes`: at the first report of at least NUMBER bytes. MODE `sweep`: not once but at every step that changes the
file system (NUMBER is the first), each in a fork with a home of its own; prints a JSON line for each.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from talkie.models.store import ModelStore

MINE = "hf:me/mine"
CHANGES = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.truncate"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def make_store(home: Path, url: str) -> ModelStore:
    return ModelStore(home, endpoint=url, offline=False)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_at_step(number: int, home: str) -> None:
    """Die just before the numbered change of a file under `home`."""
    count = 0

    def watch(event: str, args: tuple[Any, ...]) -> None:
        nonlocal count
        changes = event in CHANGES or (event == "open" and isinstance(args[2], int) and args[2] & WRITES)
        if changes and str(args[0]).startswith(home):
            if count == number:
                die()
            count += 1

    sys.addaudithook(watch)


def pull_in_fork(home: Path, url: str, number: int | None) -> bool:
    """True when the fork came to its end."""
    child = os.fork()
    if child == 0:
        if number is not None:
            die_at_step(number, str(home))
        make_store(home, url).pull(MINE)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return status == 0


def sweep(home: Path, url: str, number: int) -> None:
    finished = False
    while not finished:
        place = home / str(number)
        finished = pull_in_fork(place, url, number)
        store = make_store(place, url)
        after_kill = [problem for verdict in store.verify() for problem in verdict.problems]
        names = [model.name for model in store.list(broken=True)]
        mended = pull_in_fork(place, url, None)
        after_pull = [problem for verdict in store.verify() for problem in verdict.problems]
        final = [model.name for model in store.list()]
        left = [path.name for path in store.tmp.rglob("*") if path.suffix != ".lock" and path.name != "pull"]
        facts = (number, finished, after_kill, names, mended, after_pull, final, left)
        keys = ("step", "finished", "after_kill", "names", "mended", "after_pull", "final", "left")
        print(json.dumps(dict(zip(keys, facts, strict=True))), flush=True)
        number += 1


def main() -> None:
    home, url, mode, number = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    if mode == "sweep":
        sweep(home, url, number)
    else:
        make_store(home, url).pull(MINE, progress=lambda done, total, file: die() if done >= number else None)


if __name__ == "__main__":
    import filelock  # noqa: F401 - all this before the forks, once
    from huggingface_hub import HfApi, errors, get_session, hf_hub_url  # noqa: F401
    from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # noqa: F401

    get_session()

    main()
