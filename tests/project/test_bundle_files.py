"""The one folder and its fleet: what they name exists, and what they do to a server can be undone."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from sources import ROOT

BUNDLE, FLEET = ROOT / "deploy" / "bundle", ROOT / "deploy" / "fleet"
ENTRY = BUNDLE / "entry.py"
ROLL = FLEET / "roll.sh"


def entry(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The folder's program, run by Python from its file."""
    environment = {**os.environ, "LD_LIBRARY_PATH": "/folder", "LD_LIBRARY_PATH_ORIG": "/before"}
    command = [sys.executable, str(ENTRY), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=60, check=False, stdin=subprocess.DEVNULL
    )


def roll(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", str(ROLL), *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.fixture
def server(tmp_path: Path) -> Path:
    """A server with two releases, of which the first runs."""
    for name in ("1", "2"):
        program = tmp_path / "releases" / name / "talkie"
        program.parent.mkdir(parents=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    assert roll("switch", tmp_path, "1").returncode == 0
    return tmp_path


def test_everything_that_builds_the_folder_is_by_hash() -> None:
    lines = (BUNDLE / "pyinstaller.txt").read_text().replace("\\\n", " ").splitlines()
    wanted = [line for line in lines if line and not line.lstrip().startswith("#")]
    assert any(line.startswith("pyinstaller==") for line in wanted)
    assert all("--hash=sha256:" in line for line in wanted)


def test_pyinstaller_is_no_dependency_of_the_project() -> None:
    packages = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    assert not [package for package in packages if package["name"].startswith("pyinstaller")]


def test_what_the_spec_leaves_out_nothing_says_it_needs() -> None:
    """Whatever stays out of the folder must be one of several, or not be named by an engine of the base at all."""
    from talkie.engines.registry import BUILT_IN

    tree = ast.parse((BUNDLE / "talkie.spec").read_text(encoding="utf-8"))
    given = next(node.value for node in tree.body if isinstance(node, ast.Assign) and "LEFT_OUT" in ast.dump(node))
    left_out = set(ast.literal_eval(given))
    assert {"ctranslate2", "onnxruntime"} <= left_out
    for engine in BUILT_IN:
        assert not left_out & set(engine.needs)
        assert not engine.needs_one or set(engine.needs_one) - left_out


def test_the_program_is_talkie() -> None:
    done = entry("--version")
    assert done.returncode == 0
    assert re.fullmatch(r"talkie [\d.]+\n", done.stdout)


def test_the_program_stands_in_for_python_where_talkie_asks_for_it() -> None:
    """As the commands that measure and the demo start a server, and as engines start their workers."""
    assert entry("-m", "talkie", "--version").stdout == entry("--version").stdout
    worker = entry("-P", "/anywhere/worker_main.py", "0", "0", "0")
    assert (worker.returncode, worker.stdout, worker.stderr) == (0, "", ""), "nobody is at the other end of it"
    assert entry("-m", "http.server").returncode == 2, "of other modules it knows nothing"


def test_system_programs_find_the_libraries_of_the_system(tmp_path: Path) -> None:
    code = "import entry, os; entry.leave_system_programs_alone(); print(os.environ.get('LD_LIBRARY_PATH'))"
    for given, wanted in (({"LD_LIBRARY_PATH_ORIG": "/before"}, "/before"), ({}, "None")):
        environment = {**os.environ, "LD_LIBRARY_PATH": "/folder", **given}
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=BUNDLE, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == wanted


def test_the_play_comes_in_waves_and_stops() -> None:
    text = (FLEET / "play.yaml").read_text(encoding="utf-8")
    assert 'serial: [1, "10%", "100%"]' in text
    assert "max_fail_percentage: 0" in text
    asked = set(re.findall(r"roll\.sh (\w+)", text))
    known = re.search(r"^    ([\w |]+)\) \"\$@\"", ROLL.read_text(encoding="utf-8"), re.MULTILINE)
    assert known is not None
    assert asked == set(known[1].split(" | "))


def test_a_switch_can_be_undone(server: Path) -> None:
    assert roll("switch", server, "2").returncode == 0
    assert (server / "current").resolve().name == "2"
    assert roll("back", server).returncode == 0
    assert (server / "current").resolve().name == "1"


def test_the_first_release_of_all_goes_back_to_nothing(server: Path) -> None:
    (server / "current").unlink()
    roll("switch", server, "2")
    roll("back", server)
    assert not (server / "current").is_symlink()


def test_what_is_there_twice_is_not_what_was_before(server: Path) -> None:
    """A play that is run again over what runs already keeps the way back."""
    roll("switch", server, "2")
    roll("switch", server, "2")
    roll("back", server)
    assert (server / "current").resolve().name == "1"


def test_a_release_that_holds_nothing_is_refused(server: Path) -> None:
    (server / "releases" / "3").mkdir()
    refused = roll("switch", server, "3")
    assert refused.returncode == 1
    assert "holds no Talkie" in refused.stderr
    assert (server / "current").resolve().name == "1"


def test_what_runs_is_never_tidied_away(server: Path) -> None:
    os.utime(server / "releases" / "1", (1, 1))
    assert roll("tidy", server, 0).returncode == 0
    assert [one.name for one in (server / "releases").iterdir()] == ["1"]


@pytest.mark.skipif(shutil.which("zstd") is None, reason="zstd is not here")
def test_an_archive_is_unpacked_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "talkie"
    folder.mkdir(parents=True)
    (folder / "talkie").write_text("#!/bin/sh\n")
    archive, root = tmp_path / "talkie.tar.zst", tmp_path / "root"
    subprocess.run(["tar", "--zstd", "-cf", archive, "-C", folder.parent, "talkie"], check=True)
    total = subprocess.run(["sha256sum", archive], capture_output=True, text=True, check=True).stdout.split()[0]
    (root / "releases").mkdir(parents=True)
    damaged = roll("unpack", root, archive, "0" * 64, "1")
    assert damaged.returncode == 1
    assert "not the one that was sent" in damaged.stderr
    assert list((root / "releases").iterdir()) == []
    assert roll("unpack", root, archive, total, "1").returncode == 0
    assert (root / "releases" / "1" / "talkie").is_file()
    assert not archive.exists()
