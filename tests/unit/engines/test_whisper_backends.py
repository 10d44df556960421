"""Which library is opened and why, with the trained model and speech of the built-in voices."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from speech import say
from talkie.engines import openvino_runtime
from talkie.engines.asr.whisper import contest, first_start, hardware
from talkie.engines.asr.whisper.backends import BackendOptions, Opened, foresee, open_backend
from talkie.engines.asr.whisper.choice import MEMORY, Choice, recall, remember
from talkie.engines.asr.whisper.model_files import ModelFiles, check
from talkie.errors import EngineFailed, EngineUnavailable, InvalidValue
from talkie.types import Samples
from whisper_backends import joined, windows_of_speech
from whisper_models import TRAINED

needs_openvino = pytest.mark.skipif(not openvino_runtime.available(), reason="OpenVINO has no wheel here")
TEXTS = ("turn the red light on", "please open the door", "one two three four five", "stop the music now")


@dataclass(frozen=True)
class Said:
    samples: Samples
    text: str


def passages() -> list[Said]:
    return [Said(joined([say(text, voice) for text in TEXTS]), " ".join(TEXTS)) for voice in ("en-us+klatt4", "en-gb")]


def no_passages() -> Iterable[Any]:
    raise AssertionError("measured again")


@pytest.fixture(scope="module")
def files() -> ModelFiles:
    return check(TRAINED)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, files: ModelFiles) -> Path:
    """A home where the first start was; tests that change what is remembered take a directory of their own."""
    home = tmp_path_factory.mktemp("kept")
    if openvino_runtime.available():
        opened(files, BackendOptions(kept_in=home, speech=windows_of_speech, passages=passages))
    return home


@pytest.fixture
def options(kept: Path, tmp_path: Path) -> BackendOptions:
    """As on a machine where the model was converted, and nothing is remembered."""
    for form in kept.glob("*/"):
        (tmp_path / form.name).symlink_to(form)
    return BackendOptions(kept_in=tmp_path, speech=windows_of_speech, passages=passages)


def opened(files: ModelFiles, options: BackendOptions) -> Opened:
    found = open_backend(files, options)
    found.model.close()
    return found


@needs_openvino
def test_the_first_start_measures_and_the_second_remembers(files: ModelFiles, options: BackendOptions) -> None:
    shares: list[float] = []
    first = opened(files, replace(options, progress=shares.append))
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert first.model.name in first.reason.lower() or first.reason.startswith("measured: ")
    again = opened(files, replace(options, passages=no_passages))  # type: ignore[arg-type]
    assert (again.model.name, again.model.compute_type, again.reason) == (
        first.model.name,
        first.model.compute_type,
        first.reason,
    )
    seen = foresee(files, options)
    assert (seen.backend, seen.reason, seen.by) == (first.model.name, first.reason, "first start") and seen.measured


@needs_openvino
@pytest.mark.parametrize("faulty", [False, True])
def test_never_are_two_models_in_memory(
    faulty: bool, files: ModelFiles, options: BackendOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    here: list[str] = []
    most: list[int] = []

    def watched(open_one: Any) -> Any:
        def opener(*arguments: Any) -> Any:
            model = open_one(*arguments)
            here.append(model.name)
            most.append(len(here))
            close = model.close

            def closed() -> None:
                close()
                here.remove(model.name)

            model.close = closed
            return model

        return opener

    monkeypatch.setattr(first_start, "open_openvino", watched(first_start.open_openvino))
    monkeypatch.setattr(first_start, "open_ctranslate2", watched(first_start.open_ctranslate2))
    if faulty:
        monkeypatch.setattr(contest, "LESS_LIKELY", -100.0)
    found = open_backend(files, options)
    assert here == [found.model.name] and set(most) == {1} and len(most) >= 2
    found.model.close()


@needs_openvino
def test_a_damaged_memory_is_measured_again(files: ModelFiles, options: BackendOptions) -> None:
    assert options.kept_in is not None
    (options.kept_in / MEMORY).write_bytes(b"{ half")
    opened(files, options)
    assert recall(options.kept_in, files, options.asked()) is not None


@needs_openvino
def test_a_memory_that_cannot_be_written_is_no_reason_not_to_hear(
    files: ModelFiles, options: BackendOptions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(first_start, "remember", full)
    assert opened(files, options).reason.startswith("measured: ")
    assert "the disk is full" in caplog.text


@needs_openvino
def test_one_that_computes_something_else_is_not_taken(
    files: ModelFiles, options: BackendOptions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Planted: a guard that nothing passes."""
    monkeypatch.setattr(contest, "LESS_LIKELY", -100.0)
    found = opened(files, options)
    assert found.model.name == "ctranslate2" and "OpenVINO computes something else" in found.reason
    assert found.reason in caplog.text  # never in silence
    assert foresee(files, options).reason == found.reason
    assert opened(files, replace(options, backend="openvino")).model.name == "openvino"  # but who asks gets it


