"""The training loop: losses, schedule, checkpoints and the log."""

import copy
import csv
import math
import multiprocessing
import os
import random
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from test_model.labels import GUARD, Batch, make_batch
from test_model.listening import Heard, held_out, word_errors
from test_model.model import ORDINAL_PERIODS, Size, TinyWhisper
from test_model.speech import load_bank, make_noises
from test_model.windows import Bank, Composer, features_of
from test_model.words import Vocabulary

GUIDED_HEADS = 2  # the first heads of every decoder layer follow the words
WORD_TIME_HEAD = 1  # of the last layer: spreads evenly over the word

# From this part of the time on: (frames of 10 ms, windows in a batch, share of the batches).
PHASES: list[tuple[float, list[tuple[int, int, float]]]] = [
    (0.00, [(400, 16, 1.0)]),
    (0.20, [(400, 16, 0.55), (800, 10, 0.38), (3000, 4, 0.07)]),
    (0.48, [(400, 16, 0.50), (800, 10, 0.32), (3000, 4, 0.18)]),
    (0.75, [(400, 16, 0.25), (800, 10, 0.25), (3000, 4, 0.50)]),
]


@dataclass(frozen=True)
class Plan:
    minutes: float
    seed: int = 1
    rate: float = 2.5e-3
    warm_up_steps: int = 150
    evaluate_every_s: float = 420.0


def phase_at(progress: float) -> list[tuple[int, int, float]]:
    return [mix for start, mix in PHASES if progress >= start][-1]


def _compose(bank_path: Path, seed: int, wanted: Any, made: Any) -> None:
    """The data process: takes shapes from one queue, puts batches into the other."""
    os.nice(3)
    vocabulary = Vocabulary()
    clips = load_bank(bank_path)
    composer = Composer(Bank(clips, make_noises(clips, seed)), seed)
    while (shape := wanted.get()) is not None:
        frames, count = shape
        windows = [composer.window(frames) for _ in range(count)]
        batch = make_batch(windows, vocabulary, composer.rng)
        batch.features = batch.features.astype(np.float16)
        made.put(batch)


