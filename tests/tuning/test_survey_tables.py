"""A survey on disk: CSV, JSON and netCDF give back what was found, whole."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import xarray

from hpgrid import Grid, LogAxis, Regime, bounds
from hpgrid.tuning import survey as tables
from hpgrid.tuning.problem import tuning_problem
from hpgrid.tuning.survey import Survey, survey


@pytest.fixture(scope="module", params=["T", "K"])
def found(request: pytest.FixtureRequest) -> Survey:
    """One with edges and flat directions, and one whose batch size runs off."""
    if request.param == "T":
        return survey(tuning_problem(bounds.lmo(C2=2.5), Grid.footnote(9), Regime(("eta", "b", "alpha"))))
    grid = Grid.footnote(9).with_axes(K=LogAxis(1e2, 1e9, 9))
    return survey(tuning_problem(bounds.lmo(C2=2.5), grid, Regime(("eta", "b"), {"alpha": 0.1})))


def test_csv_gives_back_the_same_bits(found: Survey, tmp_path: Path) -> None:
    tables.write_csv(found, tmp_path / "best.csv")
    with (tmp_path / "best.csv").open(newline="") as file:
        header, *rows = list(csv.reader(file))
    read = dict(zip(header, zip(*rows)))
    budget = np.array([float(x) for x in read[found.problem.budget]])
    np.testing.assert_array_equal(budget, found.problem.budgets)
    for v in ("risk", *found.problem.regime.tuned):
        np.testing.assert_array_equal([float(x) for x in read[f"{v}_hat"]], found.hat[v])
        np.testing.assert_array_equal([float(x) for x in read[f"{v}_star"]], found.star[v])
    assert read["b_edge"] == tuple(str(bool(x)) for x in found.edge["b"])
    assert read["b_runs_off"] == tuple(str(bool(x)) for x in found.runs_off["b"])


def test_json_gives_back_the_same_numbers_and_null_for_none(found: Survey) -> None:
    read = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert read["budgets"] == found.problem.budgets.tolist()
    assert read["eta_hat"] == found.hat["eta"].tolist()
    stars = [np.nan if x is None else x for x in read["b_star"]]
    np.testing.assert_array_equal(stars, found.star["b"])
    assert read["constants"] == {"C1": 1.0, "C2": 2.5, "C3": 1.0}
    assert read["tuned"] == list(found.problem.regime.tuned)
    for slope in found.slopes:
        told = read["slopes"][slope.measured.name]
        assert told["exact"] == (None if slope.exact is None else str(slope.exact))
        assert told["verdict"] == slope.verdict


def test_netcdf_gives_back_names_flags_units_and_meanings(found: Survey, tmp_path: Path) -> None:
    path = tmp_path / "best.nc"
    tables.write_netcdf(found, path)
    with xarray.open_dataset(path) as read:
        data = read.load()
    xarray.testing.assert_identical(data, tables.dataset(found))
    budget = found.problem.budget
    assert data.b_edge.dtype == bool
    assert data[budget].attrs["units"] == {"T": "tokens", "K": "iterations"}[budget]
    assert data.b_star.attrs == {"long_name": "the best b, refined; NaN where there is none", "units": "tokens"}
    assert data.b_exponent.attrs["units"] == data.b_edge.attrs["units"] == "1"
    assert all(data[name].attrs["long_name"] for name in data.variables)
    for slope in found.slopes:
        at = data.sel(quantity=slope.measured.name)
        assert str(at.verdict.values) == slope.verdict
        np.testing.assert_array_equal(at.slope, slope.measured.fit.slope)
    assert data.attrs["bound"] == "lmo"
    assert json.loads(data.attrs["constants"])["C2"] == 2.5
    assert "jax" in data.attrs["versions"]


def test_nothing_half_written_is_left(found: Survey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fails)
    for write, name in ((tables.write_csv, "best.csv"), (tables.write_netcdf, "best.nc")):
        with pytest.raises(ValueError, match="can't be written"):
            write(found, tmp_path / name)
    assert list(tmp_path.iterdir()) == []
