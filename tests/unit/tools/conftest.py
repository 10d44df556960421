"""The tools are scripts, not a package: their folder joins the path here."""

import sys
from pathlib import Path

_TOOLS = str(Path(__file__).resolve().parents[3] / "tools")
if _TOOLS not in sys.path:
    sys.path.append(_TOOLS)
