"""Real networks made by hand show what a neural face does: which features each frame is given, where the mouth lands,
and that it moves with speech and rests in silence, by the real ONNX Runtime and the real detector of voice activity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

import numpy as np
import pytest
from numpy.typing import NDArray

from face_lines import GreyMouths, MemorySource, NetworkMouths, SaidSpeech
from face_models import CODE_COLUMNS, CODE_ROWS, copying_encoder, encoding_face, feature_of, mouth_opening, read_code
from face_models import write_networks as write_mouth_networks
from speech import say
from talkie.audio.face_mel import FaceMel
from talkie.engines.lipsync.onnx import OnnxFace
from talkie.engines.vad.silero import SileroDetector
from talkie.pipeline.animate import animate
from talkie.pipeline.face_neural import LOOKAHEAD_S, NeuralFace, NeuralLook
from talkie.pipeline.face_neural_line import NeuralLine
from talkie.pipeline.faces import Mouths, frames_of
from talkie.runtime.cancel import CancelToken
from talkie.runtime.face_lane import FaceLane
from talkie.types import Picture, Samples, SpeechChunk
from talkie.video.boxes import FaceBox

RATE_HZ, FPS = 16_000, 25
BOX = FaceBox(21, 13, 328)
INNER = np.s_[17:337, 25:345]


@pytest.fixture(scope="module")
def frames() -> list[Picture]:
    """Bright enough that a dark mouth can be told."""
    y, x = np.mgrid[0:360, 0:370]
    wave = 150 + 60 * np.sin(x / 30) * np.cos(y / 40)
    return [np.repeat((wave + 9 * n)[..., None], 3, axis=-1).astype(np.uint8) for n in range(3)]


@pytest.fixture(scope="module", params=["plain", "engine"])
def encoding(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mouths]:
    """By ONNX Runtime called the plain way, and by the engine of faces with the line in front of it."""
    directory = tmp_path_factory.mktemp("encoding")
    encoding_face(directory / "face.onnx")
    copying_encoder(directory / "audio_encoder.onnx")
    if request.param == "plain":
        with closing(NetworkMouths(directory)) as mouths:
            yield mouths
        return
    model = OnnxFace(directory, backend="onnxruntime", threads=1, max_batch=4)
    with closing(FaceLane(model, 4)) as lane, lane.open("interactive") as place:
        yield place


@pytest.fixture(scope="module")
def speaking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NetworkMouths]:
    with closing(NetworkMouths(write_mouth_networks(tmp_path_factory.mktemp("mouth")))) as mouths:
        yield mouths


@pytest.fixture(scope="module")
def detector() -> SileroDetector:
    return SileroDetector()


def uneven(seconds: float, seed: int = 2) -> Samples:
    """Noise whose loudness and colour change all the time, so that no two windows are alike."""
    rng = np.random.default_rng(seed)
    length = round(seconds * RATE_HZ)
    loud = np.interp(np.arange(length), np.arange(0, length + 1600, 800), 10 ** rng.uniform(-4, 0, length // 800 + 2))
    return (rng.normal(0, 0.3, length) * loud).clip(-1, 1).astype(np.float32)


def shown(line: NeuralLine, samples: Samples, cuts: Sequence[int] = ()) -> list[Picture]:
    pictures = [picture for piece in np.split(samples, list(cuts)) for picture in line.feed(piece)]
    return [*pictures, *line.finish()]


def expected_features(samples: Samples) -> NDArray[np.float32]:
    """Of the whole sound, as the contract says: the first and the last twice."""
    mel = FaceMel()
    windows = np.concatenate([mel.feed(samples), mel.finish()])
    features = np.stack([feature_of(window) for window in windows])
    return np.concatenate([features[:1], features, features[-1:]])


def given_to(frame: int, features: NDArray[np.float32]) -> NDArray[np.float32]:
    row = np.zeros((16, 3), np.float32)
    for place, number in enumerate(range(frame - 8, frame + 8)):
        if 0 <= number < len(features):
            row[place] = features[number, :3]
    return row


@pytest.mark.parametrize("seconds", [2.5, 0.1])
def test_frame_i_is_given_features_i_minus_8_to_i_plus_7(
    encoding: Mouths, frames: list[Picture], seconds: float
) -> None:
    samples = uneven(seconds)
    face = NeuralFace(MemorySource(frames), NeuralLook([BOX]), encoding, SaidSpeech())
    whole = shown(face.open(), samples)
    assert len(whole) == frames_of(seconds, FPS)
    features = expected_features(samples)
    for number, picture in enumerate(whole):
        told = read_code(picture[INNER])
        assert np.abs(told - given_to(number, features).clip(0, 1)).max() < 0.6 / 255, number
        for other in (number - 1, number + 1):
            assert np.abs(told - given_to(other, features).clip(0, 1)).max() > 4 / 255
    rng = np.random.default_rng(6)
    for count in (1, 9):
        pieces = shown(face.open(), samples, sorted(rng.integers(0, len(samples), count).tolist()))
        assert all(np.array_equal(one, other) for one, other in zip(whole, pieces, strict=True))


def test_the_picture_around_the_code_is_the_source_frame_to_the_last_pixel(
    encoding: Mouths, frames: list[Picture]
) -> None:
    face = NeuralFace(MemorySource(frames), NeuralLook([BOX]), encoding, SaidSpeech())
    strip = np.s_[17 + CODE_ROWS[0] : 17 + CODE_ROWS[1], 25 + CODE_COLUMNS[0] : 25 + CODE_COLUMNS[1]]
    for picture, source in zip(shown(face.open(), uneven(0.3)), [0, 1, 2, 1, 0, 1, 2], strict=True):
        different = (picture != frames[source]).any(axis=-1)
        assert different[strip].any()
        different[strip] = False
        assert not different.any()


def test_a_frame_waits_for_no_more_sound_than_it_says(encoding: Mouths, frames: list[Picture]) -> None:
    line = NeuralFace(MemorySource(frames), NeuralLook([BOX]), encoding, SaidSpeech()).open()
    samples, waited_s = uneven(1.0), []
    for end in range(200, len(samples) + 1, 200):
        for _ in line.feed(samples[end - 200 : end]):
            waited_s.append(end / RATE_HZ - len(waited_s) / FPS)
    assert len(waited_s) == 14
    assert LOOKAHEAD_S - 0.0126 < max(waited_s) <= LOOKAHEAD_S + 1e-9


def test_sound_and_mouth_stay_together_for_ten_minutes() -> None:
    """A click in the middle of a frame lights up that frame's mouth and no other's."""
    wanted = [175 * n for n in range(1, 86)]
    samples = np.zeros(600 * RATE_HZ, np.float32)
    for frame in wanted:
        at = round((frame + 0.5) / FPS * RATE_HZ)
        samples[at - 8 : at + 8] = 0.9 * np.sign(np.sin(np.arange(16)))
    source = MemorySource([np.full((48, 48, 3), 90, np.uint8)])
    face = NeuralFace(source, NeuralLook([FaceBox(4, 4, 40)]), GreyMouths(max_batch=64), SaidSpeech())
    sound = (SpeechChunk(samples[at : at + 40_000], RATE_HZ) for at in range(0, len(samples), 40_000))
    bright, loud = [], []
    for chunk in animate(sound, face, CancelToken()):
        bright += [frame.index for frame in chunk.frames if frame.image[24, 24, 0] > 60]
        loud += [int((chunk.start_s + at / RATE_HZ) * FPS) for at in np.flatnonzero(chunk.samples)]
    assert bright == wanted
    assert sorted(set(loud)) == wanted


def opening(pictures: Sequence[Picture]) -> NDArray[np.float64]:
    return np.array([mouth_opening(picture[INNER]) for picture in pictures])


@pytest.mark.parametrize("level", [0.0, 0.02])
def test_silence_in_still_mouth_out(
    speaking: NetworkMouths, detector: SileroDetector, frames: list[Picture], level: float
) -> None:
    """The hiss of a room would open the network's mouth; nobody speaks, so it stays shut."""
    hiss = np.random.default_rng(7).normal(0, 1, 2 * RATE_HZ).astype(np.float32) * np.float32(level)
    look = NeuralLook([BOX])
    still = shown(NeuralFace(MemorySource(frames[:1]), look, speaking, detector).open(), hiss)
    assert len(still) == 50
    assert all(np.array_equal(picture, frames[0]) for picture in still)
    ungated = NeuralFace(MemorySource(frames[:1]), look, speaking, SaidSpeech())
    assert (opening(shown(ungated.open(), hiss)).max() > 0.2) == (level > 0)


def test_the_mouth_opens_with_the_voice_and_shuts_after_it(
    speaking: NetworkMouths, detector: SileroDetector, frames: list[Picture]
) -> None:
    pause = np.zeros(RATE_HZ, np.float32)
    voice = say("Would you open the window, please? Thank you very much indeed.")
    samples = np.concatenate([pause, voice, pause])
    face = NeuralFace(MemorySource(frames[:1]), NeuralLook([BOX]), speaking, detector)
    mouth = opening(shown(face.open(), samples))
    count = len(mouth)
    loud = np.abs(samples[: count * 640]).reshape(count, 640).mean(axis=1)
    # The network reads the window that is centred 60 ms after its frame begins, and sees 200 ms of it.
    envelope = np.convolve(loud, np.ones(5) / 5, mode="same")
    assert not mouth[:20].any() and not mouth[-12:].any()
    assert mouth.max() > 0.3
    assert np.corrcoef(mouth, envelope)[0, 1] > 0.8
    shuffled = [np.random.default_rng(seed).permutation(mouth) for seed in range(20)]
    assert max(np.corrcoef(one, envelope)[0, 1] for one in shuffled) < 0.35
