"""Libraries that a slim form leaves out: what can do their work does, and the rest is said, never an ImportError."""

from __future__ import annotations

import sys

import pytest

from talkie.engines import registry
from talkie.engines.asr.whisper import hardware
from talkie.engines.asr.whisper.abilities import ctranslate2_types
from talkie.engines.asr.whisper.backends import BackendOptions, open_backend
from talkie.engines.asr.whisper.hf_convert import make_spec
from talkie.engines.asr.whisper.model_files import check
from talkie.engines.registry import EngineEntry
from talkie.errors import EngineUnavailable
from talkie.runtime.tuning import Machine, forms
from whisper_models import TRAINED


@pytest.fixture
def without_ctranslate2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "ctranslate2", raising=False)
    monkeypatch.setattr(hardware, "find_spec", lambda name: None)


def test_one_of_several_libraries_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EngineEntry("x", "vad", "a:b", needs=("json",), needs_one=("not_here_1", "not_here_2"))
    monkeypatch.setitem(registry._BUILT_IN, "x", entry)
    assert registry.missing("x") == ("not_here_2",)
    monkeypatch.setitem(
        registry._BUILT_IN, "x", EngineEntry("x", "vad", "a:b", ("not_here",), needs_one=("not_here_1", "json"))
    )
    assert registry.missing("x") == ("not_here",)


@pytest.mark.usefixtures("without_ctranslate2")
def test_without_ctranslate2_a_processor_is_all_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "may_have_cuda", lambda: True)
    assert hardware.choose_device("auto") == "cpu"
    assert not hardware.supports("int8", "cpu")
    assert ctranslate2_types("cpu") == ()
    with pytest.raises(EngineUnavailable, match="CTranslate2 is not installed"):
        hardware.choose_device("cuda")


@pytest.mark.usefixtures("without_ctranslate2")
@pytest.mark.parametrize("backend", ["auto", "ctranslate2"])
def test_what_only_ctranslate2_can_do_is_said(backend: str) -> None:
    files = check(TRAINED)
    with pytest.raises(EngineUnavailable) as refused:
        open_backend(files, BackendOptions(backend=backend, kept_in=None))
    assert refused.value.hint


@pytest.mark.usefixtures("without_ctranslate2")
def test_a_directory_of_hugging_face_cannot_be_converted() -> None:
    with pytest.raises(EngineUnavailable, match="CTranslate2"):
        make_spec(None, None)  # type: ignore[arg-type]


def test_without_ctranslate2_openvino_is_held_against_its_own_float32() -> None:
    found = forms(Machine(openvino=("int8_float32", "float32"), ctranslate2=(), cores=2))
    assert [(one.backend, one.compute_type) for one in found] == [
        ("openvino", "float32"),
        ("openvino", "int8_float32"),
    ]
