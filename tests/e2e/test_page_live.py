"""The page in a real browser, with a recording as its microphone: the words appear, and what goes wrong is said."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from browser import IN_BROWSER, SAID, ScriptedListen, contrasts, names_of_controls, open_page
from server_process import ServerProcess, running_server

pytestmark = IN_BROWSER
KEY = "tk_canary-key"
WATCH = """() => {
    window.shown = [];
    const look = () => {
        for (const at of document.querySelectorAll("#live-transcript .said p:has(.tentative)")) {
            window.shown.push(at.textContent);
        }
    };
    new MutationObserver(look).observe(document.getElementById("live-transcript"), {childList: true, subtree: true});
}"""
"""Keeps everything that was shown of what was still being heard."""
LIVE, STATE, PROBLEM, SPOKEN = "#live", "#live-state", "#live-problem", "#live-transcript .said p"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server whose sessions say what they were given."""
    with running_server(tmp_path_factory.mktemp("home"), fake="plain") as running:
        yield running


def start(page: Page) -> None:
    page.get_by_role("button", name="Start listening").click()


def stop(page: Page) -> None:
    page.get_by_role("button", name="Stop listening").click()
    expect(page.locator(LIVE)).to_have_attribute("data-state", "idle")


def ready(socket: WebSocketRoute) -> None:
    socket.send(json.dumps({"type": "ready", "session_id": "live_1", "model": "m"}))


def partial(text: str, committed: str = "", utterance: int = 0, start: float = 0.0, end: float = 1.0) -> str:
    heard = {"utterance": utterance, "start": start, "end": end, "text": text, "committed": committed}
    return json.dumps({"type": "partial", **heard})


def final(text: str, utterance: int = 0, start: float = 0.0, end: float = 1.0) -> str:
    heard = {"utterance": utterance, "start": start, "end": end, "text": text, "language": "en", "words": []}
    return json.dumps({"type": "final", **heard})


def error(code: str, message: str, hint: str = "") -> str:
    return json.dumps({"type": "error", "error": {"code": code, "message": message, "hint": hint}})


def test_what_is_said_into_the_microphone_appears(browser: Browser, hearing: ServerProcess) -> None:
    with open_page(browser, hearing.url) as page:
        page.get_by_label("Model").select_option("whisper-test")
        page.evaluate(WATCH)
        start(page)
        expect(page.locator(STATE)).to_have_text("Listening")
        expect(page.get_by_role("log").locator(".said p")).not_to_be_empty()  # a final, in its own time
        stop(page)
        words = " ".join(page.locator(SPOKEN).all_inner_texts())
        shown = page.evaluate("window.shown")
        with page.expect_download() as found:
            page.get_by_role("button", name="Download as srt").click()
        subtitles = Path(found.value.path()).read_text(encoding="utf-8")
    assert words == SAID
    assert any(partial.split()[:1] == SAID.split()[:1] for partial in shown), shown  # before the end was there
    began = re.match(r"1\n00:00:(\d\d),(\d{3}) --> ", subtitles)
    assert began and 0.5 < int(began[1]) + int(began[2]) / 1000 < 3.0  # silence comes first
    assert subtitles.split("\n")[2] == SAID


def test_its_session_is_listed_can_be_ended_and_ends_with_the_page(browser: Browser, hearing: ServerProcess) -> None:
    def sessions() -> list[dict[str, str]]:
        return hearing.get("/v1/sessions").json()["data"]  # type: ignore[no-any-return]

    with open_page(browser, hearing.url) as page:
        start(page)
        expect(page.locator(STATE)).to_have_text("Listening")
        (session,) = sessions()
        assert session["door"] == "page"
        httpx.delete(f"{hearing.url}/v1/sessions/{session['id']}")
        expect(page.locator(PROBLEM)).to_contain_text("ended by somebody else")
        expect(page.locator(LIVE)).to_have_attribute("data-state", "idle")
        start(page)
        expect(page.locator(STATE)).to_have_text("Listening")
        assert len(sessions()) == 1
    deadline = time.monotonic() + 30
    while sessions():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_page_keeps_what_was_said_and_stopping_hears_the_rest(browser: Browser, plain: ServerProcess) -> None:
    with open_page(browser, plain.url) as page:
        start(page)
        expect(page.locator(STATE)).to_have_text("Listening")
        expect(page.locator(".committed")).to_have_text("hello")
        expect(page.locator(".tentative")).to_have_text(" there general")
        expect(page.locator("#model")).to_be_disabled()
        stop(page)
        expect(page.locator(SPOKEN)).to_have_text("hello there general")
        start(page)  # goes on where it stopped
        expect(page.locator(SPOKEN)).to_have_count(2)
        stop(page)
        page.get_by_role("button", name="Clear").click()
        expect(page.locator(SPOKEN)).to_have_count(0)
        expect(page.locator("#microphone")).to_be_focused()


