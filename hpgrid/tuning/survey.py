"""A survey: the best points at every budget, on the grid and refined, and how they scale."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, partial
from pathlib import Path
from timeit import timeit
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hpgrid.answer import Answer, Pictured, Result, Table
from hpgrid.far_out import Powers, power_and_log
from hpgrid.progress import foresee
from hpgrid.readings import no_verdict
from hpgrid.record import flat_attributes, plain, versions, write_table, write_whole
from hpgrid.refinement.optimum import as_good, optimum_of, solved, why_unknown
from hpgrid.search.brute import SearchResult
from hpgrid.search.invalid import Invalid, invalid_cells
from hpgrid.shapes import Floats as Array
from hpgrid.slopes import (
    NO_OPTIMUM,
    NOTHING,
    REFINED,
    SETTLING,
    Curves,
    MeasuredSlope,
    Truth,
    farther,
    fitted_edge,
    fitting_window,
    measured_slopes,
    natural_ends,
    posynomial_truth,
)
from hpgrid.text import counted, exponent_text, listed, number, power, within
from hpgrid.tuning.advice import settings
from hpgrid.tuning.problem import LOWER, TuningProblem, is_lower, monomials
from hpgrid.variables import COUNTED_IN, Space

if TYPE_CHECKING:
    import xarray

#: How many budgets a table shows.
ROWS = 12

#: What stands behind a value that sits at the edge of the grid.
EDGE = "*"

#: To how many digits a local exponent far out is taken for the law's.
DIGITS = 6


@dataclass(frozen=True)
class SurveySlope:
    """How one quantity scales, by three routes."""

    measured: MeasuredSlope  # the slope of the grid's curve, and its tolerance
    far: float  # the refined optimum's local exponent, twenty decades beyond the largest budget; NaN where it has none
    exact: Fraction | None  # the exact exponent as the budget grows; None where there is none

    @property
    def law(self) -> float:
        """The exponent that the grid's slope is held against: the exact one, or the refined optimum's far out."""
        return round(np.nan_to_num(self.far), DIGITS) if self.exact is None else float(self.exact)

    @property
    def verdict(self) -> str:
        """What the grid says of the exact exponent; "" where there is nothing to hold its slope against."""
        holds, why = self.measured.reading(self.law).holds, self.measured.why_not(self.law)
        if why == NOTHING or (holds is None and why != NO_OPTIMUM):
            return NOTHING if why == NOTHING else "not identifiable on this grid"
        if self.exact is None:
            return ""
        return {True: "holds", False: "FAILS", None: NO_OPTIMUM}[holds]

    @property
    def why(self) -> str:
        """Why the grid can't tell; "" where it can."""
        return self.measured.why_not(self.law) if self.verdict.startswith("not identifiable") else ""


