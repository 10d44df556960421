"""The drawn face on its timeline: a picture for each moment, a mouth that is shut in silence and follows speech."""

# ruff: noqa: RUF001  (IPA looks like other letters)

import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from speech import say
from talkie.errors import InvalidValue
from talkie.pipeline.face_drawn import MOODS, DrawnFace, portrait
from talkie.pipeline.faces import frames_of
from talkie.text.visemes import viseme_marks
from talkie.types import Mark, Picture, Samples
from talkie.video.drawn.moods import MOODS as KNOWN

SIZE = 96
MOUTH = np.s_[54:68, 38:58]
SHUT = 24  # what is dark of lips that meet


@pytest.fixture(scope="module")
def still() -> DrawnFace:
    return DrawnFace(SIZE, SIZE, mood="still")


def shown(face: DrawnFace, samples: Samples, marks: tuple[Mark, ...] = ()) -> list[Picture]:
    line = face.open()
    return [*line.feed(samples, marks), *line.finish()]


def openings(pictures: list[Picture]) -> NDArray[np.float64]:
    """How dark it is where the mouth is: what is between the lips is darker than they are."""
    return np.array([(picture[MOUTH].max(2) < 130).sum() for picture in pictures], float) - SHUT


def envelope(samples: Samples, count: int) -> NDArray[np.float64]:
    hop = 640
    padded = np.pad(samples, (0, hop))
    return np.array([np.sqrt(np.mean(padded[at * hop : at * hop + hop] ** 2)) for at in range(count)])


@pytest.mark.parametrize(
    ("seconds", "fps"), [(0.0, 25), (0.01, 25), (0.1, 25), (1.0, 25), (1.0, 30), (0.99, 60), (2.5, 10)]
)
def test_there_are_as_many_pictures_as_there_is_time(seconds: float, fps: float) -> None:
    face = DrawnFace(64, 64, fps=fps, mood="still")
    samples = np.zeros(round(seconds * 16_000), np.float32)
    assert len(shown(face, samples)) == frames_of(seconds, fps)


def test_pictures_come_as_soon_as_they_are_certain(still: DrawnFace) -> None:
    line = still.open()
    assert len(list(line.feed(np.zeros(8000, np.float32)))) == 10  # 0.5 s, less the 0.1 s it looks ahead
    assert len(list(line.feed(np.zeros(640, np.float32)))) == 1
    assert len(list(line.finish())) == 2
    assert len(list(line.feed(np.zeros(8000, np.float32)))) == 10, "the next utterance begins at 0"


def test_silence_is_a_face_at_rest(still: DrawnFace) -> None:
    rest = portrait(SIZE, SIZE, "still")
    assert all(np.array_equal(picture, rest) for picture in shown(still, np.zeros(32_000, np.float32)))
    line = still.open()
    assert all(np.array_equal(line.idle(), rest) for _ in range(20))


def test_in_silence_only_the_rest_of_the_face_lives() -> None:
    """The mouth of a moving head is the one at rest: with the motion taken out it does not change."""
    face = DrawnFace(SIZE, SIZE, mood="cheerful", seed=2)
    line = face.open()
    pictures = [*line.feed(np.zeros(64_000, np.float32)), *line.finish()]
    assert len({picture.tobytes() for picture in pictures}) > 50, "it lives"
    assert np.ptp(openings(pictures)) <= 6
    assert openings(shown(face, say("how are you today"))).max() > 15


def test_the_mouth_opens_with_the_voice(still: DrawnFace) -> None:
    sound = np.concatenate([say("nobody knows where the road goes"), np.zeros(8000, np.float32)])
    pictures = shown(still, sound)
    opening, loud = openings(pictures), envelope(sound, len(pictures))
    found = np.corrcoef(opening, loud)[0, 1]
    chance = np.random.default_rng(0)
    shuffled = [abs(np.corrcoef(chance.permutation(opening), loud)[0, 1]) for _ in range(50)]
    assert found > 0.6
    assert max(shuffled) < 0.5


def test_the_mouth_takes_the_shapes_of_its_marks(still: DrawnFace) -> None:
    sound = np.tile(say("nobody knows where the road goes")[:16_000], 2)
    phonemes = [
        Mark("phoneme", text, at / 4, at / 4 + 0.25) for at, text in enumerate(["ɑ", "m", "ɑ", "u", "m", "ɑ", "f", "ɑ"])
    ]
    opening = openings(shown(still, sound, viseme_marks(phonemes, 2.0)))
    middles = [opening[round((at / 4 + 0.125) * 25)] for at in range(8)]
    assert min(middles[0], middles[2], middles[5], middles[7]) > 2 * max(middles[1], middles[3], middles[4], middles[6])


def test_lips_meet_within_the_shortest_closure(still: DrawnFace) -> None:
    sound = np.tile(say("nobody knows where the road goes")[4000:12_000], 2)
    marks = tuple(Mark("viseme", *row) for row in (("D", 0.0, 0.5), ("A", 0.5, 0.54), ("D", 0.54, 1.0)))
    opening = openings(shown(still, sound, marks))
    assert opening[12:14].min() <= 1
    assert opening[8] > 15


def test_what_is_dropped_ends_at_once_and_the_mouth_closes(still: DrawnFace) -> None:
    line = still.open()
    pictures = line.feed(say("nobody knows where the road goes"))
    last = [next(pictures) for _ in range(9)][-1]
    line.drop()
    assert list(pictures) == []
    after = openings([last, *(line.idle() for _ in range(6))])
    assert after[0] > 5
    assert list(after[1:]) == sorted(after[1:], reverse=True), "it closes steadily"
    assert 0 < after[1] < after[0]
    assert np.array_equal(line.idle(), portrait(SIZE, SIZE, "still"))


def test_a_mood_is_seen_and_all_are_described() -> None:
    assert set(MOODS) == set(KNOWN)
    faces = {mood: portrait(SIZE, SIZE, mood).tobytes() for mood in MOODS if mood != "still"}
    assert len(set(faces.values())) == 4


@pytest.mark.parametrize(
    ("wish", "param"),
    [({"mood": "grim"}, "mood"), ({"width": 8}, "width"), ({"height": 9999}, "height"), ({"fps": 0.0}, "fps")],
)
def test_what_cannot_be_drawn_is_refused(wish: dict[str, float | str], param: str) -> None:
    with pytest.raises(InvalidValue) as error:
        DrawnFace(**wish)  # type: ignore[arg-type]
    assert error.value.param == param


def test_nothing_heavy_is_loaded_before_a_face_is_made() -> None:
    code = "import sys, talkie.pipeline.face_drawn, talkie.pipeline.face_pictures; sys.exit('PIL' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
