"""``fit``: from a table of training runs to the next setting, and what stands beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hpgrid.answer import Labelled, Pictured
from hpgrid.checks import InputError, bad, check_choice, check_count, check_keys, is_number, unknown, unwrapped
from hpgrid.fits.predict import BEYOND, NO_MINIMUM, Held, Prediction, held_at_the_border, predict
from hpgrid.fits.runs import Runs, load, rows_where
from hpgrid.fits.surface import FARTHEST, KNOWN, LEFT_OUT, WINDOW, Prior, Shape, Surface, fit_surface, lowest, priors_of
from hpgrid.readings import tells
from hpgrid.shapes import Floats
from hpgrid.text import counted, number, power
from hpgrid.transfers.published import FITS, SCHEDULES, applied, step_law
from hpgrid.transfers.rules import feasible, moved, of_paper
from hpgrid.transfers.start import NO_LIMITS, Limits, Setting, limits_of
from hpgrid.variables import STANDARD, TUNABLE, Space, check_value, settings

if TYPE_CHECKING:
    import xarray

#: How far one budget's optimum lies off any power law of T, in octaves: what a slope through few budgets is unsure by.
SCATTER = 0.15

#: That was seen of budgets so many octaves apart, or more; nearer ones share theirs, the more so the nearer they are.
APART = 0.5


class Slope(NamedTuple):
    """An exponent of the optimum: as measured, its 90% interval, and where it has one the theory's.

    Where the optimum of some budgets lies ``beyond`` their runs it is the surface's alone, and tells nothing.
    """

    what: str
    value: float
    low: float
    high: float
    theory: Fraction | None = None
    beyond: tuple[float, ...] = ()

    @property
    def verdict(self) -> str:
        """What these runs say of the theory's exponent, "" where it has none."""
        return "" if self.theory is None else self.of(self.theory)

    @property
    def told(self) -> str:
        """The value, with a star where it tells nothing."""
        return f"{self.value:.2f}{'*' * bool(self.beyond)}"

    def of(self, exponent: Fraction) -> str:
        """Return whether an exponent agrees, differs, or can't be told: where the interval would hold others, too."""
        if self.beyond:
            return "can't tell"
        if not self.low <= exponent <= self.high:
            return "differs"
        return "agrees" if tells((self.high - self.low) / 2, float(exponent)) else "can't tell"


class Baseline(NamedTuple):
    """Another way to choose: its setting, and its excess over the prediction on the surface, in the loss's unit."""

    name: str
    at: Mapping[str, float]
    excess: float
    first: bool = True  # whether it is among those that an answer begins with


