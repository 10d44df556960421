"""espeak-ng as it runs inside a worker process: text in, 16-bit PCM and timed marks out, a few seconds a reply.

Knows nothing of pools, voice names to be refused or the text's length: `espeak.py` has checked all that. Nor of NumPy,
without which the process starts in half the time and in half the memory.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import Any

from talkie.engines.tts.espeak_library import EspeakLibrary, Speech, SpeechEvent
from talkie.engines.tts.espeak_phonemes import in_mnemonics, mnemonics, table
from talkie.engines.tts.espeak_text import Composed, compose

REPLY_S = 5
Row = tuple[str, str, float, float]
"""Kind (`word` or `phoneme`), text, start and end in seconds of the utterance."""


class EspeakTask:
    """The worker task: `voices`, then `speak` and as many `more` as its replies ask for."""

    def __init__(self) -> None:
        self._library = EspeakLibrary()
        # By identifier, because espeak-ng lists a few names (`en-gb`, `fr-fr`) that it then cannot find.
        self._identifiers: dict[str, str] = {}
        for voice in self._library.voices():
            self._identifiers.setdefault(voice.languages[0], voice.identifier)
        self._voice = ""
        self._sounds: dict[str, dict[str, str]] = {}  # by voice: IPA to mnemonic
        self._pcm = b""
        self._peak = 0
        self._rows: list[Row] = []
        self._at = 0

    def handle(self, op: str, args: dict[str, Any], payload: memoryview) -> tuple[dict[str, Any], Any]:
        if op == "voices":
            return self._voices(), b""
        if op == "speak":
            try:
                self._speak(bytes(payload).decode(), args)
            except ValueError as error:
                return {"unsayable": str(error)}, b""
        return self._next()

    def _voices(self) -> dict[str, Any]:
        return {
            "voices": [(voice.languages[0], list(voice.languages)) for voice in self._library.voices()],
            "variants": self._library.variants(),
            "sample_rate": self._library.sample_rate_hz,
        }

    def _speak(self, text: str, args: dict[str, Any]) -> None:
        """Raises `ValueError` with a symbol of the phonemes that the voice cannot say."""
        self._pcm, self._rows, self._at = b"", [], 0
        self._set_voice(args["voice"])
        composed = compose(text, args["phonemes"], self._in_mnemonics)
        self._library.set_rate(args["words_per_minute"])
        self._library.set_pitch(args["pitch"])
        speech = self._library.speak(composed.text, phonemes=composed.has_phonemes)
        self._pcm = speech.pcm
        self._peak = max(map(abs, array("h", speech.pcm)), default=0) if args["volume"] > 1 else 0
        self._rows = sorted(marks(speech, composed), key=_in_time)

    def _set_voice(self, voice: str) -> None:
        """Only when it changes: the library reads files for it, longer than it speaks a short text."""
        if voice != self._voice:
            name, plus, variant = voice.partition("+")
            self._voice = ""
            self._library.set_voice(f"{self._identifiers[name]}{plus}{variant}")
            self._voice = voice

    def _in_mnemonics(self, ipa: str) -> str:
        name = self._voice.partition("+")[0]
        if name not in self._sounds:
            self._sounds[name] = table(mnemonics(self._library.data_path), self._pronounce)
        return in_mnemonics(ipa, self._sounds[name])

    def _pronounce(self, names: str) -> str:
        events = self._library.speak(f"[[{names}]]", end_pause=False, phonemes=True).events
        return "".join(event.phoneme for event in events if event.kind == "phoneme")

    def _next(self) -> tuple[dict[str, Any], Any]:
        """The next few seconds and the marks that begin in them; a mark is never in two replies."""
        bytes_a_second = 2 * self._library.sample_rate_hz
        part = self._pcm[self._at : self._at + REPLY_S * bytes_a_second]
        self._at += len(part)
        more = self._at < len(self._pcm)
        end_s = self._at / bytes_a_second
        now = [row for row in self._rows if not more or row[2] < end_s]
        self._rows = self._rows[len(now) :]
        return {"marks": now, "more": more, "peak": self._peak}, part


def marks(speech: Speech, composed: Composed) -> list[Row]:
    """Words, then phonemes, with start and end. A word lasts from its first phoneme to the end of its last: espeak-ng
    counts the pause after a word to the word."""
    duration_s = speech.duration_s
    phonemes: list[Row] = [
        ("phoneme", event.phoneme, event.time_s, end_s)
        for event, end_s in _stretches(speech.events, ("phoneme", "end"), duration_s)
        if event.kind == "phoneme" and event.phoneme
    ]
    words, reached = list[Row](), -1
    for event, end_s in _stretches(speech.events, ("word", "sentence", "end"), duration_s):
        at, name = composed.name(event.text_position, event.length)
        if event.kind != "word" or not name:
            continue
        inside = [row for row in phonemes if event.time_s <= row[2] < end_s]
        start_s = inside[0][2] if inside else event.time_s
        end_s = max(start_s, inside[-1][3] if inside else end_s)
        if at < reached:  # a number is said in several words, each of them told as the same or a little further on
            words[-1] = (*words[-1][:3], max(end_s, words[-1][3]))
        else:
            words.append(("word", name, start_s, end_s))
            reached = at + len(name)
    return [*words, *phonemes]


def _stretches(
    events: Sequence[SpeechEvent], kinds: tuple[str, ...], duration_s: float
) -> Iterator[tuple[SpeechEvent, float]]:
    """Events of some kinds, each with the time at which the next one begins."""
    edges = [event for event in events if event.kind in kinds]
    for event, following in zip(edges, [*edges[1:], None], strict=True):
        end_s = following.time_s if following else duration_s
        yield event, max(min(end_s, duration_s), event.time_s)


def _in_time(row: Row) -> tuple[float, bool]:
    return row[2], row[0] != "word"
