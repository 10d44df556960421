"""What an engine is: small, synchronous, batch-first Protocols, and records that say what each can do.

Knows nothing of queues, requests or files of models. A capability is data (`RecognizerInfo`), never a method that
raises; a caller asks the record before it asks the engine.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from talkie.types import Audio, MarkKind, Samples, Segment, SpeechChunk, Task, Transcript


@dataclass(frozen=True, slots=True)
class DecodingOptions:
    """How carefully a decoder works. The defaults are the preset `balanced`.

    Names and numbers follow openai/whisper `DecodingOptions` and its `transcribe`, where every threshold is defined.
    `temperatures` are tried in turn until a result passes `compression_ratio_threshold` (at most) and
    `log_prob_threshold` (at least); None turns a threshold off.
    """

    beam_size: int = 5
    best_of: int = 5
    patience: float = 1.0
    length_penalty: float = 1.0
    repetition_penalty: float = 1.0
    no_repeat_ngram_size: int = 0
    temperatures: tuple[float, ...] = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    compression_ratio_threshold: float | None = 2.4
    log_prob_threshold: float | None = -1.0
    no_speech_threshold: float | None = 0.6
    condition_on_previous_text: bool = False
    max_initial_timestamp_s: float = 1.0
    max_new_tokens: int | None = None
    suppress_blank: bool = True


PRESETS: dict[str, DecodingOptions] = {
    "fast": DecodingOptions(beam_size=1, best_of=1),
    "balanced": DecodingOptions(),
    "strict": DecodingOptions(temperatures=(0.0,), no_speech_threshold=0.8, log_prob_threshold=-0.5),
}


Context = Literal["full", "fit", "guess"]


@dataclass(frozen=True, slots=True)
class RecognizeOptions:
    """What is wanted of one piece of audio. `language` is an ISO 639-1 code; None means: find out.

    `context`: `full`, as the model was trained, or `fit`, no longer than the sound where an engine can, and what
    is in doubt heard again in full; `guess` is `fit` without the second time, for what will be heard again anyway.
    """

    language: str | None = None
    task: Task = "transcribe"
    prompt: str = ""
    hotwords: str = ""
    words: bool = False
    decoding: DecodingOptions = field(default_factory=DecodingOptions)
    context: Context = "full"


@dataclass(frozen=True, slots=True)
class RecognizerInfo:
    """What a recogniser can do.

    `languages` are ISO 639-1 codes; `max_seconds` is the longest audio one item of a batch may hold; `max_batch` the
    most items it gains from, `workers` the most threads; `partials` says that it is a `StreamingRecognizer` as well;
    `may_stop_early` that its decoder can end before the speech does, so that the rest must be asked for again;
    `interruptible` that `close` may be called while it is at work, and ends that work. `backend` is the library that
    computes, for engines that have several, and `backend_reason` why it is this one.
    """

    name: str
    engine: str
    languages: tuple[str, ...]
    tasks: tuple[Task, ...] = ("transcribe",)
    words: bool = True
    prompts: bool = False
    max_seconds: float = 30.0
    max_batch: int = 1
    workers: int = 1
    partials: bool = False
    may_stop_early: bool = False
    interruptible: bool = False
    device: str = "cpu"
    compute_type: str = ""
    backend: str = ""
    backend_reason: str = ""


class Recognizer(Protocol):
    """Speech in, text out. `recognize` may be called from `info.workers` threads at once; `close` gives back its
    memory and processes."""

    @property
    def info(self) -> RecognizerInfo: ...

    def batch_key(self, audio: Audio, options: RecognizeOptions) -> Hashable:
        """Items whose keys are equal gain from one batch, whoever they come from. Cheap, and safe from any thread.

        Raises the error that `recognize` would for this item alone, so that it never spoils a batch of others.
        """
        ...

    def recognize(self, batch: Sequence[Audio], options: Sequence[RecognizeOptions]) -> list[Transcript]:
        """One transcript for each item and its options, in order; times are original times (`Audio.start_s` added)."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Partial:
    """A guess at an utterance that is not finished: `segment` may still change unless `final`."""

    segment: Segment
    final: bool = False


class RecognizerStream(Protocol):
    """One utterance being heard."""

    def feed(self, samples: Samples) -> Partial | None: ...

    def finish(self) -> Transcript: ...

    def close(self) -> None: ...


class StreamingRecognizer(Recognizer, Protocol):
    """A recogniser with native partials."""

    def open(self, options: RecognizeOptions) -> RecognizerStream: ...


