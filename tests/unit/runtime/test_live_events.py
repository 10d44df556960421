"""Events that nobody has read yet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.errors import SlowReader
from talkie.runtime.live_events import Unread
from talkie.types import LiveEvent, LiveFinal, LiveNotice, LivePartial, Notice, Span, SpeechStarted, Transcript

NOTICE = LiveNotice(Notice("a", "b"))


def partial(utterance: int, text: str) -> LivePartial:
    return LivePartial(utterance, 0.0, 1.0, text)


def final(utterance: int) -> LiveFinal:
    return LiveFinal(utterance, Span(0, 1), Transcript())


def test_of_an_utterance_only_the_newest_partial_waits() -> None:
    unread = Unread()
    unread.add([SpeechStarted(1, 0.0), partial(1, "a"), final(0), NOTICE, partial(1, "a b"), partial(1, "a b c")])
    assert unread.take() == [SpeechStarted(1, 0.0), final(0), NOTICE, partial(1, "a b c")]
    unread.add([partial(1, "a b c d")])
    assert unread.take() == [partial(1, "a b c d")] and unread.take() == []


def test_a_reader_who_does_not_read_is_told_so() -> None:
    unread = Unread(3)
    unread.add([final(0), final(1), partial(2, "a")])
    for count in range(100):
        unread.add([partial(2, "a" * count)])
    with pytest.raises(SlowReader):
        unread.add([final(2)])
    assert [type(event) for event in unread.take()] == [LiveFinal, LiveFinal, LivePartial]


@given(
    st.lists(st.one_of(st.builds(partial, st.integers(0, 3), st.text(max_size=3)), st.builds(final, st.integers(0, 3))))
)
def test_nothing_but_old_partials_is_lost(events: list[LiveEvent]) -> None:
    unread = Unread()
    unread.add(events)
    left = unread.take()
    assert [event for event in left if not isinstance(event, LivePartial)] == [
        event for event in events if not isinstance(event, LivePartial)
    ]
    newest = {event.utterance: event for event in events if isinstance(event, LivePartial)}
    assert all(event in left for event in newest.values())
