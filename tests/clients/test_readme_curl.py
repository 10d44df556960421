"""The curl lines of the README, run as they stand (with the port of the test's own server)."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from server_fixtures import ON_SERVER, speech_wav
from server_process import ServerProcess

README = Path(__file__).parents[2] / "README.md"
HERE = "http://127.0.0.1:8000"

pytestmark = [ON_SERVER, pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")]


def curl_lines() -> list[str]:
    """Commands of the `bash` blocks that call curl on a plain local server; a line may go on after a backslash."""
    blocks = re.findall(r"```(?:bash|sh|console)\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip().startswith("curl ") and HERE in line]


def test_there_are_examples() -> None:
    assert any("/v1/audio/transcriptions" in line for line in curl_lines())


@pytest.mark.parametrize("line", curl_lines())
def test_a_line_does_what_it_says(line: str, server: ServerProcess, tmp_path: Path) -> None:
    for name in re.findall(r"@([\w.-]+)", line):
        (tmp_path / name).write_bytes(speech_wav())
    server.wait_ready()
    command = line.replace(HERE, server.url).replace("curl ", "curl --fail-with-body --silent --show-error ", 1)
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    written = re.search(r" -o (\S+)", line)
    assert (tmp_path / written[1]).stat().st_size > 1000 if written else done.stdout.strip()
