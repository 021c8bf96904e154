"""Any variables tuned together: Figure 9's layout, for any bound.

A panel for the risk and one for each tuned variable, against the budget: the raw grid argmin, the band of what is
near-optimal, and the continuous optimum. What is predicted comes from outside, or not at all.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hpgrid.config import Config
from hpgrid.curves import PERFORMANCE, near_optimal
from hpgrid.paper.data import FigureData, all_tuned, check_axes, config_data, only_panel
from hpgrid.paper.pair import held_text, power_label, predicted_line, refined_arrays
from hpgrid.plotting.lines import argmin, band, law, optimum, padded, refined
from hpgrid.plotting.style import SHORT, letter, log_axes, new_figure, split_legends, styled
from hpgrid.proxy import FunctionProxy
from hpgrid.readings import Reading
from hpgrid.refinement.cost import flatness_of
from hpgrid.search.brute import SearchResult
from hpgrid.slopes import (
    REFINED,
    SETTLING,
    Array,
    Curves,
    MeasuredSlope,
    fit_slope,
    fitted_edge,
    measured_slopes,
    monomial_name,
    posynomial_truth,
    product,
    window_bias,
    within,
)
from hpgrid.theory import theorems
from hpgrid.tuning.problem import TuningProblem, exact_law, monomials as monomials_of, predicted, tuning_problem
from hpgrid.tuning.survey import default_window

#: A product of powers of tuned variables, and its predicted exponent.
Monomial = tuple[Mapping[str, Fraction], Fraction]

#: Rows, columns and size in inches, by the number of tuned variables.
SHAPES = {1: (1, 2, (6.4, 3.0)), 2: (1, 3, (8.6, 3.0)), 3: (2, 2, (6.4, 5.2))}


def compute(config: Config, name: str) -> FigureData:
    """Return the arrays and checks of Figure 9: where no window is given, all budgets are fitted."""
    problem = all_tuned(config)
    exponents: Mapping[str, Fraction] = theorems.THEOREM_3
    monomials: Sequence[Monomial] = [
        ({top: Fraction(1), below: Fraction(-1)}, exponent) for (top, below), exponent in theorems.IDENTIFIABLE.items()
    ]
    if config.bound.formula is not None:
        # The theorem is not about a bound that is written as text: it has exponents of its own, or none.
        law, _ = exact_law(problem.proxy, problem.panel.regime, problem.grid.budget)
        exponents, monomials = predicted(law), monomials_of(law)
    return measure(replace(config, window=problem.window), name, exponents, monomials)


def measure(
    config: Config, name: str, exponents: Mapping[str, Fraction], monomials: Sequence[Monomial] = ()
) -> FigureData:
    """Return the arrays of a bound's optima, and checks against what is predicted of it.

    Args:
        config: the bound, the grid, and one regime.
        name: what to call the figure.
        exponents: the predicted exponents of the risk and of tuned variables, as far as there are any.
        monomials: products of variables that have one too.
    """
    started = time.perf_counter()
    panel = only_panel(config)
    grid = config.grid.build(panel.axes)
    check_axes(grid, panel, (*panel.tuned, grid.budget))
    problem = tuning_problem(config.bound.build(grid.budget), grid, panel.regime, dtype=config.dtype)
    best = problem.search()
    budget, tuned, edge = problem.budgets, problem.regime.tuned, fitted_edge(best)
    window = config.window or default_window(problem, best, wanders=bool(monomials))
    arrays: dict[str, Any] = {problem.budget: budget, "risk_hat": best.risk, "any_edge": edge}
    for v in tuned:
        arrays |= {f"{v}_hat": best.at[v], f"{v}_edge": best.edge[v], **_band(problem, v)}
    for key, exponent in exponents.items():
        arrays[f"{key}_law"] = predicted_line(budget, arrays[f"{key}_hat"], edge, window, float(exponent))
    checks = _checks(problem, best, window, exponents, monomials)
    if config.refined:
        arrays |= refined_arrays(problem.proxy, problem.regime, budget, problem.budget) | _refined_band(problem)
        checks += _refined_checks(problem, arrays, window, exponents, monomials)
    wander = {v: float(np.exp(np.abs(np.diff(np.log(best.at[v]))).max())) for v in tuned}
    notes = {
        "exponents": {key: str(exponent) for key, exponent in exponents.items()},
        "largest_jump_between_neighbours": wander,
        "points": best.points,
    }
    whole = config_data(config, problem.proxy, [problem.grid])
    return FigureData(name, whole, arrays, checks, notes, time.perf_counter() - started)


# --- what is near-optimal ---


def _band(problem: TuningProblem, name: str) -> dict[str, Array]:
    """Between which values of the grid a variable is near-optimal, the others re-tuned; nothing where it is alone."""
    others = problem.holding(name)
    if not others.regime.tuned:
        return {}
    along = others.search()
    risk = along.risk.T if next(iter(along.axes)) != name else along.risk
    near = near_optimal(risk, problem.grid.axes[name].values)
    return {f"{name}_low": near.low, f"{name}_high": near.high}


def _refined_band(problem: TuningProblem) -> dict[str, Any]:
    """The same off the grid; of a sum of powers alone, where it takes no minutes."""
    if isinstance(problem.proxy, FunctionProxy):
        return {}
    near = flatness_of(problem.posed(problem.budgets), 1 / PERFORMANCE - 1)
    low = {f"{v}_low_star": near.low[v] for v in problem.regime.tuned}
    return low | {f"{v}_high_star": near.high[v] for v in problem.regime.tuned}


# --- measured against predicted ---


def _checks(
    problem: TuningProblem,
    best: SearchResult,
    window: tuple[float, float],
    exponents: Mapping[str, Fraction],
    monomials: Sequence[Monomial],
) -> tuple[Reading, ...]:
    """Hold what the grid says against the predictions: single optima, and the combinations that it can tell."""
    if not exponents or not problem.is_posynomial:
        return ()
    edge = fitted_edge(best)
    values = {v: (best.risk if v == "risk" else best.at[v], edge) for v in ("risk", *problem.regime.tuned)}
    curves = Curves(problem.budget, problem.budgets, values, window)
    wanted = [*(({v: Fraction(1)}, exponents[v]) for v in values if v in exponents), *monomials]
    behind = partial(posynomial_truth, problem.proxy, problem.regime, problem.steps)
    slopes = measured_slopes(curves, behind, [powers for powers, _ in wanted])
    return tuple(slope.reading(float(exponent)) for slope, (_, exponent) in zip(slopes, wanted))


def _refined_checks(
    problem: TuningProblem,
    arrays: Mapping[str, Any],
    window: tuple[float, float],
    exponents: Mapping[str, Fraction],
    monomials: Sequence[Monomial],
) -> tuple[Reading, ...]:
    """Hold the continuous optimum's slopes against the same: nothing limits them but the finite window."""
    budget = arrays[problem.budget]
    inside = within(budget, window)
    if inside.sum() < 2 or not exponents:
        return ()
    # Twice as far out: what a slope changes by there is more than what is still to come.
    out = [refined_arrays(problem.proxy, problem.regime, budget[inside] * SETTLING**k, problem.budget) for k in (1, 2)]
    inside_window = {key: array[inside] for key, array in arrays.items() if key.endswith("_star")}
    checks = []
    for powers, exponent in [*(({key: Fraction(1)}, e) for key, e in exponents.items()), *monomials]:
        starred = {f"{v}_star": power for v, power in powers.items()}
        here, *far = (product(optima, starred) for optima in (inside_window, *out))
        slope = fit_slope(budget[inside], here, step=REFINED * len(powers))
        bias = window_bias(budget[inside], [here, *far])
        name = monomial_name(powers)
        measured = MeasuredSlope(name, slope, bias, problem.budget)
        checks.append(measured.reading(float(exponent), f"refined slope of {name}", "refined"))
    return tuple(checks)


