"""An avatar pack made of a folder of mouth pictures: which picture is which mouth, and the table that says so.

Many tools draw such sets, and each has names of its own: the tables are the documentation. Knows nothing of terminals.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from talkie.errors import AvatarExists, BadAvatar
from talkie.models.avatar_check import check_pack
from talkie.models.avatar_pack import AvatarPack
from talkie.text.visemes import RHUBARB
from talkie.types import Notice
from talkie.video.mouth_pictures import LETTERS, stand_in

ENDINGS = (".png", ".jpg", ".jpeg", ".webp")
MOST_FILES = 500
PLAIN: dict[str, str] = {
    "closed": "X", "rest": "X", "neutral": "X", "idle": "X", "silence": "X", "sil": "X", "shut": "X",
    "pressed": "A", "mbp": "A", "open": "D", "wide": "D", "round": "E", "pucker": "F", "teeth": "B", "tongue": "H",
    "fv": "G",
}  # fmt: skip
"""Words that people use."""
BLAIR: dict[str, str] = {
    "ai": "D", "e": "C", "o": "E", "u": "F", "wq": "F", "l": "H", "mbp": "A", "fv": "G", "etc": "B", "rest": "X",
}  # fmt: skip
"""The Preston Blair set, as Papagayo and others name it; here E is another mouth than the letter E."""
OCULUS = {name.lower(): letter for name, letter in RHUBARB.items()} | {"ih": "B", "oh": "E", "ou": "F", "i": "B"}
"""The fifteen of Oculus and others."""
_BASES, _BLINKS = ("base", "face", "body", "background", "head"), ("blink", "eyes_closed", "eyes-closed", "eyesclosed")


@dataclass(frozen=True, slots=True)
class Made:
    """A pack that was written, and what its maker should know."""

    directory: Path
    pack: AvatarPack
    notices: tuple[Notice, ...] = ()


@dataclass(slots=True)
class _Found:
    mouths: dict[str, Path] = field(default_factory=dict)
    base: Path | None = None
    blink: Path | None = None
    unknown: list[str] = field(default_factory=list)


def make_pack(pictures: Path, target: Path, *, name: str = "", title: str = "", licence: str = "") -> Made:
    """Write a pack of the pictures in a folder. Raises `BadAvatar` for pictures that cannot be one (nothing is left
    behind then), `AvatarExists` where the target is there."""
    found = _look(pictures)
    if target.exists():
        raise AvatarExists(target.name)
    try:
        target.mkdir(parents=True)
        _write(found, target, name, title, licence)
    except OSError as error:
        shutil.rmtree(target, ignore_errors=True)
        raise BadAvatar(target.name, f"it cannot be written ({error.strerror or type(error).__name__}).") from None
    pack, findings = check_pack(target, name=name)
    try:
        findings.refuse()
    except BadAvatar:
        shutil.rmtree(target, ignore_errors=True)
        raise
    assert pack is not None, "what is not there was found missing"
    warned = tuple(Notice("pack_warning", f"{one.where}: {one.what}") for one in findings.found)
    return Made(target, pack, (*_notices(found), *warned))


def mouth_names(stems: list[str]) -> dict[str, str]:
    """The letter of each name that means one, the names being those of one set."""
    words = {stem: _word(stem) for stem in stems}
    said = set(words.values())
    table = {letter.lower(): letter for letter in LETTERS} | PLAIN
    if said & {"ai", "etc", "wq"}:
        table |= BLAIR
    elif len(said & {"pp", "ff", "th", "dd", "kk", "ch", "ss", "nn", "rr", "aa"}) >= 3:
        table |= OCULUS
    return {stem: table[word] for stem, word in words.items() if word in table}


def _word(stem: str) -> str:
    """The last word of a name: `lisa-A` is `a`, `mouth_open` is `open`."""
    return re.split(r"[\s_.\-]+", stem.strip().lower())[-1]


def _look(pictures: Path) -> _Found:
    if not pictures.is_dir():
        raise BadAvatar(pictures.name, "it is no directory of pictures.")
    files = sorted(path for path in pictures.iterdir() if path.suffix.lower() in ENDINGS and path.is_file())
    if len(files) > MOST_FILES:
        raise BadAvatar(pictures.name, f"it holds more than {MOST_FILES} pictures.")
    found, rest = _Found(), []
    for path in files:
        stem = path.stem.lower()
        if stem.endswith(_BLINKS):
            found.blink = found.blink or path
        elif _word(stem) in _BASES:
            found.base = found.base or path
        else:
            rest.append(path)
    named = mouth_names([path.stem for path in rest])
    for path in rest:
        letter = named.get(path.stem)
        if letter is None:
            found.unknown.append(path.name)
        else:
            found.mouths.setdefault(letter, path)
    if not found.mouths:
        raise BadAvatar(
            pictures.name,
            "no picture is named as a mouth.",
            hint="Name them A.png to H.png and X.png: docs/avatars.md shows which mouth is which letter.",
        )
    return found


def _write(found: _Found, target: Path, name: str, title: str, licence: str) -> None:
    """The pictures under plain names, and the table. A letter that is missing names the picture that stands in."""
    files = {letter: f"{letter}{path.suffix.lower()}" for letter, path in sorted(found.mouths.items())}
    for letter, path in found.mouths.items():
        shutil.copyfile(path, target / files[letter])
    lines = [f"name = {_quoted(name)}"] if name else []
    lines += [f"title = {_quoted(title or name or target.name)}", 'kind = "pictures"']
    if licence:
        lines.append(f"licence = {_quoted(licence)}")
    for key, other in (("base", found.base), ("blink", found.blink)):
        if other is not None:
            shutil.copyfile(other, target / f"{key}{other.suffix.lower()}")
            lines.append(f'{key} = "{key}{other.suffix.lower()}"')
    lines += ["", "[pictures]", *(f'{letter} = "{files[stand_in(letter, files)]}"' for letter in LETTERS)]
    (target / "avatar.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _quoted(text: str) -> str:
    plain = "".join(character if character.isprintable() else " " for character in text)
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _notices(found: _Found) -> list[Notice]:
    notices = [
        Notice("mouth_filled", f"There is no picture of {letter}: {stand_in(letter, found.mouths)} stands in for it.")
        for letter in LETTERS
        if letter not in found.mouths
    ]
    if found.unknown:
        shown = ", ".join(found.unknown[:5]) + (", …" if len(found.unknown) > 5 else "")
        notices.append(Notice("picture_unused", f"Not used, for their names mean no mouth: {shown}"))
    if found.blink is None:
        notices.append(Notice("no_blink", "Without a picture named blink the eyes stay open."))
    return notices
