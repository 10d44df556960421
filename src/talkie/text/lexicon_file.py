"""The lexicon as a file: `lexicon.toml`, or `lexicon.tsv` as other programs write it. Every error names its line.

Knows nothing of how entries are found in a text.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from talkie.errors import SettingsError
from talkie.text.lexicon import ALL, Entry, Lexicon, has_words
from talkie.text.phonemes import is_ipa

NAMES = ("lexicon.toml", "lexicon.tsv")
MAX_BYTES = 2_000_000
MAX_ENTRIES = 20_000
MAX_WORD_CHARACTERS = 80
MAX_SPOKEN_CHARACTERS = 300
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8})*")
_AT_LINE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")

_Row = tuple[int, str, str, str | None, str | None]
"""Line, section, word, respelling, IPA."""


class LexiconError(SettingsError):
    code = "bad_lexicon"

    def __init__(self, path: Path, line: int, why: str) -> None:
        super().__init__(
            f"{path}, line {line}: {why}.",
            hint='An entry is `word = "said so"` or `word = { ipa = "bəd" }`.',
        )


def find_lexicon(home: Path) -> Path | None:
    """The user's file in Talkie's home directory, if there is one."""
    return next((home / name for name in NAMES if (home / name).is_file()), None)


def read_lexicon(path: Path) -> Lexicon:
    """Raises `LexiconError`, and `SettingsError` for a file that cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from None
    if len(content) > MAX_BYTES:
        raise LexiconError(path, 1, f"the file is larger than {MAX_BYTES / 1e6:g} MB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LexiconError(path, content.count(b"\n", 0, error.start) + 1, "that is not UTF-8") from None
    rows = _tsv_rows(path, text) if path.suffix == ".tsv" else _toml_rows(path, text)
    return Lexicon(_sections(path, rows), hashlib.sha256(content).hexdigest())


def _sections(path: Path, rows: Iterator[_Row]) -> dict[str, list[Entry]]:
    sections: dict[str, list[Entry]] = {}
    for number, (line, section, word, spoken, phonemes) in enumerate(rows, 1):
        if number > MAX_ENTRIES:
            raise LexiconError(path, line, f"more than {MAX_ENTRIES} entries")
        if section != ALL and not _LANGUAGE.fullmatch(section):
            raise LexiconError(path, line, f"{section[:40]!r} is no language; write en, or en-gb, or all")
        if not has_words(word) or len(word) > MAX_WORD_CHARACTERS:
            raise LexiconError(path, line, f"a word has 1 to {MAX_WORD_CHARACTERS} characters")
        if spoken is not None and not 0 < len(spoken.strip()) <= MAX_SPOKEN_CHARACTERS:
            raise LexiconError(path, line, f"what is said has 1 to {MAX_SPOKEN_CHARACTERS} characters")
        if phonemes is not None and not is_ipa(phonemes):
            raise LexiconError(path, line, "that is not IPA")
        entry = Entry(" ".join(word.split()), spoken and " ".join(spoken.split()), phonemes)
        sections.setdefault(section, []).append(entry)
    return sections


def _tsv_rows(path: Path, text: str) -> Iterator[_Row]:
    """`word TAB said [TAB language]`; what is said is IPA where it stands between two slashes."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in line.split("\t")]
        if len(cells) not in (2, 3):
            raise LexiconError(
                path, number, "a line is a word, a tab and what is said, then perhaps a tab and a language"
            )
        word, said, section = cells[0], cells[1], cells[2].lower() if len(cells) == 3 and cells[2] else ALL
        ipa = said[1:-1] if len(said) > 2 and said[0] == said[-1] == "/" else None
        yield number, section, word, None if ipa else said, ipa


def _toml_rows(path: Path, text: str) -> Iterator[_Row]:
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = _AT_LINE.search(str(error))
        line = int(found[1]) if found and found[1] else text.count("\n") + 1
        raise LexiconError(path, line, _AT_LINE.sub("", str(error)) or "too deep") from None
    lines = text.splitlines()
    for key, value in table.items():
        if isinstance(value, dict) and not _is_entry(value):
            for word, said in value.items():
                yield _toml_row(path, _line_of(lines, word), key.lower(), word, said)
        else:
            yield _toml_row(path, _line_of(lines, key), ALL, key, value)


def _is_entry(value: dict[str, Any]) -> bool:
    return set(value) <= {"ipa", "say"} and all(isinstance(said, str) for said in value.values()) and bool(value)


def _toml_row(path: Path, line: int, section: str, word: str, said: object) -> _Row:
    if isinstance(said, str):
        return line, section, word, said, None
    if isinstance(said, dict) and len(said) == 1 and _is_entry(said):
        return line, section, word, said.get("say"), said.get("ipa")
    raise LexiconError(path, line, f"{word[:40]!r} wants a text, or {{ ipa = … }}")


def _line_of(lines: list[str], key: str) -> int:
    """Where a key stands, for an error: a TOML table does not remember."""
    shown = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]")
    return next((number for number, line in enumerate(lines, 1) if shown.match(line)), 1)
