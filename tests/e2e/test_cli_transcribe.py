"""`talkie transcribe` as a process, on speech: the built-in engine, files, pipes, and a server."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from server_process import TALKIE, ServerProcess, environment, running_server
from speech import say
from talkie.audio.encode import encode_wav
from talkie.text.wer import Wer, word_error_rate

HUMAN = Path(__file__).resolve().parents[3] / "shared" / "speech"
SENTENCE = "there are many people in the room"
VOICE = "en-us+f2"


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with speech, silence, and something that is no sound."""
    folder = tmp_path_factory.mktemp("recordings")
    spoken = say(SENTENCE, VOICE, 157)
    (folder / "speech.wav").write_bytes(encode_wav(spoken, 16_000))
    (folder / "silence.wav").write_bytes(encode_wav(np.zeros(32_000, np.float32), 16_000))
    (folder / "broken.mp3").write_bytes(b"this is no sound at all")
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with running_server(tmp_path_factory.mktemp("plain"), fake="plain") as started:
        yield started


def talkie(*arguments: str, cwd: Path, code: int = 0, stdin: bytes = b"", home: Path | None = None) -> tuple[str, str]:
    done = subprocess.run(
        [*TALKIE, "transcribe", *arguments], input=stdin, capture_output=True, timeout=110, cwd=cwd,
        env=environment({"TALKIE_HOME": str(home or cwd / "home")}), check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr.decode()
    return done.stdout.decode(), done.stderr.decode()


# -- in this process ---------------------------------------------------------------------------------------------------


def test_speech_silence_and_a_bad_file_in_one_go(recordings: Path, tmp_path: Path) -> None:
    """Into files, in two formats; the bad one is told and the others are done."""
    files = [str(recordings / name) for name in ("speech.wav", "silence.wav", "broken.mp3")]
    out, told = talkie(*files, "-f", "verbose_json,srt", "-o", "out", "--words", cwd=tmp_path, code=3)
    assert out == "" and "broken.mp3: The file could not be decoded" in told
    assert "1 of 3 recordings" in told and "talkie pull whisper-base" in told
    results = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert results == ["silence.json", "silence.srt", "speech.json", "speech.srt"]
    heard = json.loads((tmp_path / "out" / "speech.json").read_text())
    assert word_error_rate(SENTENCE, heard["text"]).rate <= 0.5
    assert heard["language"] == "english" and heard["words"][0]["end"] <= heard["words"][-1]["start"] + 0.01
    assert 0 <= heard["segments"][0]["start"] < heard["segments"][-1]["end"] <= heard["duration"] + 0.1
    silent = json.loads((tmp_path / "out" / "silence.json").read_text())
    assert (silent["text"], silent["segments"], silent["duration"]) == ("", [], 2.0)
    assert (tmp_path / "out" / "silence.srt").read_text() == ""
    cues = (tmp_path / "out" / "speech.srt").read_text()
    assert cues.startswith("1\n00:00:00,") and " ".join(heard["text"].split()[:2]) in cues


def test_from_a_pipe_to_stdout(recordings: Path, tmp_path: Path) -> None:
    out, told = talkie("-", "-v", cwd=tmp_path, stdin=(recordings / "speech.wav").read_bytes())
    assert word_error_rate(SENTENCE, out).rate <= 0.5 and out.endswith("\n")
    assert "heard by sphinx-en" in told


HEEDING_CTRL_C = [
    sys.executable,
    "-c",
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from talkie.cli.main import run; run()",
]
"""A shell that runs the tests in the background has its children ignore SIGINT, and they hand that on."""


def test_ctrl_c_ends_it_cleanly(tmp_path: Path) -> None:
    """In the middle of a long recording: no half-written file, no worker left, exit code 130."""
    long = np.tile(np.concatenate([say(SENTENCE, VOICE, 157), np.zeros(16_000, np.float32)]), 30)
    (tmp_path / "long.wav").write_bytes(encode_wav(long, 16_000))
    process = subprocess.Popen(
        [*HEEDING_CTRL_C, "transcribe", "long.wav", "-o", "out"], stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        env=environment({"TALKIE_HOME": str(tmp_path / "home")}), start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("out/.*.part")) and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130 and "interrupted" in told and "Traceback" not in told
    assert list((tmp_path / "out").iterdir()) == []
    with pytest.raises(ProcessLookupError):  # nobody of its session is left
        signal_session(process.pid)


def signal_session(leader: int) -> None:
    import os

    for _ in range(100):
        os.killpg(leader, 0)
        time.sleep(0.05)


def test_what_is_wrong_is_said_and_nothing_is_written(recordings: Path, tmp_path: Path) -> None:
    speech = str(recordings / "speech.wav")
    for arguments, code, words in (
        ((speech, "--language", "de"), 2, "does not know the language"),
        ((speech, "--model", "whisper-tiny"), 4, "talkie pull whisper-tiny"),
        ((speech, "--model", "./nowhere"), 4, "no such directory"),
        ((str(recordings / "broken.mp3"),), 3, "could not be decoded"),
        (("gone.wav",), 3, "No such file"),
    ):
        out, told = talkie(*arguments, "-o", "out", cwd=tmp_path, code=code)
        assert out == "" and words in told and "hint: " in told and "Traceback" not in told
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.human
@pytest.mark.slow
def test_people_are_heard(tmp_path: Path) -> None:
    """A few read sentences of people: the built-in engine is rough, and gets most words all the same."""
    manifest = HUMAN / "manifest.csv"
    if not manifest.is_file():
        pytest.skip("the human recordings are not part of the repository")
    with manifest.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["language"].startswith("en")]
    rows = [row for row in rows if 2.0 < float(row["seconds"]) < 8.0 and len(row["text"].split()) > 5][:2]
    paths = [str(HUMAN / row["path"]) for row in rows]
    out, _ = talkie(*paths, "-f", "json", cwd=tmp_path)
    heard = {line["file"]: line["text"] for line in map(json.loads, out.splitlines())}
    total = sum((word_error_rate(row["text"], heard[path]) for row, path in zip(rows, paths, strict=True)), Wer())
    assert total.words > 10 and total.rate < 0.6


