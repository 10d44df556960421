"""A free port, for servers that cannot be asked to take one and say which."""

from __future__ import annotations

import socket


def free_port() -> int:
    """Free a moment ago, which is as sure as it gets."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])
