"""A bound fitted to runs: its constants by non-negative least squares beside a floor a budget, and how they drift.

A bound's own test: its constants are constants of the problem, so that they may not depend on the budget.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hpgrid import bounds
from hpgrid.bounds import BOUNDS
from hpgrid.checks import bad
from hpgrid.fits.runs import Runs
from hpgrid.fits.surface import Surface
from hpgrid.formula.bound import build
from hpgrid.formula.syntax import read
from hpgrid.proxy import FunctionProxy, Proxy, Term, evaluate_factor
from hpgrid.refinement.profile import profile
from hpgrid.shapes import Floats
from hpgrid.transfers.rules import Row
from hpgrid.transfers.start import TUNED

if TYPE_CHECKING:
    from hpgrid.fits.fit import Fit

#: A bound's shape is nearly right close to its optimum alone: runs within this excess are fitted, in nats.
WINDOW = 0.02

#: How many steps the search over free exponents may take, each of which is one linear problem.
STEPS = 400

#: The law of Su, in iterations K: every power is its own.
SU = "A*(K*eta)**(-g1) + B*b**(-g2) + C*eta**g3"


class Drift(NamedTuple):
    """How a coefficient moves with the budget, d ln C / d ln T: 0 of a bound that holds; and its standard error."""

    slope: float
    error: float


@dataclass(frozen=True)
class Model:
    """A bound with the constants of some runs.

    Args:
        bound: with them; of a product of constants only the product is known, and stands in the first of them.
        coefficients: each product of constants, as text, and its standard error.
        exponents: those that were found.
        drift: of each coefficient.
        sigma: the standard deviation of a loss around the model.
        fitted: how many runs were.
    """

    bound: Proxy
    coefficients: Mapping[str, tuple[float, float]]
    exponents: Mapping[str, float]
    drift: Mapping[str, Drift]
    sigma: float
    fitted: int

    def optimum(self, names: tuple[str, ...], held: Mapping[str, float], T: float) -> dict[str, float]:
        """Return the bound's own best setting at a budget, some hyperparameters held."""
        bound = self.bound.form("T")  # of iterations, a larger b is free
        best = profile(bound, names, {v: x for v, x in held.items() if v in bound.variables()}, T)
        return {name: float(x) for name, x in best.at.items()}


def fit_model(
    build: Callable[[Mapping[str, float]], Proxy | FunctionProxy],
    free: tuple[str, ...],
    runs: Runs,
    surface: Surface,
    unit: float = 1.0,
) -> Model:
    """Return a bound's constants, and those exponents that are free, of the runs near their budgets' optima.

    Args:
        build: the bound, with 1 for every constant, of the free exponents' values.
        free: their names.
        runs: what was measured.
        surface: whose window and minima say which runs are near an optimum.
        unit: of the loss, in nats a token.

    Raises:
        ValueError: the bound is no posynomial, or has more coefficients than the runs can tell.
    """
    budgets, floor = np.unique(np.log2(runs.T), return_inverse=True)
    fitted = runs.loss - surface.residuals
    # By the surface's losses, not the runs' own: who picks low losses picks low noise, and gets constants 10% small.
    excess = fitted - np.array([fitted[floor == k].min() for k in range(len(budgets))])[floor]
    near = (excess <= WINDOW * unit) & ~surface.dropped
    at = {"alpha": np.ones(near.sum()), **{v: x[near] for v, x in runs.values.items()}, "T": runs.T[near]}
    floors, loss = np.eye(len(budgets))[floor[near]], runs.loss[near]

    def columns(exponents: Mapping[str, float]) -> dict[str, Floats]:
        return _columns(build(exponents), at)

    found: dict[str, float] = {}
    if free:
        from scipy.optimize import minimize

        best = minimize(
            lambda g: _solved(floors, columns(dict(zip(free, np.exp(g)))), loss)[1], np.log(np.full(len(free), 0.5)),
            method="Nelder-Mead", options={"maxiter": STEPS, "xatol": 1e-4, "fatol": 1e-12},
        )  # fmt: skip
        found = {name: float(x) for name, x in zip(free, np.exp(best.x))}
    X = columns(found)
    if near.sum() < len(budgets) + len(X) + len(free) + 2:
        rule = "a bound is fitted to more runs near their optima than it has coefficients and budgets"
        raise bad(
            rule, f"{near.sum()} runs, {len(X)} coefficients, {len(budgets)} budgets", "more runs, or the surface"
        )
    values, squares = _solved(floors, X, loss)
    sigma = float(np.sqrt(squares / (near.sum() - len(budgets) - len(X) - len(free))))
    ahead = np.log(at["T"]) - np.log(at["T"]).mean()
    positive = [name for name, x in values.items() if x > 0]
    A = np.hstack(
        [floors, *(x[:, None] for name in positive for x in (values[name] * X[name], values[name] * X[name] * ahead))]
    )
    # Of values and of drifts in one: each ln C, then its slope in ln T, about a drift of nought.
    errors = sigma * np.sqrt(np.diag(np.linalg.pinv(A.T @ A)))[len(budgets) :]
    drift = _drifts(floors, {name: X[name] for name in positive}, loss, values, ahead)
    bound = build(found)
    assert isinstance(bound, Proxy)
    sure = {n: float(values[n] * errors[2 * k]) for k, n in enumerate(positive)}
    drifts = {n: Drift(slope, float(errors[2 * k + 1])) for k, (n, slope) in enumerate(drift.items())}
    coefficients = {n: (x, sure.get(n, np.nan)) for n, x in values.items()}
    return Model(_with(bound, values), coefficients, found, drifts, sigma, int(near.sum()))


