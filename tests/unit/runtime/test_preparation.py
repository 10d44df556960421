from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from talkie.errors import ModelBroken, ShuttingDown
from talkie.runtime import service
from talkie.runtime.config import ServiceConfig
from talkie.runtime.preparation import Preparations
from talkie.runtime.service import Readiness, Service


def test_how_far_it_has_come_is_told_to_all_who_look(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[tuple[str, float]] = []
    found = Preparations(lambda name, share: heard.append((name, share)))
    with caplog.at_level(logging.INFO), found.of("whisper-tiny") as step:
        assert found.state("whisper-tiny") == ""
        for percent in range(0, 101, 5):
            step(percent / 100)
            assert found.state("whisper-tiny") == f"converting {percent} %"
        assert found.state("whisper-base") == ""
    assert found.state("whisper-tiny") == ""
    assert heard[0] == ("whisper-tiny", 0.0) and heard[-1] == ("whisper-tiny", 1.0) and len(heard) == 21
    assert [record.args for record in caplog.records] == [("whisper-tiny", share) for share in range(0, 101, 20)]


def test_a_preparation_that_fails_is_over() -> None:
    found = Preparations()
    with pytest.raises(OSError, match="full"), found.of("whisper-tiny") as step:
        step(0.5)
        raise OSError("full")
    assert found.state("whisper-tiny") == ""


def test_after_the_end_no_step_is_taken() -> None:
    found = Preparations()
    with pytest.raises(ShuttingDown), found.of("whisper-tiny") as step:
        step(0.5)
        found.stop()
        step(0.6)
    assert found.state("whisper-tiny") == ""


def test_a_server_that_prepares_a_model_says_so_and_is_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Readiness] = []
    running = Service(ServiceConfig(tmp_path))

    def prepare(model: Any, store: Any, config: Any, progress: Callable[[float], None]) -> None:
        progress(0.4)
        seen.append(running.ready())
        raise ModelBroken("sphinx-en", "on purpose")

    monkeypatch.setattr(service, "open_lane", prepare)
    running.warm()
    running.close()
    assert not seen[0].ok and seen[0].parts["model sphinx-en"] == "converting 40 %"
    assert "on purpose" in running.ready().parts["model sphinx-en"]


def test_a_service_that_is_closed_while_it_prepares_loads_nothing_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    running = Service(ServiceConfig(tmp_path))
    looked: list[None] = []

    def prepare(model: Any, store: Any, config: Any, progress: Callable[[float], None]) -> None:
        running._warming.stop()  # as `close` does in another thread
        progress(0.4)
        raise AssertionError("it went on")

    monkeypatch.setattr(service, "open_lane", prepare)
    monkeypatch.setattr(running._detector, "open", lambda: looked.append(None))
    running.warm()
    running.close()
    assert "shutting down" in running.ready().parts["model sphinx-en"] and not looked
    assert not caplog.records, "an end that was asked for is no fault"
