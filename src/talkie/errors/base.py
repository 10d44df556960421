"""The root of the tree, and the two errors that stand alone."""

from __future__ import annotations

from typing import ClassVar


class TalkieError(Exception):
    """Base of the tree. `code` is stable, `hint` says what to do next, `param` names the field at fault."""

    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str, *, hint: str = "", param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.param = param


class AnswerError(TalkieError):
    """A server answered a client of ours, but not as a speech server does."""

    code = "bad_answer"

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"The answer of {url} cannot be used: {why}", hint="Is that a speech server's address?")


class Cancelled(TalkieError):
    """The one who asked went away; nobody reads this."""

    code = "cancelled"

    def __init__(self) -> None:
        super().__init__("The request was cancelled.")
