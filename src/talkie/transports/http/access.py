"""Who may come in, decided here before any handler, for HTTP and WebSocket alike.

Deny by default: a route names its scope where it is declared (`open_route`), and one that names none is shut. Host and
Origin are looked at first, on loopback too; then the key. Knows nothing of what the routes do.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.routing import Match

from talkie.errors import (
    HostRefused,
    KeyMissing,
    KeyRateLimited,
    KeyWrong,
    OriginRefused,
    ScopeMissing,
    TalkieError,
)
from talkie.transports.http.errors import error_response
from talkie.transports.http.origins import HostNames, Origins
from talkie.transports.http.throttle import Throttle
from talkie.transports.keys import PUBLIC, SCOPES, Caller, KeyRing

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Receive, Scope, Send

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
PROTOCOL_KEY = "openai-insecure-api-key."
"""A browser cannot set a header on a WebSocket; OpenAI's clients send the key as a subprotocol instead."""
SCOPE_MARK = "talkie_scope"
CALLER, ROUTE = "talkie.caller", "talkie.route"
PREFLIGHT_AGE_S = 600
_TOKENS = re.compile(r"[A-Za-z0-9-]{1,64}(?:\s*,\s*[A-Za-z0-9-]{1,64}){0,63}")


def open_route(
    app: FastAPI, method: str, path: str, endpoint: Callable[..., Awaitable[Any]], *, scope: str, **more: Any
) -> None:
    """Declare a route and the scope that it takes: one of `SCOPES`, or `public`."""
    if scope not in (*SCOPES, PUBLIC):
        raise ValueError(f"no such scope: {scope}")
    app.add_api_route(path, endpoint, methods=[method], **more)
    setattr(app.router.routes[-1], SCOPE_MARK, scope)


def open_socket(app: FastAPI, path: str, endpoint: Callable[..., Awaitable[Any]], *, scope: str) -> None:
    """Declare a WebSocket and the scope that it takes, as `open_route` does."""
    if scope not in (*SCOPES, PUBLIC):
        raise ValueError(f"no such scope: {scope}")
    app.add_api_websocket_route(path, endpoint)
    setattr(app.router.routes[-1], SCOPE_MARK, scope)


def scope_of(route: BaseRoute) -> str | None:
    """The scope that a route names, None when it names none (and is therefore shut)."""
    return getattr(route, SCOPE_MARK, None)


@dataclass(frozen=True)
class AccessRules:
    """What the door checks: keys, the server's names, and the web origins that may call it."""

    keys: KeyRing = field(default_factory=KeyRing)
    hosts: HostNames = field(default_factory=HostNames)
    origins: Origins = field(default_factory=Origins)
    throttle: Throttle = field(default_factory=Throttle)


class AccessMiddleware:
    """Lets a request through to its handler, or answers it here."""

    def __init__(self, app: ASGIApp, rules: AccessRules) -> None:
        self._app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        try:
            answer = self._admit(scope, Headers(scope=scope))
        except TalkieError as error:
            answer = error_response(error)
        if answer is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http" or "websocket.http.response" in scope.get("extensions", {}):
            await answer(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": "refused"})

    def _admit(self, scope: Scope, headers: Headers) -> Response | None:
        """None when the handler may run; an answer to a preflight. Raises an `AccessError`."""
        self._check_host(headers)
        if scope["type"] == "http" and scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            return self._preflight(headers)
        self._check_origin(scope, headers)
        route = _match(scope)
        scope[ROUTE] = getattr(route, "path", "")
        needed = scope_of(route) if route is not None else ""
        if needed is None:
            raise ScopeMissing("none")
        try:
            scope[CALLER] = self._caller(scope, headers)
        except (KeyMissing, KeyWrong, KeyRateLimited):
            if needed != PUBLIC:
                raise
            scope[CALLER] = None
        if needed and needed != PUBLIC and not scope[CALLER].may(needed):
            raise ScopeMissing(needed)
        return None

    def _check_host(self, headers: Headers) -> None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._rules.hosts.know(hosts[0]):
            raise HostRefused

    def _check_origin(self, scope: Scope, headers: Headers) -> None:
        """Every unsafe call and every WebSocket. A program sends no Origin; a browser always does, or says why not."""
        if scope["type"] == "http" and scope["method"] in SAFE_METHODS:
            return
        origins = headers.getlist("origin")
        if any(not self._rules.origins.allow(origin, headers["host"]) for origin in origins):
            raise OriginRefused
        if not origins and headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            raise OriginRefused

    def _caller(self, scope: Scope, headers: Headers) -> Caller:
        address = (scope.get("client") or ("unknown", 0))[0]
        key = _shown_key(scope, headers)
        wait_s = self._rules.throttle.wait_s(address) if key else 0.0
        if wait_s > 0 and self._rules.keys.required:
            raise KeyRateLimited(wait_s)
        try:
            return self._rules.keys.identify(key)
        except KeyWrong:
            self._rules.throttle.failed(address)
            raise

    def _preflight(self, headers: Headers) -> Response:
        """A browser asks before it calls: answered without a key, and only for origins on the list."""
        if not self._rules.origins.listed(headers.get("origin", "")):
            raise OriginRefused
        wanted = headers.get("access-control-request-headers", "")
        answer = {
            "Access-Control-Allow-Methods": "GET, POST, DELETE",
            "Access-Control-Max-Age": str(PREFLIGHT_AGE_S),
        }
        if _TOKENS.fullmatch(wanted):
            answer["Access-Control-Allow-Headers"] = wanted
        if headers.get("access-control-request-private-network") == "true":
            answer["Access-Control-Allow-Private-Network"] = "true"
        return Response(status_code=204, headers=answer)


def _match(scope: Scope) -> BaseRoute | None:
    """The route that will run, or the one whose method does not fit; None when there is neither."""
    partial = None
    for route in scope["app"].router.routes:
        match, _ = route.matches(scope)
        if match is Match.FULL:
            return route  # type: ignore[no-any-return]
        if match is Match.PARTIAL:
            partial = partial or route
    return partial


def _shown_key(scope: Scope, headers: Headers) -> str | None:
    """The key of `Authorization: Bearer KEY`, or of a WebSocket's subprotocol. Never one in the URL."""
    shown = headers.getlist("authorization")
    if len(shown) == 1:
        scheme, _, key = shown[0].partition(" ")
        return key.strip() if scheme.lower() == "bearer" else None
    protocols = [] if shown or scope["type"] != "websocket" else scope.get("subprotocols", [])
    return next((name.removeprefix(PROTOCOL_KEY) for name in protocols if name.startswith(PROTOCOL_KEY)), None)
