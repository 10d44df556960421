"""Environments of engines whose pins do not fit beside ours: which there are, where they lie, how they are made."""
