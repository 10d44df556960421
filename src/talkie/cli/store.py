"""`talkie pull, list, show, rm, verify, import, export`: the model store at the command line.

Data goes to stdout, everything else to stderr. Raises Talkie's errors; `cli/main.py` turns them into messages.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from talkie.models.catalog import CatalogEntry
    from talkie.models.store import ModelStore, StoredModel
    from talkie.models.verify import Verdict


def _complete_stored(incomplete: str) -> list[str]:
    return [model.name for model in _store(None).list(broken=True) if model.name.startswith(incomplete)]


def _complete_known(incomplete: str) -> list[str]:
    from talkie.models.catalog import catalog

    return [entry.name for entry in catalog() if entry.name.startswith(incomplete)]


Home = Annotated[Path | None, typer.Option("--home", help="Where Talkie keeps its models (TALKIE_HOME).")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON, for programs.")]
Here = Annotated[str, typer.Argument(metavar="NAME", help="A model of the store.", autocompletion=_complete_stored)]


def pull(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL",
            help="Names from `talkie list --all`, or hf:OWNER/REPOSITORY[@REVISION].",
            autocompletion=_complete_known,
        ),
    ],
    name: Annotated[str | None, typer.Option(help="Keep it under another name.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Fetch it again although it is here.")] = False,
    home: Home = None,
) -> None:
    """Fetch models. An interrupted pull goes on where it stopped; what is here already is not fetched again."""
    from talkie.cli.store_progress import shown
    from talkie.engines.registry import entry, missing
    from talkie.errors import InvalidValue

    if name and len(models) > 1:
        raise InvalidValue("name", "--name goes with one model only.")
    store = _store(home)
    for reference in models:
        with shown(reference) as progress:
            model = store.pull(reference, name=name, progress=progress, notice=_note, force=force)
        trial = "say --model {0} Hello" if model.kind == "synthesizer" else "transcribe --model {0} FILE"
        _note(f"{model.name} is here ({_size(model.size_bytes)}). Try: talkie {trial.format(model.name)}")
        if model.engine not in ("", "whisper") and (lacking := missing(model.engine)):
            _note(f"It needs {', '.join(lacking)}. {entry(model.engine).hint}")
        if model.engine == "whisper":
            _note("Its first start prepares it for this machine, once; `talkie tune` does it now and more thoroughly.")
        typer.echo(model.path if model.size_bytes else model.name)


def list_models(
    everything: Annotated[bool, typer.Option("--all", "-a", help="Also what can be pulled.")] = False,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """List the models that are here."""
    from talkie.models.catalog import catalog

    store = _store(home)
    here = store.list(broken=True)
    names = {model.name for model in here}
    entries = [entry for entry in catalog() if entry.name not in names] if everything else []
    if as_json:
        typer.echo(json.dumps([*map(_stored_json, here), *map(_entry_json, entries)], indent=2))
        return
    rows = [_stored_row(model) for model in here] + [_entry_row(entry) for entry in entries]
    _table(("NAME", "ENGINE", "SIZE", "LANGUAGES", "LICENCE", "HERE"), rows)
    for stopped, size_bytes in store.unfinished().items():
        _note(f"Unfinished: {stopped} ({_size(size_bytes)} so far); `talkie pull {stopped}` goes on.")
    if len(here) == 1 and not everything:
        _note("`talkie pull whisper-base` fetches a better model; `talkie list --all` shows all that can be had.")


def show(name: Here, as_json: AsJson = False, home: Home = None) -> None:
    """Tell all about one model, here or in the catalogue."""
    from talkie.errors import ModelNotFound
    from talkie.models.catalog import find

    entry = find(name.lower())
    try:
        facts = _stored_json(_store(home).resolve(name))
    except ModelNotFound:
        if entry is None:
            raise
        facts = _entry_json(entry)
    if entry:
        facts |= {"description": entry.description, "ram_mb": entry.ram_mb, "aliases": list(entry.aliases)}
    if as_json:
        typer.echo(json.dumps(facts, indent=2))
        return
    for key, value in facts.items():
        if value:
            typer.echo(f"{key.removesuffix('_bytes').replace('_', ' '):<12} {_fact(key, value)}")


def rm(
    names: Annotated[list[str], typer.Argument(metavar="NAME", autocompletion=_complete_stored)],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    home: Home = None,
) -> None:
    """Remove models. One that is in use is left alone."""
    from talkie.errors import InvalidValue

    store = _store(home)
    if not yes:
        if not sys.stdin.isatty():
            raise InvalidValue("yes", "Nobody is here to ask.", hint="Add --yes to remove without asking.")
        if not typer.confirm(f"Remove {', '.join(names)}?", err=True):
            raise typer.Abort
    for name in names:
        store.remove(name)
        _note(f"Removed {name}.")


def verify(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", autocompletion=_complete_stored)] = None,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Read every byte of one model, or of all, and say what is wrong. Fails when anything is."""
    from talkie.errors import ModelBroken

    store = _store(home)
    verdicts = store.verify(name, on_file=lambda file: _note(f"reading {file}"))
    if as_json:
        typer.echo(json.dumps([_verdict_json(verdict) for verdict in verdicts], indent=2))
    else:
        _tell(verdicts)
    bad = [verdict for verdict in verdicts if not verdict.ok]
    if bad:
        more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
        raise ModelBroken(bad[0].name, bad[0].problems[0] + more)


