"""Measure the test model as users meet it: INT8, through faster-whisper. Prints a table, then one line of JSON.

    PYTHONPATH=src python tools/score_test_model.py tests/fixtures/whisper-test [--digits manifest.csv]

Needs Talkie's own environment, no PyTorch.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from faster_whisper import WhisperModel

from test_model.listening import Heard, held_out, human_digits, word_errors


def score(model: WhisperModel, tests: list[Heard], **options: Any) -> dict[str, float]:
    """Word error rate; medians of the errors of segments' and words' times where their numbers agree."""
    begin = model.hf_tokenizer.token_to_id("<|0.00|>")
    errors = words = exact = 0
    segment_misses: list[float] = []
    word_misses: list[float] = []
    for test in tests:
        segments = list(model.transcribe(test.samples, language="en", temperature=0.0, **options)[0])
        heard = "".join(segment.text for segment in segments).split()
        wrong = word_errors(heard, test.words)
        errors, words, exact = errors + wrong, words + len(test.words), exact + (wrong == 0)
        told = [time for segment in segments for time in _told(segment, begin)]
        truth = [time for pair in test.times for time in pair]
        if len(told) == len(truth):
            segment_misses += [abs(a - b) for a, b in zip(told, truth, strict=True)]
        spoken = [word for segment in segments for word in segment.words or []]
        if wrong == 0 and len(spoken) == len(test.word_times):
            word_misses += [abs(w.start - a) for w, (a, _) in zip(spoken, test.word_times, strict=True)]
    result = {"wer": errors / words, "exact": exact / len(tests)}
    if segment_misses:
        result |= {"segment_s": float(np.median(segment_misses)), "segment_p95_s": _p95(segment_misses)}
    if word_misses:
        result |= {"word_s": float(np.median(word_misses)), "word_p95_s": _p95(word_misses)}
    return {name: round(value, 4) for name, value in result.items()}


def joined(tests: list[Heard], size: int) -> list[Heard]:
    """Files of `size` windows each, longer than 30 s, without times."""
    groups = [tests[start : start + size] for start in range(0, len(tests), size)]
    return [Heard(np.concatenate([t.samples for t in g]), [w for t in g for w in t.words], []) for g in groups]


def _told(segment: Any, begin: int) -> list[float]:
    """The times that the model told. (faster-whisper gives a single segment the start 0, whatever was told.)"""
    return [segment.seek / 100 + (token - begin) * 0.02 for token in segment.tokens if token >= begin]


def _p95(values: list[float]) -> float:
    return float(np.percentile(values, 95))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model", type=Path)
    parser.add_argument("--count", type=int, default=100, help="windows of each kind")
    parser.add_argument("--seed", type=int, default=4242, help="draws other windows")
    parser.add_argument("--digits", type=Path, help="manifest of recorded digits")
    options = parser.parse_args()
    model = WhisperModel(str(options.model), device="cpu", compute_type="int8", cpu_threads=1)
    tests = held_out(options.count, options.seed)
    results = {
        "greedy": score(model, tests, beam_size=1),
        "beam 5": score(model, tests, beam_size=5),
        "no timestamps": score(model, tests, beam_size=1, without_timestamps=True),
        "word times": score(model, tests, beam_size=1, word_timestamps=True),
        "prompt": score(model, tests, beam_size=1, initial_prompt="hello talkie", hotwords="lamp Zanzibar"),
    }
    files = joined(tests, 8)
    results["long files"] = score(model, files, beam_size=1)
    results["one by one"] = score(model, files, beam_size=1, condition_on_previous_text=False)
    if options.digits:
        people = list(human_digits(options.digits, options.count, options.seed))
        results["human digits"] = score(model, people, beam_size=1)
        results["human, beam 5"] = score(model, people, beam_size=5)
    for name, values in results.items():
        print(f"{name:16}" + "  ".join(f"{key} {value:.3f}" for key, value in values.items()))
    print(json.dumps(results))


if __name__ == "__main__":
    main()
