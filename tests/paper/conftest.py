"""What a file of tests is about: each of its ``FIGURES``, of ``N`` values an axis, computed and drawn once."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure
from paper_figures import computed, drawn

from hpgrid.paper.data import FigureData


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what asks for ``data`` once for each figure."""
    if "data" in metafunc.fixturenames and hasattr(metafunc.module, "FIGURES"):
        metafunc.parametrize("data", metafunc.module.FIGURES, indirect=True, scope="module")


@pytest.fixture
def data(request: pytest.FixtureRequest) -> FigureData:
    """The figure's arrays and checks."""
    return computed(request.param, getattr(request.module, "N", 24))


@pytest.fixture
def figure(data: FigureData, request: pytest.FixtureRequest) -> Figure:
    """Its picture."""
    return drawn(data.name, getattr(request.module, "N", 24))
