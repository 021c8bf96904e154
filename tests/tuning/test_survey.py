"""A survey: the same slopes as the figures', the same argmins as a loop, and what it can't say."""

from __future__ import annotations

import csv
import itertools
import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import xarray
from paper_figures import computed

from hpgrid import Grid, LogAxis, Proxy, Regime, bounds, parse, refine
from hpgrid.cli import options
from hpgrid.cli.plot import fitted
from hpgrid.config import BoundConfig, Config, Panel
from hpgrid.paper import compute
from hpgrid.readings import HOLDS, UNIDENTIFIABLE
from hpgrid.statements.check import check as held_against
from hpgrid.tuning.problem import tuning_problem
from hpgrid.tuning.survey import Survey, SurveySlope, dataset, default_window, survey, write_csv, write_netcdf

GRID = Grid.footnote(24)

#: Of 24 values an axis the ratios of optima are uncertain by more than half of their law.
FINE = Grid.footnote(32)
ALL = Regime(("eta", "b", "alpha"))


def surveyed(regime: Regime, grid: Grid = GRID, window: tuple[float, float] | None = None, **options: str) -> Survey:
    return survey(tuning_problem(bounds.lmo(), grid, regime, **options), window)


def by_name(found: Survey) -> dict[str, SurveySlope]:
    return {slope.measured.name: slope for slope in found.slopes}


@pytest.fixture(scope="module")
def joint() -> Survey:
    return surveyed(ALL, FINE)


@pytest.mark.parametrize("name", ["fig1", "fig2"])
def test_the_slopes_are_those_of_the_figures_checks(name: str) -> None:
    data = computed(name)
    checks = [check for check in data.checks if check.route == "grid"]
    panel = data.config["panels"][0]
    slopes = by_name(surveyed(Regime(tuple(panel["tuned"]), panel["fixed"])))
    assert {f"slope of {v}" for v in slopes} == {check.what for check in checks}
    for check in checks:
        slope = slopes[check.what.removeprefix("slope of ")]
        assert slope.measured.fit.slope == check.measured
        assert slope.measured.tolerance == pytest.approx(check.tolerance, rel=1e-12)
        assert (slope.measured.fit.window, slope.measured.fit.edge_points) == (check.window, check.edge_points)
        assert float(slope.exact) == check.predicted  # type: ignore[arg-type]
        assert slope.verdict == {True: "holds", None: "not identifiable on this grid"}[check.holds]


def test_budgets_as_large_as_floats_are_have_optima_and_nothing_farther_out() -> None:
    """2 (2/T)^(1/2) of 1/(eta T) + 2 eta."""
    grid = Grid(eta=LogAxis(1e-160, 1.0, 30), T=LogAxis(1e2, 1e300, 3))
    found = survey(tuning_problem(parse("1/(eta*T) + 2*eta"), grid, Regime(("eta",))))
    np.testing.assert_allclose(found.star["risk"], 2 * np.sqrt(2 / found.problem.budgets), rtol=1e-12)
    assert all(np.isnan(slope.far) for slope in found.slopes)


def test_the_argmins_are_those_of_a_loop() -> None:
    grid = Grid(eta=LogAxis(1e-4, 1.0, 5), b=LogAxis(1.0, 1e4, 5), alpha=LogAxis(1e-3, 1.0, 5), T=LogAxis(1e2, 1e10, 5))
    found = survey(tuning_problem(bounds.lmo(C2=3.0), grid, Regime(("eta", "b"), {"alpha": 0.03})))
    for k, T in enumerate(grid.T.values):
        cells = itertools.product(grid.eta.values, grid.b.values)
        risk, eta, b = min(
            (b / (eta * T) + 3 / b**0.5 * (b + 0.03**1.5 * T) / (0.03 * T) + eta * (1 + 1 / 0.03), eta, b)
            for eta, b in cells
        )
        assert found.hat["risk"][k] == pytest.approx(risk, rel=1e-14)
        assert (found.hat["eta"][k], found.hat["b"][k]) == (eta, b)
        assert found.best.edge["b"][k] == (b in (grid.b.lo, grid.b.hi))
    assert (found.star["risk"] <= found.hat["risk"] * (1 + 1e-12)).all()


