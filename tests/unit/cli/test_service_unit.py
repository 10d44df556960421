"""The unit: what it says in each form, and how little it leaves open."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from talkie.cli.output import USAGE
from talkie.cli.service_unit import (
    Service,
    gpu_text,
    quoted,
    sandbox_properties,
    unit_text,
    user_text,
)

MACHINES = Service(("/opt/talkie/bin/talkie",), Path("/var/lib/talkie"), Path("/etc/talkie/talkie.env"))
OWN = Service(("/home/anna/t/bin/talkie",), Path("/home/anna/data"), Path("/home/anna/.config/t.env"), system=False)
EXAMPLES = Path(__file__).parents[3] / "deploy" / "systemd"
MAX_EXPOSURE = 1.5


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def value(text: str, name: str) -> str:
    [found] = [line.partition("=")[2] for line in lines(text) if line.startswith(f"{name}=")]
    return found


def test_the_examples_are_what_is_written() -> None:
    made = {
        "talkie.service": unit_text(MACHINES),
        "talkie.service.d/gpu.conf": gpu_text(MACHINES, ("video", "render")),
        "sysusers.conf": user_text(MACHINES.home),
    }
    assert {name: (EXAMPLES / name).read_text(encoding="utf-8") for name in made} == made


def test_a_restart_that_cannot_help_is_not_tried() -> None:
    text = unit_text(MACHINES)
    assert value(text, "RestartPreventExitStatus") == str(USAGE)
    assert value(text, "Restart") == "on-failure"


def test_it_has_the_time_that_its_work_may_take() -> None:
    assert float(value(unit_text(replace(MACHINES, grace_s=90)), "TimeoutStopSec")) > 90
    assert value(unit_text(MACHINES), "KillMode") == "mixed"


def test_code_may_be_written_at_run_time_and_the_unit_says_why() -> None:
    assert not [line for line in lines(unit_text(MACHINES)) if "MemoryDenyWriteExecute" in line]
    assert "MemoryDenyWriteExecute" in unit_text(MACHINES)


def test_a_users_unit_asks_for_nothing_that_only_root_may() -> None:
    text = unit_text(OWN)
    assert not re.search(r"^(User|StateDirectory|CapabilityBoundingSet|ProtectHome)=", text, re.MULTILINE)
    assert value(text, "ReadWritePaths") == "/home/anna/data"
    assert value(text, "PrivateUsers") == "yes"
    assert value(text, "WantedBy") == "default.target"
    open_ = unit_text(replace(OWN, sandbox=False))
    assert not re.search(r"^(Private|Protect|ReadWrite)", open_, re.MULTILINE)
    assert value(open_, "NoNewPrivileges") == "yes"


def test_one_that_needs_no_network_gets_none() -> None:
    assert value(unit_text(replace(MACHINES, lonely=True)), "IPAddressDeny") == "any"
    assert "IPAddress" not in unit_text(MACHINES)


def test_memory_is_bounded_where_that_was_asked() -> None:
    assert value(unit_text(replace(MACHINES, memory_max="6G")), "MemoryMax") == "6G"
    assert "MemoryMax" not in unit_text(MACHINES)


def test_devices_are_there_with_a_card_only() -> None:
    assert value(unit_text(MACHINES), "PrivateDevices") == "yes"
    text = gpu_text(MACHINES, ("render",))
    assert value(text, "PrivateDevices") == "no"
    assert value(text, "SupplementaryGroups") == "render"
    assert "SupplementaryGroups" not in gpu_text(MACHINES, ())
    assert "ExecStartPre" not in gpu_text(OWN, ("render",))


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("/opt/talkie/bin/talkie", "/opt/talkie/bin/talkie"),
        ("/opt/my talkie/talkie", '"/opt/my talkie/talkie"'),
        ("/opt/100%/$HOME", "/opt/100%%/$$HOME"),
        ('a"b\\c', '"a\\"b\\\\c"'),
        ("", '""'),
    ],
)
def test_words_of_a_command_arrive_as_they_are(word: str, written: str) -> None:
    assert quoted(word) == written


def test_what_is_tried_is_what_is_written() -> None:
    assert set(sandbox_properties(OWN)) <= set(lines(unit_text(OWN)))


def analyzed(tmp_path: Path, *words: str) -> str:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not here")
    unit = tmp_path / "talkie.service"
    unit.write_text(unit_text(replace(MACHINES, command=("/bin/true",))))
    done = subprocess.run(["systemd-analyze", *words, str(unit)], capture_output=True, text=True)
    if "Unknown command" in done.stderr or "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze is too old")
    return done.stdout + done.stderr


def test_systemd_understands_every_line(tmp_path: Path) -> None:
    assert "talkie.service" not in analyzed(tmp_path, "verify", "--man=no")


def test_the_unit_is_hardly_exposed(tmp_path: Path) -> None:
    said = analyzed(tmp_path, "security", "--offline=true", "--no-pager")
    found = re.search(r"exposure level for talkie\.service: ([0-9.]+)", said)
    assert found, said
    assert float(found[1]) <= MAX_EXPOSURE
