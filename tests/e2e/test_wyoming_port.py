"""`talkie serve --wyoming-port`: that it is there, and where it must not be."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path

import pytest

from ports import free_port
from server_process import TALKIE, environment, running_server
from talkie.wire.wyoming import Event, EventReader, encode

pytestmark = pytest.mark.xdist_group("serve")


def refused(home: Path, *flags: str, env: dict[str, str] | None = None, code: int = 2) -> str:
    """What it says to a start that it refuses."""
    command = [*TALKIE, "serve", "--port", "0", "--home", str(home), *flags]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env=environment(env), cwd=home, check=False
    )
    assert done.returncode == code and done.stdout == "" and "listens on http" not in done.stderr
    return done.stderr


def ask(port: int, event: Event, address: str = "127.0.0.1") -> Event:
    """One question and its answer."""
    reader = EventReader()
    with socket.create_connection((address, port), timeout=20) as connection:
        connection.sendall(encode(event))
        while (answer := reader.next()) is None:
            data = connection.recv(65536)
            assert data, "closed without an answer"
            reader.feed(data)
    return answer


def test_open_to_others_it_needs_a_list_of_networks(tmp_path: Path) -> None:
    env = {"TALKIE_API_KEY": "canary-key"}
    said = refused(tmp_path, "--host", "0.0.0.0", "--wyoming-port", str(free_port()), env=env)
    assert "Wyoming knows no keys" in said and "hint: Set wyoming_allow" in said


def test_a_port_that_is_taken_is_said_before_anything_listens(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused(tmp_path, "--wyoming-port", str(port), code=1)
    assert f"port {port}" in said and "hint: Another port: `talkie serve --wyoming-port" in said


def test_it_answers_while_models_load_and_says_where_it_is(tmp_path: Path) -> None:
    port = free_port()
    with running_server(tmp_path, "--wyoming-port", str(port), fake="loading") as server:
        assert server.get("/readyz").status_code == 503
        info = ask(port, Event("describe"))
        assert info.type == "info" and info.data["asr"][0]["models"][0]["languages"] == ["en"]
        assert server.stop() == 0
        lines = [json.loads(line) for line in server.log_text().splitlines()]
    assert [line["door"] for line in lines if line.get("door_port") == port] == ["Wyoming"]


def own_address() -> str:
    """The address of this machine that others see; no packet is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but loopback")
        return str(probe.getsockname()[0])


@pytest.mark.parametrize("listed", [False, True])
def test_beyond_this_machine_it_listens_to_those_on_the_list(tmp_path: Path, listed: bool) -> None:
    port, address = free_port(), own_address()
    env = {"TALKIE_API_KEY": "canary-key", "TALKIE_WYOMING_ALLOW": address if listed else "198.51.100.0/24"}
    ping, pong = Event("ping", {"text": "a"}), Event("pong", {"text": "a"})
    with running_server(tmp_path, "--host", "0.0.0.0", "--wyoming-port", str(port), env=env, fake="plain") as server:
        assert ask(port, ping) == pong
        if listed:
            assert ask(port, ping, address) == pong
        else:
            with pytest.raises((AssertionError, OSError)):
                ask(port, ping, address)
        assert ("turned away" in server.log_text()) is not listed
