"""How much arithmetic and memory traffic a window of a Whisper model takes, counted from its dimensions.

A multiply and an add are two operations. Only matrix products and convolutions are counted: all else is cheap beside
them. Knows nothing of machines.
"""

from __future__ import annotations

from dataclasses import dataclass

from talkie.bench.shape_script import Shape

FRAMES, POSITIONS = 3000, 1500
"""Of a 30 s window, before and after the encoder's second convolution (openai/whisper `N_FRAMES`)."""
VOCABULARY = 51_865
TOKENS = 72
"""What 65 words take with their timestamps: true to life for 30 s."""


@dataclass(frozen=True, slots=True)
class Operations:
    """Of one window, in operations and bytes.

    `weights`: products with weights in the encoder; `attention`: between activations there; `keys`: what the decoder
    makes of the encoder's output once; `decoder`: all of its steps. `step_weights` is read once a step by all windows
    of a batch together, `step_cache` once a step by each.
    """

    weights: float
    attention: float
    keys: float
    decoder: float
    step_weights_bytes: float
    step_cache_bytes: float


def operations(shape: Shape, *, weight_bytes: float = 1, cache_bytes: float = 2, tokens: int = TOKENS) -> Operations:
    """`weight_bytes` and `cache_bytes` are the widths of a weight and of a value kept for cross-attention."""
    width, square = shape.width, shape.width**2
    convolutions = 2 * 3 * (FRAMES * shape.mels * width + POSITIONS * square)
    step = shape.decoder_layers * (28 * square + 4 * POSITIONS * width) + 2 * width * VOCABULARY
    return Operations(
        weights=convolutions + shape.encoder_layers * 24 * POSITIONS * square,
        attention=shape.encoder_layers * 4 * POSITIONS**2 * width,
        keys=shape.decoder_layers * 4 * POSITIONS * square,
        decoder=tokens * step,
        step_weights_bytes=weight_bytes * (shape.decoder_layers * 14 * square + width * VOCABULARY),
        step_cache_bytes=cache_bytes * shape.decoder_layers * 2 * POSITIONS * width,
    )
