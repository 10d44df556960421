"""How a face is when it does nothing in particular. Knows nothing of painting or of chance."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mood:
    """`blink_every_s` on the mean (0: never), `blink_s` from open to open; `lids` 0..1 how far they hang, `cheeks` 0..1
    how far a smile raises the lower ones. `sway` and `pace` are the size and the speed of the head's motion, `roam` of
    the eyes'. `brow_tilt` -1..1, `brow_lift` in units, `smile` is added to the mouth's own. `breaths_hz`, `breath`."""

    blink_every_s: float = 4.2
    blink_s: float = 0.24
    lids: float = 0.08
    cheeks: float = 0.0
    sway: float = 1.0
    pace: float = 1.0
    roam: float = 1.0
    brow_tilt: float = 0.0
    brow_lift: float = 0.0
    smile: float = 0.0
    lean: float = 0.0
    breath: float = 1.0
    breaths_hz: float = 0.25


MOODS: dict[str, Mood] = {
    "calm": Mood(),
    "cheerful": Mood(
        blink_every_s=3.2, cheeks=0.7, sway=1.5, pace=1.35, brow_lift=2.0, smile=0.55, breaths_hz=0.3
    ),
    "attentive": Mood(
        blink_every_s=5.5, lids=0.0, sway=0.6, roam=0.35, brow_tilt=0.35, brow_lift=3.2, smile=0.1, lean=2.0,
        breaths_hz=0.27,
    ),
    "sleepy": Mood(
        blink_every_s=2.6, blink_s=0.6, lids=0.36, sway=1.25, pace=0.5, roam=0.5, brow_tilt=0.5, brow_lift=-1.2,
        smile=-0.2, lean=-1.0, breath=1.6, breaths_hz=0.17,
    ),
    "still": Mood(blink_every_s=0.0, sway=0.0, roam=0.0, breath=0.0),
}  # fmt: skip
"""`still` has no motion of its own at all: for those who are made uneasy by it, and for measuring."""
