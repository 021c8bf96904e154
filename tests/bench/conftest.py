"""What tests of benchmarks share: nothing is warmed, since no time counts."""

from __future__ import annotations

import pytest

from hpgrid.bench import harness


@pytest.fixture(autouse=True)
def without_warming(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness, "_WARMING", 0.0)
