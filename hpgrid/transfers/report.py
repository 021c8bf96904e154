"""A transfer as text and as plain data: one table of the rules, what they cost, and what others say beside them."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from hpgrid.answer import Answer, Part, Table
from hpgrid.formula.quantity import written
from hpgrid.proxy import Proxy
from hpgrid.text import counted, equal, listed, power, within
from hpgrid.transfers.published import SCHEDULES, half_life, rises
from hpgrid.transfers.rules import batch_text, counted_in_tokens, feasible, given_text, number, of_papers, units
from hpgrid.transfers.start import TUNED, Setting, called, said

if TYPE_CHECKING:
    from hpgrid.transfers.choice import Choice
    from hpgrid.transfers.costs import Costed, Costs, Regret
    from hpgrid.transfers.rules import Row
    from hpgrid.transfers.transfer import Transfer

#: An excess from which on risks are compared as factors, and the percents from which on none has a decimal.
_MANIFOLD, _ALL_DIGITS = 99.0, 9.95


#: A start whose risk is this much above the minimum was not tuned for the constants.
OFF = 0.1


def answer(found: Transfer) -> Answer:
    """Return what a transfer says: the row to use and why, all rows, and in details all that stands beside them."""
    best, costs = found.choice, found.costs
    details: list[Part] = [_asked(found), _rules(found)]
    adds = ["each row's rule and limits"]
    if costs is not None:
        details += [*_costs(found, costs), *(_eta_and_momentum(costs) if costs.moves else [])]
        adds.append("the best to be had and with which constants")
    for what, part, there in (
        ("momenta that keep their half-life", _momenta, found.kept),
        ("four published fits", _fits, found.fits),
        ("eta along paths of b", _paths, found.paths),
    ):
        if there:
            details.append(part(found))
            adds.append(what)
    table = Table(_rows(found), wrap=("tuned", "held"), drop=("rule", "alpha", "held"))
    return Answer(
        [setting(found, best.row, leave=best.leave)], [why(found, best), [table]], details, listed(adds), found.notes
    )


def setting(found: Transfer, row: Row, names: Collection[str] | None = None, leave: Setting | None = None) -> str:
    """Return what a row sets, of some names or all, or what is left as it was, as a sentence, and b's iterations."""
    at, kept = (row.at, found.kept.get(row.regime)) if leave is None else (leave, None)
    b = at.b
    if b is not None and b / found.limits.unit % 1:
        # Who can run only whole batch sizes sets one.
        b, _ = feasible(b, found.limits._replace(round_b="int"))
    values = {
        "eta": None if at.eta is None else number(at.eta),
        "b": None if b is None else units(b, found.limits.unit),
        "beta": None if at.alpha is None else beta_text(at.alpha),
        "beta2": None if kept is None or kept.alpha2 is None else beta_text(kept.alpha2),
    }
    for name in found.rules.names:
        if name not in TUNED["D"] and at[name] is not None:
            own = found.rules.bound.space.all[name]
            values[name] = (
                f"{max(at[name], 1):.0f}" if own.whole and at[name] < 1e6 else within(at[name], own, 4, number)
            )
    shown = values if names is None else names
    said = ", ".join(equal(name, x) for name, x in values.items() if x is not None and name in shown)
    budget = f"{number(found.T)} {found.counted}" if found.budget == "T" else f"{found.budget} = {number(found.T)}"
    iterations = f": {number(at.K)} iterations" if b is not None and counted_in_tokens(found.rules.bound) else ""
    return f"For {budget} {'set' if leave is None else 'leave all as it was:'} {said}{iterations}."