@dataclass(frozen=True, eq=False, repr=False)
class Survey(Result, Pictured):
    """What a bound says about tuning at every budget of a grid; arrays have shape (budgets,).

    Its panels are "risk" and the tuned variables, on the grid, refined and by exact law.
    """

    pictures = "hpgrid.plots"

    problem: TuningProblem  # what was searched
    best: SearchResult  # the grid's best cells
    hat: Mapping[str, Array]  # for "risk" and each tuned variable, the grid's; NaN, or +inf, where none is feasible
    star: Mapping[str, Array]  # for "risk" and each tuned variable, the refined one; NaN where there is none
    exponent: Mapping[str, Array]  # for the same, d log / d log budget of the refined one
    limit: Mapping[str, Array]  # for each tuned variable, 0 or inf where it has no best value and runs off; else NaN
    unknown: NDArray[np.str_]  # why there is no refined optimum, in words; "" where there is
    as_good: Mapping[
        str, Array
    ]  # for each tuned variable, another optimum of the same risk to rounding; NaN: none known
    slopes: tuple[SurveySlope, ...]  # how each of these scales, and the monomials that are sure where they are not
    invalid: Invalid | None  # the cells at which the bound does not hold

    @property
    def runs_off(self) -> dict[str, NDArray[np.bool_]]:
        """For each tuned variable, where its best value is 0 or infinity."""
        return {v: ~np.isnan(x) for v, x in self.limit.items()}

    @cached_property
    def with_logs(self) -> dict[str, Powers]:
        """The laws, where one has a logarithm, by what they are of: of a bound without exact ones, read far out."""
        if self.problem.law[0] is not None or self.problem.is_posynomial:
            return {}
        from hpgrid.statements.routes import Subject, climb  # which asks for searches

        far = climb(Subject(self.problem.proxy, self.problem.grid), self.problem.regime)
        found = {v: power_and_log(slopes, REFINED) for v, slopes in far.exponent.items()}
        told = {v: each for v, each in found.items() if each.has_log or each.has_none}
        return told if any(each.has_log for each in told.values()) else {}

    @property
    def no_law(self) -> str:
        """Why there are no exact exponents, in a line; "" where there are."""
        return self.problem.law[1]

    def answer(self) -> Answer:
        """Return what it says: exponents, and what of them this grid can tell; in details about a dozen budgets."""
        problem, axes = self.problem, self.problem.grid.axes
        roles = "; ".join(filter(None, [f"tuned {', '.join(problem.regime.tuned)}", problem.roles_text()]))
        searched = (v for v in axes if v in (*problem.regime.tuned, problem.budget))
        ranges = ", ".join(f"{v} {axes[v].lo:g} to {axes[v].hi:g} ({len(axes[v])})" for v in searched)
        edge = [f"{EDGE} at the edge of the grid"] if np.any([*self.best.edge.values()]) else []
        return Answer(
            _answer(self),
            [[Table([*_slope_rows(self)], drop=("window", "edge points"))]],
            [
                [f"{problem.proxy.name} over {problem.budget}; {roles}",
                 f"grid: {ranges}; {self.best.points:,} cells, {problem.dtype}"],
                [Table([*_budget_rows(self)], drop=("exponent of risk", "risk, grid")), *edge],
            ],
            f"the grid, and what is best on it and refined at a dozen of its {len(problem.budgets)} budgets",
            _notes(self),
        )  # fmt: skip

    def __repr__(self) -> str:
        return (
            f"Survey({self.problem.proxy.name}, {len(self.problem.budgets)} budgets: {' '.join(self.answer().first)})"
        )

    @property
    def declared(self) -> Space:
        """The variables of its bound."""
        return self.problem.grid.space

    def to_xarray(self) -> xarray.Dataset:
        """Return the survey over its budgets, each name with its meaning."""
        return dataset(self)

    def to_dataframe(self) -> Any:
        """Return what there is over the budgets as a pandas DataFrame, a row a budget."""
        return dataset(self).drop_dims("quantity").to_dataframe()

    def as_dict(self) -> dict[str, Any]:
        """Return the survey as plain data for JSON, every budget in it; NaN and infinity become null."""
        slopes = {
            slope.measured.name: {key: of(slope) for key, (_, of) in SLOPE.items()}
            | {"exact": None if slope.exact is None else str(slope.exact), "verdict": slope.verdict, "why": slope.why}
            for slope in self.slopes
        }
        whole = {
            **_problem_data(self.problem),
            "points": self.best.points,
            "no_law": self.no_law,
            **({} if self.invalid is None else {"does_not_hold": self.invalid.as_dict()}),
            **{f"{v}_as_good": x.tolist() for v, x in self.as_good.items() if np.isfinite(x).any()},
            **({"no_refined_optimum": self.unknown.tolist()} if self.unknown.astype(bool).any() else {}),
            "budgets": self.problem.budgets.tolist(),
            **{name: array.tolist() for name, (array, _) in columns(self).items()},
            "slopes": slopes,
        }
        return dict(plain(whole))


