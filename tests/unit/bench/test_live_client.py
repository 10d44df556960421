"""Speakers against a server that hears nothing: all sound arrives in frames, and whatever goes wrong is told."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from listen_server import listening, script
from speech import say
from talkie.audio.encode import encode_wav
from talkie.bench.live import LiveTask, measure
from talkie.bench.live_client import Wish, speak
from talkie.bench.live_sound import Cut, Said, cuts
from talkie.bench.live_words import arrived, as_json, as_table
from talkie.bench.live_words import measure as look_for_words
from talkie.bench.recordings import Recording
from talkie.errors import EngineFailed, InvalidValue, ServerUnreachable
from talkie.types import Span

PARTIAL = {"type": "partial", "utterance": 0, "start": 0.3, "end": 0.6, "text": "go", "committed": ""}
FINAL = {"type": "final", "utterance": 0, "start": 0.3, "end": 2.4, "text": "go up", "language": "en", "words": []}


def cut(seconds: float = 0.5) -> Cut:
    samples = np.arange(round(seconds * 16_000), dtype=np.int16)
    return Cut(samples, (Said("go", Span(0, seconds)),), np.ones(round(seconds * 31.25), np.float32))


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    path = tmp_path / "a.wav"
    samples = say("go up")
    path.write_bytes(encode_wav(samples, 16_000))
    return Recording(path, "go up", "en", "synthetic", len(samples) / 16_000)


def test_all_sound_arrives_in_frames_and_every_answer_is_kept() -> None:
    with listening(script((0.2, PARTIAL), (0.4, FINAL))) as server:
        logs = speak([cut(), cut()], Wish(server.url, "some-model", frame_ms=20, stagger_s=0.01))
    assert [bytes(sound) for sound in server.sound] == [cut().pcm()] * 2
    assert set(server.frames[0]) == {2 * 320}
    asked = parse_qs(urlsplit(server.paths[0]).query)
    assert (asked["sample_rate"], asked["encoding"], asked["model"], asked["language"]) == (
        ["16000"], ["pcm16"], ["some-model"], ["en"],
    )  # fmt: skip
    for log in logs:
        assert [one.kind for one in log.seen] == ["ready", "partial", "final", "done"]
        assert (log.failed, log.model) == ("", "fake-en")
        partial, final = log.seen[1:3]
        # the clock of the answers is that of the sound: neither can come before what it is an answer to
        assert 0.2 <= partial.at_s <= final.at_s
        assert final.at_s >= 0.4


def test_a_session_that_is_refused_is_a_failure_with_its_code() -> None:
    refusal = {"type": "error", "error": {"code": "too_many_sessions", "message": "…"}}
    with listening(first=refusal, done=False) as server:
        [log] = speak([cut()], Wish(server.url))
    assert log.failed == "too_many_sessions"


def test_a_session_that_ends_early_is_a_failure() -> None:
    with listening(done=False) as server:
        [log] = speak([cut()], Wish(server.url))
    assert "done" in log.failed


def test_a_server_that_is_not_there() -> None:
    with listening() as server:
        url = server.url
    with pytest.raises(ServerUnreachable):
        speak([cut()], Wish(url))


def test_what_is_no_message_is_the_servers_fault() -> None:
    with listening(script((0.1, {"type": "final"}))) as server, pytest.raises(EngineFailed, match="not as expected"):
        speak([cut()], Wish(server.url))


def test_sessions_begin_with_different_recordings(recording: Recording, tmp_path: Path) -> None:
    other = Recording(tmp_path / "b.wav", "stop", "en", "synthetic", 1.0)
    other.path.write_bytes(encode_wav(say("stop"), 16_000))
    first, second = cuts([recording, other], 2, 3.0)
    assert first.text.startswith("go up stop") and second.text.startswith("stop go up")
    for one in (first, second):
        assert one.seconds >= 3.0
        for said in one.said:
            inside = one.speech(said.span)
            assert inside is not None
            assert 0 < inside.duration_s <= said.span.duration_s + 0.04
    gaps = zip(first.said, first.said[1:], strict=False)
    assert all(later.span.start_s - earlier.span.end_s > 1.0 for earlier, later in gaps)


def test_more_and_more_sessions_until_they_are_not_held(recording: Recording) -> None:
    """The server answers the warm-up and one session, then nobody any more."""
    answers = iter([script((0.5, PARTIAL), (2.0, FINAL))] * 2)
    with listening(lambda: next(answers, lambda: lambda _: [])()) as server:
        seen: list[str] = []
        task = LiveTask(Wish(server.url, stagger_s=0.0), [recording], (4, 2, 1, 1), seconds=1.0)
        run = measure(task, seen.append)
    assert [(one.sessions, one.unanswered, one.held) for one in run.rounds] == [(1, 0, True), (2, 2, False)]
    assert (run.model, run.contender, run.capacity, len(seen)) == ("fake-en", "talkie", 1, 3)
    one, two = run.rounds
    assert (one.utterances, one.failed, one.wer, two.wer) == (1, {}, 0.0, 1.0)
    assert one.final is not None and one.final.count == 1
    assert (one.cpu_per_audio_s, one.resident_mb, one.lag) == (None, None, None)


def test_nothing_to_say() -> None:
    with pytest.raises(InvalidValue):
        measure(LiveTask(Wish("http://127.0.0.1:9"), []))


def test_words_that_arrive_and_words_that_do_not(recording: Recording) -> None:
    found = [
        arrived(recording, "Go up, please.", "go up please"),
        arrived(recording, "go up please", "up please"),
        arrived(recording, "go up please", "go up"),
    ]
    assert [(one.first_came, one.last_came, one.same) for one in found] == [
        (True, True, True), (False, True, False), (True, False, False),
    ]  # fmt: skip
    assert as_json("listen", found) | {"missing": 0} == {
        "door": "listen", "recordings": 3, "first_came": 2, "last_came": 2, "same": 1, "missing": 0,
    }  # fmt: skip
    assert "a.wav: first word" in as_table(found)


def test_a_door_that_is_not_known(recording: Recording) -> None:
    with pytest.raises(InvalidValue):
        look_for_words("carrier-pigeon", Wish("http://127.0.0.1:9"), [recording])
