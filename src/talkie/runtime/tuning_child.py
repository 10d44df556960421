"""One candidate in a process of its own: `python -m talkie.runtime.tuning_child JOB.json`, one JSON line on stdout.

Of its own, because memory is measured by its peak, and because some choices of a library count for a whole process.
Knows nothing of other candidates.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from talkie.engines import registry
from talkie.engines.base import Context, DecodingOptions, RecognizeOptions, Recognizer
from talkie.errors import TalkieError
from talkie.runtime.spoken import spoken_windows
from talkie.runtime.tuning_speech import Talk, read
from talkie.types import Audio

GREEDY = DecodingOptions(beam_size=1, best_of=1, temperatures=(0.0,))
"""Without fallback, which draws: the same words every time."""
BUDGET_S = 20.0
"""Where full batches for all workers would take longer, the windows at hand must do."""
_STATUS = Path("/proc/self/status")


@dataclass(frozen=True, slots=True)
class Job:
    """The choices of `WhisperRecognizer`, where the speech lies, and how it is to be heard. `open_only`: to see that
    a model can be opened, and to have it converted."""

    model: str
    name: str
    choices: dict[str, Any]
    speech: str
    context: Context = "full"
    open_only: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """`texts`: for each talk what was heard in each window."""

    texts: list[list[str]]
    audio_s: float
    processor_s: float
    wall_s: float
    peak_bytes: int
    batch: int


@dataclass(frozen=True, slots=True)
class _Item:
    audio: Audio
    options: RecognizeOptions


def main(path: Path) -> int:
    job = Job(**json.loads(path.read_text(encoding="utf-8")))
    choices = {**job.choices, "kept_in": Path(job.choices["kept_in"])}
    try:
        recognizer = registry.load("whisper")(Path(job.model), name=job.name, speech=spoken_windows, **choices)
        answer = None if job.open_only else measure(recognizer, read(Path(job.speech)), job.context)
    except TalkieError as error:
        return _tell({"trouble": error.message})
    return _tell(asdict(answer) if answer else {})


def _tell(answer: dict[str, Any]) -> int:
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


def measure(recognizer: Recognizer, talks: Sequence[Talk], context: Context = "full") -> Answer:
    """Hear every window once, again where that fills the batches; the first window goes ahead to warm up."""
    items = [_Item(Audio(window), _options(talk, context)) for talk in talks for window in talk.windows]
    began_s = time.process_time()
    recognizer.recognize([items[0].audio], [items[0].options])
    first_s = time.process_time() - began_s
    info = recognizer.info
    full = info.workers * info.max_batch
    work = list(islice(cycle(items), max(len(items), full if first_s * full <= BUDGET_S else 0)))
    batches = _batches(work, info.workers, info.max_batch)
    wall_s, processor_s = time.monotonic(), time.process_time()
    with ThreadPoolExecutor(info.workers) as pool:
        texts = [text for found in pool.map(lambda batch: _hear(recognizer, batch), batches) for text in found]
    processor_s, wall_s = time.process_time() - processor_s, time.monotonic() - wall_s
    heard = iter(texts)
    return Answer(
        texts=[[next(heard) for _ in talk.windows] for talk in talks],
        audio_s=sum(item.audio.duration_s for item in work),
        processor_s=processor_s,
        wall_s=wall_s,
        peak_bytes=peak_bytes(),
        batch=info.max_batch,
    )


def peak_bytes() -> int:
    """The most memory that this process ever had."""
    try:
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    except (OSError, StopIteration, ValueError, IndexError):
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _options(talk: Talk, context: Context) -> RecognizeOptions:
    return RecognizeOptions(language=talk.language, decoding=GREEDY, context=context)


def _batches(items: Sequence[_Item], workers: int, most: int) -> list[list[_Item]]:
    """Full ones, unless a worker would have none."""
    size = max(1, min(most, -(-len(items) // workers)))
    return [list(items[start : start + size]) for start in range(0, len(items), size)]


def _hear(recognizer: Recognizer, batch: Sequence[_Item]) -> list[str]:
    heard = recognizer.recognize([item.audio for item in batch], [item.options for item in batch])
    return [one.text for one in heard]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
