"""The certificate of our own making."""

from __future__ import annotations

from pathlib import Path

import pytest

from talkie.transports import tls


def test_it_is_made_once_for_the_same_names(tmp_path: Path) -> None:
    certificate, key = tls.self_signed(tmp_path / "tls", ["box", "10.0.0.7"])
    first = certificate.read_bytes()
    assert key.stat().st_mode & 0o777 == 0o600 and b"PRIVATE KEY" in key.read_bytes()
    assert tls.self_signed(tmp_path / "tls", ["box"]) == (certificate, key) and certificate.read_bytes() == first
    tls.self_signed(tmp_path / "tls", ["another"])
    assert certificate.read_bytes() != first
    assert len(tls.fingerprint(certificate)) == 95
    assert sorted(path.name for path in certificate.parent.iterdir()) == ["cert.pem", "key.pem"]


def test_it_is_made_anew_in_time_and_when_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, key = tls.self_signed(tmp_path, [])
    first = certificate.read_bytes()
    monkeypatch.setattr(tls, "RENEW", tls.VALID)
    tls.self_signed(tmp_path, [])
    second = certificate.read_bytes()
    monkeypatch.undo()
    key.write_bytes(b"no key")
    tls.self_signed(tmp_path, [])
    assert len({first, second, certificate.read_bytes()}) == 3
