"""A Hugging Face model in the form of openvino-genai, as optimum-intel exports it, tokenizer and all.

The work is done by another interpreter, one that has optimum-intel and torch; neither is ever imported here. Knows
nothing of how a model is made, nor where that interpreter comes from.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from talkie.errors import EngineFailed, InvalidValue

REQUIREMENTS = ("optimum-intel==2.2.0", "openvino==2026.4.1", "openvino-tokenizers==2026.4.1.0", "nncf==3.4.0")
"""What that interpreter must have, beside a torch for processors; a torchvision that does not match it harms."""
WEIGHTS = ("int8", "fp16", "fp32")
EXPORT_S = 3600.0
_KEPT_CHARS = 1500
_FILES = ("openvino_encoder_model.xml", "openvino_decoder_model.xml", "openvino_tokenizer.xml")
_OPTIMUM = "from optimum.commands.optimum_cli import main; main()"


def export_openvino(hf_dir: Path, out: Path, python: Path, weights: str = "int8") -> Path:
    """Export into `out` and return the file of the decoder's weights. Raises `InvalidValue`, `EngineFailed`."""
    if weights not in WEIGHTS:
        raise InvalidValue("weights", f"{weights[:40]!r} is not one of {', '.join(WEIGHTS)}.")
    asked = [
        *("--model", str(hf_dir.absolute()), "--task", "automatic-speech-recognition-with-past"),
        *("--library", "transformers", "--weight-format", weights, str(out.absolute())),
    ]
    command = ["env", "HF_HUB_OFFLINE=1", str(python.absolute()), "-c", _OPTIMUM, "export", "openvino", *asked]
    try:
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            timeout=EXPORT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineFailed("openvino-genai", f"its model could not be exported: {error}") from error
    missing = [name for name in _FILES if not (out / name).is_file()]
    if done.returncode or missing:
        said = (done.stderr or done.stdout).strip()[-_KEPT_CHARS:]
        lacks = f" (there is no {', '.join(missing)})" if missing else ""
        raise EngineFailed("openvino-genai", f"its model could not be exported{lacks}. It said:\n{said}")
    return out / "openvino_decoder_model.bin"
