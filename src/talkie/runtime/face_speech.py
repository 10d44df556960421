"""The thread that has one utterance of a live face spoken, and hands its sound over at the one rate of live faces.

Knows nothing of pictures or clocks. An utterance that is no longer wanted is left at once; its thread ends as soon as
the voice lets go of it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Protocol, TypeAlias

from talkie.audio.resample import StreamResampler
from talkie.errors import Cancelled, TalkieError
from talkie.runtime.cancel import CancelToken
from talkie.runtime.face import LIVE_RATE_HZ
from talkie.runtime.face_text import Text
from talkie.runtime.face_track import Track

if TYPE_CHECKING:
    from talkie.runtime.speech import SpeakRequest
    from talkie.types import Mark, Samples, SpeechChunk

MOST_AT_WORK = 24
"""Utterances of one session that speak, wait, or are on their way out."""

Speak: TypeAlias = Callable[["SpeakRequest", CancelToken, Iterable[str] | None], "Iterator[SpeechChunk]"]

_log = logging.getLogger(__name__)


class Listener(Protocol):
    """Whose utterance it is."""

    def put(self, track: Track, samples: Samples, marks: Sequence[Mark]) -> bool: ...

    def spoken(self, speech: Speech, error: TalkieError | None) -> None: ...


class Speech:
    """One utterance being spoken: `request.text`, or what is being written."""

    def __init__(self, listener: Listener, track: Track, request: SpeakRequest, pieces: Text | None) -> None:
        self._listener, self.track, self._request, self._pieces = listener, track, request, pieces
        self._thread: threading.Thread | None = None

    def start(self, speak: Speak) -> None:
        self._thread = threading.Thread(target=self._run, args=(speak,), name="talkie-face-speech", daemon=True)
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self, speak: Speak) -> None:
        error: TalkieError | None = None
        try:
            self._hand_over(speak(self._request, self.track.cancel, self._pieces))
        except Cancelled:
            pass
        except TalkieError as failed:
            error = failed
        except Exception as failed:
            _log.error("An utterance of a face failed: %s", type(failed).__name__, exc_info=failed)
            error = TalkieError("Something went wrong inside the server.")
        self._listener.spoken(self, error)

    def _hand_over(self, spoken: Iterator[SpeechChunk]) -> None:
        resampler = StreamResampler(LIVE_RATE_HZ)
        with closing(spoken) as chunks:  # type: ignore[type-var]
            try:
                for chunk in chunks:
                    samples = resampler.feed(chunk.samples, chunk.sample_rate)
                    if not self._listener.put(self.track, samples, chunk.marks):
                        return
            finally:  # what was said is heard, also where it breaks off
                self._listener.put(self.track, resampler.finish(), ())
