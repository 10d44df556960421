"""`talkie doctor`: what this machine can do, what is missing, and how to get it.

Looks and changes nothing. Exit code 1 when something is broken; a thing that could be better is advice and no fault.
"""

from __future__ import annotations

import json
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from talkie.cli.findings import Report

if TYPE_CHECKING:
    from talkie.settings import Settings

PACKAGES = (
    "numpy",
    "ctranslate2",
    "openvino",
    "onnxruntime",
    "pocketsphinx",
    "av",
    "soundfile",
    "soxr",
    "fastapi",
    "uvicorn",
)
OPENVINO_MACHINES = ("x86_64", "AMD64", "aarch64")
SMALL_DISK_BYTES = 2_000_000_000
SMALL_MEMORY_BYTES = 1_000_000_000


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="JSON, for programs.")] = False,
    home: Annotated[Path | None, typer.Option(help="Where Talkie keeps its models (TALKIE_HOME).")] = None,
) -> None:
    """Say what this machine can do and what is missing. Exit code 1 when something is broken."""
    from talkie.settings import load_settings

    settings, _ = load_settings({"home": home})
    report = examine(settings)
    if as_json:
        body = {"ok": report.ok, **report.facts, "advice": [asdict(item) for item in report.advice]}
        typer.echo(json.dumps(body, indent=2, default=str))
    else:
        for line in _lines(report):
            typer.echo(line)
    raise typer.Exit(0 if report.ok else 1)


def examine(settings: Settings) -> Report:
    """Look at everything, one topic after another; a topic that fails is a finding and not the end."""
    report = Report()
    topics: tuple[Callable[[Report, Settings], None], ...] = (
        _software, _processor, _kernels, _graphics, _audio, _engines, _store, _models, _server,
    )  # fmt: skip
    for topic in topics:
        try:
            topic(report, settings)
        except Exception as error:  # whatever is broken here is what the user wants to know
            name = topic.__name__.strip("_")
            report.advise(f"{name}: {type(error).__name__}: {error}", "Report it, please.", broken=True)
    return report


def _software(report: Report, settings: Settings) -> None:
    from talkie import __version__

    report.facts["software"] = {
        "talkie": __version__,
        "python": f"{platform.python_version()} ({sys.executable})",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "packages": ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
    }


def _processor(report: Report, settings: Settings) -> None:
    from talkie.cli.machine import processor
    from talkie.cli.output import size

    found = processor()
    usable_bytes = found.memory_limit_bytes or found.memory_bytes
    report.facts["processor"] = {
        "name": found.name,
        "processors": f"{found.usable} of {found.count}" if found.usable != found.count else str(found.count),
        "instructions": " ".join(found.flags) or "none that help",
        "memory": size(usable_bytes) + (" (a limit)" if found.memory_limit_bytes else "")
        if usable_bytes
        else "unknown",
        "arithmetic": " ".join(found.compute_types) or "none",
    }
    if 0 < usable_bytes < SMALL_MEMORY_BYTES:
        report.advise("There is little memory.", "Use small models: whisper-tiny, whisper-base.")
    if platform.machine() in ("x86_64", "AMD64") and found.flags and "avx2" not in found.flags:
        report.advise(
            "The processor has no AVX2: Whisper will be slow.", "Use small models: whisper-tiny, whisper-base."
        )


def _kernels(report: Report, settings: Settings) -> None:
    from talkie.cli.kernels import kernels

    found = kernels()
    report.facts["kernels"] = {
        "openvino": f"{found.openvino}: {' '.join(found.arithmetic)}" if found.openvino else found.trouble,
        "ctranslate2": f"vectors: {found.vectors}",
        "allocator": found.allocator,
    }
    if not found.openvino and platform.machine() in OPENVINO_MACHINES:
        report.advise(
            "OpenVINO cannot be used: Whisper and voice activity cost about twice as much without it.",
            "`pip install openvino` in Talkie's environment.",
        )