def why(found: Transfer, best: Choice) -> list[str]:
    """Return why this row, what limits do to it, what it costs to leave all as it was, and what a schedule changes."""
    row, costs = best.row, found.costs
    said = [f"This is row {row.regime}" + (f": {best.why}." if best.why else ".")]
    said += [f"In it {note}." for note in row.remarks if "noise floor" not in note]
    said = said if best.leave is None else []
    whose = "eq. (4)'s" if found.rules.paper == "lmo" else "the bound's"
    paid = {each.regime: each.cost for each in costs.rows}[row.regime] if costs is not None else None
    if paid is not None and paid.unchanged is not None:
        left, own = _regret(paid.unchanged)[1], _regret(paid.rule)[1]
        least = f"Left as it is, the setting costs {left} of {whose} least risk there"
        if best.leave is None:
            said.append(f"{least}; this row {own}.")
        else:
            said.append(f"{least}; with these constants every row costs more, {row.regime} as the cheapest {own}.")
            if (off := float(paid.at_start.max())) > OFF:
                said.append(f"The start is not the best of what was tuned for them, by {percent(off)}, and the rules "
                            "carry its error on.")  # fmt: skip
    elif best.unchanged is not None:
        left = percent(best.unchanged)
        order = ", to leading order" if found.constants is None else ""
        said.append(f"Left as it is, the setting costs {left} of {whose} least risk there{order}.")
    if found.rules.paper == "lmo" and costs is None and len(found.start.values) == len(found.rules.names):
        said[-1] += " --calibrate says what each row costs."
    if best.eta is not None:
        low, high = map(number, best.eta)
        said.append(f"{SCHEDULES['decay']} By those it is eta = {low} to {high}.")
    elif found.schedule is not None:
        said.append(SCHEDULES[found.schedule])
    elif found.rules.paper:
        said.append("The rules are of a constant learning rate: --schedule decay says what a decay changes.")
    if best.row.regime in found.kept and found.alpha2 is not None:
        said.append("beta2 keeps its half-life in tokens (Marek et al.): the bound has none.")
    return said


def beta_text(alpha: float | None) -> str:
    """Return 1 - alpha with four digits of alpha, as far as a float has them."""
    if alpha is None:
        return "-"
    if alpha == 0:  # less than a float holds
        return "1"
    digits = min(17, max(4, 3 - math.floor(math.log10(alpha))))
    return f"{1 - alpha:.{digits}g}" if alpha >= 1e-16 else f"1 - {alpha:.4g}"


def span(values: Any, say: Callable[[float], str]) -> str:
    """Return values as text: one, or from the smallest to the largest."""
    if values is None:
        return "-"
    low, high = say(float(values.min())), say(float(values.max()))
    return low if low == high else f"{low} to {high}"


def percent(x: float) -> str:
    """Return an excess or a share as text: 0.013%, 12%, 240%, 1380%; from a hundredfold on, x 265 of the least risk."""

    def digits(x: float) -> str:  # no decimals, three digits, and zeros after them as far as they are read at a glance
        return f"{x:.0f}" if x < 1e3 else f"{float(f'{x:.3g}'):.0f}" if x < 1e6 else f"{x:.3g}"

    if x >= _MANIFOLD:
        return f"x {digits(1 + x)}"
    return f"{100 * x:.2g}%" if 100 * x < _ALL_DIGITS else f"{digits(100 * x)}%"


def _asked(answer: Transfer) -> list[str]:
    """Where it starts, where it goes, and within which limits."""
    start, limits, bound = answer.start, answer.limits, answer.rules.bound
    given = [f"eta = {number(start.eta)}"] if start.eta is not None else []
    if start.b is not None:
        both = (
            "" if limits.unit == 1 else f" ({counted(given_text(start.b / limits.unit), 'sequence')} of {limits.unit})"
        )
        given.append(f"b = {given_text(start.b)}{both}")
    given += [f"beta = {beta_text(start.alpha)}, alpha = {number(start.alpha)}"] if start.alpha is not None else []
    given += [f"{v} = {number(start[v])}" for v in answer.rules.names if v not in TUNED["D"] and start[v] is not None]
    tokens = counted_in_tokens(bound)
    given += [f"K = {number(start.K)}"] if start.b is not None and tokens else []
    longer = answer.T / start.T
    within = [f"{longer:.4g} times as long" if longer >= 1 else f"{1 / longer:.4g} times shorter"]
    within += [f"b at most {units(limits.b, limits.unit, given_text)}"] if limits.b is not None else []
    within += [f"eta at most {limits.eta:g}"] if limits.eta is not None else []
    rounding: dict[str | int, str] = {"pow2": "b a power of two", "int": "b whole"}
    within += [rounding.get(limits.round_b, f"b a multiple of {limits.round_b}")] if limits.round_b is not None else []
    within += [f"{v} at most {x:g}" for v, x in limits.caps.items()]
    within += [f"{v} at least {x:g}" for v, x in limits.floors.items()]
    within += [f"{v} = {x:g}" for v, x in answer.given.items() if v != "b"]
    T = answer.budget
    lines = [f"from {T} = {start.T:g}: {', '.join(given)}", f"to   {T} = {answer.T:g}, {'; '.join(within)}"]
    formula = " + ".join(map(str, bound.terms)) if isinstance(bound, Proxy) else bound.root and written(bound.root)
    return lines if answer.rules.paper else [f"{bound.name}: {formula}", *lines]


