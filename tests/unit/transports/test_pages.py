"""The pages' files as the HTTP door gives them, and what may and must stand in them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi import FastAPI

from http_door import ask, make_app
from sources import SOURCE
from talkie.transports.http.pages import MEDIA_TYPES, PAGES, policy, read_files
from talkie.transports.keys import KeyRing

WEB = SOURCE / "web"
SCRIPTS = sorted(path.name for path in WEB.glob("*.js"))
MAX_LINES = 400


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    return make_app(tmp_path, keys=KeyRing("secret"))


@pytest.mark.parametrize(("path", "name"), PAGES.items())
def test_the_page_is_there_without_a_key(app: FastAPI, path: str, name: str) -> None:
    answer = ask(app, "GET", path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == policy("localhost:8000")
    assert answer.content == (WEB / name).read_bytes()
    assert ask(app, "HEAD", path).status_code == 200


@pytest.mark.parametrize("name", sorted(path.name for path in WEB.iterdir()))
def test_every_file_is_served_as_what_it_is(app: FastAPI, name: str) -> None:
    answer = ask(app, "GET", f"/web/{name}")
    if name in PAGES.values():
        assert answer.status_code == 404  # it has one address
        return
    assert answer.status_code == 200
    assert answer.content == (WEB / name).read_bytes()
    assert answer.headers["content-type"] == MEDIA_TYPES[name.rpartition(".")[2]]


@pytest.mark.parametrize(
    "path",
    ["/web/nothing.js", "/web/", "/web/..%2fsettings.py", "/web/../settings.py", "/web/%2e%2e/settings.py", "/web/a/b"],
)
def test_what_is_not_on_the_list_is_not_there(app: FastAPI, path: str) -> None:
    assert ask(app, "GET", path, headers={"Authorization": "Bearer secret"}).status_code == 404


def test_a_browser_that_has_a_file_gets_none(app: FastAPI) -> None:
    first = ask(app, "GET", "/web/app.js")
    tag = first.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}'):
        again = ask(app, "GET", "/web/app.js", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert ask(app, "GET", "/web/app.js", headers={"If-None-Match": '"other"'}).status_code == 200
    assert ask(app, "GET", "/").headers["etag"] != tag
    assert first.headers["cache-control"] == "no-cache"


def test_the_policy_lets_in_this_server_and_nothing_inline(app: FastAPI) -> None:
    shown = ask(app, "GET", "/").headers["content-security-policy"]
    assert shown == policy("localhost:8000")
    rules = {name: values for name, *values in (rule.split() for rule in shown.split(";"))}
    assert rules["default-src"] == ["'none'"]
    assert rules["script-src"] == rules["style-src"] == ["'self'"]
    assert rules["connect-src"] == ["'self'", "ws://localhost:8000", "wss://localhost:8000"]
    assert "unsafe" not in shown and "*" not in shown
    assert policy("[::1]:8000").count("::1") == 0


@pytest.mark.parametrize("name", sorted(read_files()))
def test_a_file_fetches_nothing_and_writes_no_markup(name: str) -> None:
    text = (WEB / name).read_text(encoding="utf-8")
    outside = {"http://www.w3.org/2000/svg"}
    assert set(re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}[^\s\"'`)]*", text)) <= outside
    for markup in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert markup not in text, markup
    if name.endswith(".html"):
        assert not re.search(r"<style|style=|\son[a-z]+=|<script(?![^>]*src=)", text)
    assert text.count("\n") <= MAX_LINES


def words() -> dict[str, dict[str, str]]:
    """The pages' words by language, read without running them."""
    found: dict[str, dict[str, str]] = {}
    for text in (read("words.js"), read("words-face.js"), read("words-cost.js")):
        for language, body in re.findall(r"^const (\w+) = \{\n(.*?)^\};", text, re.DOTALL | re.MULTILINE):
            table = dict(re.findall(r'^  (\w+): "(.*)",$', body, re.MULTILINE))
            assert len(table) == len([line for line in body.splitlines() if line.strip()])
            assert not set(table) & set(found.get(language, {}))  # each key in one file
            found[language] = {**found.get(language, {}), **table}
    return found


def used_keys() -> set[str]:
    """The keys that the pages ask for by name; those made from a state are the own of `live.js`, `recording.js` and
    `face-show.js`."""
    html = "".join(read(name) for name in PAGES.values())
    keys = set(re.findall(r'data-say(?:-label|-placeholder)?="(\w+)"', html))
    for script in SCRIPTS:
        keys |= set(re.findall(r'\bsay\("(\w+)"', (WEB / script).read_text(encoding="utf-8")))
    return keys


def test_everything_that_is_said_is_said_in_every_language() -> None:
    tables = words()
    assert set(tables) == {"en", "de", "es", "fr"}
    assert len(used_keys()) > 40
    assert used_keys() <= set(tables["en"])
    holes = {key: sorted(re.findall(r"\{\w+\}", text)) for key, text in tables["en"].items()}
    for language, table in tables.items():
        assert set(table) == set(tables["en"]), language
        assert {key: sorted(re.findall(r"\{\w+\}", text)) for key, text in table.items()} == holes, language
        assert all(text.strip() == text and text for text in table.values())


def test_every_import_is_there() -> None:
    for script in SCRIPTS:
        text = (WEB / script).read_text(encoding="utf-8")
        for names, other in re.findall(r'^import \{ ([\w, ]+) \} from "\./([\w.]+)";', text, re.MULTILINE):
            exported = set(re.findall(r"^export (?:async )?(?:const|class|function) (\w+)", read(other), re.MULTILINE))
            assert set(names.split(", ")) <= exported, (script, other)


def read(name: str) -> str:
    return (WEB / name).read_text(encoding="utf-8")
