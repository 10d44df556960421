"""What the bench of faces works on: an avatar pack with the network of `face_network`, and a recording to speak.

The source frames are pictures of the built-in avatar, which somebody drew: no real face is needed to measure how fast
one moves. The box is smaller than the network's picture, so that pictures are resized both ways as in a real pack.
Knows nothing of what is measured.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from talkie.audio.encode import encode_wav
from talkie.bench import face_network
from talkie.bench.sentences import SENTENCES
from talkie.errors import EngineUnavailable
from talkie.models.avatar_pack import AvatarPack, read_pack
from talkie.runtime.service import Service
from talkie.runtime.speech import SpeakRequest

NAME = "bench"
SIDE_PX, BOX = 512, (112, 120, 400, 408)
SOURCE_FRAMES = 50
SECONDS = 10.22
"""255 frames at 25 a second, as the published benchmark of this family has them."""
VERSION = 1
"""Another number where what is made has changed: nobody then measures what lies there from before."""


def pack(directory: Path, frames: int = SOURCE_FRAMES) -> AvatarPack:
    """Made at the first call, which takes some seconds, and taken from there later. Raises `EngineUnavailable`."""
    made = directory / f"{NAME}-{VERSION}"
    if not made.is_dir():
        part = made.with_name(f".{made.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        _write(part, frames)
        part.replace(made)
    return read_pack(made, NAME)


def _write(directory: Path, frames: int) -> None:
    from talkie.pipeline.face_drawn import DrawnFace
    from talkie.video.jpeg import png

    try:
        face_network.write(directory)
    except ImportError as error:
        raise EngineUnavailable("bench", "the onnx package writes the network", hint="pip install onnx") from error
    (directory / "frames").mkdir()
    line = DrawnFace(SIDE_PX, SIDE_PX).open()
    for number in range(frames):
        (directory / "frames" / f"{number + 1:04d}.png").write_bytes(png(line.idle()))
    table = f'title = "Of the benchmark"\nlicence = "Apache-2.0"\nbox = {list(BOX)}\n'
    (directory / "avatar.toml").write_text(table, encoding="utf-8")


def recording(service: Service, path: Path, seconds: float = SECONDS) -> Path:
    """A WAV of exactly so long, spoken by the built-in voice without a pause worth the name."""
    text = " ".join(SENTENCES["en"]).translate(str.maketrans("", "", ".,;:!?")).lower()
    parts, length, rate = [], 0.0, 0
    stream = service.speak(SpeakRequest(text, language="en", cache=False))
    try:
        for chunk in stream:
            parts.append(chunk.samples)
            rate = chunk.sample_rate
            length += len(chunk.samples) / rate
            if length >= seconds:
                break
    finally:
        stream.close()
    whole = np.resize(np.concatenate(parts), round(seconds * rate))
    path.write_bytes(encode_wav(whole, rate))
    return path
