"""The HTTP client: what the command line, the bench and other programs call. Works with any OpenAI-compatible server.

    with Client("http://127.0.0.1:8000") as client:
        print(client.transcribe(Path("talk.wav"), language="en").text)

Recordings go up straight from disk. Errors that a server names by code come back as the same class of `talkie.errors`.
Knows nothing of the server's insides. A client is for one thread at a time.
"""

from __future__ import annotations

import contextlib
import json
import ssl
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, TypeVar, cast
from urllib.parse import urlsplit

import httpx

from talkie.errors import (
    AnswerError,
    AudioTooLarge,
    BusyError,
    InvalidValue,
    KeyRateLimited,
    ServerUnreachable,
    TalkieError,
    UnreadableFile,
)
from talkie.types import Transcript
from talkie.wire import answers

CONNECT_S = 5.0
PROBE_S = 10.0
MAX_ANSWER_BYTES = 256 * 1024 * 1024
MAX_LINE_BYTES = 16 * 1024 * 1024
SPOOL_MEMORY_BYTES, SPOOL_MAX_BYTES, COPY_BYTES = 8 << 20, 16 << 30, 1 << 20
LOOPBACK = ("127.", "localhost", "::1")

T = TypeVar("T")


class Client:
    """A speech server at `base_url` (with or without `/v1`; `host:port` will do).

    `timeout_s` is how long a transcription may say nothing; `cacert` a PEM file to trust, for self-made certificates.
    """

    def __init__(
        self,
        base_url: str = "http://127.0.0.1:8000",
        api_key: str | None = None,
        *,
        timeout_s: float = 3600.0,
        cacert: Path | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = base_url_of(base_url)
        host = urlsplit(self.url).hostname or ""
        self._http = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=httpx.Timeout(timeout_s, connect=CONNECT_S),
            verify=trusting(cacert) if cacert else True,
            trust_env=not host.startswith(LOOPBACK),  # no proxy stands between us and this machine
            transport=transport,
        )

    def transcribe(self, source: Path | IO[bytes], *, task: str = "transcribe", **fields: Any) -> Transcript:
        """Hear a recording. `fields` are those of the API and Talkie's own: model, language, prompt, words, preset,
        temperature, vad, filters, sample_rate …; None and "" are left out.

        Raises the errors of `talkie.errors`: `ServerUnreachable`, `BusyError` with `retry_after_s`, and so on.
        """
        form = [*_form(fields), ("response_format", "verbose_json")]
        with self._posted(source, task, form) as response:
            return self._read(answers.transcript, self._json(response))

    def stream(
        self, source: Path | IO[bytes], *, task: str = "transcribe", **fields: Any
    ) -> Iterator[str | Transcript]:
        """The text piece by piece as it is heard (joined, the pieces are the whole text), then the whole, without
        times. A server that does not stream gives the whole alone."""
        form = [*_form(fields), ("response_format", "json"), ("stream", "true")]
        with self._posted(source, task, form) as response:
            if not response.headers.get("content-type", "").startswith("text/event-stream"):
                yield self._read(answers.transcript, self._json(response))
                return
            yield from self._deltas(response)

    def models(self) -> list[dict[str, Any]]:
        """`/v1/models`: what can be asked for."""
        return self._get_list("/v1/models")

    def ps(self) -> list[dict[str, Any]]:
        """`/v1/ps`: the models in memory (Talkie only)."""
        return self._get_list("/v1/ps")

    def sessions(self) -> list[dict[str, Any]]:
        """`/v1/sessions`: the live sessions that are open (Talkie only)."""
        return self._get_list("/v1/sessions")

    def ready(self) -> dict[str, Any]:
        """`/readyz`: `ready`, and `parts` where the server tells; not being ready is an answer, no error."""
        with self._sent("GET", "/readyz", accept=(503,), timeout=PROBE_S) as response:
            body = self._json(response)
        if not isinstance(body, dict) or "ready" not in body:
            raise AnswerError(self.url, "it does not say whether it is ready.")
        return body

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _get_list(self, path: str) -> list[dict[str, Any]]:
        with self._sent("GET", path, timeout=PROBE_S) as response:
            body = self._json(response)
        items = body.get("data") if isinstance(body, dict) else None
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise AnswerError(self.url, f"{path} is not a list.")
        return items

    @contextlib.contextmanager
    def _posted(self, source: Path | IO[bytes], task: str, form: list[tuple[str, str]]) -> Iterator[httpx.Response]:
        path = "/v1/audio/translations" if task == "translate" else "/v1/audio/transcriptions"
        data: dict[str, list[str]] = {}
        for name, value in form:
            data.setdefault(name, []).append(value)
        with self._uploaded(path, "file", source, data) as response:
            yield response

    @contextlib.contextmanager
    def _uploaded(
        self, path: str, part: str, source: Path | IO[bytes], data: Mapping[str, Any]
    ) -> Iterator[httpx.Response]:
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(_opened(source)) if isinstance(source, Path) else _measured(source, stack)
            files = {part: (_file_name(source), file, "application/octet-stream")}
            yield stack.enter_context(self._sent("POST", path, data=data, files=files))

    @contextlib.contextmanager
    def _sent(self, method: str, path: str, accept: tuple[int, ...] = (), **request: Any) -> Iterator[httpx.Response]:
        """A response of which only the headers are read. Raises what it says when it is an error."""
        try:
            with self._http.stream(method, path, **request) as response:
                if response.status_code >= 300 and response.status_code not in accept:
                    raise self._error(response)
                yield response
        except httpx.HTTPError as error:
            raise ServerUnreachable(self.url, _why(error)) from error

    def _error(self, response: httpx.Response) -> TalkieError:
        try:
            words = json.loads(self._bytes(response))["error"]
            words["message"]
        except (ValueError, LookupError, TypeError):
            return AnswerError(self.url, f"status {response.status_code} without a word.")
        error = named_error(words, error_of_status(response.status_code))
        if isinstance(error, BusyError | KeyRateLimited):
            error.retry_after_s = _seconds(response.headers.get("retry-after"))
        return error

    def _deltas(self, response: httpx.Response) -> Iterator[str | Transcript]:
        try:
            for event in answers.events(self._lines(response)):
                if "error" in event:
                    raise named_error(event["error"])
                kind = event.get("type")
                if kind == "transcript.text.delta":
                    yield str(event.get("delta", ""))
                elif kind == "transcript.text.done":
                    yield answers.transcript(event)
                    return
        except ValueError as error:
            raise AnswerError(self.url, f"{error}.") from error
        raise AnswerError(self.url, "the stream ended in the middle.")

    def _lines(self, response: httpx.Response) -> Iterator[str]:
        """Lines end at a line feed only: JSON may hold other characters that Python takes for line ends."""
        held = b""
        for part in response.iter_bytes():
            *lines, held = (held + part).split(b"\n")
            for line in lines:
                yield line.removesuffix(b"\r").decode("utf-8", "replace")
            if len(held) > MAX_LINE_BYTES:
                raise AnswerError(self.url, "a line without an end.")
        yield held.decode("utf-8", "replace")

    def _json(self, response: httpx.Response) -> Any:
        return self._read(json.loads, self._bytes(response))

    def _bytes(self, response: httpx.Response) -> bytes:
        body = bytearray()
        for part in response.iter_bytes():
            body += part
            if len(body) > MAX_ANSWER_BYTES:
                raise AnswerError(self.url, "it is too long.")
        return bytes(body)

    def _read(self, parse: Callable[[Any], T], value: Any) -> T:
        try:
            return parse(value)
        except ValueError as error:
            raise AnswerError(self.url, f"{error}.") from error


