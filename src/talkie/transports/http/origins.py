"""Which names this server goes by, and which web pages may call it. Pure: header values in, yes or no out.

A page in the same browser can reach a server on localhost, by its address or by a name of its own that it points at
127.0.0.1 (DNS rebinding). So a Host that is a name must be one of ours, and an Origin must be us or on the list. An
address as Host is always fine: nobody can point an address elsewhere.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

from talkie.errors import SettingsError

LOOPBACK_NAMES = ("localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback")
_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?::(?P<port>[0-9]{1,5}))?")
_DEFAULT_PORT = {"http": 80, "https": 443}


def is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether listening on `host` reaches this machine only. A name other than localhost might be anything."""
    if host.lower() in LOOPBACK_NAMES:
        return True
    return is_address(host) and ipaddress.ip_address(host.strip("[]")).is_loopback


def split_host(header: str) -> tuple[str, int | None] | None:
    """The lower-case name and the port of a Host header; None when it is malformed."""
    match = _HOST.fullmatch(header)
    if match is None:
        return None
    port = match["port"]
    if port is not None and int(port) > 65535:
        return None
    return match["name"].lower().rstrip("."), None if port is None else int(port)


class HostNames:
    """The names of this server: loopback names, its own, and those allowed (`*.example.com` means all below it)."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        given = {name.lower().rstrip(".") for name in names if name}
        for name in given:
            if name.startswith("*.") and split_host(name[2:]) and "*" not in name[2:]:
                continue
            if "*" in name or split_host(name) is None:
                raise SettingsError(f"allowed_hosts: {name[:80]!r} is no name of a host.", hint="Like: talkie.example")
        self._below = tuple(name[1:] for name in given if name.startswith("*."))
        self._names = frozenset({*LOOPBACK_NAMES, *(name for name in given if not name.startswith("*."))})

    def know(self, header: str) -> bool:
        """Whether a Host header names this server; an address always does."""
        parts = split_host(header)
        if parts is None:
            return False
        name = parts[0]
        return is_address(name) or name in self._names or name.endswith((".localhost", *self._below))


class Origins:
    """Web origins that may call: the server's own pages, and a closed list. There is no wildcard."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = frozenset(_normal(origin) for origin in allowed)

    def listed(self, origin: str) -> bool:
        """Whether the origin is on the list (and is to get CORS headers)."""
        return origin in self._allowed

    def allow(self, origin: str, host: str) -> bool:
        """Whether a page of `origin` may call the server that it addressed as `host`."""
        return self.listed(origin) or _same(origin, host)


def _parse(origin: str) -> SplitResult | None:
    try:
        parts = urlsplit(origin)
        _ = parts.port
    except ValueError:
        return None
    plain = not (parts.path or parts.query or parts.fragment or "@" in parts.netloc)
    return parts if parts.scheme in _DEFAULT_PORT and parts.hostname and plain else None


def _normal(origin: str) -> str:
    parts = _parse(origin.rstrip("/"))
    if parts is None or "*" in origin:
        raise SettingsError(
            f"cors_origins: {origin[:80]!r} is no web origin.",
            hint="Like https://app.example or http://localhost:3000; there is no wildcard.",
        )
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _same(origin: str, host: str) -> bool:
    """The same name and port. A proxy in front may have taken TLS off, so the scheme is the page's own."""
    parts, ours = _parse(origin), split_host(host)
    if parts is None or ours is None:
        return False
    theirs = split_host(parts.netloc)
    default = _DEFAULT_PORT[parts.scheme]
    return theirs is not None and theirs[0] == ours[0] and (theirs[1] or default) == (ours[1] or default)
