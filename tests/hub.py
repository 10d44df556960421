"""A hub on loopback, for tests: the part of the Hugging Face protocol that a pull needs, with faults on demand.

`/api/models/{repo}/revision/{rev}?blobs=true` describes a repository; `/{repo}/resolve/{rev}/{file}` serves a file,
with ranges; large files are a redirect to `/cdn/...`, as on the real one. Every byte sent is counted.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

CHUNK_BYTES = 4096


@dataclass
class Repo:
    """A repository at one commit. `large` are the files that are kept as LFS objects."""

    files: dict[str, bytes]
    commit: str = "c" * 40
    licence: str = "mit"
    large: tuple[str, ...] = ("model.bin",)
    claims: dict[str, int] = field(default_factory=dict)  # sizes that are not true
    token: str = ""

    def describe(self, repo_id: str) -> dict[str, Any]:
        siblings = [self._sibling(name, data) for name, data in self.files.items()]
        return {
            "id": repo_id,
            "modelId": repo_id,
            "sha": self.commit,
            "private": False,
            "tags": [],
            "downloads": 0,
            "likes": 0,
            "cardData": {"license": self.licence},
            "siblings": siblings,
        }

    def _sibling(self, name: str, data: bytes) -> dict[str, Any]:
        size = self.claims.get(name, len(data))
        blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        entry: dict[str, Any] = {"rfilename": name, "size": size, "blobId": blob}
        if name in self.large:
            entry["lfs"] = {"size": size, "sha256": hashlib.sha256(data).hexdigest(), "pointerSize": 130}
        return entry


@dataclass
class Faults:
    """What goes wrong. Counts run down; a fault with none left is over."""

    drop_after: dict[str, list[int]] = field(default_factory=dict)  # file: bytes after which each answer ends
    status: dict[str, list[int]] = field(default_factory=dict)  # file or "api": answers before the true one
    wrong: dict[str, int] = field(default_factory=dict)  # file: answers with its last byte changed
    no_ranges: bool = False
    pause_s: float = 0.0
    on_bytes: Callable[[str, int], None] = lambda file, sent: None


class LocalHub:
    """`with LocalHub({"owner/repo": Repo(...)}) as hub: hub.url`."""

    def __init__(self, repos: dict[str, Repo]) -> None:
        self.repos = repos
        self.faults = Faults()
        self.sent: Counter[str] = Counter()
        self.requests: list[tuple[str, str]] = []
        self.starts: dict[str, list[int]] = {}  # of every answer with bytes of a file: where it began
        self.authorizations: list[tuple[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> LocalHub:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: LocalHub
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.requests.append((self.command, self.path))
        self.hub.authorizations.append((path, self.headers.get("Authorization", "")))
        try:
            if path.startswith("/api/models/"):
                self._describe(path.removeprefix("/api/models/"))
            elif path.startswith("/cdn/"):
                self._serve(*self._find(path.removeprefix("/cdn/")), body=body)
            else:
                self._resolve(path.lstrip("/"), body=body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _describe(self, path: str) -> None:
        repo_id, _, revision = path.partition("/revision/")
        repo = self.hub.repos.get(repo_id)
        if self._fault("api"):
            return
        if repo is None or (repo.token and self.headers.get("Authorization") != f"Bearer {repo.token}"):
            self._error(401, "RepoNotFound")
        elif revision not in ("", "main", repo.commit):
            self._error(404, "RevisionNotFound")
        else:
            self._json(repo.describe(repo_id))

    def _resolve(self, path: str, *, body: bool) -> None:
        repo_id, _, rest = path.partition("/resolve/")
        revision, _, name = rest.partition("/")
        repo = self.hub.repos.get(repo_id)
        if repo is None or revision not in ("main", repo.commit) or name not in repo.files:
            self._error(404, "EntryNotFound")
        elif self._fault(name):
            return
        elif name in repo.large:
            self.send_response(302)
            # another name of the same machine, so that a client that minds its token drops it here
            self.send_header("Location", f"http://localhost:{self.hub.port}/cdn/{repo_id}/{name}")
            self.send_header("X-Repo-Commit", repo.commit)
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._serve(name, repo.files[name], body=body)

    def _find(self, path: str) -> tuple[str, bytes]:
        owner, repo, name = path.split("/", 2)
        return name, self.hub.repos[f"{owner}/{repo}"].files[name]

    def _serve(self, name: str, data: bytes, *, body: bool) -> None:
        faults, start = self.hub.faults, 0
        wanted = self.headers.get("Range", "")
        if wanted and not faults.no_ranges:
            start = int(wanted.removeprefix("bytes=").partition("-")[0])
        if faults.wrong.get(name, 0) > 0:
            faults.wrong[name] -= 1
            data = data[:-1] + bytes([data[-1] ^ 255])
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.end_headers()
        if body:
            self.hub.starts.setdefault(name, []).append(start)
            self._send(name, data[start:])

    def _send(self, name: str, data: bytes) -> None:
        faults = self.hub.faults
        drops = faults.drop_after.get(name, [])
        limit = drops.pop(0) if drops else len(data)
        for at in range(0, min(limit, len(data)), CHUNK_BYTES):
            piece = data[at : min(at + CHUNK_BYTES, limit)]
            self.wfile.write(piece)
            self.hub.sent[name] += len(piece)
            faults.on_bytes(name, self.hub.sent[name])
            if faults.pause_s:
                time.sleep(faults.pause_s)
        if limit < len(data):
            self.close_connection = True

    def _fault(self, what: str) -> bool:
        answers = self.hub.faults.status.get(what, [])
        if answers:
            self._error(answers.pop(0), "")
            return True
        return False

    def _error(self, status: int, code: str) -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _json(self, data: dict[str, Any]) -> None:
        body = json.dumps(data).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _handler(hub: LocalHub) -> type[_Handler]:
    return type("Handler", (_Handler,), {"hub": hub})
