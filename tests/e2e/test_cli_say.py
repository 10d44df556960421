"""`talkie say` and `talkie voices` as real processes with the built-in voice."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import time
from pathlib import Path

import av
import numpy as np
import pytest

from fakes_service import FakeService
from http_door import make_app
from server_process import TALKIE, environment
from socket_door import serving_beside
from talkie.audio.encoders import FORMATS

TEXT = "Good morning. How are you today?"


def talkie(*arguments: object, home: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [*TALKIE, *map(str, arguments)]
    return subprocess.run(
        command, input=stdin, capture_output=True, timeout=60, env=environment({"TALKIE_HOME": str(home)}), check=False
    )


def seconds(data: bytes) -> float:
    with av.open(io.BytesIO(data)) as container:
        frames = list(container.decode(audio=0))
    return sum(frame.samples / frame.sample_rate for frame in frames)


def test_a_file_in_every_format_has_the_same_speech_in_it(tmp_path: Path) -> None:
    lengths = {}
    for form in FORMATS:
        path = tmp_path / f"speech.{form}"
        done = talkie("say", TEXT, "-o", path, home=tmp_path)
        assert done.returncode == 0, done.stderr
        data = path.read_bytes()
        lengths[form] = len(data) / 48_000 if form == "pcm" else seconds(data)
    assert 1.5 < lengths["wav"] < 5
    assert lengths == pytest.approx(dict.fromkeys(FORMATS, lengths["wav"]), abs=0.05)
    assert sorted(path.name for path in tmp_path.glob("*speech*")) == sorted(f"speech.{form}" for form in FORMATS)


def test_a_pipe_is_spoken_as_it_is_written(tmp_path: Path) -> None:
    """The first sentence comes out before the second is written."""
    command = [*TALKIE, "say", "-", "-o", "-", "--format", "pcm"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment({"TALKIE_HOME": str(tmp_path)})
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(b"This is the first sentence. And ")
        process.stdin.flush()
        first = process.stdout.read(24_000)
        process.stdin.write("here is a second one, für Zoë.".encode())
        process.stdin.close()
        rest = process.stdout.read()
        assert process.wait(60) == 0
    assert np.abs(np.frombuffer(first, "<i2")).max() > 1000
    assert len(rest) > 24_000


def test_captions_and_marks_tell_when_each_word_is(tmp_path: Path) -> None:
    captions, marks = tmp_path / "speech.vtt", tmp_path / "marks.jsonl"
    done = talkie("say", TEXT, "-o", tmp_path / "s.wav", "--captions", captions, "--marks", marks, home=tmp_path)
    assert done.returncode == 0, done.stderr
    text = captions.read_text()
    assert text.startswith("WEBVTT")
    assert [line for line in text.splitlines() if line[:1].isalpha()][1:] == ["Good morning.", "How are you today?"]
    told = [json.loads(line) for line in marks.read_text().splitlines()]
    assert " ".join(mark["text"] for mark in told if mark["kind"] == "word") == TEXT
    assert {mark["kind"] for mark in told} == {"word", "phoneme", "viseme"}


def test_an_interrupted_file_leaves_nothing(tmp_path: Path) -> None:
    """Interrupted when the part beside the file is there."""
    path = tmp_path / "out" / "speech.wav"
    long_text = tmp_path / "long.txt"
    long_text.write_text("This is one of very many sentences. " * 2500)
    command = [*TALKIE, "say", "--file", str(long_text), "-o", str(path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment({"TALKIE_HOME": str(tmp_path)})) as process:
        until_s = time.monotonic() + 30
        while not list(path.parent.glob(".speech.wav.*.part")) and time.monotonic() < until_s:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    assert list(path.parent.iterdir()) == []


def test_what_cannot_be_said_is_a_clear_error(tmp_path: Path) -> None:
    for arguments, code, words in (
        (("say", "", "-o", "x.wav"), 2, "nothing in the text"),
        (("say",), 2, "Give a text"),
        (("say", "x", "-o", "x.xyz"), 2, "no format"),
        (("say", "x", "-o", "x.wav", "--voice", "nobody"), 2, "no voice"),
        (("say", "x", "-o", "x.wav", "--speed", "9"), 2, "speed"),
        (("say", "<speak>\n<bad/></speak>", "-o", "x.wav"), 2, "line 2"),
        (("say", "--file", "not-there.txt"), 3, "cannot be opened"),
        (("say", "x", "--captions", "x.doc", "-o", "x.wav"), 2, "ending of captions"),
    ):
        done = talkie(*arguments, home=tmp_path)
        assert (done.returncode, words in done.stderr.decode()) == (code, True), (arguments, done.stderr)
    assert not Path("x.wav").exists()


def test_voices_are_listed_by_language(tmp_path: Path) -> None:
    done = talkie("voices", "--language", "german", "--json", home=tmp_path)
    found = json.loads(done.stdout)["voices"]
    assert "de" in [voice["id"] for voice in found]
    assert all("de" in {code.partition("-")[0] for code in voice["languages"]} for voice in found)
    assert b"VOICE" in talkie("voices", "-l", "es", home=tmp_path).stdout


def test_a_server_speaks_in_our_place(tmp_path: Path) -> None:
    service = FakeService()
    with serving_beside(make_app(tmp_path, service)) as address:
        url = f"http://{address}"
        path = tmp_path / "speech.wav"
        done = talkie("say", "four words are said", "-o", path, "--server", url, home=tmp_path)
        assert done.returncode == 0, done.stderr
        piped = talkie("say", "-", "-o", "-", "--server", url, home=tmp_path, stdin=b"One sentence. Two more words.")
        listed = json.loads(talkie("voices", "--json", "--server", url, home=tmp_path).stdout)["voices"]
    assert seconds(path.read_bytes()) == pytest.approx(0.8, abs=0.05)
    assert [request.text for request in service.asked[1:]] == ["One sentence.", "Two more words."]
    assert seconds(piped.stdout) == pytest.approx(1.0, abs=0.05)
    assert [voice["id"] for voice in listed] == ["en-us", "de"]