def test_three_routes_agree_on_the_law_where_the_grid_can_tell(joint: Survey) -> None:
    slopes = by_name(joint)
    for slope in slopes.values():
        assert slope.far == pytest.approx(float(slope.exact), abs=1e-6)  # type: ignore[arg-type]
    assert (slopes["b"].exact, slopes["alpha/b"].exact) == (Fraction(1, 6), Fraction(-1, 2))
    assert {slopes[v].verdict for v in ALL.tuned} == {"not identifiable on this grid"}
    assert {slopes[v].verdict for v in ("risk", "eta/b", "alpha/b")} == {"holds"}
    measured = slopes["alpha/b"].measured
    off = Fraction(round((measured.fit.slope - 1.1 * measured.tolerance) * 10**6), 10**6)
    assert replace(slopes["alpha/b"], exact=off).verdict == "FAILS"


def test_where_the_argmin_wanders_burn_in_is_the_refined_optimums(joint: Survey) -> None:
    window = default_window(joint.problem, joint.best, wanders=True)
    step, first = FINE.b.step, int(np.flatnonzero(FINE.T.values == window[0])[0])
    assert joint.slopes[0].measured.fit.window[0] >= window[0]
    assert np.log(joint.star["b"][first:]).min() > step
    assert np.log(joint.star["b"][first - 1]) <= step


def test_what_stays_on_its_natural_bound_is_no_edge_of_the_grid() -> None:
    """At a fixed learning rate the best alpha is 1 in the end: the batch size has a law there all the same."""
    grid = Grid.footnote(100).with_axes(b=LogAxis(1.0, 1e15, 200), alpha=LogAxis(1e-4, 1.0, 60))
    found = surveyed(Regime(("b", "alpha"), {"eta": 1e-4}), grid, (1e16, 1e22))
    slopes = by_name(found)
    assert found.best.edge["alpha"][-1]
    assert (slopes["b"].exact, slopes["b"].verdict) == (Fraction(2, 3), "holds")
    assert slopes["alpha"].measured.fit.slope == pytest.approx(0.0, abs=0.01)


def test_what_runs_off_is_said_and_never_a_number() -> None:
    found = surveyed(Regime(("eta", "b"), {"alpha": 0.1}), GRID.with_axes(K=LogAxis(1e2, 1e16, 8)))
    assert found.runs_off["b"].all()
    assert np.isnan(found.star["b"]).all()
    np.testing.assert_allclose(found.exponent["eta"], -0.5, atol=1e-9)
    assert {slope.verdict for slope in found.slopes} == {"nothing to fit"}
    assert "b has no best value at 8 of 8 budgets: it runs off to infinity: a cap on b would stop it" in found.text(
        details=True
    )


def test_a_function_goes_through_grid_and_refinement_and_says_what_it_lacks() -> None:
    proxy = BoundConfig("star_convex").build("T")
    found = survey(tuning_problem(proxy, GRID, Regime(("eta", "b"), {"alpha": 0.05})))
    assert "sum of powers" in found.no_law
    for slope in found.slopes:
        assert (slope.exact, slope.verdict) == (None, "")
        assert abs(slope.measured.fit.slope - slope.far) <= slope.measured.tolerance
    assert found.no_law in found.text(details=True)


