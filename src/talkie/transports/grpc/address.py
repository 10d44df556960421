"""Where the gRPC door listens: a name to one address, as the HTTP door chooses it, and whether the port is free.

gRPC binds its own sockets and only says "failed", so the port is tried here first, where the reason is known.
"""

from __future__ import annotations

import socket

from talkie.errors import SettingsError


def free_address(host: str, port: int) -> str:
    """The address in gRPC's spelling. Raises `SettingsError` when it is not ours or taken."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = min(found, key=lambda item: item[0] != socket.AF_INET)
        both = host == "::" and socket.has_dualstack_ipv6()
        with socket.create_server(address[:2], family=family, dualstack_ipv6=both):
            pass
    except OSError as error:
        raise cannot_listen(host, port, error.strerror or "it is no address of this machine") from None
    name = f"[{address[0]}]" if family == socket.AF_INET6 else str(address[0])
    return f"{name}:{port}"


def cannot_listen(host: str, port: int, why: str) -> SettingsError:
    return SettingsError(
        f"Cannot listen on {host} port {port} for gRPC: {why}.",
        hint="Another port: `talkie serve --grpc-port 50052`.",
        param="grpc_port",
    )
