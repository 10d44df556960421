"""A run of the restart bench as tables, pictures and pages. Knows nothing of how anything was measured."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from html import escape as quoted

from talkie.bench import charts
from talkie.bench.markdown_report import escape
from talkie.bench.page import figure, page, table_html
from talkie.bench.restart_results import BAKED, VOLUME, WAYS, RestartResult, Way
from talkie.bench.tables import MISSING, Table

TITLE = "Weights in the image, or on a volume"
GENERATED = "<!-- Written by `talkie bench restart`; do not edit. -->"
LAUNCH_NOTE = (
    "First launch: a machine that has nothing fetches the image and starts it; with a volume it then pulls the model "
    "and checks it. Restart: image and volume are there. Moved: a machine without the image, which reaches the volume: "
    "the image's fetch and a restart added up."
)
SIZE_NOTE = (
    "Packed is the archive of compressed layers that a registry sends. The slim image is one for all models: it is "
    "built and pushed for new code only, the baked one for a new model too."
)
WHAT = "The weights are random bytes: carried, checked and kept, but not run. The server starts with a built-in model."


def facts(result: RestartResult) -> list[tuple[str, str]]:
    machine = result.machine
    where = f"{machine.get('processor')}, {machine.get('cores')} cores, {machine.get('memory_gb')} GB"
    loads = [way.load_average for way in result.ways]
    load = f", load average {min(loads):.1f} to {max(loads):.1f} while it ran" if loads else ""
    rate = f"{result.rate_mb_s:g} MB/s" if result.rate_mb_s else "as fast as it goes"
    told = [("measured", result.created), ("machine", f"{where}, {machine.get('system')}{load}")]
    return [*told, ("image", result.image), ("line for images and models", rate), ("what runs", WHAT)]


def tables(result: RestartResult) -> list[Table]:
    found = [_launches(result), _sizes(result), _gains(result)]
    return [table for table in found if table.rows]


def _launches(result: RestartResult) -> Table:
    rows = tuple(
        (
            f"{way.model_mb} MB, {WAYS[way.way]}",
            f"{way.first_launch_s:.1f}",
            f"{way.image_pull_s:.1f}",
            f"{way.first_ready_s:.1f}",
            f"{restart_s(way):.2f}",
            f"{way.moved_s:.1f}",
        )
        for way in result.ways
    )
    head = ("model", "first launch, s", "of it the image", "start and model", "restart, s", "moved, s")
    absent = " ".join(f"{size} MB: not measured, {why}." for size, why in result.absent.items())
    return Table("Launches", head, rows, f"{LAUNCH_NOTE} {absent}".strip())


def _sizes(result: RestartResult) -> Table:
    rows = tuple(
        (
            f"{way.model_mb} MB, {WAYS[way.way]}",
            f"{way.build_s:.1f}" if way.way == BAKED else MISSING,
            f"{way.pack_s:.1f}",
            f"{way.image_bytes / 1e6:.0f}",
            f"{way.packed_bytes / 1e6:.0f}",
            f"{way.model_pulled_bytes / 1e6:.0f}" if way.way == VOLUME else MISSING,
        )
        for way in result.ways
    )
    head = ("model", "build, s", "pack, s", "image, MB", "packed, MB", "model pulled once, MB")
    return Table("Building and sizes", head, rows, SIZE_NOTE)


def _gains(result: RestartResult) -> Table:
    """What a volume saves: seconds, and bytes that need not be fetched."""
    rows = []
    for size in result.sizes:
        baked, volume = result.way(BAKED, size), result.way(VOLUME, size)
        if baked and volume:
            rows.append(
                (
                    f"{size} MB",
                    f"{baked.first_launch_s - volume.first_launch_s:+.1f}",
                    f"{restart_s(baked) - restart_s(volume):+.2f}",
                    f"{baked.moved_s - volume.moved_s:+.1f}",
                    f"{(baked.packed_bytes - volume.packed_bytes) / 1e6:+.0f}",
                )
            )
    head = ("model", "first launch, s", "restart, s", "moved, s", "fetched when moved, MB")
    return Table("What a volume saves", head, tuple(rows), "Baked minus volume: above zero the volume is better.")


def restart_s(way: Way) -> float:
    return statistics.median(way.restarts_s)


PICTURED: dict[str, tuple[str, Callable[[Way], float]]] = {
    "first launch": ("Seconds on a machine that has nothing.", lambda way: way.first_launch_s),
    "restart": ("Seconds on a machine that has the image.", restart_s),
    "moved": ("Seconds on a machine without the image that reaches the volume.", lambda way: way.moved_s),
}


def pictures(result: RestartResult) -> Iterator[tuple[str, str, str]]:
    """`(title, words, SVG)` of each."""
    for title, (said, of) in PICTURED.items():
        bars = [
            charts.Bar(
                f"{way.model_mb} MB, {way.way}", of(way), of(way), of(way), f"{of(way):.1f} s", way.way == VOLUME
            )
            for way in result.ways
        ]
        if bars:
            yield title, f"{said} Less is better.", charts.bars(title, bars)


def markdown(result: RestartResult) -> str:
    lines = [GENERATED, f"# {TITLE}", "", *(f"- {escape(name)}: {escape(value)}" for name, value in facts(result))]
    for table in tables(result):
        lines += ["", f"## {escape(table.title)}", "", "| " + " | ".join(map(escape, table.head)) + " |"]
        lines += ["|" + "---|" * len(table.head), *("| " + " | ".join(map(escape, row)) + " |" for row in table.rows)]
        lines += ["", escape(table.note)] if table.note else []
    return "\n".join(lines) + "\n"


def html(result: RestartResult) -> str:
    listed = "".join(f"<dt>{quoted(name)}</dt><dd>{quoted(value)}</dd>" for name, value in facts(result))
    parts = [f"<dl>{listed}</dl>", *(figure(*one) for one in pictures(result)), *map(table_html, tables(result))]
    return page(TITLE, parts)
