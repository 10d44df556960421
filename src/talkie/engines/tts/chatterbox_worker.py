"""Chatterbox as it runs in an environment of its own: text and a recording in, sound out.

Run by path, by the interpreter of that environment: imports the standard library and the package, and nothing of
Talkie. It never touches the network, and writes texts nowhere. `chatterbox.py` has checked what comes.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

NOBODY_WANTS_IT = 0xFF
_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE")
_SECRETS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")


class CalledOff(Exception):
    """Nobody wants the answer any more."""


class NoDevice(Exception):
    """It was to run where it cannot."""


class ChatterboxTask:
    """The worker task: `hello`, then `speak`. Remembers the last recording, whose analysis takes a second or more."""

    def __init__(self, model: str, threads: int, device: str, memory_bytes: int) -> None:
        for name in _OFFLINE:
            os.environ[name] = "1"
        for name in [one for one in os.environ if one in _SECRETS or one.startswith("TALKIE_")]:
            del os.environ[name]
        self._broken, self._no_device = "", False
        self._payload: memoryview | None = None
        self._reference = ""
        try:
            self._load(model, threads, device, memory_bytes)
        except NoDevice:
            self._no_device = True
        except Exception as error:  # the package raises what it meets
            self._broken = f"{type(error).__name__}: {error}"[:300]

    def _load(self, model: str, threads: int, device: str, memory_bytes: int) -> None:
        torch = import_module("torch")  # by name: Talkie's own process never has these
        if import_module("perth").PerthImplicitWatermarker is None:
            raise RuntimeError("its watermark cannot be loaded, and nothing is said without")
        torch.set_num_threads(threads)
        has_cuda = bool(torch.cuda.is_available())
        if device == "cuda" and not has_cuda:
            raise NoDevice
        self._device = "cuda" if has_cuda and device != "cpu" else "cpu"
        if self._device == "cpu" and sys.platform == "linux":  # a graphics card maps memory beyond measure
            resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
        self._tts: Any = import_module("chatterbox.tts").ChatterboxTTS.from_local(model, self._device)
        self._own = self._tts.conds
        self._can_stop = _watch_tokens(self._tts, self._look)

    def handle(self, op: str, args: dict[str, Any], payload: memoryview) -> tuple[dict[str, Any], Any]:
        if self._broken or self._no_device:
            return {"broken": self._broken, "no_device": self._no_device}, b""
        if op == "hello":
            own = self._own is not None
            return {"device": self._device, "rate": int(self._tts.sr), "own": own, "can_stop": self._can_stop}, b""
        self._payload = payload
        try:
            return {"called_off": False}, self._speak(bytes(payload).decode(), args)
        except CalledOff:
            return {"called_off": True}, b""
        finally:
            self._payload = None

    def _speak(self, text: str, args: dict[str, Any]) -> bytes:
        recording = args["reference"]
        if not recording:
            self._tts.conds, self._reference = self._own, ""  # nobody is spoken for by the voice of the one before
        fresh = bool(recording) and args["fingerprint"] != self._reference
        if fresh:
            self._reference = ""
        made = self._tts.generate(
            text,
            audio_prompt_path=recording if fresh else None,
            exaggeration=args["exaggeration"],
            cfg_weight=args["cfg_weight"],
        )
        if recording:
            self._reference = args["fingerprint"]
        sound: bytes = made.squeeze(0).detach().cpu().numpy().astype("float32").tobytes()
        return sound

    def _look(self, *_: Any) -> None:
        """Called before each token."""
        if self._payload is not None and self._payload[0] == NOBODY_WANTS_IT:
            raise CalledOff


def _watch_tokens(tts: Any, look: Callable[..., None]) -> bool:
    """Have `look` called before each token, where the model has the part that makes them."""
    hook = getattr(getattr(getattr(tts, "t3", None), "tfmr", None), "register_forward_pre_hook", None)
    if hook is None:
        return False
    hook(look)
    return True