def test_keys_are_enough_and_everything_has_a_name(browser: Browser, plain: ServerProcess) -> None:
    with open_page(browser, plain.url) as page:
        page.locator("#microphone").focus()
        page.keyboard.press("Space")
        expect(page.locator(".committed")).to_have_text("hello")
        controls, seen = names_of_controls(page), contrasts(page)
        expect(page.locator("#microphone")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator(LIVE)).to_have_attribute("data-state", "idle")
        expect(page.locator("#live-actions")).to_be_visible()
    assert ("button", "Stop listening") in controls and ("meter", "Level") in controls
    assert ("log", "Transcript") in controls
    assert [role for role, name in controls if not name] == []
    assert {text: ratio for text, ratio in seen.items() if ratio < 4.5} == {}


def test_a_key_opens_the_socket_too(browser: Browser, tmp_path: Path) -> None:
    refused = ("Failed to load resource",)
    env = {"TALKIE_API_KEY": KEY}
    with running_server(tmp_path / "home", env=env, fake="plain") as server:
        with open_page(browser, server.url, complaints=refused) as page:
            page.locator("#key-input").fill(KEY)
            page.keyboard.press("Enter")
            start(page)
            expect(page.locator(".committed")).to_have_text("hello")
            stop(page)
            expect(page.locator(SPOKEN)).to_have_text("hello there general")
        assert KEY not in server.log_text()


def test_a_certificate_of_ones_own_brings_the_microphone(browser: Browser, tmp_path: Path) -> None:
    flags = ("--tls", "self-signed", "--allowed-hosts", "talkie.example")
    with running_server(tmp_path / "home", *flags, fake="plain") as server:
        port = server.url.rpartition(":")[2]
        with open_page(browser, f"https://talkie.example:{port}/", ignore_https_errors=True) as page:
            start(page)
            expect(page.locator(".committed")).to_have_text("hello")
            stop(page)
            expect(page.locator(SPOKEN)).to_have_text("hello there general")


def test_a_socket_without_the_key_asks_for_it(browser: Browser, tmp_path: Path) -> None:
    refused = ("Failed to load resource", "WebSocket connection to")
    env = {"TALKIE_API_KEY": KEY}
    with (
        running_server(tmp_path / "home", env=env, fake="plain") as server,
        open_page(browser, server.url, complaints=refused) as page,
    ):
        page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        start(page)
        page.locator("#key-input").fill(KEY)
        page.keyboard.press("Enter")
        expect(page.locator(".committed")).to_have_text("hello")  # and it goes on by itself
        stop(page)


def test_a_page_on_another_origin_cannot_listen(browser: Browser, plain: ServerProcess) -> None:
    url = plain.url.replace("http", "ws") + "/v1/listen"
    attempt = """(url) => new Promise((done) => {
        const socket = new WebSocket(url);
        socket.onopen = () => done("open");
        socket.onerror = () => done("blocked");
    })"""
    own = plain.url.rpartition(":")[2]
    with browser.new_context() as context:
        page = context.new_page()
        page.route("http://elsewhere.example/**", lambda route: route.fulfill(body="<!doctype html>"))
        page.goto("http://elsewhere.example/")
        assert page.evaluate(attempt, url) == "blocked"
        page.goto(f"http://localhost:{own}/")
        assert page.evaluate(attempt, url.replace("127.0.0.1", "localhost")) == "open"


def test_words_are_text_and_never_markup(browser: Browser, plain: ServerProcess) -> None:
    nasty = "<img src=x onerror=\"document.title='owned'\"> & <b>bold</b>"

    def play(socket: WebSocketRoute) -> None:
        ready(socket)
        socket.send(partial(nasty, nasty[:10], utterance=0))
        socket.send(final(nasty, utterance=1))
        socket.send(json.dumps({"type": "warning", "code": "x", "message": nasty}))

    with scripted(browser, plain, play) as (page, _):
        start(page)
        expect(page.locator(SPOKEN)).to_have_text([nasty, nasty])
        expect(page.locator(PROBLEM)).to_have_text(nasty)
        assert page.locator("#live img, #live b").count() == 0
        assert page.title() == "Talkie"


def test_partials_change_and_an_empty_final_takes_them_back(browser: Browser, plain: ServerProcess) -> None:
    sockets: list[WebSocketRoute] = []

    def play(socket: WebSocketRoute) -> None:
        ready(socket)
        sockets.append(socket)

    with scripted(browser, plain, play) as (page, listen):
        start(page)
        expect(page.locator(STATE)).to_have_text("Listening")
        for event, shown in (
            (partial("one too"), ["one too"]),
            (partial("one two three", "one two"), ["one two three"]),
            (partial("noise", utterance=1), ["one two three", "noise"]),
            (final("one two three."), ["one two three.", "noise"]),
            (final("", utterance=1), ["one two three."]),
        ):
            sockets[0].send(event)
            expect(page.locator(SPOKEN)).to_have_text(shown)
        wait(page, lambda: listen.sound > 10_000)
        page.get_by_role("button", name="Stop listening").click()
        wait(page, lambda: listen.texts == ['{"type":"close"}'])
        expect(page.locator(STATE)).to_have_text("Hearing the last words.")
        sockets[0].send(final("four", utterance=2))
        sockets[0].send(json.dumps({"type": "done", "seconds": 1.0}))
        expect(page.locator(LIVE)).to_have_attribute("data-state", "idle")
        expect(page.locator(SPOKEN)).to_have_text(["one two three.", "four"])
    rate = int(re.search(r"sample_rate=(\d+)", listen.urls[0])[1])  # type: ignore[index]
    assert rate >= 8_000
    assert {"encoding=pcm16", "interim_results=true", "client=page"} <= set(listen.urls[0].split("?")[1].split("&"))


