"""A bound fitted to runs: its constants by non-negative least squares beside a floor a budget, and how they drift.

A bound's own test: its constants are constants of the problem, so that they may not depend on the budget.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hpgrid.bounds import BOUNDS
from hpgrid.checks import bad
from hpgrid.config import BoundConfig
from hpgrid.fits.runs import Runs
from hpgrid.fits.surface import Surface
from hpgrid.formula.bound import build
from hpgrid.formula.quantity import names_in
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.refinement.profile import profile
from hpgrid.shapes import Floats
from hpgrid.term import Term, evaluate_factor
from hpgrid.text import counted
from hpgrid.transfers.rules import Row
from hpgrid.transfers.start import TUNED

if TYPE_CHECKING:
    from hpgrid.fits.fit import Fit

#: A bound's shape is nearly right close to its optimum alone: runs within this excess are fitted, in nats.
WINDOW = 0.02

#: How many steps the search over free exponents may take, each of which is one linear problem; the relative step of
#: their derivatives; and what is taken for a constant beside a budget's floor, of a column's norm.
STEPS, STEP, FLOOR = 400, 1e-4, 1e-9

#: How far the search over drifts goes from no drift; what has a larger error than this is told by no run.
FARTHEST = 20.0

#: An optimum of a bound that is this many times beyond the sweep is none: the bound has no best value.
FAR = 1e9

#: The law of Su, in iterations K: every power is its own.
SU = "A*(K*eta)**(-g1) + B*b**(-g2) + C*eta**g3"

#: What equations are called among the bounds that there are.
EQUATIONS = {"eq4": "lmo", "eq5": "lmo_large_horizon"}


class Known(NamedTuple):
    """A number that was fitted, and its standard error; NaN and infinite of what the runs do not tell."""

    value: float
    error: float


@dataclass(frozen=True)
class Model:
    """A bound with the constants of some runs.

    Args:
        bound: with them; of a product of constants only the product is known, and stands in the first of them.
        coefficients: each product of constants, as text.
        exponents: those that were found.
        drift: how each coefficient moves with the budget, d ln C / d ln T: 0 of a bound that holds.
        sigma: the standard deviation of a loss around the model.
        fitted: how many runs were.
        as_one: variables that the runs' table does not have, and that are taken as 1: they are in the constants.
    """

    bound: Proxy
    coefficients: Mapping[str, Known]
    exponents: Mapping[str, Known]
    drift: Mapping[str, Known]
    sigma: float
    fitted: int
    as_one: tuple[str, ...]

    def optimum(self, fit: Fit, T: float) -> dict[str, float]:
        """Return the bound's own best setting at a budget, NaN for what has no best value.

        What it does not have is as the fit sets it; what has one value among the runs is held there.
        """
        bound, own = self.bound.form("T"), dict(fit.predict(T).at)  # of iterations, a larger b is free
        names = tuple(v for v in own if v in bound.variables())
        held = {v: x for v, x in {**dict.fromkeys(self.as_one, 1.0), **fit.constant}.items() if v in bound.variables()}
        box = {v: (float(fit.runs.values[v].min()) / FAR, float(fit.runs.values[v].max()) * FAR) for v in names}
        box |= {v: (1.0, box[v][1]) if v == "b" else (box[v][0], 1.0) for v in names if v in ("b", "alpha")}
        at = {v: float(x) for v, x in profile(bound, names, held, T, box=box).at.items()}
        none = [v for v in names if at[v] <= box[v][0] * 1.01 or (v != "alpha" and at[v] >= box[v][1] / 1.01)]
        return own | at | dict.fromkeys(none, np.nan)


def fit_model(
    build: Callable[[Mapping[str, float]], Proxy | FunctionProxy],
    free: tuple[str, ...],
    runs: Runs,
    surface: Surface,
) -> Model:
    """Return a bound's constants, and those exponents that are free, of the runs near their budgets' optima.

    Args:
        build: the bound, with 1 for every constant, of the free exponents' values.
        free: their names.
        runs: what was measured.
        surface: whose window and minima say which runs are near an optimum.

    Raises:
        ValueError: the bound is no posynomial with constants, is of what the runs don't have, or has more coefficients
            than the runs can tell.
    """
    budgets, floor = np.unique(np.log2(runs.T), return_inverse=True)
    # By the surface's losses, not the runs' own: who picks low losses picks low noise, and gets constants 10% small.
    near = (surface.excess <= WINDOW * surface.nat) & ~surface.dropped
    at = {"alpha": np.ones(near.sum()), "b": np.ones(near.sum()), **{v: x[near] for v, x in runs.values.items()}}
    at["T"], floors = runs.T[near], np.eye(len(budgets))[floor[near]]

    def solved(exponents: Mapping[str, float]) -> _Solved:
        return _solved(floors, _columns(build(exponents), at), runs.loss[near])

    powers: dict[str, float] = {}
    if free:
        from scipy.optimize import minimize

        best = minimize(
            lambda g: solved(dict(zip(free, np.exp(g)))).squares, np.log(np.full(len(free), 0.5)),
            method="Nelder-Mead", options={"maxiter": STEPS, "xatol": 1e-4, "fatol": 1e-12},
        )  # fmt: skip
        powers = {name: float(x) for name, x in zip(free, np.exp(best.x))}
    values, parts, rest, squares = solved(powers)
    freedom = int(near.sum()) - len(budgets) - len(values) - len(free)
    if freedom < 2:
        rule = "a bound is fitted to more runs near their optima than it has coefficients and budgets"
        given = ", ".join(
            counted(n, what)
            for n, what in ((near.sum(), "run"), (len(values) + len(free), "coefficient"), (len(budgets), "budget"))
        )
        raise bad(rule, given, "more runs, or the surface")
    sigma = float(np.sqrt(squares / freedom))
    positive = [name for name, x in values.items() if x > 0]
    turned = {}  # d model / d ln of each exponent
    for g, power in powers.items():
        at_step = _columns(build({**powers, g: power * (1 + STEP)}), at)
        turned[g] = np.sum([values[n] * at_step[n] - part for n, part in parts.items()], axis=0) / STEP
    told = {**{n: parts[n] for n in positive}, **turned}
    sure = dict(zip(told, map(float, sigma * _spreads(floors, [*told.values()]))))
    ahead = np.log(at["T"]) - np.log(at["T"]).mean()
    seen = [column for g, column in turned.items() if np.isfinite(sure[g])]
    drift = _drifts(floors, [parts[n] for n in positive], seen, rest, ahead)
    bound = build(powers)
    assert isinstance(bound, Proxy)
    return Model(
        bound=_with(bound, values),
        coefficients={n: Known(x, x * sure.get(n, np.nan)) for n, x in values.items()},
        exponents={n: Known(x if np.isfinite(sure[n]) else np.nan, x * sure[n]) for n, x in powers.items()},
        drift=dict(zip(positive, drift)),
        sigma=sigma,
        fitted=int(near.sum()),
        as_one=tuple(v for v in ("b", "alpha") if v in bound.form("T").variables() and v not in runs.values),
    )


def _columns(bound: Proxy | FunctionProxy, at: Mapping[str, Floats]) -> dict[str, Floats]:
    """What each product of constants multiplies, at the runs; "1" for what has none."""
    if not isinstance(bound, Proxy):
        raise bad("a bound that is fitted to runs is a posynomial", bound.obstacle or bound.name, "--model surface")
    columns: dict[str, Floats] = {}
    for term in bound.form("T").terms:
        for name in (name for name in term.constants if names_in(name) != {name}):
            raise bad("what is fitted are constants as factors of terms", str(name), "one constant in its place")
        value = np.full(len(at["T"]), float(term.number))
        for name, factor in term.factors.items():
            if name not in at:
                raise bad("a bound that is fitted is of what varies among runs", name, f"one in {', '.join(at)} and K")
            value = value * evaluate_factor(factor, at[name])
        key = str(Term(term.constants, {}))
        columns[key] = columns.get(key, 0.0) + value
    return columns


class _Solved(NamedTuple):
    """The coefficients that fit best."""

    values: dict[str, float]
    parts: dict[str, Floats]  # what each adds to the losses
    rest: Floats  # the losses without what has no constant
    squares: float  # the sum of squares of what is left


def _solved(floors: Floats, columns: Mapping[str, Floats], loss: Floats) -> _Solved:
    """Solve for the coefficients, none of them negative, as no floor of a loss is.

    A term that has no constant is as it is written, and one of T alone is in the floors.
    """
    from scipy.optimize import nnls

    rest = loss - columns.get(_ONE, 0.0)
    X = {n: x for n, x in columns.items()
         if n != _ONE and np.linalg.norm(_off_floors(floors, x)) > FLOOR * np.linalg.norm(x)}  # fmt: skip
    if not X:
        raise bad("a bound that is fitted has constants of terms that vary within a budget", "none", "A*eta, say")
    A = np.hstack([floors, np.stack(list(X.values()), axis=1)])
    size = np.linalg.norm(A, axis=0)
    x, left = nnls(A / size, rest, maxiter=50 * A.shape[1])
    values = dict(zip(X, map(float, (x / size)[floors.shape[1] :])))
    return _Solved(values, {n: values[n] * x for n, x in X.items()}, rest, float(left) ** 2)


#: What a term without constants is called.
_ONE = str(Term({}, {}))


def _spreads(floors: Floats, columns: Sequence[Floats]) -> Floats:
    """The standard errors, at noise of deviation 1, of what multiplies some columns beside a floor a budget.

    What no run tells, by a column that the floors or the other columns take up, has an infinite one.
    """
    if not columns:
        return np.empty(0)
    A = np.stack([_off_floors(floors, x) for x in columns], axis=1)
    size = np.array([np.linalg.norm(x) or 1.0 for x in columns])
    _, lengths, along = np.linalg.svd(np.linalg.qr(A / size, mode="r"))
    lengths = np.pad(lengths, (0, len(along) - len(lengths)))
    seen = lengths > FLOOR * max(lengths[0], 1.0)
    squares = ((along[seen] / lengths[seen, None]) ** 2).sum(axis=0)
    return np.asarray(np.where((along[~seen] ** 2).sum(axis=0) > FLOOR, np.inf, np.sqrt(squares) / size))


def _off_floors(floors: Floats, x: Floats) -> Floats:
    """What no floors take up: the values less their means within each budget."""
    return np.asarray(x - floors @ (floors.T @ x / floors.sum(axis=0)))


def _drifts(
    floors: Floats, parts: Sequence[Floats], turned: Sequence[Floats], rest: Floats, ahead: Floats
) -> list[Known]:
    """The slopes in ln T with which the coefficients fit best, by least squares over all of them and the exponents.

    Their errors are by what is left beside them: what the bound without a drift leaves would be the drift itself.
    """
    from scipy.optimize import least_squares

    n = len(parts)

    def moved(x: Floats) -> list[Floats]:
        return [part * np.exp(c + s * ahead) for part, c, s in zip(parts, x[:n], x[n:])]

    def off(x: Floats) -> Floats:
        bent = [step * each for step, each in zip(x[2 * n :], turned)]
        return _off_floors(floors, rest - np.sum([*moved(x), *bent], axis=0))

    if not parts:
        return []
    best = least_squares(off, np.zeros(2 * n + len(turned)), bounds=(-FARTHEST, FARTHEST))
    freedom = len(rest) - floors.shape[1] - len(best.x)
    sigma = np.sqrt(2 * best.cost / freedom) if freedom > 0 else np.inf
    ends = moved(best.x)
    errors = sigma * _spreads(floors, [*(part * ahead for part in ends), *ends, *turned])
    # One that has run to nought has as good as no column left, and by that any slope.
    slopes = zip(best.x[n : 2 * n], errors)
    return [Known(float(s), float(e)) if e <= FARTHEST else Known(np.nan, np.inf) for s, e in slopes]


def _with(bound: Proxy, values: Mapping[str, float]) -> Proxy:
    """The bound with constants of which each product is the coefficient that was found; of the floors' as good as 0."""
    constants = dict.fromkeys(bound.constants, 1.0)
    for term in bound.terms:
        if term.constants:
            name, power = next(iter(term.constants.items()))
            constants[name] = max(values.get(str(Term(term.constants, {})), 0.0), 1e-300) ** float(1 / power)
    return bound.with_constants(**constants)


