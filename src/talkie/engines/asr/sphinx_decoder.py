"""PocketSphinx as it runs inside a worker process: samples in, words with frames and probabilities out.

Loudness is brought to one level, the sound is cut at its pauses, and each piece is decoded as a whole, so that the
cepstral mean is that of the piece itself. The numbers in `SphinxSettings` are measured; docs/lab-log.md keeps
the tables, the losing ones too. Knows nothing of pools, transcripts or original times.
Library: https://pocketsphinx.readthedocs.io, parameters as `pocketsphinx_batch(1)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pocketsphinx

from talkie.engines.asr.sphinx_pieces import PieceOptions, pieces
from talkie.types import SAMPLE_RATE_HZ, Samples

FRAME_S = 0.01
_FILLER = re.compile(r"[<\[+].*")
_VARIANT = re.compile(r"\(\d+\)$")


@dataclass(frozen=True, slots=True)
class SphinxSettings:
    """`peak` is the loudness every piece is brought to (0..1); a whole item below `silent_peak` holds nothing."""

    language_weight: float = 5.0
    vocal_tract_warp: float = 1.06
    peak: float = 0.9
    silent_peak: float = 0.002
    shortest_s: float = 0.1
    pieces: PieceOptions = field(default_factory=PieceOptions)
    # Cepstral mean of clean speech, averaged over recordings: where a live utterance starts from.
    typical_mean: str = "51.5,3.3,-0.3,7.2,-7.1,0.7,-8.1,-3.5,-1.6,-1.6,0.4,-1.4,3.4"


class Heard(NamedTuple):
    """A word or phoneme: frames of 10 ms from the start of the item, the last one included."""

    text: str
    first_frame: int
    last_frame: int
    probability: float

    def moved(self, frames: int) -> Heard:
        return self._replace(first_frame=self.first_frame + frames, last_frame=self.last_frame + frames)


class SphinxTask:
    """The worker task. `live` makes the light decoder for partial hypotheses instead of the careful one."""

    def __init__(self, live: bool = False) -> None:
        self._settings = SphinxSettings()
        self._model = Path(pocketsphinx.get_model_path("en-us"))
        self._live = live
        self._decoder = self._load(fwdflat=not live, bestpath=not live)
        self._phones: Any = None
        self._open = False

    def handle(self, op: str, args: dict[str, Any], payload: memoryview) -> tuple[dict[str, Any], Any]:
        samples = np.frombuffer(payload, np.float32)
        match op:
            case "recognize":
                return {"pieces": [list(piece) for piece in self.recognize(samples)]}, b""
            case "phonemes":
                return {"phonemes": self.phonemes(samples)}, b""
            case "begin":
                return self._begin(fresh=bool(args.get("fresh"))), b""
            case "feed":
                return self._feed(samples), b""
        raise ValueError(f"unknown operation {op}")

    def recognize(self, samples: Samples) -> Iterator[list[Heard]]:
        """The words of each piece between pauses; nothing for silence."""
        if not self._audible(samples):
            return
        self._decoder.reinit_feat()  # forgets the background noise of whoever came before
        for start, end in pieces(samples, self._settings.pieces):
            pcm = to_pcm(samples[start:end], self._settings.peak)
            words = self._decode(self._decoder, pcm)
            offset = round(start / SAMPLE_RATE_HZ / FRAME_S)
            if words:
                yield [word.moved(offset) for word in words]

    def phonemes(self, samples: Samples) -> list[Heard]:
        """ARPAbet phonemes and `SIL` with their frames, found without a dictionary (`allphone`)."""
        if not self._audible(samples):
            return []
        if self._phones is None:
            # The beams are those that the library's own documentation gives for phonemes.
            model = str(self._model / "en-us-phone.lm.bin")
            self._phones = self._load(lm=None, dict=None, allphone=model, lw=2.0, beam=1e-20, pbeam=1e-20)
        self._phones.reinit_feat()
        return self._decode(self._phones, to_pcm(samples, self._settings.peak))

    def _begin(self, *, fresh: bool) -> dict[str, Any]:
        if self._open:
            self._decoder.end_utt()
        if fresh:  # nothing of the speaker before may colour the next one
            self._decoder.reinit_feat()
            self._decoder.set_cmn(self._settings.typical_mean)
        self._decoder.start_utt()
        self._open = True
        return {}

    def _feed(self, samples: Samples) -> dict[str, Any]:
        self._decoder.process_raw(to_pcm(samples, None), False, False)
        return {"words": list(heard(self._decoder.seg() if self._decoder.hyp() else ()))}

    def _audible(self, samples: Samples) -> bool:
        long_enough = len(samples) >= self._settings.shortest_s * SAMPLE_RATE_HZ
        return long_enough and float(np.abs(np.nan_to_num(samples)).max()) >= self._settings.silent_peak

    def _load(self, **parameters: Any) -> Any:
        settings = {
            "lw": self._settings.language_weight,
            "warp_type": "inverse_linear",
            "warp_params": str(self._settings.vocal_tract_warp),
            "loglevel": "FATAL",
            **parameters,
        }
        return pocketsphinx.Decoder(**settings)

    @staticmethod
    def _decode(decoder: Any, pcm: bytes) -> list[Heard]:
        decoder.start_utt()
        try:
            decoder.process_raw(pcm, False, True)
        finally:
            decoder.end_utt()
        return list(heard(decoder.seg() if decoder.hyp() is not None else ()))


def heard(segmentation: Any) -> Iterator[Heard]:
    """Words of a decoder's segmentation: fillers (`<sil>`, `[NOISE]`) dropped, `was(2)` is `was`."""
    for part in segmentation:
        if not _FILLER.match(part.word):
            # Posteriors come from a table of logarithms and can be a little over 1.
            yield Heard(_VARIANT.sub("", part.word), part.start_frame, part.end_frame, min(1.0, part.prob))


def to_pcm(samples: Samples, peak: float | None) -> bytes:
    """16-bit PCM of float samples, its largest brought to `peak` (None: as it is). NaN becomes silence."""
    finite = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0)
    gain = 1.0 if peak is None else peak / max(float(np.abs(finite).max(initial=0.0)), 1e-6)
    pcm = (np.clip(finite * gain, -1.0, 1.0) * 32767.0).astype("<i2")
    return bytes(pcm.data)
