"""Whisper's own vocabulary, from the file `multilingual.tiktoken` that the openai-whisper package carries.

A line is a token in base64 and its rank; the merges of a byte-level tokenizer follow from the ranks. Programs that have
this vocabulary built in write the same text as all others only with a model that uses it. Knows nothing of models.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from talkie.bench.shape_vocabulary import LANGUAGES, Vocabulary, byte_letters, special_tokens
from talkie.errors import InvalidValue

TEXT_TOKENS = 50_257
MAX_BYTES = 16 << 20
_WORDS = """
about above across action after again against air along also always among animal answer area around away back base
because become before began behind being best better between big black blue board boat body book both box boy bring
brought building built call came car care carry case cause center certain change check children city class clear close
cold color come common complete country course cover cut dark day deep develop different door down draw dry during each
early earth east easy eat end enough even ever every example eye face fact family far farm fast father feel feet field
figure find fine fire first fish follow food foot force form found free friend from front full game gave general get
girl give gold good great green ground group grow half hand happen hard head hear heart heat heavy help here high hold
home horse hot hour house idea inside island just keep kind king know land language large last late laugh lead learn
leave left letter life light line list listen little live long look love machine made main make many map mark matter
mean measure meet might mind minute miss money moon more morning most mother mountain move much music must name near
need never new next night north note nothing notice now number object ocean often old only open order other our out
over own page paper part pass past pattern people perhaps person picture piece place plain plan plant play point power
press problem produce product pull put question quick quiet rain ran reach read ready real reason record red remember
rest right river road rock room round rule run sail same saw say school science sea second see seem sentence serve set
several shape ship short should show side simple since sing size sleep slow small snow some song soon sound south space
special stand star start state stay step still stood stop story street strong study such summer sun sure surface system
table take talk teach tell test thing think thought through time together took top toward town travel tree true try turn
under unit until use usual voice wait walk want war warm watch water way weather week weight well west wheel while white
whole why wind window winter wish wonder wood word work world write year young
""".split()  # noqa: SIM905 a list of words is read as prose


def read_vocabulary(path: Path, *, languages: tuple[str, ...] = LANGUAGES, seed: int = 0) -> Vocabulary:
    """The vocabulary of the file, its words ordinary English ones in an order of the seed. Raises `InvalidValue`."""
    ranks = _read_ranks(path)
    letters = byte_letters()

    def written(token: bytes) -> str:
        return "".join(letters[byte] for byte in token)

    text = tuple(map(written, ranks))
    merges = tuple((written(left), written(right)) for left, right in _merges(ranks))
    single = set(text)
    words = [word for word in ("Ġ" + word for word in _WORDS) if word in single]
    random.Random(seed).shuffle(words)
    tokens = (*text, *special_tokens(languages))
    return Vocabulary(tokens, merges, tuple(words), len(text), languages, "multilingual.tiktoken")


def _read_ranks(path: Path) -> dict[bytes, int]:
    """Tokens in the order of their ranks, the last one empty."""
    try:
        with path.open("rb") as file:
            lines = file.read(MAX_BYTES).splitlines()
        pairs = [line.split() for line in lines if line]
        ranks = {base64.b64decode(token): int(rank) for token, rank in pairs}
    except (OSError, ValueError) as error:
        raise InvalidValue("vocabulary", f"it cannot be read: {error}", hint="Name multilingual.tiktoken.") from error
    if len(ranks) != TEXT_TOKENS or list(ranks.values()) != list(range(TEXT_TOKENS)) or list(ranks)[-1]:
        raise InvalidValue(
            "vocabulary", f"it is not Whisper's: {len(ranks)} tokens.", hint="Name multilingual.tiktoken."
        )
    return ranks


def _merges(ranks: dict[bytes, int]) -> Iterator[tuple[bytes, bytes]]:
    """The two parts of each token of more than one byte: what is left when all merges before its own are done."""
    for token, rank in ranks.items():
        if len(token) > 1:
            parts = _joined([bytes([byte]) for byte in token], ranks, rank)
            if len(parts) == 2:
                yield parts[0], parts[1]


def _joined(parts: list[bytes], ranks: dict[bytes, int], below: int) -> list[bytes]:
    while True:
        found = [(ranks.get(left + right, below), place) for place, (left, right) in enumerate(pairwise(parts))]
        rank, place = min(found, default=(below, 0))
        if rank >= below:
            return parts
        parts = [*parts[:place], parts[place] + parts[place + 1], *parts[place + 2 :]]
