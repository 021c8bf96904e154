"""What a transfer's rows cost: the bound at a rule's setting against its optimum, with given or calibrated constants.

Calibration, of eq. (4). Of the risk at the start, let P be progress, C1 b/(eta T), N noise, both terms of C2, and D
drift, both of C3. With r = b/(alpha^(3/2) T), burn-in over floor, the start is optimal in log eta, log b and log alpha
where

    P = D,    P/N = (1 - r)/(2 (1 + r)),    D/N = (1 + alpha) (1/2 - r)/(1 + r);

one equation for each variable that was tuned, and two unknown ratios, P/N and D/N. One equation leaves the share of
noise free, two leave nothing, and three have a solution only on the curve r = alpha/(1 + 2 alpha). A variable on its
bound has an inequality in place of its equation.

Source: the first-order conditions of Shulgin et al., eq. (4).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from hpgrid import bounds
from hpgrid.checks import bad
from hpgrid.proxy import Proxy
from hpgrid.refinement.profile import profile
from hpgrid.shapes import Floats as Array
from hpgrid.term import evaluate_factor
from hpgrid.transfers import published
from hpgrid.transfers.published import Life, Move
from hpgrid.transfers.rules import Row, Rules, counted_in_tokens, feasible, of_paper
from hpgrid.transfers.start import NO_LIMITS, Limits, Setting, TransferProblem

#: Values of a bound's constants by name, each a number or of shape (n,). A common factor changes no optimum.
Constants = Mapping[str, Any]

#: The smallest and the largest value of each variable; of one that is held they are the same.
Box = dict[str, tuple[float, float]]

#: What is this near the minimum is the minimum: two sums of some terms, and what their numbers were rounded to.
_ROUNDING = 1e-13

#: Below every optimum of numbers that a person would give.
_SMALL = 1e-299

#: What is free is shown while noise is this much of the risk at the start, by so many values along each ratio.
NOISE_SHARES, _POINTS = (0.01, 0.99), 49


#: By hyperparameter, one value for each value of the constants; b in tokens.
At = Mapping[str, Any]


class Regret(NamedTuple):
    """Relative excess risks, one for each value of the constants."""

    retuned: Array  # over the best of what the row tunes, at what it holds
    best: Array  # over the best of eta, b and alpha


class Cost(NamedTuple):
    """What a row costs, with values for each value of the constants."""

    retuned: At  # the best at the new budget of what the row tunes, at what it holds, within limits
    best: At  # the best there of eta, b and alpha, within limits
    rule: Regret | None  # what the row's own setting costs; None where that is less than one iteration
    unchanged: Regret | None  # what the old setting costs there, as far as limits let it be; None in the same case
    start: At  # the best at the first budget of what was tuned there
    at_start: Array  # the relative excess risk of the old setting over it


class Calibration(NamedTuple):
    """What a tuned point says of the constants of eq. (4)."""

    # C1, C2 = 1, C3, each of shape (n,): values along what is free; None where no positive ones make the point optimal
    constants: Constants | None
    tuned: tuple[str, ...]  # the variables that were tuned there
    on_bound: tuple[str, ...] = ()  # those of them that sit on a bound
    free: int = 0  # how many of the two ratios it leaves free
    misfit: float = 1.0  # the factor by which each condition is missed where they contradict each other
    noise: Array | None = None  # the shares of noise in the risk at the start, at the constants, shape (n,)
    why: str = ""  # why there are no constants, in one line


class Costed(NamedTuple):
    """What a row costs, and with which constants."""

    regime: str  # the row's
    constants: Constants | None  # the bound's, one value or, where some are free, several; None where none fit
    calibration: Calibration | None  # how they came from the start; None where they were given
    cost: Cost | None  # what the row costs with them


class Factor(NamedTuple):
    """By what eq. (4)'s own best eta moves at a point, one value for each value of the constants."""

    at_K: Array  # at fixed K
    at_T: Array  # at fixed T


