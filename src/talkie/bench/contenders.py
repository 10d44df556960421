"""Who takes part: each variant of each peer, with its environment, as something that can be started.

    "faster-whisper"            all of its variants
    "faster-whisper:batched-8"  one of them
    "talkie:fit"                one that takes part only where it is named

Knows nothing of rounds, of files or of what is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from talkie.bench.peers.answers import Clips, Heard, Loaded
from talkie.bench.peers.child import LoadWish, PeerChild
from talkie.bench.peers.environment import Environment, Environments, Report
from talkie.bench.peers.table import PEERS, Peer, Variant, peer
from talkie.errors import InvalidValue, TalkieError


class Child(Protocol):
    """A contender at work: what `peers.child.PeerChild` is."""

    def load(self, wish: LoadWish) -> Loaded: ...
    def transcribe(self, path: Path) -> Heard: ...
    def clips(self, paths: Sequence[Path], clients: int, each: int) -> Clips: ...
    def peak_bytes(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Contender:
    """`start` gives a fresh process. `form` is `(compute type, directory)` of the model's form it reads."""

    name: str
    start: Callable[[int], AbstractContextManager[Child]]
    batch: int = 0
    options: tuple[tuple[str, object], ...] = ()
    form: Callable[[str], tuple[str, str]] = lambda compute_type: (compute_type, f"ct2-{compute_type}")
    install_bytes: int = 0

    def wish(self, model: Path, wish: LoadWish) -> LoadWish:
        """The wish of a run, as this contender is asked it: from the form of the model it reads."""
        compute_type, form = self.form(wish.compute_type)
        at = model / form if (model / form).is_dir() else model
        return replace(wish, model=at, compute_type=compute_type, batch=self.batch, options=dict(self.options))


def chosen(names: Iterable[str]) -> list[tuple[Peer, Variant]]:
    """The variants that names ask for, each once, in order. Raises `InvalidValue`."""
    found: dict[str, tuple[Peer, Variant]] = {}
    for name in names:
        peer_name, _, wanted = name.partition(":")
        one = peer(peer_name)
        matching = [variant for variant in one.variants if wanted == slug(variant) or not (wanted or variant.extra)]
        if not matching:
            hint = f"One of: {', '.join(contender_name(one, variant) for variant in one.variants)}."
            raise InvalidValue("peers", f"There is no {name[:60]!r}.", hint=hint)
        found |= {contender_name(one, variant): (one, variant) for variant in matching}
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Gathering:
    """How contenders are got together. Who cannot take part is told to `absent`; `own_home` is where Talkie keeps what
    it makes once for a model."""

    environments: Environments
    report: Report
    absent: Callable[[str, TalkieError], None]
    own_home: Path | None = None


def gather(names: Iterable[str], how: Gathering) -> list[Contender]:
    """Contenders whose environments are there or can be made."""
    made: dict[str, Environment | None] = {}
    found = []
    for one, variant in chosen(names):
        if one.name not in made:
            made[one.name] = _prepared(one, how)
        environment = made[one.name]
        if environment is not None:
            found.append(contender(one, variant, environment, how.own_home))
    return found


def contender(one: Peer, variant: Variant, environment: Environment, own_home: Path | None = None) -> Contender:
    """`own_home` is where Talkie keeps what it makes once for a model; without it every start is a first one."""
    kept = {"home": str(own_home)} if one.own and own_home else {}
    name = contender_name(one, variant)
    return Contender(
        name=name,
        start=lambda threads: PeerChild(name, environment.python, one.script, threads=threads),
        batch=variant.batch,
        options=tuple({**variant.options, **kept}.items()),
        form=one.format_for,
        install_bytes=environment.size_bytes,
    )


def contender_name(one: Peer, variant: Variant) -> str:
    return one.name if variant.name == "default" else f"{one.name}:{slug(variant)}"


def slug(variant: Variant) -> str:
    return variant.name.replace(" ", "-")


def everybody() -> list[str]:
    """All peers, those that cannot take part as well: a report says why."""
    return [one.name for one in PEERS]


def _prepared(one: Peer, how: Gathering) -> Environment | None:
    try:
        return how.environments.prepare(one, how.report)
    except TalkieError as error:
        how.absent(one.name, error)
        return None
