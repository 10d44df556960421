"""Who may make a gRPC call, over every service and method that there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from fakes_service import FakeReadiness, FakeService
from grpc_door import Opened, and_wait, bearer, code_of, config, in_turn, opened, refused
from http_door import run
from talkie.transports.grpc.access import ANY_KEY, shown_key
from talkie.transports.grpc.call import peer_address
from talkie.transports.grpc.methods import Methods
from talkie.transports.grpc.speech import SERVICE
from talkie.transports.http.throttle import FAILURES, Throttle
from talkie.transports.keys import PUBLIC, SCOPES, KeyRing, new_key, write_keys
from talkie.wire.protos.talkie.v1 import talkie_pb2 as pb

KEY = "canary-key-4711"
PUBLIC_CALL = "/grpc.health.v1.Health/Check"


def paths(door: Opened) -> list[str]:
    """Every method of every service, from the server's own descriptors."""
    return [
        f"/{name}/{method.name}" for name, service in door.door.methods.services.items() for method in service.methods
    ]


def call_raw(door: Opened, path: str, metadata: tuple[tuple[str, str], ...] = ()) -> Any:
    return door.channel.stream_stream(path)(and_wait(), metadata=metadata)


def test_every_method_wants_a_key(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path, keys=KeyRing(KEY), throttle=Throttle(failures=1000)) as door:
            found = paths(door)
            assert len(found) >= 9
            assert {
                "/talkie.v1.Speech/Recognize",
                "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
            } <= {*found}
            for path in [*found, "/talkie.v1.Speech/NoSuch", "/no.such.Service/Method", "/"]:
                if path == PUBLIC_CALL:
                    continue
                for metadata in ((), bearer("wrong"), (("authorization", KEY),), (("x-key", KEY),)):
                    error = await refused(call_raw(door, path, metadata))
                    assert error.code() is grpc.StatusCode.UNAUTHENTICATED, path
                    assert code_of(error) in ("key_missing", "key_wrong")

    run(work())


def test_every_method_of_a_served_service_is_declared_with_a_scope(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path) as door:
            for path in paths(door):
                method = door.door.methods.find(path)
                assert method is not None, f"{path} is in the descriptors and not served"
                assert callable(method.scope) or method.scope in (*SCOPES, PUBLIC, ANY_KEY)

    run(work())


def test_a_scope_that_does_not_exist_cannot_be_declared() -> None:
    async def nothing(_call: object) -> None:
        return

    with pytest.raises(ValueError, match="no such scope"):
        Methods().open(SERVICE, "Recognize", nothing, scope="everything")


def test_a_key_opens_what_its_scopes_say(tmp_path: Path) -> None:
    key, stored = new_key("reader", ["models:read"])
    write_keys(tmp_path / "keys.toml", [stored])

    async def work() -> None:
        async with opened(tmp_path, keys=KeyRing(path=tmp_path / "keys.toml")) as door:
            heard = await door.speech.ListModels(pb.ListModelsRequest(), metadata=bearer(key))
            assert [model.id for model in heard.models] == ["fake-en"]
            error = await refused(door.speech.Recognize(pb.RecognizeRequest(audio=b"x"), metadata=bearer(key)))
            assert (error.code(), code_of(error)) == (grpc.StatusCode.PERMISSION_DENIED, "scope_missing")
            error = await refused(call_raw(door, "/talkie.v1.Speech/NoSuch", bearer(key)))
            assert (error.code(), code_of(error)) == (grpc.StatusCode.UNIMPLEMENTED, "unknown_method")

    run(work())
    assert door_saw_nothing(tmp_path)


def door_saw_nothing(directory: Path) -> bool:
    """Whether no recording was spooled and left behind."""
    return [path for path in directory.iterdir() if path.name != "keys.toml"] == []


def test_the_owner_of_a_session_is_the_name_of_its_key(tmp_path: Path) -> None:
    key, stored = new_key("radio", ["transcribe"])
    write_keys(tmp_path / "keys.toml", [stored])

    async def work() -> None:
        async with opened(tmp_path, keys=KeyRing(path=tmp_path / "keys.toml")) as door:
            stream = door.speech.StreamingRecognize(in_turn(config(client_label="desk")), metadata=bearer(key))
            assert [answer.WhichOneof("event") async for answer in stream] == ["ready"]
            assert door.service.opened == [("grpc", "radio", "desk")]

    run(work())


def test_nothing_of_a_refused_call_reaches_the_service_or_is_even_read(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path, keys=KeyRing(KEY), idle_s=1000) as door:
            stream = call_raw(door, "/talkie.v1.Speech/StreamingRecognize")
            assert (await refused(stream)).code() is grpc.StatusCode.UNAUTHENTICATED
            error = await refused(door.speech.Recognize(pb.RecognizeRequest(audio=b"\0" * 90_000)))
            assert error.code() is grpc.StatusCode.UNAUTHENTICATED
            assert door.service.seen == []
            assert door.service.sessions == []

    run(work())


