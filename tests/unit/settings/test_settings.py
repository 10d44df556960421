"""The settings: which source wins, what is remembered of it, and what is said of mistakes."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from talkie.cli.main import app, load
from talkie.errors import SettingsError
from talkie.settings import Origin, Settings, env_name, load_settings

REPOSITORY = Path(__file__).parents[3]
CANARY = "canary-key-4711"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No settings from outside: an empty directory, an empty configuration, an empty home."""
    for name in list(os.environ):
        if name.startswith("TALKIE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


def test_flag_over_environment_over_file_over_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "talkie.toml").write_text('port = 1\nhost = "::1"\nqueue_size = 5\n')
    monkeypatch.setenv("TALKIE_PORT", "2")
    monkeypatch.setenv("TALKIE_HOST", "localhost")
    settings, origins = load_settings({"port": 3, "host": None})
    assert (settings.port, settings.host, settings.queue_size, settings.concurrency) == (3, "localhost", 5, 16)
    assert origins["port"] == Origin("flag", "--port")
    assert origins["host"] == Origin("environment", "TALKIE_HOST")
    assert origins["queue_size"] == Origin("file", str(tmp_path / "talkie.toml"))
    assert origins["concurrency"] == Origin("default")


@pytest.mark.parametrize("place", ["config/talkie", "data/talkie", "own-home"])
def test_the_file_is_looked_for_in_three_places(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if place == "own-home":
        monkeypatch.setenv("TALKIE_HOME", str(tmp_path / place))
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / "talkie.toml").write_text("port = 9\n")
    assert load_settings()[0].port == 9


def test_lists_in_the_environment_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALKIE_CORS_ORIGINS", "https://a.example, https://b.example")
    assert load_settings()[0].cors_origins == ("https://a.example", "https://b.example")


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALKIE_PORT", "")
    monkeypatch.setenv("TALKIE_API_KEY", "")
    settings, origins = load_settings()
    assert settings.port == 8000 and settings.api_key is None and origins["api_key"].kind == "default"


def test_unknown_names_are_warned_about_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TALKIE_PROT", "1")
    monkeypatch.setenv("TALKIE_BENCH_SPEECH", "somewhere")
    (tmp_path / "talkie.toml").write_text("quue_size = 3\n[serve]\nport = 1\n")
    with caplog.at_level(logging.WARNING):
        load_settings()
    text = caplog.text
    assert "TALKIE_PROT. Did you mean TALKIE_PORT?" in text and "quue_size. Did you mean queue_size?" in text
    assert "serve" in text and "BENCH" not in text


@pytest.mark.parametrize(
    ("flags", "words"),
    [({"port": 70000}, "port"), ({"preset": "careful"}, "preset"), ({"tls_cert": "a.pem"}, "belong together")],
)
def test_a_value_that_cannot_be_is_a_clear_error(flags: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words) as caught:
        load_settings(flags)
    assert caught.value.hint


def test_a_damaged_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "talkie.toml").write_text("port = = 3\n")
    with pytest.raises(SettingsError, match="not a TOML file"):
        load_settings()


def test_an_error_does_not_show_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALKIE_PORT", CANARY)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert CANARY not in f"{caught.value} {caught.value.hint}"


def test_keys_are_masked_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALKIE_API_KEY", CANARY)
    settings, origins = load_settings()
    runner = CliRunner()
    shown = [runner.invoke(app, ["config", *flags]).output for flags in ([], ["--json"])]
    assert "TALKIE_API_KEY" in shown[0]
    assert CANARY not in f"{settings!r} {origins!r} {shown}"


def test_config_tells_value_and_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALKIE_PORT", "9000")
    table = json.loads(CliRunner().invoke(app, ["config", "--json"]).output)
    assert table["port"] == {"value": 9000, "origin": "environment", "where": "TALKIE_PORT"}
    assert set(table) == set(Settings.model_fields)


def test_the_reference_page_is_current() -> None:
    page = CliRunner().invoke(app, ["config", "--markdown"]).output
    assert (REPOSITORY / "docs" / "settings.md").read_text() == page, "talkie config --markdown > docs/settings.md"


def test_every_setting_is_described() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_every_flag_of_serve_is_a_setting() -> None:
    names = {parameter.name for parameter in load("serve").params}
    assert names <= set(Settings.model_fields) and "port" in names


def test_an_environment_name_is_the_settings_name() -> None:
    assert env_name("max_upload_mb") == "TALKIE_MAX_UPLOAD_MB"