def test_an_exponent_that_is_no_limit_is_told_with_its_budget() -> None:
    """Of D/(eta T) + L eta (log T)^q, risk ~ ((log T)^q/T)^(1/2): at T, -1/2 + q/(2 log T). Of no law, as much."""
    grid = Grid(eta=LogAxis(1e-14, 1.0, 12), T=LogAxis(1e2, 1e22, 12))
    for factor, q in (("log(T)", 1), ("sqrt(log(T))", 1 / 2), ("log(T)**2", 2), ("log(T)**(3/2)", 3 / 2)):
        bound = parse(f"D/(eta*T) + L*eta*{factor}", {"D": 4.0, "L": 9.0})
        found = survey(tuning_problem(bound, grid, Regime(("eta",))))
        above = q / (2 * 42 * np.log(10))
        np.testing.assert_allclose([s.far for s in found.slopes], [above - 0.5, -above - 0.5], atol=1e-9)
        law = f"risk ~ T^(-0.5) (log T)^({q / 2:g}), eta ~ T^(-0.5) (log T)^({-q / 2:g})"
        assert found.answer().first == [f"In the long run {law} (refined)."]
    # T^(1/(1 + log T)) is e in the long run, and no power of a logarithm anywhere.
    found = survey(tuning_problem(parse("1/(eta*T) + eta*T**(1/(1 + log(T)))"), grid, Regime(("eta",))))
    assert found.answer().first[0].startswith("Far out, at T = 1e+42, risk ~ T^(-0.49")
    flat = survey(tuning_problem(parse("1/(eta*b*T) + eta*b"), GRID, Regime(("eta", "b"))))
    assert flat.answer().first[0].startswith("In the long run risk ~ T^(-1/2), eta*b ~ T^(-1/2) (exact). ")


@pytest.mark.parametrize(("text", "rule", "risk", "w"), [
    ("D/(eta*T) + L*eta*log(T) + (w + 4/w)/T", "w >= 1", "T^(-0.5) (log T)^(0.5)", "a constant"),
    ("D/(eta*T) + L*eta*log(T)/w + w/T", "1 <= w <= 5", "T^(-0.5) (log T)^(0.5)", "a constant"),
    ("(D/(eta*T) + L*eta*log(T))*(w + T**(1/2)/w)", "w >= 1", "T^(-0.25) (log T)^(0.5)", "T^(0.25)"),
])  # fmt: skip
def test_what_has_no_logarithm_is_told_beside_what_has_one(text: str, rule: str, risk: str, w: str) -> None:
    """By hand w* is 2, in the end the largest, and T^(1/4)."""
    bound = parse(text, {"D": 4.0, "L": 9.0}, variables=[rule])
    grid = Grid(eta=LogAxis(1e-14, 1.0, 12), w=[1, 2, 3, 4], T=LogAxis(1e2, 1e22, 12), space=bound.space)
    (first,) = survey(tuning_problem(bound, grid, Regime(("eta", "w"), space=bound.space))).answer().first
    law = f"risk ~ {risk}, eta ~ T^(-0.5) (log T)^(-0.5), w ~ {w}"
    assert first.startswith(f"In the long run {law} (refined).")


def test_on_a_path_and_under_a_cap() -> None:
    found = surveyed(Regime(("eta",), {"alpha": 0.1}, {"b": Fraction(1, 2)}))
    assert {v: slope.verdict for v, slope in by_name(found).items()} == {"risk": "holds", "eta": "holds"}
    assert "b = T^1/2" in found.text(details=True)
    capped = surveyed(Regime(("eta", "b"), {"alpha": 0.1}, caps={"b": 50.0}))
    assert capped.hat["b"].max() <= 50
    assert capped.star["b"][-1] == pytest.approx(50)
    assert capped.slopes[0].exact == 0


def test_the_table_is_thinned_and_marks_edges() -> None:
    lines = surveyed(Regime(("eta", "b"), {"alpha": 1e-3})).text(details=True).splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith("T "))
    rows = lines[start + 1 : lines.index("* at the edge of the grid")]
    assert len(rows) == 12
    assert rows[0].split()[3].endswith("*")  # b = 1 at T = 100
    assert [rows[0].split()[0], rows[-1].split()[0]] == ["100", "1.00e+22"]


