"""A transfer as text: one table of the rules, what they do not say, and what others say beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpgrid.text import aligned
from hpgrid.transfers import half_life
from hpgrid.transfers.batch import capped, feasible, units
from hpgrid.transfers.fits import Applied, Fit
from hpgrid.transfers.given import Limits, called, said
from hpgrid.transfers.paths import FIXED_RISES, TUNED_RISES
from hpgrid.transfers.rules import Row
from hpgrid.transfers.words import as_given, batch, beta, number, wrapped

if TYPE_CHECKING:
    from hpgrid.transfers.answer import Transfer


def text(answer: Transfer) -> str:
    """Return a transfer as text, at most ``words.WIDTH`` columns wide."""
    parts = [_head(answer), _rules(answer), _remarks(answer), *_costs(answer)]
    parts += [_momenta(answer), _fits(answer), _paths(answer)]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _costs(answer: Transfer) -> list[list[str]]:
    """What each choice costs, where that was asked for."""
    if answer.costs is None:
        return []
    from hpgrid.transfers.costs_text import costs_text

    return costs_text(answer.costs, answer.start)


def _head(answer: Transfer) -> list[str]:
    """Where it starts, where it goes, and within which limits."""
    start, limits = answer.start, answer.limits
    given = [f"eta = {number(start.eta)}"] if start.eta is not None else []
    given += [f"b = {_in_both(start.b, limits.unit)}"] if start.b is not None else []
    given += [f"beta = {beta(start.alpha)}, alpha = {number(start.alpha)}"] if start.alpha is not None else []
    given += [f"K = {number(start.K)}"] if start.b is not None else []
    longer = answer.T / start.T
    ratio = f"{longer:.4g} times as long" if longer >= 1 else f"{1 / longer:.4g} times shorter"
    lines = (f"from T = {start.T:g}: {', '.join(given)}", f"to   T = {answer.T:g}, {ratio}{_limits(limits)}")
    return wrapped(lines)


def _in_both(b: float, unit: int) -> str:
    """A batch size that was given, in tokens, and in sequences where they are the unit."""
    return as_given(b) + ("" if unit == 1 else f" ({as_given(b / unit)} sequences of {unit})")


def _limits(limits: Limits) -> str:
    said_ = [f"b at most {capped(limits)}"] if limits.b is not None else []
    said_ += [f"eta at most {limits.eta:g}"] if limits.eta is not None else []
    rounding: dict[str | int, str] = {"pow2": "b a power of two", "int": "b whole"}
    said_ += [rounding.get(limits.round_b, f"b a multiple of {limits.round_b}")] if limits.round_b is not None else []
    return "".join(f"; {part}" for part in said_)


def _rules(answer: Transfer) -> list[str]:
    """The table: a row per regime."""
    unit = answer.limits.unit
    both = unit > 1
    rows = [["", "tuned", "held", "eta", "b, tokens", *(["sequences"] if both else []), "beta", "alpha", "K", "rule"]]
    for row in answer.rows:
        at = row.at
        sequences = [batch(None if at.b is None else at.b / unit)] if both else []
        names = (", ".join(map(said, row.tuned)), ", ".join(map(said, row.held)) or "-")
        numbers = (number(at.eta), batch(at.b), *sequences, beta(at.alpha), number(at.alpha), number(at.K))
        rows.append([row.regime, *names, *numbers, "Table 2" if row.own else "Table 3"])
    return aligned(rows) if answer.rows else []


def _remarks(answer: Transfer) -> list[str]:
    """Each row's rule, and what it does not say; what other regimes lack."""
    lines = [f"{row.regime}: {'; '.join((row.rule, *row.remarks, *_whole(row, answer.limits)))}" for row in answer.rows]
    for regime, names in answer.lacking.items():
        lines.append(f"{regime}: not applied, {called(regime)} needs {' and '.join(map(said, names))} at the start")
    if answer.sgd is not None:
        lines.append(
            f"SGD, for contrast: {answer.sgd.rule}, here {number(answer.sgd.at.eta)}; alone with sgd as the optimizer"
        )
    return [*wrapped(lines), *wrapped(answer.notes)]


