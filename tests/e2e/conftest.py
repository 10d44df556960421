"""Fixtures of the tests that drive a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from browser import SAID, chromium, padded
from server_fixtures import speech_wav
from server_process import ServerProcess, running_server
from talkie.models.store import ModelStore

TRAINED = Path(__file__).parents[1] / "fixtures" / "whisper-test"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium; into its microphone somebody says what `SAID` says."""
    microphone = tmp_path_factory.mktemp("microphone") / "spoken.wav"
    microphone.write_bytes(padded(speech_wav(SAID), 1.5, 1.5))
    with chromium(microphone) as running:
        yield running


@pytest.fixture(scope="module")
def hearing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with the trained test model, which hears real words, and the built-in engine beside it."""
    home = tmp_path_factory.mktemp("home")
    ModelStore(home).import_(TRAINED, name="whisper-test")
    flags = ("--threads", "1", "--workers", "1", "--allowed-hosts", "talkie.example")
    with running_server(home, *flags, env={"TALKIE_BACKEND": "ctranslate2"}) as running:
        running.wait_ready()
        yield running
