"""Options that `talkie listen` and `talkie dictate` share: who hears, what is asked, where sound comes from."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from talkie.cli.live_ears import Ears
    from talkie.cli.live_sources import Source
    from talkie.runtime.requests import LiveRequest
    from talkie.settings import Settings

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the engine is: at `server`, or here by the `settings`."""

    settings: Settings
    server: str | None = None
    api_key: str | None = None
    cacert: Path | None = None

    @classmethod
    def of(cls, flags: Mapping[str, Any], server: str | None, api_key: str | None, cacert: Path | None) -> Place:
        from talkie.settings import load_settings

        settings, _ = load_settings(flags)
        key = settings.api_key.get_secret_value() if settings.api_key else None
        return cls(settings, server, api_key or key, cacert)

    def ears(self, request: LiveRequest) -> Ears:
        from talkie.cli.live_ears import RemoteEars, local_ears

        if self.server is None:
            return local_ears(self.settings, request)
        return RemoteEars(self.server, self.api_key, self.cacert)


def live_request(*, language: str | None, task: str, pause_s: float | None = None, **given: Any) -> LiveRequest:
    """What is asked, checked before anything is loaded. Raises `InvalidValue`."""
    from talkie.errors import InvalidValue
    from talkie.runtime.requests import LiveRequest, TurnOptions
    from talkie.text.languages import parse_language
    from talkie.wire.listen import MAX_PAUSE_MS, MIN_PAUSE_MS, TASKS

    if task not in TASKS:
        raise InvalidValue("task", f"There is no task {task[:40]!r}.", hint=f"One of: {', '.join(TASKS)}.")
    turns = TurnOptions()
    if pause_s is not None:
        if not MIN_PAUSE_MS <= pause_s * 1000 <= MAX_PAUSE_MS:
            raise InvalidValue("pause", f"pause is {MIN_PAUSE_MS / 1000:g} to {MAX_PAUSE_MS / 1000:g} seconds.")
        turns = TurnOptions(silence_ms=pause_s * 1000)
    return LiveRequest(
        language=parse_language(language),
        task="translate" if task == "translate" else "transcribe",
        turns=turns,
        **given,
    )


def open_source(file: str | None, *, raw: str | None, realtime: bool, device: str | None) -> Source:
    """A recording, what is piped in (`-`), or (None) the microphone. Raises the errors of each."""
    from talkie.cli.transcribe import raw_format

    shape = raw_format(raw)
    if file is None:
        from talkie.cli.microphone import Microphone

        return Microphone(device)
    from talkie.cli.live_sources import Piped, Recording

    return Piped(shape) if file == STDIN else Recording(Path(file), realtime=realtime, raw=shape)


def is_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()
