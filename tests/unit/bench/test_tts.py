"""The speech bench: a real run of the built-in voice and engine, and its results written, read and drawn."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from talkie.bench import tts, tts_results
from talkie.bench.html_report import html
from talkie.bench.merge import read_part
from talkie.bench.results import Result
from talkie.bench.tts_report import tts_tables
from talkie.cli.main import run as command
from talkie.runtime.config import ServiceConfig
from talkie.runtime.service import Service

CASE = tts_results.TtsCase("talkie", "word", "en", 4, (0.01, 0.03), 2.0, 0.5, 0.25, 0.5)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TALKIE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_voice_is_measured(tmp_path: Path) -> None:
    service = Service(ServiceConfig(home=tmp_path))
    task = tts.TtsTask(languages=("de",), times=2, clients=(1, 2), each=1)
    try:
        found = tts.measure(service, task)
    finally:
        service.close()
    assert [one.text for one in found.cases] == ["word", "sentence", "page"]
    assert [len(one.first_audible_s) for one in found.cases] == [2, 2, 2]
    word, sentence, page = found.cases
    assert 0.2 < word.audio_s / 2 < 2 < sentence.audio_s / 2 < 15 < page.audio_s / 2
    assert all(one.wall_s > 0 and one.cpu_s >= 0 and one.wer is None for one in found.cases)
    assert [(one.clients, len(one.first_audible_s)) for one in found.crowds] == [(1, 1), (2, 2)]
    assert found.engine == "espeak"
    assert found.resident_mb > 20


def test_what_is_said_is_heard_again(tmp_path: Path) -> None:
    service = Service(ServiceConfig(home=tmp_path))
    task = tts.TtsTask(languages=("en",), voice="en-us+klatt4", times=1, clients=(), page_sentences=2)
    try:
        found = tts.measure(service, task)
    finally:
        service.close()
    assert all(one.wer is not None and one.wer < 0.6 for one in found.cases), found.cases


def test_first_audible_waits_for_what_can_be_heard(tmp_path: Path) -> None:
    """Silence at the front counts, however early it came."""
    service = Service(ServiceConfig(home=tmp_path))
    task = tts.TtsTask(languages=())
    try:
        plain = tts._speak(service, tts._request(task, "Yes.", "en"))
        late = tts._speak(service, tts._request(task, '<speak><break time="2s"/>Yes.</speak>', "en"))
    finally:
        service.close()
    assert plain.first_audible_s < 2 <= late.first_audible_s


def test_the_command_writes_what_a_report_reads(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        arguments = ["--languages", "de", "--times", "1", "--clients", "1", "-o", "run.json", "--html", "run.html"]
        command(["bench", "tts", *arguments])
    assert not ended.value.code
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["runs"][0]["cases"][0]["wer"] is None  # nobody here hears German
    part = read_part(home / "run.json")
    assert part.speech[0].cases[0].text == "word"
    assert "first audible sample" in (home / "run.html").read_text()


def test_results_survive_being_written() -> None:
    crowd = tts_results.TtsCrowd("talkie", 4, (0.1,), 3.0, 1.0, 0.5)
    found = tts_results.TtsRun("x", "espeak", "auto", 0.5, 90.0, (CASE,), (crowd,), {"piper": "no weights"})
    again = tts_results.parse_run(json.loads(json.dumps(found.as_json())))
    assert again == found
    texts, crowds = tts_tables([again])
    assert texts.rows == (("word", "en", "4", "20 / 29", "4", "8", "50 %"),)
    assert crowds.rows == (("4", "100 / 100", "3", "6"),)
    assert "piper: not measured, no weights." in texts.note
    assert "espeak, x" in html(Result({}, {}, speech=(again,)))
    with pytest.raises(KeyError):
        tts_results.parse_run({"voice": "x"})
