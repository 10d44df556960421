"""Live sessions that cannot go on."""

from __future__ import annotations

from talkie.errors.base import TalkieError


class SessionError(TalkieError):
    """A live session cannot go on."""

    code = "session_error"


class SessionLagging(SessionError):
    code = "session_lagging"

    def __init__(self, lag_s: float) -> None:
        super().__init__(
            f"The machine is {lag_s:.0f} seconds behind the speaker and cannot catch up.",
            hint="Use a smaller model or fewer sessions at once; `talkie bench live` shows how many fit.",
        )


class SlowReader(SessionError):
    code = "slow_reader"

    def __init__(self) -> None:
        super().__init__("The client does not read what it is told.", hint="Read events while you send sound.")


class SessionIdle(SessionError):
    code = "session_idle"

    def __init__(self, idle_s: float) -> None:
        super().__init__(
            f"No sound came for {idle_s:g} seconds.", hint="Send silence while nobody speaks, or open a new session."
        )


class SessionEnded(SessionError):
    code = "session_ended"

    def __init__(self) -> None:
        super().__init__("The session was ended by somebody else.", hint="Open a new one.")


class SessionNotFound(SessionError):
    code = "session_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such session.", hint="GET /v1/sessions lists those that are open.")
