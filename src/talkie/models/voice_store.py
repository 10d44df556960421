"""Voices made from recordings, as they lie under `<home>/voices`: a directory each, with the recording and a card.

Knows nothing of sound or engines: it is handed a recording that was checked. A voice has an owner (the name of a key;
empty where there are none) and is found by its id, or by its name among the owner's. Private: nobody but the user of
this process can read them.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from talkie.errors import InvalidValue, VoiceExists, VoiceNotFound
from talkie.models.files import is_plain_file

CARD, RECORDING = "voice.json", "reference.wav"
MOST_OF_ONE_OWNER, MOST = 64, 1024
MAX_NAME_CHARACTERS = 64
MAX_CARD_BYTES = 16 * 1024
_ID = re.compile(r"voice_[0-9a-f]{24}")


@dataclass(frozen=True, slots=True)
class ClonedVoice:
    """`recording` is a mono WAV; `fingerprint` its hash; `created_s` Unix time. `consent`: what was said of the
    speaker's leave, as it was given."""

    id: str
    name: str
    language: str
    owner: str
    created_s: float
    seconds: float
    fingerprint: str
    recording: Path
    consent: str = ""


Voices: TypeAlias = list[ClonedVoice]
Paths: TypeAlias = list[Path]


class VoiceStore:
    """The voices under one home. Safe for threads and processes: a voice appears and goes as a whole."""

    def __init__(self, home: Path) -> None:
        self.directory = Path(home).expanduser() / "voices"

    def list(self, owner: str | None = None) -> Voices:
        """Those of one owner, or (None) all, by name. What is damaged is left out."""
        found = [voice for path in self._directories() if (voice := _read(path)) is not None]
        return sorted((one for one in found if owner in (None, one.owner)), key=lambda one: (one.name, one.id))

    def find(self, wish: str, owner: str | None = None) -> ClonedVoice | None:
        """By its id, or by its name where only one has it; None as well for one of somebody else."""
        if _ID.fullmatch(wish):
            voice = _read(self.directory / wish)
            return voice if voice is not None and owner in (None, voice.owner) else None
        named = [one for one in self.list(owner) if one.name == wish]
        return named[0] if len(named) == 1 else None

    def add(
        self, name: str, wav: bytes, *, language: str, owner: str, seconds: float, consent: str = ""
    ) -> ClonedVoice:
        """Raises `VoiceExists`, `InvalidValue` where there are too many or the name is none."""
        check_name(name)
        mine = self.list(owner)
        if any(one.name == name for one in mine):
            raise VoiceExists(name)
        if len(mine) >= MOST_OF_ONE_OWNER or len(self._directories()) >= MOST:
            raise InvalidValue(
                "name",
                f"There are {MOST_OF_ONE_OWNER} voices of one owner, or {MOST} in all, and there may be no more.",
                hint="Remove one first: `talkie voices remove NAME`.",
            )
        path = self.directory / f"voice_{secrets.token_hex(12)}"
        card = {
            "name": name,
            "language": language,
            "owner": owner,
            "created_s": time.time(),
            "seconds": seconds,
            "fingerprint": hashlib.sha256(wav).hexdigest(),
            "consent": consent,
        }
        self._write(path, card, wav)
        made = _read(path)
        if made is None:
            raise VoiceNotFound(name)
        return made

    def remove(self, wish: str, owner: str | None = None) -> ClonedVoice:
        """Raises `VoiceNotFound`, also for one of somebody else."""
        voice = self.find(wish, owner)
        if voice is None:
            raise VoiceNotFound(wish)
        going = self.directory / f".gone-{secrets.token_hex(8)}"
        try:
            voice.recording.parent.rename(going)
        except FileNotFoundError:
            raise VoiceNotFound(wish) from None
        shutil.rmtree(going, ignore_errors=True)
        return voice

    def _write(self, path: Path, card: dict[str, object], wav: bytes) -> None:
        """Made beside its place, then renamed into it."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        making = self.directory / f".making-{path.name}"
        making.mkdir(mode=0o700)
        try:
            for name, data in ((RECORDING, wav), (CARD, json.dumps(card, ensure_ascii=False).encode())):
                descriptor = os.open(making / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
            making.rename(path)
        finally:
            shutil.rmtree(making, ignore_errors=True)

    def _directories(self) -> Paths:
        try:
            return sorted(path for path in self.directory.iterdir() if _ID.fullmatch(path.name))
        except OSError:
            return []


def check_name(name: str) -> None:
    """Raises `InvalidValue`. A name goes into lists and answers, and stands in `MODEL/VOICE`."""
    if not name.strip() or name != name.strip() or len(name) > MAX_NAME_CHARACTERS:
        raise InvalidValue("name", f"A name has 1 to {MAX_NAME_CHARACTERS} characters, and no space around them.")
    if not name.isprintable() or "/" in name or _ID.fullmatch(name):
        raise InvalidValue("name", "A name has no slash and no control characters, and does not look like an id.")


def _read(path: Path) -> ClonedVoice | None:
    card, recording = path / CARD, path / RECORDING
    try:
        if path.is_symlink() or not (is_plain_file(card) and is_plain_file(recording)):
            return None
        if card.stat().st_size > MAX_CARD_BYTES:
            return None
        values = json.loads(card.read_bytes())
        return ClonedVoice(
            id=path.name,
            name=str(values["name"]),
            language=str(values["language"]),
            owner=str(values["owner"]),
            created_s=float(values["created_s"]),
            seconds=float(values["seconds"]),
            fingerprint=str(values["fingerprint"]),
            recording=recording,
            consent=str(values.get("consent", "")),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
