"""Fields that every protocol of speech has, as clients write them. Pure; knows nothing of one protocol."""

from __future__ import annotations

import math
import re

from talkie.errors import InvalidValue
from talkie.text.languages import UNKNOWN, parse_language

MIN_SPEED, MAX_SPEED = 0.25, 4.0
_TAG = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8}){0,3}")


def spoken_language(text: str) -> str | None:
    """A tag stays whole, for `en-gb` is another voice than `en-us`; a name becomes its code; None: the voice's own.

    Any code passes: what can be spoken is more than what can be heard. Raises `InvalidValue`.
    """
    tag = text.strip().lower().replace("_", "-")
    if tag in UNKNOWN:
        return None
    return tag if _TAG.fullmatch(tag) else parse_language(text)


def shown_language(tag: str) -> str:
    """As clients that look for a language write it: `en-US`, `zh-Hant`."""
    first, *rest = tag.replace("_", "-").split("-")
    sizes = {2: str.upper, 4: str.title}
    return "-".join([first.lower(), *(sizes.get(len(part), str.lower)(part) for part in rest)])


def spoken_speed(value: float) -> float:
    """Nothing (0) is the voice's own pace. Raises `InvalidValue`."""
    if value == 0:
        return 1.0
    if not math.isfinite(value) or not MIN_SPEED <= value <= MAX_SPEED:
        raise InvalidValue("speed", f"speed is {MIN_SPEED:g} to {MAX_SPEED:g}.")
    return value
