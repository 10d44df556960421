"""Live sessions as JSON: who is being listened to. Pure; never a word of what was said."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from talkie.runtime.sessions import SessionCard


def session(card: SessionCard) -> dict[str, Any]:
    """`started` is whole seconds of Unix time, as `created` elsewhere; other times are seconds."""
    return {
        "id": card.id,
        "object": "session",
        "kind": card.kind,
        "door": card.door,
        "model": card.model,
        "state": card.state,
        "seconds_heard": round(card.heard_s, 2),
        "lag_s": round(card.lag_s, 2),
        "started": int(card.started_s),
        "client": card.client,
    }


def session_list(cards: Iterable[SessionCard]) -> dict[str, Any]:
    return {"object": "list", "data": [session(card) for card in cards]}


def session_deleted(session_id: str) -> dict[str, Any]:
    return {"id": session_id, "object": "session.deleted", "deleted": True}
