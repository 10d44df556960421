"""What windows are labelled with: Whisper's two forms, cut segments, silence, prompts."""

import numpy as np
import pytest

from test_model.labels import FULL_FRAMES, Segment, Window, label, make_batch, plain_body, previous_text, timed_body
from test_model.words import WORDS, Vocabulary

VOCABULARY = Vocabulary()


def window(*segments: Segment, frames: int = FULL_FRAMES, offset: int = 0) -> Window:
    return Window(np.zeros((80, frames), np.float32), list(segments), offset)


def segment(start: float, text: str, *, cut: bool = False) -> Segment:
    """Words of half a second, in frames of 20 ms."""
    words = [(WORDS.index(w), start + 25 * i, start + 25 * (i + 1)) for i, w in enumerate(text.split())]
    return Segment(words, cut)


def said(tokens: list[int]) -> list[str]:
    return [VOCABULARY.tokens[token].replace("Ġ", "") for token in tokens]


def test_segments_stand_between_their_times() -> None:
    tokens, spans = timed_body(window(segment(10, "one two"), segment(100, "stop")), VOCABULARY)
    assert said(tokens) == ["<|0.20|>", "one", "two", "<|1.20|>", "<|2.00|>", "stop", "<|2.50|>"]
    assert all(a <= 35 < b for a, b in spans[2:3])


def test_a_late_first_start_is_told_as_one_second() -> None:
    assert said(timed_body(window(segment(300, "go")), VOCABULARY)[0]) == ["<|1.00|>", "go", "<|6.50|>"]


def test_a_short_window_tells_times_in_the_model_s_positions() -> None:
    tokens, _ = timed_body(window(segment(10, "go"), frames=400, offset=500), VOCABULARY)
    assert said(tokens) == ["<|10.20|>", "go", "<|10.70|>"]


def test_of_a_cut_segment_only_the_start_is_told() -> None:
    tokens, _ = timed_body(window(segment(10, "go"), segment(1480, "stop", cut=True)), VOCABULARY)
    assert said(tokens) == ["<|0.20|>", "go", "<|0.70|>", "<|29.60|>"]


def test_without_times_every_word_is_told() -> None:
    tokens, _ = plain_body(window(segment(10, "one two"), segment(1450, "stop", cut=True)), VOCABULARY)
    assert said(tokens) == ["one", "two", "stop"]


@pytest.mark.parametrize("seed", range(20))
def test_rows_line_up(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for windows in (window(segment(10, "one two")), window()):
        row = label(windows, VOCABULARY, rng)
        assert len(row.tokens) == len(row.targets) == len(row.spans)
        known = [target for target in row.targets if target >= 0]
        assert known[-1] == VOCABULARY.special("endoftext")
        start = row.tokens.index(VOCABULARY.special("startoftranscript"))
        assert all(target == -1 for target in row.targets[:start])
        # Each known target is the next token read, but for the end and for the "no speech" never read.
        pairs = zip(row.targets[start:-1], row.tokens[start + 1 :], strict=True)
        assert all(target in (-1, token, VOCABULARY.special("nospeech")) for target, token in pairs)


def test_silence_is_told_as_no_speech() -> None:
    row = label(window(), VOCABULARY, np.random.default_rng(3))
    assert VOCABULARY.special("nospeech") in row.targets


def test_prompts_begin_with_their_token() -> None:
    for seed in range(20):
        assert previous_text(VOCABULARY, np.random.default_rng(seed))[0] == VOCABULARY.special("startofprev")


def test_frames_are_labelled_with_their_words() -> None:
    batch = make_batch([window(segment(10, "one two"))], VOCABULARY, np.random.default_rng(0))
    assert batch.frame_words.shape == (1, 1500)
    assert batch.frame_words[0, [9, 10, 34, 35, 60]].tolist() == [
        len(WORDS),
        WORDS.index("one"),
        WORDS.index("one"),
        WORDS.index("two"),
        len(WORDS),
    ]
    assert batch.ordinals[0, [9, 10, 35]].tolist() == [-1, 0, 1]
