"""The first start of a model with nothing said about its library: OpenVINO and CTranslate2 are tried, one is kept.

One after the other, so that never two models are in memory; what wins is remembered beside the converted model.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from talkie.engines.asr.whisper import hardware
from talkie.engines.asr.whisper.backend import Backend
from talkie.engines.asr.whisper.backends import BackendOptions, converted_model, open_ctranslate2, open_openvino
from talkie.engines.asr.whisper.choice import Choice, remember
from talkie.engines.asr.whisper.contest import Likelihoods, contest
from talkie.engines.asr.whisper.model_files import ModelFiles
from talkie.engines.asr.whisper.openvino.converted import alignment_heads
from talkie.engines.asr.whisper.openvino.form import Form
from talkie.engines.asr.whisper.tokenizer_file import load_tokens
from talkie.engines.asr.whisper.trial import Passage, Trial, log_likelihood, run_trial
from talkie.engines.memory import give_back_free_memory

CONVERTED, TRIED_ONE = 0.8, 0.9
OPENED, HEARD = 0.02, 0.07
"""Shares of the whole, roughly; of a trial, after its beginning. Whoever is told one may raise, and so end it all."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Tried:
    trial: Trial
    likelihood: float | None


def choose(files: ModelFiles, form: Form, options: BackendOptions) -> tuple[Backend, str]:
    """The better one, open, and why. What is not measured, for want of speech or of another, is not remembered."""
    # Converted first: that may fail, and then there is nothing to choose from.
    converted_model(files, form, replace(options, progress=lambda share: options.progress(CONVERTED * share)))
    if not hardware.supports(options.compute_type, hardware.choose_device(options.device)):
        why = f"has no {form.name} here" if hardware.has_ctranslate2() else "is not installed"
        return open_openvino(files, form, options), f"CTranslate2 {why}"
    passages = options.passages()
    if not passages:
        return open_openvino(files, form, options), "taken where it can; not measured"
    options.progress(CONVERTED)
    model = open_ctranslate2(files, options)
    theirs, compute_type = _try(model, files, passages, options.progress), model.compute_type
    _close(model)
    options.progress(TRIED_ONE)
    model = open_openvino(files, form, options)
    ours = _try(model, files, passages[: len(theirs.trial.texts)], options.progress, theirs.trial)
    verdict = contest(ours.trial, theirs.trial, passages, _likelihoods(ours, theirs))
    options.progress(1.0)
    chosen = ("openvino", form.name) if verdict.openvino else ("ctranslate2", compute_type)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    _keep(files, options, Choice(*chosen, verdict.reason, measured=now))
    level = logging.WARNING if verdict.fault else logging.INFO
    _log.log(level, "%s is run by %s: %s", files.name, " ".join(chosen), verdict.reason)
    if verdict.openvino:
        return model, verdict.reason
    _close(model)
    return open_ctranslate2(files, options), verdict.reason


def _try(
    model: Backend,
    files: ModelFiles,
    passages: Sequence[Passage],
    progress: Callable[[float], None],
    other: Trial | None = None,
) -> _Tried:
    """And how likely what was heard is, by this one or by the `other`."""
    began = CONVERTED if other is None else TRIED_ONE
    tokens = load_tokens(files, multilingual=model.multilingual)
    progress(began + OPENED)
    trial = run_trial(model, tokens, passages, whole=other is not None)
    progress(began + HEARD)
    encoded, trial = trial.encoded, replace(trial, encoded=None)
    heard = (other or trial).tokens
    if not any(heard) or not alignment_heads(files):
        return _Tried(trial, None)
    return _Tried(trial, log_likelihood(model, tokens, encoded, passages, heard))


def _likelihoods(ours: _Tried, theirs: _Tried) -> Likelihoods | None:
    if ours.likelihood is None or theirs.likelihood is None:
        return None
    return Likelihoods(ours.likelihood, theirs.likelihood)


def _close(model: Backend) -> None:
    model.close()
    give_back_free_memory()


def _keep(files: ModelFiles, options: BackendOptions, choice: Choice) -> None:
    assert options.kept_in is not None
    try:
        remember(options.kept_in, files, options.asked(), choice)
    except OSError as error:
        _log.warning("What runs %s best cannot be remembered: %s", files.name, error.strerror or error)