def _graphics(report: Report, settings: Settings) -> None:
    from talkie.cli.machine import CUDA_LIBRARIES, graphics

    found = graphics()
    report.facts["graphics"] = {
        "cuda devices": str(found.devices),
        **({"arithmetic": " ".join(found.compute_types)} if found.compute_types else {}),
        **({"missing": " ".join(found.missing)} if found.missing else {}),
    }
    if found.driver and not found.devices:
        report.advise(
            "There is an NVIDIA driver, but no CUDA device can be used.",
            "`nvidia-smi` must show it; CTranslate2 needs a driver for CUDA 12.8 or later.",
        )
    if found.devices and found.missing:
        packages = " ".join(CUDA_LIBRARIES[name] for name in found.missing)
        report.advise(
            f"The graphics card cannot be used without {' and '.join(found.missing)}.",
            f"`pip install {packages}` in Talkie's environment, and their folders in LD_LIBRARY_PATH; or --device cpu.",
            broken=settings.device == "cuda",
        )
    if settings.device == "cuda" and not found.devices:
        report.advise("The setting device is cuda, and there is no CUDA device.", "Set device to auto.", broken=True)


def _audio(report: Report, settings: Settings) -> None:
    import av
    import soundfile

    libraries = (f"{name} {'.'.join(map(str, numbers))}" for name, numbers in sorted(av.library_versions.items()))
    report.facts["audio"] = {
        "ffmpeg": ", ".join(libraries),
        "libsndfile": soundfile.__libsndfile_version__,
    }


def _engines(report: Report, settings: Settings) -> None:
    from talkie.engines import registry

    facts: dict[str, str] = {}
    for name, entry in registry.entries().items():
        lacking = registry.missing(name)
        facts[name] = f"{entry.kind}, " + (f"missing {', '.join(lacking)}" if lacking else "present")
        if lacking:
            hint = entry.hint or f"`pip install {' '.join(lacking)}` in Talkie's environment."
            report.advise(f"The engine {name} cannot be used.", hint, broken=True)
    report.facts["engines"] = facts


def _store(report: Report, settings: Settings) -> None:
    from talkie.cli.output import size
    from talkie.models.store import ModelStore

    place = next(path for path in (settings.home, *settings.home.absolute().parents) if path.exists())
    free_bytes = shutil.disk_usage(place).free
    store = ModelStore(settings.home)
    models = store.list(broken=True)
    report.facts["store"] = {
        "home": str(settings.home),
        "free": size(free_bytes),
        "models": ", ".join(f"{model.name} ({model.state})" for model in models) or "none",
        **({"offline": "yes"} if settings.offline else {}),
    }
    if not _writable(place):
        report.advise(f"{place} cannot be written to.", "Set TALKIE_HOME to a directory of your own.")
    if free_bytes < SMALL_DISK_BYTES:
        report.advise("The disk is nearly full.", "`talkie rm NAME` makes room; TALKIE_HOME moves the store.")
    for model in models:
        if model.state == "broken":
            mend = f"`talkie verify {model.name}` tells more; `talkie pull {model.name}` mends it."
            report.advise(f"The model {model.name} is damaged.", mend, broken=True)
    for name in store.unfinished():
        report.advise(f"The pull of {name} is not finished.", f"`talkie pull {name}` goes on where it stopped.")
    if store.best() is None:
        report.advise(
            "Only the built-in model is here: English, and many mistakes.",
            "`talkie pull whisper-base` (148 MB) hears far better, in 99 languages.",
        )


def _models(report: Report, settings: Settings) -> None:
    from talkie.cli.choices import tell

    tell(report, settings)


def _server(report: Report, settings: Settings) -> None:
    from talkie.cli.ps import address
    from talkie.client import Client
    from talkie.errors import TalkieError

    url = address(settings)
    try:
        with Client(url) as client:
            state = "ready" if client.ready().get("ready") else "not ready"
    except TalkieError as error:
        state = "not running" if error.code == "server_unreachable" else f"something else answers ({error.code})"
    report.facts["server"] = {"address": url, "state": state}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _writable(place: Path) -> bool:
    import os

    return os.access(place, os.W_OK)


def _lines(report: Report) -> list[str]:
    lines: list[str] = []
    for topic, facts in report.facts.items():
        lines += ["", topic] if lines else [topic]
        lines += [f"  {name:<13} {value}" for name, value in facts.items()]
    lines.append("")
    for item in sorted(report.advice, key=lambda item: not item.broken):
        lines += [f"{'error' if item.broken else 'note'}: {item.what}", f"hint: {item.hint}"]
    if report.ok:
        lines.append("All is well." if not report.advice else "Nothing is broken.")
    return lines
