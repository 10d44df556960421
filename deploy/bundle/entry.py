"""The program of the one folder: `talkie`, and the little of `python` that Talkie asks of its own interpreter.

There is no interpreter in the folder: `sys.executable` is this program. Talkie starts other processes of itself as
`python -P worker_main.py ...` and `python -m talkie...`, and both are understood here, so that nothing else has to
know. Every other first argument is one of `talkie`'s.
"""

from __future__ import annotations

import os
import runpy
import sys

WORKER, MODULE = "-P", "-m"
WORKER_FILE = "worker_main.py"


def main(arguments: list[str]) -> None:
    leave_system_programs_alone()
    if arguments[:1] == [WORKER] and arguments[1:] and os.path.basename(arguments[1]) == WORKER_FILE:  # noqa: PTH119
        from talkie.engines import worker_main

        worker_main.main(arguments[2:])
    elif arguments[:1] == [MODULE] and arguments[1:] and arguments[1].partition(".")[0] == "talkie":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        from talkie.cli.main import run

        run()


def leave_system_programs_alone() -> None:
    """Players and other programs that Talkie starts must find the system's libraries, not those of the folder.

    The start-up code has pointed `LD_LIBRARY_PATH` at the folder; ours are loaded by now, or find each other by their
    own paths.
    """
    before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    if before is not None:
        os.environ["LD_LIBRARY_PATH"] = before
    else:
        os.environ.pop("LD_LIBRARY_PATH", None)


if __name__ == "__main__":
    main(sys.argv[1:])