@dataclass(frozen=True, repr=False)
class Fit(Labelled, Pictured):
    """Training runs, the surface of their losses, and what is known of the variables that it does not place.

    Its panels are the variables' optima against the budget, by their names, with the predictions for the ``budgets``
    that are given; and the runs at each of their budgets, "T=1e+09", with the surface around their optimum.

    Args:
        runs: what was read, used and dropped.
        surface: the fitted one.
        others: the same without what it is told beside the runs, one assumption after the other.
        priors: what it was told of the exponents.
        held: by index, the variables that it does not place.
        level: of the intervals.
        unit: of the loss, in nats a token; None where that is not known.
        seed: of the posterior's draws.
        limits: what is feasible at another budget.
    """

    pictures = "hpgrid.fits.picture"

    runs: Runs
    surface: Surface
    others: tuple[Surface, ...]
    priors: Mapping[str, Prior]
    held: Mapping[int, Held]
    level: float
    unit: float | None
    seed: int
    limits: Limits = NO_LIMITS

    def predict(self, T: float) -> Prediction:
        """Return the setting for a budget of T tokens, >= that of the smallest run."""
        T = check_value("T", T)
        least, _ = self.runs.spans
        if least > T:
            raise bad("a fit predicts from its smallest budget on", T, f"T = {least:.15g} or more")
        # Every cost at a budget asks for the same one, which takes thousands of draws.
        if T not in self._predictions:
            asked = self.surface, self.runs, self.held, T, self.level, self.limits, self.seed
            self._predictions[T] = predict(*asked, others=self.others)
        return self._predictions[T]

    @cached_property
    def _predictions(self) -> dict[float, Prediction]:
        return {}

    @cached_property
    def reached(self) -> dict[str, tuple[float, ...]]:
        """The ends of the sweep that the interval of an optimum at the largest budget reaches, by variable.

        The optimum may lie beyond. The end of a variable's own range, alpha = 1 say, is none.
        """
        last, found = float(self.runs.largest.T[0]), {}
        own = {v.name: v for v in self.runs.space.tunable}
        for v, (low, high) in replace(self, limits=NO_LIMITS).predict(last).interval.items():
            smallest, largest = self.runs.ends(v)
            found[v] = (smallest,) * (own[v].low < smallest >= low) + (largest,) * (own[v].high > largest <= high)
        return {v: ends for v, ends in found.items() if ends}

    def _repr_html_(self) -> str:
        from hpgrid.fits.report import html

        return html(self)

    def to_xarray(self, *budgets: float) -> xarray.Dataset:
        """Return the predictions for some budgets, the runs' own by default: hyperparameters, ends of intervals."""
        import xarray

        predictions = [self.predict(T) for T in budgets or np.unique(self.runs.T)]
        data: dict[str, Any] = {v: ("T", [p.at[v] for p in predictions]) for v in self.surface.names}
        for v in dict.fromkeys(v for p in predictions for v in p.interval):  # a cap may bite at some alone
            data[f"{v}_interval"] = (("T", "end"), [p.interval.get(v, (np.nan,) * 2) for p in predictions])
        T = [p.T for p in predictions]
        return xarray.Dataset(data, {"T": T, "end": ["low", "high"]}, {"level": self.level})

    def __repr__(self) -> str:
        sizes = f"{counted(len(self.runs.loss), 'run')}, {counted(len(self.surface.t), 'budget')}"
        return f"Fit({sizes}, {', '.join(self.surface.names)})"

    @property
    def constant(self) -> dict[str, float]:
        """What has one value among the runs."""
        values = self.runs.values.items()
        return {name: float(np.median(x)) for name, x in values if name not in self.surface.names}

    @property
    def kept(self) -> tuple[str, ...]:
        """The variables that stay at the best run's value, as asked: they are not tuned."""
        return tuple(self.surface.names[i] for i, held in self.held.items() if held.reason == "given")

    @property
    def read(self) -> int:
        """How many lines the table has."""
        return len(self.runs.loss) + sum(map(len, self.runs.dropped.values()))

    @property
    def dropped(self) -> dict[str, tuple[int, ...]]:
        """For each reason the lines that were left out: of the table, and then of the fit."""
        low = tuple(int(line) for line in self.runs.lines[self.surface.dropped])
        reason = {"a loss too low for the surface: an error of record?": low} if low else {}
        return {**self.runs.dropped, **reason}

    @cached_property
    def exponents(self) -> tuple[Slope, ...]:
        """The exponents that the theory has numbers for: of all that varies in T, and of eta at a fixed b or T.

        Source: Shulgin et al., Theorems 1 to 3, by the exact laws of eq. (4).
        """
        names, theory = self.surface.names, of_paper("lmo")
        asked = [(name, names, "T") for name in names]
        if {"eta", "b"} <= set(names):
            rest = tuple(name for name in names if name != "b")
            asked += [("eta", rest, "T"), ("eta", rest, "b")]

        def of_theory(name: str, tuned: tuple[str, ...], along: str) -> Fraction | None:
            known = tuple(v for v in tuned if v in TUNABLE)
            powers = theory.powers(known, () if along == "T" else (along,)) if name in known else {}
            return Fraction(powers[name][along]) if powers else None

        return tuple(
            self.slope({name: 1}, tuned, along)._replace(theory=of_theory(name, tuned, along))
            for name, tuned, along in asked
            if len(self._seen(along)) > 1
        )

    def slope(self, of: Mapping[str, Fraction | int], tuned: tuple[str, ...], along: str = "T") -> Slope:
        """Return d log of an optimum / d log of the budget, or of a variable that is held.

        Args:
            of: a monomial in optima, their exponents by name, all among ``tuned``.
            tuned: what is; the other variables of the surface are held.
            along: T, or one of those.
        """
        names = self.surface.names
        f, powers = [names.index(v) for v in tuned], np.array([float(of.get(v, 0)) for v in tuned])
        x = self._seen(along)
        x = x - x.mean()
        shared = np.maximum(1 - np.abs(x[:, None] - x) / APART, 0.0)
        scatter = SCATTER * np.sqrt(max(x @ shared @ x, 1e-9)) / max(x @ x, 1e-9)

        def measured(shape: Shape) -> Floats:
            right = shape.d[..., f] if along == "T" else shape.H[..., f, names.index(along)]
            return np.asarray(-np.linalg.solve(shape.H[..., f, :][..., f], right[..., None])[..., 0] @ powers)

        rng = np.random.default_rng(self.seed)
        drawn = measured(self.surface.draws(rng))
        drawn = drawn + scatter * rng.standard_normal(len(drawn))
        low, high = np.quantile(drawn, [0.05, 0.95])
        held = ["T" if v == along else v for v in names if v not in tuned]
        what = " ".join(power(f"{v}*", Fraction(e)) for v, e in of.items()) + f" in {along}"
        what += f" at a fixed {' and '.join(held)}" if held else ""
        own = float(measured(self.surface.shape))
        return Slope(what, own, float(low), float(high), beyond=self._beyond(f))

    def _beyond(self, tuned: list[int]) -> tuple[float, ...]:
        """The budgets whose runs don't reach the optimum of some variables, the others as in the best of them."""
        names, shape, (centre, t0) = self.surface.names, self.surface.shape, self.surface.centre
        none, found = np.linalg.eigvalsh(shape.H[np.ix_(tuned, tuned)])[0] <= 0, []
        nearest = np.abs(np.log2(self.runs.T)[:, None] - self.surface.t).argmin(axis=1)
        for k, t in enumerate(self.surface.t):
            runs = self.runs.only(nearest == k)
            x = np.log2([runs.values[v] for v in names])
            best = np.log2([runs.best[v] for v in names]) - centre
            z = shape.optimum(t - t0, {i: best[i] for i in range(len(names)) if i not in tuned}) + centre
            low, high = x.min(axis=1), x.max(axis=1)
            # Of what has one value at a budget that budget says nothing.
            outside = (low < high) & (np.abs(z - np.clip(z, low, high)) > BEYOND)
            found += [float(np.median(runs.T))] * bool(none or outside.any())
        return tuple(found)

    def _seen(self, along: str) -> Floats:
        """The log2 of a variable's values, or T's, at which there are best values: of runs that count half or more."""
        if along == "T":
            return self.surface.t
        near = self.surface.weights >= 0.5 * self.surface.weights.max()
        return np.unique(np.log2(self.runs.values[along][near]))

    def regret(self, at: Mapping[str, float], T: float) -> float:
        """Return how much higher the loss is at a setting than at the predicted one, by the surface.

        Raises:
            ValueError: a name that no column of the runs has, or a value out of its range.
        """
        space, given = self.runs.space, settings(at, self.runs.space)
        for name in given:
            if name not in self.runs.values:
                raise unknown("variable of these runs", name, self.runs.values)
        return float(self.rise({name: space.check(name, value) for name, value in given.items()}, T))

    def rise(self, at: Mapping[str, ArrayLike], T: float) -> Floats:
        """Return the same of many settings, in arrays that broadcast; what is not named is as predicted."""
        predicted = self.predict(T)
        T, own = predicted.T, predicted.at
        centre, t0 = self.surface.centre
        z, z0 = (
            np.stack(np.broadcast_arrays(*(np.log2(x.get(v, own[v])) for v in self.surface.names)), axis=-1) - centre
            for x in (at, own)
        )
        H, c, d = self.surface.shape
        slope = c + (np.log2(T) - t0) * d
        return np.asarray((np.einsum("...i,ij,...j", z, H, z) - z0 @ H @ z0) / 2 + (z - z0) @ slope)

    def baselines(self, T: float) -> tuple[Baseline, ...]:
        """Return other ways to choose: each from the largest budget's best run, what it does not name kept.

        They are the best run itself, the papers' rules A and C, b ~ T^(1/2) alone, that from the fitted optimum, and,
        where N is known, the laws of Table 1 that are of tokens.
        """
        best, own = self.runs.largest.best, self.predict(T)
        T = own.T
        known = {v: x for v, x in best.items() if v in TUNABLE}
        start = Setting(float(self.runs.largest.T[0]), **known)
        fitted = self.predict(start.T).at
        optimum = start.with_values(**{v: x for v, x in fitted.items() if v in known})
        ways = {"best run kept": start}
        for rule in ("A", "C") if "b" in best else ("A",):
            row = moved(rule, start, T, self.limits)
            powers = of_paper("lmo").powers(row.tuned)
            ways[f"rule {rule}: {', '.join(f'{v} ~ ' + power('T', p['T']) for v, p in powers.items())}"] = row.at
        if "b" in best:
            for at, name in ((start, ""), (optimum, ", from the fitted optimum")):
                b, _ = feasible(float(at.b or 1) * (T / start.T) ** 0.5, self.limits)
                ways[f"b ~ T^(1/2){name}"] = at.with_values(b=b)
        if self.runs.N is not None and self.runs.counted == "tokens":
            ways[f"StepLaw at N = {number(self.runs.N)}"] = start.with_values(**step_law(self.runs.N, T))
            for law in (applied(study, start, T) for study in FITS if study.budget == "T" and study.name != "StepLaw"):
                name = f"{law.fit.name}: b ~ T^{law.fit.b:g}, eta ~ T^{law.fit.eta:g}"
                ways[name] = start.with_values(eta=law.eta, b=law.b)
        settings = {name: best | {v: float(getattr(at, v)) for v in known} for name, at in ways.items()}
        return tuple(
            Baseline(name, at, self.excess(at, T), name.startswith(("best", "rule"))) for name, at in settings.items()
        )

    def excess(self, at: Mapping[str, float], T: float) -> float:
        """Return the regret, NaN at another value of a variable of which no optimum was seen: the surface has none."""
        own = self.predict(T)
        open_ = [*own.edge, *(v for v, reason in own.held.items() if reason == NO_MINIMUM)]
        seen = all(np.isclose(at.get(v, own.at[v]), own.at[v]) for v in open_)
        return self.regret(at, T) if seen else np.nan

    @cached_property
    def holdout(self) -> Holdout | None:
        """The largest budget predicted without it; None where there is no other, or too little of it."""
        T = self.runs.largest.T.max()
        rest = self.runs.T < T
        runs = self.runs.only(rest)
        names = tuple(v for v in self.surface.names if v in runs.varying) if rest.sum() >= 3 else ()
        if set(names) <= set(self.kept):
            return None
        try:
            earlier = replace(self, limits=NO_LIMITS, **_fitted(runs, names, self.priors, self.kept, self.unit))
        except InputError:
            return None
        prediction = earlier.predict(float(T))
        ways = {"this fit": prediction.at, **{b.name: b.at for b in earlier.baselines(float(T))}}
        return Holdout(float(T), prediction, {name: self.regret(at, float(T)) for name, at in ways.items()})


