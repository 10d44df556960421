"""`talkie ps`: the live sessions under the models."""

from __future__ import annotations

import json
from typing import Any

import pytest

from talkie import client
from talkie.cli import main
from talkie.errors import ScopeMissing

SESSIONS = [
    {
        "id": "live_abc",
        "object": "session",
        "door": "listen",
        "model": "whisper-base",
        "state": "listening",
        "seconds_heard": 75.24,
        "lag_s": 0.25,
        "started": 1,
        "client": "a phone",
    },
    {"id": "live_d", "door": "wyoming", "model": "whisper-base", "state": "loading", "seconds_heard": 0, "client": ""},
]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    rows = [dict(row) for row in SESSIONS]
    monkeypatch.setattr(client.Client, "ps", lambda self: [])
    monkeypatch.setattr(client.Client, "models", lambda self: [])
    monkeypatch.setattr(client.Client, "sessions", lambda self: rows)
    return rows


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    with pytest.raises(SystemExit) as ended:
        main.run(["ps", *arguments])
    assert ended.value.code == 0
    return capsys.readouterr().out.splitlines()


def test_a_table_under_the_models(shown: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys)[1:] == [
        "SESSION   DOOR     MODEL         STATE      HEARD  LAG    CLIENT",
        "live_abc  listen   whisper-base  listening  75 s   0.2 s  a phone",
        "live_d    wyoming  whisper-base  loading    0 s    0.0 s  -",
    ]


def test_no_sessions_no_table(shown: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    shown.clear()
    assert len(run(capsys)) == 1


def test_a_key_for_models_alone(
    shown: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(self: client.Client) -> list[dict[str, Any]]:
        raise ScopeMissing("transcribe")

    monkeypatch.setattr(client.Client, "sessions", refused)
    assert len(run(capsys)) == 1


def test_json_is_the_models(shown: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads("\n".join(run(capsys, "--json"))) == []
