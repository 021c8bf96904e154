"""A critical batch size as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hpgrid.text import aligned, to_width

if TYPE_CHECKING:
    from hpgrid.critical.critical_batch import CriticalBatch, Reach
    from hpgrid.critical.tokens import Lmo

_WHAT = {"gradient": "mean gradient norm", "gap": "mean Frank-Wolfe gap", "loss": "loss of a star-convex f"}


def text(answer: CriticalBatch) -> str:
    """Return the answer as text: what was asked, the answer or why there is none, and a table."""
    lines = [_asked(answer), *(f"no such problem: {why}" for why in answer.contradictions)]
    if answer.b is None:
        lines.append(f"{answer.status}: {answer.why}")
    else:
        bound = ", on its bound b >= 1" if answer.reach is not None and answer.reach.on_bound else ""
        lines.append(f"critical batch size {_number(answer.b)}{bound}: {answer.why}")
    if answer.reach is not None:
        # A vacuous target's table is no answer: it stands under a line of its own.
        lines += ["", "what the bound and the formula would give:"] if answer.status == "vacuous" else [""]
        lines += [*_reach_table(answer.reach, answer.given.form), "", *_notes(answer.reach)]
    if answer.lmo_tuned is not None and answer.lmo_fixed is not None:
        lines += ["", *_lmo_table(answer.lmo_tuned, answer.lmo_fixed, answer.given.eta)]
    return to_width(lines)


def _asked(answer: CriticalBatch) -> str:
    goal = answer.given
    kind = "first form" if goal.form == "seed" else "revised"
    norm = ", Frobenius norm" if goal.norm == "frobenius" else ""
    # Below 1e-6, beta in six digits would be 1.
    momentum = f"beta = {1 - goal.alpha:g}" if goal.alpha > 1e-6 else f"alpha = {goal.alpha:g}"
    noise = f" + {answer.Z_noise:.6g}/b^(1/2)" if goal.form == "seed" else ""
    return (
        f"{_WHAT[goal.measure]}, {kind}{norm}: {momentum}, eta = {goal.eta:g}, lam = {goal.problem.lam:g}\n"
        f"X = {answer.X:.6g}, Y = {answer.Y:.6g}, Z = {answer.Z:.6g}{noise}, "
        f"eps' = eps - Z = {answer.eps_prime:.6g}"
    )


def _reach_table(reach: Reach, form: str) -> list[str]:
    rows = [
        ("", "b", "K", "tokens", "over the fewest"),
        ("fewest tokens, numerically", *map(_number, reach.fewest), "1"),
        (f"  in closed form{' (b > 0)' if reach.on_bound else ''}", _number(reach.closed), "", "", ""),
        (f"  on a grid, step {reach.step:.1g} in log b", *map(_number, reach.on_grid), ""),
    ]
    named = "Theorem 12: " if form == "seed" else "revised formula: "
    for formula in reach.formulas:
        over = _number(formula.over_fewest) if np.isfinite(formula.at.K) else "never reaches eps"
        rows.append((named + formula.what, *map(_number, formula.at), over))
    return aligned([*rows, ("smallest batch size", _number(reach.smallest), "inf", "inf", "")])


def _notes(reach: Reach) -> list[str]:
    """What is near the fewest tokens, and how iterations and tokens run."""
    near = [f"{share:.0%}: {_number(lo)} to {_number(hi)}" for share, (lo, hi) in reach.near.items()]
    shape = reach.shape
    bends = "everywhere" if np.isinf(shape.convex_to) else f"up to b = {shape.convex_to:.3g}, concave beyond"
    K = f"K {'falls' if shape.K_falls else 'does not fall'} with b and is {'' if shape.K_convex else 'not '}convex"
    tokens = "fall, then rise" if shape.one_minimum else "have more than one minimum"
    return [f"within of the fewest tokens  {';  '.join(near)}", f"{K}; tokens {tokens}, convex {bends}"]


def _lmo_table(tuned: Lmo, fixed: Lmo, eta: float) -> list[str]:
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
    return aligned(rows)


def _number(value: float) -> str:
    return f"{value:.6g}"