class Holdout(NamedTuple):
    """The largest budget, predicted without it: the excess of each way to choose, on the surface that has seen it."""

    T: float
    prediction: Prediction
    excess: Mapping[str, float]


def fit(
    data: Any,
    *,
    eta: str | None = None,
    b: str | None = None,
    alpha: str | None = None,
    beta: str | None = None,
    T: str | None = None,
    K: str | None = None,
    loss: str | None = None,
    var: Iterable[str] | str = (),
    others: Mapping[str, str] | None = None,
    where: Mapping[str, str] | None = None,
    ignore: Iterable[str] = (),
    seq_len: float | None = None,
    b_unit: str | None = None,
    hold: Iterable[str] = (),
    max_b: float | None = None,
    max_eta: float | None = None,
    round_b: str | int | None = None,
    schedule: str | None = None,
    exponents: str | Mapping[str, float] = "free",
    params: float | None = None,
    unit: float | None = 1.0,
    level: float = 0.8,
    seed: int = 0,
) -> Fit:
    """Return the surface of a sweep's losses, and what it says of the next setting.

    Args:
        data: the path of a CSV or JSON file, a list of runs, each a mapping, a mapping of columns, a pandas or polars
            DataFrame, or an xarray Dataset: a row a run.
        eta: the column of the learning rate; this one and the next are known by their usual names, too.
        b: of the batch size.
        alpha: of 1 - beta, where momentum was tuned.
        beta: of momentum itself, in its place.
        T: of the tokens.
        K: of the iterations, in place of T or of b.
        loss: of the loss.
        var: further hyperparameters and their ranges, "wd > 0" or "0 < alpha2 <= 1", each a column of that name.
        others: the columns of those that have another name.
        where: columns, and the value that they must have.
        ignore: columns that vary, and may.
        seq_len: tokens in a sequence, where b counts sequences.
        b_unit: "tokens" or "sequences".
        hold: variables that stay at the best run's value.
        max_b: the largest batch size that is predicted, in the column's unit.
        max_eta: the largest learning rate.
        round_b: "pow2", "int", or a whole number of which b becomes a multiple, in the column's unit.
        exponents: "free", "theory", or exponents in T of some variables that are taken as known.
        schedule: of the learning rate, "constant" or "decay", where no column says it.
        params: how many parameters the models have, where no column does: Table 1's laws then stand beside the fit.
        unit: of the loss, in nats a token; None where that is not known: the window is then the excess of two thirds
            of the runs over the best of their budget, and curvatures have no prior.
        level: of the intervals, in (0, 1).
        seed: of the posterior's draws, >= 0.

    Raises:
        ValueError: see the message.
    """
    seq_len, params, unit, level = map(unwrapped, (seq_len, params, unit, level))
    seed = check_count("seed", seed, least=0)
    if not 0 < level < 1:
        raise bad("the level of an interval lies between 0 and 1", level, "0.8, say")
    for name, value in (("params", params), ("unit", unit)):
        if value is not None and not (is_number(value) and value > 0):
            raise bad(f"{name} is a positive number", value, {"params": "1.3e9, say", "unit": "1 for nats"}[name])
    if schedule is not None:
        check_choice("schedule", schedule, SCHEDULES)
    # Before a large table is read.
    limits_of(max_b, max_eta, round_b)
    (space, own), hold = _declared(var, others or {}), tuple(hold)
    for name in hold:
        if name not in space.hyperparameters:
            raise unknown("hyperparameter to hold", name, space.hyperparameters)
    columns = {"eta": eta, "b": b, "alpha": alpha, "beta": beta, "T": T, "K": K, "loss": loss}
    named = {k: v for k, v in columns.items() if v is not None} | own
    runs = load(data, named, where=where, ignore=ignore, seq_len=seq_len, b_unit=b_unit, unit=unit, space=space)
    runs = replace(runs, schedule=schedule or runs.schedule, N=params or runs.N)
    names = runs.varying
    if set(names) <= set(hold):
        rule = "something varies among the runs that is not held"
        raise bad(rule, f"{', '.join(names) or 'nothing'} varies", "runs at three rates, say")
    priors = priors_of(names)
    if exponents != "free":
        theory = {v: p["T"] for v, p in of_paper("lmo").powers(tuple(v for v in names if v in TUNABLE)).items()}
        known = theory if isinstance(exponents, str) else exponents
        for name in known:
            check_choice("variable of the runs", name, names)
        priors |= {name: Prior(float(x), KNOWN) for name, x in known.items()}
    limits = limits_of(max_b, max_eta, round_b, round(runs.unit_of_b))
    fitted = _fitted(runs, names, priors, hold, unit)
    if unit is None:
        width = f"{WINDOW * fitted['surface'].nat:.2g}"
        note = (
            f"the loss's unit is not known: what is within {width} of a best counts as near it, two thirds of the runs"
        )
        fitted["runs"] = replace(runs, notes=(*runs.notes, note))
    return Fit(**fitted, priors=priors, level=level, unit=unit, seed=seed, limits=limits)