def test_float32_says_where_it_is_blind() -> None:
    far = GRID.with_axes(T=LogAxis(1e20, 1e30, 8))
    found = surveyed(Regime(("b",), {"eta": 1.0, "alpha": 0.5}), far, dtype="float32")
    assert found.best.unresolved is not None
    assert found.best.unresolved.any()
    assert "float32 can't say which cell is best" in found.text(details=True)


# --- where nothing could have failed ---
@pytest.mark.parametrize(
    ("v", "held", "end", "exponent"),
    [("b", {"alpha": 1e-3}, 1e6, 0.5), ("alpha", {"b": 1e6}, 1e12, -0.5)],  # b leaves 1 at 4 (1 + 1/alpha)/alpha = 4e6
)
def test_a_window_before_the_law_begins_has_no_verdict_and_says_from_where(
    v: str, held: dict[str, float], end: float, exponent: float
) -> None:
    regime = Regime(("eta", v), held)
    found = surveyed(regime, Grid.footnote(40).with_axes(T=LogAxis(1e2, end, 40)))
    slope = by_name(found)[v]
    assert (slope.measured.fit.slope, slope.law, slope.verdict) == (0.0, exponent, "not identifiable on this grid")
    assert slope.measured.bias == pytest.approx(0.5, abs=1e-6)
    assert slope.measured.begins > end
    left = refine(bounds.lmo(), regime=regime, T=slope.measured.begins * np.array([0.97, 1.03])).active[v]
    assert left.tolist() == [-1 if v == "b" else 1, 0]
    assert f"the law begins beyond this window: from T = {slope.measured.begins:.2g} on" in found.text(details=True)
    assert found.as_dict()["slopes"][v]["why"] == slope.why in found.text(details=True)
    assert "FAILS" not in {slope.verdict for slope in found.slopes}


def test_a_law_that_begins_forty_decades_beyond_the_window_is_not_failed_there() -> None:
    """b leaves 1 at T = 4 C1 C3 (1 + 1/alpha)/(alpha C2^2): 4.004e66 with a C2 of 1e-30."""
    problem = tuning_problem(bounds.lmo(C2=1e-30), GRID, Regime(("eta", "b"), {"alpha": 1e-3}))
    for slope in survey(problem).slopes:
        assert slope.verdict == "not identifiable on this grid"
        assert slope.measured.begins == pytest.approx(4.004e66, rel=0.05)


def test_a_risk_that_is_still_falling_to_its_floor_fails_nowhere() -> None:
    """E + A/b^a + B/(T/6b)^c: b* = (A a (T/6)^c/(B c))^(1/(a + c)); the bias is all of the slope of the risk there."""
    text, given = "E + A/b**a + B/(T/(6*b))**c", {"E": 1.0, "A": 406.4, "B": 410.7, "a": 0.34, "c": 0.28}
    proxy = parse(text, given)
    assert isinstance(proxy, Proxy)
    found = by_name(survey(tuning_problem(proxy, GRID, Regime(("b",)))))["risk"]
    T = GRID.T.values[GRID.T.values >= found.measured.fit.window[0]]
    E, A, B, a, c = given.values()
    b = (A * a * (T / 6) ** c / (B * c)) ** (1 / (a + c))
    slope = float(np.polyfit(np.log(T), np.log(E + A / b**a + B / (T / (6 * b)) ** c), 1)[0])
    assert found.measured.bias == pytest.approx(-slope, rel=1e-3)
    (claim,) = held_against(proxy, "risk ~ T^0", grid=GRID)
    written = BoundConfig("formula", {n: x for n, x in given.items() if n.isupper()}, {"a": a, "c": c}, text)
    figure = Config(
        "curves", written, options.grid_config("footnote", 24, None, "T"), (Panel(Regime(("b",))),), refined=True
    )
    drawn = {one.what: one for one in compute(fitted(figure, "T"), "mine").checks}
    grid, refined = drawn["slope of risk"], drawn["refined slope of risk"]
    told = {one.route: one for one in claim.readings}
    assert found.verdict == "not identifiable on this grid"
    assert [one.verdict for one in (told["grid"], grid, refined)] == [UNIDENTIFIABLE] * 3
    assert told["grid"].measured == grid.measured == found.measured.fit.slope
    assert told["grid"].tolerance == pytest.approx(grid.tolerance) == found.measured.tolerance
    assert claim.verdict == HOLDS  # by the exact law


