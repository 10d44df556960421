"""What is known, wanted and allowed of a recording before its samples are: records, limits and errors in words.

Knows nothing of the libraries that decode.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from talkie.errors import BadRawParameters, UndecodableAudio
from talkie.types import Notice, Samples

MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 192_000
MAX_CHANNELS = 8
RAW_SAMPLE_BYTES = {
    "s16le": 2, "s24le": 3, "s32le": 4, "u8": 1, "f32le": 4, "f64le": 8, "mulaw": 1, "alaw": 1,
}  # fmt: skip
DEFAULT_MAX_SECONDS = 12 * 3600.0


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What the header says. `duration_s` may be unknown, and may be wrong: it is for progress bars only."""

    container: str
    codec: str
    sample_rate: int
    channels: int
    duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class AudioLimits:
    """`max_seconds` of decoded audio; `max_bytes` of the file as it is (None: any size)."""

    max_seconds: float = DEFAULT_MAX_SECONDS
    max_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class RawFormat:
    """Headerless PCM, interleaved. `encoding` is one of `RAW_SAMPLE_BYTES`; raises `BadRawParameters`."""

    sample_rate: int
    channels: int = 1
    encoding: str = "s16le"

    def __post_init__(self) -> None:
        if not MIN_RATE_HZ <= self.sample_rate <= MAX_RATE_HZ:
            raise BadRawParameters(f"a sample rate of {self.sample_rate} Hz.")
        if not 1 <= self.channels <= MAX_CHANNELS:
            raise BadRawParameters(f"{self.channels} channels.")
        if self.encoding not in RAW_SAMPLE_BYTES:
            raise BadRawParameters(f"the encoding is not one of {', '.join(RAW_SAMPLE_BYTES)}.")

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of every channel."""
        return RAW_SAMPLE_BYTES[self.encoding] * self.channels


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Some decoded mono samples at the rate they were recorded with; that may change within a file."""

    samples: Samples
    sample_rate: int


class Decoder(Protocol):
    """One way to read a recording. `notices` and `truncated` are complete when `pieces` has ended."""

    info: AudioInfo
    findings: Findings

    def pieces(self) -> Iterator[Piece]:
        """Mono samples in order, in small pieces. Damage is skipped or ends them, and is noted in `findings`."""
        ...

    def surely_longer_than(self, seconds: float) -> bool:
        """True only on evidence in the data, which a header is not."""
        ...

    def close(self) -> None: ...


@dataclass(slots=True)
class Findings:
    """What a decoder noticed on the way. `expected_s`: how long a header that can be trusted says it should be."""

    truncated: bool = False
    skipped: int = 0
    expected_s: float | None = None

    def notices(self, held_s: float) -> list[Notice]:
        """As sentences; `held_s` is what was decoded."""
        notices = []
        if self.truncated:
            said = f" of the {self.expected_s:.1f} seconds that it should hold" if self.expected_s else ""
            text = f"The recording ends early: {held_s:.1f} seconds{said} could be read."
            notices.append(Notice("truncated_audio", text))
        if self.skipped:
            text = f"Damaged places in the recording were skipped: {self.skipped}."
            notices.append(Notice("damaged_audio", text))
        return notices


def check_shape(sample_rate: int, channels: int) -> None:
    """Refuse rates and channel counts outside what can be heard, before anything is allocated for them."""
    if not MIN_RATE_HZ <= sample_rate <= MAX_RATE_HZ:
        raise UndecodableAudio(f"its sample rate is {sample_rate} Hz; {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz can be heard.")
    if not 1 <= channels <= MAX_CHANNELS:
        raise UndecodableAudio(f"it has {channels} channels; 1 to {MAX_CHANNELS} can be heard.")
