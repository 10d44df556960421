"""A subset of SSML 1.1, read into stretches to be said and pauses: speak p s lang break prosody phoneme say-as sub.

Nothing is passed over in silence: an element, attribute or value that is not known is a `BadSsml` with its line.
Document types and entities of one's own are refused, and size and depth are bounded, so a hostile text costs little.
Source: https://www.w3.org/TR/speech-synthesis11/
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar
from xml.parsers import expat

from talkie.errors import BadSsml
from talkie.text.parts import Part, Pause, Say, Voicing
from talkie.text.sentences import LINE_S, SENTENCE_S
from talkie.text.ssml_spelling import spelled
from talkie.text.ssml_values import (
    BadValue,
    break_seconds,
    language_tag,
    phonemes,
    pitch_factor,
    rate_factor,
    short_text,
    volume_factor,
)

_T = TypeVar("_T")

MAX_DEPTH = 32
MAX_ELEMENTS = 50_000
MAX_PAUSES_S = 60.0
MAX_WHOLE_CHARACTERS = 200
"""The longest text of one phoneme, say-as or sub element: it is said in one breath."""

_BEGINNING = re.compile(r"\s*<(?:speak[\s/>]|\?xml\s)")
_SPACE = re.compile(r"\s+")
_XML = frozenset({"xml:lang", "xml:id", "xml:base", "onlangfailure"})
_ATTRIBUTES = {
    "speak": _XML | {"version"},
    "p": _XML,
    "s": _XML,
    "lang": _XML,
    "break": frozenset({"time", "strength"}),
    "prosody": frozenset({"rate", "pitch", "volume"}),
    "phoneme": frozenset({"alphabet", "ph"}),
    "say-as": frozenset({"interpret-as", "format", "detail"}),
    "sub": frozenset({"alias"}),
}
KNOWN = tuple(_ATTRIBUTES)
_WHOLE = frozenset({"phoneme", "say-as", "sub"})
_ENDS = {"s": SENTENCE_S, "p": LINE_S}


def looks_like_ssml(text: str) -> bool:
    return _BEGINNING.match(text.removeprefix("\ufeff")) is not None


def parse(text: str) -> tuple[Part, ...]:
    """The parts of a whole SSML document. White space is folded as in a book; an element never joins two words.

    Raises `BadSsml`, naming the line, for everything that is wrong with it.
    """
    return _Reader().read(text.removeprefix("\ufeff").lstrip())


@dataclass(slots=True)
class _Open:
    """An element that is not closed yet; `text` collects what stands in those that are said whole."""

    name: str
    attributes: dict[str, str]
    voicing: Voicing
    text: str = ""


class _Reader:
    def __init__(self) -> None:
        self._parts: list[Part] = []
        self._open: list[_Open] = []
        self._length = 0
        self._space = False  # white space is due before what comes
        self._elements = 0
        self._pauses_s = 0.0
        self._structural = False  # the last part is a pause that only an element's end gave
        self._parser = expat.ParserCreate("utf-8")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype

    def read(self, text: str) -> tuple[Part, ...]:
        try:
            self._parser.Parse(text.encode(), True)
        except expat.ExpatError as error:
            raise BadSsml(error.lineno, f"{expat.ErrorString(error.code)}.") from None
        except UnicodeEncodeError as error:
            raise BadSsml(text.count("\n", 0, error.start) + 1, "half of a surrogate pair.") from None
        if self._last_pause() is not None and self._structural:
            self._parts.pop()
        return tuple(self._parts)

    def _refuse_doctype(self, *_: object) -> None:
        raise self._wrong("a document type is not allowed.")

    def _wrong(self, why: str) -> BadSsml:
        return BadSsml(self._parser.CurrentLineNumber, why)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        self._check(name, attributes)
        self._open.append(_Open(name, attributes, self._voicing(name, attributes)))
        if name in _ENDS:
            self._boundary(_ENDS[name])
        elif name == "break":
            self._break(attributes)

    def _check(self, name: str, attributes: dict[str, str]) -> None:
        if name not in _ATTRIBUTES:
            raise self._wrong(f"there is no element {name[:40]!r}; known are {', '.join(KNOWN)}.")
        if not self._open and name != "speak":
            raise self._wrong("the outermost element must be speak.")
        if self._open and name == "speak":
            raise self._wrong("speak must be the outermost element.")
        if self._open and (self._open[-1].name in _WHOLE or self._open[-1].name == "break"):
            raise self._wrong(f"no element can stand in {self._open[-1].name}.")
        if len(self._open) >= MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise self._wrong(f"more than {MAX_DEPTH} elements in each other or {MAX_ELEMENTS} in all.")
        for attribute in attributes:
            namespace = name == "speak" and attribute.startswith(("xmlns", "xsi:"))
            if attribute not in _ATTRIBUTES[name] and not namespace:
                known = ", ".join(sorted(_ATTRIBUTES[name]))
                raise self._wrong(f"{name} has no attribute {attribute[:40]!r}; known are {known}.")

    def _voicing(self, name: str, attributes: dict[str, str]) -> Voicing:
        voicing = self._open[-1].voicing if self._open else Voicing()
        if "xml:lang" in attributes:
            voicing = replace(voicing, lang=self._value(name, "xml:lang", attributes, language_tag))
        elif name == "lang":
            raise self._wrong("lang wants the attribute xml:lang.")
        if name != "prosody":
            return voicing
        if not attributes:
            raise self._wrong("prosody wants rate, pitch or volume.")
        return replace(
            voicing,
            rate=self._factor("rate", attributes, rate_factor, voicing.rate, (0.25, 4.0)),
            pitch=self._factor("pitch", attributes, pitch_factor, voicing.pitch, (0.5, 2.0)),
            volume=self._factor("volume", attributes, volume_factor, voicing.volume, (0.0, 2.0)),
        )

    def _factor(
        self,
        name: str,
        attributes: dict[str, str],
        read: Callable[[str], float],
        outer: float,
        bounds: tuple[float, float],
    ) -> float:
        if name not in attributes:
            return outer
        factor = round(outer * self._value("prosody", name, attributes, read), 4)
        if not bounds[0] <= factor <= bounds[1]:
            raise self._wrong(f"{name} comes to {factor:g} times; {bounds[0]:g} to {bounds[1]:g} can be done.")
        return factor

    def _value(self, name: str, attribute: str, attributes: dict[str, str], read: Callable[[str], _T]) -> _T:
        if attribute not in attributes:
            raise self._wrong(f"{name} wants the attribute {attribute}.")
        try:
            return read(attributes[attribute].strip())
        except BadValue as error:
            raise self._wrong(f"{name} {attribute}: {error}.") from None

    def _break(self, attributes: dict[str, str]) -> None:
        try:
            seconds = break_seconds(attributes.get("time"), attributes.get("strength"))
        except BadValue as error:
            raise self._wrong(f"break: {error}.") from None
        before = self._last_pause()
        if before is not None and not self._structural:
            seconds += before
        self._pause(seconds, structural=False)

    def _boundary(self, seconds: float) -> None:
        """An element that is spoken apart begins or ends here: a pause, unless somebody wrote one of their own."""
        before = self._last_pause()
        if self._parts and (before is None or self._structural):
            self._pause(max(seconds, before or 0.0), structural=True)

    def _last_pause(self) -> float | None:
        last = self._parts[-1] if self._parts else None
        return last.seconds if isinstance(last, Pause) else None

    def _pause(self, seconds: float, *, structural: bool) -> None:
        """In place of one that was there already."""
        before = self._last_pause()
        if before is not None:
            self._parts.pop()
        self._space = True
        self._parts.append(Pause(seconds))
        self._structural = structural
        if not structural:
            self._pauses_s += seconds - (before or 0.0)
        if self._pauses_s > MAX_PAUSES_S:
            raise self._wrong(f"the breaks come to more than {MAX_PAUSES_S:g} seconds.")

    def _characters(self, text: str) -> None:
        innermost = self._open[-1]
        if innermost.name in _WHOLE:
            innermost.text += text
            if len(innermost.text) > MAX_WHOLE_CHARACTERS:
                raise self._wrong(f"{innermost.name} holds more than {MAX_WHOLE_CHARACTERS} characters.")
            return
        if innermost.name == "break" and not text.isspace():
            raise self._wrong("no text can stand in break.")
        words = _SPACE.sub(" ", text)
        self._space |= words.startswith(" ")
        if words.strip(" "):
            self._say(words.strip(" "))
            self._space = words.endswith(" ")

    def _say(self, text: str, spoken: str | None = None, ipa: str | None = None) -> None:
        voicing = self._open[-1].voicing
        if self._space and self._length:
            if spoken is None and ipa is None:
                text = f" {text}"
            else:
                self._append(Say(" ", self._length, voicing.lang, voicing.rate, voicing.pitch, voicing.volume))
        self._space = False
        self._append(
            Say(text, self._length, voicing.lang, voicing.rate, voicing.pitch, voicing.volume, spoken, ipa),
        )

    def _append(self, say: Say) -> None:
        self._parts.append(say)
        self._length += len(say.text)

    def _end(self, name: str) -> None:
        element = self._open[-1]
        if name in _WHOLE:
            self._say_whole(element)
        elif name in _ENDS:
            self._boundary(_ENDS[name])
        self._open.pop()

    def _say_whole(self, element: _Open) -> None:
        text = _SPACE.sub(" ", element.text).strip()
        if element.name == "sub":
            alias = self._value("sub", "alias", element.attributes, short_text)
            self._say(text or alias, spoken=alias)
        elif element.name == "phoneme":
            ipa = self._phonemes(element.attributes)
            self._say(text or ipa, ipa=ipa)
        elif text:
            self._say(text, spoken=self._spelled(element, text))

    def _phonemes(self, attributes: dict[str, str]) -> str:
        alphabet = attributes.get("alphabet", "ipa").lower()
        return self._value("phoneme", "ph", attributes, lambda written: phonemes(written, alphabet))

    def _spelled(self, element: _Open, text: str) -> str:
        try:
            return spelled(text, element.attributes.get("interpret-as", ""), element.voicing.lang)
        except BadValue as error:
            raise self._wrong(f"say-as: {error}.") from None
