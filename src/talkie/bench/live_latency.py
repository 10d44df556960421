"""From what a session said and when it was answered to the delays that people notice.

    time to first partial   from the start of speech to the first text of its utterance
    emission of a word      from the end of the word to the first text that has it
    time to final           from the end of speech to the final text of its utterance, the pause that ends it included

Start and end of speech are Silero's, in the stretch that the server heard as one utterance; ends of words are those of
the final. Knows nothing of sockets.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from talkie.bench.live_client import Log
from talkie.bench.live_events import Seen
from talkie.bench.live_results import Spread
from talkie.bench.live_sound import Cut
from talkie.bench.statistics import percentile
from talkie.text.normalize import normalize
from talkie.text.wer import Wer, word_error_rate
from talkie.types import Span


@dataclass(slots=True)
class Delays:
    """Of all utterances of one or more sessions, in seconds. `unanswered` counts recordings that no final touches."""

    first_partial: list[float] = field(default_factory=list)
    emission: list[float] = field(default_factory=list)
    final: list[float] = field(default_factory=list)
    wer: Wer = field(default_factory=Wer)
    utterances: int = 0
    without_partial: int = 0
    unanswered: int = 0

    def add(self, other: Delays) -> None:
        self.first_partial += other.first_partial
        self.emission += other.emission
        self.final += other.final
        self.wer += other.wer
        self.utterances += other.utterances
        self.without_partial += other.without_partial
        self.unanswered += other.unanswered


def spread(values: Sequence[float]) -> Spread | None:
    if not values:
        return None
    return Spread(percentile(values, 50), percentile(values, 95), percentile(values, 99), len(values))


def delays(cut: Cut, log: Log) -> Delays:
    """Of one session."""
    finals = [one for one in log.seen if one.kind == "final"]
    found = Delays(wer=word_error_rate(cut.text, " ".join(one.text for one in finals), cut.language))
    for final in finals:
        speech = cut.speech(final.span)
        if speech is None:  # nobody spoke there: a text would be counted as words too many
            continue
        told = [one for one in log.seen if one.kind == "partial" and one.utterance == final.utterance and one.text]
        found.utterances += 1
        found.without_partial += not told
        found.final.append(final.at_s - speech.end_s)
        if told or final.text:
            found.first_partial.append((told[0] if told else final).at_s - speech.start_s)
        found.emission += emission(final, told, cut.language)
    found.unanswered = sum(not any(_touch(one.span, said.span) for one in finals) for said in cut.said)
    return found


def together(cuts: Sequence[Cut], logs: Sequence[Log]) -> Delays:
    found = Delays()
    for cut, log in zip(cuts, logs, strict=True):
        found.add(delays(cut, log))
    return found


def emission(final: Seen, partials: Iterable[Seen], language: str) -> list[float]:
    """For each word of a final, how long after its end the first text that has it was there.

    A partial has a word when the longest match of its words with those of the final pairs it: a word misheard at first
    does not hide those after it.
    """
    wanted = [_token(word.text, language) for word in final.words]
    ends = [word.end_s for word in final.words]
    first: dict[int, float] = {}
    for one in partials:
        if len(first) == len(wanted):
            break
        said = [_token(word, language) for word in one.text.split()]
        for block in SequenceMatcher(None, wanted, said, autojunk=False).get_matching_blocks():
            for place in range(block.a, block.a + block.size):
                first.setdefault(place, one.at_s)
    return [first.get(place, final.at_s) - end for place, end in enumerate(ends)]


def _token(word: str, language: str) -> str:
    return normalize(word, language) or word.lower()


def _touch(one: Span, other: Span) -> bool:
    return one.start_s < other.end_s and other.start_s < one.end_s
