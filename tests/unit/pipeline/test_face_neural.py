"""A neural face as a line: batches that grow, what is dropped, the mouth at rest, and packs of every kind."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from face_lines import GreyMouths, MemorySource, SaidSpeech
from talkie.engines.base import VoiceActivityDetector
from talkie.errors import BadAvatar, Cancelled, EngineFailed
from talkie.models.avatar_boxes import Box
from talkie.models.avatar_pack import AvatarPack
from talkie.pipeline.face_features import FaceFeatures
from talkie.pipeline.face_neural import NeuralFace, NeuralLook, open_neural
from talkie.pipeline.face_neural_line import NeuralLine
from talkie.pipeline.faces import Face, MouthItem
from talkie.types import Picture, Samples
from talkie.video.boxes import FaceBox

RATE_HZ = 16_000
BOX = FaceBox(4, 4, 40)
MIDDLE = np.s_[24, 24, 0]
NOISE = np.random.default_rng(3).normal(0, 0.2, 20 * RATE_HZ).astype(np.float32)
SILENCE = np.zeros(20 * RATE_HZ, np.float32)


def frames(count: int = 3) -> list[Picture]:
    return [np.full((48, 48, 3), 100 + 5 * number, np.uint8) for number in range(count)]


def face(
    mouths: GreyMouths,
    look: NeuralLook | None = None,
    detector: VoiceActivityDetector | None = None,
    source: list[Picture] | None = None,
) -> NeuralFace:
    return NeuralFace(MemorySource(source or frames()), look or NeuralLook([BOX]), mouths, detector or SaidSpeech())


def bright(max_batch: int = 8, *, held: bool = False) -> GreyMouths:
    """200 for any sound, 40 for silence."""
    return GreyMouths(max_batch=max_batch, held=held, level=lambda heard: (200 if heard.any() else 40) / 255)


def said(line: NeuralLine, samples: Samples) -> list[Picture]:
    return [*line.feed(samples), *line.finish()]


def greys(pictures: list[Picture]) -> list[int]:
    return [int(picture[MIDDLE]) for picture in pictures]


def test_it_is_a_face() -> None:
    one: Face = face(bright())
    assert one.info.kind == "neural" and (one.info.width, one.info.height, one.info.fps) == (48, 48, 25.0)
    one.close()


def test_the_first_batch_is_one_frame_and_the_next_ones_grow() -> None:
    mouths = bright(max_batch=8)
    line = face(mouths).open()
    assert len(list(line.feed(NOISE[: 2 * RATE_HZ]))) == 39
    assert mouths.batches == [1, 2, 4, 8, 8, 8, 8]
    list(line.feed(NOISE[: 2 * RATE_HZ]))
    assert mouths.batches[7:9] == [8, 8], "an utterance that goes on stays with large batches"
    list(line.finish())
    mouths.batches.clear()
    list(line.feed(NOISE[:RATE_HZ]))
    assert mouths.batches[:3] == [1, 2, 4], "the next utterance begins with a small one"


def test_the_first_frame_waits_for_its_own_features_only() -> None:
    mouths = bright(held=True)
    pictures = face(mouths).open().feed(NOISE[: 5 * RATE_HZ])
    first = threading.Thread(target=lambda: next(pictures))
    first.start()
    assert mouths.asked.acquire(timeout=30) and mouths.asked.acquire(timeout=30)
    assert mouths.encoded < 12, "of 119 windows"
    mouths.answer()
    first.join(30)
    assert not first.is_alive() and len(mouths.batches) == 3, "one was given, two are under way"


def test_two_batches_are_under_way_while_a_third_is_put_together() -> None:
    mouths = bright(max_batch=2, held=True)
    pictures = face(mouths).open().feed(NOISE[: 2 * RATE_HZ])
    got: list[Picture] = []
    taken = threading.Semaphore(0)

    def take() -> None:
        for picture in pictures:
            got.append(picture)
            taken.release()

    thread = threading.Thread(target=take)
    thread.start()
    for _ in range(2):
        assert mouths.asked.acquire(timeout=30)
    assert mouths.batches == [1, 2] and not mouths.asked.acquire(timeout=0.02)
    mouths.answer()
    assert taken.acquire(timeout=30) and mouths.asked.acquire(timeout=30)
    assert mouths.batches == [1, 2, 2] and len(got) == 1
    mouths.answer()
    assert taken.acquire(timeout=30) and taken.acquire(timeout=30) and mouths.asked.acquire(timeout=30)
    while len(got) < 39 and thread.is_alive():
        mouths.answer()
        assert taken.acquire(timeout=30) and taken.acquire(timeout=30)
        assert len(got) >= 37 or mouths.asked.acquire(timeout=30)
    thread.join(30)
    assert len(got) == 39 and not mouths.waiting


def test_dropping_from_another_thread_ends_the_wait_and_cancels_what_was_asked() -> None:
    mouths = bright(held=True)
    line = face(mouths).open()
    got: list[Picture] = []
    thread = threading.Thread(target=lambda: got.extend(line.feed(NOISE[: 3 * RATE_HZ])))
    thread.start()
    assert mouths.asked.acquire(timeout=30) and mouths.asked.acquire(timeout=30)
    line.drop()
    thread.join(30)
    assert not thread.is_alive() and not got
    assert all(future.cancelled() for future, _ in mouths.waiting)


def test_after_a_drop_the_next_utterance_begins_at_its_own_beginning() -> None:
    mouths = GreyMouths(level=lambda heard: float(heard[7, 0]))
    line, fresh = face(mouths).open(), face(mouths).open()
    pictures = line.feed(NOISE[: 2 * RATE_HZ])
    shown = [next(pictures) for _ in range(5)]
    line.drop()
    assert list(pictures) == []
    for _ in shown:
        fresh.idle()
    again, first = said(line, NOISE[-RATE_HZ:]), said(fresh, NOISE[-RATE_HZ:])
    assert len(again) == 25
    # the source frames go on from the last that was shown, and the mouth that was open gives way
    assert all(np.array_equal(one, other) for one, other in zip(again, first, strict=True))


def test_what_was_open_fades_when_it_is_dropped_and_what_comes_after_has_shut() -> None:
    line = face(bright(), source=frames(1)).open()
    pictures = line.feed(NOISE[: 2 * RATE_HZ])
    assert greys([next(pictures) for _ in range(4)]) == [200] * 4
    line.drop()
    resting = greys([line.idle() for _ in range(8)])
    assert resting == [168, 136, 104, 72, 40, 40, 40, 40]


def test_an_utterance_that_ends_in_the_middle_of_a_word_fades_too() -> None:
    line = face(bright(), source=frames(1)).open()
    assert greys(said(line, NOISE[:RATE_HZ]))[-1] == 200
    assert greys([line.idle() for _ in range(6)]) == [168, 136, 104, 72, 40, 40]


def test_a_new_utterance_right_after_a_drop_does_not_jump() -> None:
    detector = SaidSpeech(lambda at_s: at_s > 1.0)
    line = face(bright(), detector=detector, source=frames(1)).open()
    for picture in line.feed(NOISE[: 3 * RATE_HZ]):
        if picture[MIDDLE] == 200:
            break
    line.drop()
    steps = np.abs(np.diff([200, *greys(said(line, NOISE[: 2 * RATE_HZ]))]))
    assert steps.max() <= 54, "a fifth on its way to rest, a third of the way when speech begins"


def test_speech_fades_in_and_out_and_silence_asks_the_network_once() -> None:
    mouths = bright()
    line = face(mouths, detector=SaidSpeech(lambda at_s: 2 <= at_s < 3), source=frames(1)).open()
    shown = greys(said(line, NOISE[: 5 * RATE_HZ]))
    assert set(shown[:40]) == {40} and set(shown[-40:]) == {40}
    assert set(shown[49:75]) == {200}
    assert all(abs(one - other) <= 54 for one, other in pairwise(shown))
    silent = [item for item in mouths.items if not item.audio.any()]
    assert len(silent) <= 3, "the shut mouth of one source frame, asked for by the flights before it was known"
    assert len(mouths.items) < 45, "nothing is computed for frames nobody speaks in"


def test_a_long_silence_leaves_nothing_behind() -> None:
    line = face(bright(), detector=SaidSpeech(lambda at_s: False)).open()
    for _ in range(20):
        assert {int(picture[MIDDLE]) for picture in line.feed(SILENCE[: 3 * RATE_HZ])} == {40}
        assert line._features.held < 30 and len(line._gates) < 20


def test_shut_mouths_are_asked_for_alone_since_they_are_kept() -> None:
    mouths = bright()
    line = face(mouths, detector=SaidSpeech(lambda at_s: 1 <= at_s < 2), source=frames(20)).open()
    asks: list[list[bool]] = []
    submit = mouths.submit

    def noted(items: Sequence[MouthItem]) -> Future[list[Picture]]:
        asks.append([not item.audio.any() for item in items])
        return submit(items)

    mouths.submit = noted  # type: ignore[method-assign]
    said(line, NOISE[: 3 * RATE_HZ])
    assert [True] in asks and max(len(ask) for ask in asks) > 2
    assert all(ask == [True] or not any(ask) for ask in asks)


def test_source_frames_go_forward_and_backward_whatever_is_shown() -> None:
    line = face(bright(), source=frames(3)).open()
    corner = [int(line.idle()[0, 0, 0]) for _ in range(3)]
    corner += [int(picture[0, 0, 0]) for picture in said(line, NOISE[: RATE_HZ // 5])]
    corner += [int(line.idle()[0, 0, 0]) for _ in range(2)]
    assert corner == [100, 105, 110, 105, 100, 105, 110, 105, 100, 105]


def test_idle_waits_for_the_first_shut_mouth_only() -> None:
    mouths = bright(held=True)
    line = face(mouths, source=frames(20)).open()
    got: list[Picture] = []
    thread = threading.Thread(target=lambda: got.append(line.idle()))
    thread.start()
    assert mouths.asked.acquire(timeout=30)
    mouths.answer()
    thread.join(30)
    assert greys(got) == [40]
    for number in range(1, 9):  # nothing is answered: the mouth before stands in
        picture = line.idle()
        assert picture[MIDDLE] == 40 and picture[0, 0, 0] == 100 + 5 * number
    assert mouths.batches == [1] * 8, "the next seven are asked for, each alone"
    for _ in range(7):
        mouths.answer()
    line.idle()
    assert len(mouths.waiting) == 8
    line.close()
    assert all(future.cancelled() for future, _ in mouths.waiting)


def test_shut_mouths_are_shared_by_all_who_show_the_avatar() -> None:
    mouths = bright()
    shared = face(mouths)
    for line in (shared.open(), shared.open()):
        assert greys([line.idle() for _ in range(30)]) == [40] * 30
    assert len(mouths.items) <= 4, "three source frames"


def test_a_line_may_ask_the_network_in_its_own_name() -> None:
    everybodys, own = bright(), bright()
    line = face(everybodys).open(own)
    said(line, NOISE[:RATE_HZ])
    assert own.batches and not everybodys.batches


@pytest.mark.parametrize(("keeps", "is_named"), [(0, False), (2, False), (3, True), (9, True)])
def test_source_frames_have_names_where_the_network_keeps_so_many(keeps: int, is_named: bool) -> None:
    mouths = bright()
    mouths.info = replace(mouths.info, keeps=keeps)
    one, other = face(mouths), face(mouths)
    said(one.open(), NOISE[:RATE_HZ])
    names = [item.source for item in mouths.items if item.source is not None]
    assert bool(names) is is_named
    if is_named:
        assert len(names) == len(mouths.items) > len(set(names)) == one.source.count
        assert one.named(1) == one.named(1) != other.named(1)  # another size of the same pack has other crops


def test_the_source_may_be_the_mouth_in_silence() -> None:
    mouths, source = bright(), frames(3)
    line = face(mouths, NeuralLook([BOX], closed="source"), SaidSpeech(lambda at_s: False), source).open()
    shown = [line.idle(), *said(line, NOISE[: RATE_HZ // 5])]
    assert all(picture is source[number] for picture, number in zip(shown, [0, 1, 2, 1, 0, 1], strict=True))
    assert not mouths.batches


def test_a_picture_may_be_the_mouth_in_silence() -> None:
    mouths = bright()
    shut = np.full((48, 48, 3), 77, np.uint8)
    detector = SaidSpeech(lambda at_s: at_s > 0.6)
    line = face(mouths, NeuralLook([BOX], closed=shut), detector).open()
    assert line.idle()[MIDDLE] == 77
    shown = greys(said(line, NOISE[:RATE_HZ]))
    assert shown[0] == 77 and shown[-1] == 200
    assert all(item.audio.any() for item in mouths.items)


def test_networks_that_want_red_first_get_it() -> None:
    source = frames(1)
    source[0][:] = 10, 20, 30
    mouths = GreyMouths(level=lambda heard: 0.5)
    line = face(mouths, NeuralLook([BOX], rgb=True), source=source).open()
    given: list[Picture] = []
    mouths._mouth = lambda item: given.append(item.crop) or np.full_like(item.crop, (1, 2, 3))  # type: ignore[func-returns-value, method-assign, return-value]
    picture = said(line, NOISE[:RATE_HZ])[0]
    assert given[0][5, 5].tolist() == [30, 20, 10]
    assert picture[24, 24].tolist() == [3, 2, 1] and picture[0, 0].tolist() == [10, 20, 30]


def test_what_the_network_raises_is_raised_and_the_line_lives_on() -> None:
    mouths = bright(held=True)
    line = face(mouths).open()
    raised: list[Exception] = []

    def feed() -> None:
        try:
            list(line.feed(NOISE[: 2 * RATE_HZ]))
        except EngineFailed as error:
            raised.append(error)

    thread = threading.Thread(target=feed)
    thread.start()
    assert mouths.asked.acquire(timeout=30) and mouths.asked.acquire(timeout=30)
    mouths.answer(EngineFailed("grey", "it broke"))
    thread.join(30)
    assert len(raised) == 1
    assert all(future.cancelled() for future, _ in mouths.waiting)
    mouths.waiting.clear()
    mouths._held = False
    assert len(said(line, NOISE[:RATE_HZ])) == 25


def test_a_batch_that_somebody_else_cancelled_ends_the_utterance() -> None:
    mouths = bright(held=True)
    line = face(mouths).open()
    raised: list[Exception] = []

    def feed() -> None:
        try:
            list(line.feed(NOISE[: 2 * RATE_HZ]))
        except Cancelled as error:
            raised.append(error)

    thread = threading.Thread(target=feed)
    thread.start()
    assert mouths.asked.acquire(timeout=30)
    mouths.waiting[0][0].cancel()
    thread.join(30)
    assert len(raised) == 1


@pytest.mark.parametrize("samples", [SILENCE[:1], NOISE[:0], NOISE[:1600], SILENCE[:1600]])
def test_very_short_sound_has_its_frames(samples: Samples) -> None:
    line = face(bright()).open()
    assert len(said(line, samples)) == max(1, len(samples) // 640)


@pytest.mark.parametrize("asked", [True, False])
def test_features_are_forgotten_when_no_frame_needs_them(asked: bool) -> None:
    mouths = GreyMouths()
    features = FaceFeatures(mouths.encode)
    for frame in range(2000):
        while features.certain <= frame:
            features.feed(NOISE[:4000])
        if asked:
            features.audio(frame)
        else:
            features.skip(frame)
        assert features.held < 30
    assert mouths.encoded == (2006 if asked else 0)


def test_a_frame_after_a_silence_hears_what_it_would_have_heard_anyway() -> None:
    for frame in (0, 3, 8, 9, 10, 60, 118, 124):
        all_asked, skipped = FaceFeatures(GreyMouths().encode), FaceFeatures(GreyMouths().encode)
        for features in (all_asked, skipped):
            features.feed(NOISE[: 5 * RATE_HZ])
            features.finish()
        for before in range(frame):
            all_asked.audio(before)
        for before in range(0, frame, 3):
            skipped.skip(before)
        assert np.array_equal(all_asked.audio(frame), skipped.audio(frame))


def pack_of(directory: Path, **changes: object) -> AvatarPack:
    paths = []
    for number, picture in enumerate(frames(2)):
        paths.append(directory / f"{number}.png")
        Image.fromarray(picture).save(paths[-1])
    values: dict[str, object] = {"frames": tuple(paths), "boxes": (Box(4, 4, 40), Box(6, 4, 40)), **changes}
    return AvatarPack(directory, "anna", "Anna", "neural", 48, 48, **values)  # type: ignore[arg-type]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[NeuralFace]:
    one = open_neural(pack_of(tmp_path), bright(), SaidSpeech(), width=96, height=96)
    yield one
    one.close()


def test_a_pack_is_shown_at_the_size_that_is_asked_for(opened: NeuralFace) -> None:
    assert opened.info.name == "anna" and (opened.info.width, opened.info.height) == (96, 96)
    assert list(opened.look.boxes) == [FaceBox(8, 8, 80), FaceBox(12, 8, 80)]
    shown = said(opened.open(), NOISE[:RATE_HZ])
    assert shown[0].shape == (96, 96, 3) and shown[0][48, 48, 0] == 200 and shown[0][0, 0, 0] == 100
    left_edges = [int(np.flatnonzero(picture[48, :, 0] > 150)[0]) for picture in shown[:2]]
    assert left_edges[1] - left_edges[0] == 4, "each frame has its own box"
    assert opened.portrait().shape == (96, 96, 3)


def test_a_pack_may_have_a_picture_of_the_shut_mouth(tmp_path: Path) -> None:
    shut = tmp_path / "shut.png"
    Image.new("RGB", (48, 48), (7, 8, 9)).save(shut)
    line = open_neural(pack_of(tmp_path, closed=shut), bright(), SaidSpeech()).open()
    assert line.idle()[24, 24].tolist() == [9, 8, 7]
    Image.new("RGB", (40, 48)).save(shut)
    with pytest.raises(BadAvatar, match="40x48"):
        open_neural(pack_of(tmp_path, closed=shut), bright(), SaidSpeech())
