"""The page in a real browser, without its microphone: recordings, files to take away, keys, and who can use it."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from browser import CONTRAST, IN_BROWSER, SAID, contrasts, names_of_controls, open_page, padded
from server_fixtures import speech_wav
from server_process import ServerProcess, running_server
from talkie.text.subtitles import to_srt, to_vtt
from talkie.types import Segment

pytestmark = IN_BROWSER
KEY = "tk_canary-key"
REFUSED = ("Failed to load resource",)


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that wants a key."""
    home = tmp_path_factory.mktemp("home")
    with running_server(home, env={"TALKIE_API_KEY": KEY}, fake="plain") as running:
        yield running


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("files") / "what time.wav"
    path.write_bytes(padded(speech_wav(SAID), 0.5, 0.5))
    return path


def test_a_recording_becomes_text_and_files(browser: Browser, hearing: ServerProcess, spoken: Path) -> None:
    with open_page(browser, hearing.url) as page:
        page.set_input_files("#input", spoken)
        row = page.locator("#queue > li")
        expect(row.locator(".head small")).to_contain_text("Done: 0:0")
        expect(row.locator(".head small")).to_contain_text("English")
        heard = row.locator(".said p").all_inner_texts()
        taken = {name: download(page, name) for name in ("txt", "srt", "vtt", "json")}
        row.get_by_role("button", name="Play from 0:00").first.click()
        expect(row.locator("audio")).to_be_visible()
    assert " ".join(heard).split() == SAID.split()
    assert taken["txt"] == server_says(hearing, spoken, "text")
    assert taken["srt"] == server_says(hearing, spoken, "srt")
    assert taken["vtt"] == server_says(hearing, spoken, "vtt")
    told, verbose = json.loads(taken["json"]), json.loads(server_says(hearing, spoken, "verbose_json"))
    assert (told["text"], told["language"], told["duration"]) == (
        verbose["text"],
        verbose["language"],
        verbose["duration"],
    )
    rows = [{key: item[key] for key in ("id", "start", "end", "text")} for item in verbose["segments"]]
    assert [{**item, "text": item["text"].strip()} for item in rows] == told["segments"]


def download(page: Page, name: str) -> str:
    with page.expect_download() as found:
        page.get_by_role("button", name=f"Download as {name}").last.click()
    assert found.value.suggested_filename == f"what time.{name}"
    return Path(found.value.path()).read_text(encoding="utf-8")


def server_says(server: ServerProcess, file: Path, response_format: str) -> str:
    fields = {"response_format": response_format}
    answer = httpx.post(
        f"{server.url}/v1/audio/transcriptions", files={"file": file.read_bytes()}, data=fields, timeout=60
    )
    return answer.text


