"""The first start on an empty volume, killed ten times at random moments; two at once; and a volume that nobody may
write to. `first_pull.py TESTS (container PODMAN IMAGE | process TALKIE) WORK`: verdicts on stdout, as 00-lib.sh says.

`TESTS` is the directory of the tests, whose hub is the one that is pulled from. Needs nothing but Python.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KILLS, WAIT_S = 10, 120.0
NAME, REPO = "mine", "me/mine"
BYTES = 3_000_000
CONFINED = ("--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges", "--network", "host")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass
class Server:
    """One that was started: its port, and the words that stop it at once."""

    port: int
    stop: list[str] | subprocess.Popen[bytes]

    def parts(self) -> dict[str, str]:
        url = f"http://127.0.0.1:{self.port}/readyz"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return dict(json.load(answer)["parts"])
        except urllib.error.HTTPError as error:
            return dict(json.load(error)["parts"])
        except (OSError, ValueError):
            return {}

    def pulled(self) -> bool:
        return self.parts().get(f"pull hf:{REPO}") == "ready"

    def kill(self) -> None:
        if isinstance(self.stop, list):
            subprocess.run(self.stop, check=False, capture_output=True)
        else:
            self.stop.kill()
            self.stop.wait()


@dataclass
class Containers:
    podman: str
    image: str
    servers: int = 0
    volumes: list[str] = field(default_factory=list)

    def volume(self) -> str:
        name = f"talkie-first-pull-{os.getpid()}-{len(self.volumes)}"
        subprocess.run([self.podman, "volume", "create", name], check=True, capture_output=True)
        self.volumes.append(name)
        return name

    def start(self, volume: str, env: dict[str, str], mode: str = "") -> Server:
        self.servers += 1
        name, port = f"talkie-first-pull-{os.getpid()}-{self.servers}", free_port()
        settings = {**env, "TALKIE_HOST": "127.0.0.1", "TALKIE_PORT": str(port)}
        words = [word for pair in settings.items() for word in ("--env", "=".join(pair))]
        mount = ["--tmpfs", "/tmp", "--volume", f"{volume}:/data{mode}"]
        command = [self.podman, "run", "--detach", "--rm", "--name", name, *CONFINED, *mount, *words, self.image]
        subprocess.run(command, check=True, capture_output=True)
        return Server(port, [self.podman, "rm", "--force", "--time", "0", name])

    def verify(self, volume: str) -> subprocess.CompletedProcess[str]:
        command = [self.podman, "run", "--rm", *CONFINED, "--volume", f"{volume}:/data", self.image]
        return subprocess.run([*command, "verify", "--json"], check=False, capture_output=True, text=True)

    def close(self) -> None:
        for name in self.volumes:
            subprocess.run([self.podman, "volume", "rm", "--force", name], check=False, capture_output=True)


@dataclass
class Processes:
    talkie: str
    work: Path
    count: int = 0

    def volume(self) -> str:
        self.count += 1
        return str(self.work / f"volume-{self.count}")

    def start(self, volume: str, env: dict[str, str], mode: str = "") -> Server:
        port = free_port()
        command = [self.talkie, "serve", "--home", volume, "--host", "127.0.0.1", "--port", str(port)]
        quiet = subprocess.DEVNULL
        return Server(port, subprocess.Popen(command, env={**os.environ, **env}, stdout=quiet, stderr=quiet))

    def verify(self, volume: str) -> subprocess.CompletedProcess[str]:
        command = [self.talkie, "verify", "--json", "--home", volume]
        return subprocess.run(command, check=False, capture_output=True, text=True)

    def close(self) -> None:
        for number in range(1, self.count + 1):
            shutil.rmtree(self.work / f"volume-{number}", ignore_errors=True)


def until(true: Any) -> bool:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.05)
    return False


def told(text: str, good: bool) -> bool:
    print(f"{'ok' if good else 'FAIL'} {text}", flush=True)
    return good


def is_clean(form: Containers | Processes, volume: str) -> bool:
    """What is there is right, and the one that is wanted is there."""
    done = form.verify(volume)
    if done.returncode != 0:
        print(done.stdout, done.stderr, file=sys.stderr)
        return False
    return [(one["name"], one["ok"]) for one in json.loads(done.stdout)] == [(NAME, True)]


def killed(form: Containers | Processes, hub: Any, env: dict[str, str], at_bytes: int) -> bool:
    """One round: killed when so many bytes have left the hub; the next start finishes, and goes on where it stopped."""
    volume, reached, before = form.volume(), threading.Event(), sum(hub.sent.values())
    hub.faults.on_bytes = lambda file, sent: reached.set() if sum(hub.sent.values()) - before >= at_bytes else None
    server = form.start(volume, env)
    began = reached.wait(WAIT_S)
    server.kill()
    hub.faults.on_bytes = lambda file, sent: None
    again = form.start(volume, env)
    finished = until(again.pulled)
    again.kill()
    clean = is_clean(form, volume)
    print(f"-- killed after {at_bytes} bytes: {began=} {finished=} {clean=}", file=sys.stderr)
    return began and finished and clean


def two_at_once(form: Containers | Processes, hub: Any, env: dict[str, str]) -> str:
    """Returns the volume."""
    volume, before = form.volume(), dict(hub.sent)
    servers = [form.start(volume, env) for _ in range(2)]
    both = all(until(server.pulled) for server in servers)
    for server in servers:
        server.kill()
    once = all(hub.sent[name] - before.get(name, 0) == len(data) for name, data in hub.repos[REPO].files.items())
    told("two that start at once on an empty volume both have the model", both)
    told("and make one download", once)
    return volume


def main() -> int:
    sys.path.insert(0, sys.argv[1])
    from hub import LocalHub, Repo
    from model_files import whisper_files

    work = Path(sys.argv[-1])
    is_container = sys.argv[2] == "container"
    form = Containers(sys.argv[3], sys.argv[4]) if is_container else Processes(sys.argv[3], work)
    with LocalHub({REPO: Repo(whisper_files(BYTES))}) as hub:
        hub.faults.pause_s = 0.002
        env = {
            "TALKIE_PULL": f"hf:{REPO}",
            "HF_ENDPOINT": hub.url,
            "HF_HUB_OFFLINE": "0",
            "NO_PROXY": "127.0.0.1,localhost",
        }
        try:
            moments = [random.randrange(1, BYTES) for _ in range(KILLS)]
            clean = sum([killed(form, hub, env, at_bytes) for at_bytes in moments])
            good = told(
                f"killed {KILLS} times in its first pull: {clean} times the next start finished, clean", clean == KILLS
            )
            volume = two_at_once(form, hub, env)
            good &= told("verify is clean", is_clean(form, volume))
            if isinstance(form, Containers):
                server = form.start(volume, {**env, "HF_HUB_OFFLINE": "1"}, ":ro")
                good &= told("a volume that is read-only is found, without a network", until(server.pulled))
                server.kill()
        finally:
            form.close()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
