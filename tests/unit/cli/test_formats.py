from __future__ import annotations

import json

import pytest

from talkie.cli.formats import FORMATS, make_format
from talkie.runtime.requests import TranscribeRequest
from talkie.types import Dropped, Notice, Segment, Transcript, Word
from talkie.wire.fields import ResponseFormat, TranscriptionCall
from talkie.wire.openai import answer

WORDS = (Word("Grüße,", 0.0, 0.5, 0.9), Word("alle!", 0.5, 1.0, 0.8))
SPOKEN = Transcript(
    segments=(Segment("Grüße, alle!", 0.0, 1.0, WORDS, (1, 2), -0.25), Segment(" Two\nlines ", 1.5, 2.0)),
    language="de",
    duration_s=2.25,
    notices=(Notice("code", "Sentence."),),
    dropped=(Dropped(Segment("…", 2.0, 2.1), "low_alphanumeric"),),
)


def whole(name: str, transcript: Transcript = SPOKEN, *, words: bool = False, file: str = "") -> str:
    made = make_format(name, words=words, file=file)
    return made.start() + "".join(map(made.feed, transcript.segments)) + made.finish(transcript)


@pytest.mark.parametrize("name", ["json", "verbose_json", "srt", "vtt"])
@pytest.mark.parametrize("transcript", [SPOKEN, Transcript()])
def test_the_same_as_the_server_says(name: ResponseFormat, transcript: Transcript) -> None:
    said = answer(transcript, TranscriptionCall(TranscribeRequest(), name)).body.decode()
    assert whole(name, transcript) == said + ("\n" if "json" in name else "")


def test_verbose_json_with_words_is_the_servers() -> None:
    call = TranscriptionCall(TranscribeRequest(words=True), "verbose_json")
    assert whole("verbose_json", words=True) == answer(SPOKEN, call).body.decode() + "\n"


def test_text_is_a_line_a_segment() -> None:
    assert whole("text") == "Grüße, alle!\nTwo lines\n"
    assert whole("text", file="a.wav") == "==> a.wav <==\nGrüße, alle!\nTwo lines\n\n"


def test_short_json_has_words_where_they_were_asked_for() -> None:
    assert "words" not in json.loads(whole("json"))
    assert [word["word"] for word in json.loads(whole("json", words=True))["words"]] == ["Grüße,", "alle!"]


def test_a_line_of_json_can_name_its_recording() -> None:
    lines = (whole("json", file="a b.wav") + whole("json", file="c.wav")).splitlines()
    assert [json.loads(line)["file"] for line in lines] == ["a b.wav", "c.wav"]


def test_words_cut_subtitles() -> None:
    words = tuple(Word(f"word{index}", index * 0.3, index * 0.3 + 0.3) for index in range(40))
    long = Transcript((Segment(" ".join(word.text for word in words), 0, 12, words),))
    assert whole("srt", long).count("-->") == 1 and whole("srt", long, words=True).count("-->") > 3


def test_tsv() -> None:
    assert whole("tsv").splitlines()[1] == "0\t1000\tGrüße, alle!"
    assert set(FORMATS) == {"text", "json", "verbose_json", "srt", "vtt", "tsv"}
