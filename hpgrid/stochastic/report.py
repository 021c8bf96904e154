"""All that is measured of one norm at one shape: D over pairs, its worst case, what noise needs, Muon's oracle."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hpgrid.checks import PRECISIONS
from hpgrid.newton_schulz import OracleError
from hpgrid.norms import SPECTRAL, named
from hpgrid.stochastic.effective import NORMAL_95, Effective, effective
from hpgrid.stochastic.noise import NOISES
from hpgrid.stochastic.oracles import newton_schulz_errors, spread
from hpgrid.stochastic.smoothness import QUANTILES, Statistics, quotients, statistics
from hpgrid.stochastic.worst import Search, worst_case
from hpgrid.text import aligned

#: The batch sizes at which noise is averaged.
BATCHES = (1, 4, 16, 64, 256, 1024, 4096)

#: What the optimizers whose coordinates adapt have to do with the norm that they share.
ADAPTIVE = {
    name: f"{name} is {plain} in coordinates that adapt; D is the same in all linear coordinates, for X -> A X takes "
    "the dual norm along, and the gradient and the norm by A's inverse transpose"
    for name, plain in (("adamw", "signsgd"), ("soap", "muon"))
}


@dataclass(frozen=True)
class Report:
    """What was measured.

    Attributes:
        name: the norm or optimizer, as it was called.
        norm: the norm.
        shape: the matrix's.
        seed: of all that is drawn.
        pairs: statistics over pairs, by sampling.
        worst: what the search for the worst case found.
        effective: what Lemma 5 needs, by kind of noise.
        newton_schulz: how far Muon's oracle is off, by precision; of the spectral norm alone.
    """

    name: str
    norm: str
    shape: tuple[int, int]
    seed: int
    pairs: dict[str, Statistics]
    worst: Search
    effective: dict[str, Effective]
    newton_schulz: dict[str, OracleError]


def measure(name: str, shape: tuple[int, int], pairs: int, *, seed: int = 0, noises: Sequence[str] = ()) -> Report:
    """Return all that is measured of one norm at one shape.

    Args:
        name: a norm or an optimizer.
        shape: the matrix's.
        pairs: how many, of each sampling.
        seed: >= 0.
        noises: kinds of noise, of ``NOISES``.
    """
    norm = named(name)
    return Report(
        name,
        norm.name,
        shape,
        seed,
        {kind: statistics(found) for kind, found in quotients(norm, shape, pairs, seed=seed)._asdict().items()},
        worst_case(norm, shape, seed=seed),
        {kind: effective(norm, NOISES[kind], shape, BATCHES, seed=seed) for kind in noises},
        {kind: newton_schulz_errors(shape, seed=seed, precision=kind) for kind in PRECISIONS}
        if norm is SPECTRAL
        else {},
    )


# --- in words ---


def text(report: Report) -> str:
    """Return a report as the command prints it."""
    m, n = report.shape
    any_pairs = next(iter(report.pairs.values())).pairs
    called = "" if report.name == report.norm else f" ({report.name})"
    lines = [f"{report.norm} norm{called}, {m} x {n}, {any_pairs} pairs, seed {report.seed}"]
    if report.name in ADAPTIVE:
        lines.append(ADAPTIVE[report.name])
    lines += ["", *aligned([_HEADINGS, *(_row(kind, found) for kind, found in report.pairs.items())])]
    lines += ["", f"worst case  {report.worst.verdict}"]
    if report.effective:
        lines += ["", *_effective(report.effective)]
    if report.newton_schulz:
        lines += ["", *_oracles(report.newton_schulz)]
    return "\n".join(lines)


_HEADINGS = ("pairs", "mean", "+- error", *(f"{100 * q:g}%" for q in QUANTILES), "maximum", "coincide")


def _row(kind: str, found: Statistics) -> tuple[str, ...]:
    numbers = (found.mean, found.error, *found.quantiles.values(), found.maximum)
    return (kind, *(_short(x) for x in numbers), str(found.coincide))


def _effective(found: dict[str, Effective]) -> list[str]:
    """A row per kind, a column per batch size; each with its 95% interval's half-width."""
    first = next(iter(found.values()))
    rows: list[tuple[str, ...]] = [("b E||mean||^2/E||xi||^2", *(f"b = {b}" for b in first.b))]
    for kind, one in found.items():
        rows.append((kind, *(f"{c:.4g} +- {NORMAL_95 * e:.2g}" for c, e in zip(one.constant, one.error))))
    return [*aligned(rows), f"at most (kappa2/kappa1)^2 = {first.bound:.4g}, whatever the noise"]


def _oracles(found: dict[str, OracleError]) -> list[str]:
    rows: list[tuple[str, ...]] = [("Newton-Schulz, 5 steps", "||A|| - 1", "descent lost", "||A - LMO(C)||")]
    for kind, errors in found.items():
        spreads = [spread(error) for error in errors]
        rows.append((kind, *(f"{s.mean:.4f}, worst {s.largest:.4f}" for s in spreads)))
    return aligned(rows)


def _short(number: float) -> str:
    return "-" if math.isnan(number) else f"{number:.1e}" if 0 < abs(number) < 5e-4 else f"{number:.4f}"


# --- as data ---


def as_dict(report: Report) -> dict[str, Any]:
    """Return a report as plain data for JSON: None where there is no number."""
    worst = report.worst
    return {
        "name": report.name,
        "norm": report.norm,
        "shape": list(report.shape),
        "seed": report.seed,
        "pairs": {kind: _statistics(found) for kind, found in report.pairs.items()},
        "worst_case": {
            "verdict": worst.verdict,
            "smooth": worst.smooth,
            "growth": worst.growth,
            "quotients": worst.steepest.tolist(),
        },
        "effective": {
            kind: {"b": one.b.tolist(), "constant": one.constant.tolist(), "error": one.error.tolist()}
            | {"at_most": one.bound}
            for kind, one in report.effective.items()
        },
        "newton_schulz": {
            kind: {part: spread(error)._asdict() for part, error in zip(OracleError._fields, errors)}
            for kind, errors in report.newton_schulz.items()
        },
    }


def _statistics(found: Statistics) -> dict[str, Any]:
    return {
        "pairs": found.pairs,
        "coincide": found.coincide,
        "mean": _or_none(found.mean),
        "error": _or_none(found.error),
        "maximum": _or_none(found.maximum),
        "quantiles": {f"{q:g}": _or_none(x) for q, x in found.quantiles.items()},
        "running_maximum": {"pairs": found.counts.tolist(), "maximum": [_or_none(x) for x in found.running]},
    }


def _or_none(number: float) -> float | None:
    return None if math.isnan(number) else float(number)
