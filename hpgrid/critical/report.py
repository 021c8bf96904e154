"""A critical batch size as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hpgrid.answer import Answer, Part, Table

if TYPE_CHECKING:
    from hpgrid.critical.critical_batch import CriticalBatch, Reach
    from hpgrid.critical.tokens import Lmo

_WHAT = {"gradient": "mean gradient norm", "gap": "mean Frank-Wolfe gap", "loss": "loss of a star-convex f"}


def answer(result: CriticalBatch) -> Answer:
    """Return what it says: the batch size and its tokens, or why there is none; in details all that was computed."""
    reach, form = result.reach, result.given.form
    if result.b is None or reach is None:
        first = [f"{result.status[0].upper()}{result.status[1:]}: {result.why}."]
    else:
        bound = ", on its bound b >= 1" if reach.on_bound else ""
        fewest = f"{_number(reach.fewest.tokens)} tokens in {_number(reach.fewest.K)} iterations"
        first = [f"The critical batch size is {_number(result.b)}{bound}: {fewest}.", _near(reach)]
    beside: list[Part] = [[f"No such problem: {why}." for why in result.contradictions]]
    details: list[Part] = [[*_asked(result), *([] if result.b is None else [result.why])]]
    if reach is not None and result.b is not None:
        beside.append([_reach_table(reach, form)])
    if reach is not None:
        # A vacuous target's tables are no answer: they stand under a line of their own.
        if result.b is None:
            details.append(["what the bound and the formula would give:", _reach_table(reach, form), _near(reach)])
        details += [[_numerical(reach)], _shape(reach)]
    if result.lmo_tuned is not None and result.lmo_fixed is not None:
        details.append([_lmo_table(result.lmo_tuned, result.lmo_fixed, result.given.eta)])
    adds = "the bound's constants, the numerical check, how K and tokens run with b, and the LMO bound's own"
    return Answer(first, beside, details, adds)


def _asked(answer: CriticalBatch) -> list[str]:
    goal = answer.given
    kind = "first form" if goal.form == "seed" else "revised"
    norm = ", Frobenius norm" if goal.norm == "frobenius" else ""
    # Below 1e-6, beta in six digits would be 1.
    momentum = f"beta = {1 - goal.alpha:g}" if goal.alpha > 1e-6 else f"alpha = {goal.alpha:g}"
    noise = f" + {answer.Z_noise:.6g}/b^(1/2)" if goal.form == "seed" else ""
    return [
        f"{_WHAT[goal.measure]}, {kind}{norm}: {momentum}, eta = {goal.eta:g}, lam = {goal.problem.lam:g}",
        f"X = {answer.X:.6g}, Y = {answer.Y:.6g}, Z = {answer.Z:.6g}{noise}, eps' = eps - Z = {answer.eps_prime:.6g}",
    ]


def _numerical(reach: Reach) -> Table:
    """The fewest tokens in two other ways."""
    rows: list[tuple[str, ...]] = [("fewest tokens", "b", "K", "tokens")]
    rows.append((f"in closed form{' (b > 0)' if reach.on_bound else ''}", _number(reach.closed), "", ""))
    return Table([*rows, (f"on a grid, step {reach.step:.1g} in log b", *map(_number, reach.on_grid))])


def _reach_table(reach: Reach, form: str) -> Table:
    rows: list[tuple[str, ...]] = [("", "b", "K", "tokens", "over the fewest")]
    rows.append(("fewest tokens, numerically", *map(_number, reach.fewest), "1"))
    named = "Theorem 12: " if form == "seed" else "revised formula: "
    for formula in reach.formulas:
        over = _number(formula.over_fewest) if np.isfinite(formula.at.K) else "never reaches eps"
        rows.append((named + formula.what, *map(_number, formula.at), over))
    return Table([*rows, ("smallest batch size", _number(reach.smallest), "inf", "inf", "")])


def _near(reach: Reach) -> str:
    """Which batch sizes take few more tokens than the fewest."""
    near = [f"{share:.0%} {_number(lo)} to {_number(hi)}" for share, (lo, hi) in reach.near.items()]
    return f"Batch sizes that take at most so many more tokens: {'; '.join(near)}."


def _shape(reach: Reach) -> list[str]:
    """How iterations and tokens run."""
    shape = reach.shape
    bends = "everywhere" if np.isinf(shape.convex_to) else f"up to b = {shape.convex_to:.3g}, concave beyond"
    K = f"K {'falls' if shape.K_falls else 'does not fall'} with b and is {'' if shape.K_convex else 'not '}convex"
    tokens = "fall, then rise" if shape.one_minimum else "have more than one minimum"
    return [f"{K}; tokens {tokens}, convex {bends}"]


def _lmo_table(tuned: Lmo, fixed: Lmo, eta: float) -> Table:
    """The LMO bound's fewest tokens, eta tuned and fixed."""
    head = f"LMO bound, fewest tokens{' (vacuous)' if tuned.vacuous else ''}"
    rows: list[tuple[str, ...]] = [(head, "b", "K", "tokens", "")]
    for name, best in (("eta tuned", tuned), (f"eta = {eta:g}", fixed)):
        if best.fewest is None:
            # Tuned, the steps' own error falls with eta: any target takes some number of tokens.
            why = "no number is as large as the tokens" if best is tuned else "the steps' own error is above eps"
            rows.append((f"  {name}", "out of reach", "", "", why))
            continue
        notes = [f"eta = {best.eta:.4g}"] if best is tuned else []
        notes += ["on its bound b >= 1"] if best.on_bound else []
        rows.append((f"  {name}", *map(_number, best.fewest), ", ".join(notes)))
    return Table(rows)


def _number(value: float) -> str:
    return f"{value:.6g}"
