"""espeak-ng through ctypes: text in, samples and timed events out.

The library keeps its state in globals of the process and is not thread-safe: open one `EspeakLibrary`
a process, call it from one thread, and use a process of its own where a crash must not reach the caller.
This file does not know about worker processes, resampling or Talkie's voice names.
API: https://github.com/espeak-ng/espeak-ng/blob/1.52.0/src/include/espeak-ng/speak_lib.h
"""

from __future__ import annotations

import ctypes
import importlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

EventKind = Literal["word", "sentence", "phoneme", "end"]

_EVENT_KINDS: dict[int, EventKind] = {1: "word", 2: "sentence", 5: "end", 7: "phoneme"}
_SYNCHRONOUS = 2  # samples go to the callback before espeak_Synth returns; no sound device is opened
_PHONEME_EVENTS, _PHONEME_IPA, _DONT_EXIT = 0x1, 0x2, 0x8000
_CHARS_UTF8, _PHONEME_INPUT, _END_PAUSE = 0x1, 0x100, 0x1000
_RATE, _VOLUME, _PITCH, _RANGE, _WORD_GAP = 1, 2, 3, 4, 7
_CALLBACK_MS = 200


class EspeakError(RuntimeError):
    """espeak-ng could not be loaded, or refused a call."""


@dataclass(frozen=True)
class EspeakVoice:
    name: str
    identifier: str  # such as "gmw/en-US"; variants begin with "!v/"
    languages: tuple[str, ...]
    gender: Literal["", "male", "female"]


@dataclass(frozen=True)
class SpeechEvent:
    kind: EventKind
    time_s: float  # from the start of the samples
    text_position: int  # index of the first character, from 0
    length: int  # characters; only words have one
    phoneme: str  # IPA name; only phonemes have one


@dataclass(frozen=True)
class Speech:
    pcm: bytes  # 16-bit, of this machine's byte order
    sample_rate_hz: int
    events: tuple[SpeechEvent, ...]

    @property
    def samples(self) -> npt.NDArray[np.int16]:
        import numpy as np  # here, because a worker process starts in half the time without it

        return np.frombuffer(self.pcm, np.int16)

    @property
    def duration_s(self) -> float:
        return len(self.pcm) / 2 / self.sample_rate_hz


@dataclass
class _Job:
    chunks: list[bytes] = field(default_factory=list)
    events: list[SpeechEvent] = field(default_factory=list)


