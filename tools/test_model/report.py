"""A training log that people can read, made of the CSV file that training writes."""

import csv
from pathlib import Path

_COLUMNS = ("words", "times", "frames", "ordinals", "attention", "cover", "wer", "time_error_s")


def report(path: Path, every_minutes: float = 5.0) -> str:
    """One line for about every `every_minutes`, with the last values seen by then."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    lines = ["minute   step" + "".join(f"{name:>13}" for name in _COLUMNS)]
    latest: dict[str, str] = {}
    due = every_minutes
    for index, row in enumerate(rows):
        latest[row["name"]] = row["value"]
        last = index == len(rows) - 1
        ends_group = last or rows[index + 1]["minute"] != row["minute"]
        if last or (ends_group and float(row["minute"]) >= due):
            cells = "".join(f"{latest.get(name, ''):>13}" for name in _COLUMNS)
            lines.append(f"{row['minute']:>6} {row['step']:>6}{cells}")
            due += every_minutes
    return "\n".join(lines) + "\n"
