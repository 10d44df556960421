"""`talkie keys`: a key is shown once, to stdout, and kept as a digest."""

from __future__ import annotations

from pathlib import Path

import pytest

from talkie.cli.main import run
from talkie.transports.keys import KeyRing


def talkie(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        run(arguments)
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_add_list_remove(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    monkeypatch.setenv("TALKIE_KEYS_FILE", str(path))
    code, out, err = talkie(capsys, "keys", "add", "laptop", "--scope", "transcribe")
    key = out.strip()
    assert code == 0 and key.startswith("tk_") and key not in err and key not in path.read_text()
    assert KeyRing(None, path).identify(key).scopes == {"transcribe"}
    assert talkie(capsys, "keys", "list")[1] == "laptop  transcribe\n"
    code, out, err = talkie(capsys, "keys", "add", "laptop")
    assert code == 2 and out == "" and "hint:" in err
    assert talkie(capsys, "keys", "rm", "laptop")[0] == 0
    assert talkie(capsys, "keys", "rm", "laptop")[0] == 2
    code, out, err = talkie(capsys, "keys", "add", "x", "--scope", "everything")
    assert code == 2 and "transcribe" in err and path.read_text() == ""
