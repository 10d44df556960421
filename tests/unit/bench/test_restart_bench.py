"""The restart bench: the line, the hub and the model it pulls, and what is read from a recorded run."""

from __future__ import annotations

import hashlib
import io
import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from deploy_runs import RESTARTS
from talkie.bench import restart_report as report
from talkie.bench.report import json_line
from talkie.bench.restart_hub import hub, repository
from talkie.bench.restart_model import make_model
from talkie.bench.restart_rate import Line
from talkie.bench.restart_results import BAKED, VOLUME, parse_result, read_result
from talkie.cli.main import run as talkie
from talkie.errors import InvalidValue
from talkie.models.layout import inspect
from talkie.models.store import ModelStore


class Clock:
    """Time that passes by waiting."""

    def __init__(self) -> None:
        self.now, self.waits = 100.0, 0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits += 1
        self.now += seconds


def test_a_line_is_as_slow_as_it_says() -> None:
    clock, target = Clock(), io.BytesIO()
    line = Line(1_000_000, clock, clock.wait)
    line.copy(io.BytesIO(bytes(3_000_000)), target)
    assert clock.now == pytest.approx(103.0)
    line.copy(io.BytesIO(bytes(500_000)), target, 250_000)
    assert (clock.now, line.sent, target.tell()) == (pytest.approx(103.25), 3_250_000, 3_250_000)


def test_a_line_without_a_limit_never_waits() -> None:
    clock = Clock()
    Line(0, clock, clock.wait).copy(io.BytesIO(bytes(9_000_000)), io.BytesIO())
    assert (clock.now, clock.waits) == (100.0, 0)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("restart") / "model", 3_000_000)


def test_a_model_of_random_bytes_has_its_size_and_is_sound(model: Path) -> None:
    assert (model / "model.bin").stat().st_size == 3_000_000
    assert inspect(model).engine == "whisper"


def test_the_store_pulls_it_from_the_hub_and_finds_it_whole(model: Path, tmp_path: Path) -> None:
    line = Line(0)
    with hub(repository("bench/weights", model), line) as endpoint:
        store = ModelStore(tmp_path, endpoint=endpoint, offline=False)
        pulled = store.pull("hf:bench/weights")
    assert line.sent >= 3_000_000
    kept = hashlib.sha256((pulled.path / "model.bin").read_bytes()).digest()
    assert kept == hashlib.sha256((model / "model.bin").read_bytes()).digest()


def test_a_run_that_was_written_is_the_same_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(json_line("restart", RESTARTS.as_json()))
    assert read_result(path) == RESTARTS


@pytest.mark.parametrize("changed", [{"schema": 9}, {"ways": [{"way": "baked"}]}, {"ways": None}])
def test_what_is_no_result_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(InvalidValue):
        parse_result({**json.loads(json_line("restart", RESTARTS.as_json())), **changed})


def test_what_a_launch_is_made_of() -> None:
    baked, volume = RESTARTS.way(BAKED, 500), RESTARTS.way(VOLUME, 500)
    assert baked is not None and volume is not None
    assert (baked.first_launch_s, volume.first_launch_s) == (6.0, 8.5)
    assert (baked.moved_s, volume.moved_s, report.restart_s(volume)) == (6.0, 3.5, 1.5)
    assert RESTARTS.sizes == [500]


def test_the_report_says_what_a_volume_saves() -> None:
    gains = {table.title: table.rows for table in report.tables(RESTARTS)}["What a volume saves"]
    assert gains == (("500 MB", "-2.5", "+0.00", "+2.5", "+250"),)
    text, page = report.markdown(RESTARTS), report.html(RESTARTS)
    for said in ("3000 MB: not measured, it needs 17 GB of disk", "100 MB/s", "500 MB, weights in the image"):
        assert said in text and said in page
    for _, _, picture in report.pictures(RESTARTS):
        ET.fromstring(picture)
    assert "<i>" not in report.html(replace(RESTARTS, image="<i>"))


def test_sizes_are_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    for sizes in ("large", "0", "5000", ""):
        with pytest.raises(SystemExit) as ended:
            talkie(["bench", "restart", "--sizes", sizes])
        assert ended.value.code == 2
        assert "--sizes takes numbers from 1 to 4000" in capsys.readouterr().err


def test_it_takes_an_image(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SystemExit) as ended:
        talkie(["bench", "restart", "--sizes", "75"])
    assert ended.value.code == 2
    assert "It takes Podman and an image: there is no program podman." in capsys.readouterr().err


def test_a_recorded_run_is_shown_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, page = tmp_path / "run.json", tmp_path / "page.md"
    path.write_text(json_line("restart", RESTARTS.as_json()))
    with pytest.raises(SystemExit) as ended:
        talkie(["bench", "restart", "--from", str(path), "--markdown", str(page)])
    assert ended.value.code in (0, None)
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["ways"][0]["model_mb"] == 500
    assert page.read_text().startswith(report.GENERATED)