def _columns(bound: Proxy | FunctionProxy, at: Mapping[str, Floats]) -> dict[str, Floats]:
    """What each product of constants multiplies, at the runs."""
    if not isinstance(bound, Proxy):
        raise bad("a bound that is fitted to runs is a posynomial", bound.obstacle or bound.name, "--model surface")
    columns: dict[str, Floats] = {}
    for term in bound.form("T").terms:
        value = np.full(len(at["T"]), float(term.number))
        for name, factor in term.factors.items():
            value = value * evaluate_factor(factor, at[name])
        key = str(Term(term.constants, {}))
        columns[key] = columns.get(key, 0.0) + value
    return columns


def _solved(floors: Floats, columns: Mapping[str, Floats], loss: Floats) -> tuple[dict[str, float], float]:
    """The coefficients, none of them negative, as no floor of a loss is; and the sum of squares that is left."""
    from scipy.optimize import nnls

    A = np.hstack([floors, np.stack(list(columns.values()), axis=1)])
    size = np.linalg.norm(A, axis=0)
    x, rest = nnls(A / size, loss, maxiter=50 * A.shape[1])
    values = (x / size)[floors.shape[1] :]
    return dict(zip(columns, map(float, values))), float(rest) ** 2


def _drifts(
    floors: Floats, X: Mapping[str, Floats], loss: Floats, values: Mapping[str, float], ahead: Floats
) -> dict[str, float]:
    """The slopes in ln T with which the coefficients fit best, by least squares over all of them."""
    from scipy.optimize import least_squares

    # Floors are linear: they are projected out, within each budget.
    share = floors / floors.sum(axis=0)

    def off(x: Floats) -> Floats:
        total = sum(values[name] * np.exp(c + s * ahead) * X[name] for name, c, s in zip(X, *np.split(x, 2)))
        rest = loss - total
        return rest - floors @ (share.T @ rest)

    best = least_squares(off, np.zeros(2 * len(X)), bounds=(-20.0, 20.0))
    return dict(zip(X, map(float, best.x[len(X) :])))


def _with(bound: Proxy, values: Mapping[str, float]) -> Proxy:
    """The bound with constants of which each product is the coefficient that was found."""
    constants = dict.fromkeys(bound.constants, 1.0)
    for term in bound.terms:
        if term.constants:
            name, power = next(iter(term.constants.items()))
            constants[name] = max(values[str(Term(term.constants, {}))], 1e-300) ** float(1 / power)
    return bound.with_constants(**constants)


def model_of(fit: Fit, bound: str) -> Model:
    """Return the model of a fit's runs that a word or a formula means.

    Args:
        fit: whose runs.
        bound: "eq4", "eq5", "su", the name of a bound, or a formula, whose constants are found, and exponents, too,
            where they are names.

    Raises:
        ValueError: there is no such bound, or as ``fit_model``.
    """
    named = {"eq4": "lmo", "eq5": "lmo_large_horizon"}.get(bound, bound)
    if named in BOUNDS:
        own = getattr(bounds, named)()
        return fit_model(lambda _: own, (), fit.runs, fit.surface, fit.unit)
    expression = read(SU if bound == "su" else bound)
    free = tuple(name for name in expression.names() if name in expression.in_exponents())
    ones = dict.fromkeys(expression.coefficients(), 1.0)
    return fit_model(
        # Exponents are exact fractions: as many digits as the search has.
        lambda found: build(expression, {**ones, **{name: f"{x:.6f}" for name, x in found.items()}}, name=bound),
        free, fit.runs, fit.surface, fit.unit,
    )  # fmt: skip


#: The regime of a transfer, by what varied.
REGIMES = {frozenset(tuned): regime for regime, tuned in TUNED.items()}


def start_of(fit: Fit, alpha: float | None) -> tuple[dict[str, float], str, dict[str, float] | None]:
    """Return what a transfer starts from: the fitted setting at the largest budget, the regime, eq. (4)'s constants.

    Args:
        fit: of the runs.
        alpha: the momentum complement of all runs, where their table has none; without one there are no constants.

    Raises:
        ValueError: what varied is no regime's, or as ``fit_model``.
    """
    names = fit.surface.names
    if frozenset(names) not in REGIMES:
        raise bad(
            "a transfer is of eta, with b or momentum or both", ", ".join(names), "runs at several learning rates"
        )
    T = float(fit.runs.largest.T[0])
    at = {v: float(np.median(x)) for v, x in fit.runs.values.items()} | dict(fit.predict(T).at)
    if "alpha" not in at and alpha is not None:
        at["alpha"] = alpha
    constants = None
    if "alpha" in at:
        found = {n: x for n, (x, _) in model_of(fit, "eq4" if "alpha" in names else "eq5").coefficients.items()}
        constants = {n: max(x, 1e-300) for n, x in found.items()}
        if "alpha" not in fit.runs.values:  # which is in the constants then, as if it were 1
            constants["C2"] /= at["alpha"] ** 0.5
            constants["C3"] *= 2 / (1 + 1 / at["alpha"])
    return {**at, "T": T}, REGIMES[frozenset(names)], constants


def row_costs(fit: Fit, rows: Sequence[Row], T: float) -> dict[str, float]:
    """Return by how much each row of a transfer is above the fitted optimum at its budget, by the surface."""
    own = fit.predict(T).at
    return {
        row.regime: fit.regret({v: x for v, x in row.at._asdict().items() if v in own and x is not None}, T)
        for row in rows
    }
