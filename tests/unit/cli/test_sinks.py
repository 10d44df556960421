from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.cli.inputs import Input
from talkie.cli.sinks import Stdout, targets, written
from talkie.errors import InvalidValue

OUT = Path("out")


def named(*names: str) -> list[Input]:
    return [Input(Path(name), name) for name in names]


def names_of(inputs: list[Input], *endings: str) -> list[list[str]]:
    return [[path.name for path in paths] for paths in targets(inputs, OUT, endings)]


def test_a_result_is_named_after_its_recording() -> None:
    assert names_of(named("a/talk.mp3", "b/call.wav"), "srt", "json") == [
        ["talk.srt", "talk.json"],
        ["call.srt", "call.json"],
    ]
    assert names_of([Input(None, "-")], "txt") == [["stdin.txt"]]


def test_recordings_that_share_a_name_keep_their_endings() -> None:
    assert names_of(named("talk.mp3", "talk.wav", "b/talk.wav"), "txt") == [
        ["talk.mp3.txt"],
        ["talk.wav.txt"],
        ["talk.wav (2).txt"],
    ]


def test_a_recording_is_never_overwritten() -> None:
    odd = OUT / "speech.txt"
    assert targets([Input(odd, str(odd))], OUT, ["txt"]) == [[OUT / "speech.txt.txt"]]


def test_formats_with_one_ending_do_not_go_together() -> None:
    with pytest.raises(InvalidValue, match="same ending"):
        targets(named("a.wav"), OUT, ["json", "json"])


@given(
    st.lists(
        st.tuples(st.sampled_from("xyz"), st.sampled_from("ab"), st.sampled_from(["wav", "txt", "srt"])), max_size=9
    ),
    st.sampled_from([["txt"], ["srt", "txt"]]),
)
def test_no_two_results_and_no_recording_share_a_path(parts: list[tuple[str, str, str]], endings: list[str]) -> None:
    inputs = named(*dict.fromkeys(f"{folder}/{stem}.{ending}" for folder, stem, ending in parts))
    paths = [path for group in targets(inputs, Path("x"), endings) for path in group]
    assert len(set(paths)) == len(paths) == len(inputs) * len(endings)
    assert not set(paths) & {item.path for item in inputs}


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "new" / "talk.txt"
    with written(path) as sink:
        sink.write("grüße\n")
        sink.write("two\n")
        assert not path.exists()
    assert path.read_bytes() == "grüße\ntwo\n".encode()
    assert stat.S_IMODE(path.stat().st_mode) & stat.S_IRUSR and list(path.parent.iterdir()) == [path]


def test_what_fails_leaves_nothing_and_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "talk.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), written(path) as sink:
        sink.write("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_stdout_is_utf8_and_at_once(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    Stdout().write("grüße \ud800\n")
    Stdout().write("")
    assert capfdbinary.readouterr().out == "grüße ?\n".encode()
