"""Weights for the network of `face_network`, from a seed, and pictures to try it on.

Random weights alone make a network that no trained one is like: with sixty layers and batch norms it is chaotic, and
noise of one grey level in a camera comes out as another face (it grew a hundredfold and more; 16 bits gave 15 dB). A
network that learned to give pictures damps such noise. So the weights are random but tame: wide layers come in pairs
of opposite signs, whose ReLUs together lose nothing; kernels of single channels are near a blur; narrow layers join
the pairs again; and to all of them half as much is added that is plainly random. Each layer is scaled to give numbers
of size 1 on one frame. Noise then shrinks by half on its way, and rounding to 16 bits by as much as in trained ones.

The last layer gives logits of spread 1.5, so that pictures have all of 0..1 in them and no error hides at the end of a
sigmoid. Computed with NumPy alone: a second implementation of the network for tests. Knows nothing of files.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from talkie.bench.face_network import AUDIO, SIZE, WINDOW, Conv, Weights, encoder, face

if TYPE_CHECKING:
    from numpy.random import Generator

Floats = NDArray[np.float32]

_LOGIT_SPREAD = 1.5
_SCALE_SPREAD, _SHIFT_SPREAD = 0.25, 0.25
"""How different channels are after a batch norm, about those of trained networks."""
_BLUR = np.outer((0.25, 1, 0.25), (0.25, 1, 0.25))
_WILD = 0.5
"""How much of each layer is plainly random, beside what is tame."""
_BLACK = slice(5, 310), slice(5, 315)
"""Rows 5..309 and columns 5..314 of the crop."""


def face_weights(seed: int = 0) -> Weights:
    """Each convolution's weight and bias with its batch norm folded in."""
    visual, audio = (one.swapaxes(0, 1) for one in frames(1, seed))
    return _drawn(seed, lambda ops: face(ops, visual, audio))


def encoder_weights(seed: int = 0) -> Weights:
    rng = np.random.default_rng([seed, 1])
    channels, bands, columns = WINDOW
    mel = rng.uniform(-4, 4, (channels, 1, bands, columns)).astype(np.float32)
    return _drawn(seed, lambda ops: encoder(ops, mel))


def frames(count: int, seed: int = 0) -> tuple[Floats, Floats]:
    """`(count, 6, 320, 320)` in 0..1 and `(count, 32, 16, 16)`, each frame another: blobs of colour with edges and
    noise, the second three channels with their lower part black; features of zero or more, as after a ReLU."""
    rng = np.random.default_rng([seed, 2])
    visual = np.empty((count, 6, SIZE, SIZE), np.float32)
    for one in visual:
        one[:3] = one[3:] = _picture(rng)
        one[3:, *_BLACK] = 0
    loud = rng.uniform(0.5, 1.0, (count, 1, 1, 1))
    audio = np.maximum(rng.normal(0.2, loud, (count, *AUDIO)), 0).astype(np.float32)
    return visual, audio


def _picture(rng: Generator) -> Floats:
    across = np.linspace(0, 1, SIZE)
    y, x = across[:, None], across[None, :]
    layers = []
    for _ in range(3):
        waves = rng.normal(0, 1, (6, 4))
        smooth = sum(a * np.sin(6.3 * (b * x + c * y + d)) for a, b, c, d in waves)
        edge = 0.8 * (np.hypot(x - rng.uniform(), y - rng.uniform()) < rng.uniform(0.1, 0.5))
        layers.append(0.5 + 0.12 * smooth + edge * rng.normal() + rng.normal(0, 0.02, (SIZE, SIZE)))
    picture: Floats = np.clip(np.stack(layers), 0, 1).astype(np.float32)
    return picture


def _drawn(seed: int, run: Callable[[Drawing], Floats]) -> Weights:
    drawing = Drawing(np.random.default_rng([seed, 3]))
    run(drawing)
    return drawing.weights