def _classes(kind: type[TalkieError]) -> Iterator[type[TalkieError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _classes(below)


_CLASSES = {kind.code: kind for kind in _classes(TalkieError)}


def named_error(words: Any, otherwise: type[TalkieError] = TalkieError) -> TalkieError:
    """The error that a server describes, as our own class where its code is one of ours."""
    words = words if isinstance(words, Mapping) else {"message": str(words)}
    kind = _CLASSES.get(str(words.get("code")), otherwise)
    error = kind.__new__(kind)
    param = words.get("param")
    TalkieError.__init__(
        error,
        str(words.get("message") or "The server says no more."),
        hint=str(words.get("hint") or ""),
        param=str(param) if param else None,
    )
    if isinstance(error, BusyError | KeyRateLimited):
        error.retry_after_s = 1.0
    return error


def error_of_status(status: int) -> type[TalkieError]:
    """The class of an error that a server of another make names by its status only."""
    code = {401: "key_wrong", 403: "access_denied", 404: "model_not_found", 413: "audio_too_large", 429: "busy"}
    return _CLASSES[code.get(status, "busy" if status == 503 else "invalid_request" if status < 500 else "bad_answer")]


def base_url_of(url: str) -> str:
    """The root of the server. Raises `InvalidValue`."""
    full = url.strip() if "://" in url else f"http://{url.strip()}"
    try:
        parts = urlsplit(full)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        valid = False
    if not valid or parts.query or parts.fragment:
        raise InvalidValue("server", f"{url[:80]!r} is no address of a server.", hint="Like http://127.0.0.1:8000")
    return full.rstrip("/").removesuffix("/v1").rstrip("/")


def trusting(
    cacert: Path | None, context: Callable[..., ssl.SSLContext] = ssl.create_default_context
) -> ssl.SSLContext:
    try:
        return context(cafile=cacert)
    except OSError as error:  # ssl.SSLError is one
        raise InvalidValue("cacert", f"{cacert} cannot be read as certificates: {error.strerror or error}.") from None


def _opened(source: Path) -> IO[bytes]:
    try:
        return source.open("rb")
    except OSError as error:
        raise UnreadableFile(error.strerror or type(error).__name__) from None


def _file_name(source: Path | IO[bytes]) -> str:
    """Not the user's own, which is nobody's business; its ending stays, since some servers ask for one."""
    ending = source.suffix.lower() if isinstance(source, Path) else ""
    return f"audio{ending}" if ending[1:].isalnum() and ending.isascii() else "audio"


def _measured(stream: IO[bytes], stack: contextlib.ExitStack) -> IO[bytes]:
    """A file whose length can be known: a pipe is written to a nameless file first."""
    if stream.seekable():
        return stream
    file = stack.enter_context(tempfile.SpooledTemporaryFile(max_size=SPOOL_MEMORY_BYTES))  # noqa: SIM115
    held = 0
    while part := stream.read(COPY_BYTES):
        held += file.write(part)
        if held > SPOOL_MAX_BYTES:
            raise AudioTooLarge(SPOOL_MAX_BYTES)
    file.seek(0)
    return cast("IO[bytes]", file)


def _form(fields: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Fields as a form holds them; `words=True` is spelt as the API does."""
    form: list[tuple[str, str]] = []
    for name, value in fields.items():
        if name == "words":
            form += [("timestamp_granularities[]", grain) for grain in ("word", "segment")] if value else []
        elif isinstance(value, bool):
            form.append((name, "true" if value else "false"))
        elif value is not None and value != "":
            form.append((name, str(value)))
    return form


def _seconds(text: str | None) -> float:
    try:
        return min(max(float(text or 1.0), 0.0), 3600.0)
    except ValueError:
        return 1.0


def _why(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.ConnectError):
        return f"{error}." if "ssl" in str(error).lower() or "certificate" in str(error).lower() else "no connection."
    if isinstance(error, httpx.TimeoutException):
        return "it took too long."
    return f"the connection broke ({type(error).__name__})."
