"""Avatars as JSON, and the form that adds one. Pure; knows nothing of packs or pictures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from talkie.errors import InvalidValue
from talkie.wire.fields import Fields

if TYPE_CHECKING:
    from talkie.runtime.face import AvatarCard

PATH = "/v1/video/avatars"
PACK_FIELDS = ("pack", "file")
"""The part with the zip; the second name is the one of our other calls."""
MAX_NAME = 64


def parse_avatar(pairs: Iterable[tuple[str, str]]) -> str:
    """The name that the form gives the avatar; empty: as the pack says. Raises `InvalidValue`."""
    name = Fields(pairs).text("name")
    if len(name) > MAX_NAME or not name.isprintable():
        raise InvalidValue("name", f"name is a text of at most {MAX_NAME} characters.")
    return name


def avatar(card: AvatarCard) -> dict[str, Any]:
    """`problem` is there where it cannot be shown; there is then no picture."""
    told: dict[str, Any] = {
        "id": card.name,
        "object": "video.avatar",
        "title": card.title,
        "kind": card.kind,
        "width": card.width,
        "height": card.height,
        "fps": card.fps,
        "licence": card.licence,
        "moods": list(card.moods),
        "size_bytes": card.size_bytes,
        "source": card.source,
    }
    if card.problem:
        return {**told, "problem": card.problem}
    return {**told, "picture": f"{PATH}/{quote(card.name, safe='')}/picture"}


def avatar_list(cards: Iterable[AvatarCard]) -> dict[str, Any]:
    return {"object": "list", "data": [avatar(card) for card in cards]}


def avatar_deleted(name: str) -> dict[str, Any]:
    return {"id": name, "object": "video.avatar.deleted", "deleted": True}
