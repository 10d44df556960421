"""A bench that is told to stop unwinds, so that what it made is removed."""

from __future__ import annotations

import os
import signal

import pytest

from talkie.cli.bench_stop import tidied


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_unwinds_the_block_and_nothing_beyond_it(number: signal.Signals) -> None:
    before, tidy = signal.getsignal(number), False
    with pytest.raises(KeyboardInterrupt), tidied():
        try:
            os.kill(os.getpid(), number)
        finally:
            tidy = True
    assert tidy and signal.getsignal(number) is before
