from __future__ import annotations

import pytest

from talkie.runtime import tuning
from talkie.runtime.tuning import Candidate, Machine, Measured

MACHINE = Machine(("int8_float32", "float32"), ("float32", "int8"), 4, has_wide_vectors=True)
FLOAT = Candidate("ctranslate2", "float32", 4)
INT8 = Candidate("openvino", "int8_float32", 4)


def measured(candidate: Candidate = INT8, errors: int = 0, words: int = 1000, processor_s: float = 1.0) -> Measured:
    return Measured(candidate, 60.0, processor_s, 0.5, 10**8, errors, words, 8)


def test_float32_comes_first_and_every_form_once() -> None:
    found = tuning.forms(MACHINE)
    assert [(one.backend, one.compute_type) for one in found] == [
        ("ctranslate2", "float32"),
        ("ctranslate2", "int8"),
        ("openvino", "int8_float32"),
        ("openvino", "float32"),
    ]
    assert {(one.workers, one.threads) for one in found} == {(4, 1)}


def test_numbers_that_the_user_named_are_the_only_ones_beside_the_reference() -> None:
    names = [f"{one.backend} {one.compute_type}" for one in tuning.forms(MACHINE, "int8")]
    assert names == ["ctranslate2 float32", "ctranslate2 int8", "openvino int8_float32"]
    assert len(tuning.forms(MACHINE, "float32")) == 2


def test_other_ways_to_run_the_best() -> None:
    assert [str(one) for one in tuning.variants(INT8, MACHINE)] == [
        "openvino int8_float32, 1 x 4",
        "openvino int8_float32, 4 x 1, batches of 4",
        "openvino int8_float32, 4 x 1, batches of 16",
    ]
    assert [one.vectors for one in tuning.variants(FLOAT, MACHINE)] == ["", "", "", "AVX2"]
    alone = Machine((), ("float32",), 1)
    assert [one.max_batch for one in tuning.variants(FLOAT, alone)] == [4, 16]


@pytest.mark.parametrize(
    ("errors", "reference", "words", "passes"),
    [
        (53, 50, 1000, True),
        (54, 50, 1000, False),
        (40, 50, 1000, True),
        (11, 10, 200, True),  # half a point, but one word
        (12, 10, 200, False),
        (130, 100, 10_000, True),
        (131, 100, 10_000, False),
    ],
)
def test_what_hears_worse_than_float32_is_refused(errors: int, reference: int, words: int, passes: bool) -> None:
    against = measured(FLOAT, reference, words)
    reason = tuning.refusal(measured(INT8, errors, words), against)
    assert (reason == "") is passes
    if not passes:
        assert f"({errors - reference} more of {words} words wrong)" in reason and "points worse" in reason


def test_what_cannot_be_run_says_why() -> None:
    assert tuning.refusal(Measured(INT8, trouble="no memory"), measured(FLOAT)) == "no memory"


def test_when_words_are_no_judge() -> None:
    assert tuning.judges(measured(FLOAT, 10), own_files=False) == ""
    assert "too few" in tuning.judges(measured(FLOAT, 0, 99), own_files=True)
    assert "no memory" in tuning.judges(Measured(FLOAT, trouble="no memory"), own_files=True)
    foreign = measured(FLOAT, 600)
    assert "--speech" in tuning.judges(foreign, own_files=False) and not tuning.judges(foreign, own_files=True)


def test_the_fastest_that_is_not_refused_and_the_plainer_where_it_is_as_good() -> None:
    slow, fast, hardly = measured(FLOAT, processor_s=2.0), measured(processor_s=1.0), measured(processor_s=0.99)
    assert tuning.best([slow, fast, hardly], ["", "", ""]) is fast
    assert tuning.best([slow, fast, hardly], ["", "worse", ""]) is hardly
    assert tuning.best([slow, fast], ["", "worse"]) is slow
    assert tuning.best([slow], ["worse"]) is None
    assert (fast.speed, fast.rtfx, fast.rate) == (60.0, 120.0, 0.0)
