"""A transfer in pictures: eta, b and beta along the way from the old budget to the new, a line per regime."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hpgrid.checks import bad
from hpgrid.plotting import style, transfer_plot as ways
from hpgrid.plotting.lines import padded
from hpgrid.transfers.rules import moved
from hpgrid.transfers.start import TUNED, Limits, Setting
from hpgrid.variables import Variable

if TYPE_CHECKING:
    from hpgrid.transfers.transfer import Transfer

#: Budgets along the way.
_POINTS = 401

#: A limit that is further than this many decades off what is drawn is left out: one that was given, and any other.
_IN_SIGHT, _NEAR = 1.5, 0.2

#: The titles of panels and the labels of their axes that are not the variable's own words and symbol.
_TITLES = {"b": "batch size $b$", "alpha": r"momentum $\beta$"}
_LABELS = {"b": "batch size $b$, tokens", "alpha": r"$\beta$, log scale in $1-\beta$"}


class _Limit(NamedTuple):
    """A value beyond which nothing is feasible, above or below, and from how many decades off it is shown."""

    value: float
    upper: bool
    label: str
    sight: float = _IN_SIGHT


def draw(answer: Transfer) -> Figure:
    """Return the picture of a transfer: a panel for each of eta, b and beta that it knows.

    Between the two budgets b is not rounded; the values at the end are the answer's own.
    """
    names, along, space = _names(answer), _along(answer), answer.rules.bound.space
    with style.styled(), style.declaring(space):
        figure, axes = style.new_figure(1, len(names), (2.75 * len(names) + 0.1, 3.1))
        for k, (ax, name) in enumerate(zip(axes, names)):
            _panel(ax, answer, name, along)
            style.letter(ax, k, _TITLES.get(name, style.symbol(name)))
        symbols = {v: r"$\beta$" if v == "alpha" else f"${style.short(v)}$" for v in names}
        tuned = {row.regime: f"{row.regime}: {', '.join(symbols[v] for v in row.tuned)} tuned" for row in answer.rows}
        style.legend_below(figure, {tuned.get(label, label): handle for label, handle in style.named(axes[:1]).items()})
        style.placed(figure)
        for ax, name in zip(axes, names):
            _write(ax, answer, name)
    return figure


def panels(answer: Transfer) -> dict[str, Callable[[Axes], None]]:
    """Return what draws each of these panels."""
    along = _along(answer)

    def whole(axes: Axes, name: str) -> None:
        _panel(axes, answer, name, along)
        style.place(axes)
        _write(axes, answer, name)

    return {name: partial(whole, name=name) for name in _names(answer)}


def _names(answer: Transfer) -> list[str]:
    """The hyperparameters that a transfer knows."""
    return [name for name in answer.rules.bound.space.hyperparameters if answer.rows[0].at[name] is not None]


def _along(answer: Transfer) -> dict[str, list[Setting]]:
    """By regime, the settings on the way.

    Raises:
        ValueError: the budget stays, so that there is no way.
    """
    start, limits = answer.start, answer.limits._replace(round_b=None)
    if answer.T == start.T:
        rule, shown = "a picture goes from one budget to another", f"{answer.budget} = {answer.T:g} twice"
        raise bad(rule, shown, f"no plot, or another {answer.budget}")
    T = np.geomspace(start.T, answer.T, _POINTS)
    T[[0, -1]] = start.T, answer.T  # as they were given, to the last digit
    return {
        row.regime: [
            moved(row.regime, start, float(each), limits, answer.given, answer.rules, row.tuned).at for each in T
        ]
        for row in answer.rows
    }


def _write(axes: Axes, answer: Transfer, name: str) -> None:
    """Write inside a panel, which has its place, where each way ends, and what limits are."""
    start, space = answer.start, answer.rules.bound.space
    ways.ends(axes, (start.T, answer.T), _ends(answer, name), _say(space.all[name]))
    for limit in _in_view(axes, name, answer):
        midway = float(np.sqrt(start.T * answer.T))
        ways.name_limit(axes, midway, limit.value, limit.label, upper=limit.upper)


def _say(variable: Variable) -> ways.Say:
    """How values of a variable are said."""
    if variable.name == "alpha":
        return ways.momentum
    return ways.count if variable.whole or variable.name == "b" else ways.power


def _panel(axes: Axes, answer: Transfer, name: str, along: Mapping[str, Sequence[Setting]]) -> None:
    """Draw a panel, but for what is written inside it."""
    label, say = _LABELS.get(name, style.symbol(name)), _say(answer.rules.bound.space.all[name])
    unit, at_end = _unit(name, answer.limits), _ends(answer, name)
    at_start = answer.start[name] / unit
    shown = [at_start, *at_end.values()]
    for regime, settings in along.items():
        values = np.array([at[name] for at in settings]) / unit
        # From the start itself, which a limit of the new budget may forbid.
        k = [*TUNED, "SGD"].index(regime) if regime in (*TUNED, "SGD") else [*along].index(regime)
        T = [answer.start.T, *(at.T for at in settings)]
        ways.way(axes, np.array(T), np.append(at_start, values), at_end[regime], k, regime)
        shown += [values.min(), values.max()]
    ways.start(axes, answer.start.T, at_start)
    low, high = np.log10(min(shown)), np.log10(max(shown))
    limits = [x for x in _limits(name, answer) if low - x.sight <= np.log10(x.value) <= high + x.sight]
    lo, hi = padded(np.array([*shown, *(limit.value for limit in limits)]), by=0.12)
    alpha = name == "alpha"
    ways.value_axis(axes, lo, min(hi, 2.0) if alpha else hi, say, inverted=alpha, most=1.0 if alpha else np.inf)
    for limit in _in_view(axes, name, answer):
        ways.infeasible(axes, limit.value, upper=limit.upper)
    ways.budget_axis(axes, answer.start.T, answer.T)
    axes.set_xlabel(style.symbol(answer.budget))
    axes.set_ylabel(label.replace("tokens", "sequences") if unit > 1 else label)


def _ends(answer: Transfer, name: str) -> dict[str, float]:
    return {row.regime: row.at[name] / _unit(name, answer.limits) for row in answer.rows}


def _unit(name: str, limits: Limits) -> float:
    return float(limits.unit) if name == "b" else 1.0


def _in_view(axes: Axes, name: str, answer: Transfer) -> list[_Limit]:
    """The limits inside a panel's range: each is hatched, and named."""
    bottom, top = sorted(axes.get_ylim())
    return [limit for limit in _limits(name, answer) if bottom < limit.value < top]


def _limits(name: str, answer: Transfer) -> list[_Limit]:
    """The ends of a variable's range, and what was given in their place."""
    own, limits = answer.rules.bound.space.all[name], answer.limits
    (low, high), unit, found = limits.ends(own), _unit(name, limits), []
    if low > 0:
        given = low > (unit if name == "b" else own.least)
        label = f"smallest ${style.short(name)}$" if given else f"${style.short(name)}={own.low:g}$"
        found.append(_Limit(low / unit, False, label, _IN_SIGHT if given else _NEAR))
    if high < np.inf:
        given = high < own.most
        end = r"$\beta=0$" if name == "alpha" else f"${style.short(name)}={own.high:g}$"
        found.append(
            _Limit(high / unit, True, f"largest ${style.short(name)}$" if given else end, _IN_SIGHT if given else _NEAR)
        )
    return found
