"""The bench of faces: real runs on a thin network, and results written, read and drawn."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avatar_packs import write_neural
from talkie.bench import face, face_drawn, face_pack, face_results
from talkie.bench.face_goals import goals
from talkie.bench.face_network_bench import OURS, PLAIN
from talkie.bench.face_report import face_tables
from talkie.bench.face_results import FaceLiveRun, FaceRun, Pair, by_clock, times
from talkie.bench.html_report import html
from talkie.bench.merge import merge, read_part
from talkie.bench.results import Result, parse_result
from talkie.cli.bench_face_run import tell
from talkie.cli.main import run as command
from talkie.engines import registry
from talkie.errors import InvalidValue
from talkie.models.avatar_pack import read_pack
from talkie.runtime.config import ServiceConfig
from talkie.runtime.service import Service

SECONDS, FRAMES = 0.84, 21
LIVE = FaceLiveRun("auto", (0.1, 0.2), (0.3, 0.1), (0.0, 0.02), (0.01, 0.01))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = Service(ServiceConfig(home=tmp_path_factory.mktemp("home")))
    yield service
    service.close()


@pytest.fixture(scope="module")
def measured(service: Service, tmp_path_factory: pytest.TempPathFactory) -> face_results.FaceNetworkRun:
    place = tmp_path_factory.mktemp("face")
    pack = read_pack(write_neural(place / "anna"), "anna")
    recording = face_pack.recording(service, place / "spoken.wav", SECONDS)
    task = face.FaceTask(
        pack, recording, registry.load("silero")(), place / "film.mp4", "onnxruntime", 1, (1, 2, 4), 0.01, films=1
    )
    return face.measure(task)


def test_a_network_is_measured(measured: face_results.FaceNetworkRun) -> None:
    assert [(one.contender, one.batch) for one in measured.cases] == [(OURS, 1), (PLAIN, 1), (OURS, 2), (OURS, 4)]
    assert [one.times.count for one in measured.cases[:2]] == [FRAMES, FRAMES]
    assert len(measured.psnr_db) == FRAMES
    assert min(measured.psnr_db) > 60  # the same library, in the same arithmetic
    assert sum(one.wall_s for one in measured.pairs) == pytest.approx(
        FRAMES * measured.cases[1].times.mean_ms / 1000, rel=1e-6
    )
    assert (measured.device, measured.backend) == ("cpu", "onnxruntime")
    assert 0 < measured.bare_mb < measured.peak_mb


def test_a_whole_film_is_measured(measured: face_results.FaceNetworkRun) -> None:
    whole = measured.whole
    assert len(whole.pairs) == len(whole.computed) == len(whole.first_s) == 1
    assert 0 < whole.computed[0] <= FRAMES + 3  # a shut mouth of each source frame may be among them
    assert whole.times.count == FRAMES - 1  # the first is told by itself
    assert 0 < whole.first_s[0] < whole.pairs[0].wall_s
    assert whole.bytes_a_frame > 10


def test_pictures_that_differ_are_told(service: Service, tmp_path: Path) -> None:
    """Were the two networks not the same, the run would say so."""
    from talkie.bench.face_network_bench import Inputs, in_turns
    from talkie.engines.lipsync.onnx import OnnxFace
    from talkie.pipeline.face_neural import open_neural
    from talkie.runtime.face_lane import FaceLane

    pack = read_pack(write_neural(tmp_path / "anna"), "anna")
    model = OnnxFace(pack.directory, face=pack.face, encoder=pack.encoder, backend="onnxruntime", threads=1)
    lane = FaceLane(model)
    try:
        seen = open_neural(pack, lane.open(), registry.load("silero")())
        inputs = Inputs(seen, model, np.zeros(8000, np.float32), 2)
        board = in_turns(model, lambda visual, audio: model.infer(visual, audio) + np.float32(0.1), inputs, print)
    finally:
        lane.close()
    assert board.psnr_db == pytest.approx([20.0, 20.0], abs=0.01)


def test_the_drawn_face_is_measured(service: Service, tmp_path: Path) -> None:
    found = face_drawn.measure(service, tmp_path / "film.mp4", frames=6, size=64)
    assert found.times.count == 6
    assert found.whole.count >= 6
    assert 0 < found.times.mean_ms < 1000
    assert (tmp_path / "film.mp4").stat().st_size > 500


def test_results_survive_being_written(measured: face_results.FaceNetworkRun, tmp_path: Path) -> None:
    drawn = face_results.DrawnRun(512, 512, times([0.01, 0.02], 0.02), times([0.02] * 3, 0.03))
    run = FaceRun(measured, drawn, LIVE, {"x": "y"}, {"network": 0.5})
    tell(run, tmp_path / "run.json", tmp_path / "run.html")
    part = read_part(tmp_path / "run.json")
    assert part.faces == (run,)
    assert parse_result(json.loads(json.dumps(part.as_json()))).faces == (run,)
    assert merge([part]).faces == (run,)
    with pytest.raises(InvalidValue, match="measured the same"):
        merge([part, part])
    page = (tmp_path / "run.html").read_text()
    assert "faces a second by the size of a call" in page
    assert face_tables([run])[0].title.startswith("Faces: a network")
    assert "WhisperS2T" not in page  # the goals of hearing are another run's


def test_goals_are_met_or_missed_or_not_measured(measured: face_results.FaceNetworkRun) -> None:
    def words(run: FaceRun) -> list[bool | None]:
        return [one.met for one in goals(run)]

    assert words(FaceRun()) == [None] * 7
    fast = replace(measured, pairs=(Pair(1.4, 1, 1, 1),), psnr_db=(41.0,))
    fast = replace(fast, whole=replace(fast.whole, pairs=(Pair(1.04, 1, 1, 1),)))
    slow = replace(fast, pairs=(Pair(1.2, 1, 1, 1),), psnr_db=(41.0, 39.0))
    slow = replace(slow, whole=replace(slow.whole, pairs=(Pair(1.06, 1, 1, 1),)))
    assert words(FaceRun(fast))[:4] == [True, True, True, None]
    assert words(FaceRun(slow))[:4] == [False, False, False, None]
    gpu = [face_results.NetworkCase(OURS, batch, times([s])) for batch, s in ((1, 0.0019), (16, 0.0014))]
    assert words(FaceRun(replace(fast, device="cuda", cases=tuple(gpu))))[3] is True
    assert words(FaceRun(replace(fast, device="cuda", cases=(gpu[0],))))[3] is False
    assert words(FaceRun(live=LIVE))[5:] == [True, True]
    assert words(FaceRun(live=replace(LIVE, failed=1)))[5:] == [False, False]
    assert words(FaceRun(live=replace(LIVE, last_stale_s=(0.3, 0.3))))[5:] == [True, False]


def test_ratios_are_of_pairs() -> None:
    ratio = by_clock([Pair(2, 1, 1, 1), Pair(30, 1, 10, 1), Pair(4, 1, 1, 1)])
    assert ratio is not None
    assert ratio.median == pytest.approx(3)


def test_an_unknown_part_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TALKIE_HOME", str(tmp_path))
    with pytest.raises(SystemExit) as ended:
        command(["bench", "face", "--parts", "network,smile"])
    assert ended.value.code == 2
    assert "no part 'smile'" in capsys.readouterr().err


def test_a_report_without_faces_says_nothing_of_them() -> None:
    assert "Faces" not in html(Result({}, {}))