def test_the_text_can_be_copied(browser: Browser, hearing: ServerProcess, spoken: Path) -> None:
    with open_page(browser, hearing.url, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.set_input_files("#input", spoken)
        page.locator("#queue").get_by_role("button", name="Copy").click()
        expect(page.locator("#queue").get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == SAID


def test_dropped_files_wait_their_turn_and_can_be_taken_away(
    browser: Browser, hearing: ServerProcess, spoken: Path
) -> None:
    drop = """([sound]) => {
        const data = new DataTransfer();
        const bytes = Uint8Array.from(atob(sound), (letter) => letter.charCodeAt(0));
        data.items.add(new File([bytes], "one.wav"));
        data.items.add(new File(["this is no sound"], "notes.txt"));
        for (const type of ["dragenter", "dragover", "drop"]) {
            document.body.dispatchEvent(new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true}));
            if (type === "dragover") window.marked = document.body.classList.contains("dragging");
        }
    }"""
    with open_page(browser, hearing.url, complaints=REFUSED) as page:
        page.evaluate(drop, [base64.b64encode(spoken.read_bytes()).decode()])
        assert page.evaluate("window.marked")
        good, bad = page.locator("#queue > li").nth(0), page.locator("#queue > li").nth(1)
        expect(good.locator(".said p")).to_have_text(SAID)
        expect(bad).to_have_attribute("data-state", "failed")
        expect(bad.locator(".problem")).not_to_be_empty()
        expect(bad.get_by_role("button", name="Try notes.txt again")).to_be_visible()
        bad.get_by_role("button", name="Remove notes.txt").click()
        expect(page.locator("#queue > li")).to_have_count(1)
        assert "dragging" not in (page.locator("body").get_attribute("class") or "")


def test_cancelling_stops_the_servers_work(browser: Browser, tmp_path: Path, spoken: Path) -> None:
    with running_server(tmp_path / "home", fake="hangs") as server, open_page(browser, server.url) as page:
        page.set_input_files("#input", [spoken, spoken])
        first, second = page.locator("#queue > li").nth(0), page.locator("#queue > li").nth(1)
        expect(first.locator(".said p").first).to_have_text("hello there")  # text is there while work goes on
        expect(first).to_have_attribute("data-state", "hearing")
        expect(second).to_have_attribute("data-state", "waiting")
        second.get_by_role("button", name="Remove").click()
        first.get_by_role("button", name="Cancel").click()
        expect(first).to_have_attribute("data-state", "cancelled")
        expect(page.locator("#queue > li")).to_have_count(1)
        wait_for_log(server, "cancelled")
        first.get_by_role("button", name="Try what time.wav again").click()
        expect(first).to_have_attribute("data-state", "hearing")
        first.get_by_role("button", name="Cancel").click()
        expect(first).to_have_attribute("data-state", "cancelled")


def wait_for_log(server: ServerProcess, words: str) -> None:
    deadline = time.monotonic() + 30
    while words not in server.log_text():
        assert time.monotonic() < deadline, server.log_text()
        time.sleep(0.05)


def test_a_locked_server_asks_for_a_key_and_keeps_it_for_the_tab(
    browser: Browser, locked: ServerProcess, spoken: Path
) -> None:
    with open_page(browser, locked.url, complaints=REFUSED) as page:
        dialog = page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        expect(page.locator("#key-problem")).to_be_hidden()
        expect(page.locator("#key-input")).to_be_focused()
        page.keyboard.type("tk_wrong")
        page.keyboard.press("Enter")
        expect(page.locator("#key-problem")).to_contain_text("The key is not known here.")
        page.locator("#key-input").fill("schlüssel")
        page.get_by_role("button", name="Use it").click()
        expect(page.locator("#key-problem")).to_contain_text("cannot send")
        page.locator("#key-input").fill(KEY)
        page.keyboard.press("Enter")
        expect(dialog).to_be_hidden()
        expect(page.locator("#model option")).to_have_count(2)
        page.set_input_files("#input", spoken)
        expect(page.locator("#queue > li")).to_have_attribute("data-state", "done")
        stored = page.evaluate("[JSON.stringify(sessionStorage), JSON.stringify(localStorage), document.cookie]")
        assert KEY in stored[0] and KEY not in stored[1] + stored[2] + page.url
        page.reload()
        expect(page.locator("#model option")).to_have_count(2)  # the tab knows it still
    assert KEY not in locked.log_text()


def test_who_has_no_key_can_leave_the_dialog_and_come_back(
    browser: Browser, locked: ServerProcess, spoken: Path
) -> None:
    with open_page(browser, locked.url, complaints=REFUSED) as page:
        dialog = page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        page.set_input_files("#input", spoken)  # asks again, since it cannot work without
        expect(dialog).to_be_visible()
        dialog.get_by_role("button", name="Cancel").click()
        expect(page.locator("#queue .problem")).to_contain_text("This server wants a key.")
        page.get_by_role("button", name="Key", exact=True).click()
        page.locator("#key-input").fill(KEY)
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Try what time.wav again").click()
        expect(page.locator("#queue > li")).to_have_attribute("data-state", "done")


def test_without_a_secure_address_the_page_says_so_and_still_takes_files(
    browser: Browser, hearing: ServerProcess, spoken: Path
) -> None:
    port = hearing.url.rpartition(":")[2]
    with open_page(browser, f"http://talkie.example:{port}/") as page:
        expect(page.locator("#live-problem")).to_contain_text("localhost or over https")
        expect(page.locator("#live-problem")).to_contain_text("--tls self-signed")
        expect(page.locator("#microphone")).to_be_disabled()
        page.set_input_files("#input", spoken)
        expect(page.locator("#queue > li")).to_have_attribute("data-state", "done")
        page.locator("#queue").get_by_role("button", name="Copy").click()
        expect(page.locator("#queue").get_by_role("button", name="Copied")).to_be_visible()


def test_an_upload_shows_how_far_it_is(browser: Browser, locked: ServerProcess, tmp_path: Path) -> None:
    large = tmp_path / "large.wav"
    large.write_bytes(speech_wav() + bytes(3_000_000))
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 1_500_000}
    with open_page(browser, locked.url, complaints=REFUSED) as page:
        page.locator("#key-input").fill(KEY)
        page.keyboard.press("Enter")
        expect(page.locator("#model option")).to_have_count(2)
        page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", slow)
        page.set_input_files("#input", large)
        expect(page.locator("#queue small")).to_have_text(re.compile(r"Uploading, [1-9]\d? %"))
        assert 0 < float(page.locator("#queue progress").get_attribute("value") or 0) < 1
        expect(page.locator("#queue > li")).to_have_attribute("data-state", "done")


def test_a_server_that_is_gone_is_named(browser: Browser, tmp_path: Path, spoken: Path) -> None:
    complaints = ("Failed to load resource",)
    with (
        running_server(tmp_path / "home", fake="plain") as server,
        open_page(browser, server.url, complaints=complaints) as page,
    ):
        expect(page.locator("#model option")).to_have_count(2)
        server.stop()
        page.set_input_files("#input", spoken)
        expect(page.locator("#queue .problem")).to_contain_text("cannot be reached")


def test_the_files_are_those_of_the_server_for_any_words(browser: Browser, hearing: ServerProcess) -> None:
    segments = [
        Segment(" one  two", 0.0, 0.9996),
        Segment("a --> b ----> c", 0.5, 0.4),
        Segment("", 1.0, 2.0),
        Segment("<b>&amp; \n\t 'quote' 日本語", 3599.9995, 3600.0004),
        Segment("late", 360_000.0, 360_001.25),
    ]
    rows = [{"start": item.start_s, "end": item.end_s, "text": item.text} for item in segments]
    write = """async (segments) => {
        const {FORMATS} = await import("/web/formats.js");
        return [FORMATS.srt.write({segments}), FORMATS.vtt.write({segments})];
    }"""
    with open_page(browser, hearing.url) as page:
        srt, vtt = page.evaluate(write, rows)
    assert srt == to_srt(segments)
    assert vtt == to_vtt(segments)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read_and_has_a_name(
    browser: Browser, hearing: ServerProcess, spoken: Path, scheme: str
) -> None:
    with open_page(browser, hearing.url, color_scheme=scheme) as page:
        page.set_input_files("#input", spoken)
        expect(page.locator("#queue > li")).to_have_attribute("data-state", "done")
        controls = names_of_controls(page)
        seen = contrasts(page)
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert len(controls) > 10
    assert [role for role, name in controls if not name] == []
    assert len(seen) > 10
    assert {text: ratio for text, ratio in seen.items() if ratio < 4.5} == {}
    assert (ground == "rgb(20, 23, 26)") == (scheme == "dark")


def test_it_fits_a_small_phone(browser: Browser, hearing: ServerProcess, spoken: Path) -> None:
    with open_page(browser, hearing.url, viewport={"width": 320, "height": 600}, locale="de-DE") as page:
        page.set_input_files("#input", spoken)
        expect(page.locator("#queue > li")).to_have_attribute("data-state", "done")
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        assert page.locator("html").get_attribute("lang") == "de"
        expect(page.get_by_role("button", name="Zuhören beginnen")).to_be_visible()
        expect(page.locator("#language option:checked")).to_have_text("Englisch")
        small = [box for box in boxes(page) if box["height"] < 24 or box["width"] < 24]
    assert small == []


def boxes(page: Page) -> list[dict[str, float]]:
    return page.evaluate(
        "[...document.querySelectorAll('button, select')].filter(e => e.checkVisibility())"
        ".map(e => e.getBoundingClientRect()).map(({width, height}) => ({width, height}))"
    )  # type: ignore[no-any-return]


def test_keys_reach_everything_and_show_where_they_are(browser: Browser, hearing: ServerProcess, spoken: Path) -> None:
    where = """() => {
        const at = document.activeElement;
        const style = getComputedStyle(at);
        return [at.id || at.getAttribute("aria-label") || at.textContent, style.outlineStyle, at.tagName];
    }"""
    with open_page(browser, hearing.url) as page:
        page.set_input_files("#input", spoken)
        expect(page.locator("#queue > li")).to_have_attribute("data-state", "done")
        seen: dict[str, str] = {}
        while True:
            page.keyboard.press("Tab")
            name, outline, tag = page.evaluate(where)
            if tag == "BODY" or (name in seen and tag != "AUDIO"):  # round once; a player has stops of its own
                break
            seen[name] = outline
    assert {"model", "language", "microphone", "choose", "Remove what time.wav", "Play from 0:00"} <= set(seen)
    assert {"Copy", "Download as txt", "Download as json"} <= set(seen)
    assert "none" not in {outline for name, outline in seen.items() if name != spoken.name}


def test_stillness_for_those_who_want_it(browser: Browser, hearing: ServerProcess) -> None:
    with open_page(browser, hearing.url, reduced_motion="reduce") as page:
        page.evaluate("document.querySelector('#queue').append(document.createElement('progress'))")
        styles = page.evaluate(
            "[...document.querySelectorAll('progress, #microphone, #level span')]"
            ".map(e => getComputedStyle(e)).map(s => [s.animationName, s.transitionDuration])"
        )
    assert len(styles) == 3
    assert all(name == "none" and duration in ("0s", "") for name, duration in styles), styles


def test_the_measure_of_contrast_sees_a_bad_one(browser: Browser, hearing: ServerProcess) -> None:
    with open_page(browser, hearing.url) as page:
        page.evaluate("document.querySelector('footer p').style.color = '#bbb'")
        found = dict(page.evaluate(CONTRAST))
    assert min(found.values()) < 2.5