class Costs(NamedTuple):
    """What a transfer's rows cost."""

    rows: tuple[Costed, ...]  # in the order of the transfer's
    moves: tuple[Move, ...]  # by which power of b the best eta moves; of eq. (4) alone, as all that follows
    # by which factor it moves at the start when b is quadrupled, by what becomes of the momentum
    at_start: Mapping[str, Factor]
    at_start_by: str  # the regime whose constants that is with; "" where they are given or there are none
    half_lives: tuple[Life, ...]  # momentum's half-life under each row's rule


@np.errstate(all="ignore")  # what overflows is refused
def costs(problem: TransferProblem, rows: Sequence[Row], rules: Rules) -> Costs:
    """Return what the rows of a transfer cost, by constants that are given or, for each row, by those of its start.

    Raises:
        ValueError: a number comes out too large or too small for a float.
    """
    start, limits, costed = problem.start, problem.limits, []
    for row in rows:
        calibration = calibrate(start, row.tuned, limits) if problem.constants is None else None
        own, paid = problem.constants if calibration is None else calibration.constants, None
        if own is not None:
            own = {name: np.atleast_1d(value) for name, value in own.items()}
            assert isinstance(rules.bound, Proxy), "what is no sum of terms has no costs"
            paid = cost(own, start, row.at, row.tuned, held_there(row, problem.given), limits, rules.bound)
            regrets = *(paid.rule or ()), *(paid.unchanged or ())
            settings = (x for at in (paid.retuned, paid.best, paid.start) for x in at.values())
            numbers = [*own.values(), *settings, paid.at_start, *regrets]
            if not all(np.isfinite(x).all() and np.all(x >= 0) for x in numbers):
                if rules.paper:
                    instead = "constants and hyperparameters that are less extreme"
                    raise bad("what a choice costs is a number", f"regime {row.regime} comes out as none", instead)
                paid = None  # within these limits the bound has no best point
        costed.append(Costed(row.regime, own, calibration, paid))
    if rules.paper != "lmo":
        return Costs(tuple(costed), (), {}, "", ())
    known = {row.regime: row.constants for row in costed if row.constants is not None}
    # Constants of the first of these that has any: the fewer ratios a regime leaves free, the more it tells.
    telling = next((regime for regime in "BDCA" if regime in known), "")
    lives = (published.life(row, start, rules, c.cost and c.cost.retuned) for row, c in zip(rows, costed))
    return Costs(
        rows=tuple(costed),
        moves=published.moves(rules, of_paper("sgd")),
        at_start=at_point(known[telling], start) if telling else {},
        at_start_by=telling if problem.constants is None else "",
        half_lives=tuple(lives),
    )


def risk(bound: Proxy, at: At | Setting, T: float, constants: Constants) -> Array:
    """Return the bound, one value for each value of its constants."""
    values = {name: np.asarray(at[name], float) for name in bound.variables() if name != bound.budget}
    values[bound.budget] = np.asarray(T, float)
    terms = []
    for term in bound.terms:
        value: Any = term.coefficient(constants)
        # The budget first: divided by it, what is large on the way to a term stays a float.
        for name, factor in reversed(list(term.factors.items())):
            value = value * evaluate_factor(factor, values[name])
        terms.append(value)
    return np.asarray(sum(np.broadcast_arrays(*terms)))


def optima(bound: Proxy, budgets: Sequence[float], constants: Constants, boxes: Sequence[Box]) -> list[At]:
    """Return where the bound has its minimum at each budget in its box, over all hyperparameters.

    One solve for all of them: it takes as long as for one.
    """
    names = bound.hyperparameters()
    ends: dict[str, Any] = {name: tuple(np.array([box[name] for box in boxes]).T[:, :, None]) for name in names}
    best = profile(bound, names, {}, np.array(budgets)[:, None], ends, constants).at
    return [{name: best[name][k] for name in names} for k in range(len(boxes))]