class Drawing:
    """`Ops` on some frames, `(C, B, H, W)`: draws the weights of each convolution when it comes to it, and computes it.

    With `weights` given it only computes."""

    def __init__(self, rng: Generator | None = None, weights: Weights | None = None) -> None:
        self._rng = rng
        self.weights: Weights = weights if weights is not None else {}

    def conv(self, x: Floats, conv: Conv) -> Floats:
        if self._rng is None:
            weight, bias = self.weights[conv.name]
            y = convolve(x, weight, conv) + bias[:, None, None, None]
        else:
            y = self._draw(x, conv, self._rng)
        return np.maximum(y, 0) if conv.relu else y

    def add(self, x: Floats, y: Floats) -> Floats:
        return x + y

    def join(self, x: Floats, y: Floats) -> Floats:
        return np.concatenate([x, y])

    def double(self, x: Floats) -> Floats:
        return _doubled(_doubled(x, 2), 3)

    def _draw(self, x: Floats, conv: Conv, rng: Generator) -> Floats:
        weight = _kernel(conv, rng)
        y = convolve(x, weight, conv)
        if conv.norm:
            times = np.exp(_SCALE_SPREAD * rng.normal(0, 1, conv.outputs)) / np.sqrt(np.mean(y**2))
            bias = _SHIFT_SPREAD * rng.normal(0, 1, conv.outputs)
        else:
            times = _LOGIT_SPREAD / y.std(axis=(1, 2, 3))
            bias = -y.mean(axis=(1, 2, 3)) * times
        times = times.astype(np.float32)[:, None, None, None]
        self.weights[conv.name] = weight * times, bias.astype(np.float32)
        drawn: Floats = y * times + bias.astype(np.float32)[:, None, None, None]
        return drawn


def _kernel(conv: Conv, rng: Generator) -> Floats:
    """Random, but tame: see the head of this file."""
    free = rng.normal(0, 1, conv.shape)
    if conv.groups > 1:
        centre = _BLUR * np.exp(rng.normal(0, 0.3, (conv.outputs // 2, 1, 1, 1)))
        kernel = np.concatenate([centre, centre]) + _WILD * free / conv.kernel
    elif conv.kernel == 1 and conv.relu:
        half = free[: conv.outputs // 2]
        kernel = np.concatenate([half, -half]) + _WILD * rng.normal(0, 1, conv.shape)
    elif conv.kernel == 1 and conv.norm:
        half = free[:, : conv.inputs // 2]
        kernel = np.concatenate([half, -half], 1) + _WILD * rng.normal(0, 1, conv.shape)
    else:
        kernel = free
    return kernel.astype(np.float32)


def convolve(x: Floats, weight: Floats, conv: Conv) -> Floats:
    """A convolution without its bias: `(C, B, H, W)` to `(outputs, B, H', W')`."""
    down, right = conv.stride
    if conv.kernel == 1:
        return np.tensordot(weight[:, :, 0, 0], x[:, :, ::down, ::right], 1)
    pad = ((0, 0), (0, 0), (conv.pad, conv.pad), (conv.pad, conv.pad))
    seen = sliding_window_view(np.pad(x, pad), (conv.kernel, conv.kernel), (2, 3))[:, :, ::down, ::right]
    if conv.groups == 1:
        return np.tensordot(weight, seen, ((1, 2, 3), (0, 4, 5)))
    y = np.zeros(seen.shape[:4], np.float32)
    for row in range(conv.kernel):
        for column in range(conv.kernel):
            y += weight[:, 0, row, column, None, None, None] * seen[..., row, column]
    return y


def _doubled(x: Floats, axis: int) -> Floats:
    size = x.shape[axis]
    at = np.linspace(0, size - 1, 2 * size)
    low = np.minimum(at.astype(int), size - 2)
    share = (at - low).astype(np.float32).reshape([-1 if one == axis else 1 for one in range(x.ndim)])
    doubled: Floats = x.take(low, axis) * (1 - share) + x.take(low + 1, axis) * share
    return doubled