@dataclass(frozen=True, slots=True)
class Voice:
    """One voice of a synthesiser. `languages` are ISO 639-1 codes or longer tags (`en-us`), its own first."""

    name: str
    languages: tuple[str, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class SynthesizeOptions:
    """How a text is to be spoken; what `SynthesizerInfo` does not promise is refused before it comes here.

    `voice` is one of the engine's voices, empty: the one for `language`. `speed` 1.0 is the voice's own, 0.25..4.0;
    `pitch` likewise, 0.5..2.0; `volume` 0.0..2.0. `phonemes`: the text is IPA in place of letters; `inline`: only the
    stretches of it from one character to another are said as the IPA beside them. `reference` is a recording whose
    voice is to be imitated.
    """

    voice: str = ""
    language: str = "en"
    speed: float = 1.0
    pitch: float = 1.0
    volume: float = 1.0
    phonemes: bool = False
    inline: tuple[tuple[int, int, str], ...] = ()
    reference: Path | None = None


@dataclass(frozen=True, slots=True)
class SynthesizerInfo:
    """What a synthesiser can do. `marks` are the kinds it gives by itself; `workers` the most threads it gains from.

    `pitch`, `phonemes`, `inline_phonemes` and `cloning` say that it can do as `SynthesizeOptions` asks.
    """

    name: str
    engine: str
    languages: tuple[str, ...]
    voices: tuple[Voice, ...]
    sample_rate: int
    marks: tuple[MarkKind, ...] = ()
    max_characters: int = 4096
    workers: int = 1
    pitch: bool = False
    phonemes: bool = False
    inline_phonemes: bool = False
    cloning: bool = False
    device: str = "cpu"
    compute_type: str = ""
    backend: str = ""
    backend_reason: str = ""


class Synthesizer(Protocol):
    """Text in, speech and its timed marks out. `synthesize` may be called from `info.workers` threads at once; closing
    its iterator stops the work. One text is a sentence or less: long ones are split by whoever asks."""

    @property
    def info(self) -> SynthesizerInfo: ...

    def synthesize(self, text: str, options: SynthesizeOptions) -> Iterator[SpeechChunk]: ...

    def close(self) -> None: ...


class VoiceActivityStream(Protocol):
    """Voice activity of one recording, fed in pieces of any length; the detector's memory is kept between them."""

    def feed(self, samples: Samples) -> NDArray[np.float32]:
        """Probabilities, shape `(k,)`, one for each whole 32 ms (512 samples at 16 kHz) completed by this feed."""
        ...

    def finish(self) -> NDArray[np.float32]:
        """The last, zero-padded window: shape `(0,)` or `(1,)`."""
        ...


class VoiceActivityDetector(Protocol):
    """Where is speech? Thread-safe: any number of streams may be open at once."""

    def open(self) -> VoiceActivityStream: ...

    def probabilities(self, audio: Audio) -> NDArray[np.float32]:
        """Shape `(ceil(n / 512),)`, 0..1, one for each 32 ms of the whole audio."""
        ...


@dataclass(frozen=True, slots=True)
class FaceModelInfo:
    """What a face network can do. `size` is the height and width of its pictures; `max_batch` the most frames one call
    may hold (a network of a fixed batch has that), `workers` the most threads that may call at once. `keeps`: for how
    many source frames it keeps what it makes of them alone, or 0."""

    name: str
    engine: str
    size: int = 320
    max_batch: int = 1
    workers: int = 1
    keeps: int = 0
    device: str = "cpu"
    compute_type: str = "float32"
    backend: str = ""
    backend_reason: str = ""


class FaceModel(Protocol):
    """Mouths for sound: the two networks of an avatar pack (docs/avatars.md). Buffers are made once, at load."""

    @property
    def info(self) -> FaceModelInfo: ...

    def encode(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Mel windows `(K, 16, 80)`, as `audio.face_mel` makes them, to features `(K, 512)`, float32."""
        ...

    def infer(
        self,
        visual: NDArray[np.float32],
        audio: NDArray[np.float32],
        out: NDArray[np.float32] | None = None,
        sources: Sequence[Hashable | None] = (),
    ) -> NDArray[np.float32]:
        """`(B, 6, S, S)` in 0..1 and `(B, 32, 16, 16)` to `(B, 3, S, S)` in 0..1, channels B G R; B at most
        `info.max_batch`. Written into `out` where given. `sources`: what names the picture of each, where it comes
        again; the same name is the same picture. Raises `EngineFailed`."""
        ...

    def close(self) -> None: ...