class _EventId(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


class _Voice(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class EspeakLibrary:
    """The one espeak-ng of this process.

    Paths default to those of the `espeakng_loader` package. Raises `EspeakError` where the library or
    its data cannot be loaded.
    """

    def __init__(self, library_path: str | None = None, data_path: str | None = None) -> None:
        if library_path is None or data_path is None:
            loader = importlib.import_module("espeakng_loader")
            library_path = library_path or loader.get_library_path()
            data_path = data_path or loader.get_data_path()
        try:
            self._library = ctypes.CDLL(library_path)
        except OSError as error:
            raise EspeakError(f"cannot load espeak-ng from {library_path}: {error}") from error
        _declare(self._library)
        self.data_path = str(data_path)
        options = _PHONEME_EVENTS | _PHONEME_IPA | _DONT_EXIT
        self.sample_rate_hz: int = self._library.espeak_Initialize(
            _SYNCHRONOUS, _CALLBACK_MS, str(data_path).encode(), options
        )
        if self.sample_rate_hz <= 0:
            raise EspeakError(f"cannot initialise espeak-ng with data from {data_path}")
        self._voices: list[EspeakVoice] = []
        self._job = _Job()
        self._callback = _Callback(self._receive)  # kept: C holds the pointer
        self._library.espeak_SetSynthCallback(self._callback)

    def voices(self) -> list[EspeakVoice]:
        """The languages' voices, without variants and without those that are silent, for want of a dictionary."""
        if not self._voices:
            self._voices = [voice for voice in self._list_voices(None) if self._has_dictionary(voice)]
        return self._voices

    def _has_dictionary(self, voice: EspeakVoice) -> bool:
        """It is named in the voice's file, or else named as its language is."""
        data = Path(self.data_path)
        file = data / "lang" / voice.identifier
        lines = file.read_text("utf-8", "replace").splitlines() if file.is_file() else []
        named = [line.split()[1] for line in lines if line.startswith("dictionary ")]
        name = named[0] if named else voice.languages[0].split("-")[0]
        return (data / f"{name}_dict").is_file()

    def variants(self) -> list[str]:
        """Names that follow the plus sign in a voice such as `en-us+f3`."""
        query = _Voice()
        language = ctypes.create_string_buffer(b"variant")
        query.languages = ctypes.addressof(language)
        found = self._list_voices(query)
        return sorted(voice.identifier.removeprefix("!v/") for voice in found)

    def set_voice(self, name: str) -> None:
        """Choose a voice, a language or an identifier, with or without a variant: `en-us+f3`.

        The parameters below keep their values.
        """
        if not self._choose(name) and not self._choose(self._in_language(name)):
            raise EspeakError(f"espeak-ng: no voice {name!r}")

    def _choose(self, name: str | None) -> bool:
        return name is not None and self._library.espeak_SetVoiceByName(name.encode()) == 0

    def _in_language(self, name: str) -> str | None:
        """The library looks voices up by name and file, not by language: `en-gb` is `gmw/en`."""
        language, plus, variant = name.partition("+")
        for voice in self.voices():
            if language.lower() in voice.languages:
                return voice.identifier + plus + variant
        return None

    def set_rate(self, words_per_minute: int) -> None:
        """80 to 450; 175 when nothing is set."""
        self._set(_RATE, words_per_minute)

    def set_pitch(self, pitch: int) -> None:
        """0 to 99; 50 when nothing is set."""
        self._set(_PITCH, pitch)

    def set_pitch_range(self, pitch_range: int) -> None:
        """0 (one tone) to 100; 50 when nothing is set."""
        self._set(_RANGE, pitch_range)

    def set_volume(self, percent: int) -> None:
        """0 to 200; 100 when nothing is set. Above it the samples may clip."""
        self._set(_VOLUME, percent)

    def set_word_gap(self, gap_10ms: int) -> None:
        """Extra pause between words in units of 10 ms at the normal rate; 0 when nothing is set."""
        self._set(_WORD_GAP, gap_10ms)

    def speak(self, text: str, *, end_pause: bool = True, phonemes: bool = False) -> Speech:
        """Synthesise the whole text before returning. `phonemes`: what is between `[[` and `]]` are mnemonics."""
        self._job = _Job()
        data = text.encode()
        flags = _CHARS_UTF8 | (_END_PAUSE if end_pause else 0) | (_PHONEME_INPUT if phonemes else 0)
        status = self._library.espeak_Synth(data, len(data) + 1, 0, 1, 0, flags, None, None)
        self._check(status, "cannot synthesise")
        return Speech(b"".join(self._job.chunks), self.sample_rate_hz, tuple(self._job.events))

    def _receive(self, samples: Any, count: int, events: Any) -> int:
        if count > 0:
            self._job.chunks.append(ctypes.string_at(samples, 2 * count))
        index = 0
        while events[index].type != 0:
            event = events[index]
            index += 1
            kind = _EVENT_KINDS.get(event.type)
            if kind is None:
                continue
            phoneme = event.id.string.decode("utf-8", "replace") if kind == "phoneme" else ""
            length = event.length if kind == "word" else 0
            position = max(event.text_position - 1, 0)
            self._job.events.append(SpeechEvent(kind, event.audio_position / 1000, position, length, phoneme))
        return 0  # go on

    def _list_voices(self, query: _Voice | None) -> list[EspeakVoice]:
        found = self._library.espeak_ListVoices(ctypes.byref(query) if query is not None else None)
        voices: list[EspeakVoice] = []
        while found[len(voices)]:
            voices.append(_to_voice(found[len(voices)].contents))
        return voices

    def _set(self, parameter: int, value: int) -> None:
        self._check(self._library.espeak_SetParameter(parameter, value, 0), "cannot set a parameter")

    @staticmethod
    def _check(status: int, message: str) -> None:
        if status != 0:
            raise EspeakError(f"espeak-ng: {message} (status {status})")


def _to_voice(voice: _Voice) -> EspeakVoice:
    genders: dict[int, Literal["male", "female"]] = {1: "male", 2: "female"}
    languages: list[str] = []
    address: int = voice.languages or 0
    # A list of: one byte of priority, then a NUL-terminated name; a zero priority ends it.
    while address and ctypes.string_at(address, 1) != b"\0":
        name = ctypes.string_at(address + 1)
        languages.append(name.decode())
        address += len(name) + 2
    return EspeakVoice(
        (voice.name or b"").decode(),
        (voice.identifier or b"").decode(),
        tuple(languages),
        genders.get(voice.gender, ""),
    )


def _declare(library: ctypes.CDLL) -> None:
    c_int, c_char_p, c_void_p = ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p
    library.espeak_Initialize.argtypes = [c_int, c_int, c_char_p, c_int]
    library.espeak_SetSynthCallback.argtypes = [_Callback]
    library.espeak_SetSynthCallback.restype = None
    library.espeak_ListVoices.argtypes = [c_void_p]
    library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
    library.espeak_SetVoiceByName.argtypes = [c_char_p]
    library.espeak_SetParameter.argtypes = [c_int, c_int, c_int]
    synth = library.espeak_Synth
    synth.argtypes = [c_char_p, ctypes.c_size_t, ctypes.c_uint, c_int, ctypes.c_uint, ctypes.c_uint, c_void_p, c_void_p]
