"""`grpcio`, unchanged, asks a running server to speak: whole texts, texts being written, and interruptions."""

from __future__ import annotations

import queue
import re
import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import numpy as np
import pytest

from grpc_server import BEARER, MODEL, GrpcServer, grpc_server, on_grpc, trained
from talkie.text.wer import word_error_rate
from talkie.wire.protos.talkie.v1 import talkie_pb2 as pb
from talkie.wire.protos.talkie.v1.talkie_pb2_grpc import SpeechStub

pytestmark = [on_grpc, trained]

KEY = [("authorization", BEARER)]
TEXT = "Good morning. It is seven o'clock, and the sun is up."
LONG = "This sentence is one of very many that nobody will wait for. " * 1000
STOP_S = 60.0
GUIDE = Path(__file__).parents[2] / "docs" / "grpc.md"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GrpcServer]:
    with grpc_server(tmp_path_factory.mktemp("home")) as server:
        server.server.wait_ready()
        yield server


@pytest.fixture
def speech(running: GrpcServer) -> Iterator[SpeechStub]:
    with grpc.insecure_channel(running.target) as channel:
        yield SpeechStub(channel)


def ended(running: GrpcServer, outcome: str) -> float:
    """How many texts have ended so."""
    text = httpx.get(running.server.url + "/metrics", headers={"Authorization": BEARER}, timeout=30).text
    lines = [line for line in text.splitlines() if line.startswith("talkie_speech_requests_total")]
    return sum(float(line.rpartition(" ")[2]) for line in lines if f'outcome="{outcome}"' in line)


def until_ended(running: GrpcServer, outcome: str, before: float) -> None:
    deadline = time.monotonic() + STOP_S
    while ended(running, outcome) <= before:
        assert time.monotonic() < deadline, "the work did not end"
        time.sleep(0.05)


def texts(*messages: Any) -> Iterator[pb.StreamingSynthesizeRequest]:
    yield pb.StreamingSynthesizeRequest(config=pb.SynthesizeRequest(generation=1))
    yield from messages


def text(words: str) -> pb.StreamingSynthesizeRequest:
    return pb.StreamingSynthesizeRequest(text=words)


END = pb.StreamingSynthesizeRequest(end=pb.EndUtterance())
INTERRUPT = pb.StreamingSynthesizeRequest(interrupt=pb.Interrupt())


def test_a_text_its_sound_and_its_marks(speech: SpeechStub) -> None:
    raw = pb.RawAudio(encoding=pb.ENCODING_F32LE, sample_rate_hz=48_000)
    answers = list(
        speech.Synthesize(pb.SynthesizeRequest(text=TEXT, raw=raw, visemes=True, generation=5), metadata=KEY)
    )
    assert answers[0].format.sample_rate_hz == 48_000 and {answer.generation for answer in answers} == {5}
    samples = np.frombuffer(b"".join(answer.audio for answer in answers), "<f4")
    seconds = len(samples) / 48_000
    assert 2 < seconds < 8 and 0.1 < float(np.abs(samples).max()) <= 1
    marks = [answer.mark for answer in answers if answer.HasField("mark")]
    words = [mark for mark in marks if mark.kind == pb.Mark.KIND_WORD]
    assert " ".join(mark.text for mark in words) == TEXT
    assert all(0 <= mark.start_s <= mark.end_s <= seconds + 0.05 for mark in marks)
    assert [mark.start_s for mark in words] == sorted(mark.start_s for mark in words)
    assert {mark.kind for mark in marks} >= {pb.Mark.KIND_WORD, pb.Mark.KIND_VISEME}


def test_what_it_says_is_what_it_hears(speech: SpeechStub) -> None:
    """Spoken at the rate of the recogniser, streamed back, and heard."""
    said = "open the door please"
    raw = pb.RawAudio(sample_rate_hz=16_000)
    spoken = b"".join(a.audio for a in speech.Synthesize(pb.SynthesizeRequest(text=said, raw=raw), metadata=KEY))
    asked = pb.RecognizeRequest(config=pb.RecognitionConfig(model=MODEL, language="en", raw=raw), audio=spoken)
    heard = speech.Recognize(asked, metadata=KEY).transcript.text
    assert word_error_rate(said, heard).rate <= 0.25