class Feed:
    """Batches from a process of its own, a few ahead."""

    def __init__(self, bank_path: Path, seed: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.wanted: Any = context.Queue()
        self.made: Any = context.Queue()
        self.rng = random.Random(seed)
        arguments = (bank_path, seed, self.wanted, self.made)
        self.process = context.Process(target=_compose, args=arguments, daemon=True)
        self.process.start()
        for _ in range(4):
            self._ask(0.0)

    def next(self, progress: float) -> Batch:
        self._ask(progress)
        batch: Batch = self.made.get()
        return batch

    def _ask(self, progress: float) -> None:
        mix = phase_at(progress)
        # Shares count batches, which are of about the same cost.
        frames, count, _ = self.rng.choices(mix, [share for _, _, share in mix])[0]
        self.wanted.put((frames, count))

    def close(self) -> None:
        self.wanted.put(None)
        self.process.terminate()


def losses(model: TinyWhisper, batch: Batch, timestamp_begin: int) -> dict[str, Tensor]:
    """The parts of the loss, each a mean over what it applies to."""
    features = torch.from_numpy(batch.features).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        memory = model.encode(features, torch.from_numpy(batch.offsets))
        logits, attentions = model.decode(torch.from_numpy(batch.tokens), memory)
        frame_words, ordinals = model.frame_words(memory), model.frame_ordinals(memory)
    targets = torch.from_numpy(batch.targets)
    words, times = _token_losses(logits.float(), targets, timestamp_begin)
    frame_targets, spans = torch.from_numpy(batch.frame_words), torch.from_numpy(batch.spans)
    return {
        "words": words,
        "times": times,
        "frames": F.cross_entropy(frame_words.float().flatten(0, 1), frame_targets.flatten()),
        "ordinals": _ordinal_loss(ordinals.float(), torch.from_numpy(batch.ordinals)),
        "attention": _attention_loss(attentions, spans),
        "cover": _cover_loss(attentions[-1][:, WORD_TIME_HEAD], spans, torch.from_numpy(batch.pauses)),
    }


def _token_losses(logits: Tensor, targets: Tensor, timestamp_begin: int) -> tuple[Tensor, Tensor]:
    """Cross-entropy; a timestamp's neighbours share its target, in the form of a bell."""
    logs = F.log_softmax(logits, dim=-1)
    known = targets >= 0
    timed = targets >= timestamp_begin
    plain = known & ~timed
    words = -logs[plain].gather(1, targets[plain][:, None]).mean()
    if not bool(timed.any()):
        return words, words.new_zeros(())
    steps = torch.arange(-4, 5)
    bell = torch.exp(-((steps / 1.5) ** 2) / 2)
    places = (targets[timed][:, None] + steps).clamp(timestamp_begin, logits.shape[-1] - 1)
    times = -(logs[timed].gather(1, places) * (bell / bell.sum())).sum(dim=1).mean()
    return words, times


def _ordinal_loss(waves: Tensor, ordinals: Tensor) -> Tensor:
    inside = ordinals >= 0
    if not bool(inside.any()):
        return waves.sum() * 0
    angles = ordinals[inside][:, None] * (2 * math.pi / torch.tensor(ORDINAL_PERIODS))
    return F.mse_loss(waves[inside], torch.cat([angles.sin(), angles.cos()], dim=1))


def _attention_loss(attentions: list[Tensor], spans: Tensor) -> Tensor:
    """How much of the first heads' attention misses the frames of the word that comes next."""
    frames = torch.arange(attentions[0].shape[-1])
    inside = (frames >= spans[..., :1]) & (frames < spans[..., 1:])  # (B, L, T)
    some = inside.any(dim=-1)
    if not bool(some.any()):
        return attentions[0].sum() * 0
    total = attentions[0].new_zeros((), dtype=torch.float32)
    for weights in attentions:
        mass = (weights[:, :GUIDED_HEADS].float() * inside[:, None]).sum(dim=-1)
        total = total - torch.log(mass.clamp(min=1e-5)).transpose(1, 2)[some].mean()
    return total / len(attentions)


def _cover_loss(weights: Tensor, spans: Tensor, pauses: Tensor) -> Tensor:
    """How far the head for word times is from even attention to the word and a little to the pause after it.

    Alignment puts a word's start where the attention passes to it, so no frame may be left to chance.
    """
    frames = torch.arange(weights.shape[-1])
    words = pauses > 0
    if not bool(words.any()):
        return weights.sum() * 0
    start, stop, rest = (edge[words][:, None] for edge in (spans[..., 0] + GUARD - 1, spans[..., 1] - GUARD, pauses))
    wanted = ((frames >= start) & (frames < stop)) + 0.15 * ((frames >= stop) & (frames < rest))
    wanted = wanted / wanted.sum(dim=1, keepdim=True).clamp(min=1e-6)
    logs = torch.log(weights.float()[words].clamp(min=1e-6))
    return (torch.xlogy(wanted, wanted) - wanted * logs).sum(dim=1).mean()


def total(parts: dict[str, Tensor], progress: float) -> Tensor:
    help_ = max(0.35, 1.0 - 1.4 * progress)
    times = 0.35 if progress < 0.1 else 0.5
    aid = parts["frames"] + 0.5 * parts["ordinals"] + 0.3 * parts["attention"]
    return parts["words"] + times * parts["times"] + help_ * aid + 0.1 * parts["cover"]


def make_optimisers(model: TinyWhisper, rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the layers' matrices, Adam for everything else."""
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and ("coder." in n)]
    chosen = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in chosen]
    muon = torch.optim.Muon(matrices, lr=rate, weight_decay=0.02, momentum=0.95, adjust_lr_fn="match_rms_adamw")
    return [muon, torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.98), weight_decay=0.01)]


def rate_at(step: int, progress: float, plan: Plan) -> float:
    """A share of the full rate: warm-up, level, then a cosine over the last two thirds."""
    warm = min(1.0, (step + 1) / plan.warm_up_steps)
    fall = max(0.0, progress - 0.33) / 0.67
    return warm * (0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * min(1.0, fall))))


@torch.no_grad()
def greedy(model: TinyWhisper, features: Tensor, vocabulary: Vocabulary, most: int = 80) -> list[list[int]]:
    """Tokens with timestamps, one list for each window; the rules of pairs are left to the model."""
    memory = model.encode(features)
    end = vocabulary.special("endoftext")
    tokens = torch.full((len(features), 1), vocabulary.special("startoftranscript"))
    for step in range(most):
        logits = model.decode(tokens, memory)[0][:, -1]
        logits[:, vocabulary.special("nospeech")] = -math.inf
        if step == 0:
            logits[:, : vocabulary.timestamp_begin] = -math.inf
        best = logits.argmax(dim=-1)
        best[tokens[:, -1] == end] = end
        tokens = torch.cat([tokens, best[:, None]], dim=1)
        if bool((best == end).all()):
            break
    return [[t for t in row[1:] if t != end] for row in tokens.tolist()]


