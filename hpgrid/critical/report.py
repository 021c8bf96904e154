"""A critical batch size as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hpgrid.text import aligned

if TYPE_CHECKING:
    from hpgrid.critical.critical_batch import CriticalBatch, Reach
    from hpgrid.critical.tokens import Lmo

_WHAT = {"gradient": "mean gradient norm", "gap": "mean Frank-Wolfe gap", "loss": "loss of a star-convex f"}


def text(answer: CriticalBatch) -> str:
    """Return the answer as text: what was asked, the answer or why there is none, and a table."""
    lines = [_asked(answer), *(f"no such problem: {why}" for why in answer.contradictions), _verdict(answer)]
    rows = [] if answer.reach is None else _reach_rows(answer.reach, answer.given.form)
    lmo = _lmo_rows(answer)
    if rows:
        lines += ["", "what the bound and the formula would give:"] if answer.status == "vacuous" else [""]
        lines += [*aligned([("", "b", "K", "tokens", "over the fewest"), *rows])]
        lines += ["", *_notes(answer.reach, answer.given.form)]  # type: ignore[arg-type]
    if lmo:
        also = " (vacuous)" if answer.lmo_tuned is not None and answer.lmo_tuned.vacuous else ""
        lines += ["", *aligned([(f"LMO bound, fewest tokens{also}", "b", "K", "tokens", ""), *lmo])]
    return "\n".join(lines)


def _asked(answer: CriticalBatch) -> str:
    given = answer.given
    kind = "first form" if given.form == "seed" else "revised"
    norm = ", Frobenius norm" if given.norm == "frobenius" else ""
    momentum = f"beta = {1 - given.alpha:g}" if given.alpha > 1e-6 else f"alpha = {given.alpha:g}"
    parts = f"X = {answer.X:.6g}, Y = {answer.Y:.6g}, Z = {answer.Z:.6g}"
    noise = f" + {answer.Z_noise:.6g}/b^(1/2)" if given.form == "seed" else ""
    return (
        f"{_WHAT[given.measure]}, {kind}{norm}: {momentum}, eta = {given.eta:g}, lam = {given.problem.lam:g}\n"
        f"{parts}{noise}, eps' = eps - Z = {answer.eps_prime:.6g}"
    )


def _verdict(answer: CriticalBatch) -> str:
    if answer.b is None:
        return f"{answer.status}: {answer.why}"
    bound = ", on its bound b >= 1" if answer.reach is not None and answer.reach.on_bound else ""
    return f"critical batch size {_number(answer.b)}{bound}: {answer.why}"


def _reach_rows(reach: Reach, form: str) -> list[tuple[str, ...]]:
    rows = [
        ("fewest tokens, numerically", *_point(reach.fewest), "1"),
        (f"  in closed form{' (b > 0)' if reach.on_bound else ''}", _number(reach.closed), "", "", ""),
        (f"  on a grid, step {reach.step:.1g} in log b", *_point(reach.on_grid), ""),
    ]
    named = "Theorem 12: " if form == "seed" else "revised formula: "
    for formula in reach.formulas:
        never = not np.isfinite(formula.at.K)
        over = "never reaches eps" if never else f"{formula.over_fewest:.6g}"
        rows.append((named + formula.what, _number(formula.at.b), *map(_number, formula.at[1:]), over))
    rows.append(("smallest batch size", _number(reach.smallest), "inf", "inf", ""))
    return rows


def _notes(reach: Reach, form: str) -> list[str]:
    """What is near the fewest tokens, and how iterations and tokens run."""
    near = [f"{share:.0%}: {_number(lo)} to {_number(hi)}" for share, (lo, hi) in reach.near.items()]
    shape = reach.shape
    bends = "everywhere" if np.isinf(shape.convex_to) else f"up to b = {shape.convex_to:.3g}, concave beyond"
    K = f"K {'falls' if shape.K_falls else 'does not fall'} with b and is {'' if shape.K_convex else 'not '}convex"
    tokens = "fall, then rise" if shape.one_minimum else "have more than one minimum"
    return [f"within of the fewest tokens  {';  '.join(near)}", f"{K}; tokens {tokens}, convex {bends}"]


def _lmo_rows(answer: CriticalBatch) -> list[tuple[str, ...]]:
    eta = f"eta = {answer.given.eta:g}"
    pairs: list[tuple[str, Lmo | None]] = [("eta tuned", answer.lmo_tuned), (eta, answer.lmo_fixed)]
    rows: list[tuple[str, ...]] = []
    for name, found in pairs:
        if found is None:
            continue
        if found.fewest is None:
            rows.append((f"  {name}", "out of reach", "", "", "the steps' own error is above eps"))
            continue
        note = f"eta = {found.eta:.4g}" if name == "eta tuned" else ""
        note += ", on its bound b >= 1" if found.on_bound else ""
        rows.append((f"  {name}", *_point(found.fewest), note.removeprefix(", ")))
    return rows


def _point(point: tuple[float, float, float]) -> tuple[str, ...]:
    return tuple(_number(x) for x in point)


def _number(value: float) -> str:
    return f"{value:.6g}"
