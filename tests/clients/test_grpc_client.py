"""`grpcio`, unchanged, against a running server: by reflection, as `grpcurl` does it, and by our stubs."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import namedtuple
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from grpc_server import (
    BEARER,
    KEY,
    MODEL,
    TEXTS,
    GrpcServer,
    grpc_server,
    on_grpc,
    pcm,
    recordings,
    trained,
    wav,
    write_wav,
)
from talkie.wire.protos.talkie.v1 import talkie_pb2 as pb
from talkie.wire.protos.talkie.v1.talkie_pb2_grpc import SpeechStub

pytestmark = [on_grpc, trained]

FRAME_BYTES = 1280  # 40 ms
GUIDE = Path(__file__).parents[2] / "docs" / "grpc.md"
Details = namedtuple("Details", "method timeout metadata credentials wait_for_ready compression")


class WithKey(grpc.UnaryUnaryClientInterceptor, grpc.StreamStreamClientInterceptor):  # type: ignore[misc]
    """Adds the key to every call."""

    def intercept_unary_unary(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        return continuation(self._with_key(details), request)

    def intercept_stream_stream(self, continuation: Callable[..., Any], details: Any, requests: Any) -> Any:
        return continuation(self._with_key(details), requests)

    @staticmethod
    def _with_key(details: Any) -> Details:
        metadata = [*(details.metadata or ()), ("authorization", BEARER)]
        return Details(
            details.method, details.timeout, metadata, details.credentials, details.wait_for_ready, details.compression
        )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GrpcServer]:
    with grpc_server(tmp_path_factory.mktemp("home")) as server:
        server.server.wait_ready()
        yield server


@pytest.fixture
def bare(running: GrpcServer) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(running.target) as channel:
        yield channel


@pytest.fixture
def channel(bare: grpc.Channel) -> grpc.Channel:
    return grpc.intercept_channel(bare, WithKey())


def raw_config(**fields: Any) -> pb.RecognitionConfig:
    return pb.RecognitionConfig(raw=pb.RawAudio(sample_rate_hz=16_000), language="en", **fields)


def streamed(sound: bytes, **fields: Any) -> Iterator[pb.StreamingRecognizeRequest]:
    yield pb.StreamingRecognizeRequest(config=pb.StreamingConfig(config=raw_config(**fields)))
    for at in range(0, len(sound), FRAME_BYTES):
        yield pb.StreamingRecognizeRequest(audio=sound[at : at + FRAME_BYTES])


def finals(answers: Any) -> list[pb.Final]:
    return [answer.final for answer in answers if answer.HasField("final")]


def test_a_client_that_knows_nothing_but_the_port(channel: grpc.Channel) -> None:
    """Everything by reflection: the service, its messages, a call."""
    database = ProtoReflectionDescriptorDatabase(channel)
    assert {"talkie.v1.Speech", "grpc.health.v1.Health"} <= {*database.get_services()}
    service = DescriptorPool(database).FindServiceByName("talkie.v1.Speech")
    method = service.methods_by_name["Recognize"]
    ask, answer = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
    call = channel.unary_unary(
        "/talkie.v1.Speech/Recognize", request_serializer=ask.SerializeToString, response_deserializer=answer.FromString
    )
    heard = call(ask(audio=wav(pcm(TEXTS[0]))))
    assert heard.transcript.text == TEXTS[0]  # type: ignore[attr-defined]


def test_a_stream_says_what_the_file_says(running: GrpcServer, channel: grpc.Channel) -> None:
    """Over gRPC, whole and streamed, and over HTTP: one text, and the same times of its words."""
    sound = pcm(TEXTS[3])
    speech = SpeechStub(channel)
    whole = speech.Recognize(pb.RecognizeRequest(config=raw_config(words=True), audio=sound)).transcript
    (final,) = finals(speech.StreamingRecognize(streamed(sound, words=True)))
    posted = httpx.post(
        running.server.url + "/v1/audio/transcriptions",
        headers={"Authorization": BEARER},
        files={"file": ("speech.wav", wav(sound))},
        data={"model": MODEL},
        timeout=60,
    ).json()
    assert whole.text == final.transcript.text == posted["text"] == TEXTS[3]
    assert whole.model == MODEL
    times = [[(w.text, w.start_s, w.end_s) for s in t.segments for w in s.words] for t in (whole, final.transcript)]
    assert len(times[0]) == 4
    assert times[0] == times[1]


def test_the_first_and_the_last_word_of_twenty_recordings(channel: grpc.Channel) -> None:
    said = recordings()
    assert len(said) == 20
    speech = SpeechStub(channel)
    heard = [" ".join(f.transcript.text for f in finals(speech.StreamingRecognize(streamed(s)))) for _, s in said]
    ends = [(text.split()[0], text.split()[-1]) for text in heard if text]
    assert ends == [(text.split()[0], text.split()[-1]) for text, _ in said]


def test_silence_says_nothing(channel: grpc.Channel) -> None:
    answers = list(SpeechStub(channel).StreamingRecognize(streamed(b"\0" * 32_000 * 20)))
    assert [answer.WhichOneof("event") for answer in answers] == ["ready"]


def test_the_client_says_where_an_utterance_ends(channel: grpc.Channel) -> None:
    def messages() -> Iterator[pb.StreamingRecognizeRequest]:
        yield pb.StreamingRecognizeRequest(config=pb.StreamingConfig(config=raw_config(), manual_turns=True))
        for text in TEXTS[:2]:
            yield pb.StreamingRecognizeRequest(audio=pcm(text))
            yield pb.StreamingRecognizeRequest(commit=pb.Commit())

    heard = finals(SpeechStub(channel).StreamingRecognize(messages()))
    assert [final.transcript.text for final in heard if final.transcript.text] == [*TEXTS[:2]]


def test_models_and_health(channel: grpc.Channel, bare: grpc.Channel) -> None:
    models = SpeechStub(channel).ListModels(pb.ListModelsRequest()).models
    assert MODEL in [model.id for model in models]
    assert next(model for model in models if model.id == MODEL).loaded
    public = health_pb2_grpc.HealthStub(bare).Check(health_pb2.HealthCheckRequest())
    assert public.status == health_pb2.HealthCheckResponse.SERVING


def test_errors_carry_code_and_hint(running: GrpcServer, channel: grpc.Channel, bare: grpc.Channel) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        SpeechStub(bare).ListModels(pb.ListModelsRequest())
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    with pytest.raises(grpc.RpcError) as caught:
        asked = pb.RecognizeRequest(config=pb.RecognitionConfig(model="no-such"), audio=b"x")
        SpeechStub(channel).Recognize(asked)
    trailing = dict(caught.value.trailing_metadata())
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert (trailing["talkie-code"], trailing["talkie-param"]) == ("model_not_found", "model")
    assert "pull" in trailing["talkie-hint"]
    with pytest.raises(grpc.RpcError) as caught:
        SpeechStub(channel).Recognize(pb.RecognizeRequest(audio=b"this is no sound at all"))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert KEY not in running.server.log_text()


def test_a_deadline_in_the_midst_of_speech(channel: grpc.Channel) -> None:
    """Sound that never ends; the server goes on serving."""

    def endless() -> Iterator[pb.StreamingRecognizeRequest]:
        yield from streamed(pcm(TEXTS[0]))
        while True:
            yield pb.StreamingRecognizeRequest(audio=b"\0" * FRAME_BYTES)

    speech = SpeechStub(channel)
    with pytest.raises(grpc.RpcError) as caught:
        list(speech.StreamingRecognize(endless(), timeout=2))
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert speech.Recognize(pb.RecognizeRequest(config=raw_config(), audio=pcm(TEXTS[1]))).transcript.text == TEXTS[1]


def examples() -> list[str]:
    """The programs of the guide that take a target, a file and a key."""
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    return [block for block in blocks if "target, path, key = sys.argv" in block]


@pytest.mark.parametrize("place", [0, 1])
def test_the_programs_of_the_guide(running: GrpcServer, tmp_path: Path, place: int) -> None:
    assert len(examples()) == 2
    path = write_wav(tmp_path / "speech.wav", pcm(TEXTS[1]))
    command = [sys.executable, "-c", examples()[place], running.target, str(path), KEY]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == TEXTS[1] + "\n"
