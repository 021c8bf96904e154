"""Laws held against runs: whether each exponent agrees, differs, or can't be told, with the surface's interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hpgrid.checks import bad
from hpgrid.fits.fit import Fit, Slope
from hpgrid.fits.report import unseen
from hpgrid.record import plain
from hpgrid.statements.language import Statement, parse
from hpgrid.text import aligned, listed
from hpgrid.transfers.published import FITS, SCHEDULES

#: The laws of Shulgin et al.'s three theorems, in what varies among runs.
LAWS = {
    "b ~ T^1/2 @ tuned eta, b": "Theorem 1",
    "eta ~ T^-1/4 @ tuned eta, b": "Theorem 1",
    "eta ~ b^1/2 T^-1/2 @ tuned eta": "Theorem 1",
    "eta ~ b^1/2 alpha^1/2 T^-1/2 @ tuned eta": "Theorem 2",
    "eta ~ b T^-3/4 @ tuned eta, alpha": "Theorem 2",
    "alpha ~ b T^-1/2 @ tuned eta, alpha": "Theorem 2",
    "b ~ T^1/6 @ tuned eta, b, alpha": "Theorem 3",
    "eta ~ T^-7/12 @ tuned eta, b, alpha": "Theorem 3",
    "alpha ~ T^-1/3 @ tuned eta, b, alpha": "Theorem 3",
}


@dataclass(frozen=True)
class Tested:
    """One exponent of a stated law against the runs."""

    statement: str
    source: str
    tuned: tuple[str, ...]
    along: str
    exponent: Fraction
    slope: Slope

    @property
    def verdict(self) -> str:
        """Agrees, differs, or can't tell."""
        return self.slope.of(self.exponent)


def check_runs(fit: Fit, statements: Sequence[Statement]) -> list[Tested]:
    """Return laws against runs: those that are stated, or those of the theorems and of Table 1 where none is.

    Raises:
        ValueError: as ``held_against``.
    """
    if statements:
        return [one for each in statements for one in held_against(fit, each)]
    varies = set(fit.surface.names)
    about = [(law, source) for law, source in known_laws() if set(law.tuned or ()) <= varies - {*fit.kept}]
    # Without momentum among what varies, Theorem 2's first law is Theorem 1's.
    about = [(law, source) for law, source in about if "alpha" not in law.right or "alpha" in varies]
    return [one for law, source in about for one in held_against(fit, law, source) if one.along in {"T", *varies}]


def known_laws() -> list[tuple[Statement, str]]:
    """Return the laws of the theorems and of Table 1, the model as it is there, so that compute goes with T."""
    own = [(parse(law), source) for law, source in LAWS.items()]
    for study in FITS:
        for name, power in (("b", study.b), ("eta", study.eta)):
            said = f"{name} ~ T^{power:g} @ tuned eta, b"
            own.append(
                (
                    Statement({name: Fraction(1)}, {"T": Fraction(str(power))}, tuned=("eta", "b"), source=said),
                    study.name,
                )
            )
    return own


def held_against(fit: Fit, statement: Statement, source: str = "") -> list[Tested]:
    """Return each exponent of a law against the runs.

    Of one in what has one value among the runs nothing can be told.

    Raises:
        ValueError: the law is of what runs don't show: a constant, a logarithm, the risk, or what does not vary.
    """
    names, known = fit.surface.names, ("T", *fit.runs.space.hyperparameters)
    placed = [v for v in names if v not in fit.kept]
    left = {v: e for v, e in statement.left.items() if e}
    for v in left:
        if v not in placed:
            why = ": no loss is extrapolated" if v == "risk" else ""
            rule = f"a law that is held against runs is of what varies among them{why}"
            raise bad(rule, statement.source, f"one of {', '.join(placed)} on its left")
    right = {v: e for v, e in statement.right.items() if e or v in known}
    free = statement.tuned or tuple(v for v in placed if v not in {*statement.fixed, *right})
    tuned = tuple(v for v in names if v in free)
    if "K" in statement.fixed and "b" in names:
        rule = "a law that is held against runs is at a fixed T"
        raise bad(rule, statement.source, "fixed T, and powers as they are there: with K = T/b, b T^-1 for K^-1")
    if "K" in right and "b" not in tuned:  # K = T/b
        K = right.pop("K")
        right |= {"T": right.get("T", Fraction(0)) + K, "b": right.get("b", Fraction(0)) - K}
    if statement.exact or not set(right) <= {*known} or statement.caps or statement.path:
        rule = "a law that is held against runs is of powers of T and of what is held"
        raise bad(rule, statement.source, "b ~ T^1/2, say")
    tests = []
    for v in [v for v in right if v not in tuned] or ["T"]:
        varies = len(fit.surface.t) > 1 if v == "T" else v in names
        slope = fit.slope(left, tuned, v) if varies else Slope("", math.nan, -math.inf, math.inf, Fraction(0))
        tests.append(Tested(statement.source, source, tuned, v, right.get(v, Fraction(0)), slope))
    return tests


def lines(found: Sequence[Tested], fit: Fit) -> list[str]:
    """Return the verdicts as a table, and what a schedule has to do with them; or that no known law is of the runs."""
    if not found:
        placed = listed([v for v in fit.surface.names if v not in fit.kept])
        return [f"No law of the theorems or of Table 1 is of {placed} alone: state one by --claim."]
    sourced = any(each.source for each in found)
    rows: list[tuple[str, ...]] = [
        ("law", *["source"] * sourced, "tuned", "in", "stated", "yours", "90% interval", "verdict")
    ]
    before: tuple[str, ...] = ()
    for each in found:
        slope, what = (
            each.slope,
            (each.statement.partition("@")[0].strip(), *[each.source] * sourced, ", ".join(each.tuned)),
        )
        # The theory's fractions have a denominator of 12 at most: others were decimals.
        stated = str(each.exponent) if each.exponent.denominator <= 12 else f"{float(each.exponent):g}"
        told = (slope.told, f"{slope.low:.2f} to {slope.high:.2f}")
        told = told if math.isfinite(slope.value) else ("-", f"{each.along} has one value")
        rows.append((*([""] * len(what) if what == before else what), each.along, stated, *told, each.verdict))
        before = what
    unsaid = "The theory has a constant learning rate; --schedule says what yours did, and what follows."
    table = aligned(rows, wrap=("law", "source", "tuned", "90% interval"), drop=("source",))
    said = SCHEDULES[fit.runs.schedule] if fit.runs.schedule else unsaid
    return [*table, *unseen([each.slope for each in found]), said]


def as_dict(found: Sequence[Tested], schedule: str | None) -> list[dict[str, Any]]:
    """Return the verdicts as plain data, a record an exponent; None for what the runs don't show."""
    return [
        {"law": one.statement, "source": one.source, "tuned": list(one.tuned), "along": one.along,
         "stated": str(one.exponent), "value": plain(one.slope.value),
         "interval": plain([one.slope.low, one.slope.high]), "beyond": list(one.slope.beyond), "verdict": one.verdict,
         "schedule": SCHEDULES[schedule] if schedule else None}
        for one in found
    ]  # fmt: skip
