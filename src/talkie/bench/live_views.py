"""The same arithmetic for every live server, whatever it calls an utterance: when was each word there to be read?

What a reader has before the eyes at a time is the certain text so far, and what still may change after it. The words
that were said are found in it by the longest matches, among those that were begun by then. So:

    first text   from the start of a recording's speech to the first of its words in any text
    word         from its end to the first text that has it; ends are spread over the recording by length of words
    final        from the end of its speech to the first certain text that has its last word

A recording whose last word was never heard has no final, and one of which no word was is `unanswered`. Knows nothing of
dialects.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from talkie.bench.live_client import Log
from talkie.bench.live_latency import Delays
from talkie.bench.live_sound import Cut
from talkie.text.normalize import normalize
from talkie.text.wer import word_error_rate


@dataclass(frozen=True, slots=True)
class View:
    """What can be read at a time."""

    at_s: float
    certain: str
    shown: str


@dataclass(frozen=True, slots=True)
class Place:
    """One word that was said: in which recording, from when to when."""

    word: str
    recording: int
    start_s: float
    end_s: float


def views(log: Log) -> Iterator[View]:
    """One for each message with text."""
    finals: dict[int, str] = {}
    partials: dict[int, str] = {}
    for one in log.seen:
        if one.kind not in ("partial", "final"):
            continue
        if one.kind == "final":
            finals[one.utterance] = one.text
            partials.pop(one.utterance, None)
        else:
            partials = {one.utterance: one.text}
        certain = " ".join(finals[key] for key in sorted(finals))
        yield View(one.at_s, certain, " ".join([certain, *partials.values()]).strip())


def view_delays(cut: Cut, log: Log) -> Delays:
    """Of one session."""
    said, found = list(places(cut)), list(views(log))
    text = found[-1].shown if found else ""
    shown = _first_seen(said, [(one.at_s, one.shown) for one in found], cut.language)
    certain = _first_seen(said, [(one.at_s, one.certain) for one in found], cut.language)
    delays = Delays(wer=word_error_rate(cut.text, text, cut.language))
    delays.emission = [shown[number] - place.end_s for number, place in enumerate(said) if number in shown]
    for number, one in enumerate(cut.said):
        own = [place for place, word in enumerate(said) if word.recording == number]
        seen = [shown[place] for place in own if place in shown]
        if seen:
            delays.first_partial.append(min(seen) - one.span.start_s)
        if own and own[-1] in certain:
            delays.utterances += 1
            delays.final.append(certain[own[-1]] - one.span.end_s)
        delays.unanswered += not any(place in certain for place in own)
    return delays


def together(cuts: Sequence[Cut], logs: Sequence[Log]) -> Delays:
    found = Delays()
    for cut, log in zip(cuts, logs, strict=True):
        found.add(view_delays(cut, log))
    return found


def places(cut: Cut) -> Iterator[Place]:
    for number, one in enumerate(cut.said):
        words = normalize(one.text, cut.language).split()
        letters, before = sum(map(len, words)) or 1, 0
        for word in words:
            ends = [one.span.start_s + one.span.duration_s * count / letters for count in (before, before + len(word))]
            before += len(word)
            yield Place(word, number, *ends)


def _first_seen(said: Sequence[Place], texts: Sequence[tuple[float, str]], language: str) -> dict[int, float]:
    """By number of the word. One that is seen once counts as seen, also when it is taken back."""
    found: dict[int, float] = {}
    last = ""
    for at_s, text in texts:
        if text == last:
            continue
        last = text
        begun = [place.word for place in said if place.start_s <= at_s]
        matcher = SequenceMatcher(None, begun, normalize(text, language).split(), autojunk=False)
        for block in matcher.get_matching_blocks():
            for number in range(block.a, block.a + block.size):
                found.setdefault(number, at_s)
    return found
