from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes_service import FakeService
from talkie.audio.decode import RawFormat
from talkie.cli import hearing
from talkie.cli.hearing import LocalHearer, RemoteHearer, local_hearer
from talkie.errors import InvalidValue, QueueFull, ServerUnreachable, TalkieError
from talkie.runtime.requests import TranscribeRequest
from talkie.settings import load_settings
from talkie.types import Progress, Segment, Transcript


class FakeClient:
    """Answers from a list: what is an error is raised."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.calls, self.closed = list(answers), [], False

    def transcribe(self, source: Any, **fields: Any) -> Transcript:
        self.calls.append(fields)
        answer = self.answers.pop(0)
        if isinstance(answer, TalkieError):
            raise answer
        assert isinstance(answer, Transcript)
        return answer

    def stream(self, source: Any, **fields: Any) -> Iterator[Any]:
        self.calls.append(fields)
        for answer in self.answers.pop(0):
            if isinstance(answer, TalkieError):
                raise answer
            yield answer

    def close(self) -> None:
        self.closed = True


WHOLE = Transcript((Segment("one", 0, 1), Segment("two", 1, 2)), duration_s=2.0)
REQUEST = TranscribeRequest(language="de", words=True, vad=False, raw=RawFormat(8000, 1, "mulaw"))


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr(hearing.time, "sleep", slept.append)
    return slept


def remote(*answers: Any, live: bool = False) -> tuple[FakeClient, RemoteHearer]:
    client = FakeClient(*answers)
    return client, RemoteHearer(client, REQUEST, live)  # type: ignore[arg-type]


def test_a_whole_answer_becomes_events_and_only_what_was_set_is_sent() -> None:
    client, hearer = remote(WHOLE)
    assert list(hearer.hear(Path("a.wav"))) == [*WHOLE.segments, Progress(2.0, 2.0), WHOLE]
    assert client.calls == [
        {"language": "de", "words": True, "vad": False, "sample_rate": 8000, "channels": 1, "encoding": "mulaw"}
    ]
    hearer.close()
    assert client.closed


def test_live_text_comes_in_pieces() -> None:
    _, hearer = remote(["one", " two", WHOLE], live=True)
    first, second, last = hearer.hear(Path("a.wav"))
    assert isinstance(first, Segment) and (first.text, second, last) == ("one", Segment(" two", 0, 0), WHOLE)
    _, silent = remote([WHOLE], live=True)  # a server that does not stream
    assert list(silent.hear(Path("a.wav"))) == [*WHOLE.segments, WHOLE]


def test_a_busy_server_is_asked_again(waits: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    client, hearer = remote(QueueFull(3, retry_after_s=4.0), QueueFull(3, retry_after_s=900.0), WHOLE)
    assert list(hearer.hear(io.BytesIO(b"sound")))[-1] == WHOLE
    assert len(client.calls) == 3 and waits == [4.0, hearing.MAX_WAIT_S]
    assert "busy" in capsys.readouterr().err


def test_but_not_for_ever(waits: list[float]) -> None:
    client, hearer = remote(*[QueueFull(3)] * 99)
    with pytest.raises(QueueFull):
        list(hearer.hear(Path("a.wav")))
    assert len(client.calls) == hearing.MAX_TRIES and len(waits) == hearing.MAX_TRIES - 1


def test_not_when_it_is_away_or_has_begun_or_the_pipe_is_empty(waits: list[float]) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    _, away = remote(ServerUnreachable("http://x", "gone"))
    _, begun = remote(["one", QueueFull(1)], live=True)
    _, piped = remote(QueueFull(1))
    for hearer, source, kind in (
        (away, Path("a"), ServerUnreachable),
        (begun, Path("a"), QueueFull),
        (piped, Pipe(), QueueFull),
    ):
        with pytest.raises(kind):
            list(hearer.hear(source))
    assert waits == []


def test_an_engine_in_this_process(tmp_path: Path) -> None:
    service = FakeService()
    hearer = LocalHearer(service, REQUEST)  # type: ignore[arg-type]
    recording = tmp_path / "a.wav"
    recording.write_bytes(b"sound")
    *_, last = hearer.hear(recording)
    assert isinstance(last, Transcript) and service.seen == [(b"sound", REQUEST)]
    hearer.close()
    assert service.closed.is_set()


def test_the_service_gets_the_settings_and_may_be_given_a_path(tmp_path: Path) -> None:
    settings, _ = load_settings({"home": tmp_path, "preset": "strict", "threads": 3, "max_audio_seconds": 60})
    hearer = local_hearer(settings, TranscribeRequest(model="./nowhere"))
    config = hearer._service.config
    assert (config.home, config.preset, config.threads, config.max_audio_seconds) == (tmp_path, "strict", 3, 60)
    assert config.allow_paths and config.max_audio_bytes is None
    with pytest.raises(TalkieError, match="not here"):
        list(hearer.hear(Path("a.wav")))
    hearer.close()
    with pytest.raises(InvalidValue):
        list(local_hearer(settings, TranscribeRequest(preset="x")).hear(Path("a.wav")))
