"""Where a talking face goes from the command line: a film in a file, a pipe, or a directory of pictures.

All of them are there whole or not at all. Knows nothing of who made the face.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from talkie.cli.sinks import written_bytes
from talkie.errors import InvalidValue

if TYPE_CHECKING:
    from talkie.cli.face_progress import Display
    from talkie.types import FaceChunk, Mark, Samples

Form: TypeAlias = Literal["mp4", "webm", "png"]
FORMS: tuple[Form, ...] = get_args(Form)
PIPE = "-"
OTHER_ENDINGS: dict[str, Form] = {"m4v": "mp4"}
SOUND = "sound.wav"


@dataclass(frozen=True, slots=True)
class Output:
    """`path` None: standard output. `heard` takes the sound as well, if anybody wants it."""

    path: Path | None
    form: Form
    heard: Callable[[Samples, int], object] | None = None

    def film(self, chunks: Iterable[FaceChunk], display: Display) -> list[Mark]:
        """Write what was made here; the marks that came with it. Raises what `chunks` raises, `VideoFailed`."""
        told: list[Mark] = []
        watched = self._watched(chunks, display, told)
        if self.form == "png":
            assert self.path is not None
            _pictures(self.path, watched)
        elif self.path is None:
            _streamed(watched, self.form)
        else:
            from talkie.video.film import write_film

            write_film(self.path, watched, self.form)
        return told

    def copy(self, parts: Iterable[bytes], display: Display) -> None:
        """Write a film that somebody else made."""
        with written_bytes(self.path) if self.path else contextlib.nullcontext(_to_pipe) as write:
            for part in parts:
                write(part)
                display.received(len(part))

    def _watched(self, chunks: Iterable[FaceChunk], display: Display, told: list[Mark]) -> Iterator[FaceChunk]:
        for chunk in chunks:
            if self.heard is not None:
                self.heard(chunk.samples, chunk.sample_rate)
            told += chunk.marks
            yield chunk
            display.shown(len(chunk.frames), chunk.start_s + len(chunk.samples) / chunk.sample_rate)


def output_of(output: str, wanted: str | None, heard: Callable[[Samples, int], object] | None = None) -> Output:
    """By the format asked for, else by the ending of the name. Raises `InvalidValue`."""
    path = None if output == PIPE else Path(output)
    if path is None and sys.stdout.isatty():
        raise InvalidValue("output", "Standard output is a terminal.", hint="Pipe it on: … -o - | ffplay -")
    ending = path.suffix.lower().lstrip(".") if path else "mp4"
    form = (wanted or "").lower() or OTHER_ENDINGS.get(ending, ending)
    if form not in FORMS or (form == "png" and not wanted):
        hint = "A name like out.mp4 or out.webm, or --format mp4, webm or png (a directory of pictures)."
        raise InvalidValue("format", f"There is no film format {form[:40]!r}." if form else "Which format?", hint=hint)
    if form == "png":
        _check_directory(path)
    elif path is not None and path.is_dir():
        raise InvalidValue("output", f"{output[:80]!r} is a directory.", hint="Name a file, like out.mp4.")
    return Output(path, form, heard)


def _check_directory(path: Path | None) -> None:
    if path is None:
        raise InvalidValue("output", "Pictures go into a directory, not a pipe.", hint="Like: -o frames --format png")
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise InvalidValue("output", f"{str(path)[:80]!r} is there already.", hint="Name a directory that is not.")


def _pictures(path: Path, chunks: Iterable[FaceChunk]) -> None:
    """`000000.png` and so on, and the sound beside them."""
    import wave

    from talkie.audio.encode import to_pcm16
    from talkie.errors import VideoFailed
    from talkie.video.jpeg import png

    with _directory(path) as part, contextlib.ExitStack() as stack:
        sound: wave.Wave_write | None = None
        for chunk in chunks:
            if sound is None:
                sound = stack.enter_context(wave.open(str(part / SOUND), "wb"))
                sound.setparams((1, 2, chunk.sample_rate, 0, "NONE", ""))
            sound.writeframes(to_pcm16(chunk.samples).tobytes())
            for frame in chunk.frames:
                (part / f"{frame.index:06d}.png").write_bytes(png(frame.image))
        if sound is None:
            raise VideoFailed("there is no picture to show.")


@contextlib.contextmanager
def _directory(path: Path) -> Iterator[Path]:
    """A directory that takes its name when the block ends well, and is gone when it does not."""
    from talkie.video.film import beside

    path.parent.mkdir(parents=True, exist_ok=True)
    part = beside(path)
    part.mkdir()
    try:
        yield part
        if path.exists():
            path.rmdir()  # it was empty; no longer so: an error that loses nothing
        part.replace(path)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _streamed(chunks: Iterable[FaceChunk], form: Literal["mp4", "webm"]) -> None:
    from talkie.video.mux import open_muxer

    with contextlib.closing(open_muxer(form)) as muxer:
        for chunk in chunks:
            _to_pipe(muxer.add(chunk))
        _to_pipe(muxer.finish())


def _to_pipe(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
