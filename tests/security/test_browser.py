"""Rule 3 in a real browser: a web page somewhere else cannot drive a server on this machine."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from server_process import ServerProcess, running_server

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Newer browsers ask the user before a page may reach loopback; older ones do not. The server must hold by itself.
    "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests,OptimizationHints",
)
PATIENCE_S = 60
PAGE = """<!doctype html><title>elsewhere</title>
<iframe name="sink"></iframe>
<form id="f" method="post" enctype="multipart/form-data" target="sink" action="SERVER/v1/audio/transcriptions">
  <input name="model" value="auto"></form>
<script>
const out = {};
const attempt = async (name, work) => { try { out[name] = await work(); } catch (error) { out[name] = "blocked"; } };
const form = () => { const f = new FormData(); f.append("file", new Blob(["RIFFxxxx"]), "a.wav"); return f; };
const post = {method: "POST", body: form()};
(async () => {
  await attempt("read", async () => (await fetch("SERVER/v1/models")).status);
  await attempt("post", async () => (await fetch("SERVER/v1/audio/transcriptions", post)).status);
  await attempt("blind", async () => (await fetch("SERVER/v1/audio/transcriptions", {...post, mode: "no-cors"})).type);
  await attempt("socket", () => new Promise((done, fail) => {
    const socket = new WebSocket("SERVER/v1/realtime".replace("http", "ws"));
    socket.onopen = () => done("open"); socket.onerror = fail; }));
  document.getElementById("f").submit();
  await new Promise(done => { document.querySelector("iframe").onload = done; setTimeout(done, 2000); });
  await fetch("/tried", {method: "POST", body: JSON.stringify(out)});
})();
</script>"""

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; scripts/install-test-deps.sh brings it"),
    pytest.mark.xdist_group("browser"),
    pytest.mark.slow,
]


class Elsewhere:
    """A web server of somebody else's: `html` is its page, and what the page found out comes back to it."""

    def __init__(self) -> None:
        self.html = ""
        self.tried: queue.Queue[dict[str, object]] = queue.Queue()
        self._web = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.origin = f"http://127.0.0.1:{self._web.server_address[1]}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        elsewhere = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(elsewhere.html.encode())

            def do_POST(self) -> None:
                elsewhere.tried.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self._answer(b"")

            def _answer(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                return

        return Handler

    def __enter__(self) -> Elsewhere:
        threading.Thread(target=self._web.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._web.shutdown()
        self._web.server_close()

    def visit(self, server: ServerProcess, profile: Path) -> dict[str, object]:
        """A browser opens the page, which tries everything against `server`; what it found out."""
        self.html = PAGE.replace("SERVER", server.url)
        with browser(self.origin, profile):
            return self.tried.get(timeout=PATIENCE_S)


@contextmanager
def browser(url: str, profile: Path, *flags: str) -> Iterator[subprocess.Popen[bytes]]:
    assert CHROMIUM is not None
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", *flags, url]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def shown(url: str, profile: Path, *flags: str) -> str:
    """What a browser shows for an address."""
    with browser(url, profile, "--dump-dom", *flags) as process:
        text, _ = process.communicate(timeout=PATIENCE_S)
    return text.decode()


def statuses(server: ServerProcess, method: str) -> list[int]:
    lines = (json.loads(line) for line in server.log_text().splitlines())
    return [line["status"] for line in lines if line.get("method") == method]


def test_a_page_on_another_origin_gets_nothing_done(tmp_path: Path) -> None:
    with Elsewhere() as elsewhere, running_server(tmp_path / "home", fake="plain") as server:
        result = elsewhere.visit(server, tmp_path / "profile")
        posts = statuses(server, "POST")
    assert result["read"] == result["post"] == result["socket"] == "blocked"
    assert len(posts) >= 2  # the blind one and the form arrived, and were refused before any handler
    assert set(posts) == {403}


def test_the_same_page_works_where_its_origin_is_allowed(tmp_path: Path) -> None:
    with (
        Elsewhere() as elsewhere,
        running_server(tmp_path / "home", "--cors-origins", elsewhere.origin, fake="plain") as server,
    ):
        result = elsewhere.visit(server, tmp_path / "profile")
    assert result["read"] == 200
    assert result["post"] == 200


def test_a_name_that_is_bent_to_this_machine_is_refused(tmp_path: Path) -> None:
    """DNS rebinding: the browser takes the server for the page's own origin; the Host header tells."""
    with running_server(tmp_path / "home", fake="plain") as server:
        port = server.url.rpartition(":")[2]
        bent = "--host-resolver-rules=MAP rebind.example 127.0.0.1"
        text = shown(f"http://rebind.example:{port}/v1/models", tmp_path / "profile", bent)
        honest = shown(f"{server.url}/v1/models", tmp_path / "profile")
    assert "host_refused" in text
    assert "fake-en" not in text
    assert "fake-en" in honest
