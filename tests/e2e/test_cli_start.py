"""How `talkie` starts: at once, and without what a command does not need."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from server_process import TALKIE, environment

LIST_MODULES = """
import json, sys
from talkie.cli.main import run
try:
    run(sys.argv[1:])
except SystemExit as ended:
    code = ended.code
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""
HEAVY = {"numpy", "torch", "faster_whisper", "ctranslate2", "onnxruntime", "av", "soundfile", "pocketsphinx", "fastapi"}
HEAVY |= {"uvicorn", "pydantic_settings", "huggingface_hub", "httpx", "rich", "asyncio"}


def talkie(*arguments: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    command = [*TALKIE, *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, cwd=cwd, env=environment(env), check=False
    )


def modules(cwd: Path, *arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", LIST_MODULES, *arguments],
        capture_output=True, text=True, timeout=60, cwd=cwd, env=environment(), check=True,
    )  # fmt: skip
    code, names = json.loads(done.stderr.splitlines()[-1])
    assert code == 0
    return set(names)


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("transcribe", "--help"), ("serve", "--help")])
def test_help_imports_nothing_heavy(arguments: tuple[str, ...], tmp_path: Path) -> None:
    assert not modules(tmp_path, *arguments) & HEAVY


def test_torch_is_never_imported(tmp_path: Path) -> None:
    imported = modules(tmp_path, "doctor", "--home", str(tmp_path))
    assert "ctranslate2" in imported and not imported & {"torch", "faster_whisper", "tensorflow"}


def test_as_a_module(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "talkie", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path, check=True)
    assert done.stdout.startswith("talkie ") and done.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str, tmp_path: Path) -> None:
    words = {"bash": {"COMP_WORDS": "talkie tr", "COMP_CWORD": "1"}}.get(shell, {"_TYPER_COMPLETE_ARGS": "talkie tr"})
    fish = {"_TYPER_COMPLETE_FISH_ACTION": "get-args"} if shell == "fish" else {}
    done = talkie(cwd=tmp_path, _TALKIE_COMPLETE=f"complete_{shell}", **words, **fish)
    assert "transcribe" in done.stdout and "serve" not in done.stdout, done


def test_errors_have_no_colours_and_a_hint(tmp_path: Path) -> None:
    done = talkie("show", "whisper-nonsense", cwd=tmp_path, NO_COLOR="1")
    assert done.returncode == 4 and done.stdout == "" and "\x1b" not in done.stderr
    first, second = done.stderr.splitlines()
    assert first.startswith("error: ") and second.startswith("hint: ")


def test_a_reader_that_leaves_early(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*TALKIE, "list", "--all"], stdout=write, stderr=subprocess.PIPE, text=True, timeout=60, cwd=tmp_path,
        env=environment(), check=False,
    )  # fmt: skip
    os.close(write)
    assert done.returncode == 1 and "Traceback" not in done.stderr and "error" not in done.stderr
