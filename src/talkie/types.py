"""The words of the domain: what every room of the house says to the next.

Knows nothing of files, engines or protocols: the standard library and NumPy only. All times are seconds as
`float`, counted from the start of the original recording unless a docstring says otherwise; all samples are
mono `float32` in -1..1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 16_000
"""The one rate at which speech is heard; everything decoded is brought to it."""

Samples: TypeAlias = NDArray[np.float32]
"""Mono PCM, shape `(n,)`, dtype float32, nominal range -1..1."""
Picture: TypeAlias = NDArray[np.uint8]
"""One picture, shape `(height, width, 3)`, dtype uint8, channels B G R."""

Task: TypeAlias = Literal["transcribe", "translate"]
MarkKind: TypeAlias = Literal["word", "phoneme", "viseme"]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, `start_s <= end_s`, in seconds of the original recording."""

    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Skip:
    """A pause left out of a stretch of sound at `at_s`, a time of that stretch, and its length."""

    at_s: float
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """A stretch of mono sound, with the place in the original recording that it was cut from.

    `speech` are the spans in which voice activity was found; empty means "not looked for". `skips` are the pauses that
    were left out, in order. Times after a skip, those of `speech` too, run on as if it had not been: `audio.skips`
    turns them into times of the recording.
    """

    samples: Samples
    sample_rate: int = SAMPLE_RATE_HZ
    start_s: float = 0.0
    speech: tuple[Span, ...] = ()
    skips: tuple[Skip, ...] = ()

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.sample_rate

    @property
    def end_s(self) -> float:
        return self.start_s + self.duration_s


@dataclass(frozen=True, slots=True)
class Word:
    """One word as heard. `text` has no spaces around it; `probability` is 0..1."""

    text: str
    start_s: float
    end_s: float
    probability: float = 1.0


@dataclass(frozen=True, slots=True)
class Segment:
    """A phrase of a transcript, with what the decoder thought of it.

    `avg_logprob` is the mean natural-log probability of its tokens (at most 0), `no_speech_prob` is 0..1,
    `compression_ratio` is len(text) / len(zlib(text)) in bytes, as in openai/whisper.
    """

    text: str
    start_s: float
    end_s: float
    words: tuple[Word, ...] = ()
    tokens: tuple[int, ...] = ()
    avg_logprob: float = 0.0
    no_speech_prob: float = 0.0
    compression_ratio: float = 1.0
    temperature: float = 0.0


@dataclass(frozen=True, slots=True)
class Dropped:
    """A segment that a filter took out, and the stable reason (for example `repetition`)."""

    segment: Segment
    reason: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user should know that is not an error: a stable code and a sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was heard in one piece of audio.

    `decoded_until_s` is how far the engine got (original time): less than the end of the audio when the decoder
    stopped early, and the pipeline then asks for the rest. `duration_s` is the length of the audio heard.
    """

    segments: tuple[Segment, ...] = ()
    language: str = ""
    language_probability: float = 1.0
    duration_s: float = 0.0
    task: Task = "transcribe"
    model: str = ""
    decoded_until_s: float = 0.0
    notices: tuple[Notice, ...] = ()
    dropped: tuple[Dropped, ...] = ()

    @property
    def text(self) -> str:
        """The whole text on one line: segment texts joined by single spaces."""
        return " ".join(part for part in (segment.text.strip() for segment in self.segments) if part)

    @property
    def words(self) -> tuple[Word, ...]:
        return tuple(word for segment in self.segments for word in segment.words)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a transcription has come: seconds heard, and in all where the container says."""

    done_s: float
    total_s: float | None = None


TranscriptEvent: TypeAlias = Progress | Segment | Transcript
"""What a transcription yields: progress and segments in order, then exactly one `Transcript`, last."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody began to speak. `utterance` counts from 0; `at_s` is session time, the pre-roll included."""

    utterance: int
    at_s: float


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The utterance has ended, and is on its way to its final pass; `by_client` when the client said so (commit)."""

    utterance: int
    at_s: float
    by_client: bool = False


@dataclass(frozen=True, slots=True)
class LivePartial:
    """What an utterance says so far. `committed` only ever grows; `tentative`, what follows it, may still change.

    `end_s` is the session time up to which sound was heard for it; `gap` stands between the two parts of the text:
    nothing where words are written without spaces.
    """

    utterance: int
    start_s: float
    end_s: float
    committed: str
    tentative: str = ""
    language: str = ""
    gap: str = " "

    @property
    def text(self) -> str:
        return f"{self.committed}{self.gap}{self.tentative}".strip()


@dataclass(frozen=True, slots=True)
class LiveFinal:
    """The whole text of an utterance, heard at full context; times in `transcript` are session time.

    Empty where sound was speech to the detector and nothing to the recogniser. `span` is what was heard.
    """

    utterance: int
    span: Span
    transcript: Transcript


@dataclass(frozen=True, slots=True)
class LiveNotice:
    """Something the speaker should know that ends nothing."""

    notice: Notice


LiveEvent: TypeAlias = SpeechStarted | SpeechStopped | LivePartial | LiveFinal | LiveNotice
"""What a live session tells. Of each utterance: started, partials, stopped, then exactly one final, in that order;
finals come in the order of their utterances, and the next utterance may begin before the last one's final."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A timed word, phoneme or viseme of spoken text; seconds from the start of the utterance."""

    kind: MarkKind
    text: str
    start_s: float
    end_s: float
    estimated: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class SpeechChunk:
    """A piece of synthesised speech with the marks that begin in it.

    `generation` tells the utterances of one conversation apart: what is left of an interrupted one is thrown away.
    """

    samples: Samples
    sample_rate: int
    marks: tuple[Mark, ...] = field(default=())
    generation: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class VideoFrame:
    """One picture of a face. Frame `index` of an utterance is shown from `index / fps` seconds on; nobody may write
    into `image` once it was handed over."""

    image: Picture
    index: int
    generation: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class FaceChunk:
    """A stretch of a talking face: its sound, and the frames and marks that begin in that sound.

    `start_s` counts from the start of the utterance. At most half a second, so that pictures stay few.
    """

    samples: Samples
    sample_rate: int
    frames: tuple[VideoFrame, ...]
    start_s: float
    fps: float = 25.0
    marks: tuple[Mark, ...] = field(default=())
    generation: int = 0
