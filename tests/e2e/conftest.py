"""Fixtures of the tests that drive a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from browser import SAID, chromium, padded
from server_fixtures import speech_wav


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium; into its microphone somebody says what `SAID` says."""
    microphone = tmp_path_factory.mktemp("microphone") / "spoken.wav"
    microphone.write_bytes(padded(speech_wav(SAID), 1.5, 1.5))
    with chromium(microphone) as running:
        yield running
