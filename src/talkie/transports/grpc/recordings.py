"""A whole recording that came in one message: to disk, through the service, and its transcript.

What waits in the line is a file without a name, as with the HTTP door, so that many large messages do not add up in
memory. Knows nothing of protocols.
"""

from __future__ import annotations

from functools import partial

from talkie.errors import EngineFailed
from talkie.runtime.requests import TranscribeRequest
from talkie.transports.http.door import SpeechService
from talkie.transports.http.upload import Spool, UploadLimits
from talkie.transports.http.work import Gate, working
from talkie.types import Transcript


class Recordings:
    """`gate` bounds those inside: enter it before the message is read."""

    def __init__(self, service: SpeechService, limits: UploadLimits, gate: Gate) -> None:
        self._service, self._limits, self.gate = service, limits, gate

    async def hear(self, audio: bytes, request: TranscribeRequest) -> Transcript:
        """Raises the service's errors and `AudioTooLarge`. When we are cancelled, so is the work."""
        with Spool(self._limits) as spool:
            spool.put(audio)
            del audio
            await spool.flush()
            spool.file.seek(0)
            start = partial(self._service.transcribe, spool.file, request)
            async with working(start, self._limits.idle_s) as heard:
                async for item in heard:
                    if isinstance(item, Transcript):
                        return item
        raise EngineFailed("service", "it ended without a transcript")
