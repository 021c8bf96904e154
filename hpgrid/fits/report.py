"""What a fit says: what to set first, then what stands beside it, then, where it is asked for, each budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hpgrid import text
from hpgrid.fits.fit import exponent_rows
from hpgrid.record import plain
from hpgrid.shapes import Floats

if TYPE_CHECKING:
    from hpgrid.fits.design import Design
    from hpgrid.fits.fit import Fit
    from hpgrid.fits.model import Model
    from hpgrid.fits.predict import Prediction

#: What a miss is said of: a factor in a learning rate, and a power of two in a batch size.
MISSES = {"eta": 1.3, "b": 2.0, "alpha": 1.3}

#: Farther beyond the largest budget than this nothing was ever tested.
TESTED = 6.0

#: A drift of more standard errors than this is one: of three constants that do not drift one in 250 does by chance.
SURE = 3.0


def as_dict(
    fit: Fit, budgets: Sequence[float], models: Mapping[str, Model] | None = None, plan: Design | None = None
) -> dict[str, Any]:
    """Return the answer as plain data; models and a design where they were asked for."""
    out = fit.holdout
    return {
        "prediction": [fit.predict(T).as_dict() for T in budgets],
        "baselines": [{"T": T, "name": b.name, **b.at, "excess": b.excess} for T in budgets for b in fit.baselines(T)],
        "holdout": None
        if out is None
        else {"T": out.T, "prediction": out.prediction.as_dict(), "excess": dict(out.excess)},
        "exponents": [{**s._asdict(), "theory": str(s.theory), "verdict": s.verdict} for s in fit.exponents],
        "runs": {
            "read": len(fit.runs.loss) + sum(map(len, fit.runs.dropped.values())),
            "fitted": int((fit.surface.weights > 0).sum()),
            "dropped": {reason: list(lines) for reason, lines in fit.dropped.items()},
            "columns": dict(fit.runs.columns),
            "budgets": [float(T) for T in np.unique(fit.runs.T)],
        },
        "models": {
            name: {key: plain(value) for key, value in vars(model).items() if key != "bound"}
            for name, model in (models or {}).items()
        },
        "design": plain(plan),
        "sigma": fit.surface.sigma,
        "level": fit.level,
        "notes": list(fit.runs.notes),
    }


def table(fits: Mapping[str, Fit], budgets: Sequence[float]) -> dict[str, Floats]:
    """Return the predictions as the columns of a flat table, a row for each fit and budget."""
    rows = []
    for value, fit in fits.items():
        for p in map(fit.predict, budgets):
            row: dict[str, Any] = {"by": value, "T": p.T, "level": p.level, **p.at}
            for name, (low, high) in p.interval.items():
                row |= {f"{name}_low": low, f"{name}_high": high}
            rows.append(row)
    return {
        name: np.array([row.get(name, np.nan) for row in rows]) for name in dict.fromkeys(n for r in rows for n in r)
    }


def lines(
    fit: Fit,
    budgets: Sequence[float],
    details: bool = False,
    schedule: str | None = None,
    models: Mapping[str, Model] | None = None,
) -> list[str]:
    """Return the answer as lines of text."""
    said: list[str] = []
    for T in budgets:
        said += [*_answer(fit, fit.predict(T)), ""]
        said += [
            f"Other ways to choose for {text.number(T)} {fit.runs.counted}, and their excess on the fitted surface:"
        ]
        rows = [(b.name, *_setting(b.at), f"{b.excess:+.4f}") for b in fit.baselines(T)]
        said += [*text.aligned(rows, indent="  "), ""]
    said += _holdout(fit) + _verdicts(fit, schedule)
    for name, model in (models or {}).items():
        said += [*_model(fit, name, model, budgets), ""]
    said += _runs(fit)
    return said + (["", *_details(fit)] if details else [])


def _setting(at: Any) -> list[str]:
    return [f"{name} = {text.number(at[name])}" for name in at]


def _answer(fit: Fit, prediction: Prediction) -> list[str]:
    """What to set, what a miss costs, and what of it the sweep does not show."""
    level = f"{100 * prediction.level:g}%"
    # What has one value in the table is a part of the setting, too.
    same = {v: float(np.median(x)) for v, x in fit.runs.values.items() if v not in prediction.at}

    def span(pair: tuple[float, float]) -> str:
        return f"{text.number(pair[0])} to {text.number(pair[1])}"

    parts = [f"{v} = {text.number(x)}" + (f" ({span(prediction.interval[v])})" if v in prediction.interval else "")
             for v, x in prediction.at.items()]  # fmt: skip
    parts += [f"{text.held(v, x)} as in your runs" for v, x in same.items()]
    said = [
        f"For {text.number(prediction.T)} {fit.runs.counted} set {', '.join(parts)}; in brackets {level} intervals."
    ]
    costs = []
    for v in prediction.near_optimal:
        cost = fit.regret({**prediction.at, v: prediction.at[v] * MISSES[v]}, prediction.T)
        costs.append(f"a factor of {MISSES[v]:g} in {v} costs {cost:.2g}")
    near = ", ".join(f"{v} from {span(x)}" for v, x in prediction.near_optimal.items())
    if costs:
        said.append(
            f"Off by {' nats, by '.join(costs)} nats a token; within 0.5% of the loss, the rest re-tuned: {near}."
        )
    last = fit.runs.largest
    for v in prediction.edge:
        x, at = last.values[v], fit.predict(float(last.T[0])).at[v]
        side, other = ("high", x.max() * 4) if at > np.sqrt(x.max() * x.min()) else ("low", x.min() / 4)
        said.append(f"{v} is at the {side} border of your sweep, and from there on the theory's exponent leads: "
                    f"extend the sweep to {v} = {text.number(other)}.")  # fmt: skip
    said += [f"{v}: {reason}." for v, reason in prediction.held.items()]
    if TESTED * fit.runs.T.max() < prediction.T:
        beyond = prediction.T / fit.runs.T.max()
        said.append(f"That is {beyond:.3g} times the largest budget: beyond {TESTED:g} times nothing was tested.")
    if len(fit.surface.t) == 1:
        said.append("There is one budget: how the optimum moves with T is the theory's, not your runs'.")
    return said


def _holdout(fit: Fit) -> list[str]:
    out = fit.holdout
    if out is None:
        return ["No budget can be held out: there is one.", ""]
    others = ", ".join(f"{name} {excess:.4f}" for name, excess in list(out.excess.items())[1:])
    at = ", ".join(_setting(out.prediction.at))
    return [
        f"Without the largest budget the fit has {at} for it, {out.excess['the fit']:.4f} above its best; {others}.",
        "",
    ]


#: What a schedule has to do with the theory's exponents, on public sweeps.
SCHEDULES = {
    "constant": "With a constant learning rate eta ~ T^(-1/2) at a fixed b has held on public runs.",
    "decay": "The theory is of a constant learning rate: with a decay, exponents of eta from 0 to 0.3 are common.",
}


def _verdicts(fit: Fit, schedule: str | None) -> list[str]:
    if not fit.exponents:
        return []
    return [
        "Exponents of your optimum, with 90% intervals:",
        *text.aligned(exponent_rows(fit), indent="  "),
        *([SCHEDULES[schedule]] if schedule else []),
        "",
    ]


def _model(fit: Fit, name: str, model: Model, budgets: Sequence[float]) -> list[str]:
    """A bound's constants, whether they are constant, and what it would choose."""
    found = [f"{n} = {x:.4g} +- {error:.2g}" for n, (x, error) in model.coefficients.items()]
    found += [f"{n} = {x:.3f}" for n, x in model.exponents.items()]
    drifts = ", ".join(f"{n} {s:+.2f} +- {error:.2f}" for n, (s, error) in model.drift.items())
    worst = max((abs(s) / error for s, error in model.drift.values()), default=0.0)
    steady = worst < SURE
    verdict = "none drifts" if steady else f"they drift, by {worst:.1f} standard errors: it does not hold here"
    said = [
        f"Bound {name}: {', '.join(found)}, of {model.fitted} runs, which scatter around it by {model.sigma:.2g}.",
        f"d ln / d ln T of its constants, 0 if it holds: {drifts}; {verdict}.",
    ]
    for T in budgets:
        variables = model.bound.form("T").variables()
        held = {v: x for v, x in fit.predict(T).at.items() if v not in variables}
        names = tuple(v for v in fit.surface.names if v in variables)
        at = model.optimum(names, {"alpha": 1.0} if "alpha" not in names else {}, T)
        excess = fit.regret({**held, **at}, T)
        said.append(f"It would set {', '.join(_setting(at))} for T = {text.number(T)}: {excess:+.4f} on the surface.")
    return said


