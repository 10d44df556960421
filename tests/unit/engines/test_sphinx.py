"""PocketSphinx through real worker processes: words and times, what it refuses, and sounds that are no speech."""

from __future__ import annotations

import csv
import os
import signal
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from fakes import hear_all
from speech import say
from talkie.engines.asr.sphinx import MAX_SECONDS, SphinxRecognizer, joined, to_segment
from talkie.engines.base import RecognizeOptions
from talkie.errors import EngineFailed, QueueFull, UnsupportedByModel
from talkie.text.wer import Wer, word_error_rate
from talkie.types import SAMPLE_RATE_HZ, Audio, Samples

HUMAN = Path(__file__).parents[3].parent / "shared" / "speech"
WORDS = RecognizeOptions(words=True)
TEXT = "one two three four five"


@pytest.fixture(scope="module")
def sphinx() -> Iterator[SphinxRecognizer]:
    made = SphinxRecognizer()
    yield made
    made.close()


def noise(seconds: float, loud: float = 0.1) -> Samples:
    return np.random.default_rng(3).normal(0, loud, int(seconds * SAMPLE_RATE_HZ)).astype(np.float32)


def test_what_it_can_do_is_known_at_once(sphinx: SphinxRecognizer) -> None:
    info = sphinx.info
    assert (info.name, info.engine, info.languages, info.tasks) == ("sphinx-en", "sphinx", ("en",), ("transcribe",))
    assert info.words and info.partials and not info.prompts


def test_it_hears_words_where_they_are(sphinx: SphinxRecognizer) -> None:
    spoken = say(TEXT)
    [transcript] = hear_all(sphinx, [Audio(spoken, start_s=100.0)], WORDS)
    assert word_error_rate(TEXT, transcript.text).rate <= 0.4
    assert 100 <= transcript.words[0].start_s < transcript.words[-1].end_s <= 100 + len(spoken) / SAMPLE_RATE_HZ
    for one, following in pairwise(transcript.words):
        assert one.start_s < one.end_s <= following.start_s
    assert all(0 < word.probability <= 1 for word in transcript.words)
    assert not any(sign in word.text for word in transcript.words for sign in "<[(+")
    assert transcript.decoded_until_s == pytest.approx(100 + transcript.duration_s)
    [segment, *_] = transcript.segments
    assert segment.avg_logprob < 0
    assert segment.text == " ".join(word.text for word in segment.words)


def test_loudness_does_not_matter(sphinx: SphinxRecognizer) -> None:
    spoken = say(TEXT)
    loud, quiet = hear_all(sphinx, [Audio(spoken), Audio(spoken * 0.05)], RecognizeOptions())
    assert loud.text
    assert loud.text == quiet.text
    assert not loud.words


def test_same_sound_same_words_whatever_came_before(sphinx: SphinxRecognizer) -> None:
    first, _, again = hear_all(sphinx, [Audio(say(TEXT)), Audio(noise(1.0)), Audio(say(TEXT))], WORDS)
    assert first.segments == again.segments


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(0, np.float32),
        np.zeros(1, np.float32),
        noise(0.05),
        np.zeros(SAMPLE_RATE_HZ * 3, np.float32),
        noise(2, 0.0001),
        np.full(SAMPLE_RATE_HZ, np.nan, np.float32),
    ],
    ids=["nothing", "one sample", "50 ms", "silence", "hiss", "nan"],
)
def test_where_there_is_nothing_nothing_is_heard(sphinx: SphinxRecognizer, samples: Samples) -> None:
    [transcript] = hear_all(sphinx, [Audio(samples, start_s=5.0)], WORDS)
    assert transcript.segments == ()
    assert transcript.decoded_until_s == pytest.approx(5 + len(samples) / SAMPLE_RATE_HZ)


def test_noise_and_wild_samples_do_not_stop_it(sphinx: SphinxRecognizer) -> None:
    wild = noise(0.5)
    wild[::50] = np.inf
    wild[1::50] = np.nan
    for transcript in hear_all(sphinx, [Audio(noise(1.0)), Audio(wild), Audio(noise(0.5) * 1e9)], WORDS):
        assert all(0 <= word.probability <= 1 for word in transcript.words)


def test_other_languages_and_translation_are_refused(sphinx: SphinxRecognizer) -> None:
    with pytest.raises(UnsupportedByModel, match="English only") as caught:
        hear_all(sphinx, [Audio(noise(1))], RecognizeOptions(language="de"))
    assert caught.value.param == "language"
    with pytest.raises(UnsupportedByModel, match="translate"):
        hear_all(sphinx, [Audio(noise(1))], RecognizeOptions(task="translate"))
    with pytest.raises(UnsupportedByModel):
        sphinx.open(RecognizeOptions(language="de"))


def test_a_prompt_is_not_dropped_in_silence(sphinx: SphinxRecognizer) -> None:
    [transcript] = hear_all(sphinx, [Audio(noise(0.05))], RecognizeOptions(language="en", prompt="Talkie"))
    assert [notice.code for notice in transcript.notices] == ["prompt_ignored"]


