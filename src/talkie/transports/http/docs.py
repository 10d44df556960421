"""`/openapi.json` and `/docs`: the interface described, for programs and for people. The page needs no network."""

from __future__ import annotations

from html import escape
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from talkie.transports.http.access import open_route

SCOPE = "docs"
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
METHODS = ("get", "post", "put", "patch", "delete")

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1c2330;background:#fff}
h2{font-size:1.05rem;margin:2.2rem 0 .3rem}h2 code{font-size:1rem}b{display:inline-block;min-width:3.2rem;color:#0b6b58}
table{border-collapse:collapse;width:100%;font-size:.9rem}td,th{padding:.3rem .6rem;text-align:left;vertical-align:top;
border-top:1px solid #dde2ea}code,pre{font:.9rem ui-monospace,monospace}pre{background:#f3f5f8;padding:.8rem;
overflow:auto;border-radius:6px}@media(prefers-color-scheme:dark){body{background:#12161d;color:#e3e8ef}
td,th{border-color:#2b3340}pre{background:#1b212b}b{color:#5fd0b5}a{color:#8ab8ff}}
"""
EXAMPLE = """curl http://127.0.0.1:8000/v1/audio/transcriptions \\
  -F file=@recording.wav -F response_format=srt"""


def add_docs(app: FastAPI) -> None:
    open_route(app, "GET", "/openapi.json", openapi, scope=SCOPE, include_in_schema=False)
    open_route(app, "GET", "/docs", docs, scope=SCOPE, include_in_schema=False)


async def openapi(request: Request) -> Response:
    return JSONResponse(request.app.openapi())


async def docs(request: Request) -> Response:
    return HTMLResponse(page(request.app.openapi()), headers={"Content-Security-Policy": PAGE_POLICY})


def page(spec: dict[str, Any]) -> str:
    """The description as one HTML page."""
    title = escape(f"{spec['info']['title']} {spec['info']['version']}")
    operations = "".join(
        _operation(method, path, operation)
        for path, methods in spec["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style><body><h1>{title}</h1>'
        f"<p>{escape(spec['info'].get('description', ''))} The same for programs: "
        f'<a href="/openapi.json">openapi.json</a>.</p><pre>{escape(EXAMPLE)}</pre>{operations}</body></html>'
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    bodies = operation.get("requestBody", {}).get("content", {}).values()
    body: dict[str, Any] = next((content.get("schema", {}) for content in bodies), {})
    rows = [_field(name, field, name in body.get("required", ())) for name, field in body.get("properties", {}).items()]
    rows += [
        _field(item["name"], item["schema"], item.get("required", False)) for item in operation.get("parameters", ())
    ]
    answers = ", ".join(f"{status} {answer['description']}" for status, answer in operation["responses"].items())
    return (
        f"<h2><b>{method.upper()}</b> <code>{escape(path)}</code></h2><p>{escape(operation.get('summary', ''))}. "
        f"{escape(operation.get('description', ''))}</p>{_table(rows)}<p><small>{escape(answers)}</small></p>"
    )


def _table(rows: list[str]) -> str:
    return f"<table><tr><th>field<th>type<th>meaning</tr>{''.join(rows)}</table>" if rows else ""


def _field(name: str, schema: dict[str, Any], required: bool) -> str:
    kind = schema.get("type", "")
    options = schema.get("enum") or schema.get("items", {}).get("enum")
    text = schema.get("description", "")
    if options:
        text = f"{text} One of: {', '.join(map(str, options))}.".strip()
    return (
        f"<tr><td><code>{escape(name)}</code>{' *' if required else ''}<td>{escape(str(kind))}<td>{escape(text)}</tr>"
    )
