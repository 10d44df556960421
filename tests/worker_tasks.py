"""Worker tasks for the tests of `talkie.engines.workers`: small engines that echo, crash, hang or fail to load."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np


class EchoTask:
    def __init__(self, marker: str = "", load_delay_s: float = 0.0) -> None:
        self._marker = Path(marker) if marker else None
        self._sum = 0.0
        time.sleep(load_delay_s)

    def handle(self, op: str, args: dict[str, Any], payload: memoryview) -> tuple[dict[str, Any], Any]:
        return getattr(self, f"_{op}")(args, payload)

    def _echo(self, args: dict[str, Any], payload: memoryview) -> tuple[dict[str, Any], Any]:
        print("a C library that talks too much")
        print("and complains", file=sys.stderr)
        return {"args": args, "pid": os.getpid(), "modules": sorted(sys.modules)}, bytes(payload)

    def _double(self, args: dict[str, Any], payload: memoryview) -> tuple[dict[str, Any], Any]:
        return {}, np.frombuffer(payload, np.float32) * 2

    def _add(self, args: dict[str, Any], payload: memoryview) -> tuple[dict[str, Any], Any]:
        self._sum += args["value"]
        return {"sum": self._sum}, b""

    def _raise(self, args: dict[str, Any], payload: memoryview) -> tuple[dict[str, Any], Any]:
        raise ValueError("not like that")

    def _too_much(self, args: dict[str, Any], payload: memoryview) -> tuple[dict[str, Any], Any]:
        return {}, bytes(args["bytes"])

    def _sleep(self, args: dict[str, Any], payload: memoryview) -> tuple[dict[str, Any], Any]:
        time.sleep(args["s"])
        return {"pid": os.getpid()}, b""

    def _die(self, args: dict[str, Any], payload: memoryview) -> tuple[dict[str, Any], Any]:
        os.abort()

    def _die_once(self, args: dict[str, Any], payload: memoryview) -> tuple[dict[str, Any], Any]:
        assert self._marker is not None
        if not self._marker.exists():
            self._marker.touch()
            os.abort()
        return {"pid": os.getpid()}, b""


class BrokenTask:
    def __init__(self) -> None:
        raise RuntimeError("the model is missing")
