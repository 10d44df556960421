"""Which of two trials wins: OpenVINO, unless CTranslate2 is clearly faster or is right where OpenVINO is wrong. Pure.

This is a guard against arithmetic that goes wrong on some processor, over a hundred words; what INT8 costs in accuracy
is another question, for more speech and for `talkie tune`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from talkie.engines.asr.whisper.trial import Passage, Trial
from talkie.text.wer import Wer, word_error_rate

LESS_LIKELY = 0.2
"""In log-likelihood a token. INT8 in one library differs from INT8 in the other by 0.03, another recording by 2."""
UNDERSTOOD = 0.5
"""A model with more errors than this does not know the voices, and its texts cannot judge anything."""
WORSE = 0.1
"""A word on the edge of what is understood turns this way or that; a tenth of all words does not."""

CLEARLY_FASTER = 1.1
"""A trial is short and others may be busy: below this the usual one stays."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`openvino`: whether it wins. `reason` is a sentence for people; `fault`: it is about more than speed."""

    openvino: bool
    reason: str
    fault: bool = False


@dataclass(frozen=True, slots=True)
class Likelihoods:
    """Of the texts that CTranslate2 heard, as each of them sees it."""

    openvino: float
    ctranslate2: float


def contest(
    openvino: Trial, ctranslate2: Trial, passages: Sequence[Passage], likelihoods: Likelihoods | None = None
) -> Verdict:
    """Both trials over the same passages, or the first of them. No likelihoods: the texts must do."""
    fault = _unlikely(likelihoods) or _wrong(openvino, ctranslate2, passages, strict=likelihoods is None)
    if fault:
        return Verdict(False, fault, fault=True)
    winner, other = ("OpenVINO", openvino), ("CTranslate2", ctranslate2)
    if ctranslate2.speed > CLEARLY_FASTER * openvino.speed:
        winner, other = other, winner
    reason = f"measured: {winner[1].speed:.3g} s of audio a processor second, {other[0]} {other[1].speed:.3g}"
    return Verdict(winner[0] == "OpenVINO", reason)


def _unlikely(found: Likelihoods | None) -> str:
    if found is None or found.ctranslate2 - found.openvino <= LESS_LIKELY:
        return ""
    return (
        "OpenVINO computes something else here: what CTranslate2 heard has a log-likelihood of "
        f"{found.openvino:.2f} a token with it, and {found.ctranslate2:.2f} with CTranslate2"
    )


def _wrong(openvino: Trial, ctranslate2: Trial, passages: Sequence[Passage], *, strict: bool) -> str:
    """What is wrong with what OpenVINO heard; nothing where it is as good. `strict`: nothing else was looked at."""
    between = _errors(ctranslate2.texts, openvino.texts)
    if not between.errors:
        return ""
    said = [passage.text for passage in passages[: len(openvino.texts)]]
    ours, theirs = _errors(said, openvino.texts), _errors(said, ctranslate2.texts)
    if theirs.rate <= UNDERSTOOD:
        if ours.errors <= theirs.errors + max(1.0, WORSE * theirs.words):
            return ""
        return f"OpenVINO hears {ours.errors} of {ours.words} words wrongly here, CTranslate2 {theirs.errors}"
    if not strict or between.rate <= WORSE:
        return ""
    return (
        f"OpenVINO hears {between.errors} of {between.words} words otherwise, in speech that this model does not "
        "understand; `talkie tune` with recordings of yours can judge"
    )


def _errors(reference: Sequence[str], heard: Sequence[str]) -> Wer:
    return sum((word_error_rate(*pair) for pair in zip(reference, heard, strict=True)), Wer())
