"""From settings to the service: the one place where the two meet, for the server and the command line alike."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from talkie.runtime.config import ServiceConfig
    from talkie.runtime.service import Service
    from talkie.settings import Settings


def service_config(
    settings: Settings, *, allow_paths: bool = False, max_audio_bytes: int | None = None
) -> ServiceConfig:
    """What a service needs to know, from the settings of the same names."""
    from talkie.runtime.config import ServiceConfig

    shared = {field.name for field in fields(ServiceConfig)} & set(type(settings).model_fields)
    values = {name: getattr(settings, name) for name in shared}
    return ServiceConfig(**values, allow_paths=allow_paths, max_audio_bytes=max_audio_bytes)


def build_service(settings: Settings, *, allow_paths: bool = False, max_audio_bytes: int | None = None) -> Service:
    """A service of which nothing heavy is loaded yet. `allow_paths`: requests may name a model by its path."""
    from talkie.runtime.service import Service

    return Service(service_config(settings, allow_paths=allow_paths, max_audio_bytes=max_audio_bytes))
