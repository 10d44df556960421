"""A choice of library as a line for people. Knows nothing of how it was made."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from talkie.engines.asr.whisper.choice import Choice


def as_line(choice: Choice) -> str:
    """`openvino int8_bfloat16, 2 workers x 1 thread: measured: … (first start, 2026-11-21)`."""
    more = [f"batches of {choice.max_batch}"] if choice.max_batch else []
    more += [choice.vectors] if choice.vectors else []
    numbers = ", ".join([f"{choice.backend} {choice.compute_type}", layout(choice), *more])
    when = f" ({choice.by}, {choice.measured[:10]})" if choice.measured else ""
    return f"{numbers}: {choice.reason}{when}"


def layout(choice: Choice) -> str:
    """`2 workers x 1 thread`; 0 of either is as suits the machine."""
    workers, threads = choice.workers or 1, choice.threads or 1
    return f"{workers} worker{'s' if workers > 1 else ''} x {threads} thread{'s' if threads > 1 else ''}"
