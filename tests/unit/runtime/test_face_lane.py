"""Frames of several sessions in the batches of one network."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from face_parts import WAIT_S, Clock, RecordingModel, picture, until
from talkie.errors import EngineFailed, ShuttingDown
from talkie.pipeline.faces import MouthItem
from talkie.runtime.counting import REGISTRY
from talkie.runtime.face_lane import FaceLane

SILENT = np.zeros((32, 16, 16), np.float32)


def items(*levels: int) -> list[MouthItem]:
    return [MouthItem(np.full((8, 8, 3), level, np.uint8), SILENT) for level in levels]


@contextmanager
def a_lane(model: RecordingModel, most: int = 16, clock: Clock | None = None) -> Iterator[FaceLane]:
    lane = FaceLane(model, most, clock) if clock else FaceLane(model, most)
    try:
        yield lane
    finally:
        if model.gate is not None:
            model.gate.set()
        lane.close()
        assert model.closed


def busy(lane: FaceLane, model: RecordingModel) -> None:
    """Something is at work, and holds the line."""
    lane.open("batch").submit(items(1))
    assert model.started.wait(WAIT_S)


def levels(pictures: list[np.ndarray]) -> list[int]:
    assert all(one.shape == (8, 8, 3) and one.dtype == np.uint8 and (one == one[0, 0]).all() for one in pictures)
    return [int(one[0, 0, 0]) for one in pictures]


def test_sessions_share_batches_and_get_their_own() -> None:
    model = RecordingModel(max_batch=4, gate=threading.Event())
    with a_lane(model) as lane:
        busy(lane, model)
        first, second = lane.open("live"), lane.open("live")
        asked = [first.submit(items(11, 12, 13, 14)), second.submit(items(21, 22))]
        model.gate.set()
        assert levels(asked[0].result(WAIT_S)) == [11, 12, 13, 14]
        assert levels(asked[1].result(WAIT_S)) == [21, 22]
        assert model.batches == [[1], [11, 21, 12, 22], [13, 14]]


def test_the_network_is_told_which_source_frames_they_are() -> None:
    model = RecordingModel(max_batch=4)
    with a_lane(model) as lane:
        crop = np.full((8, 8, 3), 5, np.uint8)
        lane.open("batch").submit([MouthItem(crop, SILENT, ("pack", 3)), MouthItem(crop, SILENT)]).result(WAIT_S)
        assert model.sources == [[("pack", 3), None]]


def test_a_batch_is_never_kept_back_and_never_too_large() -> None:
    model = RecordingModel(max_batch=64)
    with a_lane(model, most=3) as lane:
        assert lane.info.max_batch == 3
        place = lane.open("batch")
        assert levels(place.submit(items(5)).result(WAIT_S)) == [5]
        assert levels(place.submit(items(*range(7))).result(WAIT_S)) == list(range(7))
        assert [len(batch) for batch in model.batches] == [1, 3, 3, 1]
        assert place.submit([]).result(0) == []
    with a_lane(RecordingModel(device="cpu")) as lane:
        assert lane.info.max_batch == 4  # one frame after the other: a batch is only a wait


def test_who_looks_on_live_goes_before_recordings() -> None:
    model = RecordingModel(max_batch=2, gate=threading.Event())
    with a_lane(model) as lane:
        busy(lane, model)
        recording = lane.open("batch").submit(items(31, 32, 33))
        live = lane.open("live").submit(items(41, 42, 43))
        model.gate.set()
        assert levels(live.result(WAIT_S)) == [41, 42, 43]
        assert levels(recording.result(WAIT_S)) == [31, 32, 33]
        assert model.batches == [[1], [41, 42], [43], [31, 32], [33]]


def test_who_leaves_leaves_the_others_alone() -> None:
    model = RecordingModel(max_batch=2, gate=threading.Event())
    with a_lane(model) as lane:
        busy(lane, model)
        leaving, staying = lane.open("live"), lane.open("live")
        gone, kept = leaving.submit(items(11, 12, 13)), staying.submit(items(21, 22, 23))
        assert gone.cancel()
        until(lambda: lane.waiting == 3)
        closed = lane.open("live")
        late = closed.submit(items(51))
        closed.close()
        closed.close()
        assert late.cancelled()
        model.gate.set()
        assert levels(kept.result(WAIT_S)) == [21, 22, 23]
        assert model.batches == [[1], [21, 22], [23]]


def test_a_batch_at_work_may_be_left() -> None:
    model = RecordingModel(max_batch=2, gate=threading.Event())
    with a_lane(model) as lane:
        leaving, staying = lane.open("live"), lane.open("live")
        gone = leaving.submit(items(11, 12))
        assert model.started.wait(WAIT_S)
        kept = staying.submit(items(21))
        assert gone.cancel()
        model.gate.set()
        assert levels(kept.result(WAIT_S)) == [21]
        assert gone.cancelled()


def test_an_error_reaches_those_in_the_batch_only() -> None:
    model = RecordingModel(max_batch=2, gate=threading.Event(), fails={12: EngineFailed("fake", "it broke")})
    with a_lane(model) as lane:
        busy(lane, model)
        places = [lane.open("live") for _ in range(3)]
        first, second = places[0].submit(items(11)), places[1].submit(items(12))
        third = places[2].submit(items(13))
        model.gate.set()
        for asked in (first, second):
            with pytest.raises(EngineFailed, match="it broke"):
                asked.result(WAIT_S)
        assert levels(third.result(WAIT_S)) == [13]
        model.fails = {14: RuntimeError("secret words")}
        with pytest.raises(EngineFailed) as failed:
            places[0].submit(items(14)).result(WAIT_S)
        assert "secret" not in str(failed.value)


def test_a_slow_network_makes_every_other_mouth_of_live_faces() -> None:
    model, clock = RecordingModel(max_batch=8), Clock()
    with a_lane(model, clock=clock) as lane:
        place, recording = lane.open("live"), lane.open("batch")
        assert lane.every(place) == 1
        before = REGISTRY.get_sample_value("talkie_face_repeated_frames_total", {"reason": "behind"}) or 0
        lane._frame_s = 0.05  # of which 25 a second make one and a quarter
        assert levels(place.submit(items(1, 2, 3, 4, 5)).result(WAIT_S)) == [1, 1, 3, 3, 5]
        after = REGISTRY.get_sample_value("talkie_face_repeated_frames_total", {"reason": "behind"}) or 0
        lane._frame_s = 0.05
        assert levels(recording.submit(items(1, 2, 3)).result(WAIT_S)) == [1, 2, 3]
        lane._frame_s = 0.05
        other = lane.open("live")
        assert (lane.every(place), lane.every(other)) == (2, 4)
        clock.now_s += 2
        assert lane.every(other) == 2  # nobody else looks on any more
        assert after - before in (0, 2)  # counted where somebody reads it


def test_what_is_not_made_is_counted_across_asks() -> None:
    model = RecordingModel(max_batch=2, gate=threading.Event())
    with a_lane(model) as lane:
        place = lane.open("live")
        lane._frame_s = 0.13  # one in five
        asked = [place.submit(items(*few)) for few in ((1, 2), (3, 4), (5, 6), (7, 8), (9, 10, 11))]
        model.gate.set()
        shown = [levels(one.result(WAIT_S)) for one in asked]
        assert shown == [[1, 1], [1, 1], [1, 6], [6, 6], [6, 6, 11]]
        assert [level for batch in model.batches for level in batch] == [1, 6, 11]
        model.gate.clear()
        lane._frame_s = 0.13
        assert levels(place.submit(items(12, 13)).result(WAIT_S)) == [11, 11]
        alone = place.submit(items(13))
        waiting, behind = place.submit(items(14, 15, 16)), place.submit(items(17, 17))
        assert waiting.cancel() and behind.cancelled()
        anew = place.submit(items(18, 19))
        model.gate.set()
        assert levels(alone.result(WAIT_S)) == [13], "a mouth alone is nobody else's"
        assert levels(anew.result(WAIT_S)) == [18, 18]
        model.gate.clear()
        model.fails[20] = EngineFailed("fake", "it broke")
        lane._frame_s = 0.13
        assert levels(place.submit(items(1, 1, 1)).result(WAIT_S)) == [18, 18, 18]
        broken, behind = place.submit(items(20, 20)), place.submit(items(21, 21))
        model.gate.set()
        for one in (broken, behind):
            with pytest.raises(EngineFailed):
                one.result(WAIT_S)


def test_after_a_while_a_mouth_is_not_what_was_shown_last() -> None:
    clock = Clock()
    with a_lane(RecordingModel(), clock=clock) as lane:
        place = lane.open("live")
        for first in (1, 11):
            lane._frame_s = 0.13
            assert levels(place.submit(items(first, 2)).result(WAIT_S)) == [first, first]
            clock.now_s += 1.5


def test_a_lane_that_closes_refuses_what_waits() -> None:
    model = RecordingModel(gate=threading.Event())
    with a_lane(model) as lane:
        busy(lane, model)
        place = lane.open("live")
        waiting = place.submit(items(2))
        closing = threading.Thread(target=lane.close)
        closing.start()
        with pytest.raises(ShuttingDown):
            waiting.result(WAIT_S)
        model.gate.set()
        closing.join(WAIT_S)
        for act in (lambda: place.submit(items(3)), lambda: lane.open("live"), lambda: place.encode(SILENT)):
            with pytest.raises(ShuttingDown):
                act()


def test_buffers_are_made_once() -> None:
    model = RecordingModel(max_batch=4)
    with a_lane(model) as lane:
        place = lane.open("live")
        kept = place.submit(items(7)).result(WAIT_S)[0]
        place.submit(items(9)).result(WAIT_S)
        assert (kept == picture(7)[0, 0]).all()  # what was given is nobody's buffer
        assert place.encode(np.zeros((3, 16, 80), np.float32)).shape == (3, 512)
