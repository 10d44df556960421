"""Whisper on OpenVINO: graphs built from the weights of a model, and the `Backend` that runs them."""
