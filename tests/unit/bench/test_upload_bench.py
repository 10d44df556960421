"""The upload bench: a real server takes files and says that the model is not there."""

from __future__ import annotations

import pytest

from talkie.bench.upload import UploadResult, measure


def test_the_rate_is_the_median() -> None:
    result = UploadResult(50_000_000, (1.0, 0.5, 10.0))
    assert result.megabytes_s == 50.0
    assert result.as_json() == {"upload_mb_s": 50.0, "size_mb": 50.0, "seconds": [1.0, 0.5, 10.0]}


@pytest.mark.slow
def test_a_server_takes_uploads() -> None:
    seen: list[int] = []
    result = measure("sphinx-en", runs=2, size_bytes=1_000_000, progress=seen.append)
    assert (len(result.seconds), seen) == (2, [0, 1, 2])
    assert result.megabytes_s > 0