def _whole(row: Row, limits: Limits) -> tuple[str, ...]:
    """That a batch size has to be whole, where it is none; the nearest one is under the cap."""
    if row.at.b is None or row.at.b / limits.unit % 1 == 0:
        return ()
    nearest = feasible(row.at.b, limits._replace(round_b="int")).b
    return (f"b has to be whole: {units(nearest, limits.unit)} is nearest (with b rounded, the rest is tuned at it)",)


def _momenta(answer: Transfer) -> list[str]:
    """Marek et al.'s rule beside the rows' own momenta."""
    start, second = answer.start, answer.alpha2 is not None
    if not answer.kept or start.b is None:
        return []
    lines = [
        ["half-life kept:", "kappa = b_1/b_0", "beta^kappa", *(["beta2^kappa"] if second else []), "of its own beta"]
    ]
    for row in answer.rows:
        kept = answer.kept[row.regime]
        own = "-" if row.at.alpha is None else f"{half_life.tokens(kept.b, row.at.alpha):.4g} tokens"
        lines.append([row.regime, number(kept.kappa), beta(kept.alpha), *([beta(kept.alpha2)] if second else []), own])
    known = (("beta", start.alpha), ("beta2", answer.alpha2))
    lives = [f"{half_life.tokens(start.b, x):.4g} of {name}" for name, x in known if x is not None]
    told = (
        f"Marek et al., of beta2: b ln 2/(-ln beta) in tokens stays as at the start, {' and '.join(lives)}. For beta "
        "this is Theorem 2's rule at a fixed T; with T the half-life grows like T^(1/2), in B and D at any b as long "
        "as beta is above 0, in C at its own"
    )
    return [*aligned(lines), *wrapped([told])]


def _fits(answer: Transfer) -> list[str]:
    """Table 1 from this start."""
    if not answer.fits:
        return []
    lines = [["fits:", "b ~", "eta ~", "b", "eta", "b of the fit", "fitted over", ""]]
    for applied in answer.fits:
        fit = applied.fit
        laws = (f"{fit.budget}^{fit.b:g}", f"{fit.budget}^{fit.eta:g}")
        own = "needs C" if fit.budget == "C" else "not at hand" if applied.own_b is None else f"{applied.own_b:.2g}"
        beyond = "T_1 beyond" if applied.beyond else ""
        lines.append([fit.name, *laws, number(applied.b), number(applied.eta), own, _range(applied), beyond])
    told = [f"{x.fit.source}, {x.fit.optimizer}: {x.fit.remark}{_errors(x.fit)}" for x in answer.fits]
    return [*aligned(lines), *wrapped(told)]


def _errors(fit: Fit) -> str:
    """How far the exponents may be off, as reported."""
    b, eta = fit.errors
    if b is None:
        return ""
    return f"; exponents +- {b:g}" if b == eta else f"; b's exponent +- {b:g}"


def _range(applied: Applied) -> str:
    """What was fitted over, as far as it was at hand."""
    fit = applied.fit
    ranges = ((fit.budget, fit.low, fit.high), ("N", *fit.sizes))
    return ", ".join(_from_to(*each) for each in ranges if each[2] is not None)


def _from_to(name: str, low: float | None, high: float | None) -> str:
    """A range with short powers of ten: 4e9 to 1e11."""
    ends = [f"{end:.3g}".replace("e+0", "e").replace("e+", "e") for end in (low, high) if end is not None]
    return f"{name} {'to ' if low is None else ''}{' to '.join(ends)}"


def _paths(answer: Transfer) -> list[str]:
    """C.3 along the rows' paths."""
    if not answer.paths:
        return []
    lines = [["C.3:", "b ~ T^p", "eta ~ T^q, beta held", "beta tuned", "alpha tuned"]]
    for path in answer.paths:
        powers = (f"p = {path.p:.4g}", f"q = {path.fixed:.4g}", f"q = {path.tuned:.4g}", f"T^{path.alpha:.4g}")
        lines.append([", ".join(path.regimes), *powers])
    told = (
        "q = kappa p - lambda (1 - p) is above 0, eta rising, for p > lambda/(kappa + lambda): "
        f"{FIXED_RISES} with beta held, {TUNED_RISES} with beta tuned; but for p > 1/2 alpha grows until it is 1, and "
        "from there on beta is held"
    )
    return [*aligned(lines), *wrapped([told])]
