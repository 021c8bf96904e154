"""What a transfer's rows cost, as text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpgrid.text import aligned
from hpgrid.transfers.calibrate import Calibration
from hpgrid.transfers.constants import Constants
from hpgrid.transfers.cost import Cost, Regret
from hpgrid.transfers.costs import Costed, Costs
from hpgrid.transfers.given import Setting, said
from hpgrid.transfers.moves import Move
from hpgrid.transfers.optimum import point
from hpgrid.transfers.words import batch, beta, number, wrapped

#: A misfit that rounding makes.
_NO_MISFIT = 1e-9

#: An excess from which on risks are compared as factors, and the percents from which on none has a decimal.
_MANIFOLD, _ALL_DIGITS = 99.0, 9.95

#: A start whose risk is this much above the least was not tuned for these constants.
_NOT_THE_BEST = 0.1


def costs_text(costs: Costs, start: Setting) -> list[list[str]]:
    """Return the parts of the text that are about costs, each a list of lines."""
    return [_costs(costs), _told(costs, start), _moves(costs), _lives(costs)]


def span(values: Any, say: Callable[[float], str]) -> str:
    """Return values as text: one, or from the least to the largest."""
    array: NDArray[np.float64] = np.asarray(values)
    low, high = say(float(array.min())), say(float(array.max()))
    return low if low == high else f"{low} to {high}"


def percent(x: float) -> str:
    """Return an excess or a share as text: 0.013%, 12%, 240%, 1380%; from a hundredfold on, x 265 of the least risk."""
    if x >= _MANIFOLD:
        return f"x {_whole_digits(1 + x)}"
    percents = 100 * x
    return f"{percents:.2g}%" if percents < _ALL_DIGITS else f"{_whole_digits(percents)}%"


def _whole_digits(x: float) -> str:
    """No decimals, three digits, and zeros after them as far as they are read at a glance."""
    digits = f"{x:.3g}"
    return f"{x:.0f}" if x < 1e3 else f"{float(digits):.0f}" if x < 1e6 else digits


def _costs(costs: Costs) -> list[str]:
    """Excess risks of the rule and of leaving all as it was, and the best to be had."""
    excess = [["costs:", "start", "rule", "over all", "as it was", "over all"]]
    best = [["best at T_1:", "eta", "b, tokens", "beta"]]
    for row in costs.rows:
        excess.append([row.regime, *_excess(row.cost)])
        best.append([row.regime, *_best(row.cost)])
    return [*aligned(excess), "", *aligned(best)]


def _excess(cost: Cost | None) -> list[str]:
    if cost is None:
        return ["-"] * 5
    return [span(cost.at_start, percent), *_regret(cost.rule), *_regret(cost.unchanged)]


def _best(cost: Cost | None) -> list[str]:
    if cost is None:
        return ["-"] * 3
    eta, b, alpha = cost.retuned
    return [span(eta, number), span(b, batch), span(-alpha, lambda x: beta(-x))]


def _regret(regret: Regret | None) -> tuple[str, str]:
    if regret is None:
        return "K < 1", "K < 1"
    return span(regret.retuned, percent), span(regret.best, percent)


def _told(costs: Costs, start: Setting) -> list[str]:
    """What the table's columns are, and with which constants."""
    lines = [
        "excess of eq. (4)'s risk over the least one within limits; start: at T_0, of what was tuned there; rule: at "
        "T_1, of what the row tunes, and of eta, b and beta together; as it was: the same of the start left as it is, "
        "as far as limits let it be; x n is n times the least risk"
    ]
    worst = max((float(row.cost.at_start.max()) for row in costs.rows if row.cost is not None), default=0.0)
    if worst > _NOT_THE_BEST:
        told = "with these constants the start is not the best of what was tuned, by up to"
        lines.append(f"{told} {percent(worst)}: the rules carry its error on")
    if all(row.calibration is None for row in costs.rows):
        of = costs.rows[0].constants if costs.rows else None
        return wrapped([*lines, *([] if of is None else [_constants(of)])])
    lines.append("constants, of which only ratios matter: those by which the start is the best of what the row tuned")
    return wrapped([*lines, *(_calibrated(row, start) for row in costs.rows)])


