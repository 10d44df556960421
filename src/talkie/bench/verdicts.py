"""The published goals, each with what was measured: met, missed, or not measured. Never a guess.

    speed at least 95 % of WhisperS2T's, memory at most 110 %, load time at most 105 %, concurrency at least as good;
    upload above 10 MB/s; live text under 2 s; ten users at once; under 1 GB

Ratios are medians over rounds, in pairs; a peer counts with the variant that is fastest. Knows nothing of how they
are shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from talkie.bench.live_results import LIMIT_S
from talkie.bench.metrics import METRICS, Figure, Rounds, best_of, clients_name, compared, figures, summarise
from talkie.bench.results import Result

PEER, OURS = "whispers2t", "talkie"
PEER_TITLE = "WhisperS2T"
UPLOAD_MB_S, MEMORY_MB, USERS, FAIR = 10.0, 1000.0, 10, 2.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """`met` is None where nothing was measured; `measured` then says why."""

    goal: str
    measured: str
    met: bool | None
    where: str = ""

    @property
    def word(self) -> str:
        return {True: "met", False: "MISSED", None: "not measured"}[self.met]


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound on our figure divided by the peer's."""

    metric: str
    text: str
    bound: float


FILE_GOALS = (
    Goal("audio_per_cpu_s", f"at least 95 % of {PEER_TITLE}'s speed (by processor time)", 0.95),
    Goal("rtfx", f"at least 95 % of {PEER_TITLE}'s speed (by the clock)", 0.95),
    Goal("peak_mb", f"at most 110 % of {PEER_TITLE}'s memory", 1.10),
    Goal("ready_s", f"at most 105 % of {PEER_TITLE}'s load time", 1.05),
)
CROWD_GOAL = Goal("crowd_rtfx", f"at least {PEER_TITLE}'s concurrency", 1.0)


def verdicts(result: Result) -> list[Verdict]:
    """Every goal once for each model and file it was measured on, else once as not measured."""
    found = figures(result)
    return [
        *(verdict for goal in FILE_GOALS for verdict in _against_peer(goal, found)),
        *_against_peer(CROWD_GOAL, found),
        _upload(result),
        *_live(result),
        *_users(found, result),
        *_memory(found),
    ]


def _against_peer(goal: Goal, found: Mapping[Figure, Rounds]) -> Iterator[Verdict]:
    """Our contender is the one named as we are; where the peer has variants, the fastest of them."""
    places = [figure for figure in found if figure.metric == goal.metric and figure.contender == OURS]
    if not places:
        yield Verdict(goal.text, "not measured: no figure of Talkie that counts", None)
    for ours in places:
        where = f"{ours.model}, {ours.workload}"
        speed = ours._replace(metric="crowd_rtfx" if goal is CROWD_GOAL else "audio_per_cpu_s")
        other = best_of(found, PEER, speed)
        ratio = compared(found, ours, other) if other else None
        if ratio is None:
            yield Verdict(goal.text, f"not measured: no figure of {PEER_TITLE} that counts", None, where)
            continue
        met = ratio.median >= goal.bound if METRICS[goal.metric].higher else ratio.median <= goal.bound
        yield Verdict(
            goal.text, f"{100 * ratio.median:.0f} % ({100 * ratio.low:.0f} to {100 * ratio.high:.0f})", met, where
        )


def _upload(result: Result) -> Verdict:
    goal = f"upload above {UPLOAD_MB_S:g} MB/s"
    rate = result.server.get("upload_mb_s")
    if not isinstance(rate, int | float):
        return Verdict(goal, "not measured", None)
    return Verdict(goal, f"{rate:.0f} MB/s", rate > UPLOAD_MB_S)


def _live(result: Result) -> Iterator[Verdict]:
    """From the last word to the final text, with one session; how many hold it at once stands beside."""
    goal = f"live text under {LIMIT_S:g} s"
    runs = [run for run in result.live if run.contender == OURS and run.rounds]
    if not runs:
        yield Verdict(goal, "not measured", None)
    for run in runs:
        final = run.rounds[0].final
        said = f"95 % of finals within {final.p95:.2f} s" if final else "no final came"
        where = f"{run.model}, {run.rounds[0].sessions} at once"
        yield Verdict(goal, f"{said}; held up to {run.capacity} sessions", run.rounds[0].held, where)


def _users(found: Mapping[Figure, Rounds], result: Result) -> Iterator[Verdict]:
    """Ten people who speak without end: each clip has its text before the next one is spoken, and nobody waits twice as
    long as others."""
    goal = f"{USERS} users at once"
    workload = clients_name(USERS)
    places = [one for one in found if one.metric == "crowd_p95_s" and one[1::2] == (OURS, workload)]
    clip_s = next((crowd.clip_s for crowd in result.crowds if crowd.clients == USERS), 0.0)
    if not places:
        yield Verdict(goal, "not measured", None)
    for place in places:
        p95_s = summarise(found[place]).median
        unfair = summarise(found[place._replace(metric="crowd_fairness")]).median
        said = f"95 % of {clip_s:g} s clips within {p95_s:.2f} s, slowest client {unfair:.2f} times the median one"
        yield Verdict(goal, said, p95_s <= clip_s and unfair <= FAIR, place.model)


def _memory(found: Mapping[Figure, Rounds]) -> Iterator[Verdict]:
    goal = "under 1 GB"
    places = [one for one in found if one.metric == "peak_mb" and one.contender == OURS]
    if not places:
        yield Verdict(goal, "not measured", None)
    for place in places:
        peak_mb = max(found[place].values())
        yield Verdict(goal, f"{peak_mb:.0f} MB at most", peak_mb < MEMORY_MB, f"{place.model}, {place.workload}")
