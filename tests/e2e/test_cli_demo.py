"""`talkie demo` as a process: a real server, a real voice, a real ear."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from server_process import TALKIE, environment


@pytest.mark.slow
def test_the_whole_way_once_round(tmp_path: Path) -> None:
    command = [*TALKIE, "demo", "--home", str(tmp_path / "home"), "-o", str(tmp_path / "kept")]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=110, cwd=tmp_path, env=environment(), check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["1.wav", "2.wav", "3.wav", "4.wav"]
    for words in ("heard  ", "times  0.", "start to ready", "word error rate", "Try next:", "talkie pull whisper-base"):
        assert words in done.stdout or words.replace("talkie ", "") in done.stdout


def test_a_server_that_does_not_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("in the way")
    command = [*TALKIE, "demo", "--home", str(tmp_path / "home")]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=110,
        cwd=tmp_path,
        env=environment({"TALKIE_PORT": "7"}),
        check=False,
    )
    assert done.returncode in (1, 2, 4) and "error: " in done.stderr and "Traceback" not in done.stderr
