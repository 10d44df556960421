"""Which model hears a request: the one it names, else the server's own, else the best there is for it.

Nothing is loaded for it. Knows nothing of queues or sound.
"""

from __future__ import annotations

from collections.abc import Callable

from talkie.errors import ModelComing, ModelNotFound, UnsupportedByModel
from talkie.models.store import ModelStore, StoredModel
from talkie.runtime.config import ServiceConfig
from talkie.runtime.first_start import FirstStart
from talkie.runtime.requests import TranscribeRequest
from talkie.runtime.voice_choice import ESPEAK, built_in
from talkie.types import Notice

AUTO = "auto"
BUILT_IN = "sphinx-en"
BUILT_IN_NOTICE = Notice(
    "built_in_model",
    "Heard by the built-in English engine, which works at once but makes many mistakes. "
    "`talkie pull whisper-base` fetches a far better one.",
)


class ModelChoice:
    """By the settings and what the store holds now. `first_start` knows what is yet to come."""

    def __init__(self, config: ServiceConfig, store: ModelStore, first_start: FirstStart) -> None:
        self._config, self._store, self._first_start = config, store, first_start

    def choose(self, request: TranscribeRequest) -> StoredModel:
        """A path is taken from the settings only, never from a request: what a request names is looked up by name.

        Raises `ModelNotFound`, `ModelBroken`, `ModelComing`, `UnsupportedByModel`.
        """
        model = self._chosen(request)
        if model.kind == "synthesizer":
            raise UnsupportedByModel("model", f"The model {model.name!r} speaks; it does not hear.")
        return model

    def notices(self, request: TranscribeRequest, model: StoredModel) -> tuple[Notice, ...]:
        unasked = request.model in ("", AUTO) and self._config.model == AUTO
        return (BUILT_IN_NOTICE,) if unasked and model.name == BUILT_IN else ()

    def _chosen(self, request: TranscribeRequest) -> StoredModel:
        named = request.model if request.model not in ("", AUTO) else ""
        if named == ESPEAK:
            return built_in()
        is_path_ours = self._config.allow_paths or named in ("", self._config.model)
        named = named or (self._config.model if self._config.model != AUTO else "")
        if named:
            return self._find(named, self._store.resolve if is_path_ours else self._store.get)
        language = request.language if request.task == "transcribe" else None
        return self._store.best("recognizer", language) or self._store.get(BUILT_IN)

    def _find(self, name: str, find: Callable[[str], StoredModel]) -> StoredModel:
        """One that is still being pulled is worth another try later, by the words of its error."""
        try:
            return find(name)
        except ModelNotFound:
            if state := self._first_start.state(name):
                raise ModelComing(name, state) from None
            raise
