"""What a fit says: what to set first, then what stands beside it, then, where it is asked for, each budget."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hpgrid import text
from hpgrid.answer import Answer, Part, Table
from hpgrid.fits.predict import NEAR_OPTIMAL, NO_MINIMUM
from hpgrid.fits.surface import KNOWN, Prior, priors_of
from hpgrid.record import plain
from hpgrid.shapes import Floats
from hpgrid.transfers.published import SCHEDULES
from hpgrid.transfers.rules import batch_text, units
from hpgrid.transfers.start import NO_LIMITS

if TYPE_CHECKING:
    from hpgrid.fits.design import Design
    from hpgrid.fits.fit import Fit, Slope
    from hpgrid.fits.model import Known, Model
    from hpgrid.fits.predict import Prediction

#: What a miss is said of: a factor in a learning rate and in momentum, and a power of two in all else.
MISSES = {"eta": 1.3, "alpha": 1.3}

#: What is said of a variable that the surface does not place.
HELD = {
    "given": "held at the best run's value, as asked",
    "at its cap": "at its cap, and the rest tuned at it",
    "rounded": "rounded, and the rest tuned at it",
    "at its least": "at its least, and the rest tuned at it",
}

#: What details are, and what exponents are of.
_ADDS = "all choices and exponents, each budget, and notes on columns"
_HEADING = "How the optimum moves, by your runs and by theory of a constant learning rate:"

#: Farther beyond the largest budget than this nothing was ever tested.
TESTED = 6.0

#: A drift of more standard errors than this is one: of three constants that do not drift one in 250 does by chance.
SURE = 3.0


def as_dict(
    fit: Fit, budgets: Sequence[float], models: Mapping[str, Model] | None = None, plan: Design | None = None
) -> dict[str, Any]:
    """Return the answer as plain data, as JSON has it: null for what is no number.

    ``hpgrid schema fit`` prints what each key is.

    Args:
        fit: the answer.
        budgets: those that are chosen for.
        models: bounds that were asked for, by name.
        plan: the runs that were.
    """
    out = fit.holdout
    return {
        "prediction": [_prediction(fit, fit.predict(T)) for T in budgets],
        "held": [dict(fit.predict(T).held) for T in budgets],
        "reached": plain(fit.reached),
        "baselines": [
            {"name": b.name, "T": T, **plain(b.at), "excess": plain(b.excess)}
            for T in budgets
            for b in fit.baselines(T)
        ],
        "holdout": out and {"T": out.T, "prediction": _prediction(fit, out.prediction), "excess": dict(out.excess)},
        "exponents": [_exponent(s) for s in fit.exponents],
        "runs": {
            "read": fit.read,
            "fitted": int((fit.surface.weights > 0).sum()),
            "dropped": plain(fit.dropped),
            "columns": dict(fit.runs.columns),
            "budgets": plain(np.unique(fit.runs.T)),
            "counted": fit.runs.counted,
            "schedule": fit.runs.schedule,
            "N": fit.runs.N,
        },
        "models": {
            name: {
                **{key: plain(value) for key, value in vars(model).items() if key != "bound"},
                "prediction": [_chosen(fit, model.optimum(fit, T), T) for T in budgets],
            }
            for name, model in (models or {}).items()
        },
        "design": plan and plan.as_dict(),
        "sigma": fit.surface.sigma,
        "level": fit.level,
        "notes": list(fit.runs.notes),
    }


def _exponent(slope: Slope) -> dict[str, Any]:
    theory = None if slope.theory is None else str(slope.theory)
    return {**slope._asdict(), "theory": theory, "verdict": slope.verdict or None}


def _prediction(fit: Fit, p: Prediction) -> dict[str, Any]:
    """A prediction, with what has one value among the runs."""
    ranges = {"interval": p.interval, "near_optimal": p.near_optimal}
    return {"T": p.T, **fit.constant, **p.at, "level": p.level, **dict(plain(ranges)), "edge": list(p.edge)}


def _chosen(fit: Fit, at: Mapping[str, float], T: float) -> dict[str, Any]:
    """A setting by another way, and its excess on the surface; None for what has no best value."""
    return {"T": T, **plain(at), "excess": plain(float(fit.rise(at, T)))}


def predictions(fits: Mapping[str, Fit], budgets: Sequence[float]) -> list[dict[str, Any]]:
    """Return the predictions as the rows of a flat table, one for each fit and budget."""
    return [
        {"by": value, "T": p.T, "level": p.level, **p.at}
        | {f"{v}_{end}": x for v, ends in p.interval.items() for end, x in zip(("low", "high"), ends)}
        for value, fit in fits.items()
        for p in map(fit.predict, budgets)
    ]


def runs_of(plans: Mapping[str, Design]) -> list[dict[str, Any]]:
    """Return the runs of designs as the rows of a table."""
    return [{"by": value, **run} for value, plan in plans.items() for run in plan.as_dict()["runs"]]


def table(rows: Sequence[Mapping[str, Any]], by: str | None) -> dict[str, Floats]:
    """Return rows as columns, that by which runs were told apart under its own name."""
    names = dict.fromkeys(name for row in rows for name in row if by or name != "by")
    return {(by if n == "by" else n) or "": np.array([row.get(n, np.nan) for row in rows]) for n in names}


def answer(
    fit: Fit,
    budgets: Sequence[float],
    details: bool = False,
    models: Mapping[str, Model] | None = None,
    plan: Design | None = None,
) -> Answer:
    """Return the answer for people, with what details ask for in its place."""
    asked: list[Part] = [plan.lines(fit.runs.counted)] if plan else []
    asked += [_model(fit, name, model, budgets) for name, model in (models or {}).items()]
    # Who can't see which column was taken for what can't trust the rest.
    parts: list[Part] = [_choices(fit, budgets, details), _runs(fit, details), _verdicts(fit, details)]
    parts += [[SCHEDULES[fit.runs.schedule]]] if fit.runs.schedule and fit.exponents else []
    set_, rest = _answer(fit, budgets)
    return Answer([*set_, *rest], parts, [_details(fit)], _ADDS, asked=asked)


def answer_by(
    by: str,
    fits: Mapping[str, Fit],
    refused: Mapping[str, str],
    budgets: Sequence[float],
    models: Mapping[str, Mapping[str, Model]],
    plans: Mapping[str, Design],
) -> Answer:
    """Return what to set for each value of a column, and its exponents in one table; in details each fit's answer.

    Args:
        by: the column.
        fits: by its values.
        refused: by those of which there is no answer, why.
        budgets: those that are chosen for.
        models: as ``answer``, of each fit.
        plans: likewise.
    """
    first = [f"{by} = {value}: {line}{_marks(fit)}" for value, fit in fits.items() for line in _answer(fit, budgets)[0]]
    first += [f"{by} = {value} has no answer: {why}" for value, why in refused.items()]
    asked: list[Part] = []
    for value, fit in fits.items():
        own = [plans[value].lines(fit.runs.counted)] if value in plans else []
        own += [_model(fit, name, model, budgets) for name, model in models.get(value, {}).items()]
        asked += [[f"{by} = {value}:", *part] for part in own]
    slopes = [(value, slope) for value, fit in fits.items() for slope in _shown(fit, False)]
    values, shown = [by, *(value for value, _ in slopes)], [slope for _, slope in slopes]
    rows = [(value, *row) for value, row in zip(values, _exponents(shown), strict=True)]
    beside: list[Part] = [[_HEADING, Table(rows, indent="  "), *unseen(shown)]]
    details: list[Part] = []
    for value, fit in fits.items():
        each = answer(fit, budgets, True)
        details += [[f"{by} = {value}:", *each.first], *each.beside, *each.details]
    return Answer(first, beside, details, f"each fit's intervals, costs and edges, {_ADDS}", asked=asked)


def _value(fit: Fit, name: str, x: float) -> str:
    """A value with three digits, a batch size that is whole, but for the rounding of its logarithm, with all.

    What is next to an end that its range leaves out is "-> 1".
    """
    whole = name == "b" and math.isclose(x, round(x), rel_tol=1e-12)
    return batch_text(float(round(x))) if whole else text.within(x, fit.runs.space.all[name])


def _setting(fit: Fit, at: Mapping[str, float]) -> str:
    return ", ".join(text.equal(name, _value(fit, name, x)) for name, x in at.items())


def _span(fit: Fit, name: str, ends: tuple[float, float]) -> str:
    return " to ".join(_value(fit, name, x).removeprefix("-> ") for x in ends)


def _loss(fit: Fit, x: float) -> str:
    """A difference of losses, all of a fit's on one scale: as many decimals as show a tenth of their scatter."""
    if math.isnan(x):
        return "-"
    shown = f"{x:.{max(0, 1 - math.floor(math.log10(fit.surface.sigma)))}f}"
    return shown if float(shown) else shown.lstrip("-")


