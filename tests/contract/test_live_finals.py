"""Finals of a session equal what the pipeline of files makes of the same sound, with the same engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from live_hearing import apart, finals_of, heard_from_file, listen, partials_of, text_of
from speech import say
from talkie.engines.asr.sphinx import SphinxRecognizer
from talkie.engines.asr.whisper import WhisperRecognizer
from talkie.engines.base import PRESETS, RecognizeOptions
from talkie.engines.vad.silero import SileroDetector
from talkie.runtime.scheduler import Lane
from talkie.text.wer import word_error_rate
from talkie.types import Audio, LivePartial, Samples, Span
from whisper_models import EARLY, TRAINED, shape_model

SENTENCES = ("three four five six", "open the door please", "seven eight nine", "yes stop the light")
VOICES = ("en-us+klatt4", "en-gb", "en-us+m7")
OPTIONS = RecognizeOptions(language="en", words=True, decoding=PRESETS["balanced"])
trained = pytest.param("trained", marks=pytest.mark.skipif(not (TRAINED / "model.bin").exists(), reason="not here"))


@pytest.fixture(scope="module")
def detector() -> SileroDetector:
    return SileroDetector()


@pytest.fixture(scope="module", params=[trained, "built-in"])
def lane(request: pytest.FixtureRequest) -> Iterator[Lane]:
    if request.param == "trained":
        opened = Lane(WhisperRecognizer(TRAINED, compute_type="int8", threads=1))
    else:
        opened = Lane(SphinxRecognizer(workers=2))
    yield opened
    opened.close()


def conversation(lane: Lane, pause_s: float) -> tuple[int, Samples]:
    """How many utterances, and their sound; two for the built-in engine, which is slow."""
    texts = SENTENCES[:2] if lane.recognizer.info.partials else SENTENCES
    return len(texts), apart([say(text, VOICES[number % 3]) for number, text in enumerate(texts)], pause_s)


@pytest.mark.parametrize("voice", VOICES)
def test_one_utterance(lane: Lane, detector: SileroDetector, voice: str) -> None:
    samples = apart([say("three four five six", voice)], 1.0)
    file = heard_from_file(lane, detector, samples, OPTIONS)
    [final] = finals_of(listen(lane, detector, samples, OPTIONS))
    assert final.transcript.text == file.text
    assert final.transcript.segments == file.segments
    assert len(file.words) >= 3


def test_several_utterances_far_apart(lane: Lane, detector: SileroDetector) -> None:
    """So far that the windows of the file are the utterances."""
    count, samples = conversation(lane, 4.6)
    file = heard_from_file(lane, detector, samples, OPTIONS)
    events = listen(lane, detector, samples, OPTIONS)
    finals = finals_of(events)
    assert len(finals) == count
    assert text_of(events) == file.text
    assert tuple(one for final in finals for one in final.transcript.segments) == file.segments


def test_several_utterances_each_for_itself(lane: Lane, detector: SileroDetector) -> None:
    """Close together, where a file has several in one window: each final is what the engine hears in its span."""
    count, samples = conversation(lane, 1.0)
    finals = finals_of(listen(lane, detector, samples, OPTIONS))
    assert len(finals) == count
    for final in finals:
        start, end = (round(time_s * 16_000) for time_s in (final.span.start_s, final.span.end_s))
        window = Audio(samples[start:end], start_s=final.span.start_s, speech=(final.span,))
        with lane.open() as job:
            alone = job.submit(window, OPTIONS).result(60)
        assert final.transcript.text == alone.text
        assert final.transcript.segments == alone.segments


@pytest.mark.parametrize("pause_s", [0.6, 2.0])
def test_what_a_client_commits_is_a_file(lane: Lane, detector: SileroDetector, pause_s: float) -> None:
    _, samples = conversation(lane, pause_s)
    file = heard_from_file(lane, detector, samples, OPTIONS)
    [final] = finals_of(listen(lane, detector, samples, OPTIONS, by_client=True))
    assert final.transcript.text == file.text
    assert final.transcript.segments == file.segments


@pytest.mark.parametrize("piece_s", [0.02, 3.0])
def test_the_length_of_pieces_does_not_matter(lane: Lane, detector: SileroDetector, piece_s: float) -> None:
    _, whole = conversation(lane, 1.2)
    samples = whole[: 5 * 16_000]  # the end is in the middle of a word
    events = listen(lane, detector, samples, OPTIONS, piece_s=piece_s, partials=False)
    again = listen(lane, detector, samples, OPTIONS, piece_s=0.5, partials=False)
    assert [final.span for final in finals_of(events)] == [final.span for final in finals_of(again)]
    assert text_of(events) == text_of(again) != ""


def test_guesses_come_to_what_is_said(lane: Lane, detector: SileroDetector) -> None:
    """Committed text only grows, and is mostly what the final says."""
    if lane.recognizer.info.partials:
        pytest.skip("hears with guesses of its own")
    samples = apart([say("one two three four five six seven eight nine", "en-us+klatt4")], 1.0)
    events = listen(lane, detector, samples, OPTIONS, guesses_in_time=True)
    partials = partials_of(events)
    assert len(partials) >= 3
    _check_growth(partials)
    [final] = finals_of(events)
    assert len(partials[-1].committed.split()) >= 3
    said = " ".join(final.transcript.text.split()[: len(partials[-1].committed.split())])
    assert word_error_rate(said, partials[-1].committed).rate <= 0.35


def test_native_guesses_come_to_what_is_said(detector: SileroDetector) -> None:
    recognizer = SphinxRecognizer(workers=1)
    lane = Lane(recognizer)
    samples = apart([say("one two three four five", "en-us+klatt4")], 1.0)
    try:
        events = listen(lane, detector, samples, OPTIONS, piece_s=0.4, news_each_s=5.0, native=recognizer.open)
    finally:
        lane.close()
    partials = partials_of(events)
    assert partials
    _check_growth(partials)
    assert len(finals_of(events)) == 1
    assert partials[-1].text


def _check_growth(partials: list[LivePartial]) -> None:
    for earlier, later in pairwise(partials):
        if earlier.utterance == later.utterance:
            assert later.committed.startswith(earlier.committed)
            assert later.end_s > earlier.end_s


def test_what_a_decoder_leaves_out_is_asked_for_again(detector: SileroDetector) -> None:
    """A real decoder that always ends five seconds into its window."""
    lane = Lane(WhisperRecognizer(shape_model(EARLY), compute_type="int8", threads=1))
    spoken = np.concatenate([say(text) for text in SENTENCES * 3])
    samples = apart([spoken[: 14 * 16_000]], 1.0)
    options = replace(OPTIONS, words=False, decoding=replace(PRESETS["fast"], temperatures=(0.0,)))
    try:
        file = heard_from_file(lane, detector, samples, options)
        events = listen(lane, detector, samples, options, by_client=True, filters=False)
        turns = listen(lane, detector, samples, options, filters=False)
    finally:
        lane.close()
    assert len(file.segments) >= 3
    assert finals_of(events)[0].transcript.segments == file.segments
    assert sum(len(final.transcript.segments) for final in finals_of(turns)) >= 3


def test_times_are_where_it_was_said(lane: Lane, detector: SileroDetector) -> None:
    pieces = [say("seven eight nine", voice) for voice in VOICES]
    samples = apart(pieces, 2.0)
    place_s, spans = 2.0, []
    for piece in pieces:
        spans.append(Span(place_s, place_s + len(piece) / 16_000))
        place_s = spans[-1].end_s + 2.0
    finals = finals_of(listen(lane, detector, samples, OPTIONS, partials=False))
    assert len(finals) == len(spans)
    for final, span in zip(finals, spans, strict=True):
        assert span.start_s - 0.4 <= final.span.start_s <= span.start_s + 0.1
        assert span.end_s - 0.3 <= final.span.end_s <= span.end_s + 0.4
        for word in final.transcript.words:
            assert span.start_s - 0.4 <= word.start_s <= word.end_s <= span.end_s + 0.4