def _runs(fit: Fit) -> list[str]:
    runs, used = fit.runs, int((fit.surface.weights > 0).sum())
    T = np.unique(runs.T)
    budgets = f"{len(T)} budgets, {text.number(T[0])} to {text.number(T[-1])}" if len(T) > 1 else text.number(T[0])
    said = [f"{len(runs.loss)} runs at {budgets} {fit.runs.counted}; {used} near an optimum were fitted."]
    for reason, x in fit.dropped.items():
        which = ", ".join(map(str, x[:3])) + ", ..." * (len(x) > 3)
        said.append(f"{len(x)} dropped: {reason} ({'lines' if len(x) > 1 else 'line'} {which}).")
    return [*said, *fit.runs.notes]


def _details(fit: Fit) -> list[str]:
    names = fit.surface.names
    rows = [("T", "runs", "fitted", *(f"best {v}" for v in names), "loss", *(f"fitted {v}" for v in names))]
    for T in np.unique(fit.runs.T):
        mask = fit.runs.T == T
        at, best = fit.runs.only(mask), int(np.argmin(fit.runs.loss[mask]))
        own = fit.predict(float(T)).at
        rows.append((text.number(T), str(mask.sum()), str(int((fit.surface.weights[mask] > 0).sum())),
                     *(text.number(at.values[v][best]) for v in fit.surface.names), f"{at.loss[best]:.4f}",
                     *(text.number(own[v]) for v in fit.surface.names)))  # fmt: skip
    return [*text.aligned(rows), f"Losses scatter around the surface by {fit.surface.sigma:.2g}."]