def _rows(answer: Transfer) -> list[list[str]]:
    """A row per regime, the recommended one with a star, and what each costs where that is known."""
    unit, names, bound = answer.limits.unit, answer.rules.names, answer.rules.bound
    tables = ("Table 2", "Table 3") if answer.rules.paper else ("its own b", "at this b")
    tables = tables if "b" in names and of_papers(answer.rules) else ("its own law", "at what is kept")
    costs = {} if answer.costs is None else {row.regime: row.cost for row in answer.costs.rows}
    # By its head, a column's values.
    settings, columns = [row.at for row in answer.rows], dict[str, list[str]]()
    if of_papers(answer.rules) or "eta" in names:
        columns["eta"] = [number(at.eta) for at in settings]
    if of_papers(answer.rules) or "b" in names:
        columns["b, tokens" if counted_in_tokens(bound) else "b"] = [batch_text(at.b) for at in settings]
        if unit > 1:
            columns["sequences"] = [batch_text(None if at.b is None else at.b / unit) for at in settings]
    if of_papers(answer.rules) or "alpha" in names:
        columns["beta"] = [beta_text(at.alpha) for at in settings]
        columns["alpha"] = [number(at.alpha) for at in settings]
    own = {v: bound.space.all[v] for v in names if v not in TUNED["D"]}
    columns |= {v: [within(at[v], each, 4, number) for at in settings] for v, each in own.items()}
    if counted_in_tokens(bound):
        columns["K"] = [number(at.K) for at in settings]
    table = [["", "tuned", "held", *columns, "rule"] + ["costs"] * bool(costs)]
    for row, *values in zip(answer.rows, *columns.values()):
        cost = costs.get(row.regime)
        paid = [_regret(cost.rule)[1] if cost is not None else "-"] if costs else []
        name = row.regime + "*" * (row == answer.choice.row and len(answer.rows) > 1 and answer.choice.leave is None)
        roles = (", ".join(map(said, row.tuned)), ", ".join(map(said, row.held)) or "-")
        table.append([name, *roles, *values, tables[not row.own], *paid])
    return table


def _rules(answer: Transfer) -> list[str]:
    """Each row's rule, and what that does not say; what other regimes lack."""
    unit, notes = answer.limits.unit, []
    for row in answer.rows:
        parts = [row.rule, *row.remarks]
        if row.at.b is not None and row.at.b / unit % 1:
            nearest, _ = feasible(row.at.b, answer.limits._replace(round_b="int"))
            parts.append(
                f"b has to be whole: {units(nearest, unit)} is nearest (with b rounded, the rest is tuned at it)"
            )
        for v in answer.rules.names:
            if v != "b" and answer.rules.bound.space.all[v].whole and (row.at[v] or 0) % 1:
                parts.append(f"{v} has to be whole: {max(row.at[v], 1):.0f} is nearest")
        notes.append(f"{row.regime}: {'; '.join(parts)}")
    for regime, lacks in answer.lacking.items():
        notes.append(f"{regime}: not applied, {called(regime)} needs {' and '.join(map(said, lacks))} at the start")
    notes += [f"{regime}: not applied, {why}" for regime, why in answer.no_rule.items()]
    if answer.sgd is not None:
        eta = number(answer.sgd.at.eta)
        notes.append(f"SGD, for contrast: {answer.sgd.rule}, here {eta}; alone with sgd as the optimizer")
    return notes


