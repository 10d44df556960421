"""One line, a sentence or a clause, made whole: spoken, looked over, trimmed, and its marks joined to the text.

Knows nothing of the lines beside it. Times count from the start of the line's own sound.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from talkie.audio.joins import Joiner, at_rate, loud
from talkie.engines.base import SynthesizeOptions, SynthesizerInfo
from talkie.errors import Cancelled, TalkieError
from talkie.pipeline.speak_guard import Guard, Sound
from talkie.pipeline.speak_phonemes import spread
from talkie.pipeline.speak_text import PITCHES, SPEEDS, VOLUMES
from talkie.text.parts import Say, speakable
from talkie.text.spoken_words import word_marks
from talkie.text.visemes import viseme_marks
from talkie.types import Audio, Mark, Samples

if TYPE_CHECKING:
    from talkie.pipeline.speak_plan import Cancel, SpeakPlan
    from talkie.text.lines import Line


@dataclass(frozen=True, slots=True, eq=False)
class Spoken:
    """The sound of a line without the silence around it; `marks` are inside it and in order of kind and time."""

    samples: Samples
    marks: tuple[Mark, ...] = ()


NOTHING = Spoken(np.zeros(0, np.float32))


class LineMaker:
    """Makes the lines of one text."""

    def __init__(self, plan: SpeakPlan, cancel: Cancel) -> None:
        self._plan = plan
        self._rate = plan.sample_rate or plan.info.sample_rate
        self._guard = Guard(plan.synthesize, plan.info.engine, cancel)

    def make(self, line: Line) -> Spoken:
        """Empty where there is nothing to be heard in it. Raises what the engine raises."""
        options = line_options(line, self._plan)
        spoken = [self._say(run, options) for run in self._runs(line.says)]
        return self._joined([one for one in spoken if len(one.samples)])

    def speed(self, line: Line) -> float:
        """Pauses are as much shorter as speech is."""
        return line_options(line, self._plan).speed

    def _runs(self, says: Sequence[Say]) -> Iterator[tuple[Say, ...]]:
        """Most engines are told letters or phonemes, not both at once."""
        info = self._plan.info
        for _, run in groupby(says, lambda say: say.phonemes is not None and not info.inline_phonemes):
            yield tuple(run) if info.phonemes else tuple(says)
            if not info.phonemes:
                return

    def _say(self, says: tuple[Say, ...], options: SynthesizeOptions) -> Spoken:
        text, options = _told(says, options, self._plan.info)
        if not speakable(text):
            return NOTHING
        sound = self._guard.speak(text, options)
        samples = np.clip(at_rate(sound.samples, sound.sample_rate, self._rate), -1.0, 1.0)
        return self._trimmed(says, replace(sound, samples=samples, sample_rate=self._rate), options.phonemes)

    def _trimmed(self, says: tuple[Say, ...], sound: Sound, in_phonemes: bool) -> Spoken:
        start, end = self._bounds(sound)
        if start >= end:
            return NOTHING
        samples = sound.samples[start:end]
        given = [mark for mark in sound.marks if not (in_phonemes and mark.kind == "word")]
        moved = [_inside(mark, start / self._rate, (end - start) / self._rate) for mark in given]
        return Spoken(samples, self._marks(says, samples, moved))

    def _bounds(self, sound: Sound) -> tuple[int, int]:
        """Where the sound is loud, and where the engine itself says that a phoneme is."""
        start, end = loud(sound.samples, sound.sample_rate)
        phonemes = [mark for mark in sound.marks if mark.kind == "phoneme" and not mark.estimated]
        if phonemes and start < end:
            start = min(start, int(phonemes[0].start_s * sound.sample_rate))
            end = max(end, int(max(mark.end_s for mark in phonemes) * sound.sample_rate))
        return max(0, start), min(end, len(sound.samples))

    def _marks(self, says: tuple[Say, ...], samples: Samples, given: Sequence[Mark]) -> tuple[Mark, ...]:
        end_s = len(samples) / self._rate
        phonemes = [mark for mark in given if mark.kind == "phoneme" and mark.text]
        words = self._words(says, samples, given)
        phonemes = phonemes or list(spread(words))
        visemes = viseme_marks(phonemes, end_s) if self._plan.visemes else ()
        return (*words, *phonemes, *visemes)

    def _words(self, says: tuple[Say, ...], samples: Samples, given: Sequence[Mark]) -> tuple[Mark, ...]:
        """Those of the engine, else as our own recogniser hears them, else spread by letters."""
        end_s = len(samples) / self._rate
        aligned = () if given else self._aligned(says, samples)
        words = word_marks(says, aligned or given, 0.0, end_s)
        return tuple(replace(word, estimated=True) for word in words) if aligned else words

    def _aligned(self, says: tuple[Say, ...], samples: Samples) -> tuple[Mark, ...]:
        if self._plan.align is None:
            return ()
        try:
            return self._plan.align(Audio(samples, self._rate), "".join(say.said for say in says))
        except Cancelled:
            raise
        except TalkieError:  # the speech is there; only its times are less exact
            return ()

    def _joined(self, spoken: Sequence[Spoken]) -> Spoken:
        if len(spoken) < 2:
            return spoken[0] if spoken else NOTHING
        joiner, marks, pieces = Joiner(self._rate), list[Mark](), list[Samples]()
        for one in spoken:
            start, ready = joiner.add(one.samples, touched=True)
            pieces.append(ready)
            marks = [_until(mark, start / self._rate) for mark in marks]
            marks += [_later(mark, start / self._rate) for mark in one.marks]
        return Spoken(np.concatenate([*pieces, joiner.finish()]), tuple(marks))


def _told(says: Sequence[Say], options: SynthesizeOptions, info: SynthesizerInfo) -> tuple[str, SynthesizeOptions]:
    """What the engine is given for a run of a line."""
    if info.phonemes and not info.inline_phonemes and says[0].phonemes is not None:
        return " ".join(say.phonemes or "" for say in says), replace(options, phonemes=True)
    text, inline = "", list[tuple[int, int, str]]()
    for say in says:
        said = say.said or "_"  # phonemes of no word at all still stand somewhere
        if info.inline_phonemes and say.phonemes is not None:
            inline.append((len(text), len(text) + len(said), say.phonemes))
        text += said
    return text if inline else text.strip(), replace(options, inline=tuple(inline))


def line_options(line: Line, plan: SpeakPlan) -> SynthesizeOptions:
    """The options of the whole text, as this line changes them."""
    options, wanted = plan.options, line.voicing
    if wanted.lang and wanted.lang.lower() != options.language.lower():
        keeps = bool(options.voice) and _primary(wanted.lang) in _voice_languages(plan)
        options = options if keeps else replace(options, language=wanted.lang, voice="")
    return replace(
        options,
        speed=_within(SPEEDS, options.speed * wanted.rate),
        pitch=_within(PITCHES, options.pitch * wanted.pitch),
        volume=_within(VOLUMES, options.volume * wanted.volume),
    )


def _voice_languages(plan: SpeakPlan) -> set[str]:
    name = plan.options.voice.partition("+")[0]
    return {_primary(tag) for voice in plan.info.voices if voice.name == name for tag in voice.languages}


def _primary(language: str) -> str:
    return language.lower().replace("_", "-").partition("-")[0]


def _within(bounds: tuple[float, float], value: float) -> float:
    return min(max(value, bounds[0]), bounds[1])


def _inside(mark: Mark, start_s: float, length_s: float) -> Mark:
    begin, end = (min(max(at - start_s, 0.0), length_s) for at in (mark.start_s, mark.end_s))
    return replace(mark, start_s=begin, end_s=max(begin, end))


def _until(mark: Mark, end_s: float) -> Mark:
    """A mark of what is cross-faded ends where the next piece begins."""
    return replace(mark, start_s=min(mark.start_s, end_s), end_s=min(mark.end_s, end_s))


def _later(mark: Mark, seconds: float) -> Mark:
    return replace(mark, start_s=mark.start_s + seconds, end_s=mark.end_s + seconds)