def evaluate(model: TinyWhisper, tests: list[Heard], vocabulary: Vocabulary) -> dict[str, float]:
    """Word error rate in full windows, and the median error of timestamps where segments agree in number."""
    errors = words = 0
    misses: list[float] = []
    for start in range(0, len(tests), 8):
        group = tests[start : start + 8]
        features = torch.from_numpy(np.stack([features_of(t.samples) for t in group]))
        for tokens, test in zip(greedy(model, features, vocabulary), group, strict=True):
            errors += word_errors(vocabulary.text(tokens).split(), test.words)
            words += len(test.words)
            told = [(t - vocabulary.timestamp_begin) * 0.02 for t in tokens if t >= vocabulary.timestamp_begin]
            truth = [time for pair in test.times for time in pair]
            if len(told) == len(truth):
                misses += [abs(a - b) for a, b in zip(told, truth, strict=True)]
    return {"wer": errors / words, "time_error_s": float(np.median(misses)) if misses else math.nan}


class Trainer:
    def __init__(self, folder: Path, bank_path: Path, plan: Plan) -> None:
        torch.manual_seed(plan.seed)
        torch.set_num_threads(1)
        self.folder, self.plan = folder, plan
        self.vocabulary = Vocabulary()
        self.model = TinyWhisper(Size(self.vocabulary.timestamp_begin))
        self.average = copy.deepcopy(self.model).eval()
        self.optimisers = make_optimisers(self.model, plan.rate)
        self.step, self.spent_s = 0, 0.0
        if self.checkpoint.exists():
            self._load()
        self.feed = Feed(bank_path, plan.seed + 1000 * self.step)
        self.tests = held_out(48, 77)

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint.pt"

    def run(self) -> None:
        """Train until the plan's minutes are spent, those of an interrupted run included."""
        sums: dict[str, float] = {}
        before = last_told = last_tested = time.monotonic()
        while self.spent_s < self.plan.minutes * 60:
            progress = self.spent_s / (self.plan.minutes * 60)
            for name, value in self._step(self.feed.next(progress), progress).items():
                sums[name] = sums.get(name, 0.0) + value
            sums["n"] = sums.get("n", 0) + 1
            now = time.monotonic()
            self.spent_s, before = self.spent_s + now - before, now
            if now - last_told > 60:
                self._tell({name: round(value / sums["n"], 4) for name, value in sums.items() if name != "n"})
                sums, last_told = {}, now
            if now - last_tested > self.plan.evaluate_every_s:
                self._test()
                last_tested = time.monotonic()
        self._test()
        self.feed.close()

    def _step(self, batch: Batch, progress: float) -> dict[str, float]:
        share = rate_at(self.step, progress, self.plan)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = self.plan.rate * share
            optimiser.zero_grad(set_to_none=True)
        parts = losses(self.model, batch, self.vocabulary.timestamp_begin)
        total(parts, progress).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
        self.step += 1
        keep = min(0.999, (1 + self.step) / (20 + self.step))
        with torch.no_grad():
            for mean, value in zip(self.average.parameters(), self.model.parameters(), strict=True):
                mean.lerp_(value, 1 - keep)
        return {name: float(value.detach()) for name, value in parts.items()}

    def _test(self) -> None:
        self._save()
        figures = evaluate(self.average, self.tests, self.vocabulary)
        self._tell({name: round(value, 4) for name, value in figures.items()})

    def _tell(self, values: dict[str, float]) -> None:
        path = self.folder / "training.csv"
        fresh = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.writer(file)
            if fresh:
                writer.writerow(["minute", "step", "name", "value"])
            writer.writerows([round(self.spent_s / 60, 1), self.step, name, value] for name, value in values.items())

    def _save(self) -> None:
        state = {
            "size": asdict(self.model.size),
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "step": self.step,
            "spent_s": self.spent_s,
        }
        part = self.checkpoint.with_suffix(".part")
        torch.save(state, part)
        part.rename(self.checkpoint)

    def _load(self) -> None:
        state = torch.load(self.checkpoint)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.step, self.spent_s = state["step"], state["spent_s"]


def load_average(checkpoint: Path) -> TinyWhisper:
    """The averaged weights, ready to listen."""
    state = torch.load(checkpoint)
    model = TinyWhisper(Size(**state["size"]))
    model.load_state_dict(state["average"])
    return model.eval()
