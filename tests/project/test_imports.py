"""What gets imported when: the command line starts light, and some packages are never imported at all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sources import SOURCE, imports, modules
from speech import say

HEAVY = [
    "torch",
    "faster_whisper",
    "ctranslate2",
    "onnxruntime",
    "av",
    "pocketsphinx",
    "tokenizers",
    "soundfile",
    "soxr",
]
HEAVY += ["fastapi", "starlette", "uvicorn", "httpx", "huggingface_hub", "cryptography"]
NEVER = ["torch", "faster_whisper", "transformers", "tensorflow"]

TRANSCRIBE = """
import sys
from pathlib import Path
from talkie.runtime.service import Service, ServiceConfig, TranscribeRequest
from talkie.types import Transcript

if __name__ == "__main__":
    service = Service(ServiceConfig(home=Path(sys.argv[2])))
    try:
        *_, last = service.transcribe(Path(sys.argv[1]), TranscribeRequest())
        assert isinstance(last, Transcript) and last.duration_s > 0
    finally:
        service.close(grace_s=1.0)
    import json
    print(json.dumps(sorted(sys.modules)))
"""


def loaded_after(code: str, *arguments: str) -> set[str]:
    """The names in `sys.modules` of a fresh interpreter after `code`, which must not print anything itself."""
    ending = "\nimport sys, json; print(json.dumps(sorted(sys.modules)))"
    return names_printed([sys.executable, "-c", code + ending, *arguments])


def names_printed(command: list[str]) -> set[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_the_command_line_loads_nothing_heavy() -> None:
    loaded = loaded_after("import talkie.cli.main")
    assert "talkie.cli.main" in loaded
    assert not loaded & set(HEAVY)


def test_help_loads_nothing_heavy() -> None:
    code = """
import contextlib, io, sys
sys.argv = ["talkie", "--help"]
from talkie.cli.main import run
with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.suppress(SystemExit):
    run()
assert "transcribe" in out.getvalue(), out.getvalue()
"""
    assert not loaded_after(code) & set(HEAVY)


@pytest.mark.parametrize("module", ["talkie", "talkie.types", "talkie.errors", "talkie.engines.registry"])
def test_the_contract_loads_no_engine(module: str) -> None:
    assert not loaded_after(f"import {module}") & set(HEAVY)


def test_a_transcription_never_loads_a_framework(tmp_path: Path) -> None:
    samples = say("one two three four")
    soundfile.write(tmp_path / "clip.wav", np.asarray(samples), 16_000)
    script = tmp_path / "hear.py"
    script.write_text(TRANSCRIBE)
    loaded = names_printed([sys.executable, str(script), str(tmp_path / "clip.wav"), str(tmp_path / "home")])
    assert "talkie.pipeline.transcribe" in loaded
    assert not loaded & set(NEVER)


def test_no_source_names_a_framework() -> None:
    named = {name: {found.split(".")[0] for found in imports(tree)} & set(NEVER) for name, tree in modules().items()}
    assert "types.py" in named
    assert not {name: frameworks for name, frameworks in named.items() if frameworks}


def test_every_module_can_be_imported_alone() -> None:
    names = [module_name(path) for path in modules()]
    code = f"import importlib, sys\nfor name in {names!r}: importlib.import_module(name)"
    assert not loaded_after(code) & set(NEVER)


def module_name(path: str) -> str:
    parts = (SOURCE.name, *Path(path).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
