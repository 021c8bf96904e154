"""Laws held against runs: whether each exponent agrees, differs, or can't be told, with the surface's interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hpgrid.checks import TUNABLE, bad
from hpgrid.fits.fit import Fit, Slope
from hpgrid.statements.language import Statement, parse
from hpgrid.text import aligned
from hpgrid.transfers.published import FITS

#: The laws of Shulgin et al.'s three theorems and of a fixed batch size, and those of Table 1's studies in tokens.
LAWS = {
    "b ~ T^1/2 @ tuned eta, b": "Theorem 1",
    "eta ~ T^-1/4 @ tuned eta, b": "Theorem 1",
    "eta ~ T^-1/2 @ tuned eta": "eq. (4), b and beta held",
    "eta ~ b^1/2 @ tuned eta": "eq. (4), at a fixed T",
    "eta ~ T^-3/4 @ tuned eta, alpha": "Theorem 2",
    "alpha ~ T^-1/2 @ tuned eta, alpha": "Theorem 2",
    "b ~ T^1/6 @ tuned eta, b, alpha": "Theorem 3",
    "eta ~ T^-7/12 @ tuned eta, b, alpha": "Theorem 3",
    "alpha ~ T^-1/3 @ tuned eta, b, alpha": "Theorem 3",
}


@dataclass(frozen=True)
class Held:
    """One exponent of a stated law against the runs."""

    statement: str
    source: str
    exponent: Fraction
    slope: Slope

    @property
    def verdict(self) -> str:
        """Agrees, differs, or can't tell."""
        return self.slope.of(self.exponent)


def known_laws(fit: Fit) -> list[tuple[str, str]]:
    """Return the laws of the theorems and of Table 1 that are about what varies among the runs, and their sources."""
    names = set(fit.surface.names)
    tuned = {law: {v.strip() for v in law.partition("@ tuned ")[2].split(",")} for law in LAWS}
    own = [(law, source) for law, source in LAWS.items() if tuned[law] <= names and ("b" not in law or "b" in names)]
    if {"eta", "b"} <= names:
        for study in (f for f in FITS if f.budget == "T"):
            own += [(f"{v} ~ T^{getattr(study, v):.3f} @ tuned eta, b", study.name) for v in ("b", "eta")]
    return own


def held_against(fit: Fit, statement: Statement, source: str = "") -> list[Held]:
    """Return each exponent of a law against the runs.

    Raises:
        ValueError: the law is of what runs don't show: a constant, a logarithm, the risk, or what does not vary.
    """
    names = fit.surface.names
    left = {v: e for v, e in statement.left.items() if e}
    for v in left:
        if v not in names:
            why = ": no loss is extrapolated" if v == "risk" else ""
            rule = f"a law that is held against runs is of what varies among them{why}"
            raise bad(rule, statement.source, f"one of {', '.join(names)} on its left")
    right = {v: e for v, e in statement.right.items() if e or v in ("T", *TUNABLE)}
    known = {"T", *names}
    if statement.exact or not set(right) <= known or statement.caps or statement.path:
        rule = "a law that is held against runs is of powers of T and of what is held"
        raise bad(rule, statement.source, "b ~ T^1/2, say")
    tuned = statement.tuned or tuple(v for v in names if v not in statement.fixed and v not in right)
    tuned = tuple(v for v in names if v in tuned)
    along = [v for v in right if v not in tuned] or ["T"]
    if "T" in along and len(fit.surface.t) < 2:
        raise bad("a power of T takes runs at two budgets", statement.source, "a power of b, say, or runs at another T")
    return [Held(statement.source, source, right.get(v, Fraction(0)), fit.slope(left, tuned, v)) for v in along]


def check_runs(fit: Fit, statements: Sequence[Statement]) -> list[Held]:
    """Return laws against runs: those that are stated, or those of the theorems and of Table 1 where none is."""
    laws = [(each, "") for each in statements] or [(parse(law), source) for law, source in known_laws(fit)]
    return [held for law, source in laws for held in held_against(fit, law, source)]


def lines(found: Sequence[Held]) -> list[str]:
    """Return the verdicts as a table."""
    rows = [("law", "source", "yours", "90% interval", "verdict")]
    rows += [
        (h.statement, h.source, f"{h.slope.value:.2f}", f"{h.slope.low:.2f} to {h.slope.high:.2f}", h.verdict)
        for h in found
    ]
    return aligned(rows, wrap=("law", "source"), drop=("source",))


def as_dict(found: Sequence[Held]) -> list[dict[str, Any]]:
    """Return the verdicts as plain data."""
    return [
        {"law": h.statement, "source": h.source, "of": h.slope.what, "stated": str(h.exponent),
         "value": h.slope.value, "interval": [h.slope.low, h.slope.high], "verdict": h.verdict}
        for h in found
    ]  # fmt: skip
