"""The text of the systemd unit that `talkie service` writes: one table of lines, each with its reason.

Pure: knows nothing of this machine, of files or of systemctl. The same table makes the system unit, the user unit, the
drop-in for graphics cards and the examples in `deploy/systemd`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

NAME = "talkie"
UNIT = f"{NAME}.service"
MARK = "# Written by `talkie service install`, which may write it anew: changes belong into `systemctl edit talkie`."
USER = NAME
STOP_SPARE_S = 15.0
"""What the end takes after the last accepted piece of work: workers are told to go, and doors are closed."""


@dataclass(frozen=True, slots=True)
class Service:
    """What differs from one service to another. `command` starts the server; `grace_s` is the setting shutdown_grace_s.

    `memory_max` is systemd's, like 6G; `lonely` takes the network beyond this machine away; `sandbox` is False only for
    user services of machines that let nobody but root hide parts of the file system.
    """

    command: tuple[str, ...]
    home: Path
    environment: Path
    system: bool = True
    grace_s: float = 30.0
    memory_max: str = ""
    lonely: bool = False
    sandbox: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    """Lines of the unit and why they are there. `need`: `system` is what a user's manager may not do, `user` what only
    that one needs, `sandbox` what hides parts of the file system."""

    why: str
    lines: tuple[str, ...]
    need: str = ""

    def applies(self, service: Service) -> bool:
        return {
            "": True,
            "system": service.system,
            "user": not service.system and service.sandbox,
            "sandbox": service.sandbox,
        }[self.need]


RULES = (
    Rule(
        "No rights beyond those of its user, and none to be had.",
        ("NoNewPrivileges=yes", "RestrictSUIDSGID=yes", "LockPersonality=yes", "RestrictRealtime=yes", "UMask=0077"),
    ),
    Rule("", ("CapabilityBoundingSet=", "AmbientCapabilities=", "RemoveIPC=yes", "KeyringMode=private"), "system"),
    Rule(
        "Nothing can be written but the home of Talkie and a /tmp of its own.",
        ("ProtectSystem=strict", "PrivateTmp=yes", "PrivateMounts=yes"),
        "sandbox",
    ),
    Rule("Homes of people cannot be seen.", ("ProtectHome=yes",), "system"),
    Rule("Without users of its own a user's manager may do none of this.", ("PrivateUsers=yes",), "user"),
    Rule(
        "The machine cannot be changed, and processes of others cannot be seen. Not ProcSubset=pid: how much memory\n"
        "there is and what the processor can do stands in /proc.",
        (
            "PrivateDevices=yes",
            "ProtectProc=invisible",
            "ProtectClock=yes",
            "ProtectControlGroups=yes",
            "ProtectHostname=yes",
            "ProtectKernelLogs=yes",
            "ProtectKernelModules=yes",
            "ProtectKernelTunables=yes",
        ),
        "sandbox",
    ),
    Rule("Workers are plain processes.", ("RestrictNamespaces=yes",)),
    Rule(
        "Netlink is how the C library and WebRTC learn the addresses of this machine.",
        ("RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",),
    ),
    Rule(
        "What is refused is an error and no death: libraries ask for more than they need.",
        (
            "SystemCallArchitectures=native",
            "SystemCallFilter=@system-service",
            "SystemCallFilter=~@privileged @resources",
            "# Threads of OpenVINO and of the C library may choose their processors and places in memory.",
            "SystemCallFilter=sched_setaffinity setpriority mbind set_mempolicy",
            "SystemCallErrorNumber=EPERM",
        ),
    ),
)
"""Every engine's contract suite passes under these: scripts/deploy.d/11-unit-contract.sh."""

WRITES_CODE = (
    "# Not MemoryDenyWriteExecute: oneDNN and ONNX Runtime write machine code for this processor while they run."
)

GPU = (
    "[Service]",
    "# Devices: those of graphics cards and the harmless ones, no others.",
    "PrivateDevices=no",
    "DevicePolicy=closed",
    "DeviceAllow=char-nvidia* rw",
    "DeviceAllow=char-drm rw",
)
LOAD_NVIDIA = (
    "# The device of CUDA's memory is made by a program that must be root; without it CUDA finds no card after a start",
    "# of the machine. Where it is not there, nothing is lost.",
    "ExecStartPre=+-/usr/bin/nvidia-modprobe -u -c 0",
)


def unit_text(service: Service) -> str:
    """The whole unit file."""
    blocks = [[MARK], list(_about()), ["[Service]", *_start(service)], list(_stop(service))]
    blocks += [_rule(rule) for rule in RULES if rule.applies(service)]
    blocks += [[WRITES_CODE], list(_limits(service)), ["[Install]", f"WantedBy={_target(service)}"]]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def gpu_text(service: Service, groups: Sequence[str]) -> str:
    """The drop-in for graphics cards; `groups` are those of this machine that own the cards' devices."""
    lines = [MARK, *GPU]
    if service.system:
        lines += [f"SupplementaryGroups={' '.join(groups)}"] if groups else []
        lines += LOAD_NVIDIA
    return "\n".join(lines) + "\n"


def user_text(home: Path) -> str:
    """The line of sysusers.d that makes the user of the system service."""
    return f'# Written by `talkie service install`.\nu {USER} - "Talkie speech server" {home}\n'


def sandbox_properties(service: Service) -> list[str]:
    """The lines that hide and forbid, for a trial: whether this machine's systemd can do them at all."""
    applying = (rule for rule in RULES if rule.applies(service))
    return [line for rule in applying for line in rule.lines if not line.startswith("#")]


def quoted(word: str) -> str:
    """A word of a command line as a unit file has it."""
    text = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{text}"' if not text or any(letter in text for letter in " \t\"\\';") else text


def _about() -> Iterator[str]:
    yield "[Unit]"
    yield "Description=Talkie speech server"
    yield "Documentation=https://github.com/talkie-speech/talkie/blob/main/docs/service.md"
    yield "Wants=network-online.target"
    yield "After=network-online.target"
    yield "# Five starts in five minutes that come to nothing are enough."
    yield "StartLimitIntervalSec=300"
    yield "StartLimitBurst=5"


def _start(service: Service) -> Iterator[str]:
    yield "Type=exec"
    yield f"ExecStart={' '.join(quoted(word) for word in service.command)} serve"
    yield f"EnvironmentFile={_path(service.environment)}"
    yield f"Environment={quoted(f'TALKIE_HOME={service.home}')}"
    yield f"WorkingDirectory={_path(service.home)}"
    if service.system:
        yield f"User={USER}"
        yield f"StateDirectory={NAME}"
        yield "StateDirectoryMode=0700"
    elif service.sandbox:
        yield f"ReadWritePaths={quoted(str(service.home))}"
    yield f"SyslogIdentifier={NAME}"


def _stop(service: Service) -> Iterator[str]:
    yield "# The server is told to stop and finishes what it accepted; its workers are needed until then."
    yield "KillSignal=SIGTERM"
    yield "KillMode=mixed"
    yield f"TimeoutStopSec={service.grace_s + STOP_SPARE_S:g}"
    yield "# 2 is a setting that cannot be: the same again would not help."
    yield "Restart=on-failure"
    yield "RestartSec=2"
    yield "RestartPreventExitStatus=2"
    yield "# A worker that took too much memory is replaced by the server; that is no end of the service."
    yield "OOMPolicy=continue"


def _limits(service: Service) -> Iterator[str]:
    yield "# A thousand connections, each perhaps with a file."
    yield "LimitNOFILE=8192"
    if service.memory_max:
        yield f"MemoryMax={service.memory_max}"
    if service.lonely:
        yield "# It listens on this machine only and is told to use no network (the setting offline)."
        yield "IPAddressAllow=localhost"
        yield "IPAddressDeny=any"


def _rule(rule: Rule) -> list[str]:
    return [*(f"# {line}" for line in rule.why.splitlines()), *rule.lines]


def _path(path: Path) -> str:
    """Where systemd takes the rest of the line as one path: no quotes there."""
    return str(path).replace("%", "%%")


def _target(service: Service) -> str:
    return "multi-user.target" if service.system else "default.target"
