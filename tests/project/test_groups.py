"""That tests of one group run in one process: what many tests share is started once, and not once a process."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def shared() -> int:
    return 1


@pytest.mark.xdist_group("together")
def test_the_group_of_a_test_reaches_who_hands_them_out(request: pytest.FixtureRequest) -> None:
    """pytest-xdist tells the group by the test's name. Where it no longer does, nothing fails and all gets slower."""
    by_group = getattr(request.config.option, "loadgroup", False)
    assert request.node.nodeid.endswith("@together") == by_group


def test_what_shares_a_fixture_of_its_file_is_a_group(request: pytest.FixtureRequest, shared: int) -> None:
    by_group = getattr(request.config.option, "loadgroup", False)
    assert request.node.get_closest_marker("xdist_group").args == ("tests/project/test_groups.py",)
    assert request.node.nodeid.endswith("@tests/project/test_groups.py") == by_group
