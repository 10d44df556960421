"""How soon and how fast a voice speaks, whether it is understood, and how many can be spoken to at once.

    first audible   from the asking to the moment in which the first sample above a threshold would be heard by somebody
                    who plays what comes as it comes: not the first byte, which is often silence
    RTFx            seconds of speech made in a second of time; beside it, in a processor second
    round trip      word error rate of what a recogniser hears in it

Through the same service that every door uses, without its cache. Knows nothing of tables.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from itertools import cycle, islice

import numpy as np

from talkie.audio.encode import encode_wav
from talkie.bench.machine import family, processor_seconds, resident_bytes
from talkie.bench.sentences import SENTENCES
from talkie.bench.tts_results import TtsCase, TtsCrowd, TtsRun
from talkie.errors import UnsupportedByModel
from talkie.runtime.requests import TranscribeRequest
from talkie.runtime.service import Service
from talkie.runtime.speech import SpeakRequest
from talkie.text.wer import word_error_rate
from talkie.types import Samples, Transcript

AUDIBLE = 0.01
"""A hundredth of full scale, -40 dB: below it nobody hears a voice begin."""
WORDS = {"en": "Yes.", "de": "Ja.", "es": "Sí.", "fr": "Oui."}
OURS = "talkie"


@dataclass(frozen=True, slots=True)
class TtsTask:
    """`times` each text is spoken; `clients` are numbers of those who ask at once, `each` how often each asks."""

    languages: Sequence[str] = ("en", "de", "es", "fr")
    voice: str = ""
    model: str = "auto"
    recognizer: str = "auto"
    times: int = 5
    clients: Sequence[int] = (1, 4, 16)
    each: int = 4
    page_sentences: int = 30


@dataclass(frozen=True, slots=True)
class _Spoken:
    samples: Samples
    sample_rate: int
    first_audible_s: float
    wall_s: float

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.sample_rate


def measure(service: Service, task: TtsTask, progress: Callable[[str], None] = lambda _: None) -> TtsRun:
    """Raises the errors of `talkie.errors`."""
    began = time.monotonic()
    _speak(service, _request(task, WORDS["en"], "en"))
    load_s = time.monotonic() - began
    cases = []
    for language in task.languages:
        for name, text in texts(language, task.page_sentences):
            progress(f"{language}: a {name}, {task.times} times")
            cases.append(_case(service, task, language, name, text))
    crowds = []
    for count in task.clients:
        progress(f"{count} at once")
        crowds.append(_crowd(service, task, count))
    card = next((card for card in service.voices() if card.id == task.voice), service.voices()[0])
    resident = sum(resident_bytes(pid) for pid in family(os.getpid()))
    return TtsRun(
        voice=task.voice or "the usual one",
        engine=card.engine,
        recognizer=task.recognizer,
        load_s=load_s,
        resident_mb=resident / 1e6,
        cases=tuple(cases),
        crowds=tuple(crowds),
    )


def texts(language: str, page_sentences: int) -> Iterator[tuple[str, str]]:
    """A word, a sentence and a page."""
    sentences = SENTENCES[language]
    yield "word", WORDS[language]
    yield "sentence", max(sentences, key=len)
    yield "page", " ".join(islice(cycle(sentences), page_sentences))


def _request(task: TtsTask, text: str, language: str) -> SpeakRequest:
    return SpeakRequest(text, model=task.model, voice=task.voice, language=language, cache=False)


def _speak(service: Service, request: SpeakRequest) -> _Spoken:
    began = time.monotonic()
    parts: list[Samples] = []
    first_s, heard_s, rate = 0.0, None, 0
    with closing(service.speak(request)) as chunks:
        for chunk in chunks:
            if not parts:
                first_s = time.monotonic() - began
            loud = np.flatnonzero(np.abs(chunk.samples) > AUDIBLE)
            if heard_s is None and len(loud):
                heard_s = (sum(len(part) for part in parts) + int(loud[0])) / chunk.sample_rate
            parts.append(chunk.samples)
            rate = chunk.sample_rate
    return _Spoken(np.concatenate(parts), rate, first_s + (heard_s or 0.0), time.monotonic() - began)


def _case(service: Service, task: TtsTask, language: str, name: str, text: str) -> TtsCase:
    request = _request(task, text, language)
    cpu_s, began = processor_seconds(os.getpid()), time.monotonic()
    spoken = [_speak(service, request) for _ in range(task.times)]
    wall_s, cpu_s = time.monotonic() - began, processor_seconds(os.getpid()) - cpu_s
    return TtsCase(
        contender=OURS,
        text=name,
        language=language,
        characters=len(text),
        first_audible_s=tuple(one.first_audible_s for one in spoken),
        audio_s=sum(one.seconds for one in spoken),
        wall_s=wall_s,
        cpu_s=cpu_s,
        wer=_round_trip(service, task, language, text, spoken[-1]),
    )


def _round_trip(service: Service, task: TtsTask, language: str, text: str, spoken: _Spoken) -> float | None:
    sound = BytesIO(encode_wav(spoken.samples, spoken.sample_rate))
    request = TranscribeRequest(model=task.recognizer, language=language)
    try:
        *_, heard = service.transcribe(sound, request)
    except UnsupportedByModel:
        return None
    assert isinstance(heard, Transcript)
    return word_error_rate(text, heard.text, language).rate


def _crowd(service: Service, task: TtsTask, count: int) -> TtsCrowd:
    sentences = sorted(SENTENCES["en"], key=len)
    text = sentences[len(sentences) // 2]
    request = _request(task, text, "en")
    spoken: list[_Spoken] = []
    failed: list[BaseException] = []

    def ask() -> None:
        try:
            spoken.extend(_speak(service, request) for _ in range(task.each))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(count)]
    cpu_s, began = processor_seconds(os.getpid()), time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return TtsCrowd(
        contender=OURS,
        clients=count,
        first_audible_s=tuple(one.first_audible_s for one in spoken),
        audio_s=sum(one.seconds for one in spoken),
        wall_s=time.monotonic() - began,
        cpu_s=processor_seconds(os.getpid()) - cpu_s,
    )
