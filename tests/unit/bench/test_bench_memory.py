"""The memory bench: its long file and its table; the server itself is measured by `make bench`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from talkie.bench.memory import MemoryResult, Resident, as_table, write_speech


def test_the_long_file_is_as_long_as_asked_and_full_of_speech(tmp_path: Path) -> None:
    write_speech(tmp_path / "long.flac", 45.5)
    samples, rate = soundfile.read(tmp_path / "long.flac")
    assert (rate, len(samples)) == (16_000, 728_000)
    seconds = np.abs(samples[: 45 * rate]).reshape(45, rate).max(axis=1)
    assert (seconds > 0.05).all()


def test_processes_are_listed_and_added_up() -> None:
    server, worker = (
        Resident("talkie serve", 100_000_000, 200_000_000, 150_000_000),
        Resident("worker_main.py", 1, 2, 3),
    )
    result = MemoryResult("sphinx-en", 30.0, 600.0, 500.0, (server, worker))
    lines = as_table(result).splitlines()
    assert lines[0].split("  ")[-1].strip() == "after"
    assert lines[-1].split() == ["together", "100", "MB", "200", "MB", "150", "MB"]
    assert result.as_json()["processes"][0] == {"name": "talkie serve", "idle_mb": 100, "most_mb": 200, "after_mb": 150}
    assert result.as_json()["rtfx"] == 3.0
