"""Bounds fitted to runs: the errors of drifts are those of their scatter, and what no run tells is said to be so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from commands import Capture, printed

from hpgrid.fits.fit import fit
from hpgrid.fits.model import model_of
from hpgrid.record import write_table
from hpgrid.shapes import Floats

#: The form of the simulated losses, each term as large as the others at the middle of the grid.
FORM = "c1*(b/(eta*T))**0.5 + c2*b**-0.5 + c3*eta**0.5"


def deviations(drift: float, sweeps: int) -> Floats:
    """Drifts over their errors, of sweeps whose first constant grows as T^drift, shape (sweeps, 3)."""
    rng, found = np.random.default_rng(7), []
    eta, b, T = (x.ravel() for x in np.meshgrid(2.0 ** np.arange(-3, 4), 2.0 ** np.arange(-2, 3), 2.0 ** np.arange(4)))
    for _ in range(sweeps):
        noise = 0.002 * rng.standard_normal(len(T))
        loss = 3 + 0.05 * ((b / (eta * T)) ** 0.5 * T**drift + b**-0.5 + eta**0.5) + noise
        runs = fit({"eta": 1e-3 * eta, "b": 2**19 * b, "T": 1e9 * T, "loss": loss})
        found.append([value / error for value, error in model_of(runs, FORM).drift.values()])
    return np.array(found)


def test_drifts_are_off_nought_by_their_errors_where_there_are_none_and_a_true_one_is_caught() -> None:
    # 60 deviations, of which 20 are independent: their root mean square is 1 +- 0.16, and three of those are allowed.
    assert 0.5 < np.sqrt(np.mean(deviations(0.0, 20) ** 2)) < 1.5
    caught = deviations(0.5, 20)
    assert caught[:, 0].min() > 3
    assert 0.5 < np.sqrt(np.mean(caught[:, 1:] ** 2)) < 1.5


def test_what_no_run_tells_has_no_value(tmp_path: Path, capsys: Capture) -> None:
    """Without batch sizes nothing tells the power of b, and of one budget no drift is seen."""
    rng = np.random.default_rng(8)
    eta, T = (x.ravel() for x in np.meshgrid(2.0 ** np.arange(-4, 4.5, 0.5), 2.0 ** np.arange(4)))
    loss = 3 + 0.05 * ((eta * T) ** -0.5 + eta**0.5) + 0.001 * rng.standard_normal(len(T))
    runs = {"eta": 1e-3 * eta, "T": 1e9 * T, "loss": loss}
    model = model_of(fit(runs), "su")
    assert np.isnan(model.exponents["g2"].value)
    assert np.isinf(model.exponents["g2"].error)
    assert all(np.isfinite([*model.exponents[g], *model.drift[C]]).all() for g, C in (("g1", "A"), ("g3", "C")))
    table = tmp_path / "runs.csv"
    write_table(table, runs)
    out = " ".join(printed("fit", capsys, table, "--predict", "1e10", "--model", "su").split())
    assert "g2 not told by these runs" in out
    assert "none drifts by more than 3 errors" in out
    write_table(table, {name: x[T == 1] for name, x in runs.items()})
    asked = (table, "--predict", "1e10", "--model", "A/(eta*K)**0.5 + C*eta**0.5")
    out = " ".join(printed("fit", capsys, *asked).split())
    assert "which is 0 of a bound that holds: A not told by these runs, C not told by these runs." in out


def test_the_drift_of_a_constant_that_runs_to_nought_is_not_told() -> None:
    """Of a valley of squares C3 is best at nought at the middle budgets, where any slope is as good."""
    rng = np.random.default_rng(0)
    T = np.repeat(np.geomspace(1e9, 64e9, 4), 25)
    *z, noise = np.array([(*rng.uniform(-2.5, 2.5, 2), rng.standard_normal()) for _ in T]).T
    moves = np.log2(T / 1e9)
    eta, b = 2 ** (z[0] - 9 - moves / 4), np.round(2 ** (z[1] + 8 + moves / 2)) * 1024
    loss = 2 + 3 * (T / 1e9) ** -0.3 + 0.02 * (z[0] ** 2 + z[1] ** 2) + 0.003 * noise
    drift = model_of(fit({"eta": eta, "b": b, "T": T, "loss": loss}), "lmo").drift
    assert drift["C3"].error == np.inf
    assert np.isnan(drift["C3"].value)
    assert all(abs(drift[C].value) < 3 * drift[C].error < 10 for C in ("C1", "C2"))


def test_a_constant_of_nought_has_no_error(tmp_path: Path, capsys: Capture) -> None:
    table, eta = tmp_path / "runs.csv", np.tile(2.0 ** np.arange(-3, 3.1, 0.25), 2)
    write_table(table, {"lr": eta, "T": np.repeat([1e9, 4e9], 25), "loss": 3 + 0.02 * np.log2(eta) ** 2})
    out = printed("fit", capsys, table, "--predict", "8e9", "--model", "A/eta + B*eta + C*eta**2")
    assert "+- nan" not in out
