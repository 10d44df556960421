"""Whether `context = fit` may be set, told and done. Knows nothing of how the words were compared."""

from __future__ import annotations

import os
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from talkie.bench.report import percent
from talkie.errors import SettingsError
from talkie.runtime.tuning import ENOUGH_WORDS
from talkie.runtime.tuning_run import Contexts

FILE = "talkie.toml"
LINE = 'context = "fit"\n'


def told(contexts: Contexts, *, own_files: bool) -> tuple[str, dict[str, Any], bool]:
    """Sentences, JSON, and whether it may be set: only real recordings can show that, and enough of them."""
    why_not = _why_not(contexts, own_files=own_files)
    full, fit = contexts.full, contexts.fit
    faster = fit.speed / full.speed if full.audio_s and fit.audio_s else 0.0
    lines = [
        f"context fit: the same words in {contexts.alike} of {contexts.recordings} recordings, {contexts.differing} of "
        f"{full.words} words differ; wrong words {percent(fit.rate)}, with the full context {percent(full.rate)}; "
        f"{faster:.2f} times as much audio a processor second.",
        f"`context = fit` should not be set: {why_not}." if why_not else "`context = fit` may be set (with --yes now).",
    ]
    values = {
        "recordings": contexts.recordings,
        "alike": contexts.alike,
        "differing_words": contexts.differing,
        "words": full.words,
        "wer_full": round(full.rate, 4),
        "wer_fit": round(fit.rate, 4),
        "faster": round(faster, 2),
        "may_fit": not why_not,
    }
    return "\n".join(lines), values, not why_not


def set_fit(home: Path) -> Path:
    """Write the setting into the file at `home`, first of its lines. Raises `SettingsError` where one is there."""
    path = home / FILE
    try:
        before = path.read_text(encoding="utf-8") if path.is_file() else ""
        there = "context" in tomllib.loads(before)
    except (OSError, ValueError):
        raise SettingsError(f"{path} cannot be read.", hint=f"Set it yourself: {LINE.strip()}") from None
    if there:
        raise SettingsError(f"{path} sets context already.", hint=f"Change its line to {LINE.strip()}")
    with tempfile.NamedTemporaryFile("w", dir=home, prefix=f".{FILE}-", delete=False, encoding="utf-8") as file:
        file.write(LINE + before)
    made = Path(file.name)
    made.chmod(path.stat().st_mode & 0o777 if path.is_file() else 0o666 & ~_umask())
    made.replace(path)
    return path


def _why_not(contexts: Contexts, *, own_files: bool) -> str:
    if contexts.full.trouble or contexts.fit.trouble:
        return contexts.full.trouble or contexts.fit.trouble
    if not contexts.may_fit:
        return "words change"
    if not own_files:
        return "the built-in voices cannot show that; --speech names recordings of people"
    if contexts.full.words < ENOUGH_WORDS:
        return f"{contexts.full.words} words are too few to tell"
    return ""


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
