"""`talkie bench`: what goes to stdout ends in one JSON line; errors name what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import soundfile

from speech import say
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


def test_help_names_the_benches(capsys: pytest.CaptureFixture[str]) -> None:
    assert end("bench", "--help") == 0
    out = capsys.readouterr().out
    assert all(name in out for name in ("wer", "start", "memory", "all"))


def test_a_manifest_that_is_not_there_is_a_usage_error(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert end("bench", "wer", "--speech", home / "nowhere.csv") == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "manifest cannot be read" in captured.err


def test_recordings_in_other_languages_only_are_said_to_be_left_out(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "manifest.csv").write_text("path,text,language,kind,seconds\na.wav,Guten Tag,de,read,1\n")
    assert end("bench", "wer", "--manifest", home) == 2
    err = capsys.readouterr().err
    assert "1 recordings are in languages that sphinx-en does not know" in err
    assert "hint:" in err


@pytest.mark.slow
def test_the_built_in_engine_is_measured_through_the_service(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    soundfile.write(home / "a.wav", say("one two three four five", voice="en-us+klatt4"), 16_000)
    rows = "path,text,language,kind,seconds\na.wav,one two three four five,en,read,2\na.wav,x,en,digit,2\n"
    (home / "manifest.csv").write_text(rows)
    assert end("bench", "wer", "--speech", home, "--predictions", home / "heard.jsonl") == 0
    out = capsys.readouterr().out
    result = json.loads(out.splitlines()[-1])
    assert (result["bench"], result["model"], result["recordings"], result["words"]) == ("wer", "sphinx-en", 1, 5)
    assert 0 <= result["wer"] <= 1.5
    assert result["processor_s"] > 0
    assert result["machine"]["cores"] >= 1
    [line] = [json.loads(line) for line in (home / "heard.jsonl").read_text().splitlines()]
    assert line["text"] == "one two three four five"
    assert "set" in out and "WER" in out