def model_of(fit: Fit, bound: str | BoundConfig) -> Model:
    """Return the model of a fit's runs that a word or a formula means.

    Args:
        fit: whose runs.
        bound: "eq4", "eq5", "su", the name of a bound, a formula, or one that was read from a file: its constants are
            found, and those exponents that are names without a value.

    Raises:
        ValueError: there is no such bound, or as ``fit_model``.
    """
    if isinstance(bound, str):
        named, space = EQUATIONS.get(bound, bound), fit.runs.space
        text = SU if bound == "su" else bound
        bound = BoundConfig(named) if named in BOUNDS else BoundConfig("formula", formula=text, variables=space)
    expression = bound.expression
    if expression is None:
        own = bound.build("T")
        return fit_model(lambda _: own, (), fit.runs, fit.surface)
    known: dict[str, Any] = dict.fromkeys(expression.coefficients(), 1.0)
    known |= {n: x for n, x in {**bound.constants, **bound.options}.items() if n in expression.in_exponents()}
    free = tuple(n for n in expression.names() if n in expression.in_exponents() and n not in known)
    return fit_model(
        # Exponents are exact fractions: as many digits as the search has.
        lambda found: build(expression, {**known, **{n: f"{x:.6f}" for n, x in found.items()}}, name=expression.text),
        free, fit.runs, fit.surface,
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
    names, T = tuple(v for v in fit.surface.names if v not in fit.kept), float(fit.runs.largest.T[0])
    if frozenset(names) not in REGIMES:
        rule = "a transfer is of eta, with b or momentum or both"
        raise bad(rule, ", ".join(names), "runs at several learning rates")
    at = {"alpha": alpha} if alpha is not None else {}
    at |= {**fit.constant, **fit.predict(T).at, "T": T}
    constants = None
    if "alpha" in at:
        model = model_of(fit, "eq4" if "alpha" in names else "eq5")
        found = {n: max(x, 1e-300) for n, (x, _) in model.coefficients.items()}
        # A momentum that is not in the table is in the constants, as if it were 1.
        alpha = at["alpha"] if "alpha" in model.as_one else 1.0
        if len(found) == 3:  # at one batch size the noise is in the floors
            constants = {**found, "C2": found["C2"] / alpha**0.5, "C3": found["C3"] * 2 / (1 + 1 / alpha)}
    return at, REGIMES[frozenset(names)], constants


def row_costs(fit: Fit, rows: Sequence[Row], T: float) -> dict[str, float]:
    """Return by how much each row of a transfer is above the fitted optimum at its budget, as ``Fit.excess``."""
    own = fit.predict(T).at
    return {row.regime: fit.excess({v: x for v, x in row.at.values.items() if v in own}, T) for row in rows}
