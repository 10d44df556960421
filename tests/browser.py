"""A real browser for tests of the page: Chromium driven by Playwright, with a recording as its microphone.

Its fixtures are of a module and not of a session: while Playwright runs, no other test of the process can run a loop.
"""

from __future__ import annotations

import io
import shutil
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, WebSocketRoute, expect, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
IN_BROWSER = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; scripts/install-test-deps.sh brings it"),
    pytest.mark.xdist_group("browser"),
    pytest.mark.slow,
]
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--host-resolver-rules=MAP *.example 127.0.0.1",
    "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests",
)
PATIENCE_MS = 60_000
SAID = "hello talkie what time is it"
"""What the trained test model hears word by word."""


@contextmanager
def chromium(microphone: Path) -> Iterator[Browser]:
    """A browser that hears `microphone` once, from its beginning, whenever a page opens the device."""
    expect.set_options(timeout=PATIENCE_MS)  # a busy machine is slow and not wrong
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS, f"--use-file-for-fake-audio-capture={microphone}%noloop"]
        )
        try:
            yield browser
        finally:
            browser.close()


def padded(wav: bytes, before_s: float, after_s: float) -> bytes:
    """A recording with silence around it: the page gets ready, and then somebody speaks."""
    with wave.open(io.BytesIO(wav)) as source:
        frames = source.readframes(source.getnframes())
        parameters, rate = source.getparams(), source.getframerate()
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams(parameters)
        out.writeframes(bytes(round(before_s * rate) * 2) + frames + bytes(round(after_s * rate) * 2))
    return file.getvalue()


@contextmanager
def open_page(browser: Browser, url: str, *, complaints: tuple[str, ...] = (), **context: Any) -> Iterator[Page]:
    """The page at `url` in a context of its own. At the end, the console must have said nothing wrong, but for messages
    that contain one of `complaints`: that something was refused is an error to a browser."""
    wrong: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(known in message.text for known in complaints):
            wrong.append(message.text)

    with browser.new_context(locale=context.pop("locale", "en-US"), **context) as opened:
        opened.set_default_timeout(PATIENCE_MS)
        page = opened.new_page()
        page.on("console", heard)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(url)
        yield page
    assert wrong == []


def names_of_controls(page: Page) -> list[tuple[str, str]]:
    """Role and name of everything that can be used, as a screen reader is told."""
    roles = {"button", "combobox", "textbox", "slider", "checkbox", "link", "progressbar", "meter", "log", "dialog"}
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")
    nodes = [node for node in tree["nodes"] if not node.get("ignored")]
    found = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if "role" in node]
    return [(role, name) for role, name in found if role in roles]


CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgb = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const part = (value) => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const light = ([red, green, blue]) => 0.2126 * part(red) + 0.7152 * part(green) + 0.0722 * part(blue);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return light(colour);
    }
    return 1;
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.checkVisibility() || element.closest(":disabled")) continue;
    const [one, two] = [light(rgb(getComputedStyle(element).color)), ground(element)].sort((a, b) => b - a);
    found.push([element.textContent.trim().slice(0, 40), (one + 0.05) / (two + 0.05)]);
  }
  return found;
}"""


def contrasts(page: Page) -> dict[str, float]:
    """The contrast of every text that can be seen with what is behind it, as WCAG reckons it."""
    return dict(page.evaluate(CONTRAST))


@dataclass
class ScriptedListen:
    """`/v1/listen` played by a test: `answers` are called in turn, one a connection, with the socket once it is open.

    `texts` are the messages that came, `sound` the bytes, `urls` the addresses.
    """

    answers: list[Callable[[WebSocketRoute], None]]
    texts: list[str] = field(default_factory=list)
    sound: int = 0
    urls: list[str] = field(default_factory=list)

    def play_to(self, page: Page) -> None:
        page.route_web_socket("**/v1/listen*", self._opened)

    def _opened(self, socket: WebSocketRoute) -> None:
        self.urls.append(socket.url)
        socket.on_message(self._hear)
        self.answers.pop(0)(socket)

    def _hear(self, message: str | bytes) -> None:
        if isinstance(message, str):
            self.texts.append(message)
        else:
            self.sound += len(message)
