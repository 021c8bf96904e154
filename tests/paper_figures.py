"""The papers' figures as tests have them: small, each computed and drawn once in a process."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hpgrid.config import Config, load, override, shipped
from hpgrid.paper import compute, draw
from hpgrid.paper.data import FigureData, restore, save

#: In which of their parameters figures that are no grid search are smaller; of one size where one program may serve.
SMALL: dict[str, dict[str, Any]] = {
    "cbs2": {"n": 31},
    "cbs3": {"n": 161},
    "smooth1": {"shapes": ["3x1", "6x4"], "pairs": 300, "noise_shape": "4x4", "batches": [1, 8, 64], "draws": 40},
    "noise1": {
        **{"seeds": 8, "steps": 100, "samples": 300, "beta": [0.9], "eta": [1e-3], "batches": [1, 16]},
        **{"sample_shape": [4, 4], "update_batches": [1, 4, 16, 65536, 262144, 1048576]},
    },
    "lmo1": {
        **{"K": [16, 64, 256, 1024], "b": [1, 16], "alpha": [0.1, 1.0], "points": 15, "fine_points": 30},
        **{"seeds": 48, "fine_seeds": 48, "quadratic_seeds": 48},
    },
}


def config(name: str, n: int = 24, refined: bool | None = None, **changes: Any) -> Config:
    """Return a figure's config, with n values an axis, or in ``SMALL``; changes are its parameters, or its fields."""
    own = load(shipped(name))
    if own.parameters:
        return replace(own, parameters={**own.parameters, **SMALL.get(name, {}), **changes})
    return replace(override(own, n=n, refined=refined), **changes)


@cache
def computed(name: str, n: int = 24, refined: bool | None = None) -> FigureData:
    """Return a figure's arrays and checks, from n values an axis; every figure of one n shares its compiled search."""
    return compute(config(name, n, refined), name)


@cache
def drawn(name: str, n: int = 24, refined: bool | None = None) -> Figure:
    """Return the picture of the same, drawn from what is saved of it, which says the same."""
    data = computed(name, n, refined)
    with TemporaryDirectory() as folder:
        save(data, Path(folder))
        restored = restore(name, Path(folder))
    assert verdicts(restored) == verdicts(data)
    return draw(restored)


def verdicts(data: FigureData, beginning: str = "") -> dict[str, bool | None]:
    """Return whether each check holds whose name begins so."""
    return {check.what: check.holds for check in data.checks if check.what.startswith(beginning)}


def lines(axes: Axes, **wanted: object) -> list[Line2D]:
    """Return the lines of some style, such as linestyle="--"."""
    return [line for line in axes.lines if all(getattr(line, f"get_{k}")() == v for k, v in wanted.items())]


def hollow(axes: Axes) -> list[Line2D]:
    """Return the marks of what is at an edge."""
    return lines(axes, marker="o", markerfacecolor="white", linestyle="None")