# --- the picture ---


def draw(data: FigureData) -> Figure:
    """Return the figure: the risk, and each tuned variable, against the budget."""
    arrays, exponents = data.arrays, data.notes["exponents"]
    panel = data.config["panels"][0]
    held = ", ".join(held_text(name, value) for name, value in panel["fixed"].items())
    budget = "T" if "T" in arrays else "K"
    keys = ("risk", *(v for v in ("b", "alpha", "eta") if v in panel["tuned"]))
    with styled():
        figure, axes = new_figure(*SHAPES[len(keys) - 1])
        for k, key in enumerate(keys):
            _panel(axes[k], key, budget, arrays)
            if key in exponents:
                law(axes[k], arrays[budget], arrays[f"{key}_law"], power_label(budget, exponents[key]))
            title = "risk" if key == "risk" else f"best ${SHORT[key]}$"
            letter(axes[k], k, title + (f" ({held})" if held and k == 0 else ""))
        split_legends(figure, axes, [_free_corner(arrays, key, exponents.get(key)) for key in keys])
    return figure


def _free_corner(arrays: Mapping[str, Any], key: str, exponent: str | None) -> str:
    """Where a curve and its law leave room; at the top, but for a law that is level."""
    if exponent == "0":
        return "best"
    curve = arrays.get(f"{key}_star", arrays[f"{key}_hat"])
    curve = curve[np.isfinite(curve)]
    return "upper left" if curve.size and curve[-1] > curve[0] else "upper right"


def _panel(axes: Axes, key: str, budget: str, arrays: Mapping[str, Any]) -> None:
    """Draw what was measured: on the grid alone, or behind the continuous optimum where there is one."""
    x, y = arrays[budget], arrays[f"{key}_hat"]
    star = arrays.get(f"{key}_star")
    ends = [y]
    suffix = "_star" if f"{key}_low_star" in arrays else ""
    if f"{key}_low{suffix}" in arrays:
        ends = [arrays[f"{key}_low{suffix}"], arrays[f"{key}_high{suffix}"], y]
        band(axes, x, ends[0], ends[1], "within 99% of the best")
    # An edge of any variable is no edge of the risk, whose minimum is what it is.
    edge = np.zeros_like(arrays["any_edge"]) if key == "risk" else arrays[f"{key}_edge"]
    (optimum if star is None else argmin)(axes, x, y, edge, "grid argmin")
    if star is not None:
        refined(axes, x, star, "refined optimum")
    log_axes(axes, (x[0], x[-1]), padded(*ends), (budget, key))
