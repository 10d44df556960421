"""`talkie animate` and `talkie say --face` as real processes with the built-in avatar, and in front of a server."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import av
import numpy as np
import pytest

from fakes_service import FakeService
from films import seen
from http_door import make_app
from server_process import TALKIE, environment
from socket_door import serving_beside

SIZE = 96


def talkie(*arguments: object, home: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [*TALKIE, *map(str, arguments)]
    return subprocess.run(
        command, input=stdin, capture_output=True, timeout=60, env=environment({"TALKIE_HOME": str(home)}), check=False
    )


def test_a_text_and_then_its_recording_are_spoken_by_the_built_in_face(tmp_path: Path) -> None:
    """The picture moves while there is speech; the second film has the sound of the first."""
    film, sound = tmp_path / "said.mp4", tmp_path / "said.wav"
    done = talkie("say", "Good morning.", "--face", film, "-o", sound, "--size", SIZE, home=tmp_path)
    assert done.returncode == 0 and done.stdout == b"", done.stderr
    with av.open(str(sound)) as recording:
        assert recording.duration is not None
        seconds = recording.duration / av.time_base
    again = tmp_path / "again.webm"
    done = talkie("animate", "-", "-o", again, "--size", SIZE, home=tmp_path, stdin=sound.read_bytes())
    assert done.returncode == 0, done.stderr
    for path in (film, again):
        found = seen(path.read_bytes())
        assert len(found.times_s) == int(seconds * 25)
        assert found.sound_s == pytest.approx(seconds, abs=0.05)
        with av.open(str(path)) as container:
            pictures = [frame.to_ndarray(format="gray").astype(float) for frame in container.decode(video=0)]
        assert pictures[0].shape == (SIZE, SIZE)
        assert max(np.abs(later - pictures[0]).max() for later in pictures) > 30
    assert sorted(path.name for path in tmp_path.glob("*said*")) == ["said.mp4", "said.wav"]


def test_an_interrupted_film_leaves_nothing(tmp_path: Path) -> None:
    """Interrupted when the part beside the film is there."""
    path = tmp_path / "out" / "film.mp4"
    recording = tmp_path / "long.raw"
    recording.write_bytes(np.random.default_rng(0).integers(-3000, 3000, 16_000 * 600, np.int16).tobytes())
    command = [*TALKIE, "animate", str(recording), "--raw", "16000", "-o", str(path), "--size", "512"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment({"TALKIE_HOME": str(tmp_path)})) as process:
        until_s = time.monotonic() + 30
        while not list(path.parent.glob(".film.mp4.*.part")) and time.monotonic() < until_s:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    assert list(path.parent.iterdir()) == []


def test_what_cannot_be_heard_is_a_clear_error(tmp_path: Path) -> None:
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"RIFF nonsense" * 100)
    done = talkie("animate", bad, "-o", tmp_path / "x.mp4", home=tmp_path)
    assert done.returncode == 3 and done.stderr.startswith(b"error: ")
    assert not list(tmp_path.glob("*x.mp4*"))


def test_a_server_shows_in_our_place(tmp_path: Path) -> None:
    service = FakeService()
    recording = tmp_path / "talk.wav"
    recording.write_bytes(bytes(2000))
    with serving_beside(make_app(tmp_path, service)) as address:
        url = f"http://{address}"
        film, said = tmp_path / "film.mp4", tmp_path / "said.webm"
        done = talkie("animate", recording, "-o", film, "--server", url, "--size", "48", home=tmp_path)
        assert done.returncode == 0, done.stderr
        done = talkie("say", "-", "--face", said, "--server", url, home=tmp_path, stdin=b"One two three. Four five.")
        assert done.returncode == 0, done.stderr
        service.face_breaks = RuntimeError("broken")
        broken = talkie("animate", recording, "-o", tmp_path / "y.mp4", "--server", url, home=tmp_path)
    assert len(seen(film.read_bytes()).times_s) == 50 and service.shown[0].width == 48
    assert seen(said.read_bytes()).sound_s == pytest.approx(1.0, abs=0.05)
    assert broken.returncode != 0 and not list(tmp_path.glob("*y.mp4*"))