@needs_openvino
def test_what_was_chosen_is_opened_as_it_was_chosen(files: ModelFiles, options: BackendOptions) -> None:
    assert options.kept_in is not None
    remember(options.kept_in, files, options.asked(), Choice("ctranslate2", "float32", "tuned", 2, 1, 3))
    found = opened(files, options)
    assert (found.model.name, found.model.compute_type, found.model.workers, found.model.max_batch) == (
        "ctranslate2",
        "float32",
        1,
        3,
    )
    assert opened(files, replace(options, workers=3)).model.workers == 3  # what the user names stands
    seen = foresee(files, replace(options, threads=1, workers=3))
    assert (seen.threads, seen.workers, seen.max_batch) == (1, 3, 3)


@needs_openvino
def test_a_converted_model_that_cannot_be_run_falls_back_with_its_reason(
    files: ModelFiles, options: BackendOptions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise EngineFailed("openvino", "no such operation")

    assert options.kept_in is not None
    likely = foresee(files, options)
    assert (likely.backend, likely.measured) == ("openvino", "")
    remember(options.kept_in, files, options.asked(), replace(likely, reason="measured: fast"))
    monkeypatch.setattr(openvino_runtime, "compile_model", fail)
    monkeypatch.setattr(openvino_runtime, "compile_graph", fail)
    found = opened(files, options)  # the reason is this failure, not what was measured before
    assert found.model.name == "ctranslate2" and "no such operation" in found.reason
    assert "no such operation" in caplog.text
    with pytest.raises(EngineUnavailable, match="no such operation"):
        opened(files, replace(options, backend="openvino"))


@needs_openvino
def test_without_speech_nothing_is_measured_and_nothing_kept(files: ModelFiles, options: BackendOptions) -> None:
    found = opened(files, replace(options, passages=lambda: ()))
    assert (found.model.name, found.reason) == ("openvino", "taken where it can; not measured")
    assert options.kept_in is not None and not (options.kept_in / MEMORY).exists()


def test_what_openvino_cannot_do_is_said(
    files: ModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(openvino_runtime, "available", lambda: False)
    options = BackendOptions(kept_in=tmp_path)
    with caplog.at_level(logging.INFO):
        found = opened(files, options)
    assert (found.model.name, found.reason) == ("ctranslate2", "OpenVINO is not installed.")
    assert "OpenVINO is not installed." in caplog.text
    seen = foresee(files, options)
    assert (seen.backend, seen.reason, seen.measured) == ("ctranslate2", "OpenVINO is not installed.", "")


def test_one_worker_of_one_thread_on_every_core(files: ModelFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "physical_cores", lambda: 3)
    assert BackendOptions().layout() == (3, 1)
    assert BackendOptions(threads=2).layout() == (1, 2)
    assert BackendOptions(workers=1).layout() == (1, 3)
    assert BackendOptions(workers=2, threads=4).layout() == (2, 4)
    found = opened(files, BackendOptions(backend="ctranslate2", device="cpu"))
    assert (found.model.workers, found.reason) == (3, "asked for")


@needs_openvino
def test_numbers_that_only_one_of_them_has(
    files: ModelFiles, options: BackendOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(compute_type: str, device: str) -> str:
        raise InvalidValue("compute_type", f"{compute_type} is not for {device}")

    likely = foresee(files, options)
    monkeypatch.setattr(hardware, "choose_compute_type", unsupported)
    found = opened(files, replace(options, compute_type=likely.compute_type, passages=no_passages))  # type: ignore[arg-type]
    assert (found.model.name, found.reason) == ("openvino", f"CTranslate2 has no {likely.compute_type} here")
    monkeypatch.undo()
    seen = foresee(files, replace(options, compute_type="int8", device="cpu", kept_in=None))
    assert (seen.backend, seen.reason) == ("ctranslate2", "there is no place to keep a converted model.")
    assert foresee(files, replace(options, backend="ctranslate2")).reason == "asked for"
    assert foresee(files, replace(options, backend="openvino")).reason == "asked for"


def test_names_and_numbers_that_cannot_be(files: ModelFiles) -> None:
    for wrong in (BackendOptions(backend="tpu"), BackendOptions(threads=-1), BackendOptions(workers=-1)):
        with pytest.raises(InvalidValue):
            open_backend(files, wrong)
        with pytest.raises(InvalidValue):
            foresee(files, wrong)
