"""The gRPC door as a whole: where it listens, how it opens and closes, and what its errors say."""

from __future__ import annotations

import asyncio
import inspect
import socket
import subprocess
import sys
from pathlib import Path

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from fakes_service import FakeService
from grpc_door import and_wait, code_of, config, opened, refused, sound
from http_door import run
from talkie import errors
from talkie.errors import SettingsError, TalkieError
from talkie.transports.grpc import server as servers
from talkie.transports.grpc import steady
from talkie.transports.grpc.address import free_address
from talkie.transports.grpc.errors import STATUS, refusal_of, status_of
from talkie.transports.grpc.server import GrpcDoor
from talkie.transports.http.access import AccessRules
from talkie.transports.http.upload import UploadLimits
from talkie.transports.http.work import Gate
from talkie.transports.tls import self_signed
from talkie.wire.protos.talkie.v1 import talkie_pb2 as pb
from talkie.wire.protos.talkie.v1.talkie_pb2_grpc import SpeechStub

WAIT_S = 20


def make_door(directory: Path, **more: object) -> GrpcDoor:
    return GrpcDoor(FakeService(), AccessRules(), "127.0.0.1", 0, UploadLimits(directory), **more)  # type: ignore[arg-type]


def test_a_port_that_is_taken_is_said_before_anything_opens(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError) as caught:
            GrpcDoor(FakeService(), AccessRules(), "127.0.0.1", port, UploadLimits(tmp_path))
    assert caught.value.param == "grpc_port"
    assert str(port) in caught.value.message


def test_a_port_that_another_door_of_ours_has_is_taken(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path) as door:
            with pytest.raises(SettingsError):
                free_address("127.0.0.1", door.door.port)

    run(work())


def test_a_port_taken_at_the_last_moment(tmp_path: Path) -> None:
    async def work() -> None:
        door = make_door(tmp_path)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            door._address = f"127.0.0.1:{taken.getsockname()[1]}"
            with pytest.raises(SettingsError):
                await door.__aenter__()

    run(work())


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1"])
def test_an_address_that_is_not_ours(host: str) -> None:
    with pytest.raises(SettingsError):
        free_address(host, 0)


@pytest.mark.parametrize(("host", "address"), [("127.0.0.1", "127.0.0.1:0"), ("localhost", "127.0.0.1:0")])
def test_addresses_as_grpc_writes_them(host: str, address: str) -> None:
    assert free_address(host, 0) == address


def test_over_tls(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path / "tls", [])

    async def work() -> None:
        async with make_door(tmp_path, tls=(str(certificate), str(key))) as door:
            trusted = grpc.ssl_channel_credentials(certificate.read_bytes())
            async with grpc.aio.secure_channel(f"localhost:{door.port}", trusted) as channel:
                assert len((await SpeechStub(channel).ListModels(pb.ListModelsRequest())).models) == 1
            async with grpc.aio.insecure_channel(f"127.0.0.1:{door.port}") as plain:
                error = await refused(SpeechStub(plain).ListModels(pb.ListModelsRequest()))
                assert error.code() is grpc.StatusCode.UNAVAILABLE

    run(work())


def test_a_certificate_that_is_not_there(tmp_path: Path) -> None:
    async def work() -> None:
        with pytest.raises(SettingsError):
            await make_door(tmp_path, tls=("/no/such.pem", "/no/such.key")).__aenter__()

    run(work())


def test_closing_finishes_what_was_accepted_and_ends_what_streams(tmp_path: Path) -> None:
    async def work() -> None:
        service, gate = FakeService(seconds=0.5), Gate(4)
        door = GrpcDoor(service, AccessRules(), "127.0.0.1", 0, UploadLimits(tmp_path), gate=gate)
        await door.__aenter__()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{door.port}") as channel:
            speech = SpeechStub(channel)
            stream = speech.StreamingRecognize(and_wait(config(), sound()))
            assert (await anext(aiter(stream))).HasField("ready")
            recording = asyncio.ensure_future(_whole(speech))
            await asyncio.to_thread(service.started.wait, WAIT_S)
            await door.__aexit__(None, None, None)
            assert await recording == "hello there general"
            error = await refused(stream)
            assert (error.code(), code_of(error)) == (grpc.StatusCode.UNAVAILABLE, "shutting_down")
            assert service.sessions[0].closed.is_set()
            assert gate.closed
            error = await refused(speech.ListModels(pb.ListModelsRequest()))
            assert error.code() is grpc.StatusCode.UNAVAILABLE

    run(work())


