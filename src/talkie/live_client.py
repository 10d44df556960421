"""The client of `/v1/listen`: speech goes up while it is spoken, events come back. For threads, not for event loops.

    with LiveClient("http://127.0.0.1:8000", sample_rate=16000) as line:
        threading.Thread(target=speak, args=(line,)).start()   # line.send(pcm), and line.finish() at the end
        for event in line.events():
            print(event)

One thread sends and another reads; a server that has no room holds the sender back. Errors are those of
`talkie.errors`. Knows nothing of microphones or of the server's insides.
"""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlencode, urlsplit

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from talkie.client import LOOPBACK, base_url_of, error_of_status, named_error, trusting
from talkie.errors import AnswerError, ServerUnreachable, TalkieError
from talkie.tls_duplex import duplex_context
from talkie.types import LiveEvent
from talkie.wire.listen import Command
from talkie.wire.listen_events import Done, Ready, Refusal, Told, read_message

PATH = "/v1/listen"
OPEN_S, READY_S, CLOSE_S = 10.0, 300.0, 2.0
LOOK_UP_S = 0.5
PONG_S = 120.0
"""A server that holds us back answers no ping before it has heard what stands before it."""
PIECE_BYTES = 64 * 1024
SEND_BUFFER_BYTES = 128 * 1024
"""What may stand in this machine's own buffer: a few seconds of sound, not minutes."""
MAX_MESSAGE_BYTES = 4 * 1024 * 1024


class LiveClient:
    """One session with the server at `base_url`, open from the start; `ready` is what it said first.

    `parameters` are those of `/v1/listen`: sample_rate, encoding, model, language, interim_results …; None and "" are
    left out. Raises `ServerUnreachable`, `KeyMissing`, `TooManySessions` and so on.
    """

    def __init__(
        self, base_url: str, api_key: str | None = None, *, cacert: Path | None = None, **parameters: Any
    ) -> None:
        self.url = base_url_of(base_url)
        self._finished = False
        self._socket = self._open(api_key, cacert, parameters)
        self.seconds = 0.0
        """Seconds of sound that the server has heard, once it is done."""
        try:
            self.ready = self._first()
        except BaseException:
            self.close()
            raise

    def send(self, data: bytes) -> bool:
        """Sound, of any length; waits for room. False: nobody hears any more, and `events` says why."""
        try:
            for at in range(0, len(data), PIECE_BYTES):
                self._socket.send(data[at : at + PIECE_BYTES])
        except (ConnectionClosed, OSError):
            return False
        return True

    def commit(self) -> None:
        """The utterance ends here."""
        self._say(Command.COMMIT)

    def finish(self) -> None:
        """No more sound comes: the events end when all of it was heard."""
        self._say(Command.CLOSE)

    def events(self) -> Iterator[LiveEvent]:
        """All events, to the end. Raises what the server says is wrong, and `ServerUnreachable` when it is gone."""
        while not isinstance(told := self._hear(), Done):
            if told is not None and not isinstance(told, Ready | Refusal):
                yield told
        self.seconds = told.seconds
        self._finished = True

    def close(self) -> None:
        """End now, whatever is not heard yet. Harmless a second time; never waits for a server that does not read."""
        if not self._finished:  # a thread may stand in the middle of a message, which only this ends
            with contextlib.suppress(OSError):
                self._socket.socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def __enter__(self) -> LiveClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self, api_key: str | None, cacert: Path | None, parameters: dict[str, Any]) -> ClientConnection:
        parts = urlsplit(self.url)
        query = urlencode([(name, _spelt(value)) for name, value in parameters.items() if value not in (None, "")])
        address = f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}{parts.path}{PATH}?{query}"
        try:
            opened = connect(
                address,
                ssl=trusting(cacert, duplex_context) if parts.scheme == "https" else None,
                additional_headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
                compression=None,
                proxy=None if (parts.hostname or "").startswith(LOOPBACK) else True,
                open_timeout=OPEN_S,
                close_timeout=CLOSE_S,
                ping_timeout=PONG_S,
                max_size=MAX_MESSAGE_BYTES,
            )
        except InvalidStatus as error:
            raise self._refused(error.response.status_code, error.response.body) from None
        except OSError as error:  # a timeout is one, and a certificate that nobody trusts (which is a ValueError too)
            why = "it took too long." if isinstance(error, TimeoutError) else f"{error.strerror or error}."
            raise ServerUnreachable(self.url, why) from error
        except (WebSocketException, ValueError) as error:
            raise AnswerError(self.url, f"it opens no WebSocket ({type(error).__name__}).") from error
        with contextlib.suppress(OSError):  # it may be over already; what it said is still to be read
            opened.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        return opened

    def _refused(self, status: int, body: bytes | None) -> TalkieError:
        if status == 404:
            return AnswerError(self.url, f"there is no {PATH}.")
        try:
            words = json.loads(body or b"")["error"]
            words["message"]
        except (ValueError, LookupError, TypeError):
            return AnswerError(self.url, f"status {status} without a word.")
        return named_error(words, error_of_status(status))

    def _first(self) -> Ready:
        told = self._hear(READY_S)
        if not isinstance(told, Ready):
            raise AnswerError(self.url, "it does not say that it is ready.")
        return told

    def _hear(self, patience_s: float | None = None) -> Told | None:
        """The next message. It looks up now and then: a signal may have come to another thread, and wake nobody."""
        waited_s = 0.0
        while True:
            try:
                return self._receive(LOOK_UP_S)
            except TimeoutError:
                waited_s += LOOK_UP_S
                if patience_s is not None and waited_s >= patience_s:
                    raise ServerUnreachable(self.url, "it says nothing.") from None

    def _receive(self, timeout_s: float) -> Told | None:
        try:
            told = read_message(self._socket.recv(timeout_s))
        except ConnectionClosed as error:
            code = f" ({error.rcvd.code})" if error.rcvd else ""
            raise ServerUnreachable(self.url, f"the connection broke{code}.") from error
        except ValueError as error:
            raise AnswerError(self.url, f"{error}.") from error
        if isinstance(told, Refusal):
            raise named_error(told.words)
        return told

    def _say(self, command: Command) -> None:
        with contextlib.suppress(ConnectionClosed, OSError):  # `events` says why
            self._socket.send(json.dumps({"type": command.value}))


def _spelt(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