def survey(problem: TuningProblem, window: tuple[float, float] | None = None) -> Survey:
    """Return the grid's argmins at every budget, the refined optimum behind them, and their slopes.

    Args:
        problem: a bound, a grid and a regime: see ``tuning_problem``.
        window: smallest and largest budget that slopes are fitted over; where None, from the end of the burn-in to
            the largest budget.

    Raises:
        ValueError: as ``grid_search`` and ``refine``.
    """
    _ = problem.plan  # where no machine gets through it, that is said before anything is computed
    budgets = problem.grid.axes[problem.budget]
    if len(budgets) >= _MANY:
        fewer = problem.grid.with_axes(**{problem.budget: replace(budgets, n=len(budgets) // _PART, points=None)})
        # The first call compiles.
        _, seconds = (timeit(lambda: _survey(replace(problem, grid=fewer), window), number=1) for _ in "12")
        foresee(f"{len(budgets):.3g} budgets", _PART * seconds, float(_BYTES) * len(budgets))
    return _survey(problem, window)


#: Budgets from which on a survey of a part of them is timed, which part that is, and bytes of a budget, as measured.
_MANY, _PART, _BYTES = 10**4, 100, 4096


def _survey(problem: TuningProblem, window: tuple[float, float] | None) -> Survey:
    invalid = invalid_cells(problem.plan)  # slower than the search: it says first what it takes
    best = problem.search()
    window = window or default_window(problem, best, wanders=bool(monomials(problem.law[0])))
    # The grid's budgets, and far out, as long as those are floats: in one call it is compiled once.
    out = SETTLING if problem.budgets[-1] < 1e290 / SETTLING else 1.0
    posed = problem.posed(problem.budgets * np.array([[1.0], [out]]))
    optimum = optimum_of(posed)
    star, mask = optimum.curves(), solved(optimum)
    exponent = {v: np.where(mask, x, np.nan) for v, x in optimum.exponent.items()}
    far = {v: float(rows[1, -1]) if out > 1 else math.nan for v, rows in exponent.items()}
    return Survey(
        problem=problem,
        best=best,
        hat={"risk": best.risk, **best.at},
        star={v: rows[0] for v, rows in star.items()},
        exponent={v: rows[0] for v, rows in exponent.items()},
        limit={v: rows[0] for v, rows in optimum.limit.items()},
        unknown=why_unknown(optimum)[0],
        as_good={v: rows[0] for v, rows in as_good(posed, optimum).items()},
        slopes=_slopes(problem, best, window, star, far),
        invalid=invalid,
    )


def default_window(problem: TuningProblem, best: SearchResult, *, wanders: bool) -> tuple[float, float]:
    """Return the budgets that slopes are fitted over: from where the optima have left b = 1 and alpha = 1.

    Where the leading order leaves a variable open, its argmin wanders back to its bound: burn-in is then the refined
    optimum's.
    """
    if not wanders:
        return fitting_window(best)
    return fitting_window(best, optimum_of(problem.posed(problem.budgets)).curves())


def _slopes(
    problem: TuningProblem,
    best: SearchResult,
    window: tuple[float, float],
    star: Mapping[str, Array],
    far: Mapping[str, float],
) -> tuple[SurveySlope, ...]:
    """The slopes of the risk, of the tuned variables, and of monomials, each with what the other routes say."""
    (law, _), edge = problem.law, fitted_edge(best)
    values = {"risk": (best.risk, edge)} | {v: (best.at[v], edge) for v in best.over}
    curves = Curves(problem.budget, problem.budgets, values, window)
    laws = [({v: Fraction(1)}, None if law is None else law.exponent[v]) for v in values]
    behind: Callable[[Array], Truth]
    if problem.is_posynomial and problem.min_K is None:
        laws += monomials(law)
        behind = partial(posynomial_truth, problem.proxy.along(problem.regime.path), problem.regime, problem.steps)
    else:
        ends = natural_ends(problem.proxy, problem.regime)

        def at(budgets: Array) -> dict[str, Array]:
            return optimum_of(problem.posed(budgets)).curves()

        def behind(budget: Array) -> Truth:  # refined already, with all the budgets
            here, beyond = {v: rows[0, curves.inside] for v, rows in star.items()}, farther(budget)
            return Truth(here, at(beyond) if beyond.size else dict.fromkeys(here, beyond), None, at, *ends)

    slopes = measured_slopes(curves, behind, [powers for powers, _ in laws])
    return tuple(
        SurveySlope(slope, float(sum(float(power) * far[v] for v, power in powers.items())), exponent)
        for slope, (powers, exponent) in zip(slopes, laws)
    )


# --- a survey as text ---
def _answer(result: Survey) -> list[str]:
    """How risk and optimum scale, and what of it the grid's slopes bear out."""
    limits, read, local, unknown, budget = [], [], [], [], result.problem.budget
    for slope in result.slopes:
        name = slope.measured.name
        if slope.exact is not None:
            limits.append(f"{name} ~ {power(budget, slope.exact) if slope.exact else 'a constant'}")
        elif law := result.with_logs.get(name):
            power_of = f"{budget}^({law.power:z.4g})" if round(law.power, DIGITS) else ""
            log_of = f"(log {budget})^({law.log:.2g})" if law.has_log else ""
            read.append(f"{name} ~ {' '.join(filter(None, [power_of, log_of])) or 'a constant'}")
        elif not math.isnan(slope.far):
            local.append(f"{name} ~ {budget}^({slope.far:.4g})")
        else:
            unknown.append(name)
    told = [f"In the long run {', '.join(law)} ({how})." for law, how in ((limits, "exact"), (read, "refined")) if law]
    if local:  # no limits, but at one budget
        there = result.problem.budgets[-1] * SETTLING
        told.append(f"Far out, at {budget} = {there:g}, {', '.join(local)} (refined, local exponents).")
    if read and unknown:
        told.append(f"No exponent of {listed(unknown)} is known.")
    first = " ".join(told) or "No exponent is known."
    tells = {"holds": "bears out {}", "not identifiable on this grid": "can't tell {}", "FAILS": "contradicts {}"}
    by = {v: [s.measured.name for s in result.slopes if s.verdict == v] for v in tells}
    verdicts = listed([words.format(listed(by[v])) for v, words in tells.items() if by[v]])
    return [first + (f" This grid {verdicts}." if verdicts else "")]


def _budget_rows(result: Survey) -> Iterable[tuple[str, ...]]:
    """The headings, and about a dozen budgets, the first and the last among them."""
    problem, names, edge = result.problem, ("risk", *result.problem.regime.tuned), result.best.edge

    def text(v: str, x: float) -> str:
        return number(x) if v == "risk" else within(x, result.declared.all[v])

    yield (problem.budget, *(f"{v}, grid" for v in names), *(f"{v}, refined" for v in names), "exponent of risk")
    count = len(problem.budgets)
    for k in np.unique(np.linspace(0, count - 1, min(ROWS, count)).round().astype(int)):
        hat = [text(v, result.hat[v][k]) + (EDGE if v != "risk" and edge[v][k] else "") for v in names]
        star = ["runs off" if v != "risk" and result.runs_off[v][k] else text(v, result.star[v][k]) for v in names]
        yield (number(problem.budgets[k]), *hat, *star, number(result.exponent["risk"][k]))


def _slope_rows(result: Survey) -> Iterable[tuple[str, ...]]:
    """The headings, and for each slope the grid's, its tolerance, the other routes, the verdict, the window."""
    numbers, fitted_by = ("grid", "tolerance", "refined, far out", "exact"), ("window", "edge points")
    yield ("d log / d log budget", *numbers, "verdict", *fitted_by)
    for slope in result.slopes:
        fit, tolerance = slope.measured.fit, slope.measured.tolerance
        fitted = fit.points >= 2
        yield (
            slope.measured.name,
            f"{fit.slope:.4f}" if fitted else "-",
            f"{tolerance:.4f}" if fitted and math.isfinite(tolerance) else "-",
            "-" if math.isnan(slope.far) else f"{slope.far:z.6f}",
            "-" if slope.exact is None else exponent_text(slope.exact),
            slope.verdict or "no exponent to hold",
            f"{fit.window[0]:.1e} to {fit.window[1]:.1e}" if fitted else "-",
            str(fit.edge_points),
        )


def _notes(result: Survey) -> list[str]:
    """What a person should know of the numbers above, a line each."""
    notes = [] if result.invalid is None else [result.invalid.text()]
    if result.no_law:
        notes.append(f"{result.no_law}: no slope is held against one")
    notes += no_verdict((slope.measured.name, slope.why) for slope in result.slopes)
    for v, runs in result.runs_off.items():
        if runs.any():
            where = result.problem.unbounded_to(v, float(result.limit[v][runs][-1]))
            notes.append(f"{v} has no best value at {_of_budgets(runs)}: it runs off to {where}")
    if (lower := is_lower(result.hat["risk"], result.star["risk"], result.problem.dtype)).any():
        notes.append(f"a cell of the grid is lower than the refined optimum at {_of_budgets(lower)}: {LOWER}")
    mask = np.asarray(np.isfinite([*result.as_good.values()]).all(axis=0))
    if mask.any():
        k = int(np.flatnonzero(mask)[-1])
        at = settings({v: x[k] for v, x in result.as_good.items()}, result.declared)
        budget = f"{result.problem.budget} = {number(result.problem.budgets[k])}"
        notes.append(f"another optimum is as good at {_of_budgets(mask)}: at {budget}, {at}")
    reasons = {str(why): result.unknown == why for why in result.unknown if why}
    notes += [f"no refined optimum at {_of_budgets(missing)}: {why}" for why, missing in reasons.items()]
    if count := int(result.best.below_one_K.sum()):
        notes.append(f"at {counted(count, 'budget')} the grid's best cell has K < 1; --min-K 1 leaves such cells out")
    if result.best.unresolved is not None and result.best.unresolved.any():
        count = int(result.best.unresolved.sum())
        notes.append(f"float32 can't say which cell is best at {counted(count, 'budget')}")
    return notes


def _of_budgets(there: NDArray[np.bool_]) -> str:
    return f"{int(there.sum())} of {counted(there.size, 'budget')}"


# --- as plain data, and in files ---
def columns(result: Survey) -> dict[str, tuple[np.ndarray[Any, Any], str]]:
    """Return every array over the budgets with what it means, by name."""
    out: dict[str, tuple[np.ndarray[Any, Any], str]] = {}
    for v in ("risk", *result.problem.regime.tuned):
        what, none = ("the least risk", "inf") if v == "risk" else (f"the best {v}", "NaN")
        entries: dict[str, tuple[Mapping[str, np.ndarray[Any, Any]], str]] = {
            "hat": (result.hat, f"{what} on the grid; {none} where there is none"),
            "edge": (result.best.edge, f"{what} on the grid sits on its border: it says nothing"),
            "star": (result.star, f"{what}, refined; NaN where there is none"),
            "exponent": (result.exponent, f"d log {v} / d log {result.problem.budget} of the refined optimum"),
            "runs_off": (result.runs_off, f"{v} has no best value: it runs off to 0 or infinity"),
        }
        out |= {f"{v}_{key}": (of[v], meaning) for key, (of, meaning) in entries.items() if v in of}
    out["below_one_K"] = (result.best.below_one_K, "the grid's best cell has fewer than one iteration")
    if result.best.unresolved is not None:
        out["unresolved"] = (result.best.unresolved, "float32 can't say which cell is best")
    return out


#: The numbers of a slope: by name what each means, and what it is.
SLOPE: dict[str, tuple[str, Callable[[SurveySlope], float]]] = {
    "slope": ("d log / d log budget, fitted to the grid's curve", lambda s: s.measured.fit.slope),
    "tolerance": ("how far that may be from the law's exponent: the grid's part and the window's",
                  lambda s: s.measured.tolerance),
    "error": ("the grid's part: the argmin's uncertainty over the window", lambda s: s.measured.fit.error),
    "bias": ("the window's part: what the continuous optimum's slope changes by further out",
             lambda s: s.measured.bias),
    "far": ("local exponent of the refined optimum, twenty decades beyond the largest budget; NaN: none",
            lambda s: s.far),
    "exact": ("exact exponent as the budget grows; NaN: none",
              lambda s: math.nan if s.exact is None else float(s.exact)),
    "window_lo": ("the first budget of the fit", lambda s: s.measured.fit.window[0]),
    "window_hi": ("the last", lambda s: s.measured.fit.window[1]),
    "points": ("budgets that were used", lambda s: s.measured.fit.points),
    "edge_points": ("budgets in the window that were left out, an optimum being at the edge",
                    lambda s: s.measured.fit.edge_points),
}  # fmt: skip


def _problem_data(problem: TuningProblem) -> dict[str, Any]:
    """What was searched, as plain data."""
    regime = problem.regime
    return {
        "bound": problem.proxy.name,
        "constants": dict(problem.proxy.constants),
        "budget": problem.budget,
        "tuned": list(regime.tuned),
        "fixed": dict(regime.fixed),
        "path": {v: str(power) for v, power in regime.path.items()},
        "caps": problem.caps,
        "min_K": problem.min_K,
        "grid": dict(problem.grid.describe()),
        "dtype": problem.dtype,
    }


def write_csv(result: Survey, path: Path) -> None:
    """Write a row for every budget to a CSV file, whole; numbers read back as the same bits."""
    arrays = {result.problem.budget: result.problem.budgets} | {k: x for k, (x, _) in columns(result).items()}
    write_table(path, arrays)


def dataset(result: Survey) -> xarray.Dataset:
    """Return a survey as an xarray Dataset over the budgets and over the quantities that slopes are of."""
    import xarray

    budget, space = result.problem.budget, result.problem.grid.space
    names = [slope.measured.name for slope in result.slopes]
    data: dict[str, Any] = {}
    for name, (array, meaning) in columns(result).items():
        data[name] = ((budget,), array, _attributes(name.rsplit("_", 1)[0], meaning, array.dtype))
    for key, (meaning, of) in SLOPE.items():
        unit = {"window_lo": budget, "window_hi": budget}.get(key, "")
        array = np.array([of(slope) for slope in result.slopes])
        data[key] = (("quantity",), array, _attributes(unit, meaning, array.dtype))
    texts = {
        "exact_exponent": (["" if s.exact is None else str(s.exact) for s in result.slopes], "the same, as a fraction"),
        "verdict": ([s.verdict for s in result.slopes], "what the grid's slope says of the exact exponent"),
    }
    data |= {key: (("quantity",), values, {"long_name": meaning}) for key, (values, meaning) in texts.items()}
    axes = {
        budget: ((budget,), result.problem.budgets, {"long_name": "budget", "units": space.all[budget].words or "1"}),
        "quantity": (("quantity",), names, {"long_name": "what a slope is of"}),
    }
    searched = flat_attributes(_problem_data(result.problem))
    searched["min_K"] = "none" if result.problem.min_K is None else result.problem.min_K
    made_with = ", ".join(f"{name} {version}" for name, version in versions().items())
    no_law = {"no_law": result.no_law} if result.no_law else {}
    whole = {"title": "hpgrid search", **searched, **no_law, "cells": float(result.best.points), "versions": made_with}
    return xarray.Dataset(data, axes, whole)


def _attributes(quantity: str, meaning: str, dtype: np.dtype[Any]) -> dict[str, str]:
    exponent = "exponent" in meaning or meaning.startswith("d log")
    unit = "1" if exponent or dtype.kind == "b" else COUNTED_IN.get(quantity, "1")
    return {"long_name": meaning, "units": unit}


def write_netcdf(result: Survey, path: Path) -> None:
    """Write a survey to a netCDF file, whole: ``xarray.open_dataset`` gives back every name, flag and attribute."""
    content = dataset(result).to_netcdf(engine="scipy")
    write_whole(path, lambda file: file.write(content))
