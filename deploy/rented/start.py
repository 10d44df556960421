"""Starts Talkie on a rented machine: takes the volume over, sees to a key, says where the server is, keeps it running.

vast.ai and RunPod mount a volume that belongs to root, give the port another number outside, and put whatever listens
on the open internet. Everything is read from the environment that they set. Needs Python's own library alone; knows
nothing of Talkie but its commands and settings.
usage: start.py                      the server
       start.py keys add laptop      any command of talkie's, as the server's user and with its settings
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

TALKIE = (sys.executable, "-m", "talkie")
USER_ID = 10001  # who the server runs as when we may choose
SCOPES = ("transcribe", "speak", "animate", "models:read")
SETTING_WRONG = 2  # talkie's exit status when a restart cannot help
PAUSES_S = (1, 2, 4, 8, 16)  # between starts, as long as they come to nothing
STEADY_S = 600.0  # a server that ran so long had started well


def say(text: str) -> None:
    sys.stdout.write(f"talkie: {text}\n")
    sys.stdout.flush()


def own(home: Path, user_id: int = USER_ID) -> None:
    """The home exists and belongs to that user: what a volume of root's needs once, and only once."""
    home.mkdir(parents=True, exist_ok=True)
    if home.stat().st_uid == user_id:
        return
    for directory, _, names in os.walk(home):
        for path in (Path(directory), *(Path(directory, name) for name in names)):
            os.chown(path, user_id, user_id, follow_symlinks=False)


def become(user_id: int = USER_ID) -> None:
    """No way back to root, here and in every child."""
    os.setgroups([])
    os.setgid(user_id)
    os.setuid(user_id)


def address(environment: Mapping[str, str]) -> str:
    """Where the world finds the server, or an empty text when the platform does not say."""
    port = environment.get("TALKIE_PORT", "8000")
    scheme = "http" if environment.get("TALKIE_TLS", "off") == "off" else "https"
    if pod := environment.get("RUNPOD_POD_ID"):
        outside, ip = environment.get(f"RUNPOD_TCP_PORT_{port}"), environment.get("RUNPOD_PUBLIC_IP")
        return f"{scheme}://{ip}:{outside}" if outside and ip else f"https://{pod}-{port}.proxy.runpod.net"
    outside, ip = environment.get(f"VAST_TCP_PORT_{port}"), environment.get("PUBLIC_IPADDR")
    return f"{scheme}://{ip}:{outside}" if outside and ip else ""


def of_container() -> dict[str, str]:
    """The environment of the machine's first process: somebody who logs in through SSH has another one."""
    try:
        text = Path("/proc/1/environ").read_bytes().decode(errors="surrogateescape")
    except OSError:
        return {}
    return dict(line.split("=", 1) for line in text.split("\0") if "=" in line)


def settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of the server: what was given, and what a machine on the internet needs besides."""
    everywhere = "0.0.0.0"  # it is rented to be reached, and a key is seen to
    ours = {"TALKIE_HOST": everywhere, "TALKIE_PORT": "8000"} | dict(environment)
    if pod := environment.get("RUNPOD_POD_ID"):
        name = f"{pod}-{ours['TALKIE_PORT']}.proxy.runpod.net"
        ours["TALKIE_ALLOWED_HOSTS"] = ",".join(filter(None, (environment.get("TALKIE_ALLOWED_HOSTS"), name)))
    temporary = Path(ours["TALKIE_HOME"]) / "tmp"  # on the volume: uploads may be larger than the container's disk
    return ours | {"TMPDIR": str(temporary), "HOME": ours["TALKIE_HOME"]}


def see_to_key(environment: dict[str, str]) -> None:
    """A key is given, or on the volume, or made now and shown this once."""
    home = Path(environment["TALKIE_HOME"])
    if environment.get("TALKIE_API_KEY"):
        say("the key is the one in TALKIE_API_KEY")
        return
    if (home / "keys.toml").is_file() and (home / "keys.toml").stat().st_size:
        say("the keys are those on the volume; `start.py keys add NAME` makes another")
        return
    scopes = [word for scope in SCOPES for word in ("--scope", scope)]
    made = subprocess.run(
        [*TALKIE, "keys", "add", "owner", *scopes], env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    if made.returncode == 0:
        say(f"a key was made, and is shown this once: {made.stdout.strip()}")
        return
    environment["TALKIE_API_KEY"] = "tk_" + secrets.token_urlsafe(32)
    say(f"{home} cannot be written, so this key is good until the next start: {environment['TALKIE_API_KEY']}")


def keep_running(environment: Mapping[str, str], pauses_s: Sequence[float] = PAUSES_S) -> int:
    """The server, started again when it fails; a bounded number of times. Its exit status."""
    failures = 0
    while True:
        began = time.monotonic()
        status = run(environment)
        if status in (0, SETTING_WRONG):
            return status
        if time.monotonic() - began > STEADY_S:
            failures = 0
        if failures == len(pauses_s):
            say("the server does not stay up: this is given up")
            return status
        say(f"the server ended with status {status}; it is started again in {pauses_s[failures]:g} s")
        time.sleep(pauses_s[failures])
        failures += 1


def run(environment: Mapping[str, str]) -> int:
    """One life of the server. SIGTERM and SIGINT are handed on, and it finishes what it accepted."""
    with subprocess.Popen([*TALKIE, "serve"], env=environment) as server:

        def hand_on(number: int, _: FrameType | None) -> None:
            server.send_signal(number)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, hand_on)
        status = server.wait()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    return status


def take_over(environment: dict[str, str]) -> None:
    """The volume for the server's user, and from here on we are that user."""
    home, temporary = Path(environment["TALKIE_HOME"]), Path(environment["TMPDIR"])
    if os.getuid() == 0:
        try:
            own(home)
        except OSError as error:  # a volume that cannot be written may still hold models
            say(f"{home} cannot be taken over: {error.strerror}")
        become()
    try:
        temporary.mkdir(exist_ok=True)
    except OSError:
        del environment["TMPDIR"]


def main(command: Sequence[str]) -> int:
    """Step by step; see the functions."""
    given = of_container() | dict(os.environ)
    if not given.get("TALKIE_HOME"):
        say("error: TALKIE_HOME is not set")
        say("hint: name the place of the volume: /data on vast.ai, /workspace/talkie on RunPod")
        return SETTING_WRONG
    environment = settings(given)
    take_over(environment)
    if command:
        return subprocess.run([*TALKIE, *command], env=environment, check=False).returncode
    see_to_key(environment)
    where = address(environment)
    say(f"the server is at {where}" if where else "the platform does not say which address this has outside")
    return keep_running(environment)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
