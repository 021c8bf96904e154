"""What is asked of every source, and what an answer is. NumPy isn't loaded here."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple


class Question(NamedTuple):
    """An exponent that is asked for."""

    words: str  # the question
    of: str  # what the exponent is of, as a claim has it
    along: str  # of what it is the exponent: T, or what is held
    tuned: tuple[str, ...]  # what is; alpha stands for all momenta, and what else a bound has is held
    at: str = "T"  # what is held while ``along`` moves: the budget T or K
    caps: Mapping[str, float] = {}  # largest values of what is tuned
    floors: Mapping[str, float] = {}  # smallest values


_ETA, _AT_BETA, _AT_B, _ALL = ("eta",), ("eta", "b"), ("eta", "alpha"), ("eta", "b", "alpha")

#: By the names that a command line has for them.
QUESTIONS = {
    "eta-T": Question("eta* in T, b and beta held", "eta", "T", _ETA),
    "eta-T-beta": Question("eta* in T, b held, beta tuned", "eta", "T", _AT_B),
    "eta-b": Question("eta* in b, T and beta held", "eta", "b", _ETA),
    "eta-b-K": Question("eta* in b, K and beta held", "eta", "b", _ETA, at="K"),
    "b-T": Question("b* in T, eta tuned, beta held", "b", "T", _AT_BETA),
    "eta-path": Question("eta* in T along that b*, beta held", "eta", "T", _AT_BETA),
    "b-T-beta": Question("b* in T, all tuned", "b", "T", _ALL),
    "eta-path-beta": Question("eta* in T, all tuned", "eta", "T", _ALL),
    "alpha-T": Question("1 - beta* in T, b held", "alpha", "T", _AT_B),
    "alpha-b": Question("1 - beta* in b, T held", "alpha", "b", _AT_B),
    "risk-T": Question("risk* in T, all tuned", "risk", "T", _ALL),
    "eta-capped": Question("eta* in T, all tuned, b capped", "eta", "T", _ALL, caps={"b": 1e6}),
    "b-floored": Question("b* in T, eta floored, beta held", "b", "T", _AT_BETA, floors={"eta": 1e-7}),
    "eta-lam": Question("eta* in weight decay lam", "eta", "lam", _ETA),
    "half-life": Question("half-life b/(1 - beta) in T, all tuned", "b/alpha", "T", _ALL),
}  # fmt: skip

#: Ways to let the budget grow, and of which question each is the answer; along b = T^p there is one for each p.
PROTOCOLS = {
    "fixed": ("b and beta fixed", "eta-T"),
    "tuned": ("b tuned, beta fixed", "eta-path"),
    "all-tuned": ("all tuned", "eta-path-beta"),
    "capped": ("all tuned, b capped", "eta-capped"),
    "path": ("b = T^p", ""),
}

#: Why there is no exponent: it is not identifiable, there is no best value, or no limit can be read.
FLAT, NO_BEST, UNKNOWN = "flat", "runs off", "unknown"

#: What is said of an exponent of optima that lie beyond the sweep: it was not measured, and agrees with none.
BEYOND = "beyond the sweep"


class Cell(NamedTuple):
    """An answer."""

    value: Fraction | float | None = None  # the exponent; None where there is none
    known: str = ""  # how: exact, measured or fitted
    low: Fraction | float = 0  # the least that it may be
    high: Fraction | float = 0  # the most
    note: str = ""  # why there is none, or what to know of it

    @property
    def numeric(self) -> bool:
        """Whether it is an exponent that others can be compared with: one of compute is another thing."""
        return self.value is not None and not self.note.startswith("in ") and self.note != BEYOND

    def text(self) -> str:
        """Return it in a few characters: fractions are exact."""
        if self.value is None:
            return f"- {self.note}".strip()
        if self.known == "exact":
            return f"{self.value} {self.note}".strip()
        if self.known == "measured":
            beside = "*" if self.note.startswith("log") else f" {self.note}"
            return f"{round(float(self.value), 3) + 0.0:.3f}{beside}".rstrip()
        if self.note in ("range", BEYOND):
            return f"{self.low:.2f} to {self.high:.2f}" + f", {BEYOND}" * (self.note == BEYOND)
        error = "" if self.note else f" +- {(self.high - self.low) / 2:.2g}"
        return f"{float(self.value):g}{error}" + f" {self.note}" * self.note.startswith("in ")
