"""How the command line speaks: data on stdout, everything else on stderr; errors end in a hint and an exit code.

Knows nothing of the commands. What it writes can be read by a person without colours and by a program without guessing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from talkie import errors
from talkie.errors import TalkieError

OK, FAILED, USAGE, AUDIO, MODEL, BUSY, ACCESS, INTERRUPTED = 0, 1, 2, 3, 4, 5, 6, 130

EXIT_CODES: dict[type[TalkieError], int] = {
    TalkieError: FAILED,
    errors.RequestError: USAGE,
    errors.SettingsError: USAGE,
    errors.AddressTaken: FAILED,
    errors.AudioError: AUDIO,
    errors.ModelError: MODEL,
    errors.EngineUnavailable: MODEL,
    errors.AvatarError: MODEL,
    errors.VideoFailed: FAILED,
    errors.BusyError: BUSY,
    errors.AccessError: ACCESS,
    errors.Cancelled: INTERRUPTED,
}
"""By class, the nearest ancestor first. Documented in docs/cli.md, and a test holds the two together."""


def exit_code(error: TalkieError) -> int:
    return next(EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES)


def show_error(error: TalkieError, about: str = "") -> None:
    """`error: …` and, on a line of its own, `hint: …`; `about` names the file it is about."""
    say(f"error: {about + ': ' if about else ''}{error.message}")
    if error.hint:
        say(f"hint: {error.hint}")


def note(text: str) -> None:
    """Something worth knowing that is no error."""
    say(f"note: {text}")


def say(text: str) -> None:
    """A line on stderr. Nobody there to read it is no reason to fail."""
    try:
        print(text, file=sys.stderr, flush=True)
    except (OSError, ValueError):
        return


def size(size_bytes: float) -> str:
    """Bytes as people read them, in powers of ten."""
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.0f} MB"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines with columns as wide as they must be."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
