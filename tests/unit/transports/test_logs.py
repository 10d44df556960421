"""What the server's log says, and what it does not."""

from __future__ import annotations

import json
import logging
import sys

from talkie.transports.logs import JsonFormatter, SafeFormatter

CANARY = "canary-4711"


def record(**extra: object) -> logging.LogRecord:
    """A record of a fault with a cause, both of which quote what a user sent."""
    try:
        try:
            raise KeyError(CANARY)
        except KeyError as cause:
            raise ValueError(CANARY) from cause
    except ValueError:
        made = logging.LogRecord("talkie.x", logging.ERROR, __file__, 1, "A %s failed", ("request",), sys.exc_info())
    for name, value in extra.items():
        setattr(made, name, value)
    return made


def test_a_traceback_has_places_and_kinds_and_no_words() -> None:
    text = SafeFormatter().format(record())
    assert "A request failed" in text and "ValueError" in text and "KeyError" in text and "test_logs.py:" in text
    assert CANARY not in text


def test_json_is_one_object_a_line_with_its_facts() -> None:
    text = JsonFormatter().format(record(facts={"status": 500}))
    found = json.loads(text)
    assert "\n" not in text and CANARY not in text
    assert (found["level"], found["message"], found["status"]) == ("error", "A request failed", 500)
