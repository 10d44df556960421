"""The demo's conversation through the HTTP door, for scripts/deploy.d: speak each sentence, hear it, print the text.

Needs nothing but Python's own library, since a form may run where nothing else is. Knows nothing of how the server
was started.
usage: conversation.py talk URL | ready URL SECONDS | status URL      (TALKIE_KEY: the key; HOST_HEADER: another name)
"""

from __future__ import annotations

import json
import os
import ssl
import sys
import time
import urllib.error
import urllib.request
import uuid

SENTENCES = (
    "There are many people in the room.",
    "We need more time.",
    "The economy is growing again.",
    "We are moving to another country.",
)
VOICE, SPEED = "en-us+f2", 0.9
TIMEOUT_S, POLL_S = 120.0, 0.02


def opened(url: str, body: bytes | None = None, content_type: str = "", timeout_s: float = TIMEOUT_S) -> bytes:
    """The answer's body. Raises `urllib.error.HTTPError` for a status of 400 or more."""
    headers = {"Content-Type": content_type} if content_type else {}
    if key := os.environ.get("TALKIE_KEY"):
        headers["Authorization"] = f"Bearer {key}"
    if host := os.environ.get("HOST_HEADER"):
        headers["Host"] = host
    # A server made for the test certifies itself: there is nobody who could vouch for it.
    context = ssl._create_unverified_context() if url.startswith("https:") else None
    request = urllib.request.Request(url, body, headers)
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), *([urllib.request.HTTPSHandler(context=context)] if context else [])
    )
    with opener.open(request, timeout=timeout_s) as answer:
        return bytes(answer.read())


def spoken(url: str, sentence: str) -> bytes:
    """A WAV file."""
    wish = {"model": "tts-1", "input": sentence, "voice": VOICE, "speed": SPEED, "response_format": "wav"}
    return opened(f"{url}/v1/audio/speech", json.dumps(wish).encode(), "application/json")


def heard(url: str, wav: bytes) -> str:
    """What a server makes of a WAV file."""
    edge = uuid.uuid4().hex
    fields = {"model": "whisper-1", "language": "en", "response_format": "json"}
    named = f'--{edge}\r\nContent-Disposition: form-data; name="'
    parts = "".join(f'{named}{name}"\r\n\r\n{value}\r\n' for name, value in fields.items())
    parts += f'{named}file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n'
    body = parts.encode() + wav + f"\r\n--{edge}--\r\n".encode()
    answer = opened(f"{url}/v1/audio/transcriptions", body, f"multipart/form-data; boundary={edge}")
    return str(json.loads(answer)["text"]).strip()


def talk(url: str) -> None:
    """One line for each sentence."""
    for sentence in SENTENCES:
        print(heard(url, spoken(url, sentence)), flush=True)


def ready(url: str, limit_s: float) -> None:
    """Waits until /readyz is 200 and prints the milliseconds; ends with 1 when it is not so in time."""
    began, last = time.monotonic(), "no answer"
    while time.monotonic() - began < limit_s:
        try:
            opened(f"{url}/readyz", timeout_s=5.0)
        except urllib.error.HTTPError as error:
            last = f"{error.code} {error.read()[:200]!r}"
        except (OSError, ssl.SSLError) as error:
            last = str(error)
        else:
            print(round((time.monotonic() - began) * 1000))
            return
        time.sleep(POLL_S)
    sys.exit(f"error: {url}/readyz was not ready in {limit_s:g} s: {last}")


def status(url: str) -> None:
    """The status of a GET, also where it is an error."""
    try:
        opened(url)
    except urllib.error.HTTPError as error:
        print(error.code)
    else:
        print(200)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["talk", url]:
            talk(url.rstrip("/"))
        case ["ready", url, limit]:
            ready(url.rstrip("/"), float(limit))
        case ["status", url]:
            status(url)
        case _:
            sys.exit(__doc__)
