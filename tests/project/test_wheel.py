"""The wheel as a user has it: installed with the locked versions, run from an empty directory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from packaging.markers import Marker

from sources import ROOT
from speech import say

MAX_ENVIRONMENT_BYTES = 725_000_000

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wheel"), pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def uv() -> str:
    """The uv that `make` brought in, or one on the path."""
    own = ROOT / ".tools" / "bin" / "uv"
    found = os.environ.get("UV") or (str(own) if own.exists() else shutil.which("uv"))
    if not found:
        pytest.skip("uv is not here; `make test` brings it in")
    return found


@pytest.fixture(scope="module")
def installed(uv: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with `dist/talkie-*.whl` and `venv/`, made by the script that `make demo` uses."""
    directory = tmp_path_factory.mktemp("wheel")
    script = ROOT / "scripts" / "install-wheel.sh"
    subprocess.run([str(script), uv, sys.executable, str(directory)], check=True, timeout=300, env=bare_environment())
    return directory


def bare_environment() -> dict[str, str]:
    """This process's environment without anything that could make the checkout importable."""
    drop = ("PYTHON", "COV_", "COVERAGE", "VIRTUAL_ENV", "TALKIE_")
    return {name: value for name, value in os.environ.items() if not name.startswith(drop)}


def talkie(installed: Path, home: Path, *arguments: str) -> str:
    """What the installed command prints when it runs in an empty directory."""
    empty = home / "empty"
    empty.mkdir(parents=True, exist_ok=True)
    environment = bare_environment() | {"TALKIE_HOME": str(home / "talkie")}
    command = [str(installed / "venv" / "bin" / "talkie"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=empty, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_the_package_and_nothing_else(installed: Path) -> None:
    (wheel,) = (installed / "dist").glob("talkie-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "talkie/py.typed" in names
    assert "talkie/cli/main.py" in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"talkie"}
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_it_knows_its_version(installed: Path, tmp_path: Path) -> None:
    version = talkie(installed, tmp_path, "--version")
    (wheel,) = (installed / "dist").glob("talkie-*.whl")
    assert wheel.name.split("-")[1] in version


def test_it_is_the_wheel_that_runs(installed: Path, tmp_path: Path) -> None:
    code = "import talkie; print(talkie.__file__)"
    command = [str(installed / "venv" / "bin" / "python"), "-c", code]
    where = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path, env=bare_environment())
    assert Path(where.stdout.strip()).is_relative_to(installed)


def test_it_hears_from_an_empty_directory(installed: Path, tmp_path: Path) -> None:
    clip = tmp_path / "clip.wav"
    soundfile.write(clip, np.asarray(say("one two three four five six seven")), 16_000)
    heard = json.loads(talkie(installed, tmp_path, "transcribe", str(clip), "-f", "verbose_json"))
    assert heard["duration"] > 1
    assert heard["text"].strip()


def test_the_environment_is_small(installed: Path, record_property: pytest.RecordProperty) -> None:
    everything = [path for path in (installed / "venv").rglob("*") if path.is_file() and not path.is_symlink()]
    files = [path for path in everything if path.suffix != ".pyc"]  # as installed: the other tests have run it since
    size_bytes = sum(path.stat().st_size for path in files)
    record_property("base_environment_bytes", size_bytes)
    print(f"base environment: {size_bytes / 1e6:.0f} MB in {len(files)} files")
    assert size_bytes < MAX_ENVIRONMENT_BYTES


def test_the_list_of_what_is_inside_is_true(installed: Path, uv: str) -> None:
    listed = subprocess.run(
        [uv, "pip", "list", "--format", "json", "--python", str(installed / "venv")],
        capture_output=True,
        text=True,
        check=True,
    )
    present = {(item["name"], item["version"]) for item in json.loads(listed.stdout)}
    assert {pair for pair in present if pair[0] != "talkie"} == components_here(bill_of_materials(uv))


def bill_of_materials(uv: str) -> dict[str, Any]:
    """The CycloneDX document that `make sbom` writes."""
    command = [uv, "export", "--quiet", "--frozen", "--no-dev", "--format", "cyclonedx1.5"]
    command += ["--preview-features", "sbom-export"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def components_here(document: dict[str, Any]) -> set[tuple[str, str]]:
    """Name and version of the components whose markers hold on this machine."""

    def here(component: dict[str, Any]) -> bool:
        properties = {item["name"]: item["value"] for item in component.get("properties", [])}
        marker = properties.get("uv:package:marker")
        return marker is None or Marker(marker).evaluate()

    return {(component["name"], component["version"]) for component in document["components"] if here(component)}
