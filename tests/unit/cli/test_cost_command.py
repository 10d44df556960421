"""`talkie cost` as a person and a program have it."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from talkie.bench.cost_inputs import inputs, option
from talkie.bench.cost_presets import presets
from talkie.cli import main


def run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int | None = 0) -> Any:
    with pytest.raises(SystemExit) as ended:
        main.run(["cost", *arguments])
    assert (ended.value.code or 0) == code
    return capsys.readouterr()


def test_every_input_is_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    shown = run(capsys, "--help").out
    for one in inputs():
        assert f"  {option(one.name)} <float>" in shown


def test_the_published_example_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    shown = run(capsys, "--as-published").out
    rows = [line.split() for line in shown.splitlines()]
    baked = next(row for row in rows if row[:1] == ["baked"])
    volume = next(row for row in rows if row[:1] == ["volume"])
    assert " ".join(baked[5:9]) == "1.76 $ 147 min"
    assert " ".join(volume[5:9]) == "5.06 $ 37 min"
    assert not [row for row in rows if row[:1] == ["artifact"]]
    assert "as published" in shown
    assert "cheapest: baked; quickest: volume" in shown


def test_json_and_what_is_typed_wins_over_a_preset(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(run(capsys, "--preset", "runpod-h100", "--gpu-usd", "0.78", "--json").out)
    assert (found["plan"]["gpu_usd"], found["plan"]["volume_usd"]) == (0.78, 0.07)
    assert found["ways"]["volume"]["month_usd"] == pytest.approx(10 * (3 * 0.02 + 2 / 60 * 0.78) + 25 * 0.07)
    assert found["decides"]["term"] == "storage"
    assert "2026-10" in found["prices"]
    cheap = json.loads(run(capsys, "--preset", "own", "--json").out)
    assert (cheap["break_even_restarts"], cheap["decides"]) == (None, None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "from 21 starts a month"),
        (["--preset", "runpod-h100"], "from 2.4 starts a month"),
        (["--volume-usd", "0"], "cheaper from the first start"),
        (["--preset", "own"], "nothing costs anything here but your time"),
        (["--baked-minutes", "1", "--pull-usd", "0"], "never becomes cheaper"),
    ],
)
def test_the_sentences(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    assert said in run(capsys, *arguments).out


def test_presets_are_listed_with_their_date(capsys: pytest.CaptureFixture[str]) -> None:
    shown = run(capsys, "--presets").out
    for one in presets().values():
        assert f"{one.name} " in shown
        assert one.title in shown
    assert [row["name"] for row in json.loads(run(capsys, "--presets", "--json").out)] == list(presets())


@pytest.mark.parametrize("arguments", [[], ["--preset", "own"], ["--restarts", "0", "--gpu-usd", "1e6"]])
def test_a_chart_stands_alone(capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str]) -> None:
    file = tmp_path / "cost.svg"
    shown = run(capsys, *arguments, "--chart", str(file))
    assert str(file) in shown.err
    drawn = ElementTree.fromstring(file.read_text(encoding="utf-8"))
    assert drawn.tag == "{http://www.w3.org/2000/svg}svg"
    assert (
        len([path for path in drawn.iter("{http://www.w3.org/2000/svg}path") if path.get("class", "")[:4] == "line"])
        == 3
    )
    assert "starts a month" in "".join(drawn.itertext())
    assert "nan" not in file.read_text(encoding="utf-8").lower()


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--preset", "moon"], "vast-4090"),
        (["--misses", "2"], "hint:"),
        (["--volume-gb", "1"], "--weights-gb"),
        (["--restarts", "nan"], "hint:"),
    ],
)
def test_what_is_wrong_is_said_with_a_hint(capsys: pytest.CaptureFixture[str], arguments: list[str], hint: str) -> None:
    captured = run(capsys, *arguments, code=2)
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert hint in captured.err.splitlines()[-1]
