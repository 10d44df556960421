"""A pack wherever it lies, directory or zip, looked at whole: its files, and its networks opened once."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from talkie.errors import BadAvatar, UnreadableFile
from talkie.models.avatar_check import check_pack
from talkie.models.avatar_findings import Findings
from talkie.models.avatar_zip import unpack

if TYPE_CHECKING:
    from talkie.models.avatar_pack import AvatarPack
    from talkie.settings import Settings


def check_whole(pack: Path, settings: Settings) -> tuple[str, Findings]:
    """The pack's name, empty where it has none, and what is wrong with it. Raises `UnreadableFile`, `StoreFull`."""

    def open_networks(found: AvatarPack) -> None:
        from talkie.compose import service_config
        from talkie.runtime.engines import open_face_model

        open_face_model(found, service_config(settings)).close()

    if pack.is_dir():
        found, findings = check_pack(pack.resolve(), open_networks)
        return found.name if found else "", findings
    if not pack.is_file():
        raise UnreadableFile("there is no such file or directory")
    with tempfile.TemporaryDirectory(prefix="talkie-avatar-") as place:
        try:
            found, findings = check_pack(unpack(pack, Path(place)), open_networks)
        except BadAvatar as error:
            findings = Findings()
            findings.error(error.where, error.detail, error.hint)
            return "", findings
        return found.name if found else "", findings
