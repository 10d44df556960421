"""Who may use the Wyoming door. Wyoming knows no keys, so it is decided by address, here and nowhere else.

This machine always may; others only from the networks that were listed. Knows nothing of sockets.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import TypeAlias

from talkie.errors import SettingsError
from talkie.transports.http.origins import is_loopback

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


class Peers:
    """Loopback, and the networks listed (`192.168.1.0/24`, or one address)."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        """Raises `SettingsError` for what is no network."""
        self._networks = tuple(_network(text) for text in allowed)

    def check_host(self, host: str) -> None:
        """Raises `SettingsError` where others could come in and none was listed."""
        if not is_loopback(host) and not self._networks:
            raise SettingsError(
                f"Wyoming knows no keys: on {host} everybody could use it.",
                hint="Set wyoming_allow to the networks that may, like 192.168.1.0/24, or listen on 127.0.0.1.",
                param="wyoming_allow",
            )

    def may(self, address: str) -> bool:
        """Whether a client with this address may talk to us; what is no address may not."""
        try:
            parsed = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
            parsed = parsed.ipv4_mapped
        return parsed.is_loopback or any(parsed in network for network in self._networks)


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise SettingsError(
            f"wyoming_allow: {text[:80]!r} is no network.", hint="Like 192.168.1.0/24.", param="wyoming_allow"
        ) from None