def _answer(fit: Fit, budgets: Sequence[float]) -> tuple[list[str], list[str]]:
    """What to set; how sure that is, what a miss costs, and what of it the sweep does not show."""
    predictions = [fit.predict(T) for T in budgets]
    last, unit = predictions[-1], fit.limits.unit
    settings = list[str]()
    for p in predictions:
        parts = []
        for v, x in p.at.items():
            parts.append(_setting(fit, {v: x}) + (f" ({_span(fit, v, p.interval[v])})" if v in p.interval else ""))
            parts += [f"beta = {text.beta(x)}"] * (v == "alpha")
            # A run has a whole number of them.
            parts += [units(max(round(x / unit), 1) * unit, unit)] * (v == "b" and unit > 1)
        settings.append(f"For {text.number(p.T)} {fit.runs.counted} set {', '.join(parts)}.")
    rest = _sure(fit, last)
    same = [text.held(v, x) for v, x in fit.constant.items()]
    rest += [f"The rest is as in your runs, {' and '.join(same)}."] if same else []
    costs: list[str] = []
    ranges = []
    for v, ends in last.near_optimal.items():
        miss = MISSES.get(v, 2.0)
        cost = _loss(fit, fit.regret({**last.at, v: last.at[v] / miss}, last.T))
        costs.append(f"a factor of {miss:g} in {v} costs {cost}{'' if costs else f' {_unit(fit)}'}")
        ranges.append(f"{v} from {_span(fit, v, ends)}")
    if costs:
        most = _loss(fit, NEAR_OPTIMAL * abs(fit.runs.largest.least))
        rest.append(f"Off the optimum {', '.join(costs)}.")
        rest.append(f"At most {most} is lost, 0.5% of the loss, with any {' or '.join(ranges)}"
                    + ", the rest tuned again" * (len(costs) > 1)
                    + f", for {text.number(last.T)}" * (len(budgets) > 1) + ".")  # fmt: skip
    return settings, [*([" ".join(rest)] if rest else []), *_warnings(fit, budgets)]


