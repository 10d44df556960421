"""Runs of the bench of faces as tables and pictures. Knows nothing of how anything was measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from talkie.bench import charts
from talkie.bench.face_goals import goals
from talkie.bench.face_results import DrawnRun, FaceLiveRun, FaceNetworkRun, FaceRun, Times
from talkie.bench.statistics import percentile
from talkie.bench.tables import MISSING, Table

HEAD = ("", "mean ms", "median", "std", "min", "max", "p95", "p99", "frames / s", "CPU ms", "frames")
LIVE_HEAD = ("", "p50 ms", "p95 ms", "most ms", "tries")
WORDS = {True: "met", False: "MISSED", None: "not measured"}
NOTE = (
    "Milliseconds a frame, of 320x320 pixels in the network; processor time is of all threads, on average. The weights "
    "are shape-true: nobody trained them. A whole frame is from a WAV to a film in H.264, in pieces of some frames."
)


def face_tables(runs: Sequence[FaceRun]) -> list[Table]:
    return [table for run in runs for table in _tables(run)]


def _tables(run: FaceRun) -> Iterator[Table]:
    if run.network is not None:
        yield _network(run.network)
    if run.drawn is not None:
        yield _drawn(run.drawn)
    if run.live is not None:
        yield _live(run.live)
    loads = ", ".join(f"{name} {load:g}" for name, load in run.loads.items())
    rows = tuple((one.text, one.measured, WORDS[one.met]) for one in goals(run))
    yield Table(
        "Faces: goals", ("goal", "measured", ""), rows, f"Load of the machine before each: {loads}." * bool(loads)
    )


def face_pictures(runs: Sequence[FaceRun]) -> Iterator[tuple[str, str, str]]:
    """`(title, words, SVG)` of each."""
    for run in runs:
        if run.network is not None:
            yield from _network_pictures(run.network)
        if run.live is not None:
            live = run.live
            waits = {
                "text to face": live.face_out_s,
                "interrupted to silent": live.still_s,
            }
            clouds = [charts.Cloud(name, tuple(values), True) for name, values in waits.items()]
            title = f"live face: {live.avatar}"
            yield title, "Each dot is a text; less is better.", charts.clouds(title, "s", clouds)


def _network_pictures(run: FaceNetworkRun) -> Iterator[tuple[str, str, str]]:
    alone = [one for one in run.cases if one.batch == 1]
    rows = [_bar(one.contender, one.times, one.contender == "talkie") for one in alone]
    rows.append(_bar("talkie, WAV to film", run.whole.times, ours=True))
    title = "milliseconds a frame of a talking face"
    yield title, "Shape-true weights. Mean, with the least and p95. Less is better.", charts.bars(title, rows)
    ours = [one for one in run.cases if one.contender == "talkie"]
    points = tuple((place, one.times.fps) for place, one in enumerate(ours))
    title = "faces a second by the size of a call"
    ticks = [str(one.batch) for one in ours]
    yield title, "More is better.", charts.lines(title, ticks, [charts.Line(run.backend, points, True)])


def _bar(name: str, times: Times, ours: bool) -> charts.Bar:
    return charts.Bar(name, times.mean_ms, times.least_ms, times.p95_ms, f"{times.mean_ms:.1f} ms", ours)


def _network(run: FaceNetworkRun) -> Table:
    rows = [_row(f"{one.contender}, {one.batch} a call", one.times) for one in run.cases]
    rows.append(_row("talkie, WAV to film", run.whole.times))
    whole = run.whole
    facts = (
        f"Network of {run.audio_s:.2f} s of sound on {run.device}: {run.backend}, {run.compute_type} ({run.reason}). "
        f"Loaded in {run.load_s:.1f} s; the first frame then took {run.first_ms:.0f} ms; the first of a film was "
        f"encoded after {1000 * percentile(whole.first_s, 50):.0f} ms. Of each film {min(whole.computed)} to "
        f"{max(whole.computed)} frames were computed, {whole.bytes_a_frame / 1000:.1f} kB each in the file. "
        "A film keeps what the network makes of a source frame alone; in calls frames are new, unless the table says "
        "that they are known. "
        f"Memory: {run.bare_mb:.0f} MB "
        f"before, {run.loaded_mb:.0f} with the networks, {run.peak_mb:.0f} at most."
    )
    skipped = f" Not taken: calls of {', '.join(map(str, run.skipped))}." if run.skipped else ""
    return Table("Faces: a network (SPEED ONLY)", HEAD, tuple(rows), f"{NOTE} {facts}{skipped}")


def _drawn(run: DrawnRun) -> Table:
    rows = (_row("drawn, one thread", run.times), _whole_row("text to film", run.whole))
    return Table(f"Faces: the built-in one, {run.width}x{run.height}", HEAD, rows)


def _live(run: FaceLiveRun) -> Table:
    rows = tuple(
        (name, *(f"{1000 * percentile(values, percent):.0f}" for percent in (50, 95, 100)), str(len(values)))
        for name, values in (
            ("text to first picture", run.first_picture_s),
            ("text to first audible sound", run.first_sound_s),
            ("interruption to last stale piece", run.last_stale_s),
            ("interruption to answer", run.interrupted_s),
        )
    )
    note = "Through a WebSocket of a real server, one session. 0: nothing stale came."
    return Table(f"Faces: live, {run.avatar}", LIVE_HEAD, rows, note)


def _row(name: str, times: Times) -> tuple[str, ...]:
    values = (
        times.mean_ms, times.median_ms, times.std_ms, times.least_ms, times.most_ms, times.p95_ms, times.p99_ms,
    )  # fmt: skip
    return (
        name, *(f"{value:.1f}" for value in values), f"{times.fps:.1f}", f"{times.cpu_ms:.1f}", str(times.count),
    )  # fmt: skip


def _whole_row(name: str, times: Times) -> tuple[str, ...]:
    """Where single frames were not timed."""
    unknown = (MISSING,) * 6
    return (name, f"{times.mean_ms:.1f}", *unknown, f"{times.fps:.1f}", f"{times.cpu_ms:.1f}", str(times.count))
