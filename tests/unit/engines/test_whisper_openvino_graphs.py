"""Whisper's encoder as a graph: the same vectors as CTranslate2's, for any length; INT8 that keeps what it has seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from speech import say
from talkie.audio.mel import MAX_FRAMES
from talkie.engines import openvino_runtime
from talkie.engines.asr.whisper.backend import Backend
from talkie.engines.asr.whisper.ct2 import Ct2Model
from talkie.engines.asr.whisper.weights import Weights, read_weights
from whisper_backends import SAID, calibration, ctranslate2_backend, features_of, joined
from whisper_models import TRAINED

pytestmark = pytest.mark.skipif(not openvino_runtime.available(), reason="OpenVINO has no wheel for this machine")
if openvino_runtime.available():
    from talkie.engines.asr.whisper.openvino.calibration import MARGIN, Calibration
    from talkie.engines.asr.whisper.openvino.encoder import EncoderGraph
    from talkie.engines.asr.whisper.openvino.parts import Quantised, Range

Floats = NDArray[np.float32]
LOUD, LOUDER = 17, 40.0
PLACE, NORM, MATRIX = (f"encoder/layer_1/{part}" for part in ("up", "ffn/layer_norm", "ffn/linear_0"))


@pytest.fixture(scope="module")
def weights() -> Weights:
    return read_weights(TRAINED)


@pytest.fixture(scope="module")
def speech() -> Floats:
    return features_of([joined([say(text) for text in SAID])])


@pytest.fixture(scope="module")
def reference() -> Backend:
    return ctranslate2_backend(TRAINED)


def compiled(model: Any) -> Any:
    return openvino_runtime.compile_model(model)


def run(graph: Any, features: Floats) -> list[Floats]:
    return [np.array(output) for output in graph.create_infer_request().infer([features]).values()]


def cosine_distance(one: Floats, other: Floats) -> float:
    """The largest of all vectors."""
    lengths = np.linalg.norm(one, axis=-1) * np.linalg.norm(other, axis=-1)
    return float((1 - (one * other).sum(axis=-1) / lengths).max())


@pytest.mark.parametrize("frames", [500, 501, 1000, 1500, 3000])
def test_a_context_of_any_length_is_as_in_ctranslate2(
    weights: Weights, speech: Floats, reference: Backend, frames: int
) -> None:
    part = np.ascontiguousarray(speech[:, :, :frames])
    [found] = run(compiled(EncoderGraph(weights).build(80)), part)
    assert isinstance(reference, Ct2Model)
    np.testing.assert_allclose(found, np.array(reference.encode(part).take([0])), atol=1e-4)


def test_a_fixed_length_gives_the_same(weights: Weights, speech: Floats) -> None:
    [free] = run(compiled(EncoderGraph(weights).build(80)), speech)
    [fixed] = run(compiled(EncoderGraph(weights).build(80, MAX_FRAMES)), speech)
    np.testing.assert_allclose(free, fixed, atol=1e-5)


def calibrated(weights: Weights, windows: Floats) -> Quantised:
    calibration = Calibration(weights, 80)
    graph = compiled(calibration.graph)
    calibration.watch(lambda features: run(graph, features), [window[None] for window in windows])
    return calibration.result()


def entering(weights: Weights, features: Floats) -> dict[str, Floats]:
    """What goes into every matrix, in float32."""
    import openvino

    encoder = EncoderGraph(weights)
    whole = encoder.build(80)
    nodes = list(encoder.places.values())
    graph = openvino.Model(nodes, whole.get_parameters(), "entering")
    return dict(zip(encoder.places, run(compiled(graph), features), strict=True))


@pytest.fixture(scope="module")
def found(weights: Weights) -> Quantised:
    return calibrated(weights, features_of(calibration()))


def test_ranges_hold_what_was_seen(weights: Weights, found: Quantised) -> None:
    seen = [entering(weights, window[None]) for window in features_of(calibration())]
    assert set(found.ranges) == set(seen[0])
    for place, held in found.ranges.items():
        evened = [one[place] / found.divisors.get(place, np.float32(1.0)) for one in seen]
        low, high = min(part.min() for part in evened), max(part.max() for part in evened)
        assert held.low == pytest.approx(low * MARGIN, rel=1e-3, abs=1e-5)
        assert held.high == pytest.approx(high * MARGIN, rel=1e-3, abs=1e-5)


@pytest.fixture(scope="module")
def loud(weights: Weights) -> Weights:
    """The same function: one channel after a norm is louder, and the matrix after it the quieter for it."""
    arrays = {name: weights.stored(name) for name in weights.names() if not name.startswith(f"{MATRIX}/weight")}
    gain = np.ones(len(weights.array(f"{NORM}/gamma")), np.float32)
    gain[LOUD] = LOUDER
    arrays[f"{NORM}/gamma"] = weights.array(f"{NORM}/gamma") * gain
    arrays[f"{NORM}/beta"] = weights.array(f"{NORM}/beta") * gain
    arrays[f"{MATRIX}/weight"] = weights.linear(MATRIX).dense() / gain
    return Weights(arrays, "loud")


@pytest.fixture(scope="module")
def found_loud(loud: Weights) -> Quantised:
    return calibrated(loud, features_of(calibration()))


def test_a_loud_channel_is_evened_out(loud: Weights, found: Quantised, found_loud: Quantised, speech: Floats) -> None:
    grown = found_loud.divisors[PLACE] / found.divisors[PLACE]
    assert grown[LOUD] > 3 * np.median(grown)
    values = entering(loud, speech)[PLACE]
    before = np.abs(values).max(axis=(0, 1))
    after = np.abs(values / found_loud.divisors[PLACE]).max(axis=(0, 1))
    assert before.max() / np.median(before) > 2 * after.max() / np.median(after)


def test_evened_out_int8_is_nearer(loud: Weights, found_loud: Quantised, speech: Floats) -> None:
    values = entering(loud, speech)[PLACE]
    ranges = {**found_loud.ranges, PLACE: Range(float(values.min()), float(values.max()))}
    uneven = Quantised(ranges, {place: one for place, one in found_loud.divisors.items() if place != PLACE})
    [exact] = run(compiled(EncoderGraph(loud).build(80)), speech)
    [evened] = run(compiled(EncoderGraph(loud, found_loud).build(80)), speech)
    [rough] = run(compiled(EncoderGraph(loud, uneven).build(80)), speech)
    assert np.abs(evened - exact).mean() < np.abs(rough - exact).mean()
    assert cosine_distance(evened, exact) < 0.01
