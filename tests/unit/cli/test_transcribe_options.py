from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from talkie.audio.decode import RawFormat
from talkie.cli import main, transcribe
from talkie.errors import BadRawParameters


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """Runs the command up to where work would begin, and keeps what it was to be."""
    seen: dict[str, Any] = {}

    def remember(job: Any, hearer: Any) -> int:
        seen.update(job=job, hearer=hearer)
        return 0

    monkeypatch.setattr("talkie.cli.transcripts.transcribe_all", remember)
    monkeypatch.setattr(transcribe, "_local", lambda settings, request: (settings, request))
    monkeypatch.chdir(tmp_path)
    return seen


def run(*arguments: str) -> Any:
    with pytest.raises(SystemExit) as ended:
        main.run(["transcribe", *arguments])
    return ended.value.code


def test_options_become_a_request(asked: dict[str, Any]) -> None:
    options = "-m tiny -l German --task translate --prompt Hi --hotwords Talkie --preset fast --temperature 0.4"
    assert run("a.wav", *options.split(), "--no-vad", "--no-filters", "--words", "-f", "srt", "--raw", "8000") == 0
    settings, request = asked["hearer"]
    assert (request.model, request.language, request.task) == ("tiny", "de", "translate")
    assert (request.prompt, request.hotwords, request.preset, request.temperature) == ("Hi", "Talkie", "fast", 0.4)
    assert (request.vad, request.filters, request.words, request.raw) == (False, False, True, RawFormat(8000))
    assert asked["job"].formats == ("srt",) and settings.device == "auto"


def test_words_cost_nothing_where_they_do_not_show(asked: dict[str, Any]) -> None:
    assert run("a.wav", "--words") == 0
    assert asked["hearer"][1].words is False


def test_a_server_gets_the_key_of_the_environment(asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALKIE_API_KEY", "from-the-environment")
    assert run("a.wav", "--server", "localhost:9") == 0
    hearer = asked["hearer"]
    assert hearer.live and hearer.client.url == "http://localhost:9"
    assert hearer.client._http.headers["authorization"] == "Bearer from-the-environment"
    assert run("a.wav", "--server", "localhost:9", "-v", "--api-key", "mine") == 0
    assert not asked["hearer"].live and asked["hearer"].client._http.headers["authorization"] == "Bearer mine"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--task", "sing"), ("--language", "klingon"), ("--preset", "sloppy"), ("-f", "docx"), ("--temperature", "3"),
        ("--prompt", "x" * 20_000), ("--server", "ftp://x"), ("--device", "tpu"), ("b.wav", "-f", "srt"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_before_any_work(
    arguments: tuple[str, ...], asked: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("a.wav", *arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ") and captured.out == "" and asked == {}


@pytest.mark.parametrize("text", ["", "fast", "8000,stereo", "8000,1,mp3", "0", "8000,99"])
def test_raw_formats_that_are_none(text: str) -> None:
    with pytest.raises(BadRawParameters):
        transcribe.raw_format(text)


def test_raw_formats() -> None:
    assert transcribe.raw_format(None) is None
    assert transcribe.raw_format("8000,2,mulaw") == RawFormat(8000, 2, "mulaw")
    assert transcribe.raw_format("16000,2") == RawFormat(16_000, 2)


def test_completion_of_languages() -> None:
    assert transcribe.complete_language("de") == [("de", "german")]
