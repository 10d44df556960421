"""What weights in the image, on a volume or in an artifact cost a month, in money and in minutes.

Every way is a straight line over the starts of a month: so much a start, so much a month, so much once. The page
`/cost` reckons the same in `web/cost-formula.js`, and a test holds the two together. Pure; see docs/cost.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from talkie.bench.cost_inputs import Plan

BAKED, VOLUME, ARTIFACT = "baked", "volume", "artifact"
TERMS = ("pulls", "gpu", "storage", "losses")
"""What an ordinary month's bill is made of."""
NEVER = 1e9
"""Starts a month that nobody has: a break-even above is none."""
SAME = 1e-9
"""Costs that differ by less than this share are equal; they are sums of rounded numbers."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to bring the weights. Dollars and minutes: a start, a month, once."""

    name: str
    pulls_usd: float
    gpu_usd: float
    ready_minutes: float
    push_usd: float
    build_minutes: float
    storage_usd: float = 0.0
    losses_usd: float = 0.0
    losses_minutes: float = 0.0
    first_usd: float = 0.0
    first_minutes: float = 0.0

    @property
    def start_usd(self) -> float:
        return self.pulls_usd + self.gpu_usd

    @property
    def fixed_usd(self) -> float:
        return self.storage_usd + self.losses_usd

    def terms(self, restarts: float) -> dict[str, float]:
        """An ordinary month's dollars by what they are for."""
        values = (restarts * self.pulls_usd, restarts * self.gpu_usd, self.storage_usd, self.losses_usd)
        return dict(zip(TERMS, values, strict=True))

    def month_usd(self, restarts: float) -> float:
        """An ordinary month: nothing is built, and the volumes are full."""
        return restarts * self.start_usd + self.fixed_usd

    def month_minutes(self, restarts: float) -> float:
        return restarts * self.ready_minutes + self.losses_minutes

    def first_month_usd(self, restarts: float) -> float:
        """With the push, and with what the first start of each volume has more."""
        return self.month_usd(restarts) + self.push_usd + self.first_usd

    def first_month_minutes(self, restarts: float) -> float:
        return self.month_minutes(restarts) + self.build_minutes + self.first_minutes


def ways(plan: Plan) -> tuple[Way, ...]:
    """All three: baked, volume, artifact."""
    return _baked(plan), _volume(plan), _artifact(plan)


def as_published(plan: Plan) -> tuple[Way, ...]:
    """Two of them as the published example reckons: no minute of a machine costs anything, and neither do the slim
    image's pulls nor the first pull of the weights."""
    plan = replace(plan, gpu_usd=0.0)
    return _baked(plan), replace(_volume(plan), pulls_usd=0.0, first_usd=0.0, losses_usd=0.0)


def _baked(plan: Plan) -> Way:
    return Way(
        BAKED,
        pulls_usd=plan.misses * plan.baked_gb * plan.pull_usd,
        gpu_usd=plan.baked_minutes / 60 * plan.gpu_usd,
        ready_minutes=plan.baked_minutes,
        push_usd=plan.pushed_baked_gb * plan.pull_usd,
        build_minutes=plan.baked_build_minutes,
    )


def _volume(plan: Plan) -> Way:
    """A lost volume is one first pull more; so is every new one."""
    longer = plan.first_minutes - plan.slim_minutes
    first_pull = plan.pulled_weights_gb * plan.pull_usd + longer / 60 * plan.gpu_usd
    return Way(
        VOLUME,
        pulls_usd=plan.misses * plan.slim_gb * plan.pull_usd,
        gpu_usd=plan.slim_minutes / 60 * plan.gpu_usd,
        ready_minutes=plan.slim_minutes,
        push_usd=plan.pushed_slim_gb * plan.pull_usd,
        build_minutes=plan.slim_build_minutes,
        storage_usd=plan.instances * plan.volume_gb * plan.volume_usd,
        losses_usd=plan.instances * plan.loss * first_pull,
        losses_minutes=plan.instances * plan.loss * longer,
        first_usd=plan.instances * first_pull,
        first_minutes=plan.instances * longer,
    )


def _artifact(plan: Plan) -> Way:
    """The weights are a layer of their own, which a host keeps or does not keep apart from the image. Kept, a start is
    as quick as from a volume; not kept, as slow as with the baked image, whose bytes are then pulled."""
    absent = plan.artifact_misses
    minutes = plan.slim_minutes + absent * (plan.baked_minutes - plan.slim_minutes)
    return Way(
        ARTIFACT,
        pulls_usd=(plan.misses * plan.slim_gb + absent * plan.pulled_weights_gb) * plan.pull_usd,
        gpu_usd=minutes / 60 * plan.gpu_usd,
        ready_minutes=minutes,
        push_usd=(plan.pushed_slim_gb + plan.pulled_weights_gb) * plan.pull_usd,
        build_minutes=plan.baked_build_minutes,
    )


def break_even(plain: Way, stored: Way) -> float | None:
    """Starts in an ordinary month from which `stored`, which costs more a month, is the cheaper one. None: never."""
    saved = plain.start_usd - stored.start_usd
    more = stored.fixed_usd - plain.fixed_usd
    if saved <= 0:
        return None
    starts = max(0.0, more) / saved
    return starts if starts <= NEVER else None


def least(found: Sequence[Way], value: Callable[[Way], float]) -> tuple[str, ...]:
    """The names of those with the least `value`: more than one where they are equal."""
    bound = min(value(way) for way in found)
    return tuple(way.name for way in found if value(way) - bound <= SAME * max(1.0, abs(bound)))


def decides(baked: Way, volume: Way, restarts: float) -> tuple[str, float] | None:
    """The term in which an ordinary month differs most, and by how much the baked image is dearer there."""
    ours, theirs = volume.terms(restarts), baked.terms(restarts)
    differences = {term: theirs[term] - ours[term] for term in TERMS}
    term = max(TERMS, key=lambda one: abs(differences[one]))
    return (term, differences[term]) if differences[term] else None
