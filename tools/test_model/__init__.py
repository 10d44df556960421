"""Parts of `tools/train_test_model.py`: the tiny Whisper that Talkie's tests hear with."""
