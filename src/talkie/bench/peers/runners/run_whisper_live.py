"""WhisperLive's own server, with faster-whisper behind it and one model for all clients, on a port of its choice.

Called as `run_whisper_live.py MODEL THREADS CLIENTS`; writes one line with its address once it listens, and serves
until it is ended. Everything else is as the server's own command line has it.
"""

from __future__ import annotations

import importlib
import json
import socket
import sys
import threading
import time
from importlib.metadata import version
from typing import Any

LISTENING_S = 60.0


def main(model: str, threads: str, clients: str) -> None:
    server: Any = importlib.import_module("whisper_live.server")
    port = free_port()
    told = threading.Thread(target=tell, args=(port, {"threads": threads, "single_model": True}), daemon=True)
    told.start()
    server.TranscriptionServer().run(
        "127.0.0.1",
        port=port,
        backend="faster_whisper",
        faster_whisper_custom_model_path=model,
        single_model=True,
        max_clients=int(clients),
        max_connection_time=36_000,
    )


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def tell(port: int, settings: dict[str, Any]) -> None:
    until = time.monotonic() + LISTENING_S
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
            break
        except OSError:
            time.sleep(0.1)
    versions = {name: version(name) for name in ("whisper-live", "faster-whisper", "ctranslate2")}
    print(json.dumps({"url": f"http://127.0.0.1:{port}", "versions": versions, "settings": settings}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:4])
