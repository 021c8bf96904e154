"""The papers' figures, and hpgrid's own: a table of them, and where each is computed and drawn."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hpgrid.config import Config
    from hpgrid.paper.data import FigureData

#: The figures, by name: what each shows, and the module that has its layout. A module is loaded when a figure of it is
#: computed or drawn, so that listing them, and a mistake in a config, load neither NumPy nor matplotlib.
_TABLE = {
    "fig1": ("pair", "Theorem 1 at beta = 0.999: batch size and learning rate tuned"),
    "fig2": ("pair", "Theorem 2 at b = 1072: momentum and learning rate tuned"),
    "fig4": ("contours", "iso-loss contours over iterations and batch size, and their hyperbola"),
    "fig5": ("pair", "Theorem 1 at beta = 0.934"),
    "fig6": ("pair", "Theorem 1 at beta = 0.9999"),
    "fig7": ("pair", "Theorem 2 at b = 32"),
    "fig8": ("pair", "Theorem 2 at b = 35111"),
    "fig9": ("joint", "Theorem 3: all three tuned, the raw grid argmin and the optimum it wanders about"),
    "fig10": ("contours", "iso-loss contours over tokens and batch size at three momenta"),
    "fig11": ("contours", "iso-loss contours over iterations and batch size in three regimes"),
    "star1": ("pair", "star-convex bound with weight decay at beta = 0.95: batch size and learning rate tuned"),
    "star2": ("pair", "star-convex bound with weight decay at b = 32: momentum and learning rate tuned"),
    "fw1": ("pair", "Frank-Wolfe gap with weight decay at beta = 0.95: batch size and learning rate tuned"),
    "fw2": ("pair", "Frank-Wolfe gap with weight decay at b = 32: momentum and learning rate tuned"),
    "cbs1": ("cbs1", "tokens and iterations to a target against batch size, and where formulas put the fewest"),
    "cbs2": ("cbs2", "critical batch size over momentum, weight decay and learning rate, and where bounds say nothing"),
    "cbs3": ("cbs3", "Theorem 12 of Cesista against the exact minimiser of tokens, over targets"),
    "flatness": ("flatness", "what a factor of ten costs under joint tuning, and what is as good to 1%"),
    "smooth1": (
        "smooth1",
        "D-smoothness by norm and shape: random pairs, the worst case, what noise needs; Newton-Schulz",
    ),
    "noise1": ("noise1", "momentum's error and the update's noise, measured, against Lemma 5 to Corollary 7 and A1.14"),
    "lmo1": ("lmo1", "normalised SGD, signSGD and Muon run against eq. (2), and how their best eta and alpha move"),
}

#: What each figure shows, by name.
FIGURES = {name: title for name, (_, title) in _TABLE.items()}

#: The layouts that show any bound: what the record of such a figure calls it.
BOUND_LAYOUTS = ("pair", "joint", "contours")


def compute(config: Config, name: str | None = None) -> FigureData:
    """Return the arrays and checks of the figure that a config is of; of any bound, where it names a layout instead.

    Args:
        config: the figure, and what it is made from.
        name: what to call it; as the figure where it is None.
    """
    from hpgrid.config import check_formulas

    layout = _layout(_TABLE.get(config.figure, ("user_bound", ""))[0])
    for panel in config.panels:
        check_formulas("title", panel.title)
    for variable in config.bound.space.all.values():
        check_formulas(f"the symbol of {variable.name}", f"${variable.symbol}$" if variable.symbol else "")
    started = time.perf_counter()
    data: FigureData = layout.compute(config)
    invalid = {} if config.bound.formula is None else {"does_not_hold": list(dict.fromkeys(_invalid(config)))}
    notes = {**data.notes, **invalid}
    return replace(data, name=name or config.figure, notes=notes, seconds=time.perf_counter() - started)


def _invalid(config: Config) -> Iterator[str]:
    """Where on the grid of each panel a bound that is written as text does not hold, a sentence each."""
    from hpgrid.checks import changed
    from hpgrid.search.brute import plan_search
    from hpgrid.search.invalid import invalid_cells

    for panel in config.panels:
        grid = config.grid.build(panel.axes)
        proxy = config.bound.build(grid.budget)
        regime = changed(panel.regime, min_K=proxy.min_K).settled(proxy, grid, free=grid.axes)
        invalid = invalid_cells(plan_search(proxy, grid, regime))
        if invalid is not None:
            yield invalid.text()


def draw(data: FigureData) -> Figure:
    """Return the picture of a computed figure; save it inside ``plotting.style.styled``."""
    from hpgrid.config import BoundConfig
    from hpgrid.plotting.style import declaring, styled

    figure, bound = data.config["figure"], data.config.get("bound", {})
    space = BoundConfig(**{key: bound[key] for key in ("name", "formula", "variables") if key in bound}).space
    with styled(), declaring(space, bound.get("above", "")):
        picture: Figure = _layout(_TABLE.get(figure, (figure, ""))[0]).draw(data)
    return picture


def _layout(module: str) -> Any:
    return import_module(f"hpgrid.paper.{module}")
