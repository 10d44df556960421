"""Contenders without a process: they write down what was asked of them and answer what they were told to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from talkie.bench.contenders import Contender
from talkie.bench.peers.answers import Clips, Heard, Loaded
from talkie.bench.peers.child import LoadWish
from talkie.errors import EngineFailed

Tell = Callable[[Path], str]


@dataclass
class FakeChild:
    """`tell` gives the text of a file, or raises; `log` is shared by all children of a test."""

    name: str
    tell: Tell
    log: list[tuple[str, ...]]

    def load(self, wish: LoadWish) -> Loaded:
        self.log.append((self.name, "load", wish.model.name))
        return Loaded(0.1, 0.2, 0.3, 0.4, {"fake": "1"}, {"batch": wish.batch})

    def transcribe(self, path: Path) -> Heard:
        self.log.append((self.name, "hear", path.name))
        text = self.tell(path)
        return Heard(text, 3, len(text.split()), 0, 2.0, 1.5, 0.5)

    def clips(self, paths: Sequence[Path], clients: int, each: int) -> Clips:
        self.log.append((self.name, "clips", str(clients)))
        texts = tuple(self.tell(paths[number % len(paths)]) for number in range(clients * each))
        latencies = tuple(0.1 * (number + 1) for number in range(clients * each))
        rows = [latencies[each * client : each * (client + 1)] for client in range(clients)]
        return Clips(latencies, tuple(map(sum, rows)), texts, 1.0, 0.5, 5.0 * len(texts))

    def peak_bytes(self) -> int:
        return 123_000_000


@dataclass
class Stage:
    """Makes contenders and keeps their log."""

    log: list[tuple[str, ...]] = field(default_factory=list)

    def contender(self, name: str, tell: Tell = lambda _: "one two") -> Contender:
        @contextmanager
        def start(_threads: int) -> Iterator[FakeChild]:
            self.log.append((name, "start"))
            yield FakeChild(name, tell, self.log)
            self.log.append((name, "end"))

        return Contender(name, start, batch=8, install_bytes=5)


def failing(_path: Path) -> str:
    raise EngineFailed("fake", "it cannot")
