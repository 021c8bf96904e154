"""What to run next: the runs that narrow a prediction most, and a first sweep where there are none."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from hpgrid.checks import bad, check_keys
from hpgrid.fits.fit import Fit
from hpgrid.fits.predict import predict
from hpgrid.fits.runs import ONE_BUDGET, SAME
from hpgrid.fits.surface import HALF_WEIGHT, WINDOW, columns
from hpgrid.record import plain
from hpgrid.shapes import Floats
from hpgrid.text import aligned, few_iterations, number
from hpgrid.transfers.rules import batch_text, feasible
from hpgrid.transfers.start import NO_LIMITS, Limits
from hpgrid.variables import STANDARD, Variable, check_value

#: Candidates lie this many octaves off the fitted optimum of their budget: farther out the surface is not trusted.
OFFSETS = (-2.0, -1.0, 0.0, 1.0, 2.0)

#: The budgets of candidates, as multiples of the largest one that was run, as far as the tokens suffice.
LONGER = (1 / 4, 1 / 2, 1.0, 2.0, 4.0)

#: So many runs make a budget one from which a fit predicts.
RUNS_OF_A_BUDGET = 3

#: The deviation of a floor of which nothing is known, in nats: any loss.
ANY_LOSS = 10.0

#: The fewest values along a side of a first sweep: two have no optimum between them.
SIDE = 3


class Run(NamedTuple):
    """A run to make: its settings by name, and its tokens."""

    at: Mapping[str, float]
    T: float


@dataclass(frozen=True)
class Design:
    """Runs to make, in the order of what they tell.

    Args:
        runs: which.
        before: by name, the half-width of the predicted interval as a factor; empty where there is no fit yet.
        after: the same, once they are made.
        unit: tokens in one of what batch sizes are counted in: the length of a sequence, or 1.
    """

    runs: tuple[Run, ...]
    before: Mapping[str, float] = field(default_factory=dict)
    after: Mapping[str, float] = field(default_factory=dict)
    unit: int = 1

    @property
    def tokens(self) -> float:
        """What they cost in all."""
        return math.fsum(run.T for run in self.runs)

    def as_dict(self) -> dict[str, Any]:
        """Return the design as plain data: its runs, the half-widths before and after them, and their tokens."""
        rows = [{"T": run.T, **run.at} for run in self.runs]
        return {**plain(self), "runs": rows, "tokens": self.tokens}

    def lines(self, counted: str = "tokens") -> list[str]:
        """Return a design as text: what it is for, and its runs."""
        cost = f"{len(self.runs)} runs, {number(self.tokens)} {counted} in all,"
        if self.before:
            narrower = ", of ".join(f"{v} from a factor of {x:.3g} either way to {self.after[v]:.3g}"
                                    for v, x in self.before.items())  # fmt: skip
            return [f"To run next: {cost} would narrow the interval of {narrower}:", *self._table()]
        rates, sizes = (sorted({run.at[v] for run in self.runs}) for v in ("eta", "b"))
        far = number(math.sqrt(rates[-1] / rates[0]))
        return [
            f"A first sweep: {cost} {len(rates)} learning rates for each of {len(sizes)} batch sizes, as far as a "
            f"factor of {far} either way, twice your doubt, so that the optimum is not at the border. It is a grid, as "
            "the best learning rate moves with the batch size, and as grids have told more of the next setting than as "
            "many runs along one variable at a time.",
            *self._table(),
        ]

    def _table(self) -> list[str]:
        """The runs as a table, those that differ in eta alone, or in what comes first, in one row."""
        in_sequences = self.unit > 1 and "b" in self.runs[0].at
        varied, *others = self.runs[0].at
        rows = [("T", *others, *["sequences"] * in_sequences, varied)]
        together = dict[tuple[str, ...], list[float]]()
        for at, T in self.runs:
            values = [batch_text(at[v]) if v == "b" else number(at[v]) for v in others]
            key = (number(T), *values, *[batch_text(at["b"] / self.unit) for _ in range(in_sequences)])
            together.setdefault(key, []).append(at[varied])
        rows += [(*key, ", ".join(map(number, sorted(each)))) for key, each in together.items()]
        return aligned(rows, wrap=(varied,), indent="  ")


def design(fit: Fit, count: int, T: float, tokens: float | None = None) -> Design:
    """Return the runs that together narrow the prediction for T tokens most, each chosen after those before it.

    The variance of the predicted optimum, which is linear in the coefficients around the fitted ones, falls with each
    run by a rank-one update of their covariance, whatever its loss will be. A largest budget of three new runs brings
    the prediction nearer, too.

    Args:
        fit: what is known; its limits are kept.
        count: how many runs.
        T: the budget that is predicted.
        tokens: for all runs together; by default what as many runs of twice the largest budget take.

    Raises:
        ValueError: the tokens do not suffice for so many of the shortest runs, or the fit places no optimum.
    """
    T, largest, free = check_value("T", T), float(fit.runs.largest.T[0]), replace(fit, limits=NO_LIMITS)
    lengths = [largest * k for k in LONGER if largest * k >= fit.runs.T.min()]
    left = 2 * count * largest if tokens is None else check_value("T", tokens)
    if left < count * lengths[0]:
        rule = f"{count} runs of {lengths[0]:.3g} {fit.runs.counted} each, the fewest, fit into what they may take"
        raise bad(rule, f"{left:.3g}", "more tokens, or fewer runs")
    if not free.predict(T).interval:
        reasons = free.predict(T).held or {"eta": "its interval has no end" * bool(free.predict(T).near_optimal)}
        why = "; ".join(f"{v}: {reason}" for v, reason in reasons.items() if reason) or "all at the border"
        raise bad("a design narrows an optimum that the fit places", why, "no --design, or --design with --around")
    among = _candidates(fit, free, lengths)
    gradient = _gradient(free, T, among.rows.shape[1])
    plans = []
    for last in (length for length in lengths if length == largest or largest < length <= T):
        new = RUNS_OF_A_BUDGET if last > largest else 0
        if count >= new and left >= new * last + (count - new) * lengths[0]:
            spans = [(last, last)] * new + [(0.0, last)] * (count - new)
            chosen, covariance = _chosen(among, spans, left, gradient)
            before = _factors(free, T, among.covariance, 0, largest)
            # What pulls at an optimum moves it as far as its variance lets it.
            pulled = np.sum((gradient @ covariance) * gradient, 1) / np.sum((gradient @ among.covariance) * gradient, 1)
            after = _factors(free, T, covariance, count, last, dict(zip(before, pulled)))
            plans.append(Design(tuple(among.runs[k] for k in chosen), before, after, fit.limits.unit))
    return min(plans, key=lambda plan: math.prod(plan.after.values()))


class _Candidates(NamedTuple):
    """Runs that could be made."""

    runs: tuple[Run, ...]
    budgets: Floats  # of each
    rows: Floats  # of the surface's least-squares problem, with floors of budgets that are new
    noise: Floats  # the variance of each run's loss, larger far off the optimum, where a run counts less
    covariance: Floats  # of the coefficients, before any is made


def _candidates(fit: Fit, free: Fit, lengths: Sequence[float]) -> _Candidates:
    """Runs around the optima of some budgets, ``free`` of the limits that each run keeps."""
    surface, times, found, ends = fit.surface, list(fit.surface.t), {}, fit.runs.space.all
    whole = np.allclose(fit.runs.T, np.rint(fit.runs.T), rtol=0.0, atol=1e-3)  # else they are no counts: billions, say
    for length in lengths:
        k, budget = int(np.argmin(np.abs(surface.t - math.log2(length)))), length
        # Nearer, the table of runs has it as that budget.
        if abs(times[k] - math.log2(length)) > math.log2(1 + ONE_BUDGET):
            k = len(times)
            times.append(math.log2(length))
        else:
            budget = float(fit.runs.T[np.argmin(np.abs(np.log2(fit.runs.T) - times[k]))])
        own = free.predict(budget).at
        for offset in itertools.product(OFFSETS, repeat=len(surface.names)):
            at = {v: _within(fit.limits, ends[v], own[v] * 2**step) for v, step in zip(surface.names, offset)}
            rise = max(free.regret(at, budget), 0.0) / surface.nat
            if rise <= WINDOW and at.get("b", 0.0) <= budget:  # what lies farther off is not fitted
                octaves = [math.log2(at[v] / own[v]) for v in surface.names]
                run = Run(at, float(round(budget)) if whole else budget)
                found[(budget, *at.values())] = run, k, octaves, 1 + (rise / HALF_WEIGHT) ** 2
    runs, floors, off, more = zip(*found.values())
    T = np.array([run.T for run in runs])
    z = np.log2([list(run.at.values()) for run in runs]) - surface.centre[0]
    rows = columns(z, np.log2(T) - surface.centre[1], np.array(floors), np.array(off))
    old = len(surface.t)
    known = [k for k in range(rows.shape[1]) if k < old or k >= len(times)]
    covariance = np.eye(rows.shape[1]) * (ANY_LOSS * surface.nat) ** 2
    covariance[np.ix_(known, known)] = surface.covariance
    # Noise is alike in every run: weights w that differ leave the coefficients a covariance that is the inverse of the
    # weighted problem's information times sigma^2 and the mean of w by weight, less than sigma^2 alone would give.
    mean = (surface.weights**2).sum() / surface.weights.sum()
    return _Candidates(runs, T, rows, mean * surface.sigma**2 * np.array(more), covariance)


def _chosen(
    among: _Candidates, spans: Sequence[tuple[float, float]], left: float, gradient: Floats
) -> tuple[list[int], Floats]:
    """The best run of each span of budgets after those before it, and the covariance once all are made."""
    covariance, used, shortest = among.covariance, np.zeros(len(among.runs)), among.budgets.min()
    chosen: list[int] = []
    for k, (low, high) in enumerate(spans):
        spare = (left - sum(max(first, shortest) for first, _ in spans[k + 1 :])) * (1 + 1e-12)
        can = (among.budgets >= low * (1 - SAME)) & (among.budgets <= min(high * (1 + SAME), spare))
        can &= used == used[can].min()  # a setting comes again only once all have been
        seen = among.rows @ covariance
        variance = among.noise + (seen * among.rows).sum(axis=1)
        best = int(np.argmax(np.where(can, ((gradient @ seen.T) ** 2).sum(axis=0) / variance, -1.0)))
        chosen.append(best)
        used[best] += 1
        left -= among.budgets[best]
        covariance = covariance - np.outer(seen[best], seen[best]) / variance[best]
    return chosen, covariance


def _gradient(free: Fit, T: float, size: int) -> Floats:
    """How what is tuned of the optimum at T moves with each of so many coefficients: dz = -H^-1 (dH z + dc + t dd)."""
    surface, own = free.surface, free.predict(T)
    tuned = [surface.names.index(v) for v in own.near_optimal]
    n, t = len(surface.names), math.log2(T) - surface.centre[1]
    z = np.log2(list(own.at.values())) - surface.centre[0]
    i, j = np.triu_indices(n)
    turned = np.zeros((n, len(i)))
    for k, (p, q) in enumerate(zip(i, j)):
        turned[p, k] += z[q]
        turned[q, k] += z[p] * (p != q)
    moved = np.hstack([turned, np.eye(n), t * np.eye(n)])[tuned]
    cubes = surface.covariance.shape[0] - len(surface.t) - moved.shape[1]  # which move no optimum, as floors don't
    moved = np.pad(moved, ((0, 0), (size - cubes - moved.shape[1], cubes)))
    return -np.linalg.solve(surface.shape.H[np.ix_(tuned, tuned)], moved)


def _factors(
    free: Fit, T: float, covariance: Floats, new: int, last: float, pulled: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Half-widths of the intervals at T, as factors, by the fit's own draws, with what new runs up to a budget tell.

    The misfit no run narrows, but one of a larger budget brings nearer; of what assumptions do, a share is left.
    """
    surface, old = free.surface, len(free.surface.t)
    kept = [*range(old), *range(len(covariance) - len(surface.covariance) + old, len(covariance))]  # no new floors
    surer = replace(surface, covariance=covariance[np.ix_(kept, kept)], freedom=surface.freedom + new)
    asked: Any = {"seed": free.seed, "last": last, "others": free.others, "pulled": pulled}
    interval = predict(surer, free.runs, free.held, T, free.level, **asked).interval
    return {name: math.sqrt(high / low) for name, (low, high) in interval.items()}