def test_too_long_or_at_another_rate_is_an_error(sphinx: SphinxRecognizer) -> None:
    with pytest.raises(EngineFailed):
        hear_all(sphinx, [Audio(np.zeros(int((MAX_SECONDS + 3) * SAMPLE_RATE_HZ), np.float32))], WORDS)
    with pytest.raises(EngineFailed):
        hear_all(sphinx, [Audio(noise(0.2), sample_rate=8000)], WORDS)


def test_an_empty_batch_is_an_empty_answer(sphinx: SphinxRecognizer) -> None:
    assert hear_all(sphinx, [], WORDS) == []


def test_phonemes_have_times(sphinx: SphinxRecognizer) -> None:
    spoken = say(TEXT)
    marks = sphinx.phonemes(Audio(spoken, start_s=3.0))
    assert len(marks) > 8
    assert all(mark.kind == "phoneme" and mark.text.isalpha() and mark.text.isupper() for mark in marks)
    assert 3.0 <= marks[0].start_s < marks[-1].end_s <= 3.0 + len(spoken) / SAMPLE_RATE_HZ
    assert all(one.end_s <= following.start_s + 1e-9 for one, following in pairwise(marks))
    assert sphinx.phonemes(Audio(np.zeros(100, np.float32))) == ()


def test_a_worker_killed_in_between_costs_nobody_a_transcript(sphinx: SphinxRecognizer) -> None:
    [before] = hear_all(sphinx, [Audio(say(TEXT))], WORDS)
    for pid in sphinx._pool.pids():
        os.kill(pid, signal.SIGKILL)
    [after] = hear_all(sphinx, [Audio(say(TEXT))], WORDS)
    assert before.segments == after.segments


def test_a_stream_guesses_early_and_ends_like_the_whole(sphinx: SphinxRecognizer) -> None:
    spoken = say(TEXT)
    stream = sphinx.open(WORDS)
    with pytest.raises(QueueFull):
        sphinx.open(WORDS)  # one worker, one stream
    guesses = [stream.feed(spoken[at : at + 3200]) for at in range(0, len(spoken), 3200)]
    partials = [guess.segment for guess in guesses if guess is not None]
    assert len(partials) >= 3
    assert partials[0].words[-1].end_s <= partials[-1].words[-1].end_s <= len(spoken) / SAMPLE_RATE_HZ
    [whole] = hear_all(sphinx, [Audio(spoken)], WORDS)
    finished = stream.finish()
    assert finished.segments == whole.segments
    assert finished.duration_s == pytest.approx(len(spoken) / SAMPLE_RATE_HZ)

    nothing = sphinx.open(WORDS)  # the place is free again
    assert nothing.feed(np.zeros(0, np.float32)) is None
    assert nothing.finish().segments == ()


def test_an_endless_stream_is_made_final_bit_by_bit(sphinx: SphinxRecognizer) -> None:
    stream = sphinx.open(WORDS)
    stream.longest_s = 3.0
    spoken = np.concatenate([say(TEXT), np.zeros(4800, np.float32)])
    guesses = [stream.feed(spoken) for _ in range(3)]
    finals = [guess.segment for guess in guesses if guess is not None and guess.final]
    assert finals
    transcript = stream.finish()
    assert transcript.text.startswith(" ".join(final.text for final in finals))
    assert transcript.duration_s == pytest.approx(3 * len(spoken) / SAMPLE_RATE_HZ)
    assert all(one.end_s <= following.start_s + 1e-9 for one, following in pairwise(transcript.words))


def test_segments_join_with_words_weighed_alike() -> None:
    audio = Audio(np.zeros(SAMPLE_RATE_HZ, np.float32))
    one = to_segment([("a", 0, 9, 1.0), ("b", 10, 19, 1.0)], audio, words=True)
    other = to_segment([("c", 30, 99, 0.1), ("d", 100, 999, 0.1)], audio, words=True)
    both = joined([one, other])
    assert (both.text, both.start_s, both.end_s) == ("a b c d", 0.0, 1.0)
    assert both.avg_logprob == pytest.approx(np.log(0.1) / 2)
    assert [word.text for word in both.words] == ["a", "b", "c", "d"]


@pytest.mark.human
@pytest.mark.slow
def test_word_error_rate_on_short_human_recordings_is_no_worse_than_it_was(sphinx: SphinxRecognizer) -> None:
    if not (HUMAN / "manifest.csv").exists():
        pytest.skip("the human recordings are not here")
    import soundfile

    rows = csv.DictReader((HUMAN / "manifest.csv").read_text().splitlines())
    total = Wer()
    for row in rows:
        if row["language"] == "en" and row["kind"] in ("read", "command") and float(row["seconds"]) < 3:
            samples, _ = soundfile.read(HUMAN / row["path"], dtype="float32")
            [transcript] = hear_all(sphinx, [Audio(samples)], RecognizeOptions())
            total += word_error_rate(row["text"], transcript.text)
    assert total.words > 70
    assert total.rate < 0.23
