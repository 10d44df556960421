"""Decoding loops over a step-wise decoder (`steps.Steps`): greedy, beams, draws; languages; alignment."""

from talkie.engines.asr.whisper.search.alignment import alignment
from talkie.engines.asr.whisper.search.generate import generate
from talkie.engines.asr.whisper.search.languages import languages

__all__ = ["alignment", "generate", "languages"]
