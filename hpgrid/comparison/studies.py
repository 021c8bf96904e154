"""What studies of training runs have fitted: exponents of the same questions, with range and budget variable.

Those of Table 1 are ``transfers.published.FITS``, and are taken from there.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from hpgrid.comparison.questions import Cell
from hpgrid.transfers.published import FITS


class Study(NamedTuple):
    """What one study says."""

    cells: Mapping[str, Cell]  # by question, among those that it has an answer to
    source: str  # where it says so
    budget: str = "T"  # what its exponents are of: T, or C for compute
    range: str = ""  # what was fitted over, "" where that isn't known
    remark: str = ""  # what else to know of it

    @property
    def paths(self) -> tuple[tuple[Fraction, Cell], ...]:
        """The path b = T^p that it follows, and its exponent of eta* along it; b held is p = 0."""
        b, along = self.cells.get("b-T"), self.cells.get("eta-path")
        paths = [(Fraction(0), self.cells["eta-T"])] if "eta-T" in self.cells else []
        if b is not None and along is not None and self.budget == "T":
            paths.append((Fraction(str(b.value)), along))
        return tuple(paths)


def fitted(value: float, error: float | None = None, budget: str = "T") -> Cell:
    """Return a fitted exponent and how far it may be off: where nothing is said of that, half its last digit."""
    exact = Fraction(str(value))
    places = -int(Decimal(str(value)).as_tuple().exponent)
    apart = Fraction(1, 2 * 10**places) if error is None else Fraction(str(error))
    note = f"in {budget}" if budget != "T" else "rounded" if error is None else ""
    return Cell(value, "fitted", float(exact - apart), float(exact + apart), note)


def between(low: float, high: float) -> Cell:
    """Return an exponent of which a range is known."""
    return Cell((low + high) / 2, "fitted", low, high, "range")


def _range(*ends: float | None, budget: str) -> str:
    ends_text = [f"{word} {end:.3g}" for word, end in zip(("from", "to"), ends) if end is not None]
    return f"{budget} {' '.join(ends_text)}" if ends_text else ""


_HALF = Cell(Fraction(1, 2), "fitted", 0.5, 0.5, "rounded")

#: Source: each paper's own statement; the ranges of OpenEuroLLM are over model sizes, those of sweeps over runs.
STUDIES: dict[str, Study] = {
    **{
        fit.name: Study(
            {"b-T": fitted(fit.b, fit.errors[0], fit.budget), "eta-path": fitted(fit.eta, fit.errors[1], fit.budget)},
            fit.source, fit.budget, _range(fit.low, fit.high, budget=fit.budget), fit.remark,
        )
        for fit in FITS
    },
    "OpenEuroLLM": Study(
        {"b-T": between(0.41, 0.57), "eta-path": between(-0.06, 0.21)}, "OpenEuroLLM's optima", remark="by model size",
    ),
    "HyperP": Study({"eta-T": fitted(-0.32)}, "HyperP, 2603.28743", remark="Muon on a sphere; taken as of a fixed b"),
    "Marin": Study(
        {"eta-T": fitted(-0.3), "eta-b": _HALF, "half-life": Cell(0, "fitted", 0, 0, "rounded")}, "Delphi, Marin",
        remark="eta ~ (b/b0)^(1/2) (T0/T)^0.3; the half-life is of beta2, which is held, not fitted",
    ),
    "Marin-muonh": Study({"eta-T": fitted(-0.395), "eta-b": _HALF}, "Marin, muonh", remark="and eta ~ d^-0.150"),
    "Mlodozieniec": Study(
        {"eta-T": Cell(Fraction(-1, 2), "fitted", -0.5, -0.5, "rounded"), "eta-b": _HALF},
        "Mlodozieniec et al., 2512.22382",
    ),
    "Seesaw": Study({"eta-b": _HALF}, "Seesaw, 2510.14717", remark="eta/sqrt(2) trades for 2 b within a run"),
    "Zhang": Study({}, "Zhang et al., 2410.21676", remark="the critical batch size goes with data, not model size"),
    "sweeps-constant": Study(
        {"eta-T": Cell(-0.52, "fitted", -0.54, -0.49, "range")}, "public sweeps, an own measurement",
        range="4k to 48k steps", remark="124M parameters, the learning rate constant",
    ),
    "sweeps-decay": Study(
        {"b-T": between(0.46, 0.53), "eta-T": between(-0.35, 0.14)}, "public sweeps, an own measurement",
        remark="the learning rate decays",
    ),
}  # fmt: skip

_filatov = STUDIES["Filatov"]
STUDIES["Filatov"] = _filatov._replace(cells={**_filatov.cells, "eta-b": fitted(0.62), "eta-T": fitted(-0.56)})
