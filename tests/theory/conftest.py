"""Constants of several sizes, for every closed form of C1, C2 and C3."""

from __future__ import annotations

import pytest


@pytest.fixture(params=[(1.0, 1.0, 1.0), (3.0, 0.2, 7.0), (0.5, 40.0, 2.0)], ids=str)
def constants(request: pytest.FixtureRequest) -> tuple[float, float, float]:
    """C1, C2, C3."""
    return request.param
