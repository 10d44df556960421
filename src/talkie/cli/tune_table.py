"""What `talkie tune` found, as a table, a sentence and JSON. Knows nothing of how it was measured."""

from __future__ import annotations

from typing import Any

from talkie.bench.report import megabytes, percent, table
from talkie.runtime.tuning import Measured
from talkie.runtime.tuning_run import Tuning

HEAD = ("backend and numbers", "workers", "threads", "batch", "audio/cpu", "RTFx", "memory", "WER", "words", "")


def as_table(tuning: Tuning) -> str:
    """A row for each candidate, in the order of measuring."""
    rows = [_row(one, _remark(one, why, tuning)) for one, why in zip(tuning.found, tuning.refused, strict=True)]
    return table(HEAD, rows)


def verdict(tuning: Tuning) -> str:
    """What is used from now on, and what the words were worth."""
    lines = [f"not judged by its words: {tuning.unjudged}."] if tuning.unjudged else []
    if tuning.chosen is not None:
        lines.append(f"used from now on: {tuning.chosen.candidate} ({reason_of(tuning)}).")
    return "\n".join(lines)


def reason_of(tuning: Tuning) -> str:
    """Why it is the chosen one, in figures."""
    chosen, reference = tuning.chosen, tuning.found[0]
    assert chosen is not None
    against = "" if reference.trouble else f", CTranslate2's float32 {reference.speed:.3g}"
    words = "" if tuning.unjudged else f"; {percent(chosen.rate)} of words wrong, float32 {percent(reference.rate)}"
    return f"measured: {chosen.speed:.3g} s of audio a processor second{against}{words}"


def as_json(tuning: Tuning) -> dict[str, Any]:
    candidates = [_json(one, why) for one, why in zip(tuning.found, tuning.refused, strict=True)]
    chosen = str(tuning.chosen.candidate) if tuning.chosen else None
    return {"chosen": chosen, "unjudged": tuning.unjudged, "candidates": candidates}


def _row(one: Measured, remark: str) -> tuple[str, ...]:
    candidate = one.candidate
    name = f"{candidate.backend} {candidate.compute_type}" + (f" {candidate.vectors}" if candidate.vectors else "")
    layout = (str(candidate.workers), str(candidate.threads))
    if one.trouble:
        return (name, *layout, "-", "-", "-", "-", "-", "-", remark)
    figures = (str(one.batch), f"{one.speed:.1f}", f"{one.rtfx:.1f}", megabytes(one.peak_bytes), percent(one.rate))
    return (name, *layout, *figures, str(one.words), remark)


def _remark(one: Measured, why: str, tuning: Tuning) -> str:
    if one is tuning.chosen:
        return "chosen"
    return f"refused: {why}" if why else ""


def _json(one: Measured, why: str) -> dict[str, Any]:
    candidate = one.candidate
    return {
        "backend": candidate.backend,
        "compute_type": candidate.compute_type,
        "workers": candidate.workers,
        "threads": candidate.threads,
        "batch": one.batch,
        "vectors": candidate.vectors,
        "audio_per_processor_s": round(one.speed, 2),
        "rtfx": round(one.rtfx, 2),
        "peak_mb": round(one.peak_bytes / 1e6, 1),
        "wer": round(one.rate, 4),
        "errors": one.errors,
        "words": one.words,
        "refused": why,
    }