def _declared(var: Iterable[str] | str, others: Mapping[str, str]) -> tuple[Space, dict[str, str]]:
    """The variables of runs, and the column of each that is declared."""
    said = [var] if isinstance(var, str) else list(var)
    if not said and others:
        instead = f'var="{next(iter(others))} > 0", too'
        raise bad("a column of others is of a variable that is declared", dict(others), instead)
    if not said:
        return STANDARD, {}
    from hpgrid.formula.declared import declared

    space = declared(said)
    own = [v.name for v in space.tunable if v not in STANDARD.tunable]
    if not own or space.budgets != STANDARD.budgets:
        raise bad("what runs declare is a further hyperparameter", "; ".join(said), '"wd > 0", say')
    check_keys("variable of the runs", others, own)
    return space, {name: others.get(name, name) for name in own}


def fits_by(data: Any, by: str, *, where: Mapping[str, str] | None = None, **asked: Any) -> dict[str, Fit | InputError]:
    """Return a fit for each value of a column, in the order in which they come, or why there is none.

    Raises:
        ValueError: there is no such column.
    """
    table, _ = rows_where(data, where or {})
    if by not in table:
        raise unknown("column", by, table)
    fits = dict[str, Fit | InputError]()
    for value in dict.fromkeys(str(cell).strip() for cell in table[by]):
        try:
            fits[value] = fit(data, where={**(where or {}), by: value}, **asked)
        except InputError as error:
            fits[value] = error
    return fits


