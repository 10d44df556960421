"""Who may not come in, and settings that cannot be."""

from __future__ import annotations

from talkie.errors.base import TalkieError


class AccessError(TalkieError):
    """Who asks may not."""

    code = "access_denied"


class KeyMissing(AccessError):
    code = "key_missing"

    def __init__(self) -> None:
        super().__init__("This server wants a key.", hint="Send it as `Authorization: Bearer KEY`.")


class KeyWrong(AccessError):
    code = "key_wrong"

    def __init__(self) -> None:
        super().__init__("The key is not known here.", hint="Ask whoever runs this server for one.")


class KeyRateLimited(AccessError):
    code = "key_rate_limited"

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("Too many wrong keys from this address.", hint="Wait a little before the next try.")
        self.retry_after_s = retry_after_s


class ScopeMissing(AccessError):
    code = "scope_missing"

    def __init__(self, scope: str) -> None:
        super().__init__(f"The key does not have the scope {scope!r}.", hint="Use another key.")


class OriginRefused(AccessError):
    code = "origin_refused"

    def __init__(self) -> None:
        super().__init__(
            "Requests from this web origin are not allowed.", hint="Add it to the setting cors_origins if it is yours."
        )


class HostRefused(AccessError):
    code = "host_refused"

    def __init__(self) -> None:
        super().__init__(
            "The Host header names a host that this server is not.", hint="Add it to the setting allowed_hosts."
        )


class SettingsError(TalkieError):
    """A setting that cannot be."""

    code = "bad_setting"


class AddressTaken(SettingsError):
    """Another program's now, or not this machine's yet: unlike other settings, a later start may find it right."""

    code = "address_taken"


class UnsafeAddress(SettingsError):
    code = "unsafe_address"

    def __init__(self, host: str) -> None:
        super().__init__(
            f"Listening on {host} without a key would open this machine to everybody.",
            hint="Set TALKIE_API_KEY (or keys_file), or listen on 127.0.0.1.",
        )
