"""The cheap gate: loud enough, and no rumble."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from audio_files import tone
from talkie.audio.gate import FRAME, GatedActivity, GateOptions, frame_crossings, frame_energy, may_be_speech

Floats = npt.NDArray[np.float32]


class Everything:
    """A detector that hears speech in all it is given."""

    def __init__(self) -> None:
        self.heard: list[Floats] = []

    def feed(self, samples: Floats) -> Floats:
        self.heard.append(samples)
        assert len(samples) % FRAME == 0
        return np.ones(len(samples) // FRAME, np.float32)

    def finish(self) -> Floats:
        raise AssertionError("the gate pads the last frame itself")


def test_energy_is_the_root_mean_square_of_a_frame() -> None:
    assert frame_energy(np.full(2 * FRAME + 5, 0.25, np.float32)).tolist() == [0.25, 0.25]


def test_crossings_are_counted_by_the_second() -> None:
    crossings = frame_crossings(tone(1.0, hz=500))
    assert abs(crossings.mean() - 1000) < 40


def test_voices_pass_and_rumble_does_not() -> None:
    assert may_be_speech(tone(1.0, hz=80)).all()
    assert not may_be_speech(tone(1.0, hz=10)).any()
    assert not may_be_speech(np.full(16_000, 0.5, np.float32)).any()


def test_what_is_faint_does_not_pass() -> None:
    assert not may_be_speech(tone(1.0, level=0.004)).any()
    assert may_be_speech(tone(1.0, level=0.004), GateOptions(energy=0.001)).all()


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 30_000)), max_size=6),
    st.lists(st.integers(200, 20_000), min_size=1, max_size=6),
)
def test_the_gate_does_the_same_however_a_stream_is_split(parts: list[tuple[bool, int]], sizes: list[int]) -> None:
    loud = [tone(count / 16_000) if is_loud else np.zeros(count, np.float32) for is_loud, count in parts]
    samples = np.concatenate([*loud, np.zeros(0, np.float32)])
    whole = GatedActivity(Everything())
    expected = np.concatenate([whole.feed(samples), whole.finish()])
    gated, found, place = GatedActivity(Everything()), [], 0
    while place < len(samples):
        size = sizes[place % len(sizes)]
        found.append(gated.feed(samples[place : place + size]))
        place += size
    found.append(gated.finish())
    assert np.array_equal(np.concatenate(found), expected)
    assert len(expected) == -(-len(samples) // FRAME)


def test_the_detector_hears_half_a_second_more() -> None:
    detector = Everything()
    samples = np.concatenate([np.zeros(32_000, np.float32), tone(FRAME / 16_000 * 10), np.zeros(64_000, np.float32)])
    GatedActivity(detector).feed(samples)
    frames = sum(map(len, detector.heard)) // FRAME
    assert 10 + 16 <= frames <= 12 + 16
