"""Hostile recordings over HTTP: each gets its own clear answer, and the server lives on."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import numpy as np
import pytest

from audio_files import GOOD, HOSTILE, claiming, lying_webm, mutations, tone, wav
from server_fixtures import ON_SERVER, speech_wav
from server_process import ServerProcess

pytestmark = ON_SERVER
TRANSCRIBE = "/v1/audio/transcriptions"
NAMES = ["../../../../etc/passwd", "..\\..\\x.wav", "/etc/passwd", "a\x00b.wav", "x" * 5000 + ".wav", "", "rtsp://a/b"]
ODD: dict[str, Callable[[], bytes]] = {
    "one sample": lambda: wav(np.zeros(1, np.float32)),
    "NaN samples": lambda: wav(np.full(8000, np.nan, np.float32), 16_000, "FLOAT"),
    "24 hours by its header": lambda: claiming(wav(tone(0.5)), 24 * 3600 * 32_000),
    "a webm that lies about its length": lambda: lying_webm(10 * 3600),
    "a recording that was cut off": lambda: speech_wav()[:20_001],
}


def post(server: ServerProcess, file: bytes, name: str = "a.wav", **fields: str) -> httpx.Response:
    return httpx.post(server.url + TRANSCRIBE, files={"file": (name, file)}, data=fields, timeout=60)


@pytest.mark.parametrize("name", HOSTILE)
def test_each_is_refused_by_its_own_code(server: ServerProcess, name: str) -> None:
    make, code = HOSTILE[name]
    answer = post(server, make())
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert answer.json()["error"]["hint"]


@pytest.mark.parametrize("name", ODD)
def test_the_odd_ones_are_heard(server: ServerProcess, name: str) -> None:
    answer = post(server, ODD[name](), response_format="verbose_json")
    assert answer.status_code == 200 and answer.json()["duration"] < 3


def test_a_file_cut_off_is_heard_with_a_warning(server: ServerProcess) -> None:
    answer = post(server, claiming(wav(tone(0.5)), 100_000), response_format="verbose_json")
    assert "truncated_audio" in [warning["code"] for warning in answer.json()["warnings"]]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_name_is_never_a_path(server: ServerProcess, name: str) -> None:
    body = (
        b'--X\r\nContent-Disposition: form-data; name="file"; filename="' + name.encode() + b'"\r\n\r\n'
        + speech_wav() + b"\r\n--X--\r\n"
    )  # fmt: skip
    headers = {"Content-Type": "multipart/form-data; boundary=X"}
    answer = httpx.post(server.url + TRANSCRIBE, content=body, headers=headers, timeout=60)
    assert answer.status_code == 200 or answer.json()["error"]["code"] == "bad_request_body"
    assert [path.name for path in (server.log.parent / "tmp").iterdir() if path.suffix != ".lock"] == []


@pytest.mark.parametrize("model", ["../sphinx-en", "/etc/passwd", ".", "a" * 5000, "\x00", "sphinx-en/..", "hf:a/b"])
def test_a_model_is_a_name_and_no_path(server: ServerProcess, model: str) -> None:
    answer = post(server, speech_wav(), model=model)
    assert answer.status_code == 404 and answer.json()["error"]["param"] == "model"
    assert len(answer.text) < 1000


def test_damaged_files_of_every_format(server: ServerProcess) -> None:
    for name, data in mutations(len(GOOD), seed=4):
        answer = post(server, data)
        assert answer.status_code in (200, 400), (name, answer.text)


def test_the_server_lives_on(server: ServerProcess) -> None:
    assert server.get("/readyz").json()["ready"] is True
    assert post(server, speech_wav()).status_code == 200
    assert server.process.poll() is None and "internal_error" not in server.log_text()
