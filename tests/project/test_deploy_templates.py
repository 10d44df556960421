"""What people rent or host: the templates and their start script, the Proxmox installer, the frame of test-deploy."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import ValidationError

from talkie.cli.demo import SENTENCES, SPEED, VOICE

ROOT = Path(__file__).resolve().parents[2]
DEPLOY, FORMS = ROOT / "deploy", ROOT / "scripts" / "deploy.d"


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


templates = loaded(DEPLOY / "templates.py")
start = loaded(DEPLOY / "rented" / "start.py")


def read(service: str, name: str = "template.json") -> dict[str, Any]:
    found = json.loads((DEPLOY / service / name).read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def test_the_files_are_those_that_are_made() -> None:
    for path, text in templates.files().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run `python deploy/templates.py write`"


@pytest.mark.parametrize("service", ["vast", "runpod"])
def test_a_template_is_what_its_service_takes(service: str) -> None:
    body, schema = read(service), read(service, "template.schema.json")
    kind = templates.TEMPLATES[service]
    assert kind.model_validate(body).model_dump(by_alias=True) == body
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) <= set(body) <= set(schema["properties"])
    with pytest.raises(ValidationError):
        kind.model_validate(body | {"on_start": "true"})


@pytest.mark.parametrize("service", ["vast", "runpod"])
def test_no_key_stands_in_a_template(service: str) -> None:
    body = read(service)
    with pytest.raises(ValidationError, match="no key"):
        templates.TEMPLATES[service].model_validate(body | {"readme": "TALKIE_API_KEY=" + "x" * 8})


@pytest.mark.parametrize(
    "options",
    [
        "--privileged",
        "-p 8000",
        "-v /:/host",
        "-v V.<id>:/data",
        "-e TALKIE_PULL=$(id)",
        "-e NAME=a b",
        "-p 8000:8000  -e A=b",
        "",
    ],
)
def test_other_options_of_docker_are_refused(options: str) -> None:
    with pytest.raises(ValidationError):
        templates.VastTemplate.model_validate(read("vast") | {"env": options})


def test_a_volume_of_ones_own() -> None:
    assert templates.vast(volume=4711).env.endswith(" -v V.4711:/data")
    assert " -v " not in read("vast")["env"]


def test_the_start_script_fits_and_is_there() -> None:
    assert read("vast")["onstart"] == (DEPLOY / "vast" / "on-start.sh").read_text(encoding="utf-8")
    assert "/opt/talkie/start.py" in (DEPLOY / "rented" / "Containerfile").read_text(encoding="utf-8")


VAST = {"PUBLIC_IPADDR": "203.0.113.7", "VAST_TCP_PORT_8000": "41234"}
POD = {"RUNPOD_POD_ID": "abc123"}
TCP = {"RUNPOD_PUBLIC_IP": "203.0.113.8", "RUNPOD_TCP_PORT_8000": "12345", "TALKIE_TLS": "self-signed"}


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        (VAST, "http://203.0.113.7:41234"),
        (VAST | {"TALKIE_TLS": "self-signed"}, "https://203.0.113.7:41234"),
        (VAST | {"TALKIE_PORT": "9000"}, ""),
        (POD, "https://abc123-8000.proxy.runpod.net"),
        (POD | TCP, "https://203.0.113.8:12345"),
        ({}, ""),
    ],
)
def test_the_address_outside(environment: dict[str, str], address: str) -> None:
    assert start.address(environment) == address


def test_the_name_of_the_proxy_is_one_of_ours() -> None:
    given = {"TALKIE_HOME": "/data", "TALKIE_ALLOWED_HOSTS": "talkie.example"} | POD
    assert start.settings(given)["TALKIE_ALLOWED_HOSTS"] == "talkie.example,abc123-8000.proxy.runpod.net"
    assert "TALKIE_ALLOWED_HOSTS" not in start.settings({"TALKIE_HOME": "/data"})


@pytest.fixture
def pretended(tmp_path: Path) -> dict[str, str]:
    """A `talkie` whose `serve` ends with the next of STATUSES and whose `keys` makes one, or fails where KEYLESS is."""
    package = tmp_path / "lib" / "talkie"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(
        "import os, pathlib, sys\n"
        "ran = pathlib.Path(os.environ['RAN'])\n"
        "before = ran.read_text().split() if ran.exists() else []\n"
        "ran.write_text(' '.join([*before, sys.argv[1]]))\n"
        "if sys.argv[1] == 'keys':\n"
        "    print('tk_made') if 'KEYLESS' not in os.environ else sys.exit(1)\n"
        "else:\n"
        "    sys.exit(int(os.environ['STATUSES'].split()[len(before)]))\n"
    )
    home = tmp_path / "home"
    home.mkdir()
    return {"PYTHONPATH": str(package.parent), "RAN": str(tmp_path / "ran"), "TALKIE_HOME": str(home)}


@pytest.mark.parametrize(
    ("statuses", "ends", "lives"), [("0", 0, 1), ("2", 2, 1), ("1 139 0", 0, 3), ("1 1 2", 2, 3), ("3 3 3 3", 3, 3)]
)
def test_the_server_is_started_again_within_bounds(
    pretended: dict[str, str], statuses: str, ends: int, lives: int
) -> None:
    driver = "import os, sys, start; sys.exit(start.keep_running(os.environ, (0.0, 0.0)))"
    environment = pretended | {"STATUSES": statuses}
    environment["PYTHONPATH"] += os.pathsep + str(DEPLOY / "rented")
    ended = subprocess.run([sys.executable, "-c", driver], env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == ends
    assert Path(pretended["RAN"]).read_text().split() == ["serve"] * lives


def test_a_key_is_made_once(pretended: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    start.see_to_key(pretended)
    assert "tk_made" in capsys.readouterr().out
    (Path(pretended["TALKIE_HOME"]) / "keys.toml").write_text("[[key]]")
    start.see_to_key(pretended)
    assert "tk_" not in capsys.readouterr().out
    assert Path(pretended["RAN"]).read_text().split() == ["keys"]


def test_a_key_of_ones_own_is_not_shown(pretended: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    start.see_to_key(pretended | {"TALKIE_API_KEY": "tk_mine"})
    assert "tk_mine" not in capsys.readouterr().out
    assert not Path(pretended["RAN"]).exists()


def test_no_server_without_a_key(pretended: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    environment = pretended | {"KEYLESS": "1"}
    start.see_to_key(environment)
    assert len(environment["TALKIE_API_KEY"]) > 40
    assert environment["TALKIE_API_KEY"] in capsys.readouterr().out


PCT = """\
#!/bin/bash
printf '%s\\n' "$*" >>"$CALLS"
case $* in
    "exec "*"is-system-running"*) echo running ;;
    "exec "*"hostname -I") echo "192.0.2.9 fd00::9" ;;
    "status "*) echo "status: stopped" ;;