def _costs(answer: Transfer, costs: Costs) -> list[Part]:
    """Excess risks of the rule and of leaving all as it was, the best to be had, and with which constants."""
    excess = [["costs:", "start", "rule", "over all", "as it was", "over all"]]
    variables = list(TUNED["D"]) if of_papers(answer.rules) else list(answer.rules.names)
    heads = {"b": "b, tokens" if counted_in_tokens(answer.rules.bound) else "b"}
    best = [[f"best at {answer.budget}_1:", *(heads.get(v, said(v)) for v in variables)]]
    worst = 0.0
    for row in costs.rows:
        if (cost := row.cost) is None:
            excess.append([row.regime, *"-----"])
            best.append([row.regime, *("-" for _ in variables)])
            continue
        worst = max(worst, float(cost.at_start.max()))
        paid = _regret(cost.rule), _regret(cost.unchanged)
        excess.append([row.regime, span(cost.at_start, percent), *paid[0], *paid[1]])
        says = {"b": batch_text}
        values = {v: span(cost.retuned.get(v), says.get(v, number)) for v in variables}
        if "alpha" in cost.retuned:
            values["alpha"] = span(-cost.retuned["alpha"], lambda x: beta_text(-x))  # the smallest beta first
        best.append([row.regime, *values.values()])
    whose = "eq. (4)'s risk" if answer.rules.paper == "lmo" else "the bound"
    *names, last = map(said, answer.rules.names)
    every = f"{', '.join(names)} and {last} together" if names else last
    notes = [
        f"excess of {whose} over the least one within limits; start: at T_0, of what was tuned there; rule: at "
        f"T_1, of what the row tunes, and of {every}; as it was: the same of the start left as it is, "
        "as far as limits let it be; x n is n times the least risk"
    ]
    if worst > OFF:
        note = "with these constants the start is not the best of what was tuned, by up to"
        notes.append(f"{note} {percent(worst)}: the rules carry its error on")
    if answer.calibrate:
        how = "constants, of which only ratios matter: those by which the start is the best of what the row tuned"
        notes += [how, *(f"{row.regime}: {_calibrated(row, answer.start)}" for row in costs.rows)]
    else:
        notes.append(_values(costs.rows[0]))
    return [[Table(excess)], [Table(best)], notes]


def _regret(regret: Regret | None) -> tuple[str, str]:
    return ("K < 1", "K < 1") if regret is None else (span(regret.retuned, percent), span(regret.best, percent))


def _values(row: Costed) -> str:
    return ", ".join(f"{name} = {span(value, number)}" for name, value in (row.constants or {}).items())


def _calibrated(row: Costed, start: Setting) -> str:
    """How a row's constants came from the start."""
    calibration, cost = row.calibration, row.cost
    assert calibration is not None
    if cost is None:
        return calibration.why
    parts = [_values(row)]
    if calibration.free:
        what = "the share of noise is" if calibration.free == 1 else "both ratios are"
        shares = span(calibration.noise, percent)
        parts.append(f"{what} free, shown for noise shares of {shares} of the risk at the start")
    if calibration.on_bound:
        parts.append(f"{' and '.join(map(said, calibration.on_bound))} on a bound, which leaves an inequality")
    if calibration.misfit > 1 + 1e-9:  # what is nearer is rounding
        says: dict[str, Callable[[float], str]] = {"eta": number, "b": batch_text, "alpha": number}
        nearest = {name: cost.start[name] for name in says if name in calibration.tuned}
        moves = (
            f"{name} = {span(best, says[name])} (x {span(best / start[name], lambda x: f'{x:.3g}')})"
            for name, best in nearest.items()
        )
        together, misfit = " and ".join(map(said, calibration.tuned)), f"{calibration.misfit:.4g}"
        parts.append(
            f"no constants make {together} the best at once, these miss each condition by a factor of {misfit}; "
            f"with them the best at T_0 is {', '.join(moves)}"
        )
    return "; ".join(parts)


