"""Do the first and the last word arrive? Recordings through one door, held against what the server hears in the file.

The same engine may mishear a word; what must not happen is that a door cuts it off. So the text of the file, posted
whole, is the measure. Knows nothing of doors: `live_doors` does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from talkie.bench.live_client import Wish
from talkie.bench.live_doors import door
from talkie.bench.recordings import Recording
from talkie.bench.report import table
from talkie.client import Client
from talkie.text.normalize import normalize

MAX_RECORDINGS, MAX_S = 20, 30.0


@dataclass(frozen=True, slots=True)
class Arrived:
    """Of one recording. `first` and `last` are words as the file gave them, `same` whether all words are."""

    recording: str
    first: str
    first_came: bool
    last: str
    last_came: bool
    same: bool

    @property
    def whole(self) -> bool:
        return self.first_came and self.last_came


def measure(
    name: str, wish: Wish, recordings: Sequence[Recording], progress: Callable[[str], None] = lambda _: None
) -> list[Arrived]:
    """Raises `InvalidValue` for a door that is not known, and whatever the door does."""
    hear = door(name)
    short = [one for one in recordings if one.seconds <= MAX_S][:MAX_RECORDINGS]
    found = []
    with Client(wish.url, wish.api_key) as client:
        for number, one in enumerate(short):
            whole = client.transcribe(one.path, model=wish.model, language=wish.language).text
            found.append(arrived(one, whole, hear(one, wish)))
            progress(f"{number + 1} of {len(short)}")
    return found


def arrived(recording: Recording, whole: str, live: str) -> Arrived:
    wanted, got = (normalize(text, recording.language).split() for text in (whole, live))
    first, last = (wanted[0], wanted[-1]) if wanted else ("", "")
    return Arrived(recording.path.name, first, got[:1] == wanted[:1], last, got[-1:] == wanted[-1:], got == wanted)


def as_table(found: Sequence[Arrived]) -> str:
    """Counts, and the recordings of which a word is missing."""
    rows = [("first word", str(sum(one.first_came for one in found)), str(len(found)))]
    rows += [("last word", str(sum(one.last_came for one in found)), str(len(found)))]
    rows += [("all words", str(sum(one.same for one in found)), str(len(found)))]
    missing = [f"{one.recording}: {'first' if not one.first_came else 'last'} word" for one in found if not one.whole]
    return "\n".join([table(("arrived", "in", "of"), rows), *missing])


def as_json(name: str, found: Sequence[Arrived]) -> dict[str, Any]:
    """Counts and places, no words: they are of people."""
    counts = {key: sum(getattr(one, key) for one in found) for key in ("first_came", "last_came", "same")}
    missing = [one.recording for one in found if not one.whole]
    return {"door": name, "recordings": len(found), **counts, "missing": missing}