def test_wrong_keys_are_slowed_down_and_right_ones_with_them(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path, keys=KeyRing(KEY)) as door:
            for _ in range(FAILURES):
                error = await refused(door.speech.ListModels(pb.ListModelsRequest(), metadata=bearer("guess")))
                assert code_of(error) == "key_wrong"
            for key in ("guess", KEY):
                error = await refused(door.speech.ListModels(pb.ListModelsRequest(), metadata=bearer(key)))
                assert (error.code(), code_of(error)) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "key_rate_limited")
                assert int(dict(error.trailing_metadata())["retry-after"]) > 0

    run(work())


def test_a_page_of_somebody_else_is_refused_also_without_keys(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path, origins=("https://app.example",)) as door:
            error = await refused(
                door.speech.ListModels(pb.ListModelsRequest(), metadata=(("origin", "https://evil.example"),))
            )
            assert (error.code(), code_of(error)) == (grpc.StatusCode.PERMISSION_DENIED, "origin_refused")
            await door.speech.ListModels(pb.ListModelsRequest(), metadata=(("origin", "https://app.example"),))

    run(work())


def test_the_health_of_the_whole_is_public_and_no_more(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path, keys=KeyRing(KEY)) as door:
            health = health_pb2_grpc.HealthStub(door.channel)
            answer = await health.Check(health_pb2.HealthCheckRequest())
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
            for name in ("talkie.v1.Speech", "no.such"):
                error = await refused(health.Check(health_pb2.HealthCheckRequest(service=name)))
                assert error.code() is grpc.StatusCode.UNAUTHENTICATED
            named = await health.Check(health_pb2.HealthCheckRequest(service="talkie.v1.Speech"), metadata=bearer(KEY))
            assert named.status == health_pb2.HealthCheckResponse.SERVING
            error = await refused(health.Check(health_pb2.HealthCheckRequest(service="no.such"), metadata=bearer(KEY)))
            assert error.code() is grpc.StatusCode.NOT_FOUND
            error = await refused(health.Watch(health_pb2.HealthCheckRequest()))
            assert error.code() is grpc.StatusCode.UNAUTHENTICATED

    run(work())


def test_health_tells_when_a_model_is_loading_and_when_that_is_over(tmp_path: Path) -> None:
    async def work() -> None:
        service = FakeService(readiness=FakeReadiness(False, {"model": "loading"}))
        async with opened(tmp_path, service) as door:
            health = health_pb2_grpc.HealthStub(door.channel)
            states = health_pb2.HealthCheckResponse
            watched = health.Watch(health_pb2.HealthCheckRequest(service="talkie.v1.Speech"))
            assert (await watched.read()).status == states.NOT_SERVING
            service.readiness = FakeReadiness()
            assert (await watched.read()).status == states.SERVING
            watched.cancel()
            unknown = health.Watch(health_pb2.HealthCheckRequest(service="no.such"))
            assert (await unknown.read()).status == states.SERVICE_UNKNOWN
            unknown.cancel()
            every = await health.List(health_pb2.HealthListRequest())
            assert {"", "talkie.v1.Speech", "grpc.health.v1.Health"} <= {*every.statuses}

    run(work())


def test_reflection_names_what_is_served_to_who_has_a_key(tmp_path: Path) -> None:
    asked = reflection_pb2.ServerReflectionRequest(list_services="")

    async def work() -> None:
        async with opened(tmp_path, keys=KeyRing(KEY)) as door:
            stub = reflection_pb2_grpc.ServerReflectionStub(door.channel)
            assert (await refused(stub.ServerReflectionInfo(and_wait()))).code() is grpc.StatusCode.UNAUTHENTICATED
            answers = [a async for a in stub.ServerReflectionInfo(in_turn(asked), metadata=bearer(KEY))]
            assert {s.name for s in answers[0].list_services_response.service} == {*door.door.methods.services}

    run(work())


@pytest.mark.parametrize(
    ("metadata", "key"),
    [
        ((), None),
        ((("authorization", "Bearer abc"),), "abc"),
        ((("authorization", "bearer  abc "),), "abc"),
        ((("authorization", "Bearer abc"), ("authorization", "Bearer abc")), "abc"),
        ((("authorization", "Bearer abc"), ("authorization", "Bearer def")), None),
        ((("authorization", "Basic abc"),), None),
        ((("authorization", b"Bearer abc"),), None),
    ],
)
def test_the_key_that_is_shown(metadata: tuple[tuple[str, str | bytes], ...], key: str | None) -> None:
    assert shown_key(metadata) == key


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:127.0.0.1:5000", "127.0.0.1"),
        ("ipv6:%5B::1%5D:5000", "::1"),
        ("ipv6:[2001:db8::1]:443", "2001:db8::1"),
        ("unix:/run/x", "unknown"),
        ("", "unknown"),
    ],
)
def test_the_address_of_a_peer(peer: str, address: str) -> None:
    assert peer_address(peer) == address
