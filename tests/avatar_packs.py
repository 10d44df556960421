"""Avatar packs for tests, written by hand: small pictures, networks of a few operations, and zips of all kinds."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from face_models import write_networks

BOX = (16, 8, 80, 72)
MOUTHS = "ABCDEFGHX"


def write_neural(directory: Path, *, frames: int = 3, size: tuple[int, int] = (96, 80), table: str = "") -> Path:
    """A whole pack of kind neural, named as its directory; `table` is more of `avatar.toml`."""
    (directory / "frames").mkdir(parents=True)
    for number in range(frames):
        write_picture(directory / "frames" / f"{number + 1}.png", size, 40 + 20 * (number % 8))
    write_networks(directory)
    usual = {"title": '"Anna"', "licence": '"CC0-1.0"', "box": str(list(BOX))}
    said = [f"{key} = {value}\n" for key, value in usual.items() if key not in table]
    (directory / "avatar.toml").write_text("".join(said) + table)
    return directory


def write_pictures(
    directory: Path, letters: str = MOUTHS, *, size: tuple[int, int] = (64, 64), table: str = "", blink: bool = False
) -> Path:
    """A whole pack of kind pictures, each of another grey."""
    directory.mkdir(parents=True)
    for letter in letters:
        write_picture(directory / f"{letter}.png", size, 20 * (1 + MOUTHS.index(letter)))
    named = ", ".join(f'{letter} = "{letter}.png"' for letter in letters)
    if blink:
        write_picture(directory / "blink.png", size, 5)
        table += 'blink = "blink.png"\n'
    (directory / "avatar.toml").write_text(f'kind = "pictures"\nlicence = "CC0-1.0"\npictures = {{ {named} }}\n{table}')
    return directory


def write_picture(path: Path, size: tuple[int, int], grey: int, mode: str = "RGB") -> Path:
    Image.new(mode, size, (grey,) * len(mode)).save(path)
    return path


def zip_of(directory: Path, root: Path = Path()) -> io.BytesIO:
    """The files of a pack, below `root` in the zip."""
    files = {
        path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }
    return zip_with({f"{root}/{name}" if root else name: data for name, data in files.items()})


def zip_with(entries: dict[str, bytes]) -> io.BytesIO:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    made.seek(0)
    return made


def write_video(path: Path, frames: int = 5, *, fps: int = 25, size: tuple[int, int] = (96, 80)) -> Path:
    """Frames that grow brighter, and again."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(frames):
            picture = np.full((size[1], size[0], 3), 40 + 20 * (number % 8), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "bgr24")))
        container.mux(stream.encode(None))
    return path
