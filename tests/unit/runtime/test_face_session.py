"""A live face on a clock of the test's own: pictures beside their sound, and what stops, stops at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import numpy as np
import pytest

from face_parts import FPS, FRAMES_A_WORD, REST, WAIT_S, Clock, LevelFace, Viewer, Voice, level_of, shown, until
from talkie.errors import (
    EngineFailed,
    NothingToSay,
    QueueFull,
    SessionEnded,
    SessionIdle,
    SlowReader,
    TalkieError,
    TextTooLong,
)
from talkie.runtime.face import FaceTick
from talkie.runtime.face_maker import show
from talkie.runtime.face_options import FaceOptions
from talkie.runtime.face_session import LiveFace
from talkie.runtime.live import Who
from talkie.runtime.speech import SpeakRequest
from talkie.types import Samples

FOUR = "one two three four"
NINE = "one two three four five six seven eight nine"


@dataclass
class Stage:
    """A session, who looks at it, and what it stands on."""

    face: LevelFace = field(default_factory=LevelFace)
    voice: Voice = field(default_factory=Voice)
    clock: Clock = field(default_factory=Clock)
    ahead_s: float = 0.0

    def __post_init__(self) -> None:
        self.line = self.face.open()
        self.over: list[LiveFace] = []
        self.given_back = threading.Event()
        options = FaceOptions(SpeakRequest("", voice="anna"), ahead_s=self.ahead_s, idle_s=60.0)
        self.session = LiveFace(
            Who("face_1", "test", "levels"),
            self.line,
            self.face.info,
            self.voice.speak,
            options,
            over=self.over.append,
            clock=self.clock,
        )
        self.viewer = Viewer(self.session, self.clock, self.face)
        given = ExitStack()
        given.callback(self.given_back.set)
        self.thread = threading.Thread(target=show, args=(self.session, self.line, given), daemon=True)
        self.thread.start()

    def said(self, generation: int) -> list[FaceTick]:
        """All ticks of it, to its last."""
        return [
            tick
            for tick in self.viewer.look_until(lambda tick: tick.ended and tick.generation == generation)
            if tick.generation == generation
        ]

    def say(self, text: str) -> int:
        """Spoken to its end before anybody looks: less than two seconds, so that nothing waits."""
        generation = self.session.say(text)
        until(lambda: not self.session.left())
        return generation


@contextmanager
def a_stage(face: LevelFace | None = None, voice: Voice | None = None, *, ahead_s: float = 0.0) -> Iterator[Stage]:
    stage = Stage(face or LevelFace(), voice or Voice(), ahead_s=ahead_s)
    try:
        yield stage
    finally:
        stage.session.close()
        if stage.face.gate is not None:
            stage.face.gate.set()
        assert stage.given_back.wait(WAIT_S)
        stage.thread.join(WAIT_S)
        assert stage.over == [stage.session]


def levels(ticks: list[FaceTick]) -> list[int]:
    """Of their sound, as pictures of it would be."""
    return [level_of(tick.samples) for tick in ticks]


def words(ticks: list[FaceTick]) -> list[str]:
    return [mark.text for tick in ticks for mark in tick.marks if mark.kind == "word"]


@pytest.mark.parametrize("lookahead", [0, 11])
def test_each_frame_is_beside_its_own_sound(lookahead: int) -> None:
    with a_stage(LevelFace(lookahead)) as stage:
        stage.viewer.look(3)
        generation = stage.say(FOUR)
        ticks = stage.said(generation)
        assert levels(ticks) == [level for level in (10, 20, 30, 40) for _ in range(FRAMES_A_WORD)]
        assert [shown(tick) for tick in ticks] == levels(ticks)
        assert [tick.started for tick in ticks] == [True] + [False] * 19
        assert [tick.ended for tick in ticks] == [False] * 19 + [True]
        assert words(ticks) == FOUR.split()
        begins = {mark.text: at for at, tick in enumerate(ticks) for mark in tick.marks if mark.kind == "word"}
        assert begins == {"one": 0, "two": 5, "three": 10, "four": 15}
        everything = stage.viewer.ticks
        assert [tick.index for tick in everything] == list(range(len(everything)))
        assert all(tick.at_s == tick.index / FPS and len(tick.samples) == 1920 for tick in everything)
        assert {tick.generation for tick in everything[:3]} == {0} and shown(everything[0]) == REST
        assert [mark.start_s for mark in stage.line.marks] == [0.0, 0.2, 0.4, 0.6]


def test_what_was_interrupted_never_leaves_again() -> None:
    with a_stage(voice=Voice()) as stage:
        first = stage.say(NINE)
        stage.viewer.look_until(lambda tick: words([tick]) == ["three"])
        stopped = stage.session.interrupt()
        assert stopped is not None
        assert (stopped.generation, stopped.shown_s, stopped.text) == (first, 0.44, "one two")
        assert stopped.seconds_made == 1.8
        assert stage.session.interrupt() is None
        for tick in stage.viewer.look(10):
            assert tick.generation == 0 and not tick.samples.any() and not tick.marks
        until(lambda: stage.line.dropped > 0)
        assert shown(stage.viewer.look(3)[-1]) == REST
        second = stage.say("seven")
        assert second == first + 1
        assert levels(stage.said(second)) == [10] * 5


def test_a_new_text_stops_the_old_one_and_its_voice() -> None:
    gate = threading.Event()
    with a_stage(voice=Voice(gate, free=2)) as stage:
        stage.session.say(NINE)
        stage.viewer.look_until(lambda tick: tick.started)
        stage.voice.gate = None
        second = stage.session.say(FOUR)
        assert stage.voice.left.wait(WAIT_S)
        assert words(stage.said(second)) == FOUR.split()
        assert {tick.generation for tick in stage.viewer.ticks} <= {0, 1, 2}
        assert stage.viewer.ticks[-1].generation == 2
        assert [request.text for request in stage.voice.requests] == [NINE, FOUR]
        assert all(one.visemes is False or one.voice == "anna" for one in stage.voice.requests)


def test_a_picture_that_is_being_made_is_left_at_once() -> None:
    face = LevelFace(gate=threading.Event())
    with a_stage(face) as stage:
        stage.session.say(NINE)
        assert stage.line.at_work.wait(WAIT_S)
        shown_of_it = stage.session.interrupt()
        assert shown_of_it is not None and (shown_of_it.shown_s, shown_of_it.text) == (0.0, "")
        until(lambda: stage.line.dropped >= 2)  # by who interrupts, and by the thread before it goes on
        face.gate = None
        assert levels(stage.said(stage.say("four"))) == [10] * 5


def test_what_the_viewer_has_seen_counts_where_it_tells() -> None:
    with a_stage(ahead_s=0.4) as stage:
        stage.say(FOUR)
        begun = stage.viewer.look_until(lambda tick: tick.started)[-1]
        stage.viewer.look_until(lambda tick: words([tick]) == ["four"])
        stage.session.shown_until(begun.at_s + 0.42)
        stopped = stage.session.interrupt()
        assert stopped is not None and (stopped.shown_s, stopped.text) == (0.4, "one two")
        generation = stage.say(FOUR)
        ticks = stage.said(generation)  # all of it was handed out, and not all of it seen
        stage.session.shown_until(ticks[0].at_s + 0.3)
        stopped = stage.session.interrupt()
        assert stopped is not None and (stopped.generation, stopped.text) == (generation, "one")
        stage.said(stage.say("one"))
        stage.session.shown_until(1e6)
        assert stage.session.interrupt() is None


def test_frames_are_handed_out_no_sooner_than_asked() -> None:
    with a_stage(ahead_s=0.2) as stage:
        ahead = 0
        while stage.session.next_tick(0) is not None:
            ahead += 1
        assert ahead == 6  # the one that is due, and 0.2 s
        stage.clock.now_s += 0.0401
        assert stage.session.next_tick(0) is not None
        assert stage.session.next_tick(0.01) is None


def test_texts_being_written_are_spoken_one_after_the_other() -> None:
    with a_stage() as stage:
        first = stage.session.write("one two")
        assert stage.session.write("three ") == first
        stage.session.end_text()
        stage.session.end_text()
        second = stage.session.write("four")
        stage.session.end_text()
        assert (first, second) == (1, 2)
        assert words(stage.said(first)) == ["one", "two", "three"]
        assert words(stage.said(second)) == ["four"]
        with pytest.raises(QueueFull):
            for _ in range(20):
                stage.session.write("more")
                stage.session.end_text()
        assert stage.session.interrupt() is not None
        stage.session.write("word")
        with pytest.raises(TextTooLong):
            stage.session.write("x" * 1_000_001)


def test_speech_that_pauses_makes_a_pause_of_both() -> None:
    gate = threading.Event()
    with a_stage(LevelFace(lookahead=3), Voice(gate, free=2)) as stage:
        generation = stage.session.say("one two three")
        stage.viewer.look_until(lambda tick: tick.generation == generation and not tick.samples.any())
        gate.set()
        stage.said(generation)
        ticks = [tick for tick in stage.viewer.ticks if tick.generation == generation]
        sound = levels(ticks)
        assert [level for level in sound if level] == [10] * 5 + [20] * 5 + [30] * 5
        assert sound[:10] == [10] * 5 + [20] * 5
        assert [shown(tick) for tick in ticks] == sound
        third = next(at for at, tick in enumerate(ticks) if "three" in words([tick]))
        assert sound[third] == 30
        assert int(ticks[third].marks[0].start_s * FPS) == third


def test_sound_goes_on_where_pictures_are_late() -> None:
    face = LevelFace(gate=threading.Event())
    with a_stage(face) as stage:
        assert face.gate is not None
        stage.say(NINE)
        assert stage.line.at_work.wait(WAIT_S)
        assert not any(tick.generation for tick in stage.viewer.look(3))  # a face that is not ready does not begin
        face.gate.set()
        stage.viewer.look_until(lambda tick: tick.started)
        face.gate.clear()
        held = stage.viewer.look_until(lambda tick: levels([tick]) == [50])
        assert len(held) > 12  # more than was made ahead
        assert levels(held) == sorted(levels(held)) and all(tick.samples.any() for tick in held)
        assert shown(held[-1]) < 50
        face.gate = None
        ticks = stage.viewer.look_until(lambda tick: tick.ended)
        assert levels(ticks)[-5:] == [90] * 5
        assert [shown(tick) for tick in ticks[-3:]] == levels(ticks[-3:])


def test_a_face_that_is_far_behind_goes_on_where_it_will_be_seen() -> None:
    face = LevelFace(gate=threading.Event())
    with a_stage(face, Voice()) as stage:
        assert face.gate is not None
        face.gate.set()
        stage.session.say(" ".join([NINE] * 4))
        stage.viewer.look_until(lambda tick: tick.started)
        face.gate.clear()
        stage.viewer.look(75)  # three seconds
        face.gate = None
        ticks = stage.viewer.look_until(lambda tick: tick.ended)
        assert [shown(tick) for tick in ticks[-25:]] == levels(ticks[-25:])
        spoken = [tick for tick in stage.viewer.ticks if tick.generation and tick.samples.any()]
        assert words(spoken) == (NINE.split() * 4)


def voice_of(level: float, seconds: float) -> Samples:
    return np.full(round(16_000 * seconds), level, np.float32)


def test_somebody_elses_voice_moves_the_mouth_in_silence() -> None:
    with a_stage() as stage:
        stage.session.hear(voice_of(0.3, 0.2))
        ticks = stage.viewer.look_until(lambda tick: shown(tick) == 60)
        assert not ticks[-1].samples.any() and ticks[-1].generation == 0
        assert stage.session.state == "listening" and stage.session.heard_s == pytest.approx(0.2)
        stage.viewer.look_until(lambda _: stage.session.state == "idle")  # it has paused
        assert shown(stage.viewer.look(3)[-1]) == REST
        stage.session.hear(voice_of(0.4, 0.2))
        stage.viewer.look_until(lambda tick: shown(tick) == 80)
        generation = stage.say("one")
        assert levels(stage.said(generation)) == [10] * 5


def test_a_voice_stops_what_is_being_spoken() -> None:
    with a_stage() as stage:
        stage.session.say(NINE)
        stage.viewer.look_until(lambda tick: tick.started)
        stage.session.hear(voice_of(0.6, 3.0))
        assert not stage.viewer.look(1)[0].samples.any()
        stage.viewer.look_until(lambda tick: shown(tick) == 120)
        assert stage.voice.left.wait(WAIT_S)


def test_speech_that_fails_ends_the_utterance_and_not_the_session() -> None:
    with a_stage(voice=Voice(fails=EngineFailed("fake", "it broke"))) as stage:
        ticks = stage.said(stage.say("one"))
        assert isinstance(ticks[-1].error, EngineFailed) and levels(ticks) == [10] * 5
        stage.voice.fails = NothingToSay()
        generation = stage.say("")
        (tick,) = stage.said(generation)
        assert isinstance(tick.error, NothingToSay) and tick.ended and not tick.samples.any()
        stage.voice.fails = RuntimeError("secret words")
        error = stage.said(stage.say(""))[-1].error
        assert isinstance(error, TalkieError) and "secret" not in str(error)
        stage.voice.fails = None
        assert stage.said(stage.say("one"))[-1].error is None


def test_a_face_that_fails_ends_the_session() -> None:
    with a_stage(LevelFace(fails=EngineFailed("fake", "it broke"))) as stage:
        stage.session.say(FOUR)
        assert stage.given_back.wait(WAIT_S)
        for act in (
            lambda: stage.session.next_tick(0),
            lambda: stage.session.say("one"),
            lambda: stage.session.write("one"),
            stage.session.end_text,
            stage.session.interrupt,
            lambda: stage.session.shown_until(1.0),
            lambda: stage.session.hear(voice_of(0.1, 0.1)),
            lambda: stage.session.change(SpeakRequest("")),
        ):
            with pytest.raises(EngineFailed, match="it broke"):
                act()


def test_another_way_of_speaking_is_for_later_utterances() -> None:
    with a_stage() as stage:
        stage.said(stage.say("one"))
        stage.session.change(SpeakRequest("passed over", voice="bernd", speed=1.5))
        stage.said(stage.say("two"))
        was, now = stage.voice.requests
        assert (was.voice, now.voice, now.speed, now.text, now.visemes) == ("anna", "bernd", 1.5, "two", True)
        assert (was.generation, now.generation) == (1, 2)


def test_a_reader_that_is_too_slow_is_left() -> None:
    with a_stage() as stage:
        stage.viewer.look()
        stage.clock.now_s += 11
        with pytest.raises(SlowReader):
            stage.session.next_tick(WAIT_S)
        assert stage.over


@pytest.mark.parametrize(("taken", "error"), [(1, SlowReader), (0, SessionIdle)])
def test_a_session_that_nobody_looks_at_ends(taken: int, error: type[TalkieError]) -> None:
    with a_stage() as stage:
        stage.viewer.look(taken)
        stage.clock.now_s += 61
        assert stage.given_back.wait(WAIT_S)
        with pytest.raises(error):
            stage.session.next_tick(0)


def test_who_waits_is_woken_for_ticks_and_for_the_end() -> None:
    with a_stage() as stage:
        woken = threading.Event()
        stage.session.wake(woken.set)
        assert woken.wait(WAIT_S)
        assert stage.session.next_tick(0) is not None
        woken.clear()
        stage.clock.now_s += 1 / FPS + 1e-7
        assert woken.wait(WAIT_S)
        assert stage.session.next_tick(0) is not None
        until(lambda: not stage.session._busy)
        woken.clear()
        stage.session.end(SessionEnded())
        assert woken.wait(WAIT_S)
        with pytest.raises(SessionEnded):
            stage.session.next_tick(0)


def test_a_session_may_finish_what_it_says() -> None:
    with a_stage() as stage:
        stage.session.say("one")
        stage.viewer.look_until(lambda tick: tick.started)
        stage.session.finish_quietly()
        assert not stage.over
        stage.viewer.look_until(lambda tick: tick.ended)
        until(lambda: bool(stage.over))
        assert stage.session.next_tick(0) is None
