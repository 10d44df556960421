"""The composition root: what it refuses before anything is started."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from model_files import write_model
from talkie.cli.output import exit_code
from talkie.errors import AddressTaken, SettingsError, UnsafeAddress
from talkie.server import access_rules, bind, certificate, check_pull, own_names, serve, upload_limits
from talkie.settings import Settings
from talkie.transports.tls import self_signed


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_another_address_without_a_key_is_refused(tmp_path: Path, host: str) -> None:
    with pytest.raises(UnsafeAddress):
        serve(Settings(home=tmp_path, host=host, log_level="error"))


def test_a_file_of_keys_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="file of keys"):
        access_rules(Settings(home=tmp_path, keys_file=tmp_path / "missing.toml"))
    assert not access_rules(Settings(home=tmp_path)).keys.required
    assert access_rules(Settings(home=tmp_path, api_key="x")).keys.required


def test_a_certificate_that_was_named_must_fit_its_key(tmp_path: Path) -> None:
    certificate_file, key = self_signed(tmp_path / "a", [])
    _, other_key = self_signed(tmp_path / "b", [])
    for path in (other_key, tmp_path / "missing.pem", certificate_file):
        with pytest.raises(SettingsError, match="cannot be used"):
            certificate(Settings(home=tmp_path, tls_cert=certificate_file, tls_key=path))
    good = certificate(Settings(home=tmp_path, tls_cert=certificate_file, tls_key=key))
    assert good == (str(certificate_file), str(key)) and certificate(Settings(home=tmp_path)) is None


@pytest.mark.parametrize("name", ["no-such-model", "hf:nobody", "../etc", "whisper base!"])
def test_a_name_that_nothing_can_be_pulled_by_is_refused_at_once(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="pull names") as refused:
        serve(Settings(home=tmp_path, pull=(name,), log_level="error"))
    assert exit_code(refused.value) == 2, "a service manager does not try again"


def test_names_of_the_catalogue_of_the_hub_and_of_the_volume_may_be_pulled(tmp_path: Path) -> None:
    write_model(tmp_path / "models" / "byhand")
    check_pull(Settings(home=tmp_path, pull="whisper-base, turbo sphinx-en byhand hf:me/mine@v1"))


def test_an_address_that_is_taken_may_be_free_later(tmp_path: Path) -> None:
    with bind("127.0.0.1", 0) as taken, pytest.raises(AddressTaken) as refused:
        bind("127.0.0.1", taken.getsockname()[1])
    assert exit_code(refused.value) == 1


def test_a_certificate_that_cannot_be_kept_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="No certificate can be kept"):
        certificate(Settings(home=tmp_path / "file", tls="self-signed"))


def test_uploads_find_a_place_where_the_volume_has_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    place = upload_limits(Settings(home=tmp_path / "file")).directory
    assert place.is_dir() and not place.is_relative_to(tmp_path / "file")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_free_port(host: str) -> None:
    with bind(host, 0) as listening:
        assert listening.getsockname()[1] > 0


@pytest.mark.parametrize("host", ["198.51.100.1", "no such name", "300.1.1.1"])
def test_an_address_that_is_not_ours_is_said(host: str) -> None:
    with pytest.raises(SettingsError, match="Cannot listen"):
        bind(host, 0)


def test_our_own_names_are_known(tmp_path: Path) -> None:
    hosts = access_rules(Settings(home=tmp_path, host="127.0.0.1", allowed_hosts="talkie.example")).hosts
    assert hosts.know("talkie.example:8000") and hosts.know("localhost") and not hosts.know("evil.example")
    assert all(hosts.know(name) for name in own_names(socket.gethostname()))
    assert own_names("::") == own_names("*")


def test_limits_come_from_the_settings(tmp_path: Path) -> None:
    limits = upload_limits(Settings(home=tmp_path, max_upload_mb=1.5, upload_idle_s=2))
    assert (limits.directory, limits.max_bytes, limits.idle_s) == (tmp_path / "tmp", 1_500_000, 2)
