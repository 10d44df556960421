"""Inputs of face networks are told apart by their shapes."""

from __future__ import annotations

import pytest

from talkie.engines.lipsync.signature import Port, encoder_signature, face_signature
from talkie.errors import BadAvatar

FLOAT = "tensor(float)"


def port(name: str, *shape: int | str | None, kind: str = FLOAT) -> Port:
    return Port(name, shape, kind)


VISUAL, AUDIO = port("v", "batch", 6, 320, 320), port("a", "batch", 32, 16, 16)
PICTURE = port("o", "batch", 3, 320, 320)


@pytest.mark.parametrize("inputs", [(VISUAL, AUDIO), (AUDIO, VISUAL)])
def test_order_and_names_do_not_matter(inputs: tuple[Port, Port]) -> None:
    signature = face_signature("face.onnx", inputs, [PICTURE])
    assert [tensor.name for tensor in signature.inputs] == ["v", "a"]
    assert signature.inputs[0].shape == (6, 320, 320)
    assert signature.batch is None


@pytest.mark.parametrize("batch", [1, 4])
def test_a_fixed_batch_is_known(batch: int) -> None:
    inputs = [port("v", batch, 6, 320, 320), port("a", "N", 32, 16, 16)]
    assert face_signature("face.onnx", inputs, [PICTURE]).batch == batch


def test_open_dimensions_take_the_contracts_size() -> None:
    inputs = [port("v", None, 6, "h", "w"), port("a", None, 32, 16, 16)]
    signature = face_signature("face.onnx", inputs, [port("o", None, 3, None, None)])
    assert signature.output.shape == (3, 320, 320)


def test_other_sizes_are_the_networks_own() -> None:
    inputs = [port("v", 1, 6, 160, 160), port("a", 1, 32, 16, 16)]
    assert face_signature("face.onnx", inputs, [port("o", 1, 3, 160, 160)]).output.shape == (3, 160, 160)


@pytest.mark.parametrize(
    ("inputs", "outputs", "said"),
    [
        ([VISUAL], [PICTURE], "as inputs"),
        ([VISUAL, AUDIO], [PICTURE, PICTURE], "as inputs"),
        ([VISUAL, VISUAL], [PICTURE], "features of sound"),
        ([AUDIO, AUDIO], [PICTURE], "picture"),
        ([port("v", 1, 3, 320, 320), AUDIO], [PICTURE], "picture"),
        ([port("v", 1, 6, 320, 256), AUDIO], [PICTURE], "picture"),
        ([VISUAL, AUDIO], [port("o", 1, 3, 160, 160)], "comes out"),
        ([VISUAL, AUDIO], [port("o", 1, 4, 320, 320)], "comes out"),
        ([port("v", 1, 6, 20_000, 20_000), AUDIO], [PICTURE], "points wide"),
        ([port("v", 2, 6, 320, 320), port("a", 4, 32, 16, 16)], [PICTURE], "batch"),
        ([port("v", 4096, 6, 320, 320), AUDIO], [PICTURE], "batch"),
        ([port("v", 0, 6, 320, 320), AUDIO], [PICTURE], "batch"),
        ([port("v", 1, 6, 320, 320, kind="tensor(uint8)"), AUDIO], [PICTURE], "float32"),
        ([VISUAL, AUDIO], [port("o", 1, 3, 320, 320, kind="tensor(double)")], "float32"),
    ],
)
def test_other_networks_are_refused(inputs: list[Port], outputs: list[Port], said: str) -> None:
    with pytest.raises(BadAvatar, match=said) as raised:
        face_signature("face.onnx", inputs, outputs)
    assert raised.value.where == "face.onnx"


@pytest.mark.parametrize(
    "output", [port("f", 1, 512), port("f", 1, 512, 1, 1), port("f", "N", None), port("f", 1, 16, 32)]
)
def test_a_feature_is_512_numbers_in_any_form(output: Port) -> None:
    signature = encoder_signature("audio_encoder.onnx", [port("m", "N", 1, 80, 16)], [output])
    assert signature.inputs[0].shape == (1, 80, 16)
    assert signature.output.nbytes(1) == 512 * 4


@pytest.mark.parametrize(
    ("mel", "output"),
    [
        (port("m", 1, 80, 16), port("f", 1, 512)),
        (port("m", 1, 1, 16, 80), port("f", 1, 512)),
        (port("m", 1, 1, 80, 16), port("f", 1, 256)),
        (port("m", 1, 1, 80, 16), port("f", 512)),
    ],
)
def test_other_encoders_are_refused(mel: Port, output: Port) -> None:
    with pytest.raises(BadAvatar):
        encoder_signature("audio_encoder.onnx", [mel], [output])
