"""What runs each model, as lines for people. Knows nothing of how that was chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from talkie.cli.findings import Report
    from talkie.engines.asr.whisper.choice import Choice
    from talkie.settings import Settings


def tell(report: Report, settings: Settings) -> None:
    """What runs each Whisper model of the store, or will, and how that came about."""
    from talkie.compose import service_config
    from talkie.errors import TalkieError
    from talkie.models.store import ModelStore
    from talkie.runtime.engines import foresee

    facts: dict[str, str] = {}
    for model in ModelStore(settings.home).list():
        try:
            choice = foresee(model, service_config(settings))
        except TalkieError as error:  # a setting that this machine cannot do
            facts[model.name] = error.message
            report.advise(f"The model {model.name} cannot be opened: {error.message}", error.hint, broken=True)
        else:
            if choice is not None:
                facts[model.name] = as_line(choice)
    if facts:
        report.facts["models"] = facts


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