def test_a_broken_connection_is_opened_again_and_loses_nothing_shown(browser: Browser, plain: ServerProcess) -> None:
    def breaks(socket: WebSocketRoute) -> None:
        ready(socket)
        socket.send(final("first"))
        socket.send(partial("half a sent", "half", utterance=1, start=1.0))
        socket.close(code=1012)

    def goes_on(socket: WebSocketRoute) -> None:
        ready(socket)
        socket.send(final("second", start=30.0, end=31.0))

    with scripted(browser, plain, breaks, goes_on) as (page, listen):
        start(page)
        expect(page.locator(STATE)).to_have_text("The connection broke. Trying again.")
        expect(page.locator(SPOKEN)).to_have_text(["first", "half a sent", "second"])
        expect(page.locator(STATE)).to_have_text("Listening")
    assert len(listen.urls) == 2


@pytest.mark.parametrize("before", [True, False], ids=["at-once", "in-the-midst"])
def test_the_servers_errors_are_told_with_what_helps(browser: Browser, plain: ServerProcess, before: bool) -> None:
    def refuses(socket: WebSocketRoute) -> None:
        if not before:
            ready(socket)
            socket.send(partial("what was heard"))
        socket.send(error("session_lagging", "It is too slow.", "Take a smaller model."))
        socket.close(code=1013)

    with scripted(browser, plain, refuses) as (page, listen):
        start(page)
        expect(page.locator(PROBLEM)).to_have_text("It is too slow.Take a smaller model.")
        expect(page.locator(LIVE)).to_have_attribute("data-state", "idle")
        expect(page.locator(SPOKEN)).to_have_text([] if before else ["what was heard"])
        expect(page.get_by_role("button", name="Start listening")).to_be_enabled()
    assert len(listen.urls) == 1


def test_a_network_that_takes_nothing_is_noticed(browser: Browser, plain: ServerProcess) -> None:
    with open_page(browser, "about:blank") as page:
        page.add_init_script(
            "Object.defineProperty(WebSocket.prototype, 'bufferedAmount', {get: () => window.stuck ?? 0})"
        )
        sent: list[int] = []
        page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(len(frame))))
        page.goto(plain.url)
        with page.expect_websocket() as opened:
            start(page)
        expect(page.locator(STATE)).to_have_text("Listening")
        opened.value.wait_for_event("framesent")  # the line is up before the first sound is there
        page.evaluate("window.stuck = 1e9")
        expect(page.locator(STATE)).to_contain_text("too slow")
        count = len(sent)
        page.wait_for_timeout(500)
        assert 0 < len(sent) == count  # nothing more is given to it
        page.evaluate("window.stuck = 0")
        expect(page.locator(STATE)).to_have_text("Listening")
        stop(page)


def test_a_microphone_that_may_not_be_used_is_explained(browser: Browser, plain: ServerProcess) -> None:
    for name, words in (("NotAllowedError", "may not use"), ("NotFoundError", "no microphone")):
        refuse = f"navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('no', '{name}') }}"
        with open_page(browser, plain.url) as page:
            page.evaluate(f"() => {{ {refuse} }}")
            start(page)
            expect(page.locator(PROBLEM)).to_contain_text(words)
            expect(page.locator(LIVE)).to_have_attribute("data-state", "idle")


def scripted(browser: Browser, server: ServerProcess, *answers: Callable[[WebSocketRoute], None]) -> Scripted:
    return Scripted(browser, server, ScriptedListen(list(answers)))


class Scripted:
    """The page of a server, whose `/v1/listen` is played by the test."""

    def __init__(self, browser: Browser, server: ServerProcess, listen: ScriptedListen) -> None:
        self._page, self._url, self._listen = open_page(browser, "about:blank"), server.url, listen

    def __enter__(self) -> tuple[Page, ScriptedListen]:
        page = self._page.__enter__()
        self._listen.play_to(page)
        page.goto(self._url)
        return page, self._listen

    def __exit__(self, *how: object) -> None:
        self._page.__exit__(*how)  # type: ignore[arg-type]


def wait(page: Page, condition: Callable[[], bool]) -> None:
    """Let the browser go on until something is so on this side."""
    for _ in range(600):
        if condition():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it never came")
