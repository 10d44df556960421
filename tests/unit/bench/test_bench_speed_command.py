"""`talkie bench speed`, `concurrency`, `compare` and `report`: from words on the command line to files and codes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import bench_runs
from talkie.bench.models import Wish, make_models
from talkie.bench.results import read_result, write_result
from talkie.cli.main import run


def end(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        run([str(argument) for argument in arguments])
    code = ended.value.code
    return code if isinstance(code, int) else 0


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TALKIE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def runs(home: Path) -> Path:
    write_result(home / "old.json", bench_runs.run())
    write_result(home / "new.json", bench_runs.run({**bench_runs.RATES, "talkie": 80.0}, seed=1))
    return home


def test_help_names_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert end("bench", "--help") == 0
    out = capsys.readouterr().out
    assert all(name in out for name in ("speed", "concurrency", "upload", "compare", "report"))


def test_compare_ends_with_1_for_a_regression(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert end("bench", "compare", "old.json", "new.json") == 1
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (found["bench"], found["failed"]) == ("compare", True)
    assert end("bench", "compare", "old.json", "old.json") == 0
    assert end("bench", "compare", "new.json", "old.json") == 0


def test_a_baseline_is_written_and_compared_with(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert end("bench", "compare", "baseline.json", "old.json", "--update-baseline") == 0
    assert end("bench", "compare", "baseline.json", "new.json") == 1
    assert "worse" in capsys.readouterr().out


def test_compare_wants_results(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert end("bench", "compare", "old.json", "new.json") == 2
    assert "cannot be read" in capsys.readouterr().err


def test_a_report_is_drawn_from_several_runs(home: Path) -> None:
    whole = bench_runs.run()
    write_result(home / "files.json", replace(whole, crowds=()))
    write_result(home / "crowds.json", replace(whole, cases=()))
    assert end("bench", "report", "files.json", "crowds.json", "--html", "out.html", "--markdown", "out.md") == 0
    assert "10 clients" in (home / "out.html").read_text()
    assert "# Benchmarks" in (home / "out.md").read_text()


def test_a_report_must_go_somewhere(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert end("bench", "report", "old.json") == 2
    assert "--html" in capsys.readouterr().err


def test_a_model_that_is_not_there_is_named_with_what_makes_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert end("bench", "speed", "--models", "tiny", "--peers", "talkie") == 4
    assert "talkie bench models" in capsys.readouterr().err


@pytest.mark.parametrize("clients", ["", "0", "many", "1,1000"])
def test_clients_are_numbers(clients: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert end("bench", "concurrency", "--clients", clients) == 2
    assert "--clients" in capsys.readouterr().err


@pytest.mark.slow
def test_talkie_is_measured_on_a_model_of_known_text(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_models(Wish(home / "made", sizes=("micro",)))
    which = ("--models", "micro", "--models-dir", home / "made", "--peers", "talkie", "--rounds", 1)
    files = ("--file", "5s", "--output", "run.json", "--html", "run.html", "--predictions", "heard.jsonl")
    assert end("bench", "speed", *which, *files) == 0
    [case] = read_result(home / "run.json").cases
    assert (case.contender, case.model, case.workload, case.error) == ("talkie", "micro", "5s-en-16k", "")
    assert case.text_ok
    assert case.samples[0].cpu_s > 0
    assert case.samples[0].peak_bytes > 0
    captured = capsys.readouterr()
    assert captured.out.lstrip().startswith("Speed only: ")
    assert json.loads(captured.out.splitlines()[-1])["cases"][0]["model"] == "micro"
    assert "no predictions are written" in captured.err
    assert end("bench", "concurrency", *which, "--clients", "2", "--each", 1, "--output", "crowd.json") == 0
    [crowd] = read_result(home / "crowd.json").crowds
    assert (crowd.clients, len(crowd.rounds[0].latencies_s), crowd.error) == (2, 2, "")