def beside_transfer(fit: Fit, T: float, costs: Mapping[str, float]) -> list[str]:
    """Return what a fit says beside a transfer from it: its rows' costs, its own setting, and what that does not show.

    Args:
        fit: of the runs.
        T: the new budget.
        costs: of each row, ``Fit.excess``.
    """
    told = ", ".join(f"{regime} {_loss(fit, cost)}" for regime, cost in costs.items())
    (own,), sure = _answer(fit, [T])[0], _sure(fit, fit.predict(T))
    none = "; - where no optimum was seen of what it moves" * any(map(math.isnan, costs.values()))
    return [
        f"Loss above the optimum at the new budget by the surface of your runs, in {_unit(fit)}: {told}{none}.",
        " ".join([f"By that surface alone: {own[:1].lower()}{own[1:]}", *sure]),
        *_warnings(fit, [T]),
    ]


def _sure(fit: Fit, prediction: Prediction) -> list[str]:
    if prediction.near_optimal and not prediction.interval:
        return [f"The optimum has no {100 * fit.level:g}% interval: some of what the runs allow has no minimum."]
    there = [v for v in prediction.at if v not in prediction.interval]
    at = f" at that {' and '.join(there)}" * bool(there)
    return [f"In brackets are {100 * fit.level:g}% intervals of the optimum{at}."] if prediction.interval else []


