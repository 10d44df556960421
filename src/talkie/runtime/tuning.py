"""What may be measured for a Whisper model, and which of it is taken. Pure: no clock, no model, no process.

A way to run a model is a `Candidate`; what came of it is a `Measured`. Words decide before speed does: whatever hears
worse than the model's own float32 is refused, and of the rest the one with most audio a processor second is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

MAX_WORSE = 0.003
"""A share of the words: 0.3 points of word error rate."""
SPARE_WORDS = 1
"""One word is chance: where 0.3 points are less than one, one more wrong word is let pass."""
ENOUGH_WORDS = 100
"""With fewer nothing is refused, since nothing is known."""
UNDERSTOOD = 0.5
"""Speech of voices that float32 does not understand judges nothing."""
CLEARLY_FASTER = 1.03
"""A figure is as good as that; below it the plainer way is taken."""
REFERENCE = "float32"
_ORDINARY = ("default", "auto")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to run a model; 0 windows in a batch and no `vectors` (an instruction set) are the library's own."""

    backend: str
    compute_type: str
    workers: int = 1
    threads: int = 1
    max_batch: int = 0
    vectors: str = ""

    def __str__(self) -> str:
        batch = f", batches of {self.max_batch}" if self.max_batch else ""
        vectors = f", {self.vectors}" if self.vectors else ""
        return f"{self.backend} {self.compute_type}, {self.workers} x {self.threads}{batch}{vectors}"


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of a candidate. `trouble`: it cannot be run, and the rest is 0. `errors` of `words` were wrong."""

    candidate: Candidate
    audio_s: float = 0.0
    processor_s: float = 0.0
    wall_s: float = 0.0
    peak_bytes: int = 0
    errors: int = 0
    words: int = 0
    batch: int = 0
    trouble: str = ""

    @property
    def speed(self) -> float:
        """Seconds of audio a processor second."""
        return self.audio_s / max(self.processor_s, 1e-9)

    @property
    def rtfx(self) -> float:
        """Seconds of audio a second, on all processors that were used."""
        return self.audio_s / max(self.wall_s, 1e-9)

    @property
    def rate(self) -> float:
        return self.errors / max(self.words, 1)


@dataclass(frozen=True, slots=True)
class Machine:
    """What the two libraries can compute with here, and the processors to use."""

    openvino: tuple[str, ...]
    ctranslate2: tuple[str, ...]
    cores: int
    has_wide_vectors: bool = False


def forms(machine: Machine, asked: str = "default") -> list[Candidate]:
    """The libraries and their numbers, float32 first, of CTranslate2 where it is: the others are held against it."""
    names = [("ctranslate2", name) for name in machine.ctranslate2] + [("openvino", name) for name in machine.openvino]
    reference = ("ctranslate2" if machine.ctranslate2 else "openvino", REFERENCE)
    wanted = [pair for pair in names if asked in _ORDINARY or pair[1].startswith(asked)]
    chosen = dict.fromkeys([reference, *wanted])
    return [Candidate(*pair, workers=machine.cores) for pair in chosen]


def variants(best: Candidate, machine: Machine) -> Iterator[Candidate]:
    """Other ways to run what is best: threads together, other batches, other instructions."""
    if machine.cores > 1:
        yield replace(best, workers=1, threads=machine.cores)
    for size in (4, 16):
        yield replace(best, max_batch=size)
    if best.backend == "ctranslate2" and machine.has_wide_vectors:
        yield replace(best, vectors="AVX2")


def judges(reference: Measured, *, own_files: bool) -> str:
    """Why the words of the reference can refuse nothing; empty where they can."""
    if reference.trouble:
        return f"float32 cannot be run: {reference.trouble}"
    if reference.words < ENOUGH_WORDS:
        return f"{reference.words} words are too few to tell"
    if reference.rate > UNDERSTOOD and not own_files:
        return "this model does not understand the built-in voices; --speech names recordings that it does"
    return ""


def allowed_errors(reference: Measured) -> float:
    return reference.errors + max(SPARE_WORDS, MAX_WORSE * reference.words)


def refusal(measured: Measured, reference: Measured) -> str:
    """Why a candidate may not be taken; empty where it may."""
    if measured.trouble:
        return measured.trouble
    if measured.errors <= allowed_errors(reference):
        return ""
    points = 100 * (measured.rate - reference.rate)
    more = measured.errors - reference.errors
    return f"{points:.1f} points worse than float32 ({more} more of {reference.words} words wrong)"


def best(found: Sequence[Measured], refused: Sequence[str]) -> Measured | None:
    """The fastest that is not refused; the earlier one where a later is not clearly faster."""
    taken: Measured | None = None
    for measured, reason in zip(found, refused, strict=True):
        if not reason and (taken is None or measured.speed > CLEARLY_FASTER * taken.speed):
            taken = measured
    return taken
