"""The one table of settings, and the only reader of the environment.

A value comes from a flag, else from `TALKIE_NAME` in the environment, else from the first `talkie.toml` found (here,
the user's configuration directory, Talkie's home), else it is the default; `Origin` remembers which. Knows nothing of
what the settings are used for.
"""

from __future__ import annotations

import difflib
import logging
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from platformdirs import user_config_path, user_data_path
from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from talkie.errors import SettingsError

log = logging.getLogger("talkie.settings")

ENV_PREFIX = "TALKIE_"
FILE_NAME = "talkie.toml"
NOT_SETTINGS = ("TALKIE_BENCH_",)
"""Names that begin like a setting and belong to the tools around Talkie."""

OriginKind: TypeAlias = Literal["default", "file", "environment", "flag"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from: `where` is the path of the file, the variable or the flag; empty for a default."""

    kind: OriginKind
    where: str = ""

    def __str__(self) -> str:
        return f"{self.kind} ({self.where})" if self.where else self.kind


def _split(value: object) -> object:
    """`a, b` as people write it in an environment variable; a list stays a list."""
    return [part for part in value.replace(",", " ").split() if part] if isinstance(value, str) else value


def _expand(value: object) -> object:
    return Path(value).expanduser() if isinstance(value, str | Path) and str(value) else None


Names: TypeAlias = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
HomePath: TypeAlias = Annotated[Path, BeforeValidator(_expand)]
OptionalPath: TypeAlias = Annotated[Path | None, BeforeValidator(_expand)]


def default_home() -> Path:
    return user_data_path("talkie", appauthor=False)


class Settings(BaseSettings):
    """Every setting with its default, its bounds and what it means. `load_settings` fills it."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    home: HomePath = Field(
        default_factory=default_home, description="The directory of models, voices, certificates and uploads at work."
    )
    host: str = Field("127.0.0.1", description="The address to listen on. Any but loopback needs a key.")
    port: int = Field(8000, ge=0, le=65535, description="The port to listen on; 0 takes a free one.")
    grpc_port: int = Field(0, ge=0, le=65535, description="The port for gRPC; 0: no gRPC.")
    wyoming_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="The port for Home Assistant (Wyoming), usually 10300; 0: none. It knows no keys.",
    )
    wyoming_allow: Names = Field(
        (), description="Networks that may use Wyoming from beyond this machine, like 192.168.1.0/24."
    )

    model: str = Field("auto", description="What `auto` means: a model's name, or `auto` for the best one present.")
    pull: Names = Field(
        (), description="Models that the server fetches when it starts and they are not here, like whisper-base."
    )
    preset: Literal["fast", "balanced", "strict"] = Field(
        "balanced", description="How carefully Whisper decodes when a request does not say."
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where models run.")
    compute_type: str = Field("default", description="The arithmetic of Whisper models: int8, float16, float32 …")
    backend: Literal["auto", "openvino", "ctranslate2"] = Field(
        "auto", description="The library that runs Whisper models; `auto` takes the fastest that can."
    )
    context: Literal["full", "fit"] = Field(
        "full", description="`fit` gives Whisper no more context than there is sound: faster for short recordings."
    )
    threads: int = Field(0, ge=0, le=1024, description="Threads for one model; 0 suits the machine.")
    workers: int = Field(0, ge=0, le=256, description="Worker processes or replicas of a model; 0 suits the machine.")
    max_loaded_models: int = Field(2, ge=1, le=64, description="Models in memory at once; the idle ones make room.")
    offline: bool = Field(False, description="Never use the network, not even to pull a model.")
    energy_gate: bool = Field(False, description="Skip silence by its energy before voice activity is looked for.")

    concurrency: int = Field(16, ge=1, le=1024, description="Recordings at work at once.")
    queue_size: int = Field(32, ge=0, le=10_000, description="Recordings that may wait; more are told to come again.")
    max_queued_audio_s: float = Field(
        3600.0, gt=0, description="Seconds of audio that may wait for a model before a recording is told to come again."
    )
    voice: str = Field("auto", description="What speaks when a request names no voice: `VOICE` or `MODEL/VOICE`.")
    max_speech_characters: int = Field(100_000, ge=100, le=10_000_000, description="The longest text to be spoken.")
    speech_cache_mb: float = Field(
        256.0, ge=0, le=1_000_000, description="Speech kept on disk for the next who asks for the same; 0 keeps none."
    )
    idle_unload_s: float = Field(
        1800.0, ge=0, le=31_536_000, description="A model that nobody used for so many seconds is put out; 0: never."
    )
    avatar: str = Field("auto", description="The face that is shown when a request names none.")
    face_backend: Literal["auto", "onnxruntime", "openvino", "cuda", "tensorrt"] = Field(
        "auto", description="What runs the networks of faces; `auto` takes the fastest that can."
    )
    face_batch: int = Field(16, ge=1, le=64, description="Frames of all sessions computed in one call, at most.")
    max_faces: int = Field(8, ge=1, le=1000, description="Live faces at once.")
    max_sessions: int = Field(64, ge=1, le=10_000, description="Live sessions at once.")
    live_max_lag_s: float = Field(
        30.0, ge=5, le=600, description="Seconds of sound that a live session may be behind before it is ended."
    )
    session_idle_s: float = Field(
        300.0, gt=0, le=86_400, description="A live session that sends nothing for so many seconds is ended."
    )
    max_upload_mb: float = Field(100.0, gt=0, le=1_000_000, description="The largest upload, in millions of bytes.")
    max_audio_seconds: float = Field(43_200.0, gt=0, description="The longest recording, in seconds.")
    upload_idle_s: float = Field(
        30.0, gt=0, le=3600, description="An upload or a reader that stands still for so many seconds is given up."
    )
    shutdown_grace_s: float = Field(
        30.0, ge=0, le=3600, description="Seconds that accepted work has to finish when the server is stopped."
    )

    api_key: SecretStr | None = Field(None, description="A key that may do everything. Set it in the environment.")
    keys_file: OptionalPath = Field(
        None, description="The file of hashed keys (`talkie keys`); by default `keys.toml` in the home directory."
    )
    cors_origins: Names = Field(
        (), description="Web origins whose pages may use this server, like https://app.example."
    )
    allowed_hosts: Names = Field((), description="Further names that this server goes by, like talkie.example.")
    tls: Literal["off", "self-signed"] = Field("off", description="`self-signed` makes and keeps a certificate.")
    tls_cert: OptionalPath = Field(None, description="A certificate chain (PEM); it turns HTTPS on.")
    tls_key: OptionalPath = Field(None, description="The key of that certificate (PEM).")

    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least that is logged.")
    log_json: bool = Field(False, description="One JSON object a line on stderr, for log collectors.")

    @model_validator(mode="after")
    def _certificate_and_key(self) -> Settings:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key belong together: give both or none")
        return self

    @property
    def keys_path(self) -> Path:
        """The file of hashed keys, whether it exists or not."""
        return self.keys_file or self.home / "keys.toml"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """`load_settings` lays the sources over one another itself, so that it knows where each value came from."""
        return (init_settings,)


def load_settings(flags: Mapping[str, Any] | None = None) -> tuple[Settings, dict[str, Origin]]:
    """The settings in force and the origin of each. Flags that are None were not given.

    Unknown names are warned about in the log. Raises `SettingsError` for a value or a file that cannot be.
    """
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    environment = EnvSettingsSource(Settings)()
    path = _find_file(given, environment)
    from_file = _read_file(path) if path else {}
    _warn_of_unknown(path, from_file)
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for name in Settings.model_fields:
        origins[name] = Origin("default")
        for kind, where, source in (
            ("flag", flag_name(name), given),
            ("environment", env_name(name), environment),
            ("file", str(path), from_file),
        ):
            if name in source:
                values[name], origins[name] = source[name], Origin(kind, where)  # type: ignore[arg-type]
                break
    try:
        return Settings(**values), origins
    except ValidationError as error:
        raise _settings_error(error, origins) from None


def env_name(name: str) -> str:
    return ENV_PREFIX + name.upper()


def flag_name(name: str) -> str:
    return "--" + name.replace("_", "-")


@dataclass(frozen=True, slots=True)
class Desktop:
    """Which kinds of windows there are around this process; both where one runs inside the other."""

    wayland: bool = False
    x11: bool = False


def desktop() -> Desktop:
    """As the variables of the session say, which are not Talkie's."""
    session = os.environ.get("XDG_SESSION_TYPE", "")
    return Desktop(
        wayland=bool(os.environ.get("WAYLAND_DISPLAY")) or session == "wayland",
        x11=bool(os.environ.get("DISPLAY")),
    )


def _find_file(flags: Mapping[str, Any], environment: Mapping[str, Any]) -> Path | None:
    home = Path(flags.get("home") or environment.get("home") or default_home()).expanduser()
    places = (Path.cwd(), user_config_path("talkie", appauthor=False), home)
    return next((place / FILE_NAME for place in places if (place / FILE_NAME).is_file()), None)


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not a TOML file: {error}", hint="A line looks like: port = 8000") from None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from None


def _warn_of_unknown(path: Path | None, from_file: Mapping[str, Any]) -> None:
    known = list(Settings.model_fields)
    for name in sorted(os.environ):
        if name.startswith(ENV_PREFIX) and not name.startswith(NOT_SETTINGS):
            short = name.removeprefix(ENV_PREFIX).lower()
            if short not in known:
                log.warning("The environment names an unknown setting %s.%s", name, _nearest(short, known, env_name))
    for name in from_file:
        if name not in known:
            log.warning("%s names an unknown setting %s.%s", path, name, _nearest(name, known, str))


def _nearest(name: str, known: list[str], spell: Any) -> str:
    near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    return f" Did you mean {spell(near[0])}?" if near else " `talkie config` lists them all."


def _settings_error(error: ValidationError, origins: Mapping[str, Origin]) -> SettingsError:
    """The first fault, with where it stands. The value itself is left out: it may be a secret."""
    fault = error.errors(include_url=False, include_input=False)[0]
    name = str(fault["loc"][0]) if fault["loc"] else ""
    what = fault["msg"].removeprefix("Value error, ")
    if not name:
        return SettingsError(f"The settings do not go together: {what}.", hint="`talkie config` shows them.")
    described = Settings.model_fields[name].description or ""
    return SettingsError(f"The setting {name} from {origins[name]} cannot be: {what}.", hint=described, param=name)
