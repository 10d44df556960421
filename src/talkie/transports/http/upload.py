"""One upload, from the socket to disk once: a file without a name, gone when it is closed, whatever happens.

The body is a form, or the recording itself with the fields in the query. Bounds hold while it streams, with or without
a Content-Length. Knows nothing of audio.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from talkie.errors import AudioTooLarge, BadRequestBody, Cancelled, StoreFull, UploadTimeout
from talkie.transports.http.form import FILE_FIELD, MAX_FIELDS_BYTES, Form

if TYPE_CHECKING:
    from starlette.requests import Request

WRITE_BYTES = 1024 * 1024
"""Written to disk at once, in a thread: a slow disk must not hold up other requests."""
MIN_PROGRESS_BYTES = 1024
"""Less than this within the idle time counts as standing still, or a trickle would hold a place for ever."""
AUDIO_TYPES = ("audio/", "video/", "application/octet-stream")


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """Where uploads go while they are worked on, how large they may be, and how long one may stand still."""

    directory: Path
    max_bytes: int = 100_000_000
    idle_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Upload:
    """`file` stands at its beginning; `fields` are as they came. `has_file`: there was one, be it empty."""

    file: IO[bytes]
    fields: list[tuple[str, str]]
    size_bytes: int
    has_file: bool = True


@contextlib.asynccontextmanager
async def receive_upload(
    request: Request, limits: UploadLimits, files: tuple[str, ...] = (FILE_FIELD,), *, needed: bool = True
) -> AsyncIterator[Upload]:
    """The upload of a request, for as long as the block runs; `files` are the names of the part that holds it, which
    a form may leave out where it is not `needed`.

    Raises `AudioTooLarge`, `BadRequestBody`, `InvalidValue`, `UploadTimeout`, `StoreFull`; `Cancelled` when the
    client goes away.
    """
    content_type = request.headers.get("content-type", "")
    _refuse_by_length(request.headers.get("content-length", ""), limits.max_bytes)
    with Spool(limits) as spool:
        if content_type.lower().startswith(AUDIO_TYPES):
            await _drink(request, limits, spool, spool.put)
            fields, has_file = list(request.query_params.multi_items()), True
        else:
            form = Form(content_type, spool.put, files, needed=needed)
            await _drink(request, limits, spool, form.feed)
            fields, has_file = form.finish(), form.has_file
        await spool.flush()
        spool.file.seek(0)
        yield Upload(spool.file, fields, spool.size_bytes, has_file)


def _refuse_by_length(header: str, max_bytes: int) -> None:
    if header.isdecimal() and int(header) > max_bytes + MAX_FIELDS_BYTES:
        raise AudioTooLarge(max_bytes)


async def _drink(request: Request, limits: UploadLimits, spool: Spool, take: Callable[[bytes], None]) -> None:
    """Every piece of the body into `take`, and to disk before more is read."""
    since, progress, total = time.monotonic(), 0, 0
    while True:
        try:
            async with asyncio.timeout(since + limits.idle_s - time.monotonic()):
                message = await request.receive()
        except TimeoutError:
            raise UploadTimeout(limits.idle_s) from None
        if message["type"] == "http.disconnect":
            raise Cancelled
        body = message.get("body", b"")
        progress, total = progress + len(body), total + len(body)
        if total > limits.max_bytes + MAX_FIELDS_BYTES:
            raise AudioTooLarge(limits.max_bytes)
        if progress >= MIN_PROGRESS_BYTES:
            since, progress = time.monotonic(), 0
        take(body)
        if spool.pending_bytes >= WRITE_BYTES:
            await spool.flush()
        if not message.get("more_body", False):
            if total == 0:
                raise BadRequestBody("it is empty.")
            return


class Spool:
    """A nameless file and what waits to be written to it."""

    def __init__(self, limits: UploadLimits) -> None:
        self._limits = limits
        self._pending: list[bytes] = []
        self.pending_bytes = self.size_bytes = 0

    def __enter__(self) -> Spool:
        directory = self._limits.directory
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.file: IO[bytes] = tempfile.TemporaryFile(dir=directory, buffering=WRITE_BYTES)
        except OSError as error:
            raise self._disk_error(error) from None
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # a full disk, told of already, would raise once more here
            self.file.close()

    def put(self, data: bytes) -> None:
        self.size_bytes += len(data)
        if self.size_bytes > self._limits.max_bytes:
            raise AudioTooLarge(self._limits.max_bytes)
        self._pending.append(data)
        self.pending_bytes += len(data)

    async def flush(self) -> None:
        pending, self._pending, self.pending_bytes = self._pending, [], 0
        writing = asyncio.ensure_future(asyncio.to_thread(self._write, pending))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait([writing])  # the file must not be closed under the thread that writes to it
            raise
        except OSError as error:
            raise self._disk_error(error) from None

    def _write(self, pending: list[bytes]) -> None:
        self.file.writelines(pending)
        self.file.flush()

    def _disk_error(self, error: OSError) -> Exception:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            return error
        free = shutil.disk_usage(self._limits.directory).free
        return StoreFull(max(self.size_bytes, WRITE_BYTES), free, "the directory for uploads")
