"""The written pages say what is: commands exist, options exist, links lead somewhere."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from sources import ROOT
from talkie.cli.main import COMMANDS, app, load

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)|(?:src|href)=\"(?!https?:|#)([^\"#]+)\"")
CODE = re.compile(r"```[a-z]*\n(.*?)```|`([^`\n]+)`|^(    .*)$", re.DOTALL | re.MULTILINE)


def page(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def code_lines(text: str) -> Iterator[str]:
    """Every line of every code block and every inline code, with continued lines joined."""
    for match in CODE.finditer(text):
        code = next(group for group in match.groups() if group is not None)
        yield from code.replace("\\\n", " ").splitlines()


def commands(text: str, program: str) -> Iterator[list[str]]:
    """The arguments of each call of `program` in the code of a page; comments, pipes and redirections cut off."""
    for line in code_lines(text):
        found = re.search(rf"(?:^\s*|[|;&]\s*|\$\s+|bin/|=\S+\s){program}\s+([^|;&<>#]*)", line)
        if found:
            yield shlex.split(found.group(1))


def options_of(command: Any) -> set[str]:
    return {name for parameter in command.params for name in [*parameter.opts, *parameter.secondary_opts]} | {"--help"}


def walk(words: list[str]) -> tuple[Any, list[str]]:
    """The command that `words` lead to, and the words that are left. One that does not exist fails; `NAME` is any."""
    command: Any = typer.main.get_command(app)
    while (
        (named := getattr(command, "commands", {})) and words and not (words[0].startswith("-") or words[0].isupper())
    ):
        assert words[0] in named, f"`talkie {words[0]}` does not exist"
        command = load(words[0]) if words[0] in COMMANDS and command.name == "talkie" else named[words[0]]
        words = words[1:]
    return command, words


def test_the_readme_begins_with_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in text
    assert "make test" in text


@pytest.mark.parametrize("path", PAGES, ids=page)
def test_links_lead_somewhere(path: Path) -> None:
    links = [first or second for first, second in LINK.findall(path.read_text(encoding="utf-8"))]
    assert not [link for link in links if not (path.parent / link).exists()]


@pytest.mark.parametrize("path", PAGES, ids=page)
def test_every_talkie_command_exists(path: Path) -> None:
    for words in commands(path.read_text(encoding="utf-8"), "talkie"):
        command, rest = walk(words)
        given = {word.split("=")[0] for word in rest if word.startswith("-") and word != "-"}
        assert given <= options_of(command), f"talkie {' '.join(words)}"


@pytest.mark.parametrize("path", PAGES, ids=page)
def test_every_make_target_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {word for words in commands(path.read_text(encoding="utf-8"), "make") for word in words if word.islower()}
    assert {word for word in named if word.isalpha()} <= targets


def test_decisions_are_numbered_once() -> None:
    names = [path.name for path in (ROOT / "docs" / "decisions").glob("0*.md")]
    assert names
    assert len({name[:4] for name in names}) == len(names)
    for name in names:
        first = (ROOT / "docs" / "decisions" / name).read_text(encoding="utf-8").splitlines()[0]
        assert first.startswith(f"# {name[:4]} ")


def test_the_reader_of_pages_sees_what_it_must_see() -> None:
    block = "```bash\nA=1 talkie transcribe a.wav \\\n  --words | less\n$ make demo # now\n```\n"
    assert list(commands(f"Run `talkie nothere`.\n{block}", "talkie")) == [
        ["nothere"],
        ["transcribe", "a.wav", "--words"],
    ]
    assert list(commands(block, "make")) == [["demo"]]
    assert LINK.findall("[a](x.md#y) [b](https://z) ![](i.svg)") == [("x.md", ""), ("i.svg", "")]
