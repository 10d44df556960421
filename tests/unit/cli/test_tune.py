from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from audio_files import tone, wav
from talkie.cli import main, tune_context, tune_speech
from talkie.cli.tune_table import as_table, verdict
from talkie.errors import InvalidValue, SettingsError
from talkie.runtime import tuning_run
from talkie.runtime.tuning import Candidate, Measured
from talkie.runtime.tuning_child import Job
from talkie.runtime.tuning_run import Contexts, Tuning
from talkie.settings import load_settings
from whisper_models import TRAINED

INT8, FLOAT = Candidate("openvino", "int8_float32", 2), Candidate("ctranslate2", "float32", 2)
TEXT = "one two three four five six seven eight nine ten " * 12


def measured(candidate: Candidate = INT8, processor_s: float = 1.0, errors: int = 4, words: int = 1000) -> Measured:
    return Measured(candidate, 60.0, processor_s, 0.5, 10**8, errors, words, 8)


def told(text: str) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(text.strip().splitlines()[-1])
    return line


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main.run([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Two recordings of a user's, one of them in a language of which the model knows nothing."""
    directory = tmp_path / "speech"
    directory.mkdir()
    for name in ("a", "b"):
        (directory / f"{name}.wav").write_bytes(wav(tone(2.0)))
    rows = [f"a.wav,{TEXT.strip()},en,read,2.0", "b.wav,hej,sv,read,2.0"]
    (directory / "manifest.csv").write_text("\n".join(["path,text,language,kind,seconds", *rows]), encoding="utf-8")
    return directory


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Processes that are made up; how many words each kind of numbers gets wrong."""
    wrong = {"int8_float32": 0, "float32": 0, "fit": 0}

    def answer(job: Job) -> dict[str, Any]:
        count = wrong["fit"] if job.context == "fit" else wrong[job.choices["compute_type"]]
        words = ["lamp"] * count + TEXT.split()[count:]
        speed = 4.0 if job.choices["compute_type"] == "int8_float32" else 1.0
        figures = {"audio_s": 60.0, "processor_s": 60.0 / speed, "wall_s": 30.0, "peak_bytes": 10**8, "batch": 8}
        return {} if job.open_only else {"texts": [[" ".join(words)]], **figures}

    monkeypatch.setattr(tuning_run, "openvino_types", lambda options: ("int8_float32",))
    monkeypatch.setattr(tuning_run, "ctranslate2_types", lambda device: ("float32",))
    monkeypatch.setattr(tuning_run, "run_child", answer)
    return wrong


def test_the_command(heard: dict[str, int], manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / "home"
    assert run("tune", TRAINED, "--speech", manifest, "--threads", 2, "--context", "--yes", "--home", home) == 0
    said = capsys.readouterr()
    line = told(said.out)
    assert line["bench"] == "tune" and line["chosen"] == "openvino int8_float32, 2 x 1" and line["speech"] == "own"
    assert [one["backend"] for one in line["candidates"][:2]] == ["ctranslate2", "openvino"]
    assert "used from now on: openvino int8_float32" in said.out and "measuring" in said.err
    assert line["context"]["may_fit"] and Path(line["context"]["set_in"]) == home / "talkie.toml"
    assert load_settings({"home": home})[0].context == "fit"
    assert run("doctor", "--home", home) == 0  # the model is no model of the store, and so is not told of


def test_refused_and_not_set(
    heard: dict[str, int], manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heard |= {"int8_float32": 9, "fit": 30}
    assert run("tune", TRAINED, "--speech", manifest, "--context", "--yes", "--home", tmp_path) == 0
    said = capsys.readouterr()
    assert "refused: 7.5 points worse than float32" in said.out and "should not be set: words change" in said.out
    assert told(said.out)["chosen"].startswith("ctranslate2 float32")
    assert not (tmp_path / "talkie.toml").exists()


def test_models_that_there_is_nothing_to_choose_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("tune", "--home", tmp_path) == 2
    assert "nothing to tune" in capsys.readouterr().err
    assert run("tune", "whisper-nowhere", "--home", tmp_path) == 4


def test_speech_of_the_languages_of_a_model(manifest: Path) -> None:
    assert [one.language for one in tune_speech.speech_for(("en",), manifest, None)] == ["en"]
    with pytest.raises(InvalidValue):
        tune_speech.speech_for(("fr",), manifest, None)
    with pytest.raises(InvalidValue):
        tune_speech.speech_for(("en",), manifest, ["song"])
    spoken = tune_speech.speech_for(("en", "ja"), None, None)
    assert {one.language for one in spoken} == {"en"} and sum(len(one.text.split()) for one in spoken) > 150


def test_the_table_says_what_is_wrong_with_each() -> None:
    found = (measured(FLOAT, 4.0), measured(), Measured(replace(INT8, vectors="AVX2"), trouble="no memory"))
    lines = as_table(Tuning(found, ("", "", "no memory"), found[1], "")).splitlines()
    assert lines[2].split() == [
        "ctranslate2",
        "float32",
        "2",
        "1",
        "8",
        "15.0",
        "120.0",
        "100",
        "MB",
        "0.4",
        "%",
        "1000",
    ]
    assert lines[3].endswith("chosen") and lines[4].endswith("refused: no memory") and " AVX2 " in lines[4]
    text = verdict(Tuning(found, ("", "", "no memory"), found[1], "99 words are too few to tell"))
    assert text.startswith("not judged by its words: 99 words") and "60 s of audio a processor second" in text


@pytest.mark.parametrize(
    ("differing", "words", "own_files", "may", "why"),
    [
        (0, 1000, True, True, ""),
        (3, 1000, True, True, ""),
        (4, 1000, True, False, "words change"),
        (0, 1000, False, False, "--speech"),
        (0, 99, True, False, "too few"),
    ],
)
def test_only_enough_words_of_real_recordings_allow_a_fitted_context(
    differing: int, words: int, own_files: bool, may: bool, why: str
) -> None:
    contexts = Contexts(measured(words=words), measured(processor_s=0.5, words=words), differing, 20, 19)
    text, values, allowed = tune_context.told(contexts, own_files=own_files)
    assert (allowed, values["may_fit"], values["faster"]) == (may, may, 2.0) and why in text


def test_the_setting_goes_into_the_file_at_home_and_over_nothing(tmp_path: Path) -> None:
    path = tmp_path / "talkie.toml"
    path.write_text("port = 9000\n[more]\n")
    path.chmod(0o600)
    assert tune_context.set_fit(tmp_path) == path
    assert path.read_text() == 'context = "fit"\nport = 9000\n[more]\n' and path.stat().st_mode & 0o777 == 0o600
    for content in ('context = "full"\n', "= broken"):
        path.write_text(content)
        with pytest.raises(SettingsError):
            tune_context.set_fit(tmp_path)
        assert path.read_text() == content
    assert [item.name for item in tmp_path.iterdir()] == ["talkie.toml"]
