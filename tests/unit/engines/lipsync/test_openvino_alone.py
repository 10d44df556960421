"""Face networks where ONNX Runtime is left out: the same pictures and features from OpenVINO alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests import face_models as models

from talkie.engines import openvino_runtime
from talkie.engines.lipsync import choice, probes
from talkie.engines.lipsync.choice import closeness_db
from talkie.engines.lipsync.onnx import OnnxFace
from talkie.engines.lipsync.onnx_network import OnnxNetwork, SessionOptions
from talkie.engines.lipsync.openvino_network import read_signature
from talkie.engines.lipsync.signature import encoder_signature, face_signature
from talkie.errors import BadAvatar, EngineUnavailable

pytestmark = pytest.mark.skipif(not openvino_runtime.available(), reason="OpenVINO has no wheel here")


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = models.write_networks(tmp_path_factory.mktemp("pack"))
    models.thin_face(directory / "face.onnx")
    return directory


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def used(*_: object) -> None:
        raise AssertionError("ONNX Runtime was asked")

    monkeypatch.setattr(choice, "installed", lambda: False)
    monkeypatch.setattr("talkie.engines.lipsync.onnx_network.library", used)


@pytest.mark.usefixtures("alone")
def test_a_face_without_onnx_runtime(pack: Path) -> None:
    face = OnnxFace(pack)
    assert face.info.backend == "openvino"
    assert face.info.backend_reason


def test_what_it_gives_is_the_same(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    windows, visual = probes.windows(), probes.visuals(320)
    both = OnnxFace(pack, backend="onnxruntime")
    features = both.encode(windows)
    heard = probes.audio_of(features)
    pictures = both.infer(visual, heard)
    monkeypatch.setattr(choice, "installed", lambda: False)
    face = OnnxFace(pack)
    np.testing.assert_allclose(face.encode(windows), features, atol=1e-5)
    assert closeness_db(face.infer(visual, heard), pictures) > 40


@pytest.mark.parametrize("file", ["face.onnx", "audio_encoder.onnx"])
def test_signatures_are_those_that_onnx_runtime_reads(pack: Path, file: str) -> None:
    read = face_signature if file == "face.onnx" else encoder_signature
    theirs = OnnxNetwork(pack / file, read, SessionOptions()).signature
    assert read_signature(pack / file, read) == theirs


@pytest.mark.usefixtures("alone")
def test_a_file_that_is_no_network(pack: Path, tmp_path: Path) -> None:
    broken = tmp_path / "face.onnx"
    broken.write_bytes((pack / "face.onnx").read_bytes()[:200])
    with pytest.raises(BadAvatar):
        read_signature(broken, face_signature)


def test_a_backend_that_is_left_out_is_said(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def library() -> None:
        raise EngineUnavailable("face-onnx", "onnxruntime is not installed")

    monkeypatch.setattr(choice, "installed", lambda: False)
    monkeypatch.setattr("talkie.engines.lipsync.onnx_network.library", library)
    for backend in ("cuda", "onnxruntime"):
        with pytest.raises(EngineUnavailable, match="onnxruntime is not installed"):
            OnnxFace(pack, backend=backend)