def _warnings(fit: Fit, budgets: Sequence[float]) -> list[str]:
    """What of an answer the sweep does not show."""
    predictions, said = [fit.predict(T) for T in budgets], list[str]()
    last = predictions[-1]
    for v in last.edge:
        side, other = _border(fit, v, fit.predict(float(fit.runs.largest.T[0])).at[v])
        said.append(f"The best {v} is at the border of your sweep: also run {v} = {_value(fit, v, other)}. Until then "
                    f"it is the {side} one that you ran{_on(fit, v)}.")  # fmt: skip
    for v, reached in fit.reached.items():
        known = [(*_border(fit, v, x), x) for x in reached]
        where = " and ".join(f"{_value(fit, v, x)}, the {side} you ran" for side, _, x in known)
        more = " and ".join(_value(fit, v, other) for _, other, _ in known)
        said.append(f"The best {v} may lie beyond {where}: also run {v} = {more}.")
    for v, reason in {(v, reason): None for p in predictions for v, reason in p.held.items()}:
        said.append(f"{v} is {HELD[reason]}." if reason in HELD else f"{v}: {reason}.")
        if reason == NO_MINIMUM:
            said[-1] = f"The losses show no minimum in {v}: it is the best run's{_on(fit, v)}."
    if TESTED * (most := fit.runs.spans[1]) < max(budgets):
        beyond = text.number(max(budgets) / most)
        said.append(f"This is {beyond} times your largest budget: beyond {TESTED:g} times nothing was tested.")
    if len(fit.surface.t) == 1:
        said.append(_assumed(fit))
    if count := sum(map(len, fit.dropped.values())):
        said.append(f"{count} of the {fit.read} lines were dropped.")
    return said


def _marks(fit: Fit) -> str:
    """What of its answer the sweep does not show, and what was dropped, in a few words where many fits are told."""
    last = fit.predict(float(fit.runs.largest.T[0]))
    none = [v for v, reason in last.held.items() if reason == NO_MINIMUM]
    said = [("At the border", last.edge), ("Perhaps beyond the border", fit.reached), ("No minimum in", none)]
    dropped = sum(map(len, fit.dropped.values()))
    marks = [f" {what}: {', '.join(names)}." for what, names in said if names]
    return "".join([*marks, f" Dropped: {dropped} of {fit.read} lines." if dropped else ""])


def _on(fit: Fit, name: str) -> str:
    """How a variable that is held moves on with the budget."""
    held = fit.held[fit.surface.names.index(name)]
    moves = _prior({name: held.exponent})
    return f", and moves from there with T by {moves}" if held.exponent.mean else ", whatever T is"


def _assumed(fit: Fit) -> str:
    """How the optimum of runs at one budget moves on, of what they place."""
    names, T, free_of_limits = fit.surface.names, float(fit.runs.T[0]), replace(fit, limits=NO_LIMITS)
    free = tuple(v for i, v in enumerate(names) if i not in fit.held)
    beside = fit.priors if free == names else priors_of(free)  # what is held does not move them, too
    at, later = free_of_limits.predict(T).at, free_of_limits.predict(2 * T).at
    moves = {v: Prior(math.log2(later[v] / at[v]), beside[v].deviation) for v in free}
    unknown = "Your runs have one budget: how the optimum moves with T was not measured."
    return f"With one budget, by {_prior(moves)}." if moves else unknown


def _prior(exponents: Mapping[str, Prior]) -> str:
    """What was known beforehand of how optima move with the budget, and who said so."""
    whose = {"what you asked for" if p.deviation <= KNOWN else "a prior of hpgrid": None for p in exponents.values()}
    # Rounded before it is written, so that nought has no sign.
    told = (
        f"{v}* ~ T^({round(p.mean, 2) + 0.0:g}{f' +- {p.deviation:.2g}' * (p.deviation > KNOWN)})"
        for v, p in exponents.items()
    )
    return f"{' and '.join(whose)}, {', '.join(told)}"


