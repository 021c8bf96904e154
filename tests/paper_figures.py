"""The papers' figures as tests have them: on a small grid, each computed and drawn once in a process."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from hpgrid.config import load, override, shipped
from hpgrid.paper import compute, draw
from hpgrid.paper.data import FigureData, restore, save


@cache
def computed(name: str, n: int = 24, refined: bool | None = None) -> FigureData:
    """Return a figure's arrays and checks, from n values an axis; every figure of one n shares its compiled search."""
    return compute(override(load(shipped(name)), n=n, refined=refined), name)


@cache
def drawn(name: str, n: int = 24, refined: bool | None = None) -> Figure:
    """Return the picture of the same."""
    return draw(computed(name, n, refined))


def check_redrawn(data: FigureData, figure: Figure, folder: Path) -> None:
    """What is saved draws the same: every line and its name, every range and title; and says the same."""
    save(data, folder)
    restored = restore(data.name, folder)
    assert [check.holds for check in restored.checks] == [check.holds for check in data.checks]
    again = draw(restored)
    for axes, other in zip(figure.axes, again.axes, strict=True):
        for line, same in zip(axes.lines, other.lines, strict=True):
            np.testing.assert_array_equal(line.get_xydata(), same.get_xydata())
            assert line.get_label() == same.get_label()
        assert (axes.get_ylim(), axes.get_title(loc="left")) == (other.get_ylim(), other.get_title(loc="left"))