def cost(
    of: Constants, start: Setting, at: Setting, tuned: Collection[str], held: Collection[str], limits: Limits,
    bound: Proxy,
) -> Cost:  # fmt: skip
    """Return what going from ``start``, where some were tuned, to ``at`` costs over tuning again what isn't held there.

    The constants are of shape (n,); the limits are caps, and one unit of the batch size, its smallest.
    """
    # At the first budget those limits held that the setting kept to.
    b, eta = start.b or np.inf, start.eta or np.inf
    kept = Limits(
        b=limits.b if b <= (limits.b or 0) else None,
        eta=limits.eta if eta <= (limits.eta or 0) else None,
        unit=limits.unit if b >= limits.unit else 1,
        caps={v: x for v, x in limits.caps.items() if (start[v] or np.inf) <= x},
        floors={v: x for v, x in limits.floors.items() if (start[v] or 0.0) >= x},
    )
    others = [v for v in bound.space.hyperparameters if v not in tuned]
    box, before = _box(bound, at.T, limits), _box(bound, start.T, kept) | _held(start, others)
    retuned, best, at_best = optima(bound, (at.T, at.T, start.T), of, (box | _held(at, held), box, before))

    def regret(setting: Setting) -> Regret | None:
        if counted_in_tokens(bound) and setting.b is not None and setting.b > setting.T:
            return None
        return Regret(*(_excess(bound, setting, other, of) for other in (retuned, best)))

    left = as_it_was(start, at, held, limits, bound)
    return Cost(
        retuned=retuned,
        best=best,
        rule=regret(at),
        unchanged=regret(left),
        start=at_best,
        at_start=_excess(bound, start, at_best, of),
    )


def as_it_was(start: Setting, at: Setting, held: Collection[str], limits: Limits, bound: Proxy) -> Setting:
    """Return the old setting at a new budget, as far as limits let it be; what is held there is as ``at`` has it.

    b is the nearest that can be run there, or the one that is held; eta is capped.
    """
    left = start.with_values(at.T)
    for name, x in start.values.items():
        if name == "b":
            left = left.with_values(b=at.b if "b" in held else feasible(x, limits)[0])
        elif name in bound.space.all:
            low, high = limits.ends(bound.space.all[name])
            left = left.with_values(**{name: at[name] if name in held else min(max(x, low), high)})
    return left


def held_there(row: Row, given: Collection[str]) -> list[str]:
    """Return what a row holds; b that is its own, and that a limit keeps elsewhere, is tuned again within limits."""
    return [name for name in row.held if name in given or name not in row.tuned]


def _excess(bound: Proxy, setting: Setting, best: At, of: Constants) -> Array:
    """The relative excess risk of a setting over an optimum at its budget."""
    excess = risk(bound, setting, setting.T, of) / risk(bound, best, setting.T, of) - 1
    return np.where(np.abs(excess) < _ROUNDING, 0.0, excess)


def _box(bound: Proxy, T: float, limits: Limits) -> Box:
    """What is feasible at a budget: each variable within its ends, and at least one iteration."""
    box = {}
    for variable in bound.space.tunable:
        low, high = limits.ends(variable)
        if variable.name == "b" and counted_in_tokens(bound):
            high = min(high, max(T, float(limits.unit)))
        box[variable.name] = max(low, _SMALL), min(high, 1 / _SMALL)
    return box


def _held(setting: Setting, names: Collection[str]) -> Box:
    return {name: (value, value) for name in names if (value := setting[name]) is not None}


def at_point(of: Constants, start: Setting) -> dict[str, Factor]:
    """Return by what eq. (4)'s best eta moves when b is quadrupled at a point, by what becomes of the momentum.

    Where the point's own eta, or alpha, is not the best, the best ones are compared.
    """
    assert start.b is not None
    momenta = {"held": _held(start, ["alpha"]), "tuned again": {}}
    ways = [(start.T, start.b), (4 * start.T, 4 * start.b), (start.T, 4 * start.b)]  # here, at fixed K, at fixed T
    lmo = bounds.lmo()
    boxes = [_box(lmo, T, NO_LIMITS) | {"b": (b, b)} | held for held in momenta.values() for T, b in ways]
    found = optima(lmo, [T for T, _ in ways] * len(momenta), of, boxes)
    etas = np.reshape([at["eta"] for at in found], (len(momenta), len(ways), -1))
    return {name: Factor(at_K / here, at_T / here) for name, (here, at_K, at_T) in zip(momenta, etas)}


# --- calibration ---