def _within(limits: Limits, of: Variable, x: float) -> float:
    """A value as far as it can be run: a batch size is a whole number of sequences, or of tokens."""
    if of.name == "b":
        return feasible(x, limits._replace(round_b=limits.round_b or "int"))[0]
    return max(min(x, of.most, (of.name == "eta" and limits.eta) or math.inf), of.least)


def first_sweep(
    count: int, around: Mapping[str, float], doubt: float, limits: Limits = NO_LIMITS, tokens: float | None = None
) -> Design:
    """Return a grid of learning rates and batch sizes around a guess: a grid of n x n tells more than a star of n^2.

    Args:
        count: the most runs, >= 9: as many batch sizes as its root, and for each as many learning rates as there is
            room for.
        around: the guess: eta, b in the unit of the limits, and T in tokens.
        doubt: the factor by which it may be off, either way, >= 1.
        limits: how b is rounded, and the largest b and eta.
        tokens: the most that all runs may take together.

    Raises:
        ValueError: fewer than nine runs, a guess without eta, b or T, batch sizes of which rounding leaves two, or a
            grid that takes more tokens.
    """
    if count < SIDE**2:
        raise bad(f"a first sweep is a grid of {SIDE} x {SIDE} runs or more", count, "--design 25, say")
    check_keys("name in a guess", around, ("eta", "b", "T"))
    if lacking := [name for name in ("eta", "b", "T") if name not in around]:
        raise bad("a first sweep goes around a guess of eta, b and T", ", ".join(around), f"{lacking[0]}=..., too")
    if not doubt >= 1 or not math.isfinite(doubt):
        raise bad("a doubt is a factor either way, 1 or more", doubt, "--doubt 4, say")
    eta, b, T = (check_value(name, around[name]) for name in ("eta", "b", "T"))
    # An octave beyond the doubt on either side: an optimum at the border of a sweep is none that was measured.
    octaves = math.log2(doubt) + 1.0

    def side(name: str, centre: float, n: int) -> list[float]:
        values = [float(centre * 2.0**x) for x in np.linspace(-octaves, octaves, n)]
        return list(dict.fromkeys(_within(limits, STANDARD.all[name], x) for x in values))

    sizes = side("b", b * limits.unit, math.isqrt(count))
    rates = side("eta", eta, count // len(sizes))
    if min(len(sizes), len(rates)) < SIDE:
        rule = f"a first sweep has {SIDE} learning rates and batch sizes or more"
        raise bad(rule, f"{len(rates)} and {len(sizes)} within the limits", "a larger --doubt, or other limits")
    if few := few_iterations(max(sizes), T / max(sizes), limits.unit):
        raise bad(
            f"a first sweep's runs have iterations to train in: {few}", f"T = {T:g}", "a larger T, or a smaller b"
        )
    plan = Design(tuple(Run({"eta": x, "b": y}, T) for y in sizes for x in rates), unit=limits.unit)
    if tokens is not None and plan.tokens > check_value("T", tokens):
        given = f"{len(plan.runs)} of {T:g} tokens, {plan.tokens:.4g} in all"
        raise bad(
            f"the runs of a first sweep take at most {tokens:.4g} tokens together", given, "a smaller T, or fewer runs"
        )
    return plan
