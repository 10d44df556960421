"""The Wyoming door, for Home Assistant: plain TCP, one utterance after another."""
