"""A Whisper directory of Hugging Face's kind on its way into the store: as CTranslate2 has it, in a place of its own.

Knows nothing of the store but where its temporary files may lie.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

WEIGHTS = "model.bin"


@contextmanager
def ctranslate2_form(
    source: Path, name: str | None, tmp: Path, notice: Callable[[str], None]
) -> Iterator[tuple[Path, str | None]]:
    """What to import, and what to call it. Anything but such a directory is given back as it came.

    Raises `ImportFailed` naming the file at fault, `OSError` where there is no room.
    """
    if not _is_to_be_converted(source):
        yield source, name
        return
    from talkie.engines.asr.whisper.hf_convert import ctranslate2_directory

    found = source.resolve()
    # In the hub's cache a directory is called by its commit, and the repository two floors above.
    title = found.parent.parent.name.rpartition("--")[2] if found.parent.name == "snapshots" else found.name
    notice(f"{title} is a model of Hugging Face's kind: it is converted, which takes a moment.")
    tmp.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="import-", dir=tmp) as directory:
        yield ctranslate2_directory(source, Path(directory) / title, name=title), name


def _is_to_be_converted(source: Path) -> bool:
    from talkie.engines.asr.whisper.hf_files import is_hf_directory

    return source.is_dir() and not (source / WEIGHTS).exists() and is_hf_directory(source)