def import_model(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="DIR|ZIP|TAR...", help="A Whisper model of CTranslate2's kind, or a directory of Hugging Face's."
        ),
    ],
    name: Annotated[str | None, typer.Option(help="What to call it.")] = None,
    home: Home = None,
) -> None:
    """Bring in models without a network: a directory, a zip or tar of one, or one from the hub's cache.

    A directory as Hugging Face's transformers write it (model.safetensors) is converted on the way.
    """
    from talkie.errors import InvalidValue

    if name and len(sources) > 1:
        raise InvalidValue("name", "--name goes with one model only.")
    store = _store(home)
    for source in sources:
        _import(store, source.expanduser(), name)


def _import(store: ModelStore, source: Path, name: str | None) -> None:
    from talkie.cli.hf_import import ctranslate2_form
    from talkie.cli.store_progress import shown

    with ctranslate2_form(source, name, store.tmp, _note) as (found, called), shown("import") as progress:
        model = store.import_(found, name=called, progress=progress, notice=_note)
    _note(f"{model.name} is here ({_size(model.size_bytes)}).")
    typer.echo(model.path)


def export(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="Models of the store.", autocompletion=_complete_stored)
    ],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A zip, or a directory for it.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    home: Home = None,
) -> None:
    """Write models, each with its manifest, to zips for `talkie import` on another machine."""
    from talkie.cli.store_progress import shown
    from talkie.errors import InvalidValue

    place = output or Path()
    if len(names) > 1 and not place.is_dir():
        raise InvalidValue("output", f"{place} is no directory.", hint="Several models are a zip each, in a directory.")
    store = _store(home)
    for name in names:
        with shown(f"export {name}") as progress:
            path = store.export(name, place, force=force, progress=progress)
        typer.echo(path)


def _store(home: Path | None) -> ModelStore:
    from talkie.models.store import ModelStore
    from talkie.settings import load_settings

    settings, _ = load_settings({"home": home})
    return ModelStore(settings.home, offline=settings.offline or None)


def _note(text: str) -> None:
    typer.echo(text, err=True)


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.0f} MB"


def _fact(key: str, value: Any) -> str:
    if key == "size_bytes":
        return _size(value)
    return " ".join(value) if isinstance(value, list) else str(value)


def _languages(codes: tuple[str, ...]) -> str:
    return ",".join(codes) if len(codes) <= 3 else f"{len(codes)}"


def _stored_row(model: StoredModel) -> tuple[str, ...]:
    here = "yes" if model.state == "verified" else model.state
    size = _size(model.size_bytes) if model.size_bytes else "-"
    return (model.name, model.engine or "-", size, _languages(model.languages), model.licence or "-", here)


def _entry_row(entry: CatalogEntry) -> tuple[str, ...]:
    return (entry.name, entry.engine, _size(entry.size_bytes), _languages(entry.languages), entry.licence, "-")


def _stored_json(model: StoredModel) -> dict[str, Any]:
    return {
        "name": model.name,
        "state": model.state,
        "engine": model.engine,
        "size_bytes": model.size_bytes,
        "languages": list(model.languages),
        "licence": model.licence,
        "source": model.source,
        "revision": model.revision,
        "path": "" if model.state == "built-in" else str(model.path),
        "description": model.description,
        "problem": model.problem,
    }


def _entry_json(entry: CatalogEntry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "state": "absent",
        "engine": entry.engine,
        "size_bytes": entry.size_bytes,
        "languages": list(entry.languages),
        "licence": entry.licence,
        "source": entry.source,
        "revision": entry.revision,
        "description": entry.description,
    }


def _verdict_json(verdict: Verdict) -> dict[str, Any]:
    return {"name": verdict.name, "ok": verdict.ok, "problems": verdict.problems, "notes": verdict.notes}


def _tell(verdicts: list[Verdict]) -> None:
    if not verdicts:
        _note("There are no models here yet.")
    for verdict in verdicts:
        typer.echo(f"{verdict.name}: {'ok' if verdict.ok else 'damaged'} ({_size(verdict.size_bytes)})")
        for line in (*verdict.problems, *verdict.notes):
            typer.echo(f"  {line}")


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, *rows):
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
