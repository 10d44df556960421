"""Files made to do harm: each is refused by its code, none hangs, none crashes, none opens anything else."""

from __future__ import annotations

import io
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audio_files import GOOD, HOSTILE, PLAYLISTS, mutations, tone
from talkie.audio.decode import AudioLimits, open_audio
from talkie.audio.sniff import Kind
from talkie.audio.source import open_source
from talkie.errors import AudioError, ContainerNotAllowed, TalkieError


def hear(data: bytes) -> int:
    """Samples decoded."""
    with open_audio(io.BytesIO(data), limits=AudioLimits(max_seconds=600)) as stream:
        return sum(map(len, stream.blocks()))


@pytest.mark.parametrize("name", HOSTILE)
def test_each_is_refused_by_its_code(name: str) -> None:
    make, code = HOSTILE[name]
    with pytest.raises(TalkieError) as caught:
        hear(make())
    assert caught.value.code == code
    assert caught.value.hint


@pytest.mark.parametrize("seed", range(4))
def test_damaged_files_end_in_an_error_or_a_result(seed: int) -> None:
    for name, data in mutations(50, seed):
        try:
            assert hear(data) > 0, name
        except AudioError as error:
            assert error.code in {"undecodable_audio", "no_audio_stream", "empty_audio", "audio_too_long"}, name


@pytest.mark.parametrize("demuxer", ["hls", "concat", "sdp", "dash", "image2", "lavfi", "rtsp", "tedcaptions"])
def test_ffmpeg_refuses_what_is_not_on_the_list_even_when_told(demuxer: str) -> None:
    """The second wall: should a file ever get past the first look, FFmpeg itself may not read it as that."""
    from talkie.audio.pyav import PyavDecoder

    for data in PLAYLISTS.values():
        with pytest.raises(AudioError):
            PyavDecoder(open_source(io.BytesIO(data)), Kind(demuxer))


def test_a_playlist_that_gets_past_the_first_look_opens_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from talkie.audio.pyav import PyavDecoder

    secret = tmp_path / "secret.wav"
    secret.write_bytes(GOOD["wav-s16"](tone(), 16_000))
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(0.05)
        port = trap.getsockname()[1]
        texts = [
            f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{secret}\n#EXT-X-ENDLIST\n",
            f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:{port}/a.wav\n#EXT-X-ENDLIST\n",
            f"ffconcat version 1.0\nfile '{secret}'\n",
        ]
        for text in texts:
            with pytest.raises(AudioError):
                PyavDecoder(open_source(io.BytesIO(text.encode())), Kind())
        with pytest.raises(TimeoutError):
            trap.accept()


def test_a_movie_that_refers_to_another_file_opens_nothing(tmp_path: Path) -> None:
    """QuickTime data references (`dref`) can name a file; the data then is not ours to read."""
    secret = tmp_path / "secret.mov"
    secret.write_bytes(GOOD["mov-alac"](tone(), 16_000))
    data = secret.read_bytes()
    reference = b"alis" + bytes(4) + str(secret).encode()
    place = data.index(b"dref")
    entry = len(reference) + 4
    changed = data[: place + 12] + entry.to_bytes(4, "big") + reference + data[place + 24 :]
    try:
        hear(changed)
    except AudioError:
        return
    with open_audio(io.BytesIO(changed)) as stream:
        assert stream.info.container == "mov"


def test_a_demuxer_that_asks_for_another_file_is_refused() -> None:
    from talkie.audio import pyav

    with pytest.raises(ContainerNotAllowed):
        pyav._refuse("file:///etc/passwd", 0, {})


def test_reading_to_and_fro_without_end_is_ended() -> None:
    source = open_source(io.BytesIO(bytes(1000)))
    reader = source.reader()
    with pytest.raises(AudioError, match="without end"):
        while True:
            reader.seek(0)
            reader.read(1000)
    quiet = source.reader(raises=False)
    while quiet.read(1000):
        quiet.seek(0)
    assert quiet.read(1) == b""


def test_many_channels_are_refused_before_they_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    import soundfile

    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(soundfile.SoundFile, "read", fail)
    with pytest.raises(AudioError, match="64 channels"):
        hear(HOSTILE["64 channels"][0]())


def test_frames_of_any_size_are_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    from talkie.audio import pyav

    monkeypatch.setattr(pyav, "MAX_FRAME_SAMPLES", 100)
    with pytest.raises(AudioError, match="too large"):
        hear(GOOD["mp3"](tone(), 16_000))


def test_rates_that_never_settle_end() -> None:
    from talkie.audio.resample import StreamResampler

    resampler = StreamResampler()
    with pytest.raises(ValueError, match="rate"):
        for number in range(5000):
            resampler.feed(np.zeros(10, np.float32), 8_000 + number % 2)
