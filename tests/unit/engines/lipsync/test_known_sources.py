"""What a network makes of a source frame alone is made once: the pictures stay the same, and the room is bounded."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests import face_models as models

from talkie.engines import openvino_runtime
from talkie.engines.lipsync import openvino_calls
from talkie.engines.lipsync.call_pool import CallPool
from talkie.engines.lipsync.choice import closeness_db
from talkie.engines.lipsync.network import Array
from talkie.engines.lipsync.onnx import OnnxFace
from talkie.engines.lipsync.openvino_network import OpenVinoNetwork, read_signature
from talkie.engines.lipsync.signature import face_signature

Floats = NDArray[np.float32]
SIZE, FRAMES = 64, 6
RNG = np.random.default_rng(9)
VISUAL = RNG.random((FRAMES, 6, SIZE, SIZE), np.float32)
AUDIO = RNG.random((FRAMES, 32, 16, 16), np.float32) * np.arange(FRAMES, dtype=np.float32)[:, None, None, None]
PRECISIONS = ["f32", "bf16"]


def opened(path: Path, precision: str = "f32", sources: int = FRAMES) -> OpenVinoNetwork:
    if precision == "bf16" and "BF16" not in openvino_runtime.capabilities():
        pytest.skip("this processor does not compute in BF16")
    network = OpenVinoNetwork(path, read_signature(path, face_signature), precision=precision, threads=2)
    network.keep(sources)
    network.warm()
    return network


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return models.unet_face(tmp_path / "face.onnx", size=SIZE)


def made(network: OpenVinoNetwork, visual: Floats, audio: Floats, sources: list[int] | None = None) -> Floats:
    out = np.empty((len(visual), 3, SIZE, SIZE), np.float32)
    network.run((visual, audio), out, sources or ())
    return out


@pytest.mark.parametrize("precision", PRECISIONS)
def test_known_sources_give_the_same_pictures(path: Path, precision: str) -> None:
    network = opened(path, precision)
    wanted = made(network, VISUAL, AUDIO)
    assert network.keeps == FRAMES
    for _ in range(2):  # the first time they are new
        found = made(network, VISUAL, AUDIO, list(range(FRAMES)))
        assert closeness_db(found, wanted) > 70
    turned = made(network, VISUAL, AUDIO[::-1].copy(), list(range(FRAMES)))
    assert closeness_db(turned, made(network, VISUAL, AUDIO[::-1].copy())) > 70
    assert np.abs(turned - wanted).max() > 0.01  # sound counts


def test_a_known_source_is_not_looked_at_again(path: Path) -> None:
    network = opened(path)
    made(network, VISUAL[:1], AUDIO[:1], [7])
    mixed = made(network, VISUAL[1:2], AUDIO[:1], [7])
    for picture in VISUAL[:2]:
        assert np.abs(mixed - made(network, picture[None], AUDIO[:1])).max() > 0.001


def test_there_is_room_for_so_many(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino_calls, "KEPT_BYTES", 3 * 4 * (8 * 32 * 32 + 8 * 16 * 16))
    network = opened(path)
    assert network.keeps == FRAMES  # a loop finds half of them
    assert opened(path, sources=FRAMES + 1).keeps == 0
    wanted = made(network, VISUAL, AUDIO)
    for _ in range(2):
        assert closeness_db(made(network, VISUAL, AUDIO, list(range(FRAMES))), wanted) > 70
    assert closeness_db(made(network, VISUAL[1:2], AUDIO[:1], [0]), made(network, VISUAL[1:2], AUDIO[:1])) > 70


def test_a_network_that_makes_nothing_of_the_picture_alone_keeps_nothing(tmp_path: Path) -> None:
    network = opened(models.thin_face(tmp_path / "face.onnx", size=SIZE))
    assert network.keeps == 0
    assert (made(network, VISUAL, AUDIO, [1] * FRAMES) == made(network, VISUAL, AUDIO)).all()


def test_a_network_of_a_fixed_batch_keeps_nothing(tmp_path: Path) -> None:
    network = opened(models.unet_face(tmp_path / "face.onnx", 2, size=SIZE))
    assert network.keeps == 0
    assert (made(network, VISUAL, AUDIO, [1] * FRAMES) == made(network, VISUAL, AUDIO)).all()


def test_several_at_once_get_their_own(path: Path) -> None:
    network = opened(path)
    wanted = made(network, VISUAL, AUDIO)
    found: dict[int, list[float]] = {}

    def ask(frame: int) -> None:
        one = slice(frame, frame + 1)
        tries = [made(network, VISUAL[one], AUDIO[one], [frame] if turn % 2 else None) for turn in range(10)]
        found[frame] = [closeness_db(picture, wanted[one]) for picture in tries]

    threads = [threading.Thread(target=ask, args=(frame,)) for frame in range(FRAMES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(found) == list(range(FRAMES))
    assert min(min(closeness) for closeness in found.values()) > 70


def test_a_pack_says_how_many_it_keeps(tmp_path: Path) -> None:
    pack = models.write_networks(tmp_path / "pack")
    models.unet_face(pack / "face.onnx")
    for backend, keeps in (("openvino", True), ("onnxruntime", False)):
        face = OnnxFace(pack, backend=backend, sources=2)
        assert (face.info.keeps > 0) is keeps
        visual = RNG.random((2, 6, 320, 320), np.float32)
        wanted = face.infer(visual, AUDIO[:2])
        assert closeness_db(face.infer(visual, AUDIO[:2], None, ["a", "b"]), wanted) > 70
        face.close()


class FakeCall:
    """Gives what it was given, plus one; `fails` where that is so much."""

    def __init__(self) -> None:
        self.inputs: list[Array] = [np.zeros((1, 1), np.float32)]
        self.given = 0.0
        self.waits = 0

    def start(self, source: object = None) -> None:
        self.given = float(self.inputs[0][0, 0])
        if self.given < 0:
            raise RuntimeError("broken")

    def wait(self) -> Array:
        self.waits += 1
        return self.inputs[0] + 1


def test_an_error_leaves_all_calls_free() -> None:
    calls = [FakeCall(), FakeCall()]
    pool, out = CallPool(calls), np.zeros((3, 1), np.float32)
    for broken in range(3):
        given = np.array([[1.0], [2.0], [3.0]], np.float32)
        given[broken] = -1
        with pytest.raises(RuntimeError):
            pool.run([given], out, 1)
    pool.run([np.array([[1.0], [2.0], [3.0]], np.float32)], out, 1)
    assert out[:, 0].tolist() == [2, 3, 4]
    assert pool._free.qsize() == len(calls)