# -- through a server --------------------------------------------------------------------------------------------------


def test_a_server_hears_in_every_format(recordings: Path, server: ServerProcess, tmp_path: Path) -> None:
    speech = str(recordings / "speech.wav")
    text, _ = talkie(speech, "--server", server.url, cwd=tmp_path)
    assert text == "hello there\ngeneral\n"
    srt, _ = talkie(speech, "--server", server.url, "-f", "srt", cwd=tmp_path)
    assert srt.startswith("1\n00:00:00,000 --> 00:00:01,000\nhello there\n\n2\n")
    out, _ = talkie(speech, "--server", server.url, "-f", "verbose_json", "--words", cwd=tmp_path)
    answer = json.loads(out)
    assert [word["word"] for word in answer["words"]] == ["hello", "there", "general"]
    piped, _ = talkie("-", "--server", server.url, "-f", "tsv", cwd=tmp_path, stdin=b"anything")
    assert piped.splitlines()[1] == "0\t1000\thello there"


def test_its_json_is_the_servers_own(recordings: Path, server: ServerProcess, tmp_path: Path) -> None:
    import httpx

    for name in ("json", "verbose_json"):
        out, _ = talkie(str(recordings / "speech.wav"), "--server", server.url, "-f", name, cwd=tmp_path)
        files = {"file": (recordings / "speech.wav").read_bytes()}
        own = httpx.post(f"{server.url}/v1/audio/transcriptions", files=files, data={"response_format": name})
        assert out.encode() == own.content + b"\n"


def test_nobody_answers(recordings: Path, tmp_path: Path) -> None:
    out, told = talkie(str(recordings / "speech.wav"), "--server", "127.0.0.1:1", cwd=tmp_path, code=5)
    assert out == "" and "Nobody answers" in told and "talkie serve" in told