def test_a_text_being_written_is_the_text(speech: SpeechStub) -> None:
    pieces = [TEXT[at : at + 7] for at in range(0, len(TEXT), 7)]
    answers = list(speech.StreamingSynthesize(texts(*map(text, pieces), END, text("And on.")), metadata=KEY))
    words = {
        n: [a.mark.text for a in answers if a.generation == n and a.mark.kind == pb.Mark.KIND_WORD] for n in (1, 2)
    }
    assert words == {1: TEXT.split(), 2: ["And", "on."]}
    lengths = {a.generation: a.done.duration_s for a in answers if a.HasField("done")}
    rate = answers[0].format.sample_rate_hz
    for number, seconds in lengths.items():
        assert sum(len(a.audio) for a in answers if a.generation == number) / 2 / rate == pytest.approx(
            seconds, abs=0.01
        )


def test_somebody_speaks_in_between(running: GrpcServer, speech: SpeechStub) -> None:
    before = ended(running, "cancelled")
    said: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for message in (*texts(text(LONG)), END, text("Never said."), END):
        said.put(message)
    answers = speech.StreamingSynthesize(iter(said.get, None), metadata=KEY)
    early = [next(answers) for _ in range(10)]
    for message in (INTERRUPT, text("Yes?"), None):
        said.put(message)
    late = list(answers)
    at = next(n for n, answer in enumerate(late) if answer.HasField("interrupted"))
    assert {answer.generation for answer in [*early, *late[:at]]} == {1} and late[at].generation == 2
    assert 0 < late[at].interrupted.sent_s < 600
    after = late[at + 1 :]
    assert {answer.generation for answer in after} == {3} and after[-1].HasField("done")
    assert [answer.mark.text for answer in after if answer.mark.kind == pb.Mark.KIND_WORD] == ["Yes?"]
    until_ended(running, "cancelled", before)


@pytest.mark.parametrize("way", ["cancel", "deadline"])
def test_who_leaves_ends_the_work(running: GrpcServer, speech: SpeechStub, way: str) -> None:
    before = ended(running, "cancelled")
    timeout = 1.0 if way == "deadline" else None
    answers = speech.Synthesize(pb.SynthesizeRequest(text=LONG, cache=False), metadata=KEY, timeout=timeout)
    assert next(answers).HasField("format")
    if way == "cancel":
        answers.cancel()
    until_ended(running, "cancelled", before)
    short = speech.Synthesize(pb.SynthesizeRequest(text="Yes."), metadata=KEY)
    assert any(answer.audio for answer in short)


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"text": " \n"}, grpc.StatusCode.INVALID_ARGUMENT, "nothing_to_say"),
        ({"text": "<speak>one\n<p>two</speak>"}, grpc.StatusCode.INVALID_ARGUMENT, "bad_ssml"),
        ({"text": "word " * 100_000}, grpc.StatusCode.INVALID_ARGUMENT, "text_too_long"),
        ({"text": "one", "voice": "nobody-at-all"}, grpc.StatusCode.NOT_FOUND, "voice_not_found"),
        ({"text": "one", "model": "no-such-model"}, grpc.StatusCode.NOT_FOUND, "model_not_found"),
        ({"text": "one", "language": "xx"}, grpc.StatusCode.INVALID_ARGUMENT, "unsupported_by_model"),
    ],
)
def test_errors(speech: SpeechStub, fields: dict[str, Any], status: grpc.StatusCode, code: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        list(speech.Synthesize(pb.SynthesizeRequest(**fields), metadata=KEY))
    assert (caught.value.code(), dict(caught.value.trailing_metadata())["talkie-code"]) == (status, code)


def test_a_stranger_learns_nothing(speech: SpeechStub) -> None:
    for answers in (
        speech.Synthesize(pb.SynthesizeRequest(text="one")),
        speech.StreamingSynthesize(texts(text("one"))),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            list(answers)
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_the_program_of_the_guide(running: GrpcServer, tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    [program] = [block for block in blocks if "target, text, key = sys.argv" in block]
    command = [sys.executable, "-c", program, running.target, "Good morning.", BEARER.removeprefix("Bearer ")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, cwd=tmp_path)
    assert [line.split()[-1] for line in done.stdout.splitlines()] == ["Good", "morning."]
    with wave.open(str(tmp_path / "speech.wav")) as file:
        assert (file.getframerate(), file.getnchannels()) == (24_000, 1) and 0.3 < file.getnframes() / 24_000 < 3
