"""Candidates measured one after the other, each in a process of its own, and the best of them remembered.

Knows nothing of command lines or tables. What is heard stays in memory: only counts of words leave.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from talkie.engines.asr.whisper import hardware
from talkie.engines.asr.whisper.abilities import ctranslate2_types, openvino_types
from talkie.engines.asr.whisper.backends import BackendOptions
from talkie.engines.asr.whisper.choice import TUNE, Choice, remember
from talkie.engines.asr.whisper.model_files import check
from talkie.engines.base import Context
from talkie.models.store import StoredModel
from talkie.runtime import tuning
from talkie.runtime.config import ServiceConfig
from talkie.runtime.kept import kept_in
from talkie.runtime.tuning import Candidate, Machine, Measured
from talkie.runtime.tuning_child import Job
from talkie.runtime.tuning_speech import Talk, errors, write

CHILD_LIMIT_S = 3600.0

Run = Callable[[Job], dict[str, Any]]
"""A job to its answer, or to `{"trouble": …}`."""
Step = Callable[[str, float], None]
"""What is at work, and the share of the whole that is done."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """All that was measured, in the order of measuring; `refused` has a reason or nothing for each.

    `unjudged`: why the words could refuse nothing. `chosen` None: nothing can be run.
    """

    found: tuple[Measured, ...]
    refused: tuple[str, ...]
    chosen: Measured | None
    unjudged: str


@dataclass(frozen=True, slots=True)
class Contexts:
    """The same recordings in the full context and in a fitted one. `differing`: words that are not the same."""

    full: Measured
    fit: Measured
    differing: int
    recordings: int
    alike: int

    @property
    def may_fit(self) -> bool:
        """The words stay the same, but for what is let pass as chance."""
        words = self.full.words
        return not self.fit.trouble and words > 0 and self.differing <= max(1.0, tuning.MAX_WORSE * words)


class Tuner:
    """Measures one model of the store. `threads`: the processors to use, 0 for those there are."""

    def __init__(self, model: StoredModel, config: ServiceConfig, threads: int = 0, run: Run | None = None) -> None:
        self._model = model
        self._files = check(model.path, model.name)
        self._kept_in = kept_in(model, config)
        self._options = BackendOptions(device=config.device, compute_type=config.compute_type, kept_in=self._kept_in)
        on_processor = hardware.choose_device(config.device) == "cpu"
        # Elsewhere a second worker is a second copy of the weights.
        self._cores = (threads or hardware.physical_cores()) if on_processor else 1
        self._run = run or run_child

    def machine(self) -> Machine:
        return Machine(
            openvino=openvino_types(self._options),
            ctranslate2=ctranslate2_types(self._options.device),
            cores=self._cores,
            has_wide_vectors=hardware.has_wide_vectors(),
        )

    def tune(self, talks: Sequence[Talk], step: Step, *, own_files: bool) -> Tuning:
        """Forms first, then other ways to run the best of them. Raises `ModelError`, `EngineError`."""
        machine = self.machine()
        first = tuning.forms(machine, self._options.compute_type)
        several = sum(1 for _ in tuning.variants(replace(first[0], backend="openvino"), machine))
        total = len(first) + several
        found: list[Measured] = []
        refused: list[str] = []
        unjudged = ""

        def measure(candidate: Candidate) -> None:
            nonlocal unjudged
            step(str(candidate), min(1.0, len(found) / total))
            measured = self._measure(candidate, talks, speech)[0]
            if not found:
                unjudged = tuning.judges(measured, own_files=own_files)
            found.append(measured)
            refused.append(measured.trouble if unjudged else tuning.refusal(measured, found[0]))

        with _written(talks) as speech, self._forms_left_as_they_were() as keep:
            for candidate in first:
                measure(candidate)
            best = tuning.best(found, refused)
            for candidate in tuning.variants(best.candidate, machine) if best else ():
                measure(candidate)
            best = tuning.best(found, refused)
            if best is not None:
                keep.add(best.candidate.compute_type)
        step("done", 1.0)
        return Tuning(tuple(found), tuple(refused), best, unjudged)

    def compare_contexts(self, chosen: Candidate, recordings: Sequence[Talk], step: Step) -> Contexts:
        """Every recording by itself, since a full window has nothing to fit."""
        with _written(recordings) as speech:
            step("context full", 0.0)
            full, whole = self._measure(chosen, recordings, speech)
            step("context fit", 0.5)
            fit, fitted = self._measure(chosen, recordings, speech, "fit")
        step("done", 1.0)
        between = [
            errors([Talk(talk.windows, " ".join(one), talk.language)], [other]).errors
            for talk, one, other in zip(recordings, whole, fitted, strict=True)
        ]
        return Contexts(full, fit, sum(between), len(between), between.count(0))

    def remember(self, chosen: Measured, reason: str) -> Choice:
        """For whoever opens the model from now on. Raises `OSError`."""
        values = asdict(chosen.candidate)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        choice = Choice(**values, reason=reason, measured=now, by=TUNE)
        remember(self._kept_in, self._files, self._options.asked(), choice)
        return choice

    def _measure(
        self, candidate: Candidate, talks: Sequence[Talk], speech: Path, context: Context = "full"
    ) -> tuple[Measured, list[list[str]]]:
        choices = {**asdict(candidate), "device": self._options.device, "kept_in": str(self._kept_in)}
        job = Job(str(self._model.path), self._model.name, choices, str(speech), context)
        answer: dict[str, Any] = {}
        if candidate.backend == "openvino" and not (self._kept_in / candidate.compute_type).is_dir():
            answer = self._run(replace(job, open_only=True))  # in a process of its own: its peak is not the model's
        answer = answer if "trouble" in answer else self._run(job)
        if "trouble" in answer:
            return Measured(candidate, trouble=str(answer["trouble"])), [[] for _ in talks]
        texts = answer.pop("texts")
        wer = errors(talks, texts)
        return Measured(candidate, **answer, errors=wer.errors, words=wer.words), texts

    @contextmanager
    def _forms_left_as_they_were(self) -> Iterator[set[str]]:
        """Forms that were converted to be measured are as large as the model: those not wanted go again."""
        keep = {path.name for path in self._kept_in.glob("*/")}
        try:
            yield keep
        finally:
            for path in self._kept_in.glob("*/"):
                if path.name not in keep:
                    shutil.rmtree(path, ignore_errors=True)


def run_child(job: Job) -> dict[str, Any]:
    """In a process that ends with its work, or with ours."""
    with tempfile.TemporaryDirectory(prefix="talkie-tune-") as directory:
        path = Path(directory) / "job.json"
        path.write_text(json.dumps(asdict(job)), encoding="utf-8")
        command = [sys.executable, "-m", "talkie.runtime.tuning_child", str(path)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=CHILD_LIMIT_S, check=False)
        except subprocess.TimeoutExpired:
            return {"trouble": f"not done after {CHILD_LIMIT_S:.0f} s"}
    lines = done.stdout.strip().splitlines()
    try:
        answer = json.loads(lines[-1]) if lines else None
    except ValueError:
        answer = None
    return answer if isinstance(answer, dict) else {"trouble": _last_words(done)}


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    lines = done.stderr.strip().splitlines()
    return f"it ended with {done.returncode}" + (f": {lines[-1][:200]}" if lines else "")


@contextmanager
def _written(talks: Sequence[Talk]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="talkie-tune-") as directory:
        path = Path(directory) / "speech.f32"
        write(talks, path)
        yield path
