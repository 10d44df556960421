"""What an installation takes on the disk. Bytes of files, each once; what Python compiles for itself is left out.

Knows nothing of peers.
"""

from __future__ import annotations

import json
import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import unquote, urlsplit

from talkie.environments.sizes import tree_bytes

_NAME = re.compile(r"^[A-Za-z0-9._-]+")


def distribution_bytes(name: str) -> int:
    """An installed distribution and all that it needs, extras left out; 0 for what is not installed."""
    seen: dict[str, int] = {}
    waiting = [name]
    while waiting:
        one = _canonical(waiting.pop())
        if one in seen:
            continue
        try:
            found = distribution(one)
        except PackageNotFoundError:
            seen[one] = 0
            continue
        seen[one] = _files_bytes(found) + _editable_bytes(found)
        needs = (line for line in found.requires or () if "extra ==" not in line)
        waiting += [match.group() for line in needs if (match := _NAME.match(line))]
    return sum(seen.values())


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _files_bytes(found: Distribution) -> int:
    paths = [Path(str(file.locate())) for file in found.files or () if "__pycache__" not in file.parts]
    return sum(path.lstat().st_size for path in paths if path.is_file())


def _editable_bytes(found: Distribution) -> int:
    """The sources of a checkout that is worked on: its metadata lists none of them."""
    try:
        where = json.loads(found.read_text("direct_url.json") or "{}")
        editable = bool(where.get("dir_info", {}).get("editable"))
    except (ValueError, AttributeError):
        return 0
    root = Path(unquote(urlsplit(str(where.get("url", ""))).path))
    return tree_bytes(root / "src" / found.name) if editable else 0
