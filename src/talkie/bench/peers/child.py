"""One peer at work in a process of its own: started, asked in lines of JSON, measured, ended.

The environment of the process says how many threads its libraries may use before any of them is loaded. Every wait has
an end, and whatever was started is ended with it. Knows nothing of workloads, of rounds, or of what the answers mean.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from talkie.bench.machine import family, peak_resident_bytes
from talkie.bench.peers.answers import Clips, Heard, Loaded, clips_of, heard_of, loaded_of
from talkie.errors import EngineFailed

KEPT_LINES = 20
MAX_LINE_CHARS = 32 << 20
MAX_SAID_CHARS = 2000
END_S, DRAIN_S = 10.0, 1.0
Answer = TypeVar("Answer", Loaded, Heard, Clips)
THREAD_NAMES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class LoadWish:
    """How a peer is to load a model, on `threads` processors for each of `workers` (Talkie divides them its own way).

    `batch` 0: one window at a time. `options` go to its library by name. Not all peers know every `device`.
    """

    model: Path
    compute_type: str = "int8"
    threads: int = 1
    batch: int = 0
    beam: int = 1
    words: bool = False
    vad: bool = True
    language: str = "en"
    workers: int = 1
    device: str = "cpu"
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Patience:
    """The longest that each kind of work may take."""

    load_s: float = 600.0
    work_s: float = 3600.0


class PeerChild:
    """A context manager around one process. Belongs to one thread."""

    def __init__(self, name: str, python: Path, script: Path, *, threads: int = 1, patience: Patience | None = None):
        self.name = name
        self._command = [*_environment(python, threads), str(python), str(script)]
        self._patience = patience or Patience()
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[str] = queue.Queue(maxsize=16)
        self._said: deque[str] = deque(maxlen=KEPT_LINES)
        self._readers: tuple[threading.Thread, ...] = ()
        self._peak_bytes = 0

    def __enter__(self) -> PeerChild:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self._kill()

    def start(self) -> None:
        """Raises `EngineFailed`."""
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                start_new_session=True,  # so that all of it can be ended together
            )
        except OSError as error:
            raise EngineFailed(self.name, f"it could not be started: {error.strerror}") from error
        self._readers = tuple(
            threading.Thread(target=read, args=(self._process,), daemon=True)
            for read in (self._read_answers, self._read_words)
        )
        for reader in self._readers:
            reader.start()

    def load(self, wish: LoadWish) -> Loaded:
        """Import the library and load the model. Raises `EngineFailed`, as all of these do."""
        asked = {**asdict(wish), "model": str(wish.model)}
        return self._parsed(loaded_of, self._ask("load", asked, self._patience.load_s))

    def transcribe(self, path: Path) -> Heard:
        """One file."""
        return self._parsed(heard_of, self._ask("transcribe", {"path": str(path)}, self._patience.work_s))

    def clips(self, paths: Sequence[Path], clients: int, each: int) -> Clips:
        """Many clients at once, each with its clips one after the other."""
        asked = {"paths": [str(path) for path in paths], "clients": clients, "each": each}
        return self._parsed(clips_of, self._ask("clips", asked, self._patience.work_s))

    def peak_bytes(self) -> int:
        """The most that the process and its descendants had in RAM, each at its own worst moment, added up."""
        if self._process is not None and self._process.poll() is None:
            members = family(self._process.pid)
            self._peak_bytes = max(self._peak_bytes, sum(peak_resident_bytes(pid) for pid in members))
        return self._peak_bytes

    def close(self) -> None:
        """End it kindly, then by force. May be called again."""
        process = self._process
        if process is None:
            return
        with suppress(OSError, ValueError):
            assert process.stdin is not None
            process.stdin.write(json.dumps({"do": "end"}) + "\n")
            process.stdin.flush()
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_S)
        self._kill()

    def _ask(self, do: str, asked: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        process = self._process
        if process is None:
            raise EngineFailed(self.name, "it is not running")
        if not self._answers.empty() and self._answers.get_nowait():
            self._kill()
            raise self._failed("it spoke without being asked")
        try:
            assert process.stdin is not None
            process.stdin.write(json.dumps({"do": do, **asked}) + "\n")
            process.stdin.flush()
            line = self._answers.get(timeout=timeout_s)
        except OSError:
            raise self._lost(process) from None
        except queue.Empty:
            self._kill()
            raise self._failed(f"{do} took longer than {timeout_s:g} s") from None
        if not line:
            raise self._lost(process)
        answer = self._decoded(line)
        self.peak_bytes()
        if answer.get("ok") is not True:
            raise self._failed(f"{do}: {answer.get('error', 'no reason given')}")
        return answer

    def _decoded(self, line: str) -> dict[str, Any]:
        with suppress(ValueError):
            answer = json.loads(line)
            if isinstance(answer, dict):
                return answer
        self._kill()
        raise self._failed(f"an answer was not a JSON object: {line[:80]!r}")

    def _parsed(self, parse: Callable[[dict[str, Any]], Answer], answer: dict[str, Any]) -> Answer:
        try:
            return parse(answer)
        except (KeyError, TypeError, ValueError) as error:
            raise self._failed(f"an answer lacks something: {error!r}") from error

    def _lost(self, process: subprocess.Popen[str]) -> EngineFailed:
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_S)
        code = process.poll()
        self._kill()
        return self._failed("its process closed its answers" if code is None else f"its process ended with {code}")

    def _failed(self, why: str) -> EngineFailed:
        said = "\n".join(self._said)
        return EngineFailed(self.name, f"{why}. It said:\n{said}" if said else why)

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        with suppress(OSError):
            if process.stdin is not None:
                process.stdin.close()
        for reader in self._readers:
            reader.join(DRAIN_S)

    def _read_answers(self, process: subprocess.Popen[str]) -> None:
        """Each answer in turn, then an empty one for the end."""
        with suppress(OSError, ValueError):
            assert process.stdout is not None
            with process.stdout as stream, suppress(queue.Full):
                while line := stream.readline(MAX_LINE_CHARS):
                    self._answers.put_nowait(line)
        with suppress(queue.Full):
            self._answers.put_nowait("")

    def _read_words(self, process: subprocess.Popen[str]) -> None:
        with suppress(OSError, ValueError):
            assert process.stderr is not None
            with process.stderr as stream:
                while line := stream.readline(MAX_SAID_CHARS):
                    self._said.append(line.rstrip())


def _environment(python: Path, threads: int) -> list[str]:
    """Variables for the child, by env(1): its threads, its own programs first, and no look at the network."""
    values = dict.fromkeys(THREAD_NAMES, str(threads))
    values |= {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}
    values["PATH"] = f"{python.parent}:/usr/local/bin:{os.defpath}"
    return ["env", *(f"{name}={value}" for name, value in values.items())]
