"""A sweep in one picture: maps over two constants, and what stays while they move."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hpgrid.checks import bad, unknown
from hpgrid.plotting import maps
from hpgrid.plotting.lines import law, padded
from hpgrid.plotting.style import (
    decades,
    declaring,
    hollow,
    legend_below,
    letter,
    log_axes,
    named,
    new_figure,
    number,
    short,
    styled,
    symbol,
)
from hpgrid.sweeps.plan import Plan, restore
from hpgrid.sweeps.store import loaded
from hpgrid.text import name_latex

if TYPE_CHECKING:
    import xarray

Array = NDArray[Any]

#: How many lines a panel of curves has at the most.
LINES = 5

#: What is drawn of the tuned hyperparameters, the first that there is: batch size before momentum.
ORDER = ("b", "alpha", "eta")


@dataclass(frozen=True)
class View:
    """What is shown of a sweep.

    Attributes:
        regime: its name; the first where None.
        pair: the two constants that the maps are over, or the one that curves are along; the longest where empty.
        at: where the other constants are held, by name; at the middle of their values where not given. The budget, too.
        budget: at which budget the best value is mapped; the largest where None.
        quantity: which hyperparameter; batch size where it is tuned, else momentum, else the learning rate.
    """

    regime: str | None = None
    pair: tuple[str, ...] = ()
    at: Mapping[str, float] = field(default_factory=dict)
    budget: float | None = None
    quantity: str | None = None


@dataclass(frozen=True, eq=False)
class _Slice:
    """A sweep cut down to one regime and one or two constants."""

    data: xarray.Dataset
    plan: Plan
    pair: tuple[str, ...]
    tuned: tuple[str, ...]
    quantity: str
    budget: str
    value: float
    held: dict[str, float]
    left_out: tuple[str, ...]  # of the pair, those whose values of 0 are not drawn


def draw(data: xarray.Dataset, view: View) -> Figure:
    """Return the picture of a sweep: three maps over a pair of constants, and three panels of curves.

    Maps: the refined slope of one hyperparameter, where its burn-in ends, its best value at one budget, cells
    whose optimum is at the edge hatched. Curves along the first constant: every slope, with the exact exponents
    dashed; the prefactors of the hyperparameter and of eta at that budget, with the exact law's dashed.

    Args:
        data: the sweep, as ``open_sweep`` returns it.
        view: what is shown of it.

    Raises:
        ValueError: rows instead of axes, or a name or value that the sweep lacks.
    """
    cut = _cut(data, view)
    with styled(), declaring(cut.plan.space, cut.plan.bound.above):
        mapped = len(cut.pair) == 2
        figure, axes = new_figure(1 + mapped, 3, (9.6, 5.6 if mapped else 3.1))
        if mapped:
            _maps(axes[:3], cut)
        _slopes(axes[-3], cut)
        for ax, v in zip(axes[-2:], dict.fromkeys((cut.quantity, *cut.tuned, "risk"))):
            _prefactor(ax, cut, v)
        for k, ax in enumerate(ax for ax in axes if ax.get_visible()):
            letter(ax, k, ax.get_title(loc="left"))
        # What the curves' panels share is named once, below the figure: the constants' values first.
        edge = {"at the edge (maps)": maps.hatch_key()} if mapped else {}
        legend_below(figure, named(axes[-2:]) | edge, 5, first="$")
        said = [f"${name_latex(name)}$ = {number(x)}" for name, x in cut.held.items()]
        held = ", ".join([*said, *(f"without ${name_latex(name)}$ = 0" for name in cut.left_out)])
        figure.suptitle(f"{cut.plan.bound.name}, {cut.data.regime.item()}{', ' + held if held else ''}", fontsize=10)
    return figure


# --- what is shown ---


def _cut(data: xarray.Dataset, view: View) -> _Slice:
    plan = restore(json.loads(data.attrs["plan"]))
    if plan.combine == "rows":
        raise bad("a map is over axes of constants, and this sweep has rows", "rows", "a sweep of all combinations")
    regime = view.regime or next(iter(plan.regimes))
    if regime not in plan.regimes:
        raise unknown("regime of this sweep", regime, list(plan.regimes))
    tuned = plan.regimes[regime].tuned
    quantity = view.quantity or next((v for v in ORDER if v in tuned), tuned[0])
    if quantity not in tuned:
        raise unknown("hyperparameter that this regime tunes", quantity, tuned)
    pair = _pair(plan, view.pair)
    held = {}
    for name in (name for name in plan.swept if name not in pair):
        values = data[name].values
        wanted = view.at.get(name, values[len(values) // 2])
        matching = values[np.isclose(values, wanted, rtol=1e-6)]
        if not matching.size:
            raise bad(f"the sweep has no {name} of this value", wanted, ", ".join(f"{x:g}" for x in values[:12]))
        held[name] = float(matching[0])
    budget = str(data.attrs["budget"])
    for name in view.at:
        if name not in (*held, budget):
            raise unknown("constant that is neither drawn nor single", name, [*held, budget])
    one = loaded(data.sel(regime=regime, **held).transpose(*pair, ...))  # type: ignore[arg-type]
    # Axes are logarithmic: a constant of 0 has no place on one.
    drawn = {name: np.flatnonzero(one[name].values > 0) for name in pair}
    left_out = tuple(name for name, places in drawn.items() if len(places) < one.sizes[name])
    for name, places in drawn.items():
        if len(places) < 2:
            raise bad(f"a picture over {name} takes two values above 0", one[name].values.tolist(), "another constant")
    one = one.isel(drawn)
    values, wanted = one[budget].values, view.at.get(budget, view.budget)
    value = float(values[-1] if wanted is None else values[np.abs(np.log(values / wanted)).argmin()])
    return _Slice(one, plan, pair, tuned, quantity, budget, value, held, left_out)


def _pair(plan: Plan, names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in plan.swept:
            raise unknown("swept constant", name, plan.swept)
    if len(names) > 2 or len(set(names)) < len(names):
        raise bad("a picture is over one constant or two", list(names), "--pair C2,C3, say")
    lengths = plan.lengths
    longest = sorted((name for name in lengths if lengths[name] > 1), key=lambda name: -lengths[name])
    chosen = names or tuple(name for name in lengths if name in longest[:2])
    if not chosen:
        raise bad("a picture needs a constant that takes several values", lengths, "a sweep of more than one")
    return chosen


# --- maps ---


def _maps(axes: list[Axes], cut: _Slice) -> None:
    q, symbol = cut.quantity, short(cut.quantity)
    slopes = cut.data.sel(quantity=q)
    at_budget = cut.data.sel({cut.budget: cut.value})
    left_out = (cut.data.edge_points > 0).values
    fields = [(slopes.slope_star, left_out, f"slope of ${symbol}$ in ${cut.budget}$", False)]
    if q in cut.data.hyperparameter.values:
        # Only b and alpha have a bound of their own to leave.
        burned = cut.data.burn_in_star.sel(hyperparameter=q)
        fields.append(
            (burned, np.zeros(left_out.shape, bool), f"${cut.budget}$ where ${symbol}$ leaves its bound", True)
        )
    best = f"best ${symbol}$ at ${cut.budget}$ = {number(cut.value)}"
    fields.append((at_budget[f"{q}_star"], _at_wall(cut, at_budget), best, True))
    x, y = (cut.data[name].values for name in cut.pair)
    for ax, (values, edge, label, log) in zip(axes, fields):
        maps.field(ax, x, y, values.values, edge, log=log)
        ax.set_xlabel(f"${name_latex(cut.pair[0])}$")
        ax.set_ylabel(f"${name_latex(cut.pair[1])}$")
        ax.set_title(label)
    for ax in axes[len(fields) :]:
        ax.set_visible(False)


# --- curves ---


def _lines(cut: _Slice) -> list[tuple[float | None, xarray.Dataset]]:
    """The sweep along its first constant, at a few values of the second."""
    if len(cut.pair) == 1:
        return [(None, cut.data)]
    values = cut.data[cut.pair[1]].values
    chosen = np.unique(np.linspace(0, len(values) - 1, min(LINES, len(values))).round().astype(int))
    return [(float(values[k]), cut.data.isel({cut.pair[1]: int(k)})) for k in chosen]


def _slopes(axes: Axes, cut: _Slice) -> None:
    """Every refined slope along the first constant, at the middle of the second; exact exponents dashed."""
    lines = _lines(cut)
    other, one = lines[len(lines) // 2]
    x = one[cut.pair[0]].values
    quantities = ("risk", *cut.tuned)
    everything = [np.zeros(1)]
    for colour, v in zip(maps.colours(len(quantities)), quantities):
        own = one.sel(quantity=v)
        axes.plot(x, own.slope_star, "o-", color=colour, markersize=2.5, linewidth=1.2, label=f"${short(v)}$")
        exact = np.broadcast_to(own.exponent.values, x.shape)
        axes.plot(x, exact, "--", color=colour, linewidth=1.0)
        everything += [own.slope_star.values, exact]
    axes.set_xscale("log")
    axes.set_xticks(decades(x[0], x[-1], 4))
    axes.set_xticks([], minor=True)
    axes.set_xlabel(f"${name_latex(cut.pair[0])}$")
    axes.set_ylabel(f"slope in ${cut.budget}$")
    lowest, highest = np.nanmin(np.concatenate(everything)), np.nanmax(np.concatenate(everything))
    # Space for the legend above.
    axes.set_ylim(lowest - 0.08, highest + 0.3 * (highest - lowest))
    axes.legend(loc="upper center", ncols=len(quantities), columnspacing=0.8, handlelength=1.2, fontsize="x-small")
    axes.set_title("slopes; exact, dashed" + (f"; ${name_latex(cut.pair[1])}$ = {number(other)}" if other else ""))


def _prefactor(axes: Axes, cut: _Slice, v: str) -> None:
    """A best value over its power of the budget, along the first constant; the exact law's prefactor dashed."""
    exact = _law(cut, v)
    shown = []
    lines = _lines(cut)
    power = 0.0 if exact is None else float(exact[0])
    scale = cut.value**-power
    for colour, (other, one) in zip(maps.colours(len(lines)), lines):
        x = one[cut.pair[0]].values
        at = one.sel({cut.budget: cut.value})
        label = "refined optimum" if other is None else f"${name_latex(cut.pair[1])}$ = {number(other)}"
        hat, edge = at[f"{v}_hat"].values * scale, _at_wall(cut, at)
        axes.plot(x, at[f"{v}_star"].values * scale, color=colour, linewidth=1.4, label=label)
        axes.plot(x[~edge], hat[~edge], ".", color=colour, markersize=3, label="grid argmin")
        hollow(axes, x, hat, edge, "0.3", "at the edge")
        if exact is not None:
            held = cut.held if other is None else {**cut.held, cut.pair[1]: other}
            law(axes, x, np.array([exact[1]({**held, cut.pair[0]: float(c)}) for c in x]), "exact law")
        shown.append(at[f"{v}_star"].values * scale)
    first = cut.data[cut.pair[0]].values
    log_axes(axes, (first[0], first[-1]), padded(*shown, by=0.12), (cut.budget, v))
    axes.set_xlabel(f"${name_latex(cut.pair[0])}$")
    text = "" if not power else f"$ / {cut.budget}^{{{exact[0]}}}$" if exact else ""
    axes.set_ylabel(f"best ${short(v)}${text}" if v != "risk" else f"least {symbol('risk')}{text}")
    axes.set_title(f"prefactor of ${short(v)}$ at ${cut.budget}$ = {number(cut.value)}")


def _at_wall(cut: _Slice, at: xarray.Dataset) -> NDArray[np.bool_]:
    """Where any tuned hyperparameter is at the edge: the others answer to that wall."""
    return np.any([at[f"{v}_edge"].values for v in cut.tuned], axis=0)


def _law(cut: _Slice, v: str) -> tuple[Fraction, Any] | None:
    """The exponent of the exact law, and its prefactor as a function of the swept constants; None without one."""
    if any(name in cut.plan.of_laws or name in cut.plan.bound.held_names for name in cut.pair):
        return None
    from hpgrid.asymptotics import exponents

    regime = cut.plan.held(cut.data.regime.item(), cut.held)
    try:
        exact = exponents(cut.plan.proxy(cut.budget, cut.held), regime=regime, budget=cut.budget)
    # A bound that is no posynomial.
    except ValueError:
        return None
    law = exact.laws[v]
    if law is None or law.numeric:
        return None
    return law.exponent, lambda constants: law.coefficient.value({**law.values, **constants})
