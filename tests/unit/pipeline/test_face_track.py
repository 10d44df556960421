"""When a mouth does what: by marks, by sound, and shut in silence."""

import numpy as np
import pytest

from talkie.pipeline.face_levels import Levels
from talkie.pipeline.face_track import LOOKAHEAD_S, Moment, MouthTrack
from talkie.types import Mark, Samples

FPS = 25.0


def voice(seconds: float, hz: float = 140.0, loud: float = 0.3) -> Samples:
    at = np.arange(round(seconds * 16_000)) / 16_000
    return (loud * np.sign(np.sin(2 * np.pi * hz * at)) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * at))).astype(np.float32)


def marks(*rows: tuple[str, float, float]) -> list[Mark]:
    return [Mark("viseme", letter, start_s, end_s) for letter, start_s, end_s in rows]


def moments(samples: Samples, given: list[Mark], fps: float = FPS) -> list[Moment]:
    track = MouthTrack(fps)
    track.feed(samples, given)
    track.finish()
    return [track.moment(index) for index in range(int(track.seconds * fps))]


def weight(moment: Moment, letter: str) -> float:
    return dict(moment.weights).get(letter, 0.0)


def test_the_same_moments_however_the_sound_is_cut() -> None:
    sound = voice(3.0)
    given = marks(("D", 0.2, 0.5), ("A", 0.5, 0.56), ("C", 0.56, 1.1), ("X", 1.1, 1.5))
    whole = moments(sound, given)
    chance = np.random.default_rng(1)
    track, cut, index, waiting = MouthTrack(FPS), 0, 0, list(given)
    told: list[Moment] = []
    while cut < len(sound):
        piece = sound[cut : cut + int(chance.integers(1, 4000))]
        cut += len(piece)
        due = [mark for mark in waiting if mark.start_s * 16_000 <= cut]
        waiting = waiting[len(due) :]
        track.feed(piece, due)
        while (index + 1) / FPS + LOOKAHEAD_S <= track.seconds:
            told.append(track.moment(index))
            index += 1
    track.finish()
    told += [track.moment(at) for at in range(index, len(whole))]
    assert told == whole


def test_the_mouth_is_on_its_way_before_the_sound() -> None:
    told = moments(voice(2.0), marks(("X", 0.0, 1.0), ("D", 1.0, 2.0)))
    assert weight(told[21], "D") == 0
    assert 0 < weight(told[24], "D") < 0.6  # 0.96 to 1.00 s
    assert weight(told[27], "D") == pytest.approx(1.0)


@pytest.mark.parametrize("fps", [12.0, 25.0, 30.0, 60.0])
@pytest.mark.parametrize("start_s", [0.5, 0.513, 0.527, 0.539])
def test_lips_are_shut_in_time_for_the_shortest_closure(fps: float, start_s: float) -> None:
    given = marks(("D", 0.0, start_s), ("A", start_s, start_s + 0.04), ("D", start_s + 0.04, 1.0))
    told = moments(voice(1.0), given, fps)
    shut = [index / fps for index, moment in enumerate(told) if moment.lips >= 0.999]
    assert shut, "at some picture at least"
    assert all(start_s - 1.5 / fps < at_s < start_s + 0.04 + 0.5 / fps for at_s in shut)
    assert told[0].lips == told[-1].lips == 0


def test_without_marks_it_follows_the_sound() -> None:
    sound = np.concatenate([np.zeros(8000, np.float32), voice(0.5), np.zeros(8000, np.float32), voice(0.5, loud=0.02)])
    told = moments(sound, [])
    openness = [1 - weight(moment, "X") for moment in told]
    assert max(openness[:9]) == 0
    assert min(openness[15:23]) > 0.5
    assert max(openness[28:36]) == 0
    assert all(moment.by_sound for moment in told if moment.loud > 0.5)
    assert 0 < np.mean(openness[40:48]) < 0.6 * np.mean(openness[15:23]), "what is soft opens it less"


def test_what_the_sound_is_like_shapes_the_mouth() -> None:
    at, chance = np.arange(16_000) / 16_000, np.random.default_rng(0)
    dark = (0.3 * np.sin(2 * np.pi * 300 * at)).astype(np.float32)
    bright = (0.1 * np.sin(2 * np.pi * 300 * at) + 0.2 * np.sin(2 * np.pi * 2500 * at)).astype(np.float32)
    hiss = np.diff(chance.standard_normal(16_001)).astype(np.float32) * 0.05
    for sound, letter in ((dark, "E"), (bright, "C"), (hiss, "B")):
        weights = dict(moments(sound, [])[12].weights)
        assert max(weights, key=lambda one: weights[one]) == letter


@pytest.mark.parametrize("level", [0.0, 1e-4])
def test_silence_is_a_shut_mouth_whatever_marks_say(level: float) -> None:
    noise = (np.random.default_rng(0).standard_normal(48_000) * level).astype(np.float32)
    for given in ([], marks(("D", 0.0, 3.0))):
        assert all(moment.weights == (("X", 1.0),) for moment in moments(noise, given))


def test_a_steady_noise_is_no_speech() -> None:
    noise = (np.random.default_rng(0).standard_normal(16_000 * 8) * 0.01).astype(np.float32)
    assert all(weight(moment, "X") > 0.95 for moment in moments(noise, [])[125:])


def test_damaged_sound_is_survived() -> None:
    sound = voice(1.0)
    sound[4000:4100] = np.nan
    sound[8000:8100] = np.inf
    for moment in moments(np.asarray(sound * np.float32(4)), []):
        assert all(0 <= share <= 1 for _, share in moment.weights)


def test_what_was_shown_is_forgotten() -> None:
    track = MouthTrack(FPS)
    block, told = np.zeros(160_000, np.float32), 0
    for tens in range(12):
        track.feed(
            block, marks(*((letter, tens * 10 + at, tens * 10 + at + 1.0) for at, letter in enumerate("ABCDEFGHXA")))
        )
        while (told + 1) / FPS + LOOKAHEAD_S <= track.seconds:
            track.moment(told)
            told += 1
        assert len(track._marks) <= 12
        assert len(track._levels._levels) < 200
    assert told == 2997


def test_a_level_is_that_of_its_moment() -> None:
    levels = Levels()
    sound = np.zeros(16_000, np.float32)
    sound[8000:8800] = voice(0.05)
    levels.feed(sound)
    levels.finish()
    loudest = max(range(100), key=lambda hop: levels.at(hop / 100).db)
    assert 50 <= loudest <= 55
    assert levels.at(5.0).db == -120.0