def test_a_flat_law_is_held_to_the_same_tolerance_as_its_neighbours() -> None:
    """All tuned, this bound has alpha on its bound of 1 for good: no law begins anywhere, and no bias is there."""
    formula = "D/(eta*K) + s*sqrt(alpha/b) + s/(alpha*sqrt(b)*K) + L*eta/alpha"
    proxy = parse(formula, {"D": 7.2, "s": 0.6, "L": 28.0})
    slopes = by_name(survey(tuning_problem(proxy.form("T"), FINE, ALL)))
    assert slopes["alpha"].exact == 0
    for v in ALL.tuned:
        assert slopes[v].measured.bias == pytest.approx(0.0, abs=1e-6)
        assert slopes[v].measured.tolerance > 0.5
        assert slopes[v].verdict == "not identifiable on this grid"


@pytest.fixture(scope="module", params=["T", "K"])
def found(request: pytest.FixtureRequest) -> Survey:
    """One with edges and flat directions, and one whose batch size runs off."""
    if request.param == "T":
        return survey(tuning_problem(bounds.lmo(C2=2.5), Grid.footnote(9), ALL))
    grid = Grid.footnote(9).with_axes(K=LogAxis(1e2, 1e9, 9))
    return survey(tuning_problem(bounds.lmo(C2=2.5), grid, Regime(("eta", "b"), {"alpha": 0.1})))


def test_csv_gives_back_the_same_bits(found: Survey, tmp_path: Path) -> None:
    write_csv(found, tmp_path / "best.csv")
    with (tmp_path / "best.csv").open(newline="") as file:
        header, *rows = list(csv.reader(file))
    read = dict(zip(header, zip(*rows)))
    budget = np.array([float(x) for x in read[found.problem.budget]])
    np.testing.assert_array_equal(budget, found.problem.budgets)
    for v in ("risk", *found.problem.regime.tuned):
        np.testing.assert_array_equal([float(x) for x in read[f"{v}_hat"]], found.hat[v])
        np.testing.assert_array_equal([float(x) for x in read[f"{v}_star"]], found.star[v])
    assert read["b_edge"] == tuple(str(bool(x)) for x in found.best.edge["b"])
    assert read["b_runs_off"] == tuple(str(bool(x)) for x in found.runs_off["b"])


def test_json_gives_back_the_same_numbers_and_null_for_none(found: Survey) -> None:
    read = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert (read["budgets"], read["eta_hat"]) == (found.problem.budgets.tolist(), found.hat["eta"].tolist())
    np.testing.assert_array_equal([np.nan if x is None else x for x in read["b_star"]], found.star["b"])
    assert read["constants"] == {"C1": 1.0, "C2": 2.5, "C3": 1.0}
    for v, slope in by_name(found).items():
        assert read["slopes"][v]["exact"] == (None if slope.exact is None else str(slope.exact))
        assert read["slopes"][v]["verdict"] == slope.verdict


def test_netcdf_gives_back_names_flags_units_and_meanings(found: Survey, tmp_path: Path) -> None:
    path = tmp_path / "best.nc"
    write_netcdf(found, path)
    with xarray.open_dataset(path) as read:
        data = read.load()
    xarray.testing.assert_identical(data, dataset(found))
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
    for write, name in ((write_csv, "best.csv"), (write_netcdf, "best.nc")):
        with pytest.raises(ValueError, match="can't be written"):
            write(found, tmp_path / name)
    assert list(tmp_path.iterdir()) == []
