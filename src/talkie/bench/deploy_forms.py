"""A form that Talkie is run in, and the plain ones: a program of this machine, installed or in one folder.

A form starts a server with the settings it is given and says where it answers and which processes it is made of. What
is asked of the server, and what its figures mean, it does not know.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from talkie.bench.machine import family
from talkie.bench.served import end_process
from talkie.errors import EngineFailed

STOP_S = 30.0
KEPT_BYTES = 3000
BLOCK_BYTES = 512


@dataclass(frozen=True, slots=True)
class StartWish:
    """How the server is to run: its own settings, the model's directory (or a name), and a certificate for TLS.

    `home` is the form's own directory, the same at every start, so that a later start finds what an earlier one made.
    """

    home: Path
    model: str
    key: str
    settings: Mapping[str, str] = field(default_factory=dict)
    tls: Path | None = None

    def environment(self, home: str, model: str, tls: str, port: int, host: str = "127.0.0.1") -> dict[str, str]:
        """The settings as the process sees them, with the paths that it knows."""
        given = {"home": home, "model": model, "host": host, "port": str(port), "api_key": self.key, "log_json": "true"}
        certificate = {"tls_cert": f"{tls}/cert.pem", "tls_key": f"{tls}/key.pem"} if self.tls else {}
        return {f"TALKIE_{name.upper()}": value for name, value in {**given, **certificate, **self.settings}.items()}

    def url(self, port: int) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{port}"


@dataclass(frozen=True, slots=True)
class Running:
    """A server that was started at `began` (monotonic seconds), though perhaps not ready.

    `pids` are the server and its workers, `around` what else the form keeps alive for it; both are looked up when
    asked for. `alive` is False once it has ended, and `words` is the last of what it said.
    """

    url: str
    began: float
    pids: Callable[[], Sequence[int]]
    around: Callable[[], Sequence[int]]
    alive: Callable[[], bool]
    words: Callable[[], str]


class FormAbsent(Exception):
    """Why a form cannot be had on this machine; a row of the report says so."""


class Form(Protocol):
    """One way to run Talkie. `close` removes what its starts left behind."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    def disk(self) -> dict[str, int]: ...

    def start(self, wish: StartWish) -> AbstractContextManager[Running]: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class ProgramForm:
    """`command` is a program here, with or without arguments before `serve`; `parts` is what it takes on the disk."""

    name: str
    title: str
    command: tuple[str, ...]
    parts: Mapping[str, Path]

    def disk(self) -> dict[str, int]:
        return {part: bytes_below(path) for part, path in self.parts.items()}

    @contextlib.contextmanager
    def start(self, wish: StartWish) -> Iterator[Running]:
        port = free_port()
        environment = wish.environment(str(wish.home), wish.model, str(wish.tls), port)
        wish.home.mkdir(parents=True, exist_ok=True)
        with started([*with_environment(environment), *self.command, "serve"], wish.url(port)) as running:
            yield running

    def close(self) -> None:
        pass


def program(name: str, title: str, command: Sequence[str], parts: Mapping[str, Path]) -> ProgramForm:
    """Raises `FormAbsent` when the program is not there."""
    if not command or shutil.which(command[0]) is None:
        raise FormAbsent(f"there is no program {' '.join(command[:1]) or 'named'}")
    return ProgramForm(name, title, tuple(command), parts)


@contextlib.contextmanager
def started(command: Sequence[str], url: str, began: float | None = None) -> Iterator[Running]:
    """A child process that is the server, its log in a file; it is stopped at the end."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        began = time.monotonic() if began is None else began
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            yield Running(
                url,
                began,
                pids=lambda: family(process.pid),
                around=lambda: (),
                alive=lambda: process.poll() is None,
                words=lambda: last_words(log),
            )
        finally:
            end_process(process, STOP_S)


def last_words(log: IO[str]) -> str:
    log.seek(0, os.SEEK_END)
    log.seek(max(0, log.tell() - KEPT_BYTES))
    return log.read()


def with_environment(values: Mapping[str, str]) -> list[str]:
    return ["env", *(f"{name}={value}" for name, value in values.items())]


def told(command: Sequence[str], who: str, timeout_s: float = 600.0) -> str:
    """What a program prints. Raises `EngineFailed` with its last words when it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=timeout_s, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineFailed(who, f"{command[0]} could not be run: {error}") from error
    if done.returncode != 0:
        raise EngineFailed(who, f"{' '.join(command[:3])} ended with {done.returncode}: {done.stderr[-500:].strip()}")
    return done.stdout.strip()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def bytes_below(path: Path) -> int:
    """What a file or a directory takes on the disk, links not followed and each file counted once."""
    seen: set[tuple[int, int]] = set()
    total = 0
    for place in (path, *path.rglob("*")) if path.is_dir() else (path,):
        with contextlib.suppress(OSError):
            found = place.lstat()
            if (found.st_dev, found.st_ino) not in seen:
                seen.add((found.st_dev, found.st_ino))
                total += found.st_blocks * BLOCK_BYTES
    return total
