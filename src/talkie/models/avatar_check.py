"""Whether every file of an avatar pack is what the pack says it is: pictures by their pixels, networks by their graphs.

Nothing of a pack is run here. Who can open networks hands that in, for this floor knows no engines.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from talkie.errors import AvatarError, EngineFailed
from talkie.models.avatar_files import MAX_FRAMES
from talkie.models.avatar_findings import Findings
from talkie.models.avatar_networks import check_networks
from talkie.models.avatar_pack import AvatarPack, look_at
from talkie.models.avatar_pictures import check_pictures

MAX_FILES = MAX_FRAMES + 100
MAX_DEPTH = 3
MAX_PACK_BYTES = 2 * 1024 * 1024 * 1024

OpenNetworks = Callable[[AvatarPack], None]
"""Opens the networks of a neural pack once, and raises `BadAvatar` or `EngineFailed` where they are at fault."""


def check_pack(
    directory: Path, open_networks: OpenNetworks | None = None, *, name: str = ""
) -> tuple[AvatarPack | None, Findings]:
    """All that is wrong with a pack, and the pack as far as it could be read. `name` in place of its own. Raises
    `EngineUnavailable` where networks cannot be opened here at all, which is no fault of the pack."""
    findings = Findings()
    if not directory.is_dir():
        findings.error(directory.name, "it is no directory.", "A pack is a directory, or a zip of one.")
        return None, findings
    if not _check_files(directory, findings):
        return None, findings
    pack = look_at(directory, findings, name)
    if pack is not None:
        _check_words(pack, findings)
        check_pictures(pack, findings)
        check_networks(pack, findings)
    if pack is not None and findings.ok and pack.kind == "neural" and open_networks is not None:
        try:
            open_networks(pack)
        except (AvatarError, EngineFailed) as error:
            findings.error(getattr(error, "where", "networks"), getattr(error, "detail", error.message), error.hint)
    return pack, findings


def _check_files(directory: Path, findings: Findings) -> bool:
    """Nothing but plain files and directories, not too many, not too large. Whether the rest may be looked at."""
    count = total_bytes = 0
    for folder, folders, names in os.walk(directory):
        here = Path(folder).relative_to(directory)
        if len(here.parts) >= MAX_DEPTH:
            findings.error(str(here), f"directories lie deeper than {MAX_DEPTH}.")
            return False
        for one in (*folders, *names):
            status = (Path(folder) / one).lstat()
            if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
                findings.error(str(here / one), "it is a link or a device; a pack holds plain files.")
            count, total_bytes = count + 1, total_bytes + status.st_size
        if count > MAX_FILES or total_bytes > MAX_PACK_BYTES:
            break
    if count > MAX_FILES:
        findings.error(directory.name, f"it holds more than {MAX_FILES} files.")
    if total_bytes > MAX_PACK_BYTES:
        findings.error(directory.name, f"it is larger than {MAX_PACK_BYTES / 1e9:.1f} GB.")
    return findings.ok


def _check_words(pack: AvatarPack, findings: Findings) -> None:
    if not pack.licence:
        findings.warn("licence", "it is not said under what licence the pack is.", 'licence = "CC-BY-4.0", say.')
