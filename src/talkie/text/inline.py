"""Phonemes written into a plain text: `{ipa:həˈloʊ}`, or `{hello|ipa:həˈloʊ}` so that a reader still sees letters.

Anything else in braces is ordinary text. Reads a text that is still coming in. Knows nothing of sentences.
"""

from __future__ import annotations

import re

from talkie.errors import InvalidValue
from talkie.text.parts import Say
from talkie.text.phonemes import MAX_PHONEMES, is_ipa, stranger

MAX_SHOWN = 100
_MARKUP = re.compile(rf"\{{(?:([^{{}}|\n]{{1,{MAX_SHOWN}}})\|)?ipa:([^{{}}\n]{{1,{MAX_PHONEMES}}})\}}")
_LONGEST = MAX_SHOWN + MAX_PHONEMES + len("{|ipa:}")


class InlineReader:
    """Turns text into `Say`s whose offsets are those of the plain text."""

    def __init__(self) -> None:
        self._text = ""
        self._plain = 0

    def feed(self, text: str) -> list[Say]:
        """What is certain by now: a brace that may still become markup is kept back. Raises `InvalidValue`."""
        self._text += text
        return self._take(self._open_brace())

    def finish(self) -> list[Say]:
        return self._take(len(self._text))

    def _open_brace(self) -> int:
        """Where the last brace stands that is not closed and not too long to be markup, or the end."""
        at = self._text.rfind("{", max(0, len(self._text) - _LONGEST))
        open_ = at >= 0 and "}" not in self._text[at:] and "\n" not in self._text[at:]
        return at if open_ else len(self._text)

    def _take(self, end: int) -> list[Say]:
        says: list[Say] = []
        at = 0
        for found in _MARKUP.finditer(self._text, 0, end):
            self._add(says, self._text[at : found.start()])
            self._add(says, found[1] or found[2], _checked(found[2]))
            at = found.end()
        self._add(says, self._text[at:end])
        self._text = self._text[end:]
        return says

    def _add(self, says: list[Say], text: str, phonemes: str | None = None) -> None:
        if text:
            says.append(Say(text, self._plain, phonemes=phonemes))
            self._plain += len(text)


def _checked(phonemes: str) -> str:
    ipa = phonemes.strip()
    if is_ipa(ipa):
        return ipa
    found = stranger(ipa)
    why = f"U+{ord(found):04X} is no letter of it" if found else "there is no sound in it"
    raise InvalidValue("input", f"The phonemes in {{ipa:…}} are not IPA: {why}.", hint="Write {ipa:həˈloʊ}.")  # noqa: RUF001
