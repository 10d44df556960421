"""The page with the face in a real browser, by every way that it has: it is seen, heard and stopped."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from browser import IN_BROWSER, contrasts, names_of_controls, open_page
from face_probe import offsets_ms, watch
from server_process import ServerProcess, running_server

pytestmark = IN_BROWSER
FACE, STATE, PROBLEM, CAPTIONS = "#face", "#face-state", "#face-problem", "#captions"
KEY = "tk_canary-key"
MAX_OFFSET_MS = 40
UTTERANCES = 12
"""A call finds its lip-sync in its first seconds, and on a busy machine in its first minute."""

MOUTH = """() => {
  const shown = document.querySelector("#video:not([hidden])") ?? document.getElementById("canvas");
  const canvas = new OffscreenCanvas(64, 64).getContext("2d", {willReadFrequently: true});
  canvas.drawImage(shown, 0, 0, 64, 64);
  return [...canvas.getImageData(22, 32, 20, 16).data].filter((_, at) => at % 4 === 1);
}"""
"""Greens of the middle of the face, below its eyes, in a picture of 64 x 64."""


@pytest.fixture(scope="module")
def flashes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server whose face flashes once a word, with a tone that begins in the same instant. It wants a key."""
    env = {"TALKIE_API_KEY": KEY}
    with running_server(tmp_path_factory.mktemp("home"), env=env, fake="flashes") as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The real thing: the built-in voice and the built-in face."""
    with running_server(tmp_path_factory.mktemp("home"), "--threads", "1") as running:
        running.wait_ready()
        yield running


@contextmanager
def let_in(browser: Browser, server: ServerProcess, query: str = "", **context: Any) -> Iterator[Page]:
    """The page of the server with a key, which the tab has."""
    with open_page(browser, "about:blank", complaints=("Failed to load resource",), **context) as page:
        page.add_init_script(f"sessionStorage.setItem('talkie.key', '{KEY}')")
        page.goto(f"{server.url}/face{query}")
        yield page


def tell(page: Page, text: str) -> None:
    page.get_by_label("What shall it say?").fill(text)
    page.get_by_role("button", name="Say it").click()


def until(page: Page, state: str) -> None:
    expect(page.locator(FACE)).to_have_attribute("data-state", state)


def mouths(page: Page, count: int) -> list[list[int]]:
    found = []
    for _ in range(count):
        found.append(page.evaluate(MOUTH))
        page.wait_for_timeout(60)
    return found


def motion(found: list[list[int]]) -> float:
    """How much the pictures differ from the first of them, at most: a mean of levels of 255."""
    return max(statistics.fmean(abs(a - b) for a, b in zip(found[0], one, strict=True)) for one in found)


@pytest.mark.parametrize("way", ["film", "webrtc"])
def test_sound_and_picture_are_together(browser: Browser, flashes: ServerProcess, way: str) -> None:
    with let_in(browser, flashes, f"?by={way}", bypass_csp=True) as page:
        watch(page)
        tell(page, "one two three four")
        settled: list[float] = []
        for _ in range(UTTERANCES):
            until(page, "talking")
            until(page, "ready")
            found = offsets_ms(page)
            settled.append(statistics.median(found) if len(found) >= 3 else 1e9)
            if abs(settled[-1]) < MAX_OFFSET_MS:
                break
            page.get_by_role("button", name="Say it").click()
    assert abs(settled[-1]) < MAX_OFFSET_MS, settled


@pytest.mark.parametrize("way", ["webrtc", "socket", "film"])
def test_the_face_moves_its_mouth_while_it_speaks_and_only_then(
    browser: Browser, server: ServerProcess, way: str
) -> None:
    with open_page(browser, f"{server.url}/face?by={way}") as page:
        page.get_by_label("Mood").select_option("still")
        tell(page, "Hello. How are you?")
        until(page, "talking")
        speaking = mouths(page, 12)
        expect(page.locator(CAPTIONS)).to_contain_text("Hello")
        until(page, "ready")
        page.wait_for_timeout(400)  # a call shows what was made up to so much ago
        silent = mouths(page, 5)
        assert page.locator(FACE).get_attribute("data-way") == way
    assert statistics.pstdev(silent[0]) > 5  # a face is there
    assert motion(silent) < 1.5 < 4 < motion(speaking)


@pytest.mark.parametrize("way", ["webrtc", "socket"])
def test_it_moves_its_lips_to_the_microphone(browser: Browser, server: ServerProcess, way: str) -> None:
    with open_page(browser, f"{server.url}/face?by={way}") as page:
        page.get_by_label("Mood").select_option("still")
        page.get_by_role("button", name="My voice").click()
        until(page, "hearing")
        expect(page.get_by_role("button", name="My voice")).to_have_attribute("aria-pressed", "true")
        assert motion(mouths(page, 34)) > 4
        page.get_by_role("button", name="Stop").click()
        until(page, "ready")


def test_a_way_that_is_shut_makes_room_for_the_next(browser: Browser, flashes: ServerProcess) -> None:
    shut = {"error": {"message": "no", "code": "engine_unavailable", "type": "server_error", "param": None}}
    with let_in(browser, flashes) as page:
        page.route("**/webrtc", lambda route: route.fulfill(status=503, json=shut))
        tell(page, "one")
        until(page, "talking")
        assert page.locator(FACE).get_attribute("data-way") == "socket"
        page.add_init_script("delete window.VideoDecoder")
        page.reload()
        tell(page, "one")
        until(page, "talking")
        assert page.locator(FACE).get_attribute("data-way") == "film"
        page.add_init_script("HTMLMediaElement.prototype.canPlayType = () => ''")
        page.reload()
        tell(page, "one")
        until(page, "talking")
        assert page.locator(FACE).get_attribute("data-way") == "mjpeg"
        expect(page.locator(PROBLEM)).to_contain_text("without its sound")
        until(page, "ready")


def test_keys_are_enough_and_everything_has_a_name(browser: Browser, flashes: ServerProcess) -> None:
    with let_in(browser, flashes) as page:
        page.get_by_label("What shall it say?").focus()
        page.keyboard.type("word " * 50)
        page.keyboard.press("Enter")
        until(page, "talking")
        controls, seen = names_of_controls(page), contrasts(page)
        page.get_by_role("button", name="Stop").focus()
        page.keyboard.press("Enter")
        until(page, "ready")
        expect(page.get_by_role("button", name="Stop")).to_be_disabled()
    named = [("textbox", "What shall it say?"), ("button", "Say it"), ("button", "Stop"), ("combobox", "Voice")]
    assert set(named) <= set(controls)
    assert [role for role, name in controls if not name] == []
    assert {text: ratio for text, ratio in seen.items() if ratio < 4.5} == {}


def test_the_page_asks_for_a_key(browser: Browser, flashes: ServerProcess) -> None:
    with open_page(browser, f"{flashes.url}/face", complaints=("Failed to load resource",)) as page:
        page.locator("#key-input").fill(KEY)
        page.keyboard.press("Enter")
        expect(page.locator("#key-dialog")).to_be_hidden()
        expect(page.locator("#avatar option")).to_have_count(2)
        tell(page, "one")
        until(page, "talking")
    assert KEY not in flashes.log_text()


def test_what_goes_wrong_is_said(browser: Browser, flashes: ServerProcess) -> None:
    full = {"error": {"message": "8 faces are open.", "code": "too_many_sessions", "hint": "Wait.", "param": None}}
    with let_in(browser, flashes) as page:
        page.route("**/webrtc", lambda route: route.fulfill(status=503, json=full))
        tell(page, "one")
        expect(page.locator(PROBLEM)).to_have_text("8 faces are open.Wait.")
        until(page, "idle")
        page.unroute("**/webrtc")
        page.get_by_role("button", name="Say it").click()
        until(page, "talking")
        expect(page.locator(PROBLEM)).to_be_hidden()