def _fitted(
    runs: Runs, names: tuple[str, ...], priors: Mapping[str, Prior], hold: Iterable[str], unit: float | None
) -> dict[str, Any]:
    """What a fit knows by its runs alone: the surface, and which variables it does not place."""
    z, T = np.log2([runs.values[name] for name in names]).T, np.log2(runs.T)
    far = FARTHEST / unit if unit else np.inf
    masks = [each == runs.T for each in np.unique(runs.T)]
    if (most := max(mask.sum() for mask in masks)) < 3:  # an optimum lies between others
        most_of = f"{most} at most, of {len(z)} runs at {counted(len(masks), 'budget')}"
        raise bad("a fit has a budget with three runs or more", most_of, "runs at three rates of one budget")
    near = [z[mask][runs.only(mask).near(far)] for mask in masks]

    def each_varies(budgets: list[Floats]) -> bool:
        return np.linalg.matrix_rank(np.vstack([x - x.mean(axis=0) for x in budgets]), 1e-6) == len(names)

    def determined(budgets: list[Floats]) -> bool:
        return max(map(len, budgets)) >= 3 and each_varies(budgets)

    few = max(map(len, near)) < 3 and each_varies([z[mask] for mask in masks])
    shown = f"{sum(map(len, near))} of {len(z)}"
    none = bad(
        "a fit has runs near an optimum",
        f"{shown} are within {far:g} of the best of their budget",
        "more of them there, or the --unit of the loss",
    )
    # One far below the others is an error of record, or else the only one that did not diverge.
    if few and not determined([z[mask][lowest(runs.loss[mask]) + far >= runs.loss[mask]] for mask in masks]):
        raise none
    if not few and not each_varies(near):
        shown += f" runs at {counted(len(near), 'budget')} are near an optimum"
        shown += f", {'on a line' if len(names) > 1 else 'each its own'}"
        raise bad(f"within a budget {' and '.join(names)} vary, each on its own", shown, "a grid of runs at a budget")
    asked = z, T, runs.loss, {name: priors[name] for name in names}, unit
    off = None if runs.tokens is None else np.log2(runs.tokens / runs.T)
    surface = fit_surface(*asked, off=off)
    others = tuple(fit_surface(*asked, surface.dropped, *left_out, off=off) for left_out in LEFT_OUT)
    runs = replace(runs, doubted=surface.dropped)  # an error of record is no best run
    given = {name: x for name, x in runs.largest.best.items() if name in hold and name in names}
    held = held_at_the_border(surface, runs, priors, given)
    if few and (len(held) == len(names) or not determined([z[mask][runs.only(mask).near(far)] for mask in masks])):
        raise none  # the others show no optimum either
    return {"runs": runs, "surface": surface, "others": others, "held": held}
