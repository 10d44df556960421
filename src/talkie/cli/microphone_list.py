"""`talkie listen --devices`: the microphones that are here, and whether the one in use hears anything."""

from __future__ import annotations

import math
import sys
import threading
import time

from talkie.cli.microphone import Microphone, devices, peak
from talkie.cli.output import say, table
from talkie.cli.stop import Stop

TRY_S = 3.0
REPAINT_S = 0.1
RANGE_DB = 60
BAR_COLUMNS = 30
SILENT_DB, FAINT_DB = -90.0, -45.0


def show_devices(device: str | None) -> None:
    """The list on stdout, then the level of one on stderr. Raises `NoMicrophone`."""
    found = devices()
    if not found:
        say("There is no microphone.")
        say("hint: plug one in, or take a recording: talkie listen --file PATH")
        return
    rows = [
        (str(one.number), one.name, str(one.channels), f"{one.rate_hz} Hz", "default" if one.is_default else "")
        for one in found
    ]
    for line in table(("NUMBER", "NAME", "CHANNELS", "RATE", ""), rows):
        print(line)
    say(f"Say something, for {TRY_S:.0f} seconds.")
    say(verdict(_loudest(device)))


def _loudest(device: str | None) -> float:
    """The loudest sample of a few seconds, 0 to 1, with a meter where somebody looks."""
    loudest, painted_at = 0.0, 0.0
    with Microphone(device) as microphone:
        stop = Stop()
        timer = threading.Timer(TRY_S, stop.set)
        timer.start()
        try:
            for piece in microphone.pieces(stop):
                now = peak(piece)
                loudest = max(loudest, now)
                if sys.stderr.isatty() and time.monotonic() > painted_at + REPAINT_S:
                    painted_at = time.monotonic()
                    print(f"\r{meter(now)}", end="", file=sys.stderr, flush=True)
        finally:
            timer.cancel()
    if painted_at:
        print(file=sys.stderr)
    return loudest


def meter(level: float) -> str:
    """A bar for a level of 0 to 1."""
    full = round(max(0.0, 1 + decibels(level) / RANGE_DB) * BAR_COLUMNS)
    return f"[{'#' * full:<{BAR_COLUMNS}}] {max(decibels(level), -RANGE_DB):4.0f} dB"


def verdict(level: float) -> str:
    loud_db = decibels(level)
    if loud_db < SILENT_DB:
        return "Nothing but silence came. Is it muted, or may this program not hear it?"
    if loud_db < FAINT_DB:
        return f"It is faint: {loud_db:.0f} dB at most. Come nearer, or raise its level."
    return f"It hears: {loud_db:.0f} dB at most."


def decibels(level: float) -> float:
    return 20 * math.log10(max(level, 1e-6))
