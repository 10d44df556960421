"""An environment such as `talkie engines install chatterbox` makes, with a tiny package of the same shape in it.

The interpreter is ours under another prefix, which sees NumPy and not Talkie. The package has the real one's names and
ways: `ChatterboxTTS.from_local(dir, device)`, `.generate`, `.sr`, `.conds`, `.t3.tfmr` with hooks before each token.
"""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path

import numpy as np

from talkie.environments.installed import MARKER
from talkie.environments.table import CHATTERBOX

TORCH = """
class cuda:
    @staticmethod
    def is_available():
        return False

def set_num_threads(count):
    assert count >= 1
"""
PERTH = "class PerthImplicitWatermarker: pass\n"
TTS = """
import os, pathlib, sys, time
import numpy as np

HERE = pathlib.Path(__file__).parent

class Sound:
    def __init__(self, samples):
        self.samples = samples
    def squeeze(self, axis):
        return Sound(self.samples[0])
    def detach(self):
        return self
    cpu = detach
    def numpy(self):
        return self.samples

class Transformer:
    def __init__(self):
        self.hooks = []
    def register_forward_pre_hook(self, hook):
        self.hooks.append(hook)
    def __call__(self, token):
        for hook in self.hooks:
            hook(self, (token,))

class T3:
    def __init__(self):
        self.tfmr = Transformer()

class ChatterboxTTS:
    sr = 24000
    def __init__(self, conds):
        self.t3, self.conds = T3(), conds
    @classmethod
    def from_local(cls, ckpt_dir, device):
        assert device == "cpu" and "talkie" not in sys.modules
        if not pathlib.Path(ckpt_dir, "tokenizer.json").read_text():
            raise ValueError("there is no tokenizer in it")
        own = pathlib.Path(ckpt_dir, "conds.pt")
        return cls(float(own.read_text()) if own.exists() else None)
    def generate(self, text, audio_prompt_path=None, exaggeration=0.5, cfg_weight=0.5):
        note = lambda line: (HERE / "log").open("a").write(line + "\\n")
        if audio_prompt_path:
            note("analysed")
            self.conds = float(len(pathlib.Path(audio_prompt_path).read_bytes()))
        assert self.conds is not None
        if "crash" in text:
            os._exit(3)
        if "greedy" in text:
            np.ones(20_000_000_000 // 8).sum()
        if "deaf" in text:
            note("deaf")
            time.sleep(600)
        token = 0
        while token < len(text) or "forever" in text:
            self.t3.tfmr(token)
            token += 1
            if token == 5:
                note("five tokens")
            if "forever" in text:
                time.sleep(0.01)
        t = np.arange(len(text) * 2400) / 24000
        return Sound((0.5 * np.sin(2 * np.pi * self.conds * t)).astype(np.float32)[None])
"""


def make_environment(home: Path) -> Path:
    """`<home>/engines/chatterbox`; its package writes what it does to the file `log`, whose path is returned."""
    directory = home / "engines" / "chatterbox"
    packages = directory / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    (packages / "chatterbox").mkdir(parents=True)
    (directory / "bin").mkdir()
    (directory / "bin" / "python").symlink_to(Path(sys.executable).resolve())
    home_of_python = Path(sys.executable).resolve().parent
    (directory / "pyvenv.cfg").write_text(f"home = {home_of_python}\ninclude-system-site-packages = false\n")
    (packages / "torch.py").write_text(TORCH)
    (packages / "perth.py").write_text(PERTH)
    (packages / "chatterbox" / "__init__.py").touch()
    (packages / "chatterbox" / "tts.py").write_text(TTS)
    for part in ("numpy", "numpy.libs"):
        ours = Path(np.__file__).parent.with_name(part)
        if ours.is_dir():
            (packages / part).symlink_to(ours)
    marker = {"fingerprint": CHATTERBOX.fingerprint, "size_bytes": 1000, "packages": ["chatterbox-tts==0.1.7"]}
    (directory / MARKER).write_text(json.dumps(marker))
    return packages / "chatterbox" / "log"


def make_model(home: Path, name: str = "chatter", *, own_hz: float | None = None) -> Path:
    """A model in the store of that home: files with the right names, and what is read of them."""
    directory = home / "models" / name
    directory.mkdir(parents=True)
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    for part in ("t3_cfg", "s3gen", "ve"):
        (directory / f"{part}.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
    (directory / "tokenizer.json").write_text("{}")
    if own_hz is not None:
        (directory / "conds.pt").write_text(str(own_hz))
    return directory


def said(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []
