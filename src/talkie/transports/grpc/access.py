"""Who may make a gRPC call, decided here before any handler, by the rules of the HTTP door.

Deny by default: a method is served only if it was declared with a scope (`methods.py`), and a call to any other wants
a key as well before it learns that there is none. Knows nothing of what the methods do.
"""

from __future__ import annotations

from talkie.errors import KeyMissing, KeyRateLimited, KeyWrong, OriginRefused, ScopeMissing
from talkie.transports.grpc.call import Call
from talkie.transports.http.access import AccessRules
from talkie.transports.keys import PUBLIC, Caller

ANY_KEY = ""
"""In place of a scope: whoever shows a key that is known."""


class Access:
    def __init__(self, rules: AccessRules) -> None:
        self._rules = rules

    def admit(self, call: Call, scope: str) -> None:
        """Fill in `call.caller`. Raises an `AccessError`."""
        self._check_origin(call)
        try:
            call.caller = self._identify(call)
        except (KeyMissing, KeyWrong, KeyRateLimited):
            if scope != PUBLIC:
                raise
            return
        if scope not in (PUBLIC, ANY_KEY) and not call.caller.may(scope):
            raise ScopeMissing(scope)

    def _check_origin(self, call: Call) -> None:
        """A browser cannot speak gRPC; should one come through a proxy that translates, its page must be on the list.

        gRPC keeps the Host header to itself; without a browser there is no rebinding that it could tell.
        """
        origins = [value for name, value in call.metadata if name == "origin"]
        if any(not isinstance(origin, str) or not self._rules.origins.listed(origin) for origin in origins):
            raise OriginRefused

    def _identify(self, call: Call) -> Caller:
        key = shown_key(call.metadata)
        wait_s = self._rules.throttle.wait_s(call.address) if key else 0.0
        if wait_s > 0 and self._rules.keys.required:
            raise KeyRateLimited(wait_s)
        try:
            return self._rules.keys.identify(key)
        except KeyWrong:
            self._rules.throttle.failed(call.address)
            raise


def shown_key(metadata: tuple[tuple[str, str | bytes], ...]) -> str | None:
    """The key of `authorization: Bearer KEY`. Some clients send it twice over TLS; two that differ are none."""
    shown = {value for name, value in metadata if name == "authorization"}
    if len(shown) != 1 or not isinstance(value := shown.pop(), str):
        return None
    scheme, _, key = value.partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None
