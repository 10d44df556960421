"""What a live face tells its client: events as JSON. Pure; times are seconds of the session, as those of its frames.

Knows nothing of sockets: a data channel tells the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from talkie.errors import TalkieError
from talkie.pipeline.faces import FaceInfo
from talkie.runtime.face import LIVE_RATE_HZ, FaceTick, Shown
from talkie.runtime.speech import SpeakRequest
from talkie.types import Mark
from talkie.wire.face_protocol import session_of
from talkie.wire.openai import ErrorWords, to_json

Json: TypeAlias = dict[str, Any]


class Telling:
    """The events of one session, frame by frame."""

    def __init__(self, fps: float, words_of: Callable[[TalkieError], ErrorWords]) -> None:
        self._fps, self._words_of = fps, words_of

    def tell(self, tick: FaceTick) -> list[Json]:
        """What is to be said of this frame, in order: that an utterance starts in it, its words, that it is done or
        could not be spoken."""
        if not tick.generation:
            return []
        told = [utterance_started(tick.generation, tick.at_s)] if tick.started else []
        words = [_in_session(mark, tick.at_s, self._fps) for mark in tick.marks if mark.kind == "word"]
        if words:
            told.append(words_message(tick.generation, words))
        if tick.error is not None:
            told.append({**error_message(self._words_of(tick.error)), "generation": tick.generation})
        elif tick.ended:
            told.append(utterance_done(tick.generation, tick.at_s + 1 / self._fps))
        return told


def session_created(session_id: str, info: FaceInfo, width: int, height: int, *, video: str, audio: str) -> Json:
    """The first message. `video` is the codec's name as WebCodecs has it; `width` and `height` those of its pictures,
    which a codec may want even."""
    return {
        "type": "session.created",
        "id": session_id,
        "avatar": info.name,
        "width": width,
        "height": height,
        "fps": info.fps,
        "sample_rate": LIVE_RATE_HZ,
        "codec": {"video": video, "audio": audio},
    }


def session_updated(spoken: SpeakRequest) -> Json:
    return {"type": "session.updated", "session": session_of(spoken)}


def utterance_started(generation: int, at_s: float) -> Json:
    return {"type": "utterance.started", "generation": generation, "at_s": _time(at_s)}


def words_message(generation: int, words: Sequence[Mark]) -> Json:
    """Captions: words that begin now, with their times."""
    shown = [{"text": mark.text, "start_s": _time(mark.start_s), "end_s": _time(mark.end_s)} for mark in words]
    return {"type": "words", "generation": generation, "words": shown}


def utterance_done(generation: int, at_s: float) -> Json:
    return {"type": "utterance.done", "generation": generation, "at_s": _time(at_s)}


def interrupted(shown: Shown | None) -> Json:
    """After it nothing of that generation or an earlier one comes. Generation 0: nothing was being said."""
    shown = shown or Shown(0, 0.0, "", 0.0)
    return {
        "type": "interrupted",
        "generation": shown.generation,
        "shown_s": _time(shown.shown_s),
        "seconds_made": _time(shown.seconds_made),
        "text": shown.text,
    }


def error_message(words: ErrorWords) -> Json:
    return {"type": "error", **words.body()}


def to_text(message: Json) -> str:
    """The message on one line."""
    return to_json(message).decode()


def _in_session(mark: Mark, at_s: float, fps: float) -> Mark:
    """An utterance that pauses, for its text is still being written, has more frames than its own time says; but a
    mark always begins in the frame that has it."""
    start_s = at_s + mark.start_s - int(mark.start_s * fps + 1e-6) / fps
    return replace(mark, start_s=start_s, end_s=start_s + mark.end_s - mark.start_s)


def _time(seconds: float) -> float:
    return round(float(seconds), 3)
