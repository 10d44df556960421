"""Faces of the service with real engines: texts and recordings shown, avatars kept, and a face that is live."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from avatar_packs import write_neural, write_pictures, zip_of
from face_parts import WAIT_S, until
from speech import say
from talkie.audio.encode import encode_wav
from talkie.errors import (
    AvatarExists,
    AvatarNotFound,
    BadAvatar,
    Cancelled,
    EmptyAudio,
    InvalidValue,
    NothingToSay,
    SessionNotFound,
    ShuttingDown,
    TooManySessions,
    VoiceNotFound,
)
from talkie.pipeline.faces import frames_of
from talkie.runtime.cancel import CancelToken
from talkie.runtime.config import ServiceConfig
from talkie.runtime.face import FaceRequest, FaceTick
from talkie.runtime.face_session import LiveFace
from talkie.runtime.service import Service
from talkie.runtime.speech import SpeakRequest
from talkie.types import SAMPLE_RATE_HZ, FaceChunk

SMALL = FaceRequest(width=64, height=64)
HELLO = SpeakRequest("Hello there.", voice="en-us")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("home")
    made = Service(ServiceConfig(home=home, threads=1, workers=1, max_faces=2, face_backend="onnxruntime"))
    packs = tmp_path_factory.mktemp("packs")
    made.add_avatar(zip_of(write_neural(packs / "nora")), name="nora")
    made.add_avatar(zip_of(write_pictures(packs / "paul")), name="paula", owner="paul")
    yield made
    made.close()


def check(chunks: list[FaceChunk], request: FaceRequest, generation: int = 0) -> None:
    """Frames of the size asked for, one after the other, beside all of the sound."""
    frames = [frame for chunk in chunks for frame in chunk.frames]
    samples, rate = sum(len(chunk.samples) for chunk in chunks), chunks[0].sample_rate
    assert [frame.index for frame in frames] == list(range(frames_of(samples / rate, chunks[0].fps)))
    assert all(frame.image.shape == (request.height, request.width, 3) for frame in frames)
    assert all(frame.generation == chunk.generation == generation for chunk in chunks for frame in chunk.frames)
    at = 0
    for chunk in chunks:
        assert abs(chunk.start_s - at / rate) < 1e-6 and chunk.sample_rate == rate
        at += len(chunk.samples)


@pytest.mark.parametrize("avatar", ["", "nora", "paula"])
def test_a_text_is_shown_by_any_kind_of_face(service: Service, avatar: str) -> None:
    request = FaceRequest(avatar, width=96, height=80, generation=7)
    chunks = list(service.show(HELLO, request))
    check(chunks, request, generation=7)
    marks = [mark for chunk in chunks for mark in chunk.marks]
    assert [mark.text for mark in marks if mark.kind == "word"] == ["Hello", "there."]
    assert "viseme" in {mark.kind for mark in marks}
    first, *_, last = (frame.image.astype(int) for chunk in chunks for frame in chunk.frames)
    middle = chunks[len(chunks) // 2].frames[0].image.astype(int)
    assert np.abs(middle - first).max() > 8 or np.abs(middle - last).max() > 8  # something moves


@pytest.mark.parametrize("avatar", ["", "nora"])
def test_a_recording_is_shown(service: Service, avatar: str) -> None:
    wav = encode_wav(say("open the door please"), SAMPLE_RATE_HZ)
    request = FaceRequest(avatar, width=96, height=80)
    check(list(service.animate(io.BytesIO(wav), request)), request)


def test_what_is_wrong_with_a_request_is_told_before_the_first_piece(service: Service) -> None:
    for request, error in (
        (FaceRequest("nobody"), AvatarNotFound),
        (FaceRequest("paula", owner="somebody else"), AvatarNotFound),
        (FaceRequest("/etc"), AvatarNotFound),
        (FaceRequest(mood="grumpy"), InvalidValue),
        (FaceRequest("nora", mood="calm"), InvalidValue),
        (FaceRequest(width=63), InvalidValue),
        (FaceRequest(height=10_000), InvalidValue),
        (FaceRequest("nora", width=2048, height=2049), InvalidValue),
    ):
        with pytest.raises(error):
            service.animate(io.BytesIO(b""), request)
        with pytest.raises(error):
            service.show(HELLO, request)
        with pytest.raises(error):
            service.face(HELLO, request, door="test")
    with pytest.raises(VoiceNotFound):
        service.face(SpeakRequest("", voice="nobody"), SMALL, door="test")
    with pytest.raises(NothingToSay):
        service.show(SpeakRequest("  "), SMALL)
    with pytest.raises(EmptyAudio):
        next(service.animate(io.BytesIO(b""), SMALL))


def test_who_leaves_stops_the_work(service: Service) -> None:
    cancel = CancelToken()
    shown = service.show(SpeakRequest("A sentence that is said again and again. " * 50), SMALL, cancel)
    next(shown)
    cancel.cancel()
    with pytest.raises(Cancelled):
        list(shown)
    left = service.animate(io.BytesIO(encode_wav(np.zeros(160_000, np.float32), SAMPLE_RATE_HZ)), SMALL)
    next(left)
    left.close()
    until(lambda: service._admission.running == 0)
    until(lambda: not [one for one in threading.enumerate() if one.name == "talkie-ahead"])


def test_avatars_are_listed_kept_and_removed(service: Service, tmp_path: Path) -> None:
    assert [(card.name, card.kind, card.source) for card in service.avatars()] == [
        ("talkie", "drawn", "built-in"),
        ("nora", "neural", "added"),
        ("paula", "pictures", "added"),
    ]
    assert [card.name for card in service.avatars("ann")] == ["talkie", "nora"]
    assert service.avatars()[0].moods
    assert service.avatar_picture("talkie").shape == (512, 512, 3)
    assert service.avatar_picture("nora").shape == (80, 96, 3)
    assert service.avatar_picture("paula").shape == (64, 64, 3)
    pack = zip_of(write_pictures(tmp_path / "extra"))
    card = service.add_avatar(pack, name="extra", owner="ann")
    assert (card.name, card.width) == ("extra", 64)
    for name in ("extra", "talkie", "auto"):
        with pytest.raises(AvatarExists):
            service.add_avatar(pack, name=name)
    with pytest.raises(AvatarNotFound):
        service.remove_avatar("extra", owner="bob")
    service.remove_avatar("extra", owner="ann")
    broken = write_neural(tmp_path / "broken")
    (broken / "face.onnx").write_bytes(b"no network")
    with pytest.raises(BadAvatar):
        service.add_avatar(zip_of(broken), name="broken")
    assert len(service.avatars()) == 3


def ticks_of(session: LiveFace, generation: int) -> list[FaceTick]:
    found: list[FaceTick] = []
    while not (found and found[-1].ended and found[-1].generation == generation):
        tick = session.next_tick(WAIT_S)
        assert tick is not None
        found.append(tick)
    return [tick for tick in found if tick.generation == generation]


@pytest.mark.parametrize("avatar", ["", "nora"])
def test_a_live_face_speaks_and_stops(service: Service, avatar: str) -> None:
    request = FaceRequest(avatar, width=96, height=80)
    session = service.face(HELLO, request, door="test", ahead_s=2.0, owner="ann", client="a test")
    try:
        (card,) = service.live_sessions("ann")
        assert (card.id, card.model, card.client, card.kind) == (session.id, avatar or "talkie", "a test", "face")
        at_rest = session.next_tick(WAIT_S)
        assert at_rest is not None and at_rest.image.shape == (80, 96, 3) and not at_rest.samples.any()
        ticks = ticks_of(session, session.say("Yes."))
        sound = np.concatenate([tick.samples for tick in ticks])
        assert len(sound) == 1920 * len(ticks) and np.abs(sound).max() > 0.05
        assert [mark.text for tick in ticks for mark in tick.marks if mark.kind == "word"] == ["Yes."]
        session.say("One two three four five six seven eight nine ten.")
        while not (tick := session.next_tick(WAIT_S)) or not tick.generation:
            pass
        stopped = session.interrupt()
        assert stopped is not None and stopped.generation == 2 and stopped.shown_s > 0
        after = session.next_tick(WAIT_S)
        assert after is not None and after.generation == 0 and not after.samples.any()
        with pytest.raises(SessionNotFound):
            service.end_session(session.id, owner="bob")
    finally:
        session.close()
    until(lambda: not service.live_sessions())


def test_a_network_is_shared_and_shown_in_what_is_loaded(service: Service) -> None:
    request = FaceRequest("nora")
    both = [service.face(HELLO, request, door="test") for _ in range(2)]
    try:
        with pytest.raises(TooManySessions):
            service.face(HELLO, request, door="test")
        (row,) = [row for row in service.loaded() if row.kind == "face"]
        assert (row.name, row.users) == ("nora", 2)
        assert service.ready().parts["face nora"] == "ready"
    finally:
        for session in both:
            session.close()
    until(lambda: not [row for row in service.loaded() if row.kind == "face" and row.users])


def test_live_faces_end_with_the_service(tmp_path: Path) -> None:
    service = Service(ServiceConfig(home=tmp_path))
    session = service.face(HELLO, SMALL, door="test")
    service.close()
    with pytest.raises(ShuttingDown):
        session.next_tick(0)
    with pytest.raises(ShuttingDown):
        service.face(HELLO, SMALL, door="test")


def test_a_pack_may_be_named_by_its_path_on_the_command_line_only(tmp_path: Path) -> None:
    pack = write_pictures(tmp_path / "mine")
    service = Service(ServiceConfig(home=tmp_path / "home", allow_paths=True))
    try:
        assert service.avatar_picture(str(pack)).shape == (64, 64, 3)
        chunks = list(service.show(HELLO, FaceRequest(str(pack))))
        assert chunks[0].frames[0].image.shape == (64, 64, 3)
    finally:
        service.close()
