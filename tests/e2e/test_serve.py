"""`talkie serve` as a process: how it starts, whom it refuses, how it ends. In front of a service that is made up."""

from __future__ import annotations

import contextlib
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from server_process import TALKIE, ServerProcess, environment, running_server

KEY = "canary-key-4711"
TRANSCRIBE = "/v1/audio/transcriptions"

pytestmark = pytest.mark.xdist_group("serve")  # they share a server, and starting one is not cheap


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """On every address, with a key, a small limit and little patience."""
    env = {"TALKIE_API_KEY": KEY, "TALKIE_UPLOAD_IDLE_S": "0.5", "TALKIE_MAX_UPLOAD_MB": "1"}
    flags = ("--host", "0.0.0.0", "--log-level", "debug")
    with running_server(tmp_path_factory.mktemp("locked"), *flags, env=env, fake="plain") as server:
        server.url = server.url.replace("0.0.0.0", "127.0.0.1")
        yield server


def bearer(key: str = KEY) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def refused(home: Path, *flags: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [*TALKIE, "serve", "--port", "0", "--home", str(home), *flags]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, env=environment(env), cwd=home, check=False
    )


# -- starting ----------------------------------------------------------------------------------------------------------


def test_without_a_key_it_listens_to_nobody_else(tmp_path: Path) -> None:
    done = refused(tmp_path, "--host", "0.0.0.0")
    assert done.returncode == 2 and "hint: Set TALKIE_API_KEY" in done.stderr and done.stdout == ""


def test_what_it_cannot_use_it_says_and_ends(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = refused(tmp_path, "--port", port)
    assert done.returncode == 1 and port in done.stderr and "hint:" in done.stderr
    damaged = tmp_path / "keys.toml"
    damaged.write_text("[[keys]]\n")
    assert "damaged" in refused(tmp_path).stderr


def test_with_a_key_it_listens_to_all_who_have_it(locked: ServerProcess) -> None:
    assert locked.get("/v1/models").status_code == 401
    assert locked.get("/v1/models", headers=bearer()).status_code == 200
    assert "unencrypted" in locked.log_text()


def test_readiness_is_told_while_the_model_loads(tmp_path: Path) -> None:
    with running_server(tmp_path, fake="loading") as server:
        answer = server.get("/readyz")
        assert (answer.status_code, answer.json()) == (503, {"ready": False, "parts": {"model": "loading"}})


def test_a_certificate_of_its_own(tmp_path: Path) -> None:
    with running_server(tmp_path, "--tls", "self-signed", fake="plain") as server:
        assert server.url.startswith("https://")
        trust = ssl.create_default_context(cafile=str(tmp_path / "tls" / "cert.pem"))
        assert httpx.get(server.url + "/healthz", verify=trust).json() == {"status": "ok"}


# -- uploads over a real socket ----------------------------------------------------------------------------------------


def test_an_upload_that_is_too_large_gets_its_answer(locked: ServerProcess) -> None:
    body = bytes(3_000_000)
    for content in (body, iter([body[:100_000]] * 30)):
        headers = {**bearer(), "Content-Type": "audio/wav"}
        answer = httpx.post(locked.url + TRANSCRIBE, content=content, headers=headers, timeout=30)
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "audio_too_large")
        assert answer.headers["connection"] == "close"


def raw(server: ServerProcess, data: bytes, *, close: bool = False) -> bytes:
    """What the server answers to these bytes, until it closes the connection (`close`: or has answered)."""
    address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
    with socket.create_connection(address, timeout=30) as connection:
        connection.sendall(data)
        answer = b""
        with contextlib.suppress(ConnectionResetError):  # it need not read what it has refused
            while not (close and b"}" in answer) and (piece := connection.recv(65536)):
                answer += piece
    return answer


def test_a_slow_upload_is_told_and_closed(locked: ServerProcess) -> None:
    head = (
        f"POST {TRANSCRIBE} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\nContent-Type: audio/wav\r\n"
    )
    answer = raw(locked, head.encode() + b"Content-Length: 1000\r\n\r\nslow")
    assert answer.startswith(b"HTTP/1.1 408") and b"upload_timeout" in answer


