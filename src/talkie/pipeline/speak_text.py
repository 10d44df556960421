"""The text of a request to the lines that an engine is given, and all that can be wrong with either.

A text is plain (with `{ipa:...}` in it, perhaps), SSML, or comes in pieces while it is being written. Knows nothing of
sound; sentences, SSML and the lexicon are those of `talkie.text`.
"""

from __future__ import annotations

import math
import queue
import threading
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from talkie.engines.base import SynthesizeOptions
from talkie.errors import InvalidValue, NothingToSay, TextTooLong, UnsupportedByModel
from talkie.text.inline import InlineReader
from talkie.text.lines import Line, LineReader, read_parts, read_text
from talkie.text.parts import Part, Pause, Say, plain_text, speakable
from talkie.text.ssml import looks_like_ssml, parse

if TYPE_CHECKING:
    from talkie.pipeline.speak_plan import Cancel, SpeakPlan

SPEEDS, PITCHES, VOLUMES = (0.25, 4.0), (0.5, 2.0), (0.0, 2.0)
MARKUP_FACTOR = 10
"""SSML may have so many times the characters of the text in it."""
MAX_LINE_CHARACTERS = 300
_READ_CHARACTERS = 2000  # at a time: the first sentence is spoken before the last one is looked at
_TELLING_CHARACTERS = 8  # enough to see whether it is SSML
_POLL_S = 0.05
_PIECES_WAITING = 64


def check_options(options: SynthesizeOptions) -> None:
    """Raises `InvalidValue` for what no voice can do."""
    for name, (low, high) in (("speed", SPEEDS), ("pitch", PITCHES), ("volume", VOLUMES)):
        value = getattr(options, name)
        if not (math.isfinite(value) and low <= value <= high):
            raise InvalidValue(name, f"The {name} must be from {low:g} to {high:g}.")


def lines_of(text: str | Iterable[str], plan: SpeakPlan, cancel: Cancel) -> Iterator[Line | Pause]:
    """What is wrong with a whole text is raised by the call."""
    if not isinstance(text, str):
        return _written(_as_written(text, cancel), plan)
    if plan.ssml or looks_like_ssml(text):
        return iter(_ssml_lines(text, plan))
    if len(text) > plan.max_characters:
        raise TextTooLong(len(text), plan.max_characters)
    if not speakable(text):
        raise NothingToSay
    if "ipa:" in text:
        _check_phonemes(InlineReader().feed(text), plan)
    return _read((text[at : at + _READ_CHARACTERS] for at in range(0, len(text), _READ_CHARACTERS)), plan)


def _read(pieces: Iterable[str], plan: SpeakPlan) -> Iterator[Line | Pause]:
    return read_text(pieces, _reader(plan))


def _written(pieces: Iterator[str], plan: SpeakPlan) -> Iterator[Line | Pause]:
    """A plain text as it comes; markup is whole when its last piece has come."""
    start = ""
    for piece in pieces:
        start += piece
        if len(start.lstrip()) >= _TELLING_CHARACTERS:
            break
    markup = plan.ssml or looks_like_ssml(start)
    counted = _counted(chain([start], pieces), plan.max_characters * (MARKUP_FACTOR if markup else 1))
    yield from _ssml_lines("".join(counted), plan) if markup else _read(counted, plan)


def _ssml_lines(text: str, plan: SpeakPlan) -> list[Line | Pause]:
    if len(text) > plan.max_characters * MARKUP_FACTOR:
        raise TextTooLong(len(text), plan.max_characters * MARKUP_FACTOR)
    parts = parse(text)
    plain = plain_text(parts)
    if len(plain) > plan.max_characters:
        raise TextTooLong(len(plain), plan.max_characters)
    says = [part for part in parts if not isinstance(part, Pause)]
    if not any(speakable(say.said) or say.phonemes for say in says):
        raise NothingToSay
    _check_phonemes(says, plan)
    _check_languages(says, plan)
    if not plan.info.pitch and any(say.pitch != 1.0 for say in says):
        raise UnsupportedByModel("input", f"The model {plan.info.name!r} cannot change the pitch of its voice.")
    return list(read_parts(parts, _reader(plan)))


def _check_phonemes(says: Iterable[Part], plan: SpeakPlan) -> None:
    """A word of the lexicon is spoken as it is written where phonemes cannot be; what a text asks for is refused."""
    if not plan.info.phonemes and any(not isinstance(say, Pause) and say.phonemes for say in says):
        raise UnsupportedByModel("input", f"The model {plan.info.name!r} cannot be told phonemes.")


def _check_languages(says: Iterable[Say], plan: SpeakPlan) -> None:
    known = {language.lower().partition("-")[0] for language in plan.info.languages}
    for say in says:
        if say.lang and say.lang.lower().partition("-")[0] not in known:
            raise UnsupportedByModel("input", f"The model {plan.info.name!r} does not speak {say.lang[:40]!r}.")


def _reader(plan: SpeakPlan) -> LineReader:
    longest = min(MAX_LINE_CHARACTERS, plan.info.max_characters)
    return LineReader(plan.options.language, plan.lexicon, max_chars=longest)


def _counted(pieces: Iterable[str], most: int) -> Iterator[str]:
    count = 0
    for piece in pieces:
        count += len(piece)
        if count > most:
            raise TextTooLong(count, most)
        yield piece


def _as_written(pieces: Iterable[str], cancel: Cancel) -> Iterator[str]:
    """Pieces as they come, and `Cancelled` also while none does.

    They are read in a thread that is not waited for: an iterator that never gives another piece keeps that thread, and
    nothing else.
    """
    ready: queue.Queue[str | BaseException | None] = queue.Queue(_PIECES_WAITING)
    left = threading.Event()
    threading.Thread(target=_pump, args=(pieces, ready, left), name="talkie-text", daemon=True).start()
    try:
        while True:
            cancel.check()
            try:
                piece = ready.get(timeout=_POLL_S)
            except queue.Empty:
                continue
            if piece is None:
                return
            if isinstance(piece, BaseException):
                raise piece
            yield piece
    finally:
        left.set()


def _pump(pieces: Iterable[str], ready: queue.Queue[str | BaseException | None], left: threading.Event) -> None:
    last: BaseException | None = None
    try:
        for piece in pieces:
            _put(piece, ready, left)
            if left.is_set():
                return
    except BaseException as error:  # raised where the text is read
        last = error
    _put(last, ready, left)


def _put(
    item: str | BaseException | None, ready: queue.Queue[str | BaseException | None], left: threading.Event
) -> None:
    while not left.is_set():
        try:
            ready.put(item, timeout=_POLL_S)
            return
        except queue.Full:
            continue