def _eta_and_momentum(costs: Costs) -> list[Part]:
    """How the best eta moves when b is quadrupled; momentum's half-life, and on what it depends."""
    quadrupled = [["b to 4 b:", "eta* at fixed K", "eq. (4) here", "eta* at fixed T", "eq. (4) here"]]
    for move in costs.moves:
        here = costs.at_start.get(move.momentum) if move.method == "LMO" else None
        own = ["-", "-"] if here is None else [f"x {span(factor, number)}" for factor in here]
        # b^0 is said, too: that eta* does not move is the point of the row.
        powers = [f"{power('b', p) if p else 'b^0'}: x {4 ** float(p):.4g}" for p in (move.at_K, move.at_T)]
        name = f"{move.method}, beta {move.momentum}" if move.momentum else move.method
        quadrupled.append([name, powers[0], own[0], powers[1], own[1]])
    lives = [["half-life:", "tokens at T_1", "of the start's", "with the best", "depends on"]]
    for life in costs.half_lives:
        times = "-" if math.isnan(life.times) else f"x {life.times:.4g}"
        lives.append([life.regime, number(life.tokens), times, span(life.retuned, number), life.depends])
    lives.append(["beta^(b_1/b_0)", "", "x 1", "", "nothing: it is kept (Marek et al.)"])
    by = f", with {costs.at_start_by}'s constants" if costs.at_start_by else ""
    at_start = f"at a large budget, and by eq. (4) at the start{by}; "
    tokens = "b ln 2/(-ln beta) tokens, about b ln 2/alpha; with beta tuned it is ln 2 C2/(2 (C1 C3)^(1/2)) T^(1/2) at "
    return [
        [Table(quadrupled), f"{at_start}beta tuned again: alpha* ~ (b/K)^(1/2), ~ b at fixed T"],
        [Table(lives, wrap=("depends on",)), f"{tokens}every b, as far as alpha* ~ b T^(-1/2) holds"],
    ]


def _momenta(answer: Transfer) -> Part:
    """Marek et al.'s rule beside the rows' own momenta."""
    start, second = answer.start, answer.alpha2 is not None
    table = [["half-life kept:", "kappa = b_1/b_0", "beta^kappa", *["beta2^kappa"] * second, "of its own beta"]]
    for row in answer.rows:
        kept = answer.kept[row.regime]
        own = "-" if row.at.alpha is None else f"{half_life(kept.b, row.at.alpha):.4g} tokens"
        again = [beta_text(kept.alpha2)] * second
        table.append([row.regime, number(kept.kappa), beta_text(kept.alpha), *again, own])
    known = (("beta", start.alpha), ("beta2", answer.alpha2))
    lives = [f"{half_life(start.b or 0.0, x):.4g} of {name}" for name, x in known if x is not None]
    note = (
        f"Marek et al., of beta2: b ln 2/(-ln beta) in tokens stays as at the start, {' and '.join(lives)}. For beta "
        "this is Theorem 2's rule at a fixed T; with T the half-life grows like T^(1/2), in B and D at any b as long "
        "as beta is above 0, in C at its own"
    )
    return [Table(table), note]


