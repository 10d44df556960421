"""Whether a server finishes a request that it has accepted before it is told to stop.

Asks for long speech, tells the container to stop as soon as the first bytes are here, and reads on to the end.
usage: drained.py URL WISH.json PODMAN CONTAINER      (the key is in TALKIE_KEY)
"""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from pathlib import Path

TIMEOUT_S = 60.0
FIRST_BYTES = 44
"""The head of a WAV file: by then there is an answer."""


def drained(url: str, wish: Path, podman: str, container: str) -> int:
    """Bytes that came after the signal. Raises what breaks a connection."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {os.environ['TALKIE_KEY']}"}
    request = urllib.request.Request(f"{url}/v1/audio/speech", wish.read_bytes(), headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=TIMEOUT_S) as answer:
        answer.read(FIRST_BYTES)
        subprocess.run([podman, "kill", "--signal", "TERM", container], check=True, capture_output=True)
        return len(answer.read())


if __name__ == "__main__":
    url, wish, podman, container = sys.argv[1:]
    rest = drained(url, Path(wish), podman, container)
    print(f"{rest} bytes after the signal")
    sys.exit(0 if rest > 0 else 1)