esac
"""
PVEAM = """\
#!/bin/bash
[ "$1" != list ] || echo "local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst 120MB"
"""


@pytest.fixture
def proxmox(tmp_path: Path) -> dict[str, str]:
    """A host whose pct writes down what it is told."""
    for name, text in {"pct": PCT, "pveam": PVEAM, "pvesh": "#!/bin/bash\necho 105\n"}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    return {"PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": str(tmp_path / "calls")}


def installed(environment: dict[str, str], *arguments: str) -> tuple[int, str, list[str]]:
    script = DEPLOY / "proxmox" / "talkie.sh"
    ended = subprocess.run(
        ["bash", str(script), *arguments], env=environment, capture_output=True, text=True, check=False
    )
    calls = Path(environment.get("CALLS", os.devnull))
    return ended.returncode, ended.stderr, calls.read_text().splitlines() if calls.is_file() else []


def test_a_container_is_made_to_measure(proxmox: dict[str, str]) -> None:
    wish = {"var_cpu": "2", "var_ram": "2048", "var_data": "tank:32", "var_pull": "whisper-base kokoro"}
    status, said, calls = installed(proxmox | wish)
    assert status == 0, said
    made = calls[0]
    assert made.startswith("create 105 local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst ")
    assert "--cores 2 --memory 2048 " in made
    assert "--mp0 tank:32,mp=/var/lib/talkie,backup=0" in made
    assert "--unprivileged 1 --features nesting=1" in made
    assert any("var_pull=whisper-base kokoro talkie-install install" in call for call in calls)
    assert "https://192.0.2.9:8000" in said


def test_an_update_starts_a_container_that_stands_still(proxmox: dict[str, str]) -> None:
    status, said, calls = installed(proxmox, "update", "105")
    assert status == 0, said
    assert calls[:2] == ["status 105", "start 105"]
    assert calls[-1].endswith("talkie-install update")


def test_without_proxmox_it_says_so() -> None:
    status, said, _ = installed({"PATH": "/usr/bin:/bin"})
    assert status == 1
    assert "hint:" in said


def test_the_conversation_is_the_demos() -> None:
    conversation = loaded(FORMS / "conversation.py")
    assert (conversation.SENTENCES, conversation.VOICE, conversation.SPEED) == (SENTENCES, VOICE, SPEED)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ("ok fine", 0, "ok    it is fine"),
        ("skip 'no moon'", 0, "1 skipped, 0 failures"),
        ("fail 'it is wrong'; ok 'the rest'", 1, "FAIL  it is wrong"),
        ("ok 'so far'; false", 1, "FAIL  it ended with status 1"),
        (":", 1, "FAIL  it said nothing"),
        ("need a-program-that-nobody-has", 0, "a-program-that-nobody-has is not here"),
        ("check 'the sky' false; at_exit 'echo left'", 1, "FAIL  the sky"),
    ],
)
def test_a_form_is_judged_by_what_it_says(tmp_path: Path, body: str, status: int, said: str) -> None:
    frame = tmp_path / "scripts"
    (frame / "deploy.d").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "test-deploy", frame)
    shutil.copy(FORMS / "00-lib.sh", frame / "deploy.d")
    body = body.replace("ok fine", "ok 'it is fine'")
    (frame / "deploy.d" / "10-moon.sh").write_text(
        f'#!/usr/bin/env bash\n# A form.\n. "$(dirname "$0")/00-lib.sh"\n{body}\n'
    )
    ended = subprocess.run(["bash", str(frame / "test-deploy")], capture_output=True, text=True, check=False)
    assert said in ended.stdout, ended.stdout + ended.stderr
    assert ended.returncode == status


def test_a_form_that_is_not_there() -> None:
    ended = subprocess.run(
        ["bash", str(ROOT / "scripts" / "test-deploy"), "moonbase"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert "hint:" in ended.stderr
