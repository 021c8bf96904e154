"""What a surface says of the next budget: the setting, its interval, and what of it the sweep does not show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hpgrid.fits.runs import Runs
from hpgrid.fits.surface import Prior, Shape, Surface
from hpgrid.shapes import Floats
from hpgrid.transfers.rules import feasible
from hpgrid.transfers.start import NO_LIMITS, Limits
from hpgrid.variables import STANDARD

#: Misfit of a surface in octaves, beside its posterior: at the last budget, and for each octave of tokens beyond it.
#: By both 80% intervals cover 88% of held-out optima on public sweeps, by the posterior 60%: what they miss is not
#: sampling noise, but a slow drift of the optimum.
MISFIT, MISFIT_AN_OCTAVE = 0.15, 0.08

#: An optimum this far outside what was sampled, in octaves, is none that was measured.
BEYOND = 0.5

#: A surface has a minimum if it has one in this share of the posterior.
CURVED = 0.9

#: Why a variable is held that is at the border of a sweep, and one of which the surface shows no optimum.
EDGE, NO_MINIMUM = "at the border of the sweep", "the losses show no minimum in it: the best run's"

#: What is as good as the best: above the surface's minimum by at most this share of the lowest loss of the largest
#: budget. A surface's floor is no loss that training can't go below, so that no share of what is above one is meant.
NEAR_OPTIMAL = 0.005


@dataclass(frozen=True)
class Held:
    """A variable that the surface does not place: where it is at the last budget, in log2, its exponent, and why."""

    value: float
    exponent: Prior
    reason: str


@dataclass(frozen=True, eq=False)
class Prediction:
    """The setting for one budget.

    Args:
        T: tokens.
        at: each hyperparameter.
        level: how sure the intervals are.
        interval: of the optimum.
        near_optimal: what costs at most 0.5% of the loss, the others re-tuned.
        edge: what lies at the border of the sweep.
        held: what was not placed by the surface, and why.
        drawn: log2 of the optimum, of each draw that the intervals are of.
    """

    T: float
    at: Mapping[str, float]
    level: float
    interval: Mapping[str, tuple[float, float]]
    near_optimal: Mapping[str, tuple[float, float]]
    edge: tuple[str, ...]
    held: Mapping[str, str]
    drawn: Floats = field(repr=False, compare=False)


def held_at_the_border(
    surface: Surface, runs: Runs, priors: Mapping[str, Prior], given: Mapping[str, float]
) -> dict[int, Held]:
    """Return the variables that the surface does not place, each with where it is at the last budget.

    What is given is held there. Where the surface may have no minimum the variable along which it is flattest, of those
    that the best run has at a border if there are such, stays at that run's value; and one whose optimum lies outside
    the sweep at the border: from there on the prior's exponent leads, but not from a border back into the sweep, for
    the optimum has to come to that border first. Then the others are looked at again.
    """
    names, last = surface.names, runs.largest
    (low, high), best = np.log2([runs.ends(v) for v in names]).T, np.log2([last.best[name] for name in names])
    z0, t = surface.centre[0], float(np.log2(last.T[0]) - surface.centre[1])
    draws = surface.draws(np.random.default_rng(0)).H
    held = {i: Held(float(np.log2(given[v])), Prior(0.0, 0.0), "given") for i, v in enumerate(names) if v in given}

    def hold(i: int, x: float, reason: str) -> None:
        prior = priors[names[i]]
        inward = (x == low[i] and prior.mean > 0) or (x == high[i] and prior.mean < 0)
        held[i] = Held(x, Prior(0.0, prior.deviation) if inward else prior, reason)

    while free := [i for i in range(len(names)) if i not in held]:
        if (np.linalg.eigvalsh(draws[:, free][:, :, free])[:, 0] > 0).mean() < CURVED:
            flattest = np.linalg.eigh(surface.shape.H[np.ix_(free, free)])[1][:, 0]
            at_border = [best[i] in (low[i], high[i]) for i in free]
            which = int(np.argmax(np.abs(flattest) * (at_border if any(at_border) else 1)))
            hold(free[which], float(best[free[which]]), EDGE if at_border[which] else NO_MINIMUM)
            continue
        z = surface.shape.optimum(t, {i: h.value - z0[i] for i, h in held.items()}) + z0
        border = np.clip(z, low, high)
        i = max(free, key=lambda i: abs(z[i] - border[i]))  # the farthest first: it may draw the others back in
        if abs(z[i] - border[i]) <= BEYOND:
            break
        hold(i, float(border[i]), EDGE)
    return held


def predict(
    surface: Surface,
    runs: Runs,
    held: Mapping[int, Held],
    T: float,
    level: float,
    limits: Limits = NO_LIMITS,
    seed: int = 0,
    last: float | None = None,
    others: Sequence[Surface] = (),
    pulled: Mapping[str, float] | None = None,
) -> Prediction:
    """Return the setting for a budget, with intervals from the posterior, the misfit and other assumptions.

    Args:
        surface: the fitted one.
        runs: of which it is.
        held: what it does not place.
        T: tokens.
        level: of the intervals.
        limits: caps, and how b is rounded: the rest is tuned again at what they leave.
        seed: of the posterior's draws.
        last: the budget beyond which the misfit grows, that of the largest run by default.
        others: surfaces of the same runs by other assumptions: intervals reach as far as each of them leads.
        pulled: which share of the way there, by variable; all of it by default.
    """
    names, ahead = surface.names, float(np.log2(T / runs.largest.T[0]))
    # Where each held variable is, in log2, and its deviation.
    placed = {i: (h.value + h.exponent.mean * ahead, h.exponent.deviation * abs(ahead)) for i, h in held.items()}
    reasons = {names[i]: h.reason for i, h in held.items()}

    def optimum(shape: Shape, normal: Floats | None = None, of: Surface = surface) -> Floats:
        noise, (centre, t0) = np.zeros(len(names)) if normal is None else normal.T, of.centre
        t = float(np.log2(T)) - t0
        return shape.optimum(t, {i: z + s * noise[i] - centre[i] for i, (z, s) in placed.items()}) + centre

    ends = {v.name: v for v in runs.space.tunable}
    caps = {"b": limits.b, **{v.name: v.most for v in ends.values() if v.name != "b"}}
    caps["eta"] = limits.eta
    settled = dict[str, float]()  # what the rounding of a logarithm would leave beyond an end
    for name in (name for name in caps if name in names):  # b first: where it is another one, the rest is tuned at it
        own = x = float(2.0 ** optimum(surface.shape)[names.index(name)])
        x = feasible(x, limits)[0] if name == "b" else max(min(x, caps[name] or np.inf), ends[name].least)
        if x != own:
            placed[names.index(name)], settled[name] = (float(np.log2(x)), 0.0), x
            reasons[name] = "at its cap" if x == caps[name] else "rounded" if name == "b" else "at its least"
    at = optimum(surface.shape)
    rng = np.random.default_rng(seed)
    draws = surface.draws(rng)
    free = [i for i in range(len(names)) if i not in placed]
    # A draw without a minimum has it beyond either end: half of those on each side of the others.
    convex = np.linalg.eigvalsh(draws.H[:, free][:, :, free]).min(axis=-1, initial=np.inf) > 0
    drawn = optimum(draws, rng.standard_normal(draws.c.shape))[convex]
    beyond = max(float(np.log2(T / last)) if last else ahead, 0.0)
    drawn = drawn + rng.standard_normal(drawn.shape) * np.hypot(MISFIT, MISFIT_AN_OCTAVE * beyond)
    alone, share = drawn, np.array([(pulled or {}).get(name, 1.0) for name in names])
    for other in others:
        if np.linalg.eigvalsh(other.shape.H[np.ix_(free, free)]).min(initial=np.inf) > 0:
            drawn = drawn + rng.random((len(drawn), 1)) * share * (optimum(other.shape, of=other) - at)
    # Of as many as the level leaves out there is no end.
    tail, ended = max((convex.mean() - level) / 2, 0.0) / convex.mean(), convex.mean() > level
    # Drawn out to one side they would reach less far on the other, where the surface itself may be right.
    reached = np.quantile([alone, drawn], [tail, 1 - tail], axis=1)  # end, alone or drawn out, variable
    low, high = reached[0].min(axis=0), reached[1].max(axis=0)
    inverse = np.linalg.inv(surface.shape.H[np.ix_(free, free)])
    half = np.sqrt(2 * NEAR_OPTIMAL * abs(runs.largest.least) * np.maximum(np.diag(inverse), 0.0))

    def span(i: int, low: float, high: float) -> tuple[float, float]:
        own = ends[names[i]]
        return float(max(2.0**low, own.low if own not in STANDARD.tunable else 0.0)), float(min(2.0**high, own.high))

    return Prediction(
        T, {name: float(2.0**z) for name, z in zip(names, at)} | settled, level,
        # What the surface does not place has none: its optimum may be anywhere.
        {names[i]: span(i, low[i], high[i]) for i in free if ended},
        {names[i]: span(i, at[i] - h, at[i] + h) for i, h in zip(free, half)},
        tuple(name for name, reason in reasons.items() if reason == EDGE),
        {name: reason for name, reason in reasons.items() if reason != EDGE}, drawn,
    )  # fmt: skip
