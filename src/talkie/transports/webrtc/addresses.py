"""The addresses of this machine that a call can reach. Those of its network come by themselves."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiortc import RTCPeerConnection


async def add_loopback(peer: RTCPeerConnection, caller: str) -> None:
    """A caller on this machine may have no other way here: aioice leaves loopback out, so it is added by hand, before
    the others are gathered."""
    try:
        address = ipaddress.ip_address(caller)
    except ValueError:
        return
    if not address.is_loopback:
        return
    for transceiver in peer.getTransceivers()[:1]:
        connection = transceiver.receiver.transport.transport.iceGatherer._connection
        own = "::1" if address.version == 6 else "127.0.0.1"
        connection._local_candidates += await connection.get_component_candidates(component=1, addresses=[own])
