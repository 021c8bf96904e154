"""Any variables tuned together: Figure 9's layout, for any bound.

A panel for the risk and one for each tuned variable, against the budget: the raw grid argmin, the band of what is
near-optimal, and the continuous optimum. What is predicted comes from outside, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hpgrid.config import Config
from hpgrid.curves import PERFORMANCE, near_optimal
from hpgrid.paper.data import FigureData, OneRegime, check_positive, config_data, one_regime
from hpgrid.paper.pair import (
    Prediction,
    held_beside,
    no_best_value,
    power_label,
    predicted_line,
    refined_arrays,
    slope_checks,
)
from hpgrid.plotting.lines import argmin, band, law, optimum, padded, refined, remark
from hpgrid.plotting.style import log_axes, new_figure, short, split_legends, symbol
from hpgrid.proxy import FunctionProxy
from hpgrid.readings import Reading
from hpgrid.refinement.cost import flatness_of
from hpgrid.slopes import (
    REFINED,
    Curves,
    MeasuredSlope,
    farther,
    fit_slope,
    fitted_edge,
    monomial_name,
    posynomial_truth,
    product,
    window_bias,
    within,
)
from hpgrid.theory import theorems
from hpgrid.tuning.problem import TuningProblem, exact_law, monomials as monomials_of, predicted, tuning_problem
from hpgrid.tuning.survey import default_window
from hpgrid.variables import TUNABLE

#: Rows, columns and size in inches, by the number of tuned variables.
SHAPES = {1: (1, 2, (6.4, 3.0)), 2: (1, 3, (8.6, 3.0)), 3: (2, 2, (6.4, 5.2))}

#: The order of the panels: as in Figure 9, then what a bound declares.
_ORDER = ("b", "alpha", "eta")


def shape_of(count: int) -> tuple[int, int, tuple[float, float]]:
    """Return rows, columns and size of a figure of the risk and so many variables: beyond three, three panels a row."""
    rows = -(-(count + 1) // 3)
    return SHAPES.get(count, (rows, 3, (8.6, 2.8 * rows)))


def compute(config: Config) -> FigureData:
    """Return the arrays and checks of Figure 9: where no window is given, all budgets are fitted."""
    one = one_regime(config, TUNABLE)
    exponents: Mapping[str, Fraction] = theorems.THEOREM_3
    monomials: Sequence[Prediction] = [
        ({top: Fraction(1), below: Fraction(-1)}, exponent) for (top, below), exponent in theorems.IDENTIFIABLE.items()
    ]
    if config.bound.formula is not None:
        # The theorem is not about a bound that is written as text: it has exponents of its own, or none.
        law, _ = exact_law(one.proxy, one.panel.regime, one.budget)
        exponents, monomials = predicted(law), monomials_of(law)
    return measure(replace(config, window=config.window or one.ends), one, exponents, monomials)


def measure(
    config: Config, one: OneRegime, exponents: Mapping[str, Fraction], monomials: Sequence[Prediction] = ()
) -> FigureData:
    """Return the arrays of a bound's optima, and checks against what is predicted of it.

    Args:
        config: the figure.
        one: its regime.
        exponents: the predicted exponents of the risk and of tuned variables, as far as there are any.
        monomials: products of variables that have one too.
    """
    problem = tuning_problem(one.proxy, one.grid, one.panel.regime, dtype=config.dtype)
    best = problem.search()
    check_positive(best.risk)
    budget, tuned, edge = problem.budgets, problem.regime.tuned, fitted_edge(best)
    window = config.window or default_window(problem, best, wanders=bool(monomials))
    arrays: dict[str, Any] = {problem.budget: budget, "risk_hat": best.risk, "any_edge": edge}
    for v in tuned:
        arrays |= {f"{v}_hat": best.at[v], f"{v}_edge": best.edge[v]}
        others = problem.holding(v)
        if others.regime.tuned:  # alone, a variable has no band: nothing is re-tuned
            along = others.search()
            risk = along.risk.T if next(iter(along.axes)) != v else along.risk
            near = near_optimal(risk, problem.grid.axes[v].values, convex=problem.proxy.is_log_convex(tuned))
            arrays |= {f"{v}_low": near.low, f"{v}_high": near.high}
    for key, exponent in exponents.items():
        arrays[f"{key}_law"] = predicted_line(budget, arrays[f"{key}_hat"], edge, window, float(exponent))
    checks: tuple[Reading, ...] = ()
    if exponents and problem.is_posynomial:
        values = {"risk": (best.risk, edge)} | {v: (best.at[v], edge) for v in tuned}
        singles = [({v: Fraction(1)}, exponents[v]) for v in values if v in exponents]
        behind = partial(posynomial_truth, problem.proxy.along(problem.regime.path), problem.regime, problem.steps)
        checks = slope_checks(Curves(problem.budget, budget, values, window), behind, [*singles, *monomials])
    if config.refined:
        arrays |= refined_arrays(problem.proxy, problem.regime, budget, problem.budget)
        if not isinstance(problem.proxy, FunctionProxy):  # of which a band off the grid takes minutes
            star = flatness_of(problem.posed(budget), 1 / PERFORMANCE - 1)
            arrays |= {f"{v}_low_star": star.low[v] for v in tuned} | {f"{v}_high_star": star.high[v] for v in tuned}
        checks += tuple(_refined_checks(problem, arrays, window, exponents, monomials))
    wander = {v: float(np.exp(np.abs(np.diff(np.log(best.at[v]))).max())) for v in tuned}
    notes = {
        "exponents": {key: str(exponent) for key, exponent in exponents.items()},
        "largest_jump_between_neighbours": wander,
        "points": best.points,
    }
    return FigureData(config.figure, config_data(config, problem.proxy, [problem.grid]), arrays, checks, notes)


def _refined_checks(
    problem: TuningProblem,
    arrays: Mapping[str, Any],
    window: tuple[float, float],
    exponents: Mapping[str, Fraction],
    monomials: Sequence[Prediction],
) -> Iterator[Reading]:
    """Hold the continuous optimum's slopes against the same: nothing limits them but the finite window."""
    budget = arrays[problem.budget]
    inside = within(budget, window)
    if inside.sum() < 2 or not exponents:
        return
    far = farther(budget[inside])
    beyond = refined_arrays(problem.proxy, problem.regime, far, problem.budget)
    inside_window = {key: array[inside] for key, array in arrays.items() if key.endswith("_star")}
    for powers, exponent in [*(({key: Fraction(1)}, e) for key, e in exponents.items()), *monomials]:
        starred = {f"{v}_star": power for v, power in powers.items()}
        here, there = (product(optima, starred) for optima in (inside_window, beyond))
        slope = fit_slope(budget[inside], here, step=REFINED * len(powers))
        bias = window_bias(budget[inside], here, far, there)
        name = monomial_name(powers)
        measured = MeasuredSlope(name, slope, bias, problem.budget)
        yield measured.reading(float(exponent), f"refined slope of {name}", "refined")


