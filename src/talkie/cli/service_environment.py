"""The environment file of the service: settings as `TALKIE_NAME=value`, read and changed line by line.

Lines that somebody wrote stay as they are. Pure: knows nothing of where the file lies, and of no setting by name but
those that must never be shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from talkie.errors import InvalidValue
from talkie.settings import env_name

SECRETS = ("TALKIE_API_KEY",)
HIDDEN = "(hidden)"
BEGIN = """\
# The settings of the service, one a line; `talkie config` lists them all. They count from its next start.
# Keys for others are better made with `talkie keys`, which keeps no key that could be read.
"""
LINE = re.compile(r"^(TALKIE_[A-Z_]+)=(.*)$")
PLAIN = re.compile(r"[\w./:,@+=-]*", re.ASCII)


def parse(text: str) -> dict[str, str]:
    """Names (as settings: `port`) and values, the last of each."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if match := LINE.match(line.strip()):
            found[match[1].removeprefix("TALKIE_").lower()] = _unquoted(match[2])
    return found


def changed(text: str, values: Mapping[str, str]) -> str:
    """That text with those settings: the line of one that is there is replaced, others come at the end."""
    left = {env_name(name): value for name, value in values.items()}
    lines = []
    for line in (text or BEGIN).splitlines():
        match = LINE.match(line.strip())
        if match and match[1] in left:
            line = f"{match[1]}={_quoted(left.pop(match[1]))}"
        lines.append(line)
    lines += [f"{name}={_quoted(value)}" for name, value in left.items()]
    return "\n".join(lines) + "\n"


def shown(text: str) -> str:
    """The text for eyes: without its secrets."""
    return "".join(
        f"{match[1]}={HIDDEN}\n" if (match := LINE.match(line.strip())) and match[1] in SECRETS else f"{line}\n"
        for line in text.splitlines()
    )


def _quoted(value: str) -> str:
    if any(ord(letter) < 32 for letter in value):
        raise InvalidValue("setting", "A setting of the service is one line without control characters.")
    if PLAIN.fullmatch(value):
        return value
    return '"' + re.sub(r'(["\\`$])', r"\\\1", value) + '"'


def _unquoted(value: str) -> str:
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] == '"':
        return re.sub(r'\\(["\\`$])', r"\1", value[1:-1])
    if len(value) > 1 and value[0] == value[-1] == "'":
        return value[1:-1]
    return value
