"""Silero: streams equal wholes, batches equal single windows, and it finds speech where there is some."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech import say
from talkie.audio.decode import load_audio
from talkie.audio.segment import Segmenter
from talkie.engines import registry
from talkie.engines.vad import silero, silero_graph
from talkie.engines.vad.silero import RUNTIMES, SileroDetector, SileroStream
from talkie.errors import EngineFailed, EngineUnavailable, InvalidValue
from talkie.types import Audio

Floats = npt.NDArray[np.float32]
HUMAN_DIGITS = Path(__file__).parents[4] / "shared" / "speech" / "digits"


@pytest.fixture(scope="module", params=RUNTIMES[1:])
def detector(request: pytest.FixtureRequest) -> SileroDetector:
    if find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    return SileroDetector(runtime=request.param)


@pytest.fixture(scope="module")
def recording() -> Floats:
    silence = np.zeros(16_000, np.float32)
    return np.concatenate([silence, say("The quick brown fox jumps over the lazy dog."), silence])[:100_123]


@pytest.fixture(scope="module")
def reference(detector: SileroDetector, recording: Floats) -> Floats:
    """One window a call, as the authors of the model do it, after half a second of silence."""
    padded = np.pad(recording, (64 + 8192, -len(recording) % 512))
    state: silero.State = (np.zeros((1, 1, 128), np.float32), np.zeros((1, 1, 128), np.float32))
    found = []
    for start in range(0, len(padded) - 64, 512):
        probability, state = detector.run(padded[None, start : start + 576], state)
        found.append(probability)
    return np.concatenate(found)[16:]


def test_batched_equals_one_window_a_call(detector: SileroDetector, recording: Floats, reference: Floats) -> None:
    found = detector.probabilities(Audio(recording))
    assert found.shape == (-(-len(recording) // 512),)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, reference, atol=1e-4)


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(200, 40_000), min_size=1, max_size=40))
def test_a_stream_equals_the_whole(sizes: list[int]) -> None:
    detector, recording = _DETECTOR, _NOISE
    stream, found, place = detector.open(), [], 0
    while place < len(recording):
        size = sizes[len(found) % len(sizes)]
        found.append(stream.feed(recording[place : place + size]))
        place += size
    found.append(stream.finish())
    np.testing.assert_allclose(np.concatenate(found), detector.probabilities(Audio(recording)), atol=1e-4)


_DETECTOR = SileroDetector()
_NOISE = np.random.default_rng(0).normal(0, 0.1, 40_000).astype(np.float32)


def test_long_recordings_are_run_in_bounded_batches(
    detector: SileroDetector, recording: Floats, reference: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silero, "MAX_WINDOWS", 7)
    np.testing.assert_allclose(detector.probabilities(Audio(recording)), reference, atol=1e-4)


def test_speech_is_found_and_silence_is_not(detector: SileroDetector, recording: Floats) -> None:
    found = detector.probabilities(Audio(recording))
    assert found[:25].max() < 0.3
    assert found[40:80].mean() > 0.8


def test_a_clip_that_begins_with_the_word_is_heard(detector: SileroDetector) -> None:
    """Without silence before it, as a button cuts it: a cold detector misses some of these."""
    for word in ("no", "two", "four", "yes"):
        for voice in ("en-us+f3", "en-us+m3"):
            speech = say(word, voice=voice)
            loud = np.flatnonzero(np.abs(speech) > 0.02)
            clip = speech[loud[0] : loud[-1]] * np.float32(0.1)
            assert (detector.probabilities(Audio(clip)) > 0.5).sum() >= 4, (word, voice)


@pytest.mark.human
@pytest.mark.skipif(not HUMAN_DIGITS.is_dir(), reason="the human recordings are not here")
def test_every_human_digit_is_heard(detector: SileroDetector) -> None:
    for clip in sorted(HUMAN_DIGITS.glob("*.wav"))[::20]:
        audio = load_audio(clip)
        segmenter = Segmenter()
        spans = segmenter.feed(audio.samples, detector.probabilities(audio)) + segmenter.finish()
        assert spans, clip.name


def test_streams_are_independent_and_threads_may_share_a_detector(
    detector: SileroDetector, recording: Floats, reference: Floats
) -> None:
    def hear(offset: int) -> Floats:
        stream: SileroStream = detector.open()
        parts = [stream.feed(recording[at : at + 3000 + offset]) for at in range(0, len(recording), 3000 + offset)]
        return np.concatenate([*parts, stream.finish()])

    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(hear, range(8)):
            np.testing.assert_allclose(found, reference, atol=1e-4)


def test_the_same_as_the_package_that_carries_the_file(detector: SileroDetector, recording: Floats) -> None:
    """All but the last window, whose end that package zeroes by accident of a NumPy view."""
    vad = pytest.importorskip("faster_whisper.vad")
    padded = np.pad(recording, (8192, -len(recording) % 512))
    theirs = np.asarray(vad.get_vad_model()(padded)).reshape(-1)[16:]
    np.testing.assert_allclose(detector.probabilities(Audio(recording))[:-1], theirs[:-1], atol=1e-4)


def test_empty_audio_has_no_probabilities(detector: SileroDetector) -> None:
    assert detector.probabilities(Audio(np.zeros(0, np.float32))).shape == (0,)


def test_another_rate_is_refused(detector: SileroDetector) -> None:
    with pytest.raises(EngineFailed, match="16000"):
        detector.probabilities(Audio(np.zeros(100, np.float32), sample_rate=8000))


def test_a_missing_file_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silero, "PACKAGE", "a_package_that_is_not_there")
    with pytest.raises(EngineUnavailable) as caught:
        SileroDetector().open()
    assert "faster-whisper" in caught.value.hint


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_damaged_file_is_a_clear_error(tmp_path: Path, runtime: str) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"not a model")
    with pytest.raises(EngineUnavailable, match="could not be loaded"):
        SileroDetector(path, runtime=runtime, cache_dir=tmp_path / "made").open()


def test_the_libraries_agree(recording: Floats) -> None:
    pytest.importorskip("openvino")
    theirs = [SileroDetector(runtime=runtime).probabilities(Audio(recording)) for runtime in RUNTIMES]
    np.testing.assert_allclose(theirs[1], theirs[2], atol=1e-4)
    np.testing.assert_array_equal(theirs[0], theirs[1])


def test_where_openvino_cannot_be_loaded_the_other_library_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise EngineUnavailable("openvino", "made for another processor")

    monkeypatch.setattr(silero_graph.openvino_runtime, "core", fail)
    assert SileroDetector().graph().name == "onnxruntime"
    with pytest.raises(EngineUnavailable, match="another processor"):
        SileroDetector(runtime="openvino").open()


def test_an_unknown_library_is_refused() -> None:
    with pytest.raises(InvalidValue, match="tensorflow"):
        SileroDetector(runtime="tensorflow").open()


def test_the_compiled_form_is_kept_where_wanted(tmp_path: Path, recording: Floats) -> None:
    pytest.importorskip("openvino")
    audio = Audio(recording)
    first, second = (
        SileroDetector(runtime="openvino", cache_dir=tmp_path / "made").probabilities(audio) for _ in range(2)
    )
    assert len(list((tmp_path / "made").iterdir())) == 1
    np.testing.assert_array_equal(first, second)


def test_the_registry_knows_it() -> None:
    assert registry.load("silero") is SileroDetector


@pytest.mark.parametrize("runtime", RUNTIMES[1:])
def test_nothing_is_imported_before_it_is_needed_and_the_carrier_never(runtime: str) -> None:
    code = f"""
import sys
from talkie.engines.vad.silero import SileroDetector
detector = SileroDetector(runtime={runtime!r})
assert not {{"onnxruntime", "openvino._pyopenvino"}} & set(sys.modules)
detector.open()
print(sorted({{"onnxruntime", "openvino._pyopenvino", "faster_whisper", "torch"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, timeout=60, capture_output=True, text=True)
    assert done.stdout == str([{"onnxruntime": "onnxruntime", "openvino": "openvino._pyopenvino"}[runtime]]) + "\n"
