"""The web pages, `/`, `/face` and `/cost`, and their files under `/web/`, read once, when the server starts.

A closed list: what a browser asks for is looked up by name and never becomes a path. The page is public, since a person
must see it to be asked for a key; what it does goes through the same doors as everybody's calls.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from talkie.transports.http.access import ROUTE, open_route
from talkie.transports.keys import PUBLIC

PAGES = {"/": "index.html", "/face": "face.html", "/cost": "cost.html"}
"""Each has one address."""
MEDIA_TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "toml": "application/toml; charset=utf-8",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
    "worker-src 'self'; connect-src 'self'{sockets}; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Nothing from elsewhere, nothing inline, and no text can become markup. Older browsers do not count a WebSocket to the
same host as 'self', so it is named."""


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file of the page and what a browser is told of it."""

    body: bytes
    media_type: str
    etag: str


def add_pages(app: FastAPI) -> None:
    """Declare the page's routes. HEAD is for whoever looks whether the page is there."""
    page_files = read_files()

    async def page(request: Request) -> Response:
        name = PAGES[request.scope[ROUTE]]
        return _answer(request, page_files[name], {"Content-Security-Policy": policy(request.headers["host"])})

    async def web_file(request: Request, name: str) -> Response:
        if name not in page_files or name in PAGES.values():
            raise HTTPException(404)
        return _answer(request, page_files[name], {})

    for method in ("GET", "HEAD"):
        for path in PAGES:
            open_route(app, method, path, page, scope=PUBLIC, include_in_schema=False)
        open_route(app, method, "/web/{name}", web_file, scope=PUBLIC, include_in_schema=False)


def policy(host: str) -> str:
    """The policy for a page at `host`, which is known by now to be well-formed and ours."""
    bracketed = host.startswith("[")  # the grammar of policies has no place for IPv6
    return POLICY.format(sockets="" if bracketed else f" ws://{host} wss://{host}")


def read_files() -> dict[str, PageFile]:
    """The page's files by name."""
    found = {}
    for file in (files("talkie") / "web").iterdir():
        media_type = MEDIA_TYPES.get(file.name.rpartition(".")[2])
        if media_type is not None:
            body = file.read_bytes()
            found[file.name] = PageFile(body, media_type, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
    return found


def _answer(request: Request, file: PageFile, headers: dict[str, str]) -> Response:
    """The file, or 304 where the browser has it. It asks every time, so that page and server are of one version."""
    headers = {**headers, "ETag": file.etag, "Cache-Control": "no-cache"}
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if file.etag in known:
        return Response(status_code=304, headers=headers)
    return Response(file.body, headers=headers, media_type=file.media_type)
