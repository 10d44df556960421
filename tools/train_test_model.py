"""Make the test model: synthesise a bank of speech, train on it, export for CTranslate2.

    pip install torch==2.13.0 ctranslate2 tokenizers espeakng-loader soxr soundfile scipy
    PYTHONPATH=src python tools/train_test_model.py --out DIR --minutes 90

in an environment of its own. Everything is kept in DIR, the model in DIR/whisper-test; the same command goes on
after an interruption.
"""

import argparse
from pathlib import Path

from test_model.export import export
from test_model.report import report
from test_model.speech import make_bank, save_bank
from test_model.train import Plan, Trainer, load_average
from test_model.words import Vocabulary

BANK_CLIPS = 40_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True, help="folder for the bank, checkpoints, log and model")
    parser.add_argument("--minutes", type=float, default=90.0, help="training time, by the clock of one core")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--export-only", action="store_true", help="export the last checkpoint and do no training")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if not options.export_only:
        train(options.out, Plan(options.minutes, options.seed))
    model = options.out / "whisper-test"
    export(load_average(options.out / "checkpoint.pt"), Vocabulary(), model)
    (model / "training.log").write_text(report(options.out / "training.csv"), encoding="utf-8")


def train(folder: Path, plan: Plan) -> None:
    bank = folder / "bank.npz"
    if not bank.exists():
        save_bank(bank, list(make_bank(BANK_CLIPS, plan.seed * 1000, held_out=False)))
    Trainer(folder, bank, plan).run()


if __name__ == "__main__":
    main()