async def _whole(speech: SpeechStub) -> str:
    return str((await speech.Recognize(pb.RecognizeRequest(audio=b"x"))).transcript.text)


def test_closing_does_not_wait_for_ever(tmp_path: Path) -> None:
    async def work() -> None:
        service = FakeService(hangs=True)
        door = GrpcDoor(service, AccessRules(), "127.0.0.1", 0, UploadLimits(tmp_path), grace_s=0.1)
        await door.__aenter__()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{door.port}") as channel:
            call = SpeechStub(channel).Recognize(pb.RecognizeRequest(audio=b"x"))
            await asyncio.to_thread(service.started.wait, WAIT_S)
            await door.__aexit__(None, None, None)
            error = await refused(call)
            assert (error.code(), code_of(error)) == (grpc.StatusCode.UNAVAILABLE, "shutting_down")
        assert service.cancelled.is_set()

    run(work())


def test_while_the_server_stops_nobody_comes_in(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path) as door:
            door.door._gate.close()
            error = await refused(door.speech.Recognize(pb.RecognizeRequest(audio=b"x")))
            assert (error.code(), code_of(error)) == (grpc.StatusCode.UNAVAILABLE, "shutting_down")
            stream = door.channel.stream_stream("/talkie.v1.Speech/StreamingRecognize")(and_wait())
            assert code_of(await refused(stream)) == "shutting_down"
            state = await health_pb2_grpc.HealthStub(door.channel).Check(health_pb2.HealthCheckRequest())
            assert state.status == health_pb2.HealthCheckResponse.NOT_SERVING

    run(work())


def test_a_grpcio_of_another_make_is_served_by_its_own_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(steady, "NEEDED", ("no_such_name",))

    async def work() -> None:
        async with opened(tmp_path) as door:
            assert await _whole(door.speech) == "hello there general"
            error = await refused(door.channel.stream_stream("/no.such/Method")(and_wait()))
            assert code_of(error) == "unknown_method"

    run(work())
    assert "This version of grpcio is unknown" in caplog.text


def test_without_the_stubs_of_riva_there_is_no_riva(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "riva_is_here", lambda: False)
    assert not any("riva" in name for name in make_door(tmp_path).methods.services)


def test_the_server_loads_no_grpc_before_it_is_asked_for() -> None:
    code = "import sys, talkie.server; print([n for n in sys.modules if n.split('.')[0] in ('grpc', 'google', 'riva')])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.strip() == "[]"


def every_error() -> list[type[TalkieError]]:
    return [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, TalkieError)]


def test_every_error_has_a_status_and_every_family_its_own() -> None:
    for kind in every_error():
        blank = kind.__new__(kind)
        assert isinstance(status_of(blank), grpc.StatusCode)
        family = kind.__mro__[-4] if len(kind.__mro__) > 4 else kind  # below TalkieError, Exception, BaseException
        assert family in STATUS, f"{family.__name__} has no line in the table"
    assert {*STATUS} <= {*every_error()}


def test_words_that_are_not_ascii_are_percent_encoded() -> None:
    error = TalkieError("é", hint="100 % öffnen\n", param="sprächen")
    trailing = dict(refusal_of(error).trailing())
    assert trailing["talkie-hint"] == "100 %25 %C3%B6ffnen%0A"
    assert trailing["talkie-param"] == "spr%C3%A4chen"
    assert trailing["talkie-code"] == "internal_error"