def _border(fit: Fit, name: str, x: float) -> tuple[str, float]:
    """On which border of the sweep a value is, "" where on none, and one beyond it to run, too."""
    low, high = fit.runs.ends(name)
    if low * 1.001 < x < high / 1.001:
        return "", x
    return ("largest", high * 4) if x >= high / 1.001 else ("smallest", low / 4)


def _unit(fit: Fit) -> str:
    return "nats per token" if fit.unit == 1 else "units of the loss"


def _choices(fit: Fit, budgets: Sequence[float], details: bool) -> list[str | Table]:
    """Other ways to choose, their excess on the surface, and the same of the largest budget without its runs."""
    out, one = fit.holdout, len(budgets) == 1
    rows = {"this fit": (fit.predict(budgets[0]).at, [0.0] * len(budgets))}
    found = [fit.baselines(T) for T in budgets]
    rows |= {each[0].name: (each[0].at, [b.excess for b in each]) for each in zip(*found) if details or each[0].first}
    names = fit.surface.names if one else ()
    heads = [f"at {text.number(T)}" for T in budgets]
    table = [("choice", *names, *heads, *["hold-out"] * (out is not None))]
    for name, (at, excess) in rows.items():
        held = [] if out is None else [_loss(fit, out.excess[name]) if name in out.excess else "-"]
        settings = (_value(fit, v, at[v]) if v in at else "-" for v in names)
        table.append((name, *settings, *(_loss(fit, x) for x in excess), *held))
    said: list[str | Table] = [
        f"Other choices, and their excess loss in {_unit(fit)}:",
        Table(table, wrap=("choice",), drop=(*names, *heads[1:-1]), indent="  "),
    ]
    return said if out else [*said, "No budget can be held out as a test: too few runs are left."]


def _shown(fit: Fit, details: bool) -> Sequence[Slope]:
    """The exponents of a fit's optimum; without details of all tuned, or where these tell nothing those that do."""
    joint = [s for s in fit.exponents if s.what.endswith("in T")]
    told = [s for s in fit.exponents if not s.beyond] if any(s.beyond for s in joint) else joint
    return fit.exponents if details else told or joint or fit.exponents


def _exponents(slopes: Iterable[Slope]) -> list[tuple[str, ...]]:
    """Exponents as rows of a table, a line of headings first."""
    head = ("exponent of", "yours", "90% interval", "theory", "verdict")
    return [head, *((s.what, s.told, f"{s.low:.2f} to {s.high:.2f}", _theory(s), s.verdict) for s in slopes)]


def _theory(slope: Slope) -> str:
    return "-" if slope.theory is None else str(slope.theory)


def _verdicts(fit: Fit, details: bool) -> list[str | Table]:
    slopes = _shown(fit, details)
    said: list[str | Table] = [_HEADING, Table(_exponents(slopes), indent="  "), *unseen(slopes)]
    return said if slopes else []


def unseen(slopes: Sequence[Slope]) -> list[str]:
    """Return what the star of exponents means that are of optima beyond the runs, where there is one."""
    budgets = sorted({T for slope in slopes for T in slope.beyond})
    at = text.listed([*map(text.number, budgets[:3])] + [f"{len(budgets) - 3} more"] * (len(budgets) > 3))
    return [f"* At T = {at} the optimum lies beyond your runs: what it does there was not measured."] if budgets else []


def _fitted(name: str, known: Known) -> str:
    """A constant or an exponent of a bound, and how sure it is."""
    if math.isinf(known.error):
        return f"{name} not told by these runs"
    # A coefficient of nought has no error: it would be below.
    return f"{name} = {known.value:.4g}" + (f" +- {known.error:.2g}" if known.error > 0 else "")