def _constants(of: Constants) -> str:
    return ", ".join(f"{name} = {span(value, number)}" for name, value in of._asdict().items())


def _calibrated(row: Costed, start: Setting) -> str:
    """How a row's constants came from the start."""
    found = row.calibration
    assert found is not None
    if found.constants is None:
        return f"{row.regime}: {found.why}"
    parts = [f"{row.regime}: {_constants(found.constants)}"]
    if found.free and found.noise is not None:
        what = "the share of noise is" if found.free == 1 else "both ratios are"
        shares = span(found.noise, percent)
        parts.append(f"{what} free, shown for noise shares of {shares} of the risk at the start")
    if found.on_bound:
        parts.append(f"{' and '.join(map(said, found.on_bound))} on a bound, which leaves an inequality")
    if found.misfit > 1 + _NO_MISFIT:
        parts.append(_misfit(row, found, start))
    return "; ".join(parts)


def _misfit(row: Costed, found: Calibration, start: Setting) -> str:
    """By how much a point is off the best for the nearest constants."""
    assert row.cost is not None
    names = " and ".join(map(said, found.tuned))
    say = {"eta": number, "b": batch, "alpha": number}
    moves = (
        f"{name} = {span(best, say[name])} (x {span(best / own, lambda x: f'{x:.3g}')})"
        for name, best, own in zip(say, row.cost.start, point(start))
        if name in found.tuned
    )
    return (
        f"no constants make {names} the best at once, these miss each condition by a factor of {found.misfit:.4g}; "
        f"with them the best at T_0 is {', '.join(moves)}"
    )


def _moves(costs: Costs) -> list[str]:
    """How the best eta moves when b is quadrupled."""
    lines = [["b to 4 b:", "eta* at fixed K", "eq. (4) here", "eta* at fixed T", "eq. (4) here"]]
    for move in costs.moves:
        here = costs.at_start.get(move.momentum) if move.method == "LMO" else None
        own = ["-", "-"] if here is None else [_times(here.at_K), _times(here.at_T)]
        powers = [f"{_power(power)}: x {4 ** float(power):.4g}" for power in (move.at_K, move.at_T)]
        lines.append([_named(move), powers[0], own[0], powers[1], own[1]])
    by = f", with {costs.at_start_by}'s constants" if costs.at_start_by else ""
    told = f"at a large budget, and by eq. (4) at the start{by}; beta tuned again: alpha* ~ (b/K)^(1/2), ~ b at fixed T"
    return [*aligned(lines), *wrapped([told])]


def _named(move: Move) -> str:
    return f"{move.method}, beta {move.momentum}" if move.momentum else move.method


def _power(power: Any) -> str:
    return "b" if power == 1 else f"b^({power})" if power.denominator > 1 else f"b^{power}"


def _times(factor: Any) -> str:
    return f"x {span(factor, number)}"


def _lives(costs: Costs) -> list[str]:
    """Momentum's half-life, and on what it depends."""
    lines = [["half-life:", "tokens at T_1", "of the start's", "with the best", "depends on"]]
    for life in costs.half_lives:
        best = "-" if life.retuned is None else span(life.retuned, number)
        times = "-" if np.isnan(life.times) else f"x {life.times:.4g}"
        lines.append([life.regime, number(life.tokens), times, best, life.depends])
    kept = ["beta^(b_1/b_0)", "", "x 1", "", "nothing: it is kept (Marek et al.)"]
    told = (
        "b ln 2/(-ln beta) tokens, about b ln 2/alpha; with beta tuned it is ln 2 C2/(2 (C1 C3)^(1/2)) T^(1/2) at "
        "every b, as far as alpha* ~ b T^(-1/2) holds"
    )
    return [*aligned([*lines, kept]), *wrapped([told])]
