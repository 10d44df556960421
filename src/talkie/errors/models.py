"""Models and the store they lie in."""

from __future__ import annotations

from talkie.errors.base import TalkieError


class ModelError(TalkieError):
    """A model or the store that holds it."""

    code = "model_error"


class ModelNotFound(ModelError):
    code = "model_not_found"

    def __init__(self, name: str, *, hint: str = "") -> None:
        super().__init__(
            f"The model {name!r} is not here.",
            hint=hint or "`talkie list` shows what is here; `talkie pull whisper-base` fetches a model.",
            param="model",
        )


class InvalidModelName(ModelError):
    code = "invalid_model_name"

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name[:80]!r} is not a model name: {why}", hint="For example: whisper-base", param="model")


class ModelBroken(ModelError):
    code = "model_broken"

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(
            f"The model {name!r} is damaged: {detail}",
            hint=f"`talkie verify {name}` tells more; `talkie pull {name}` mends it.",
            param="model",
        )


class ModelInUse(ModelError):
    code = "model_in_use"

    def __init__(self, name: str) -> None:
        super().__init__(f"The model {name!r} is in use by another process.", hint="Try again when it has finished.")


class PullFailed(ModelError):
    code = "pull_failed"

    def __init__(self, name: str, detail: str, *, hint: str = "") -> None:
        super().__init__(
            f"Pulling {name!r} failed: {detail}",
            hint=hint or "Run the same command again: it goes on where it stopped.",
        )


class ImportFailed(ModelError):
    code = "import_failed"

    def __init__(self, what: str, detail: str, *, hint: str = "") -> None:
        super().__init__(
            f"{what!r} cannot be imported: {detail}",
            hint=hint or "It takes a CTranslate2 Whisper directory, or a zip or tar of one.",
        )


class ModelExists(ModelError):
    code = "model_exists"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"A model {name!r} is in the store already.",
            hint=f"Give another name with --name, or remove it first: `talkie rm {name}`.",
        )


class Offline(ModelError):
    code = "offline"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name!r} is not in the store and offline mode is on.",
            hint="Turn it off (TALKIE_OFFLINE, HF_HUB_OFFLINE), or bring the model on a disk: `talkie import DIR|ZIP`.",
        )


class StoreFull(ModelError):
    code = "store_full"

    def __init__(self, need_bytes: int, free_bytes: int, path: str) -> None:
        super().__init__(
            f"{need_bytes / 1e6:,.0f} MB are needed and {free_bytes / 1e6:,.0f} MB are free at {path}.",
            hint="Remove a model with `talkie rm NAME`, or set TALKIE_HOME to a larger disk.",
        )


class StoreReadOnly(ModelError):
    code = "store_read_only"

    def __init__(self, path: str, why: str) -> None:
        super().__init__(
            f"Nothing can be written at {path}: {why}.",
            hint="Mount it writable for the user that Talkie runs as, or bring the model there beforehand.",
        )
