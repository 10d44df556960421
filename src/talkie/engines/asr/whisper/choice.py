"""What was chosen for a model on this machine, kept as one small JSON file beside its converted forms.

Knows nothing of how a choice is made. What is kept counts only for the same weights, processor and libraries, and
machines of several kinds that share a volume each have their own; a file that is damaged, or of another version, is as
good as none.
"""

from __future__ import annotations

import hashlib
import json
import platform
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from talkie.engines.asr.whisper import hardware
from talkie.engines.asr.whisper.model_files import ModelFiles
from talkie.engines.asr.whisper.openvino.converted import fingerprint

MEMORY = "choice.json"
VERSION = 2
MAX_BYTES = 64 * 1024
MAX_MACHINES = 8
"""Choices for one compute type that are kept; the oldest go."""
FIRST_START, TUNE = "first start", "tune"
_CPU_INFO = Path("/proc/cpuinfo")
_FOR_ALL_TO_READ = 0o644


@dataclass(frozen=True, slots=True)
class Choice:
    """A library and its numbers. 0 threads, workers or batch, and an empty `vectors`: as they are by default.

    `vectors` is CTranslate2's instruction set; `measured` the time in UTC, by ISO 8601; `by` whoever measured.
    """

    backend: str
    compute_type: str
    reason: str
    threads: int = 0
    workers: int = 0
    max_batch: int = 0
    vectors: str = ""
    measured: str = ""
    by: str = FIRST_START


def recall(directory: Path, files: ModelFiles, asked: str, processor: str = "") -> Choice | None:
    """What was chosen here for this compute type; None: nothing that still counts. `processor`: this one's if empty."""
    now = circumstances(files, processor)
    found = (entry.get("choice") for entry in _entries(directory, asked) if entry.get("circumstances") == now)
    return _choice(next(found, None))


def remember(directory: Path, files: ModelFiles, asked: str, choice: Choice, processor: str = "") -> None:
    """Raises `OSError` where it cannot be written."""
    path, now = directory / MEMORY, circumstances(files, processor)
    others = [entry for entry in _entries(directory, asked) if entry.get("circumstances") != now]
    entries = [{"circumstances": now, "choice": asdict(choice)}, *others[: MAX_MACHINES - 1]]
    choices = {**_read(path), asked: entries}
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{MEMORY}-", dir=directory) as beside:
        made = Path(beside) / MEMORY
        made.write_text(json.dumps({"version": VERSION, "choices": choices}, indent=1), encoding="utf-8")
        made.chmod(_FOR_ALL_TO_READ)
        made.replace(path)


def circumstances(files: ModelFiles, processor: str = "") -> dict[str, str]:
    """What a choice depends on."""
    libraries = ", ".join(f"{name} {_version(name)}" for name in ("openvino", "ctranslate2"))
    return {"model": fingerprint(files), "processor": processor or _processor(), "libraries": libraries}


def _entries(directory: Path, asked: str) -> list[dict[str, Any]]:
    """Newest first."""
    entries = _read(directory / MEMORY).get(asked)
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_BYTES:
            return {}
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(content, dict) or content.get("version") != VERSION:
        return {}
    choices = content.get("choices")
    return choices if isinstance(choices, dict) else {}


def _choice(values: Any) -> Choice | None:
    if not isinstance(values, dict):
        return None
    kinds = {field.name: int if field.name in ("threads", "workers", "max_batch") else str for field in fields(Choice)}
    if set(values) != set(kinds) or any(type(values[name]) is not kind for name, kind in kinds.items()):
        return None
    return Choice(**values)


def _version(package: str) -> str:
    """As its installation is named, which is found sooner than the metadata is read."""
    spec = find_spec(package)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        for found in Path(place).parent.glob(f"{package}-*.dist-info"):
            return found.name.removesuffix(".dist-info").partition("-")[2]
    return "missing"


@cache
def _processor() -> str:
    """Its name, what it can do, and how much of it is ours."""
    with suppress(OSError):
        lines = _CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines()
        facts = {line.partition(":")[0].strip(): line.partition(":")[2].strip() for line in reversed(lines)}
        flags = hashlib.sha256(facts.get("flags", facts.get("Features", "")).encode()).hexdigest()[:12]
        return f"{facts.get('model name', platform.machine())}, {hardware.physical_cores()} cores, {flags}"
    return f"{platform.processor() or platform.machine()}, {hardware.physical_cores()} cores"