def draw(data: FigureData) -> Figure:
    """Return the figure: the risk, and each tuned variable, against the budget."""
    arrays, exponents = data.arrays, data.notes["exponents"]
    panel = data.config["panels"][0]
    budget = data.budget
    variables = sorted(panel["tuned"], key=lambda v: _ORDER.index(v) if v in _ORDER else len(_ORDER))
    titles = [symbol("risk") + held_beside(panel["fixed"]), *(f"best ${short(v)}$" for v in variables)]
    figure, axes = new_figure(*shape_of(len(variables)), titles)
    corners = []
    for ax, key in zip(axes, ("risk", *variables)):
        _panel(ax, key, budget, arrays)
        if key in exponents:
            law(ax, arrays[budget], arrays[f"{key}_law"], power_label(budget, exponents[key]))
        # A curve and its law leave room at the top, but for a law that is level.
        curve = arrays.get(f"{key}_star", arrays[f"{key}_hat"])
        curve = curve[np.isfinite(curve)]
        at_the_top = "upper left" if curve.size and curve[-1] > curve[0] else "upper right"
        corners.append("best" if exponents.get(key) == "0" else at_the_top)
    for ax in axes[len(variables) + 1 :]:
        ax.remove()
    split_legends(figure, axes[: len(corners)], corners)
    return figure


def _panel(axes: Axes, key: str, budget: str, arrays: Mapping[str, Any]) -> None:
    """Draw what was measured: on the grid alone, or behind the continuous optimum where there is one."""
    x, y = arrays[budget], arrays[f"{key}_hat"]
    star = arrays.get(f"{key}_star")
    ends = [y]
    suffix = "_star" if f"{key}_low_star" in arrays else ""
    if f"{key}_low{suffix}" in arrays:
        ends = [arrays[f"{key}_low{suffix}"], arrays[f"{key}_high{suffix}"], y]
        band(axes, x, ends[0], ends[1], "within 1% of the best")
    # An edge of any variable is no edge of the risk, whose minimum is what it is.
    edge = np.zeros_like(arrays["any_edge"]) if key == "risk" else arrays[f"{key}_edge"]
    (optimum if star is None else argmin)(axes, x, y, edge, "grid argmin")
    if star is not None:
        refined(axes, x, star, "refined optimum")
    log_axes(axes, (x[0], x[-1]), padded(*ends), (symbol(budget), symbol(key)))
    if key != "risk":
        remark(axes, no_best_value(arrays, key))
