"""What a model may be called. Pure text: knows nothing of files, catalogues or the network.

A name becomes the name of a directory, so everything that could leave the store, hide in it or mean something else on
another file system is refused here, once, before any path is made of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from talkie.errors import InvalidModelName

MAX_NAME_LENGTH = 64
HUB_PREFIX = "hf:"

_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_ASCII_NAME = re.compile(r"[A-Za-z0-9._-]+")
_REPO_PART = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9])?")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,119}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
_RESERVED = {"auto", "default", "none", "models", "voices", "avatars", "tmp"}


def parse_name(text: str) -> str:
    """The name in its one spelling (lower case). Raises `InvalidModelName` with the reason.

    Allowed: 1 to 64 of a-z, 0-9 and single `.`, `_`, `-` between them. Upper case is accepted and lowered, because
    two names that differ in case only would be one directory on some disks.
    """
    if not text:
        raise InvalidModelName(text, "it is empty.")
    if len(text) > MAX_NAME_LENGTH:
        raise InvalidModelName(text, f"it is longer than {MAX_NAME_LENGTH} characters.")
    if "/" in text or "\\" in text or "\0" in text:
        raise InvalidModelName(text, "it looks like a path.")
    name = text.lower() if _ASCII_NAME.fullmatch(text) else ""
    if not _NAME.fullmatch(name):
        raise InvalidModelName(text, "only a-z, 0-9 and single . _ - between them are allowed.")
    if name in _RESERVED or name.split(".")[0] in _DEVICES:
        raise InvalidModelName(text, "this word is reserved.")
    return name


def is_name(text: str) -> bool:
    try:
        return parse_name(text) == text
    except InvalidModelName:
        return False


def suggest_name(text: str) -> str:
    """A valid name made from any text, such as a file's stem or a repository; raises when nothing is left of it."""
    words = re.findall(r"[a-z0-9]+(?:\.[0-9][a-z0-9]*)*", text.lower())
    return parse_name("-".join(words)[:MAX_NAME_LENGTH].rstrip("-."))


@dataclass(frozen=True, slots=True)
class HubReference:
    """A repository on the hub, written `hf:owner/repo[@revision]`."""

    owner: str
    repo: str
    revision: str = "main"

    @property
    def repo_id(self) -> str:
        return f"{self.owner}/{self.repo}"

    def __str__(self) -> str:
        return HUB_PREFIX + self.repo_id + ("" if self.revision == "main" else f"@{self.revision}")


def parse_reference(text: str) -> HubReference:
    """`hf:owner/repo[@revision]` taken apart. Raises `InvalidModelName`."""
    if not text.startswith(HUB_PREFIX):
        raise InvalidModelName(text, "a reference to the hub starts with hf:")
    repo_id, at, revision = text.removeprefix(HUB_PREFIX).partition("@")
    owner, _, repo = repo_id.partition("/")
    for part in (owner, repo):
        if not _REPO_PART.fullmatch(part) or ".." in part or "--" in part:
            raise InvalidModelName(text, "write it as hf:owner/repository.")
    if at and (not _REVISION.fullmatch(revision) or ".." in revision or "//" in revision or revision.endswith("/")):
        raise InvalidModelName(text, "the revision after @ is a branch, a tag or a commit.")
    return HubReference(owner, repo, revision if at else "main")


def is_commit(revision: str) -> bool:
    """True for a full commit id, which can never come to mean something else."""
    return _COMMIT.fullmatch(revision) is not None
