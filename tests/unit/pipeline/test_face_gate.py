from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from talkie.pipeline.face_gate import WINDOW_S, FaceGate, GateOptions
from talkie.types import Samples

FPS = 25.0
WINDOW = 512
OPTIONS = GateOptions(lead_s=0.08, attack_s=0.16, hold_s=0.12, release_s=0.2)


class Probabilities:
    """A detector's stream: the first sample of each window is its probability."""

    def __init__(self) -> None:
        self._rest = np.zeros(0, np.float32)

    def feed(self, samples: Samples) -> NDArray[np.float32]:
        joined = np.concatenate([self._rest, samples])
        whole = len(joined) // WINDOW * WINDOW
        self._rest = joined[whole:]
        return joined[:whole:WINDOW].copy()

    def finish(self) -> NDArray[np.float32]:
        return self._rest[:1].copy()


def sound(*stretches: tuple[float, float]) -> Samples:
    """Pairs of a probability and seconds."""
    return np.concatenate(
        [np.full(round(seconds / WINDOW_S) * WINDOW, probability, np.float32) for probability, seconds in stretches]
    )


def gates(samples: Samples, cuts: list[int] | None = None, options: GateOptions = OPTIONS) -> NDArray[np.float32]:
    gate = FaceGate(Probabilities(), FPS, options)
    given = [gate.feed(piece) for piece in np.split(samples, cuts or [])]
    return np.concatenate([*given, gate.finish(max(1, int(len(samples) / 16_000 * FPS + 1e-6)))])


def test_no_speech_no_mouth() -> None:
    quiet = gates(sound((0.2, 3.2)))
    assert len(quiet) == 80 and not quiet.any()


def test_the_gate_is_open_before_speech_and_after_it_and_slides_between() -> None:
    begins_s, ends_s = 1.6, 3.2
    opened = gates(sound((0.0, begins_s), (0.9, ends_s - begins_s), (0.0, 1.6)))
    starts = np.arange(len(opened)) / FPS
    speaking = (starts + 1 / FPS > begins_s - OPTIONS.lead_s + 1e-6) & (starts < ends_s + OPTIONS.hold_s - 1e-6)
    assert (opened[speaking] == 1).all()
    early = starts + 1 / FPS <= begins_s - OPTIONS.lead_s - OPTIONS.attack_s + 1e-6
    late = starts >= ends_s + OPTIONS.hold_s + OPTIONS.release_s - 1e-6
    assert (opened[early | late] < 1e-5).all()
    steps = np.abs(np.diff(opened))
    assert steps.max() <= 1 / (OPTIONS.attack_s * FPS) + 1e-5
    sliding = opened[~(speaking | early | late)]
    assert (sliding > 0).all() and np.count_nonzero(sliding < 1) == 7


def test_speech_goes_on_while_it_only_grows_faint() -> None:
    assert (gates(sound((0.9, 0.5), (0.4, 0.8), (0.9, 0.5))) == 1).all()
    assert not gates(sound((0.0, 0.5), (0.4, 0.8), (0.0, 0.5))).any()
    assert (gates(sound((0.9, 0.5), (0.3, 1.6), (0.9, 0.5))) == 0).any()


def test_a_frame_is_certain_soon() -> None:
    gate = FaceGate(Probabilities(), FPS, OPTIONS)
    given = len(gate.feed(sound((0.9, 3.2))))
    assert given >= int((3.2 - OPTIONS.lead_s - OPTIONS.attack_s) * FPS) - 1
    assert (3.2 - given / FPS) < 0.4525 - WINDOW_S, "the network waits longer than the gate"


@settings(max_examples=60)
@given(st.data())
def test_the_same_gates_however_the_sound_is_cut(data: st.DataObject) -> None:
    levels = data.draw(st.lists(st.sampled_from([0.0, 0.3, 0.45, 0.9]), min_size=1, max_size=40))
    samples = np.repeat(np.array(levels, np.float32), WINDOW * 2)
    samples = samples[: data.draw(st.integers(1, len(samples)))]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(samples)), max_size=12)))
    whole = gates(samples)
    assert np.array_equal(gates(samples, cuts), whole)
    assert ((whole >= 0) & (whole <= 1)).all()


@pytest.mark.parametrize("seconds", [0.001, 0.03, 0.1])
def test_very_short_sound_has_its_frames(seconds: float) -> None:
    samples = np.full(max(1, round(seconds * 16_000)), 0.9, np.float32)
    assert (gates(samples) == 1).all() and len(gates(samples)) == max(1, int(seconds * FPS))
