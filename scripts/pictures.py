"""Makes the README's pictures from real runs: each is what a terminal shows, as an SVG in docs/images/.

Run by `make pictures`. Knows nothing of Talkie but its command line. The web page's are in `page_pictures`.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from page_pictures import make_page_pictures
from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
COLUMNS = 96

NOT_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-HJKSTfhilnsu]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
"""Terminal controls other than colours (which end in `m`), and links."""

FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
"""Rich names a font on a content network; a picture should not fetch anything."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One SVG: its file name and the lines typed, each run in turn in one directory."""

    name: str
    lines: tuple[str, ...]


PICTURES = (
    Picture("demo", ("talkie demo -o speech",)),
    Picture(
        "transcribe", ("talkie transcribe speech/1.wav speech/2.wav", "talkie transcribe speech/1.wav -f srt --words")
    ),
)
"""In this order: the second hears what the first has spoken."""


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        for picture in PICTURES:
            console = Console(record=True, width=COLUMNS, file=io.StringIO())
            for line in picture.lines:
                console.print(Text.assemble(("$ ", "bold green"), (line, "bold")))
                console.print(Text.from_ansi(run(line, Path(directory))))
            svg = console.export_svg(title=picture.lines[0], theme=DIMMED_MONOKAI, unique_id=picture.name)
            (IMAGES / f"{picture.name}.svg").write_text(FONT_FACE.sub("", svg), encoding="utf-8")
            print(f"docs/images/{picture.name}.svg")
    make_page_pictures(IMAGES)


def run(line: str, directory: Path) -> str:
    """What the terminal shows after `line`: both streams, colours kept, overwritten lines gone."""
    environment = os.environ | {
        "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "TALKIE_HOME": str(directory / "home"),
        "COLUMNS": str(COLUMNS),
        "FORCE_COLOR": "1",
        "TERM": "xterm-256color",
    }
    done = subprocess.run(
        line.split(), cwd=directory, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True
    )
    shown = NOT_COLOUR.sub("", done.stdout.decode())
    lines = [part.rsplit("\r", 1)[-1] for part in shown.replace("\r\n", "\n").split("\n")]
    return "\n".join(lines).strip("\n") + "\n"


if __name__ == "__main__":
    main()
