"""The README's pictures of the web page: a real server, a real browser, and a synthetic voice at its microphone.

The words are those that the repository's test model knows, so that the pictures can be made without a download.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from talkie.models.store import ModelStore
from talkie.runtime.service import Service, ServiceConfig
from talkie.runtime.speech import SpeakRequest

ROOT = Path(__file__).resolve().parent.parent
MODEL, VOICE, RATE_HZ = "whisper-test", "en-us+klatt4", 22_050
SAID = (
    "good morning",
    "hello talkie what time is it",
    "please open the door and turn the red light on",
    "start the music now please",
)
READY_S, PAUSE_S, LAST_PAUSE_S = 2.0, 1.2, 4.0
WIDE, PHONE = {"width": 860, "height": 760}, {"width": 360, "height": 740}


def make_page_pictures(images: Path) -> None:
    """`page-live.png`, `page-phone.png` and `page-file.png` in `images`."""
    with tempfile.TemporaryDirectory() as directory, serving(Path(directory)) as url:
        spoken = Path(directory) / "morning.wav"
        write_speech(spoken, Path(directory) / "home")
        with chromium(spoken) as browser:
            picture_live(browser, url, images / "page-live.png", WIDE)
            picture_live(browser, url, images / "page-phone.png", PHONE, dark=True)
            picture_file(browser, url, images / "page-file.png", spoken)


def write_speech(path: Path, home: Path) -> None:
    service = Service(ServiceConfig(home=home))
    parts: list[np.ndarray] = [np.zeros(round(READY_S * RATE_HZ), np.float32)]
    for text in SAID:
        for chunk in service.speak(SpeakRequest(text, voice=VOICE)):
            assert chunk.sample_rate == RATE_HZ
            parts.append(chunk.samples)
        parts.append(np.zeros(round(PAUSE_S * RATE_HZ), np.float32))
    service.close()
    parts.append(np.zeros(round(LAST_PAUSE_S * RATE_HZ), np.float32))
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes((np.concatenate(parts) * 32767).astype("<i2").tobytes())


@contextmanager
def serving(directory: Path) -> Iterator[str]:
    """`talkie serve` with the test model; its address."""
    home = directory / "home"
    ModelStore(home).import_(ROOT / "tests" / "fixtures" / MODEL, name=MODEL)
    command = [ROOT / ".venv" / "bin" / "talkie", "serve", "--port", "0", "--home", home, "--log-json"]
    environment = os.environ | {"TALKIE_MODEL": MODEL}
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment, text=True) as process:
        try:
            assert process.stderr is not None
            yield next(url for line in process.stderr if (url := json.loads(line).get("url")))
        finally:
            process.terminate()


@contextmanager
def chromium(microphone: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=[
                "--no-sandbox",
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
                f"--use-file-for-fake-audio-capture={microphone}%noloop",
            ],
        )
        yield browser
        browser.close()


def open_page(browser: Browser, url: str, size: dict[str, int], *, dark: bool = False) -> Page:
    scheme = "dark" if dark else "light"
    page = browser.new_page(viewport=size, device_scale_factor=2, locale="en-US", color_scheme=scheme)
    page.goto(url)
    page.get_by_label("Model").select_option(MODEL)
    return page


def picture_live(browser: Browser, url: str, path: Path, size: dict[str, int], *, dark: bool = False) -> None:
    """While the last sentence is being said: the ones before it stay, and its words may still change."""
    page = open_page(browser, url, size, dark=dark)
    page.locator("#microphone").click()
    page.locator("[role=log] .said").nth(len(SAID) - 2).wait_for(timeout=60_000)
    page.locator("#live-transcript .tentative:not(:empty)").wait_for(timeout=60_000)
    page.screenshot(path=path)
    page.close()


def picture_file(browser: Browser, url: str, path: Path, recording: Path) -> None:
    page = open_page(browser, url, WIDE)
    page.set_input_files("#input", recording)
    page.locator("#queue [data-state=done]").wait_for(timeout=60_000)
    page.locator("#files").screenshot(path=path)
    page.close()


if __name__ == "__main__":
    make_page_pictures(ROOT / "docs" / "images")
