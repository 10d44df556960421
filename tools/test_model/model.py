"""Whisper in PyTorch, as `ctranslate2.specs.WhisperSpec` lays it out, with the extra outputs that training uses."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from test_model.words import TIMESTAMPS, WORDS

ORDINAL_PERIODS = (4.0, 9.0, 20.0, 60.0)


@dataclass(frozen=True)
class Size:
    text_tokens: int  # all tokens before the timestamps
    width: int = 128
    heads: int = 4
    encoder_layers: int = 3
    decoder_layers: int = 2
    frames: int = 1500
    tokens: int = 448


def sinusoids(length: int, width: int) -> Tensor:
    scale = torch.exp(-math.log(10_000.0) / (width // 2 - 1) * torch.arange(width // 2))
    angles = torch.arange(length)[:, None] * scale[None, :]
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, memory: Tensor | None = None, *, causal: bool = False) -> tuple[Tensor, Tensor | None]:
        """The weights (B, heads, L, T) come only with a memory."""
        source = x if memory is None else memory
        q, k, v = (self._split(part) for part in (self.query(x), self.key(source), self.value(source)))
        weights = None
        if memory is None:
            # The kernel is faster in 32 bits than in bfloat16 on the processors this was tried on.
            with torch.autocast("cpu", enabled=False):
                mixed = F.scaled_dot_product_attention(q.float(), k.float(), v.float(), is_causal=causal)
        else:
            weights = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]), dim=-1)
            mixed = weights @ v
        return self.out(mixed.transpose(1, 2).flatten(2)), weights

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class Layer(nn.Module):
    def __init__(self, width: int, heads: int, *, cross: bool) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.cross_norm = nn.LayerNorm(width) if cross else None
        self.cross = Attention(width, heads) if cross else None
        self.mlp_norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x: Tensor, memory: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        x = x + self.attention(self.attention_norm(x), causal=memory is not None)[0]
        weights = None
        if self.cross is not None and self.cross_norm is not None:
            seen, weights = self.cross(self.cross_norm(x), memory)
            x = x + seen
        return x + self.down(F.gelu(self.up(self.mlp_norm(x)))), weights


class TinyWhisper(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = size
        width = size.width
        self.conv1 = nn.Conv1d(80, width, 3, padding=1)
        self.conv2 = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.encoder = nn.ModuleList(Layer(width, size.heads, cross=False) for _ in range(size.encoder_layers))
        self.encoder_norm = nn.LayerNorm(width)
        self.decoder = nn.ModuleList(Layer(width, size.heads, cross=True) for _ in range(size.decoder_layers))
        self.decoder_norm = nn.LayerNorm(width)
        self.embedding = nn.Parameter(torch.randn(size.text_tokens, width) * 0.05)
        # Timestamps and places are learnt as linear maps of sinusoids, so a few examples teach all of them.
        self.time_map = nn.Parameter(torch.eye(width) * 0.1 + torch.randn(width, width) * 0.005)
        self.place_map = nn.Parameter(torch.eye(width) * 0.1 + torch.randn(width, width) * 0.005)
        self.frame_words = nn.Linear(width, len(WORDS) + 1)
        self.frame_ordinals = nn.Linear(width, 2 * len(ORDINAL_PERIODS))
        self.register_buffer("waves", sinusoids(TIMESTAMPS, width), persistent=False)

    def embeddings(self) -> Tensor:
        """(vocabulary, width), for input and output."""
        return torch.cat([self.embedding, self.waves @ self.time_map])

    def places(self) -> Tensor:
        """(448, width)."""
        return self.waves[: self.size.tokens] @ self.place_map

    def encode(self, features: Tensor, offsets: Tensor | None = None) -> Tensor:
        """(B, 80, 2T) to (B, T, width); `offsets` (B,) are the positions of the first frames."""
        x = F.gelu(self.conv2(F.gelu(self.conv1(features)))).transpose(1, 2)
        positions = torch.arange(x.shape[1])[None] + (0 if offsets is None else offsets[:, None])
        x = x + self.waves[positions]
        for layer in self.encoder:
            x, _ = layer(x)
        return self.encoder_norm(x)

    def decode(self, tokens: Tensor, memory: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Logits (B, L, vocabulary) and each layer's attention to the sound (B, heads, L, T)."""
        table = self.embeddings()
        x = table[tokens] + self.places()[: tokens.shape[1]]
        attentions = []
        for layer in self.decoder:
            x, weights = layer(x, memory)
            attentions.append(weights)
        return self.decoder_norm(x) @ table.T, attentions
