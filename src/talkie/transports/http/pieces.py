"""An answer that leaves in pieces, each of which knows how many seconds are out with it.

Knows nothing of what the pieces hold.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Protocol, TypeVar

from starlette.requests import Request

from talkie.errors import NothingToSay
from talkie.transports.http.edge import AUDIO_S


class Piece(Protocol):
    @property
    def end_s(self) -> float: ...


P = TypeVar("P", bound=Piece)


async def first_pieces(pieces: AsyncIterator[P], is_there: Callable[[P], object]) -> list[P]:
    """Up to the first that `is_there`: until then the answer may still be an error. Raises `NothingToSay`."""
    taken: list[P] = []
    async for piece in pieces:
        taken.append(piece)
        if is_there(piece):
            return taken
    raise NothingToSay


async def counted(request: Request, first: list[P], rest: AsyncIterator[P]) -> AsyncGenerator[P, None]:
    """All pieces; the log line tells how many seconds were sent."""
    for piece in first:
        request.scope[AUDIO_S] = piece.end_s
        yield piece
    async for piece in rest:
        request.scope[AUDIO_S] = piece.end_s
        yield piece
