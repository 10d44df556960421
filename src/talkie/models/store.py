"""The model store: one directory, `home`, with `models/ voices/ avatars/ tmp/`, and everything done to its models.

The one thing other rooms use. Reading never makes a directory and never touches the network; only `pull` does. Knows
nothing of engines and settings: it is told where its home is.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

from talkie.errors import (
    ImportFailed,
    InvalidModelName,
    ModelBroken,
    ModelError,
    ModelExists,
    ModelNotFound,
    Offline,
    StoreFull,
    StoreReadOnly,
)
from talkie.models import catalog, layout, manifest, stored, verify
from talkie.models.files import (
    directory_size_bytes,
    discard,
    free_bytes,
    is_full,
    on_one_volume,
    sha256_file,
    sweep_trash,
)
from talkie.models.lock import pulling, removing, using
from talkie.models.manifest import FileEntry, Manifest
from talkie.models.name import HUB_PREFIX, HubReference, is_name, parse_name, parse_reference, suggest_name
from talkie.models.pull import SPARE_BYTES, Patience, Progress, Pull, Wanted, now
from talkie.models.stored import StoredModel
from talkie.models.verify import Verdict

__all__ = ["HOME_DIRECTORIES", "ModelStore", "Progress", "StoredModel", "Verdict"]

HOME_DIRECTORIES = ("models", "voices", "avatars", "tmp")
STALE_S = 3600.0
"""After this long a half-done import that nobody holds is removed."""

Names: TypeAlias = list[str]
Models: TypeAlias = list[StoredModel]
Verdicts: TypeAlias = list[Verdict]


def _quiet(done_bytes: int, total_bytes: int, file: str) -> None:
    pass


class ModelStore:
    """The models under one home. Safe for any number of threads and processes at once.

    `endpoint`, `token` and `offline` are for the hub; None leaves each to what the hub's library reads from the
    environment (`HF_ENDPOINT`, `HF_TOKEN`, `HF_HUB_OFFLINE`).
    """

    def __init__(
        self,
        home: Path,
        *,
        endpoint: str | None = None,
        token: str | None = None,
        offline: bool | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.home = Path(home).expanduser()
        self._endpoint = endpoint
        self._token = token
        self._offline = offline
        self._patience = patience or Patience()

    @property
    def models(self) -> Path:
        return self.home / "models"

    @property
    def tmp(self) -> Path:
        """Where things are made before they are renamed into `models`: on the same volume as that, wherever it is."""
        usual = self.home / "tmp"
        return usual if on_one_volume(usual, self.models) else self.models / ".tmp"

    # -- looking ---------------------------------------------------------------------------------------------------

    def list(self, *, broken: bool = False) -> Models:
        """The models that can be used, built-in ones first, then by name; with `broken` the damaged ones as well."""
        found = [stored.built_in(model) for model in catalog.BUILT_IN]
        for name in self._names():
            try:
                found.append(stored.load(self.models / name, name))
            except ModelError as error:
                if broken:
                    found.append(stored.broken(self.models / name, name, error.message))
        return found

    def get(self, name: str) -> StoredModel:
        """A model by its name or its catalogue alias; never by a path, so a request may name one.

        Raises `InvalidModelName`, `ModelNotFound` with the command that mends it, `ModelBroken`.
        """
        wanted = parse_name(name)
        model = catalog.built_in(wanted)
        if model is not None:
            return stored.built_in(model)
        entry = catalog.find(wanted)
        for candidate in dict.fromkeys((wanted, entry.name if entry else wanted)):
            if (self.models / candidate).is_symlink() or (self.models / candidate).exists():
                return stored.load(self.models / candidate, candidate)
        raise ModelNotFound(name, hint=_how_to_get(wanted))

    def resolve(self, name_or_path: str) -> StoredModel:
        """A model by name, or a model directory anywhere by its path (with a `/`, `.` or `~`).

        For the command line and settings only: what a request names goes to `get`.
        """
        if not _is_path(name_or_path):
            return self.get(name_or_path)
        path = Path(name_or_path).expanduser()
        if not path.is_dir():
            raise ModelNotFound(name_or_path, hint="There is no such directory.")
        return stored.from_directory(path.resolve(), path.resolve().name, source="path")

    def best(self, kind: str = "recognizer", language: str | None = None) -> StoredModel | None:
        """The best model present, by the catalogue's rank; None when only built-in ones are here.

        Without a language, or with another one than English, a model that knows one language only stands behind
        every multilingual one; one that does not know the language asked for is left out.
        """
        models = [model for model in self.list() if model.kind == kind and model.state != stored.BUILT_IN]
        if language:
            models = [model for model in models if language in model.languages]
        models.sort(key=lambda model: (bool(language) or model.multilingual, model.rank, model.name))
        return models[-1] if models else None

    def verify(self, name: str | None = None, on_file: Callable[[str], None] = lambda file: None) -> Verdicts:
        """Read every byte of one model, or of all, and say what is wrong. Raises `ModelNotFound`."""
        if name is not None:
            return [verify.verify_model(self._directory(name), on_file)]
        verdicts = [verify.verify_model(self.models / one, on_file) for one in self._names()]
        strays = verify.verify_strays(self.models)
        return [*verdicts, strays] if strays else verdicts

    def unfinished(self) -> dict[str, int]:
        """Pulls that were interrupted: names, and the bytes that the next pull will not have to fetch again."""
        sizes = {stage.name: directory_size_bytes(stage) for stage in sorted((self.tmp / "pull").glob("*"))}
        return {name: size_bytes for name, size_bytes in sizes.items() if size_bytes}

    @contextmanager
    def hold(self, model: StoredModel) -> Iterator[None]:
        """Keep a model from being removed or replaced while it is loaded. Raises `ModelNotFound` when it is gone."""
        if model.state == stored.BUILT_IN:
            yield
            return
        with using(model.path, model.name):
            yield

    # -- changing --------------------------------------------------------------------------------------------------

    def pull(
        self,
        reference: str,
        *,
        name: str | None = None,
        progress: Progress = _quiet,
        notice: Callable[[str], None] = lambda text: None,
        force: bool = False,
    ) -> StoredModel:
        """Fetch a model of the catalogue, or `hf:owner/repo[@revision]`. What is here already is not fetched again.

        Raises `InvalidModelName`, `ModelNotFound` (not in the catalogue), `ModelExists` (the name is taken by another
        model), `Offline`, `PullFailed`, `StoreFull`, `StoreReadOnly`, `ModelInUse`.
        """
        if catalog.built_in(reference):
            return self.get(reference)
        wanted = self._wanted(reference, name)
        present = None if force else self._present(wanted)
        if present is not None:
            return present
        from talkie.models.hub import Hub

        hub = Hub(endpoint=self._endpoint, token=self._token, offline=self._offline)
        if hub.offline:
            raise Offline(wanted.name)
        with self._writing():
            self._make_home()
            waits = f"{wanted.name} is being pulled already; waiting for it."
            with pulling(self.tmp, wanted.name, lambda: notice(waits)):
                present = None if force else self._present(wanted)
                if present is None:
                    Pull(hub, wanted, self.models, self.tmp, progress, self._patience).run()
        return present or self.get(wanted.name)

    def name_of(self, reference: str) -> str:
        """What `pull` would call it. Raises `InvalidModelName`, and `ModelNotFound` for what no catalogue knows."""
        return reference if catalog.built_in(reference) else self._wanted(reference, None).name

    def remove(self, name: str) -> None:
        """Take a model away, with any unfinished pull of it. Raises `ModelNotFound`, `ModelInUse`."""
        path = self._directory(name, unfinished=True)
        self._sweep()
        with removing(path, path.name):
            discard(path, self.tmp)
        discard(self.tmp / "pull" / path.name, self.tmp)

    def import_(
        self,
        source: Path,
        *,
        name: str | None = None,
        progress: Progress = _quiet,
        notice: Callable[[str], None] = lambda text: None,
    ) -> StoredModel:
        """Copy a model in from a directory, zip or tar. Raises `ImportFailed`, `ModelExists`, `StoreFull`."""
        from talkie.models import archive  # with all it needs to unpack: no start of a server needs it

        chosen = parse_name(name) if name else None
        if chosen and catalog.built_in(chosen):
            raise InvalidModelName(chosen, "it is the name of a built-in model.")
        source = Path(source).expanduser()
        if source.resolve().is_relative_to(self.models.resolve()):
            raise ImportFailed(source.name, "it is in the store already.")
        self._make_home()
        place = archive.Place(self.models, self.tmp)
        total = source.stat().st_size if source.is_file() else 0
        imported, skipped = archive.import_model(source, place, chosen, lambda done, file: progress(done, total, file))
        if skipped:
            notice(f"Left out, being no part of a model: {', '.join(sorted(skipped)[:8])}")
        return self.get(imported)

    def export(self, name: str, target: Path, *, force: bool = False, progress: Progress = _quiet) -> Path:
        """Write a model as a zip that `import_` takes. Returns its path. Raises `ModelBroken`, `StoreFull`."""
        from talkie.models import archive

        model = self.get(name)
        if model.state == stored.BUILT_IN:
            raise InvalidModelName(name, "it comes with Talkie and has no files of its own.")
        target = Path(target)
        target = target / f"{model.name}.zip" if target.is_dir() else target
        if target.exists() and not force:
            raise ModelExists(str(target))
        with self.hold(model):
            record = manifest.read(model.path) or _new_manifest(model)
            total = record.size_bytes
            archive.export_model(model.path, record, target, lambda done, file: progress(done, total, file))
        return target

    # -- within ----------------------------------------------------------------------------------------------------

    def _names(self) -> Names:
        try:
            items = sorted(os.scandir(self.models), key=lambda item: item.name)
        except OSError:
            return []
        return [item.name for item in items if is_name(item.name) and (item.is_dir() or item.is_symlink())]

    def _directory(self, name: str, *, unfinished: bool = False) -> Path:
        """Where a model lies, sound or not. Raises `ModelNotFound`."""
        wanted = parse_name(name)
        if catalog.built_in(wanted):
            raise InvalidModelName(name, "it comes with Talkie and has no files of its own.")
        entry = catalog.find(wanted)
        for candidate in dict.fromkeys((wanted, entry.name if entry else wanted)):
            path = self.models / candidate
            if path.is_symlink() or path.exists() or (unfinished and (self.tmp / "pull" / candidate).exists()):
                return path
        raise ModelNotFound(name)

    def _wanted(self, reference: str, name: str | None) -> Wanted:
        chosen = parse_name(name) if name else ""
        if reference.startswith(HUB_PREFIX):
            return _wanted_from_hub(parse_reference(reference), chosen)
        asked = parse_name(reference)
        entry = catalog.find(asked)
        if entry is None:
            raise ModelNotFound(reference, hint=_how_to_get(asked))
        return _wanted_from_catalog(entry, chosen)

    def _present(self, wanted: Wanted) -> StoredModel | None:
        """The model, when it is here and sound. Raises `ModelExists` when another one has its name."""
        try:
            model = stored.load(self.models / wanted.name, wanted.name)
        except (ModelNotFound, ModelBroken):
            return None
        if model.state == stored.VERIFIED and model.source not in ("import", wanted.source):
            raise ModelExists(wanted.name)
        return model

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """What the volume says while it is written to, in our words."""
        try:
            yield
        except OSError as error:
            if is_full(error):
                raise StoreFull(SPARE_BYTES, free_bytes(self.home), str(self.home)) from None
            raise StoreReadOnly(str(self.home), error.strerror or type(error).__name__) from None

    def _make_home(self) -> None:
        for directory in HOME_DIRECTORIES:
            (self.home / directory).mkdir(parents=True, exist_ok=True)
        self._sweep()

    def _sweep(self) -> None:
        """Remove what interrupted removals and imports left behind."""
        sweep_trash(self.tmp)
        for path in self.tmp.glob("import-*"):
            with suppress(OSError, ModelError):  # gone meanwhile, or at work
                if time.time() - path.stat().st_mtime > STALE_S:
                    with removing(path, path.name):
                        shutil.rmtree(path, ignore_errors=True)


def _is_path(text: str) -> bool:
    return "/" in text or os.sep in text or text.startswith((".", "~"))


def _wanted_from_catalog(entry: catalog.CatalogEntry, name: str) -> Wanted:
    return Wanted(
        name=name or entry.name,
        repo_id=entry.repo,
        revision=entry.revision,
        source=entry.source,
        licence=entry.licence,
        languages=entry.languages,
        weights_sha256=entry.sha256,
        files=entry.files,
    )


def _wanted_from_hub(reference: HubReference, name: str) -> Wanted:
    entry = catalog.find_repo(reference.repo_id)
    if entry is not None and reference.revision in ("main", entry.revision):
        return _wanted_from_catalog(entry, name)
    return Wanted(
        name=name or suggest_name(reference.repo),
        repo_id=reference.repo_id,
        revision=reference.revision,
        source=str(reference),
    )


def _how_to_get(name: str) -> str:
    """The command that brings a missing model, or the names that it may have been meant for."""
    entry = catalog.find(name)
    if entry is not None:
        return f"`talkie pull {entry.name}` fetches it ({entry.size_mb} MB)."
    near = catalog.nearest(name)
    meant = f"Did you mean {' or '.join(near)}? " if near else ""
    return f"{meant}`talkie list --all` shows what can be pulled; hf:OWNER/REPOSITORY names any other."


def _new_manifest(model: StoredModel) -> Manifest:
    """A manifest for a model that was laid down by hand: its files as they are now."""
    found = layout.layout_of(model.engine)
    if found is None:
        raise ModelBroken(model.name, f"the engine {model.engine!r} is not known.")
    entries = (
        FileEntry(path.name, path.stat().st_size, sha256_file(path)) for path in layout.present(model.path, found)
    )
    return Manifest(
        model.name, model.engine, tuple(entries), model.languages, model.licence, model.source, "", made_at=now()
    )