def test_an_offer_of_http_2_does_not_lose_the_upload(locked: ServerProcess) -> None:
    """Java's client makes one with every request, and so does `curl --http2`."""
    lines = (f"POST {TRANSCRIBE} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {KEY}", "Content-Length: 5",
             "Connection: Upgrade, HTTP2-Settings, close", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")  # fmt: skip
    answer = raw(locked, "\r\n".join((*lines, "Content-Type: audio/wav", "", "sound")).encode(), close=True)
    assert answer.startswith(b"HTTP/1.1 200") and b"hello there general" in answer


@pytest.mark.parametrize(
    "data",
    [
        b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 200_000,
        b"\x16\x03\x01 this is no HTTP\r\n\r\n",
        b"GET / HTTP/9\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    ],
    ids=["a head without an end", "noise", "a version from the future", "a tunnel"],
)
def test_a_head_that_cannot_be_is_refused(locked: ServerProcess, data: bytes) -> None:
    answer = raw(locked, data)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")
    assert locked.get("/healthz").status_code == 200


def test_nothing_is_left_of_uploads(locked: ServerProcess) -> None:
    temporary = locked.log.parent / "tmp"
    httpx.post(locked.url + TRANSCRIBE, files={"file": b"sound"}, headers=bearer())
    assert list(temporary.iterdir()) == []


# -- what the log knows ------------------------------------------------------------------------------------------------


def test_the_log_holds_no_key_name_prompt_or_text(locked: ServerProcess, tmp_path: Path) -> None:
    form = {"files": {"file": ("canary-name.wav", b"canary-sound")}, "data": {"prompt": "canary-prompt"}}
    answer = httpx.post(f"{locked.url}{TRANSCRIBE}?canary-query=1", headers=bearer(), **form)  # type: ignore[arg-type]
    assert answer.json()["text"] == "hello there general"
    locked.get("/canary-path", headers=bearer("canary-wrong-key"))
    with running_server(tmp_path, fake="faulty") as faulty:
        assert httpx.post(faulty.url + TRANSCRIBE, **form).status_code == 500  # type: ignore[arg-type]
        text = locked.log_text() + faulty.log_text()
    assert "ValueError" in text and f"POST {TRANSCRIBE} 200" in text
    assert "canary" not in text and "general" not in text


# -- ending ------------------------------------------------------------------------------------------------------------


def in_flight(server: ServerProcess, answers: list[httpx.Response | httpx.HTTPError]) -> threading.Thread:
    """A request that has been accepted and is being worked on."""

    def ask() -> None:
        try:
            answers.append(httpx.post(server.url + TRANSCRIBE, files={"file": b"x"}, timeout=30))
        except httpx.HTTPError as error:
            answers.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    deadline = time.monotonic() + 20
    while "at work" not in server.log_text() and time.monotonic() < deadline:
        time.sleep(0.02)
    return thread


def test_what_was_accepted_is_finished(tmp_path: Path) -> None:
    answers: list[httpx.Response | httpx.HTTPError] = []
    with running_server(tmp_path, fake="slow") as server:
        thread = in_flight(server, answers)
        code = server.stop(signal.SIGTERM)
        thread.join(30)
    (answer,) = answers
    assert isinstance(answer, httpx.Response) and answer.json()["text"] == "hello there general"
    assert code == 0 and "Talkie has stopped" in server.log_text()


def test_what_takes_too_long_is_cancelled(tmp_path: Path) -> None:
    answers: list[httpx.Response | httpx.HTTPError] = []
    with running_server(tmp_path, fake="hangs", env={"TALKIE_SHUTDOWN_GRACE_S": "1"}) as server:
        thread = in_flight(server, answers)
        code = server.stop(signal.SIGINT)
        thread.join(30)
    (answer,) = answers
    assert isinstance(answer, httpx.HTTPError) or answer.status_code == 503
    assert code == 0


def test_a_client_that_goes_away_stops_its_work(tmp_path: Path) -> None:
    with running_server(tmp_path, fake="hangs") as server:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(server.url + TRANSCRIBE, files={"file": b"x"}, timeout=0.5)
        deadline = time.monotonic() + 20
        while "cancelled" not in server.log_text() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert f"POST {TRANSCRIBE} 499" in server.log_text() or "cancelled" in server.log_text()