def _fits(answer: Transfer) -> Part:
    """Table 1 from this start."""
    table, notes = [["fits:", "b ~", "eta ~", "b", "eta", "b of the fit", "fitted over"]], []
    for applied in answer.fits:
        fit, over = applied.fit, []
        # What was fitted over, as far as it was at hand, with short powers of ten: T 4e9 to 1e11.
        for name, low, high in ((fit.budget, fit.low, fit.high), ("N", *fit.sizes)):
            ends = [f"{end:.3g}".replace("e+0", "e").replace("e+", "e") for end in (low, high) if end is not None]
            over += [f"{name} {'to ' if low is None else ''}{' to '.join(ends)}"] if high is not None else []
        laws = (f"{fit.budget}^{fit.b:g}", f"{fit.budget}^{fit.eta:g}")
        own = "needs C" if fit.budget == "C" else "not at hand" if applied.own_b is None else f"{applied.own_b:.2g}"
        beyond = "; T_1 beyond" if applied.beyond else ""
        table.append([fit.name, *laws, number(applied.b), number(applied.eta), own, ", ".join(over) + beyond])
        b, eta = fit.errors
        errors = "" if b is None else f"; exponents +- {b:g}" if b == eta else f"; b's exponent +- {b:g}"
        notes.append(f"{fit.source}, {fit.optimizer}: {fit.remark}{errors}")
    return [Table(table, wrap=("fitted over",)), *notes]


def _paths(answer: Transfer) -> Part:
    """C.3 along the rows' paths."""
    table = [["C.3:", "b ~ T^p", "eta ~ T^q, beta held", "beta tuned", "alpha tuned"]]
    for path in answer.paths:
        powers = (f"p = {path.p:.4g}", f"q = {path.fixed:.4g}", f"q = {path.tuned:.4g}", f"T^{path.alpha:.4g}")
        table.append([", ".join(path.regimes), *powers])
    held, tuned = rises(answer.rules)
    note = (
        "q = kappa p - lambda (1 - p) is above 0, eta rising, for p > lambda/(kappa + lambda): "
        f"{held} with beta held, {tuned} with beta tuned; but for p > 1/2 alpha grows until it is 1, and "
        "from there on beta is held"
    )
    return [Table(table), note]


def as_dict(answer: Transfer) -> dict[str, Any]:
    """Return a transfer as dicts, lists, numbers and text; None for what is not given."""
    from hpgrid.record import plain  # NumPy is for JSON and for costs: the text of the rules needs none

    def at(setting: Setting) -> dict[str, Any]:
        b, alpha = setting.b, setting.alpha
        return {
            answer.budget: setting.T,
            **{name: setting[name] for name in answer.rules.bound.space.hyperparameters},
            "b_units": None if b is None else b / answer.limits.unit,
            "beta": setting.beta,
            "K": setting.K if counted_in_tokens(answer.rules.bound) else None,
            "half_life": None if b is None or alpha is None else half_life(b, alpha),
        }

    def complement(alpha: float | None) -> float | None:
        return None if alpha is None else 1 - alpha

    data = {
        "start": {**at(answer.start), "beta2": complement(answer.alpha2)},
        "budget": answer.budget,
        "T": answer.T,
        "to_b": answer.to_b,
        "limits": {**answer.limits._asdict(), "caps": dict(answer.limits.caps), "floors": dict(answer.limits.floors)},
        "recommended": answer.choice.row.regime if answer.choice.leave is None else None,
        "why": answer.choice.why,
        "unchanged": answer.choice.unchanged,
        "schedule": answer.schedule,
        "eta_of_public_runs": answer.choice.eta,
        "rows": [{**row._asdict(), "at": at(row.at)} for row in answer.rows],
        "lacking": answer.lacking,
        "sgd": None if answer.sgd is None else {**answer.sgd._asdict(), "at": at(answer.sgd.at)},
        "half_life_kept": {
            regime: {**kept._asdict(), "beta": complement(kept.alpha), "beta2": complement(kept.alpha2)}
            for regime, kept in answer.kept.items()
        },
        "fits": answer.fits,
        "paths": answer.paths,
        "notes": answer.notes,
        "costs": _spans(answer.costs),
    }
    if not answer.rules.paper:
        data |= {"bound": answer.rules.bound.name, "no_rule": answer.no_rule, "given": answer.given}
    return dict(plain(data))


def _spans(value: Any) -> Any:
    """Costs with the smallest and the largest of their values over what is free."""
    if hasattr(value, "min"):
        return [float(value.min()), float(value.max())]
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        return {name: _spans(part) for name, part in value.items()}
    return [_spans(part) for part in value] if isinstance(value, tuple) else value
