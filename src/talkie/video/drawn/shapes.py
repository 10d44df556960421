"""The mouth of each viseme, and mouths between mouths.

The letters are those of the Rhubarb set (`text/visemes.py`). Knows nothing of painting.
"""

from __future__ import annotations

from collections.abc import Iterable

from talkie.video.drawn.mouth import MouthShape

REST = MouthShape(width=28.0, smile=0.9)

LETTERS: dict[str, MouthShape] = {
    "A": MouthShape(opening=0.0, width=24.5, press=0.9, smile=0.3),  # p b m: pressed together
    "B": MouthShape(opening=0.24, width=29.0, upper=0.95, lower=1.0, smile=0.5),  # s t k, ee: teeth nearly together
    "C": MouthShape(opening=0.52, width=29.5, upper=0.8, tongue=0.15, smile=0.45),  # e, ae
    "D": MouthShape(opening=0.95, width=28.5, upper=0.75, smile=0.35),  # aa
    "E": MouthShape(opening=0.58, width=21.0, rounding=0.75, upper=0.25, tongue=0.1),  # o, er
    "F": MouthShape(opening=0.34, width=13.0, rounding=1.0),  # u, w: puckered
    "G": MouthShape(opening=0.17, width=26.5, upper=1.0, tuck=1.0, smile=0.35),  # f v: teeth on the lower lip
    "H": MouthShape(opening=0.5, width=27.5, upper=0.7, tongue=1.0, smile=0.4),  # l: tongue behind the teeth
    "X": REST,
}


def blended(parts: Iterable[tuple[MouthShape, float]]) -> MouthShape:
    """The mean of mouths by their weights; at rest where there is none."""
    weighed = [(shape.values(), weight) for shape, weight in parts if weight > 0]
    total = sum(weight for _, weight in weighed)
    if total <= 0:
        return REST
    columns = zip(*(values for values, _ in weighed), strict=True)
    weights = [weight / total for _, weight in weighed]
    return MouthShape(*(sum(v * w for v, w in zip(column, weights, strict=True)) for column in columns))


def between(first: MouthShape, second: MouthShape, share: float) -> MouthShape:
    """`share` 0 is the first, 1 the second."""
    return blended([(first, 1 - share), (second, share)])
