"""What is measured of a session: from a sound's coming to its text."""

from __future__ import annotations

from talkie.runtime import metrics
from talkie.runtime.live_figures import KEPT, OTHER, Arrivals, Figures, door_label, reason_label
from talkie.types import LiveFinal, LivePartial, Span, Transcript


def total(name: str) -> float:
    return metrics.REGISTRY.get_sample_value(f"talkie_live_{name}") or 0.0


def test_when_sound_came() -> None:
    arrivals = Arrivals()
    assert arrivals.of(0.0) is None
    for place in range(100):
        arrivals.add((place + 1) * 0.1, 50 + place)
    assert arrivals.of(0.05) == 50 and arrivals.of(0.95) == 59 and arrivals.of(11.0) is None


def test_tiny_pieces_take_no_more_room_and_old_ones_are_forgotten() -> None:
    arrivals = Arrivals()
    for place in range(100 * KEPT):
        arrivals.add(place * 0.001, place)
    assert arrivals.of(0.1) is None
    found = arrivals.of(300.0)
    assert found is not None and 300_000 <= found <= 300_060


def test_how_late_texts_are() -> None:
    figures = Figures("fake")
    figures.padding_s = 0.3
    for place in range(20):
        figures.arrivals.add((place + 1) * 0.1, 100 + place * 0.1)
    before = [total(f"{name}_seconds_sum") for name in ("partial", "final")]
    figures.told(LivePartial(0, 0.0, 1.0, "a"), 101.9)  # a second of sound was there at 100.9
    figures.told(LiveFinal(0, Span(0.2, 1.3), Transcript()), 102.4)  # speech ended at 1.0
    after = [total(f"{name}_seconds_sum") for name in ("partial", "final")]
    assert [round(new - old, 6) for new, old in zip(after, before, strict=True)] == [1.0, 1.5]


def test_an_empty_answer_to_a_commit_is_no_delay() -> None:
    figures, before = Figures("fake"), total("final_seconds_count")
    figures.arrivals.add(1.0, 100)
    figures.told(LiveFinal(0, Span(1.0, 1.0), Transcript()), 200)
    assert total("final_seconds_count") == before


def test_lag_is_sampled_once_a_second_of_sound() -> None:
    figures, before = Figures("fake"), total("lag_seconds_count")
    for place in range(100):
        figures.heard(0.1, place * 0.1, 0.5)
    assert total("lag_seconds_count") - before in (9, 10)


def test_windows_taken_back_are_counted_once() -> None:
    figures, before = Figures("fake"), total("cancelled_total")
    for count in (1, 1, 3):
        figures.cancelled(count)
    assert total("cancelled_total") - before == 3


def test_labels_are_closed_lists() -> None:
    assert door_label("page") == "page" and door_label("x") == OTHER
    assert reason_label("slow_reader") == "slow_reader" and reason_label("x") == OTHER
