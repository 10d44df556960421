"""The planner's page in a real browser: the figures of `talkie cost`, sliders by keys, and who can use it.

The page asks the server for nothing but its files, so they are handed to it here, with the policy that they have there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from browser import IN_BROWSER, chromium, contrasts, names_of_controls, open_page
from cost_plans import as_json, cases, figures
from talkie.transports.http.pages import PAGES, policy, read_files

pytestmark = IN_BROWSER
HOST = "talkie.example"
FIGURES = "async (plans) => plans.map((await import('/web/cost-formula.js')).figures)"
MORE_THAN_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Nothing speaks into it, and this page never listens."""
    with chromium(tmp_path_factory.mktemp("microphone") / "nothing.wav") as running:
        yield running


@contextmanager
def planner(browser: Browser, **context: Any) -> Iterator[Page]:
    page_files = read_files()

    def answer(route: Route) -> None:
        path = urlsplit(route.request.url).path
        file = page_files[PAGES.get(path, path.removeprefix("/web/"))]
        headers = {"Content-Security-Policy": policy(HOST)}
        route.fulfill(body=file.body, content_type=file.media_type, headers=headers)

    with open_page(browser, "about:blank", **context) as page:
        page.route(f"http://{HOST}/**", answer)
        page.goto(f"http://{HOST}/cost")
        expect(page.locator("#rows tr")).to_have_count(3)
        yield page


def test_it_reckons_as_the_command_does_and_follows_its_sliders(browser: Browser) -> None:
    with planner(browser) as page:
        assert page.evaluate(FIGURES, [as_json(plan) for plan in cases()]) == [figures(plan) for plan in cases()]
        headline, volume = page.locator("#headline"), page.locator("#rows tr").nth(1)
        expect(headline).to_have_text("A volume is cheaper than the baked image from 21 starts a month.")
        expect(volume).to_contain_text("$5.86")
        before = page.locator("#chart path.crossing").get_attribute("d")
        page.get_by_label("Prices of").select_option("runpod-h100")
        expect(headline).to_contain_text("from 2.4 starts")
        assert page.locator("#chart path.crossing").get_attribute("d") != before
        page.get_by_role("slider", name="Starts a month").focus()
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("spinbutton", name="Starts a month")).to_have_value("11")
        expect(volume).to_contain_text("$3.69")
        expect(page.get_by_label("Prices of")).to_have_value("")
        page.get_by_role("spinbutton", name="Volume, GB").fill("2")
        expect(page.locator("#cost-problem")).to_have_text("The volume does not hold the weights.")
        page.get_by_role("spinbutton", name="Volume, GB").fill("")
        expect(page.locator("#cost-problem")).to_have_text("A box holds no number that can be.")
        page.get_by_role("spinbutton", name="Volume, GB").fill("25")
        expect(page.locator("#cost-problem")).to_be_hidden()


def test_a_phone_shows_it_and_everything_has_a_name(browser: Browser) -> None:
    small = {"viewport": {"width": 360, "height": 740}, "locale": "de-DE"}
    with planner(browser, **small) as page:
        expect(page.locator("#headline")).to_contain_text("Ab 21 Starts im Monat")
        page.get_by_text("Mehr", exact=True).click()
        controls, seen = names_of_controls(page), contrasts(page)
        assert page.evaluate(MORE_THAN_WIDE) <= 0
    assert len([role for role, _ in controls if role == "slider"]) == 13
    assert [role for role, name in controls if not name] == []
    assert {text: ratio for text, ratio in seen.items() if ratio < 4.5} == {}
