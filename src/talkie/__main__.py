"""`python -m talkie` is `talkie`."""

from __future__ import annotations

from talkie.cli.main import run

if __name__ == "__main__":
    run()
