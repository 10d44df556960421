"""A model tuned with processes that are made up, and once with a real one."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from speech import say
from talkie.engines import openvino_runtime
from talkie.engines.asr.whisper import WhisperRecognizer
from talkie.engines.asr.whisper.abilities import ctranslate2_types, openvino_types
from talkie.engines.asr.whisper.backends import BackendOptions, foresee
from talkie.engines.asr.whisper.model_files import check
from talkie.engines.base import Context
from talkie.models.store import ModelStore
from talkie.runtime import tuning, tuning_run
from talkie.runtime.config import ServiceConfig
from talkie.runtime.kept import kept_in
from talkie.runtime.tuning_child import Job, measure
from talkie.runtime.tuning_run import Tuner, run_child
from talkie.runtime.tuning_speech import Said, Talk, alone, errors, pack
from whisper_models import TRAINED

TEXT = "one two three four five six seven eight nine ten " * 12
SPEED = {"openvino int8_float32": 4.0, "openvino float32": 2.0, "ctranslate2 int8": 3.0, "ctranslate2 float32": 1.0}


@dataclass
class FakeProcesses:
    """Every candidate hears the text, but for so many words, and is as fast as the table says."""

    home: Path
    wrong: dict[str, int] = field(default_factory=dict)
    trouble: dict[str, str] = field(default_factory=dict)
    fit_wrong: int = 0
    jobs: list[Job] = field(default_factory=list)

    def __call__(self, job: Job) -> dict[str, Any]:
        self.jobs.append(job)
        name = f"{job.choices['backend']} {job.choices['compute_type']}"
        if job.choices["backend"] == "openvino":
            (Path(job.choices["kept_in"]) / job.choices["compute_type"]).mkdir(parents=True, exist_ok=True)
        if job.open_only:
            return {}
        if name in self.trouble:
            return {"trouble": self.trouble[name]}
        wrong = self.fit_wrong if job.context == "fit" else self.wrong.get(name, 0)
        words = ["lamp"] * wrong + TEXT.split()[wrong:]
        speed = SPEED[name] * (1.5 if job.choices["max_batch"] == 16 else 1.0)
        figures = {"audio_s": 60.0, "processor_s": 60.0 / speed, "wall_s": 30.0, "peak_bytes": 10**8, "batch": 8}
        return {"texts": [[" ".join(words)]], **figures}


@pytest.fixture
def tuner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Tuner, FakeProcesses]]:
    monkeypatch.setattr(tuning_run, "openvino_types", lambda options: ("int8_float32", "float32"))
    monkeypatch.setattr(tuning_run, "ctranslate2_types", lambda device: ("float32", "int8"))

    def make(**values: Any) -> tuple[Tuner, FakeProcesses]:
        processes = FakeProcesses(tmp_path, **values)
        model = ModelStore(tmp_path).resolve(str(TRAINED))
        return Tuner(model, ServiceConfig(tmp_path, device="cpu", allow_paths=True), 2, processes), processes

    return make


def talks() -> list[Talk]:
    return pack([Said(np.zeros(16_000, np.float32), TEXT, "en")])


def names(found: Sequence[Any]) -> list[str]:
    return [str(one.candidate) for one in found]


def test_the_fastest_way_is_found_and_remembered(tuner: Any, tmp_path: Path) -> None:
    subject, processes = tuner()
    shares: list[float] = []
    found = subject.tune(talks(), lambda name, share: shares.append(share), own_files=True)
    assert str(found.chosen.candidate) == "openvino int8_float32, 2 x 1, batches of 16"
    assert names(found.found)[:5] == [
        "ctranslate2 float32, 2 x 1",
        "ctranslate2 int8, 2 x 1",
        "openvino int8_float32, 2 x 1",
        "openvino float32, 2 x 1",
        "openvino int8_float32, 1 x 2",
    ]
    assert not any(found.refused) and found.unjudged == ""
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert [job.choices["compute_type"] for job in processes.jobs if job.open_only] == ["int8_float32", "float32"]
    place = kept_in(ModelStore(tmp_path).resolve(str(TRAINED)), ServiceConfig(tmp_path))
    assert [path.name for path in place.iterdir()] == ["int8_float32"]  # what was made in vain is gone

    subject.remember(found.chosen, "measured: fast")
    seen = foresee(check(TRAINED), BackendOptions(device="cpu", kept_in=place))
    assert (seen.backend, seen.compute_type, seen.workers, seen.threads, seen.max_batch, seen.by, seen.reason) == (
        "openvino",
        "int8_float32",
        2,
        1,
        16,
        "tune",
        "measured: fast",
    )


def test_a_candidate_that_hears_worse_is_refused_however_fast(tuner: Any) -> None:
    subject, _ = tuner(wrong={"openvino int8_float32": 5, "ctranslate2 int8": 1})
    found = subject.tune(talks(), lambda *_: None, own_files=False)
    refused = dict(zip(names(found.found), found.refused, strict=True))
    assert refused["openvino int8_float32, 2 x 1"] == "4.2 points worse than float32 (5 more of 120 words wrong)"
    assert found.chosen.candidate.compute_type == "int8" and found.chosen.candidate.backend == "ctranslate2"


def test_what_cannot_be_run_is_passed_over(tuner: Any) -> None:
    subject, _ = tuner(trouble={"openvino int8_float32": "no such operation"})
    found = subject.tune(talks(), lambda *_: None, own_files=True)
    assert "no such operation" in found.refused and found.chosen.candidate.backend == "ctranslate2"
    subject, _ = tuner(trouble=dict.fromkeys(SPEED, "no memory"))
    assert subject.tune(talks(), lambda *_: None, own_files=True).chosen is None


def test_words_that_are_no_judge_refuse_nothing(tuner: Any) -> None:
    subject, _ = tuner(wrong={"openvino int8_float32": 90, "ctranslate2 float32": 80})
    found = subject.tune(talks(), lambda *_: None, own_files=False)
    assert "built-in voices" in found.unjudged and found.chosen.candidate.compute_type == "int8_float32"


@pytest.mark.parametrize(("wrong", "differing", "may"), [(0, 0, True), (1, 1, True), (2, 2, False)])
def test_contexts_are_compared_word_by_word(wrong: int, differing: int, may: bool, tuner: Any) -> None:
    subject, processes = tuner(fit_wrong=wrong)
    chosen = subject.tune(talks(), lambda *_: None, own_files=True).chosen.candidate
    found = subject.compare_contexts(chosen, alone([Said(np.zeros(16_000, np.float32), TEXT, "en")]), lambda *_: None)
    assert (found.differing, found.may_fit, found.recordings) == (differing, may, 1)
    assert [job.context for job in processes.jobs[-2:]] == ["full", "fit"]
    assert found.alike == (0 if differing else 1)


def test_a_process_that_cannot_and_one_that_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    choices = {"backend": "ctranslate2", "compute_type": "float32", "kept_in": str(tmp_path)}
    job = Job(str(tmp_path / "nowhere"), "nowhere", choices, str(tmp_path / "speech.f32"))
    assert "nowhere" in run_child(job)["trouble"]
    assert run_child(replace(job, model=str(TRAINED)))["trouble"].startswith("it ended with 1")  # there is no speech
    monkeypatch.setattr(tuning_run, "CHILD_LIMIT_S", 0.01)
    assert run_child(job)["trouble"].startswith("not done after")


def test_a_real_process_with_the_trained_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning_run, "openvino_types", lambda options: ())
    monkeypatch.setattr(tuning_run, "ctranslate2_types", lambda device: ("float32",))
    monkeypatch.setattr(tuning, "variants", lambda *_: iter(()))
    config = ServiceConfig(tmp_path, device="cpu", allow_paths=True)
    subject = Tuner(ModelStore(tmp_path).resolve(str(TRAINED)), config, 1)
    found = subject.tune(pack(recordings()), lambda *_: None, own_files=True)
    assert found.chosen is not None and "too few" in found.unjudged
    (one,) = found.found
    assert one.trouble == "" and one.words == 14 and one.errors <= 4
    assert one.peak_bytes > 10**7 and one.processor_s > 0.0 and one.audio_s >= 6.0


@pytest.mark.parametrize("context", ["full", "fit"])
def test_hearing_in_batches_on_several_threads(context: Context) -> None:
    recognizer = WhisperRecognizer(TRAINED, backend="ctranslate2", device="cpu", workers=2, threads=1, max_batch=2)
    answer = measure(recognizer, alone(recordings()), context)
    recognizer.close()
    assert answer.batch == 2 and len(answer.texts) == 3 and all(len(texts) == 1 for texts in answer.texts)
    assert errors(alone(recordings()), answer.texts).errors <= 4
    sounds_s = [len(one.samples) / 16_000 for one in recordings()]
    assert answer.audio_s == pytest.approx(sum(sounds_s) + sounds_s[0])  # once round, and one more to fill the batches


def test_what_can_be_computed_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ctranslate2_types("cpu")[:2] == ("float32", "int8")
    monkeypatch.setattr(openvino_runtime, "available", lambda: False)
    assert openvino_types(BackendOptions(device="cpu", kept_in=tmp_path)) == ()


@functools.cache
def recordings() -> tuple[Said, ...]:
    return tuple(
        Said(say(text), text, "en")
        for text in ("turn the red light on", "please open the door", "one two three four five")
    )
