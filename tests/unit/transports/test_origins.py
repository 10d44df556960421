"""Names and web origins: which are ours."""

from __future__ import annotations

import pytest

from talkie.errors import SettingsError
from talkie.transports.http.origins import HostNames, Origins, is_loopback
from talkie.transports.http.throttle import MAX_ADDRESSES, Throttle

HOSTS = HostNames(["talkie.example", "*.lan.example", "box"])


@pytest.mark.parametrize(
    "header",
    ["localhost", "localhost:8000", "127.0.0.1:1", "[::1]:8000", "10.1.2.3", "Talkie.Example:443", "box", "box.",
     "a.lan.example", "app.localhost:3"],
)  # fmt: skip
def test_our_own_names(header: str) -> None:
    assert HOSTS.know(header)


@pytest.mark.parametrize(
    "header",
    ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "talkie.example.evil", "lan.example",
     "localhost:99999", "localhost:8000:1", "user@localhost", "localhost/x", "evil.example#localhost", "[::1", "a b"],
)  # fmt: skip
def test_other_names(header: str) -> None:
    assert not HOSTS.know(header)


@pytest.mark.parametrize("name", ["*", "*.*", "a b", "https://x", "*x"])
def test_a_list_of_names_has_no_wildcard_for_all(name: str) -> None:
    with pytest.raises(SettingsError):
        HostNames([name])


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        ("http://localhost:8000", "localhost:8000", True),
        ("https://talkie.example", "talkie.example", True),
        ("https://talkie.example", "talkie.example:443", True),
        ("https://app.example", "localhost:8000", True),
        ("http://app.example", "localhost:8000", False),
        ("https://app.example:8443", "localhost:8000", False),
        ("https://app.example.evil", "localhost:8000", False),
        ("http://localhost:3000", "localhost:8000", False),
        ("http://127.0.0.1:8000", "localhost:8000", False),
        ("null", "localhost:8000", False),
        ("", "localhost", False),
        ("file://", "localhost:8000", False),
        ("http://evil@localhost:8000", "localhost:8000", False),
        ("http://localhost:8000/", "localhost:8000", False),
        ("http://localhost:x", "localhost:8000", False),
    ],
)
def test_origins(origin: str, host: str, allowed: bool) -> None:
    assert Origins(["https://app.example/"]).allow(origin, host) is allowed


@pytest.mark.parametrize("origin", ["*", "https://*", "app.example", "https://a/b", "null", "ftp://a", "http://a:b"])
def test_a_list_of_origins_has_no_wildcard(origin: str) -> None:
    with pytest.raises(SettingsError):
        Origins([origin])


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),
     ("192.168.1.2", False), ("example.org", False), ("", False)],
)  # fmt: skip
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_failures_are_counted_by_address_and_forgotten_in_time() -> None:
    now = [0.0]
    throttle = Throttle(3, 60.0, lambda: now[0])
    for _ in range(3):
        assert throttle.wait_s("10.0.0.1") == 0
        throttle.failed("10.0.0.1")
    assert throttle.wait_s("10.0.0.1") == 60 and throttle.wait_s("10.0.0.2") == 0
    now[0] = 60.5
    assert throttle.wait_s("10.0.0.1") == 0


def test_an_ipv6_network_is_one_address_and_the_table_is_bounded() -> None:
    throttle = Throttle(1)
    throttle.failed("2001:db8::1")
    assert throttle.wait_s("2001:db8::2") > 0 and throttle.wait_s("2001:db8:0:1::1") == 0
    for number in range(MAX_ADDRESSES + 10):
        throttle.failed(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(throttle._table) == MAX_ADDRESSES