def calibrate(start: Setting, tuned: Sequence[str], limits: Limits = NO_LIMITS) -> Calibration:
    """Return the constants of eq. (4) for which a point is optimal in what was tuned there: eta, b, alpha or some.

    b is on its bound at one unit and at its cap, eta at its cap, alpha at 1.
    """
    T, eta, b, alpha = start.T, start.eta, start.b, start.alpha
    assert b is not None
    assert alpha is not None
    # What each condition is: 0 an equation; on a bound its ratio is at least (-1) or at most (1) what it says. On its
    # lower bound the risk rises with b: P/N is at least the ratio; on its upper one at most. On alpha's upper bound
    # D/N is at least the ratio; on eta's, D/P is at most 1.
    senses = {
        "eta": int(eta == limits.eta),
        "b": -1 if b <= limits.unit else int(b == limits.b),
        "alpha": -int(alpha == 1),
    }
    on_bound = tuple(name for name in tuned if senses[name])
    r = float(np.divide(b, alpha**1.5 * T))  # infinite, and no error, at alpha = 1e-250
    batch = _range((1 - r) / (2 * (1 + r)), senses["b"] if "b" in tuned else None)
    momentum = _range((1 + alpha) * (0.5 - r) / (1 + r), senses["alpha"] if "alpha" in tuned else None)
    if -np.inf in (batch[1], momentum[1]):
        better = "1 a smaller b" if batch[1] == -np.inf else "2 a smaller beta"
        why = f"no constants make the start the best: alpha^(3/2) K = {1 / r:.3g}, and up to {better} is always better"
        return Calibration(None, tuple(tuned), on_bound, why=why)
    progress, drift, free, misfit = _ratios(batch, momentum, capped="eta" in on_bound)
    P, D = np.exp(progress), np.exp(drift)
    bound, none = bounds.lmo(), {"C1": 0.0, "C2": 0.0, "C3": 0.0}
    unit = {name: risk(bound, start, T, {**none, name: 1.0}) for name in none}
    constants = {"C1": unit["C2"] * P / unit["C1"], "C2": np.ones_like(P), "C3": unit["C2"] * D / unit["C3"]}
    return Calibration(constants, tuple(tuned), on_bound, free, misfit, 1 / (P + 1 + D))


def _range(ratio: float, sense: int | None) -> tuple[float, float]:
    """Between what a condition leaves its ratio's log: all where there is none, twice -inf where nothing is left."""
    log = -np.inf if ratio <= 0 else float(np.log(ratio))
    return log if sense in (0, -1) else -np.inf, log if sense in (0, 1) else np.inf


def _ratios(
    batch: tuple[float, float], momentum: tuple[float, float], *, capped: bool
) -> tuple[Array, Array, int, float]:
    """The logs of P/N and D/N; how many of them are free; the factor that conditions are off by.

    Between what b says of P/N and alpha of D/N, and with eta's own condition: P = D, or P >= D on its cap.
    """
    if momentum[0] > batch[1] or (batch[0] > momentum[1] and not capped):
        # They contradict each other. The least squares of their logs miss each of the three by the same factor.
        progress, drift = (batch[1], momentum[0]) if momentum[0] > batch[1] else (batch[0], momentum[1])
        third = (progress - drift) / 3
        return np.array([progress - third]), np.array([drift + third]), 0, float(np.exp(abs(third)))
    P = _shown(max(batch[0], momentum[0]), batch[1] if capped else min(batch[1], momentum[1]))
    if not capped:
        return P, P, int(P.size > 1), 1.0
    D = _shown(momentum[0], min(momentum[1], batch[1]))
    progresses, drifts = (grid.ravel() for grid in np.meshgrid(P, D))
    keep = drifts <= progresses
    return progresses[keep], drifts[keep], int(P.size > 1) + int(D.size > 1), 1.0


def _shown(low: float, high: float) -> Array:
    """Values between two logs of P/N = D/N, while the share of noise is within what is shown."""
    bottom, top = (float(np.log((1 - share) / (2 * share))) for share in reversed(NOISE_SHARES))
    low = min(max(low, bottom), high)
    high = max(low, min(high, top))
    return np.linspace(low, high, _POINTS) if low < high else np.array([low])
