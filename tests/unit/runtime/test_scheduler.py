from __future__ import annotations

import threading
from concurrent.futures import CancelledError
from dataclasses import replace

import numpy as np
import pytest

from fakes import FAKE_INFO, FakeRecognizer, hear_its_place
from talkie.engines.base import RecognizeOptions
from talkie.errors import EngineFailed, QueueFull, ShuttingDown, UnsupportedByModel
from talkie.runtime import scheduler
from talkie.runtime.scheduler import Lane
from talkie.types import Audio, Transcript

EN, DE = RecognizeOptions(language="en"), RecognizeOptions(language="de")


def audio(place: int) -> Audio:
    return Audio(np.zeros(160, np.float32), start_s=float(place))


@pytest.fixture
def held() -> FakeRecognizer:
    return FakeRecognizer(gate=threading.Event())


def begin(lane: Lane, held: FakeRecognizer) -> None:
    """One window at work, so that all that come now wait together."""
    lane.submit(audio(0), EN)
    assert held.started.wait(20)


def release(held: FakeRecognizer) -> None:
    assert held.gate is not None
    held.gate.set()


def test_windows_of_the_same_options_share_a_batch_in_order(held: FakeRecognizer) -> None:
    lane = Lane(held)
    begin(lane, held)
    futures = [lane.submit(audio(place), DE if place == 3 else EN) for place in range(1, 7)]
    release(held)
    assert [future.result(20).text for future in futures] == [f"at {place}" for place in range(1, 7)]
    lane.close()
    batches = [[item.start_s for item in batch] for batch in held.batches]
    assert batches == [[0], [1, 2, 4, 5], [3], [6]]
    assert held.closed


def test_a_cancelled_window_is_not_decoded(held: FakeRecognizer) -> None:
    lane = Lane(held)
    begin(lane, held)
    first, second = lane.submit(audio(1), EN), lane.submit(audio(2), EN)
    assert first.cancel()
    release(held)
    assert second.result(20).text == "at 2"
    lane.close()
    assert [[item.start_s for item in batch] for batch in held.batches] == [[0], [2]]
    with pytest.raises(CancelledError):
        first.result(0)


def test_errors_reach_all_of_the_batch_and_the_lane_lives_on() -> None:
    def hear(item: Audio, options: RecognizeOptions) -> Transcript:
        if item.start_s == 1:
            raise UnsupportedByModel("language", "no")
        if item.start_s == 2:
            raise ZeroDivisionError
        return hear_its_place(item, options)

    lane = Lane(FakeRecognizer(hear))
    with pytest.raises(UnsupportedByModel):
        lane.submit(audio(1), EN).result(20)
    with pytest.raises(EngineFailed, match="ZeroDivisionError"):
        lane.submit(audio(2), EN).result(20)
    assert lane.submit(audio(3), EN).result(20).text == "at 3"
    lane.close()


def test_an_engine_that_loses_a_part_is_an_error() -> None:
    class Losing(FakeRecognizer):
        def recognize(self, batch, options):  # type: ignore[no-untyped-def]
            return []

    lane = Lane(Losing())
    with pytest.raises(EngineFailed, match="lost"):
        lane.submit(audio(1), EN).result(20)
    lane.close()


def test_closing_refuses_the_line_and_waits_for_the_batch_at_work(held: FakeRecognizer) -> None:
    lane = Lane(held)
    first = lane.submit(audio(0), EN)
    assert held.started.wait(20)
    second = lane.submit(audio(1), EN)
    closing = threading.Thread(target=lane.close)
    closing.start()
    with pytest.raises(ShuttingDown):
        second.result(20)
    with pytest.raises(ShuttingDown):
        lane.submit(audio(2), EN)
    assert not held.closed
    release(held)
    closing.join(20)
    assert first.result(0).text == "at 0"
    assert held.closed


def test_an_engine_that_can_be_interrupted_is_not_waited_for(held: FakeRecognizer) -> None:
    class Interruptible(FakeRecognizer):
        def close(self) -> None:
            super().close()
            release(self)

    engine = Interruptible(info=replace(FAKE_INFO, interruptible=True), gate=threading.Event())
    lane = Lane(engine)
    first = lane.submit(audio(0), EN)
    assert engine.started.wait(20)
    lane.close()  # would wait for ever for the batch
    assert engine.closed
    assert first.result(0).text == "at 0"


def test_the_line_has_a_bound(held: FakeRecognizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "MAX_WAITING_WINDOWS", 2)
    lane = Lane(held)
    begin(lane, held)
    lane.submit(audio(1), EN)
    lane.submit(audio(2), EN)
    with pytest.raises(QueueFull):
        lane.submit(audio(3), EN)
    release(held)
    lane.close()
