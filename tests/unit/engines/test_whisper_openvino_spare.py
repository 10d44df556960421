"""Blocks of memory that are used again."""

from __future__ import annotations

from talkie.engines.asr.whisper.openvino.spare import SpareBlocks


def test_what_was_given_back_is_taken_again_where_it_is_large_enough() -> None:
    spare = SpareBlocks(1)
    first = spare.take([100, 200])
    assert [block.nbytes for block in first] == [100, 200]
    spare.give(first)
    again = spare.take([50, 200])
    assert all(one is other for one, other in zip(first, again, strict=True))


def test_what_is_too_small_makes_way() -> None:
    spare = SpareBlocks(1)
    small = spare.take([10])
    spare.give(small)
    large = spare.take([20])
    assert large[0].nbytes == 20
    spare.give(large)
    assert spare.take([10])[0] is large[0]


def test_no_more_is_kept_than_asked_for_and_nothing_after_the_end() -> None:
    spare = SpareBlocks(1)
    one, two = spare.take([10]), spare.take([10])
    spare.give(one)
    spare.give(two)
    assert spare.take([10])[0] is one[0]
    assert spare.take([10])[0] is not two[0]
    spare.close()
    spare.give(one)
    assert spare.take([10])[0] is not one[0]