def _model(fit: Fit, name: str, model: Model, budgets: Sequence[float]) -> list[str]:
    """A bound's constants, whether they are constant, and what it would choose."""
    found = [_fitted(n, known) for n, known in {**model.coefficients, **model.exponents}.items()]
    told = {n: (s, error) for n, (s, error) in model.drift.items() if math.isfinite(error)}
    drifts = [f"{n} {s:+.2f} +- {error:.2f}" for n, (s, error) in told.items()]
    drifts += [f"{n} not told by these runs" for n in model.drift if n not in told]
    worst = max((abs(s) / error for s, error in told.values()), default=0.0)
    verdict = f"none drifts by more than {SURE:g} errors" if worst < SURE else f"they drift, by {worst:.1f} errors"
    verdict = f"; {verdict}" if told else ""
    said = [
        f"Bound {name}: {', '.join(found)}. Around it {model.fitted} runs scatter by {model.sigma:.2g}, around the "
        f"surface by {fit.surface.sigma:.2g}.",
        f"Drift of its constants, d ln C / d ln T, which is 0 of a bound that holds: {', '.join(drifts)}{verdict}.",
    ]
    if model.as_one:
        are = " and ".join(model.as_one)
        said.append(f"Your table has no {are}: taken as 1, what it is of your runs is in the constants.")
    for T in budgets:
        at = model.optimum(fit, T)
        none = [v for v, x in at.items() if math.isnan(x)]
        if none:
            said.append(f"For T = {text.number(T)} it has no best {' and '.join(none)}.")
            continue
        excess = _loss(fit, fit.regret(at, T))
        said.append(
            f"For T = {text.number(T)} it would set {_setting(fit, at)}: {excess} above this fit on the surface."
        )
    return said


def _runs(fit: Fit, details: bool = True) -> list[str]:
    runs, used = fit.runs, int((fit.surface.weights > 0).sum())
    T = np.unique(runs.T)
    budgets = f"{len(T)} budgets, {text.number(T[0])} to {text.number(T[-1])}" if len(T) > 1 else text.number(T[0])
    said = [f"{len(runs.loss)} runs at {budgets} {fit.runs.counted}; {used} near an optimum were fitted."]
    for reason, x in fit.dropped.items():
        which = ", ".join(map(str, x[:3])) + ", ..." * (len(x) > 3)
        said.append(f"{len(x)} dropped: {reason} ({'lines' if len(x) > 1 else 'line'} {which}).")
    # Which column is what comes first; a person sees at once where one was taken for another.
    first, *rest = fit.runs.notes or [""]
    return [" ".join([*said, f"{first}."] if first else said), *(rest if details else ())]


def _by_budget(fit: Fit) -> list[tuple[str, ...]]:
    """Each budget's runs, the best of them and the fitted optimum as rows of a table, a line of headings first."""
    names = fit.surface.names
    rows = [("T", "runs", "fitted", *(f"best {v}" for v in names), "loss", *(f"fitted {v}" for v in names))]
    for T in np.unique(fit.runs.T):
        mask = fit.runs.T == T
        here, own = fit.runs.only(mask), fit.predict(float(T)).at
        rows.append((text.number(T), str(mask.sum()), str(int((fit.surface.weights[mask] > 0).sum())),
                     *(_value(fit, v, here.best[v]) for v in names), f"{here.least:.4f}",
                     *(_value(fit, v, own[v]) for v in names)))  # fmt: skip
    return rows


def _details(fit: Fit) -> list[str | Table]:
    out, start = fit.holdout, f"{text.number(float(fit.runs.largest.T[0]))} {fit.runs.counted}"
    said = [
        f"Losses scatter around the surface by {fit.surface.sigma:.2g}.",
        f"Choices go from the best run at {start}.",
    ]
    if out:
        said.append(f"Hold-out is {start} without their runs, where this fit sets {_setting(fit, out.prediction.at)}.")
    return [Table(_by_budget(fit)), *said]


def html(fit: Fit) -> str:
    """Return a fit as HTML: its runs, each budget's optimum, and how it moves."""
    return Answer(
        (), [[_runs(fit)[0], Table(_by_budget(fit)), Table(_exponents(fit.exponents)), *unseen(fit.exponents)]]
    ).html()
