"""All that is measured of one norm at one shape: D over pairs, its worst case, what noise needs, Muon's oracle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any, NamedTuple

import numpy as np

from hpgrid.answer import Answer, Part, Table
from hpgrid.checks import PRECISIONS, unknown
from hpgrid.newton_schulz import OracleError, newton_schulz, oracle_error
from hpgrid.norms import SPECTRAL, check_shape, named
from hpgrid.record import plain
from hpgrid.shapes import Floats
from hpgrid.stochastic.samples import NOISES, NORMAL_95, Effective, effective
from hpgrid.stochastic.smoothness import QUANTILES, Search, Statistics, quotients, statistics, worst_case
from hpgrid.text import counted

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
    """What was measured."""

    name: str  # the norm or optimizer, as it was called
    norm: str
    shape: tuple[int, int]
    seed: int  # of all that is drawn
    pairs: dict[str, Statistics]  # by sampling
    worst: Search
    effective: dict[str, Effective]  # what Lemma 5 needs, by kind of noise
    newton_schulz: dict[str, OracleError]  # by precision; of the spectral norm alone


def measure(name: str, shape: tuple[int, int], pairs: int, *, seed: int = 0, noises: Sequence[str] = ()) -> Report:
    """Return all that is measured of one norm, or an optimizer's, at one shape.

    So many pairs are drawn of each sampling, and averages of kinds of noise, of ``NOISES``; the seed is >= 0.
    """
    norm = named(name)
    drawn = quotients(norm, shape, pairs, seed=seed)._asdict()
    needed = {kind: effective(norm, NOISES[kind], shape, BATCHES, seed=seed) for kind in noises}
    precisions = PRECISIONS if norm is SPECTRAL else ()
    off = {kind: newton_schulz_errors(shape, seed=seed, precision=kind) for kind in precisions}
    pairs_of = {kind: statistics(values) for kind, values in drawn.items()}
    return Report(name, norm.name, shape, seed, pairs_of, worst_case(norm, shape, seed=seed), needed, off)


# --- Muon's oracle, in the precision that it is run in ---
class Spread(NamedTuple):
    """An error over seeds: its mean, and what is largest in size, with its sign."""

    mean: float
    largest: float


def newton_schulz_errors(
    shape: tuple[int, int], *, draws: int = 100, seed: int = 0, precision: str = "float32", steps: int = 5
) -> OracleError:
    """Return how far Muon's oracle is from the exact one on seeded Gaussian matrices, each shape (draws,).

    The iteration runs in its own precision, "float64", "float32" or "bfloat16", so many steps of Newton and Schulz; how
    far it is off is measured in float64, on the same rounded input. The seed is >= 0.

    Source: Jordan et al. (2024); Cesista, section 1.2.
    """
    import jax
    import jax.numpy as jnp

    shape = check_shape(shape)
    if precision not in PRECISIONS:
        raise unknown("precision", precision, PRECISIONS)
    with jax.enable_x64(True):
        # Rounded before both: what rounding the input does is no error of the oracle.
        drawn = jnp.asarray(np.random.default_rng(seed).standard_normal((draws, *shape))).astype(jnp.dtype(precision))
        answer = newton_schulz(drawn, steps)
        exact, run = (np.asarray(x.astype(jnp.float64)) for x in (drawn, answer))
    return oracle_error(SPECTRAL, exact, -run)


def spread(errors: Floats) -> Spread:
    """Return the mean and the largest of an error over seeds."""
    return Spread(float(errors.mean()), float(errors[np.abs(errors).argmax()]))


# --- in words ---


def answer(report: Report) -> Answer:
    """Return what D is on average and in the worst case; in details what each kind of noise needs, and the oracle."""
    (m, n), (kind, first), noise = report.shape, next(iter(report.pairs.items())), report.effective
    called = "" if report.name == report.norm else f" ({report.name})"
    mean = f"{first.mean:.4f} on average over {counted(first.pairs, 'pair')} ({kind})"
    first_lines = [f"D of the {report.norm} norm{called}, {m} x {n}: {mean}; in the worst case {report.worst.verdict}."]
    if noise:
        # What Lemma 5 needs in place of D at the largest batch size.
        needed = ", ".join(f"{each.constant[-1]:.4g} for {name}" for name, each in noise.items())
        first_lines.append(f"The noise at hand needs, at b = {next(iter(noise.values())).b[-1]}: {needed}.")
    rows: list[tuple[str, ...]] = [
        ("pairs", "mean", "+- error", *(f"{100 * q:g}%" for q in QUANTILES), "maximum", "coincide")
    ]
    for name, one in report.pairs.items():
        numbers = (one.mean, one.error, *one.quantiles.values(), one.maximum)
        shown = ("-" if isnan(x) else f"{x:.1e}" if 0 < abs(x) < 5e-4 else f"{x:.4f}" for x in numbers)
        rows.append((name, *shown, str(one.coincide)))
    notes = [ADAPTIVE[report.name]] if report.name in ADAPTIVE else []
    details: list[Part] = [[f"all is drawn with seed {report.seed}"]]
    if noise:
        # A row per kind, a column per batch size; each with its 95% interval's half-width.
        some = next(iter(noise.values()))
        table: list[tuple[str, ...]] = [("b E||mean||^2/E||xi||^2", *(f"b = {b}" for b in some.b))]
        for name, each in noise.items():
            pairs = zip(each.constant, each.error)
            table.append((name, *(f"{c:.4g} +- {NORMAL_95 * e:.2g}" for c, e in pairs)))
        details.append([Table(table), f"at most (kappa2/kappa1)^2 = {some.bound:.4g}, whatever the noise"])
    if report.newton_schulz:
        table = [("Newton-Schulz, 5 steps", "||A|| - 1", "descent lost", "||A - LMO(C)||")]
        for name, errors in report.newton_schulz.items():
            table.append((name, *(f"{s.mean:.4f}, worst {s.largest:.4f}" for s in map(spread, errors))))
        details.append([Table(table)])
    adds = "what the noise needs at each batch size" + (", and Newton-Schulz's errors" if report.newton_schulz else "")
    return Answer(first_lines, [[Table(rows)]], details, adds, notes)


# --- as data ---


def as_dict(report: Report) -> dict[str, Any]:
    """Return a report as plain data for JSON: None where there is no number."""
    worst = report.worst
    return plain(
        {
            "name": report.name,
            "norm": report.norm,
            "shape": report.shape,
            "seed": report.seed,
            "pairs": {
                kind: {name: getattr(one, name) for name in ("pairs", "coincide", "mean", "error", "maximum")}
                | {"quantiles": {f"{q:g}": x for q, x in one.quantiles.items()}}
                | {"running_maximum": {"pairs": one.counts, "maximum": one.running}}
                for kind, one in report.pairs.items()
            },
            "worst_case": {
                "verdict": worst.verdict,
                "smooth": worst.smooth,
                "growth": worst.growth,
                "quotients": worst.steepest,
            },
            "effective": {
                kind: {"b": one.b, "constant": one.constant, "error": one.error, "at_most": one.bound}
                for kind, one in report.effective.items()
            },
            "newton_schulz": {
                kind: {part: spread(error)._asdict() for part, error in zip(OracleError._fields, errors)}
                for kind, errors in report.newton_schulz.items()
            },
        }
    )
