"""Text into the clipboard, or typed where the cursor is, by the programs of the desktop.

The text goes to them through a pipe, never through a shell or an argument that other users could read. A program that
is missing or fails gives way to the next. Knows nothing of speech.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from talkie.settings import Desktop

Way: TypeAlias = Literal["copy", "type"]
Window: TypeAlias = Literal["wayland", "x11", "any"]
Find: TypeAlias = Callable[[str], str | None]

START_S, CHARACTER_S = 10.0, 0.05
"""How long a program may take: at all, and for each character that it types."""


@dataclass(frozen=True, slots=True)
class Program:
    """One that takes text on its standard input. `where` it works."""

    name: str
    arguments: tuple[str, ...]
    where: Window


PROGRAMS: dict[Way, tuple[Program, ...]] = {
    "copy": (
        Program("wl-copy", (), "wayland"),
        Program("xclip", ("-selection", "clipboard"), "x11"),
        Program("xsel", ("--clipboard", "--input"), "x11"),
        Program("pbcopy", (), "any"),
        Program("clip.exe", (), "any"),
    ),
    "type": (
        Program("wtype", ("-",), "wayland"),
        Program("xdotool", ("type", "--clearmodifiers", "--file", "-"), "x11"),
        Program("ydotool", ("type", "--file", "-"), "any"),
    ),
}
HINTS: dict[Way, str] = {
    "copy": "Install wl-clipboard (Wayland) or xclip (X11) to have it in the clipboard.",
    "type": "Install wtype or ydotool (Wayland), or xdotool (X11), to have it typed.",
}


@dataclass(frozen=True, slots=True)
class Delivered:
    """`by` is the program that took the text, None when none did; `problems` are those that failed, and how."""

    by: str | None
    problems: tuple[str, ...] = ()


def fitting(way: Way, desktop: Desktop, find: Find = shutil.which) -> list[tuple[Program, str]]:
    """The programs that are here and work on this desktop, the best first, each with its path."""
    here = {"wayland": desktop.wayland, "x11": desktop.x11, "any": True}
    found = [(program, find(program.name)) for program in PROGRAMS[way] if here[program.where]]
    return [(program, path) for program, path in found if path]


def deliver(text: str, programs: Sequence[tuple[Program, str]]) -> Delivered:
    """Give the text to the first that takes it."""
    problems: list[str] = []
    for program, path in programs:
        problem = _give(text, [path, *program.arguments])
        if not problem:
            return Delivered(program.name, tuple(problems))
        problems.append(f"{program.name} {problem}")
    return Delivered(None, tuple(problems))


def _give(text: str, command: list[str]) -> str:
    """What went wrong, empty when nothing did. Its output is not kept: programs that stay to serve the clipboard would
    hold it open."""
    try:
        done = subprocess.run(
            command,
            input=text.encode("utf-8", "replace"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=START_S + CHARACTER_S * len(text),
            check=False,
        )
    except OSError as error:
        return f"cannot be started: {error.strerror or error}"
    except subprocess.TimeoutExpired:
        return "took too long"
    return f"failed with exit code {done.returncode}" if done.returncode else ""
