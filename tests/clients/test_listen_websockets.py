"""`/v1/listen` of a running server, spoken to by the unmodified `websockets` package and by our own client."""

from __future__ import annotations

import io
import json
import threading
import wave
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosedOK
from websockets.sync.client import ClientConnection, connect

from commands import COMMANDS
from server_fixtures import ON_SERVER, speech_wav
from server_process import ServerProcess, running_server
from talkie.live_client import LiveClient
from talkie.types import LiveFinal, SpeechStarted
from whisper_models import TRAINED

pytestmark = ON_SERVER
SAID = "two three four five"
CLOSE = json.dumps({"type": "close"})
PIECE_BYTES = 3200


def sound(text: str = SAID) -> bytes:
    """Speech and half a second of silence after it: 16 kHz, 16 bits, without a header."""
    with wave.open(io.BytesIO(speech_wav(text))) as recording:
        return recording.readframes(recording.getnframes()) + bytes(16_000)


def socket(server: ServerProcess, query: str) -> ClientConnection:
    return connect(f"{server.url.replace('http', 'ws', 1)}/v1/listen?{query}", proxy=None)


def messages(connection: ClientConnection) -> Iterator[dict[str, Any]]:
    """All there are, to a close with 1000."""
    try:
        while True:
            yield json.loads(connection.recv(60))
    except ConnectionClosedOK:
        return


def words(told: list[dict[str, Any]]) -> list[str]:
    return " ".join(message["text"] for message in told if message["type"] == "final").split()


def test_the_first_and_the_last_word_arrive(server: ServerProcess) -> None:
    data = sound()
    with socket(server, "sample_rate=16000&encoding=pcm16&model=sphinx-en&language=en") as connection:
        assert json.loads(connection.recv(60))["type"] == "ready"
        for at in range(0, len(data), PIECE_BYTES):
            connection.send(data[at : at + PIECE_BYTES])
        connection.send(CLOSE)
        told = list(messages(connection))
    heard = words(told)
    assert heard[0] == "two" and heard[-1] == "five", heard
    final = next(message for message in told if message["type"] == "final")
    times = [(word["start"], word["end"]) for word in final["words"]]
    assert len(times) == len(heard) and times == sorted(times) and times[-1][1] <= final["end"] <= len(data) / 32_000
    assert told[-1] == {"type": "done", "seconds": round(len(data) / 32_000, 3)}


@pytest.mark.skipif(not (TRAINED / "model.bin").exists(), reason="the trained test model is not here")
def test_the_first_and_the_last_word_of_twenty_recordings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Each a WAV that begins and ends with its words, in a session of its own."""
    flags = ("--model", str(TRAINED), "--workers", "1", "--threads", "1")
    heard = []
    with running_server(tmp_path_factory.mktemp("listen"), *flags) as trained:
        trained.wait_ready()
        for text in COMMANDS:
            with socket(trained, "interim_results=false") as connection:
                connection.send(speech_wav(text))
                connection.send(CLOSE)
                heard.append(" ".join(words(list(messages(connection)))).lower().strip(" .!?"))
    assert heard == list(COMMANDS)


def test_a_wav_is_sent_as_it_is(server: ServerProcess) -> None:
    """As `websocat` does with a file: header and all, in pieces of its own liking, and no parameters."""
    recording = speech_wav(SAID)
    with socket(server, "model=sphinx-en") as connection:
        for at in range(0, len(recording), 1000):
            connection.send(recording[at : at + 1000])
        connection.send(CLOSE)
        heard = words(list(messages(connection)))
    assert heard[0] == "two" and heard[-1] == "five", heard


def test_telephone_sound(server: ServerProcess) -> None:
    import soxr

    samples = np.frombuffer(sound(), "<i2").astype(np.float32) / 32768
    narrow = np.clip(np.asarray(soxr.resample(samples, 16_000, 8_000)), -1, 1)
    coded = np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256)
    data = (~(np.where(coded < 0, 0x80, 0) | (np.abs(coded) * 127).astype(np.uint8))).astype(np.uint8).tobytes()
    with socket(server, "encoding=mulaw&sample_rate=8000&model=sphinx-en&interim_results=false") as connection:
        connection.send(data)
        connection.send(CLOSE)
        told = list(messages(connection))
    assert {"two", "four", "five"} & set(words(told)) and not [m for m in told if m["type"] == "partial"]
    assert told[-1]["seconds"] == round(len(data) / 8000, 3)


def test_several_utterances_and_a_commit(server: ServerProcess) -> None:
    with socket(server, "sample_rate=16000&model=micro&vad=false") as connection:
        for _ in range(2):
            connection.send(sound())
            connection.send(json.dumps({"type": "commit"}))
        connection.send(CLOSE)
        told = list(messages(connection))
    finals = [message for message in told if message["type"] == "final" and message["text"]]
    assert [final["utterance"] for final in finals] == [0, 1] and finals[1]["start"] >= finals[0]["end"] - 0.01


def test_silence_says_nothing(server: ServerProcess) -> None:
    with socket(server, "sample_rate=16000&model=micro") as connection:
        connection.send(bytes(320_000))
        connection.send(CLOSE)
        told = [message["type"] for message in messages(connection)]
    assert told == ["ready", "done"]


def test_who_leaves_leaves_no_session(server: ServerProcess) -> None:
    connection = socket(server, "sample_rate=16000&model=micro&client=leaver")
    session_id = json.loads(connection.recv(60))["session_id"]
    listed = httpx.get(f"{server.url}/v1/sessions").json()["data"]
    assert session_id in [session["id"] for session in listed]
    connection.send(sound())
    connection.socket.close()
    ended = threading.Event()
    for _ in range(400):
        listed = httpx.get(f"{server.url}/v1/sessions").json()["data"]
        if session_id not in [session["id"] for session in listed]:
            break
        ended.wait(0.05)
    else:
        pytest.fail("the session is still there")


def test_a_session_ended_by_another_is_told(server: ServerProcess) -> None:
    with socket(server, "sample_rate=16000&model=micro") as connection:
        session_id = json.loads(connection.recv(60))["session_id"]
        assert httpx.delete(f"{server.url}/v1/sessions/{session_id}").status_code == 200
        told = json.loads(connection.recv(60))
    assert told["type"] == "error" and told["error"]["code"] == "session_ended"


def test_our_own_client(server: ServerProcess) -> None:
    with LiveClient(server.url, model="sphinx-en", sample_rate=16_000, interim_results=False) as line:
        assert line.ready.session_id.startswith("live_")

        def speak() -> None:
            line.send(sound())
            line.finish()

        threading.Thread(target=speak).start()
        events = list(line.events())
    assert isinstance(events[0], SpeechStarted)
    [final] = [event for event in events if isinstance(event, LiveFinal)]
    assert final.transcript.text.split()[-1] == "five" and final.transcript.model == "sphinx-en"
    assert line.seconds == pytest.approx(len(sound()) / 32_000, abs=0.01)
