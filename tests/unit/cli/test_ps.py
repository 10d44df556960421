from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from talkie import client
from talkie.cli import main
from talkie.cli.ps import address
from talkie.settings import load_settings

LOADED = [
    {
        "name": "whisper-base",
        "engine": "whisper",
        "device": "cuda",
        "compute_type": "float16",
        "users": 2,
        "idle_s": 0.0,
        "backend": "ctranslate2",
        "backend_reason": "OpenVINO has no CUDA.",
        "workers": 2,
    },
    {"name": "sphinx-en", "engine": "sphinx", "device": "cpu", "compute_type": "", "users": 0, "idle_s": 12.4},
    {
        "name": "espeak",
        "engine": "espeak",
        "kind": "synthesizer",
        "device": "cpu",
        "users": 0,
        "idle_s": 60.2,
        "unload_s": 1740.0,
        "workers": 2,
    },
]


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    rows = list(LOADED)
    monkeypatch.setattr(client.Client, "ps", lambda self: rows)
    monkeypatch.setattr(client.Client, "sessions", lambda self: [])
    monkeypatch.setattr(client.Client, "models", lambda self: [{"id": "whisper-base", "size_bytes": 145_000_000}])
    return rows


def run(*arguments: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main.run(["ps", *arguments])
    assert ended.value.code == 0


def test_a_table(loaded: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    run()
    told = capsys.readouterr()
    assert told.err == "note: whisper-base is run by CTranslate2: OpenVINO has no CUDA.\n"
    assert told.out.splitlines() == [
        "NAME          KIND    ENGINE   SIZE    PROCESSOR     BACKEND         UNTIL",
        "whisper-base  hears   whisper  145 MB  cuda float16  ctranslate2 x2  in use by 2",
        "sphinx-en     hears   sphinx   -       cpu           -               needed (idle 12 s)",
        "espeak        speaks  espeak   -       cpu           -               29 min from now (idle 60 s)",
    ]


def test_nothing_in_memory(loaded: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    loaded.clear()
    run("--server", "localhost:1")
    captured = capsys.readouterr()
    assert captured.out.startswith("NAME") and "no model" in captured.err


def test_for_programs(loaded: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    run("--json")
    rows = json.loads(capsys.readouterr().out)
    assert rows[0] == {**LOADED[0], "size_bytes": 145_000_000} and rows[1]["size_bytes"] is None


@pytest.mark.parametrize(
    ("flags", "url"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"host": "0.0.0.0", "port": 9000}, "http://127.0.0.1:9000"),
        ({"host": "::"}, "http://[::1]:8000"),
        ({"tls": "self-signed", "host": "talkie.example"}, "https://talkie.example:8000"),
    ],
)
def test_where_a_server_of_these_settings_listens(flags: dict[str, Any], url: str, tmp_path: Path) -> None:
    assert address(load_settings({"home": tmp_path, **flags})[0]) == url
