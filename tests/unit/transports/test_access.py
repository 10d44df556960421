"""Who may come in, over every route that there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.routing import WebSocketRoute

from http_door import BASE, TRANSCRIBE, ask, make_app, run
from talkie.transports.http.access import SCOPE_MARK, open_route, scope_of
from talkie.transports.http.throttle import FAILURES
from talkie.transports.keys import PUBLIC, SCOPES, KeyRing, new_key, write_keys

KEY = "canary-key-4711"
EVIL = "https://evil.example"
APP = "https://app.example"


@pytest.fixture
def locked(tmp_path: Path) -> FastAPI:
    return make_app(tmp_path, keys=KeyRing(KEY), origins=(APP,))


@pytest.fixture
def opened(tmp_path: Path) -> FastAPI:
    return make_app(tmp_path, origins=(APP,))


def bearer(key: str = KEY) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_every_route_names_a_scope(opened: FastAPI) -> None:
    routes = opened.router.routes
    assert len(routes) > 8
    assert [route for route in routes if scope_of(route) not in (*SCOPES, PUBLIC)] == []


def test_every_route_but_the_probes_is_shut_without_a_key(locked: FastAPI) -> None:
    shut = set()
    for route in locked.router.routes:
        path = route.path.replace("{model_id:path}", "m")  # type: ignore[attr-defined]
        for method in getattr(route, "methods", ()):  # sockets have none, and a test of their own
            answer = ask(locked, method, path)
            if scope_of(route) != PUBLIC:
                assert answer.status_code == 401, path
                assert answer.headers["www-authenticate"].startswith("Bearer")
                assert answer.json()["error"]["code"] == "key_missing"
                shut.add(path)
    assert {"/metrics", "/docs", "/openapi.json", "/v1/models", TRANSCRIBE} <= shut
    assert ask(locked, "GET", "/healthz").status_code == 200


def test_what_is_not_there_is_not_told_without_a_key(locked: FastAPI) -> None:
    assert ask(locked, "GET", "/nothing").status_code == 401
    assert ask(locked, "GET", "/nothing", headers=bearer()).status_code == 404


def test_a_route_without_a_scope_is_shut_even_with_a_key(locked: FastAPI) -> None:
    locked.add_api_route("/forgotten", lambda: "secret")
    answer = ask(locked, "GET", "/forgotten", headers=bearer())
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "scope_missing")


def test_a_scope_that_does_not_exist_cannot_be_declared(opened: FastAPI) -> None:
    async def endpoint() -> None: ...

    with pytest.raises(ValueError, match="no such scope"):
        open_route(opened, "GET", "/x", endpoint, scope="everything")


def test_a_key_opens_its_scopes_only(tmp_path: Path) -> None:
    key, stored = new_key("reader", ["models:read"])
    write_keys(tmp_path / "k.toml", [stored])
    app = make_app(tmp_path, keys=KeyRing(None, tmp_path / "k.toml"))
    assert ask(app, "GET", "/v1/models", headers=bearer(key)).status_code == 200
    answer = ask(app, "GET", "/metrics", headers=bearer(key))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "scope_missing")


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": KEY},
        {"Authorization": f"Basic {KEY}"},
        {"Authorization": "Bearer"},
        {"Authorization": f"Bearer {KEY}x"},
        {"X-Api-Key": KEY},
        {},
    ],
)
def test_other_ways_to_show_a_key_do_not_open(locked: FastAPI, headers: dict[str, str]) -> None:
    assert ask(locked, "GET", f"/v1/models?api_key={KEY}&key={KEY}", headers=headers).status_code == 401


def test_without_keys_an_empty_or_any_key_is_fine(opened: FastAPI) -> None:
    for key in ("", "sk-anything"):
        assert ask(opened, "GET", "/v1/models", headers={"Authorization": f"Bearer {key}"}).status_code == 200


def test_details_of_readiness_are_for_those_who_are_known(locked: FastAPI) -> None:
    assert ask(locked, "GET", "/readyz").json() == {"ready": True}
    assert ask(locked, "GET", "/readyz", headers=bearer()).json()["parts"] == {"model": "ready"}


def test_wrong_keys_run_into_a_limit(locked: FastAPI) -> None:
    statuses = [ask(locked, "GET", "/v1/models", headers=bearer("wrong")).status_code for _ in range(FAILURES + 1)]
    assert statuses == [401] * FAILURES + [429]
    limited = ask(locked, "GET", "/v1/models", headers=bearer())
    assert limited.status_code == 429 and int(limited.headers["retry-after"]) >= 1


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:8000", "", "127.0.0.1.evil.example"])
@pytest.mark.parametrize("path", ["/healthz", "/v1/models", "/nothing"])
def test_another_host_is_refused_everywhere(opened: FastAPI, host: str, path: str) -> None:
    answer = ask(opened, "GET", path, headers={"Host": host})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "host_refused")


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:8000", "[::1]:8000", "talkie.example", "10.0.0.7"])
def test_our_own_hosts_are_fine(opened: FastAPI, host: str) -> None:
    assert ask(opened, "GET", "/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": EVIL},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_elsewhere_may_not_post(opened: FastAPI, headers: dict[str, str]) -> None:
    answer = ask(opened, "POST", TRANSCRIBE, files={"file": b"x"}, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "origin_refused")
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("headers", [{"Origin": BASE}, {"Origin": APP}, {"Sec-Fetch-Site": "same-origin"}, {}])
def test_our_own_and_listed_pages_may(opened: FastAPI, headers: dict[str, str]) -> None:
    assert ask(opened, "POST", TRANSCRIBE, files={"file": b"x"}, headers=headers).status_code == 200


def test_answers_to_a_listed_page_can_be_read_there(locked: FastAPI) -> None:
    answer = ask(locked, "GET", "/v1/models", headers={"Origin": APP})  # errors as well
    assert answer.status_code == 401 and answer.headers["access-control-allow-origin"] == APP
    assert "Origin" in answer.headers["vary"]
    assert "access-control-allow-credentials" not in answer.headers


def test_preflights_need_no_key_and_a_listed_origin(locked: FastAPI) -> None:
    wanted = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, x-a",
    }
    good = ask(locked, "OPTIONS", TRANSCRIBE, headers={"Origin": APP, **wanted})
    assert good.status_code == 204 and good.headers["access-control-allow-origin"] == APP
    assert good.headers["access-control-allow-headers"] == "authorization, x-a"
    bad = ask(locked, "OPTIONS", TRANSCRIBE, headers={"Origin": EVIL, **wanted})
    assert bad.status_code == 403 and "access-control-allow-origin" not in bad.headers
    assert ask(locked, "OPTIONS", TRANSCRIBE, headers={"Origin": APP}).status_code == 401


def test_every_answer_carries_security_headers(locked: FastAPI) -> None:
    for path, status in (("/healthz", 200), ("/nothing", 401)):
        answer = ask(locked, "GET", path)
        assert answer.status_code == status
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def websocket(app: FastAPI, headers: dict[str, str], subprotocols: list[str] | None = None) -> list[dict[str, Any]]:
    """What a WebSocket at `/socket` is told."""
    if not any(getattr(route, "path", "") == "/socket" for route in app.router.routes):

        async def endpoint(socket: Any) -> None:
            await socket.accept()
            await socket.close()

        app.router.routes.append(WebSocketRoute("/socket", endpoint))
        setattr(app.router.routes[-1], SCOPE_MARK, "transcribe")
    told: list[dict[str, Any]] = []
    scope = {
        "type": "websocket",
        "path": "/socket",
        "raw_path": b"/socket",
        "query_string": b"",
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "subprotocols": subprotocols or [],
        "client": ("10.0.0.1", 5),
    }

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        told.append(message)

    run(app(scope, receive, send))
    return told


@pytest.mark.parametrize(
    ("headers", "accepted"),
    [
        ({"Host": "localhost", **bearer()}, True),
        ({"Host": "localhost", "Origin": APP, **bearer()}, True),
        ({"Host": "localhost"}, False),
        ({"Host": "localhost", "Origin": EVIL, **bearer()}, False),
        ({"Host": "evil.example", **bearer()}, False),
    ],
)
def test_websockets_pass_the_same_door(locked: FastAPI, headers: dict[str, str], accepted: bool) -> None:
    told = websocket(locked, headers)
    assert (told[0]["type"] == "websocket.accept") is accepted
    assert accepted or told == [{"type": "websocket.close", "code": 1008, "reason": "refused"}]


def test_a_browser_shows_its_key_as_a_subprotocol(locked: FastAPI) -> None:
    for key, kind in ((KEY, "websocket.accept"), ("wrong", "websocket.close")):
        told = websocket(locked, {"Host": "localhost"}, ["realtime", f"openai-insecure-api-key.{key}"])
        assert told[0]["type"] == kind
