"""Every method that the gRPC door serves, each with the scope that it takes, by the descriptors of its service.

There is no way in beside this table: it answers gRPC's question for a handler, for methods that it does not have too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from talkie.transports.grpc.access import ANY_KEY
from talkie.transports.grpc.call import Call
from talkie.transports.keys import PUBLIC, SCOPES

if TYPE_CHECKING:
    from google.protobuf.descriptor import ServiceDescriptor

Behaviour: TypeAlias = Callable[[Call], Awaitable[None]]
ScopeOf: TypeAlias = str | Callable[[Message], str]
"""A scope, or what tells it from the first message."""


@dataclass(frozen=True, slots=True)
class Method:
    """One method of a service. `kind` is the class of its requests; `endless`: it may go on for as long as the client
    likes; `quiet`: machines ask it every few seconds."""

    path: str
    kind: type[Message]
    behaviour: Behaviour
    scope: ScopeOf
    endless: bool = False
    quiet: bool = False


class Methods:
    """The table. `services` are the descriptors of what is in it."""

    def __init__(self) -> None:
        self._methods: dict[str, Method] = {}
        self.services: dict[str, ServiceDescriptor] = {}

    def open(
        self, service: ServiceDescriptor, name: str, behaviour: Behaviour, *, scope: ScopeOf, quiet: bool = False
    ) -> None:
        """Declare a method of `service` and the scope that it takes: one of `SCOPES`, `public` or any key."""
        if isinstance(scope, str) and scope not in (*SCOPES, PUBLIC, ANY_KEY):
            raise ValueError(f"no such scope: {scope}")
        described = service.methods_by_name[name]
        path = f"/{service.full_name}/{name}"
        kind, endless = GetMessageClass(described.input_type), described.client_streaming or quiet
        self._methods[path] = Method(path, kind, behaviour, scope, endless, quiet)
        self.services[service.full_name] = service

    def find(self, path: str) -> Method | None:
        return self._methods.get(path)

    def of(self, service: str) -> dict[str, Method]:
        """The methods of a service that are served, by their names."""
        paths = ((method.name, f"/{service}/{method.name}") for method in self.services[service].methods)
        return {name: self._methods[path] for name, path in paths if path in self._methods}
