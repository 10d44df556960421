"""Who asks: under which name things are kept, and whose things may be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from talkie.transports.http.access import CALLER
from talkie.transports.keys import Caller

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection


def owner_name(request: HTTPConnection) -> str:
    """The name of the caller's key; empty where no keys are wanted."""
    return _caller(request).name


def owner_seen(request: HTTPConnection) -> str | None:
    """Whose things the caller may see and use: None, everybody's, for `admin`."""
    caller = _caller(request)
    return None if caller.may("admin") else caller.name


def _caller(request: HTTPConnection) -> Caller:
    caller = request.scope[CALLER]
    assert isinstance(caller, Caller)
    return caller
