"""Twenty short things to say, in words that the trained test model knows: the first and the last word of each must
arrive at every door."""

from __future__ import annotations

COMMANDS = (
    "open the door",
    "turn off the light",
    "play music please",
    "stop the music now",
    "volume up",
    "close the window",
    "good morning talkie",
    "what time is it",
    "turn the lamp on",
    "thank you",
    "one two three four",
    "nine eight seven",
    "red green blue",
    "go left please",
    "yes please",
    "no thank you",
    "start the music",
    "lamp off please",
    "hello talkie",
    "zero five six",
)
"""Each by itself is heard without a mistake when it is spoken by `say` of `speech.py`."""
