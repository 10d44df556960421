"""A hub on loopback that has one model, sent over a line of limited speed: what a first start pulls from.

It speaks the part of the Hugging Face protocol that a pull needs: `/api/models/{repo}/revision/{rev}` describes the
repository, `/{repo}/resolve/{rev}/{file}` sends a file, from any byte on. Files stay on the disk, whatever their size.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from talkie.bench.restart_rate import Line
from talkie.models.files import sha256_file

COMMIT = "c" * 40
LARGE_BYTES = 1 << 20
_RANGE = re.compile(r"bytes=(\d+)-")


@dataclass(frozen=True, slots=True)
class Repository:
    """The files of one directory at one commit; the digests of large ones are known before anybody asks."""

    repo_id: str
    directory: Path
    digests: Mapping[str, str]

    def describe(self) -> dict[str, Any]:
        about = {"id": self.repo_id, "modelId": self.repo_id, "sha": COMMIT, "private": False, "tags": []}
        siblings = [self._sibling(path) for path in sorted(self.directory.iterdir())]
        return {**about, "downloads": 0, "likes": 0, "cardData": {"license": "mit"}, "siblings": siblings}

    def _sibling(self, path: Path) -> dict[str, Any]:
        size = path.stat().st_size
        if path.name in self.digests:
            lfs = {"size": size, "sha256": self.digests[path.name], "pointerSize": 130}
            return {"rfilename": path.name, "size": size, "blobId": "0" * 40, "lfs": lfs}
        blob = hashlib.sha1(b"blob %d\0" % size + path.read_bytes()).hexdigest()
        return {"rfilename": path.name, "size": size, "blobId": blob}


def repository(repo_id: str, directory: Path) -> Repository:
    large = [path for path in directory.iterdir() if path.stat().st_size >= LARGE_BYTES]
    return Repository(repo_id, directory, {path.name: sha256_file(path) for path in large})


@contextmanager
def hub(repo: Repository, line: Line) -> Iterator[str]:
    """Its address, for as long as the block runs."""
    handler = type("_Bound", (_Handler,), {"repo": repo, "line": line})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    repo: Repository
    line: Line
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: who measures is told by the figures."""

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        described = path.removeprefix(f"/api/models/{self.repo.repo_id}")
        name = path.removeprefix(f"/{self.repo.repo_id}/resolve/{COMMIT}/")
        with suppress(BrokenPipeError, ConnectionResetError):
            if described in ("", "/revision/main", f"/revision/{COMMIT}"):
                self._json(200, self.repo.describe(), with_body)
            elif name in {one.name for one in self.repo.directory.iterdir()}:
                self._file(self.repo.directory / name, with_body)
            else:
                self._json(404, {"error": "not found"}, with_body)

    def _json(self, status: int, values: Mapping[str, Any], with_body: bool) -> None:
        body = json.dumps(values).encode()
        self._head(status, len(body), {"Content-Type": "application/json"})
        if with_body:
            self.wfile.write(body)

    def _file(self, path: Path, with_body: bool) -> None:
        size = path.stat().st_size
        found = _RANGE.fullmatch(self.headers.get("Range", ""))
        start = min(int(found[1]), size) if found else 0
        part = {"Content-Range": f"bytes {start}-{size - 1}/{size}"} if found else {}
        more = {"X-Repo-Commit": COMMIT, "ETag": f'"{self.repo.digests.get(path.name, "0" * 40)}"', **part}
        self._head(206 if found else 200, size - start, more)
        if with_body:
            with path.open("rb") as source:
                source.seek(start)
                self.line.copy(source, self.wfile)  # type: ignore[arg-type]

    def _head(self, status: int, size: int, more: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(size), "Accept-Ranges": "bytes", **more}.items():
            self.send_header(name, value)
        self.end_headers()
