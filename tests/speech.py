"""Synthetic speech for tests: `say("open the door")` gives samples.

espeak-ng runs in a child process, because its state is global and a crash of it must not end the tests. What was
said once is kept for the session. Callers that change the samples must copy them first: they are read-only.
"""

import functools
import subprocess
import sys

import numpy as np
import numpy.typing as npt
import soxr

_CHILD = """
import sys
from talkie.engines.tts.espeak_library import EspeakLibrary
voice, rate, text = sys.argv[1], int(sys.argv[2]), sys.argv[3]
library = EspeakLibrary()
library.set_voice(voice)
library.set_rate(rate)
speech = library.speak(text)
sys.stdout.buffer.write(speech.sample_rate_hz.to_bytes(4, "little") + speech.pcm)
"""
"""Without NumPy, to load which is four fifths of what a child costs."""


@functools.cache
def say(text: str, voice: str = "en-us+klatt4", rate: int = 160, sample_rate: int = 16_000) -> npt.NDArray[np.float32]:
    """Speech as mono samples from -1 to 1.

    `voice` is an espeak-ng voice, with or without a variant; `rate` is in words a minute. The default gives the same
    samples every time; variants with breath in them (f2, f3) draw their noise from the clock.
    """
    command = [sys.executable, "-c", _CHILD, voice, str(rate), text]
    output = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    native_rate = int.from_bytes(output[:4], "little")
    samples = np.frombuffer(output[4:], np.int16).astype(np.float32) / 32768
    resampled = np.asarray(soxr.resample(samples, native_rate, sample_rate), dtype=np.float32)
    resampled.flags.writeable = False
    return resampled
