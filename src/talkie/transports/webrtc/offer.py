"""A caller's offer, read with suspicion before anything acts on it. Pure; knows nothing of aiortc.

Its candidates are addresses that this machine would send packets to. They are taken for ports only: packets go to the
address that the call came from and to nobody else, however the offer is written. Names (mDNS) are thereby never looked
up.
"""

from __future__ import annotations

import ipaddress
import re

from talkie.errors import InvalidValue

MAX_OFFER_BYTES = 64 * 1024
MAX_CANDIDATES = 16
MAX_LINES = 1000
DISCARD_PORT = 9
"""Where no candidate came, checks go to the port that throws everything away, until the caller's own have come."""

_CANDIDATE = re.compile(r"a=candidate:\S+ 1 udp \d+ \S+ (\d{1,5}) typ \S+", re.IGNORECASE)
_HINT = "Send the SDP offer of a browser: one video, at most one audio and one data channel, bundled."


def safe_offer(sdp: str, caller: str) -> str:
    """The offer with no other address in it than the caller's. Raises `InvalidValue`."""
    lines = sdp.replace("\r\n", "\n").rstrip("\n").split("\n")
    if len(sdp) > MAX_OFFER_BYTES or len(lines) > MAX_LINES:
        raise _wrong("it is too long.")
    if not lines[0].startswith("v=0"):
        raise _wrong("it is no SDP.")
    _check_media([line.partition(" ")[0] for line in lines if line.startswith("m=")])
    ports = [int(found[1]) for line in lines if (found := _CANDIDATE.match(line))]
    kept = [line for line in lines if not line.startswith(("a=candidate:", "a=end-of-candidates", "a=remote-cand"))]
    return "\r\n".join([*_with_candidates(kept, _candidates(ports, caller)), ""])


def _check_media(kinds: list[str]) -> None:
    if kinds.count("m=video") != 1:
        raise _wrong("it asks for no picture, or for several.")
    if kinds.count("m=audio") > 1 or kinds.count("m=application") > 1 or len(kinds) > 3:
        raise _wrong("it has more parts than one of each.")
    if set(kinds) - {"m=video", "m=audio", "m=application"}:
        raise _wrong("it has parts that are neither sound, picture nor data.")


def _candidates(ports: list[int], caller: str) -> list[str]:
    wanted = list(dict.fromkeys(port for port in ports if 1024 <= port <= 65535))[:MAX_CANDIDATES] or [DISCARD_PORT]
    address = _address(caller)
    return [
        f"a=candidate:{n} 1 udp {2_113_937_151 - n} {address} {port} typ host" for n, port in enumerate(wanted, start=1)
    ]


def _address(caller: str) -> str:
    """IPv4 in IPv6's clothes is IPv4; a name or nothing (a socket file) is this machine."""
    try:
        found = ipaddress.ip_address(caller.partition("%")[0])
    except ValueError:
        return "127.0.0.1"
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


def _with_candidates(lines: list[str], candidates: list[str]) -> list[str]:
    """The candidates at the end of the first part: all the others go the same way (bundle)."""
    parts = [at for at, line in enumerate(lines) if line.startswith("m=")]
    end = parts[1] if len(parts) > 1 else len(lines)
    return [*lines[:end], *candidates, "a=end-of-candidates", *lines[end:]]


def _wrong(why: str) -> InvalidValue:
    return InvalidValue("sdp", f"The offer cannot be taken: {why}", hint=_HINT)
