"""A soak: what counts as flat, and that silence which speaks is found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from listen_server import listening, script
from talkie.audio.encode import encode_wav
from talkie.bench import live_soak
from talkie.bench.live_client import Wish
from talkie.bench.live_soak import Look, SoakResult, SoakTask, as_table, measure, sound
from talkie.bench.recordings import Recording

STARTED = {"type": "speech_started", "utterance": 0, "at": 0.3}
EVENT = {"type": "final", "utterance": 0, "start": 0.3, "end": 0.9, "text": "a", "words": []}


@pytest.fixture
def task(tmp_path: Path) -> SoakTask:
    path = tmp_path / "a.wav"
    path.write_bytes(encode_wav(np.full(16_000, 0.1, np.float32), 16_000))
    return SoakTask(Wish("http://127.0.0.1:9"), [Recording(path, "a", "en", "synthetic", 1.0)], 5.0, 2.0)


def looks(count: int = 30) -> list[Look]:
    """Ten seconds of sound a look, a second of work for each, and nothing grows."""
    return [
        Look("speech", 10.0 * n, 10.0 * n / 5, 10.0 * n / 10, 300.0, 20, 0.5, n) for n in range(1, count + 1)
    ]  # fmt: skip


def test_speech_then_silence_then_noise(task: SoakTask) -> None:
    found: dict[str, list[float]] = {}
    for phase, piece in sound(task):
        found.setdefault(phase, []).extend(piece)
    assert list(found) == ["speech", "silence", "noise"]
    assert len(found["speech"]) >= 5 * 16_000
    assert [len(found[name]) for name in ("silence", "noise")] == [2 * 16_000] * 2
    assert not np.any(found["silence"])
    assert 0.0008 < np.std(found["noise"]) < 0.0012
    assert not np.any(found["speech"][-16_000:])  # speech ends before silence begins


def test_nothing_grew() -> None:
    result = SoakResult(looks())
    assert {one.name for one in result.changes} == {
        "CPU s / audio s", "resident MB", "threads", "wall s / audio s", "lag s",
    }  # fmt: skip
    assert result.flat


@pytest.mark.parametrize(
    ("name", "value"), [("resident_mb", 400.0), ("threads", 25), ("lag_s", 5.0), ("processor_s", 90.0)]
)
def test_what_grew_is_not_flat(name: str, value: float) -> None:
    grown = looks()
    grown[-1] = replace(grown[-1], **{name: value})
    if name != "processor_s":
        grown[-12:] = [replace(one, **{name: value}) for one in grown[-12:]]
    result = SoakResult(grown)
    assert not result.flat
    assert sum(not one.flat for one in result.changes) == 1
    assert "NO" in as_table(result)


def test_silence_that_speaks_is_found(task: SoakTask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_soak, "LOOK_S", 1.0)
    late = {**EVENT, "start": 8.0, "end": 8.5}
    with listening(script((0.9, STARTED), (1.0, EVENT), (8.6, late))) as server:
        result = measure(replace(task, wish=Wish(server.url)))
    assert (result.finals, result.silent_events, result.failed, result.flat) == (2, 1, "", False)
    assert result.looks[-1].heard_s > 8
    assert result.as_json()["silent_events"] == 1


def test_speech_alone_is_no_fault(task: SoakTask) -> None:
    with listening(script((0.9, STARTED), (1.0, EVENT))) as server:
        result = measure(replace(task, wish=Wish(server.url)))
    assert (result.utterances, result.finals, result.silent_events, result.flat) == (1, 1, 0, True)


def test_an_utterance_without_a_final_is_a_fault(task: SoakTask) -> None:
    with listening(script((0.9, STARTED))) as server:
        result = measure(replace(task, wish=Wish(server.url)))
    assert (result.utterances, result.finals, result.failed, result.flat) == (1, 0, "", False)


def test_what_the_server_says_against_it_is_told(task: SoakTask) -> None:
    with listening(script((1.0, {"type": "error", "error": {"code": "session_lagging"}})), done=False) as server:
        result = measure(replace(task, wish=Wish(server.url)))
    assert "session_lagging" in result.failed
    assert not result.flat
    assert "FAILED" in as_table(result)
