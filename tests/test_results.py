"""Results where people work: as HTML, LaTeX, xarray, pandas and pictures, and in a line."""

from __future__ import annotations

import ast
import re
from copy import deepcopy
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.testing import assert_array_equal

import hpgrid
from hpgrid import (
    Grid,
    Regime,
    bounds,
    check,
    critical_batch,
    exponents,
    grid_search,
    refine,
    structure,
    transfer,
    variables,
)
from hpgrid.answer import Answer, Table
from hpgrid.comparison.compare import Comparison, sources

PROXY, GRID = bounds.lmo(), Grid.footnote(12)
PROBLEM = hpgrid.tuning_problem(PROXY, GRID, Regime(("eta", "b"), {"alpha": 1e-3}))
START = {"eta": 3e-4, "b": 524288.0, "beta": 0.95, "T": 2.5e9}


def results() -> dict[str, Any]:
    return {
        "search": grid_search(PROXY, GRID, ("eta", "b")),
        "optimum": refine(PROXY, ("eta", "b"), fixed={"alpha": 1e-3}, T=GRID.T.values),
        "law": exponents(PROXY, ("eta", "b")),
        "survey": hpgrid.survey(PROBLEM),
        "advice": hpgrid.advise(PROBLEM, 1e9),
        "target": hpgrid.reach(PROBLEM, 0.01),
        "transfer": transfer(START, 1e12),
        "critical batch": critical_batch(eta=1e-3, beta=0.95, eps=4.0),
        "structure": structure(PROXY),
    }


RESULTS = results()


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_is_html_in_a_notebook_and_short_in_a_shell(name: str) -> None:
    html = RESULTS[name]._repr_html_()
    if name not in ("search", "optimum"):  # those are xarray's own, which has a style in front
        ElementTree.fromstring(f"<div>{html}</div>")
    assert len(html) > 100
    assert len(repr(RESULTS[name])) < 700
    assert "Fraction(" not in repr(RESULTS[name])


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_is_equal_to_itself_and_can_be_compared_with_another(name: str) -> None:
    result = RESULTS[name]
    assert (result == deepcopy(result)) in (True, False)  # and no array of truth values
    assert [deepcopy(result), result].index(result) in (0, 1)


def test_a_record_of_arrays_is_equal_to_itself_alone() -> None:
    """Of arrays == gives arrays: a comparison of records field by field would raise."""
    arrays = re.compile(r"^(?!.*Callable).*(Array|Floats|Dataset)")
    records = [
        (each.name, ast.unparse(decorator))
        for file in Path(hpgrid.__file__).parent.rglob("*.py")
        for each in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(each, ast.ClassDef)
        and any(isinstance(x, ast.AnnAssign) and arrays.match(ast.unparse(x.annotation)) for x in each.body)
        for decorator in each.decorator_list
        if ast.unparse(decorator).startswith("dataclass")
    ]
    assert {"Optimum", "SearchResult", "Survey", "Flatness"} < {name for name, _ in records}
    assert [name for name, decorator in records if "eq=False" not in decorator] == []


def test_html_has_the_answer_its_tables_and_its_details() -> None:
    answer = Answer(["b < 3 & so on."], [[Table([("a", "b"), ("1", "2")])]], [["more"]], "what more there is")
    root = ElementTree.fromstring(f"<div>{answer.html()}</div>")
    assert root.find("p/strong").text == "b < 3 & so on."  # type: ignore[union-attr]
    assert [cell.text for cell in root.iter() if cell.tag in ("th", "td")] == ["a", "b", "1", "2"]
    assert root.find("details/summary").text == "what more there is"  # type: ignore[union-attr]


def test_a_law_is_latex() -> None:
    law = RESULTS["law"]
    assert law._repr_latex_() == law.latex()
    assert r"\begin{align}" in law._repr_latex_()


def test_a_search_is_a_dataset_and_a_frame_over_what_remains() -> None:
    search, data = RESULTS["search"], RESULTS["search"].to_xarray()
    assert dict(data.sizes) == {"alpha": 12, "T": 12}
    assert_array_equal(data["b"], search.at["b"])
    assert_array_equal(data["b_edge"], search.edge["b"])
    assert data.attrs["method"] == "exact"
    frame = search.to_dataframe()
    assert frame.shape == (144, 7)
    assert frame.loc[(search.axes["alpha"][3], search.axes["T"][5]), "risk"] == search.risk[3, 5]


def test_an_optimum_and_a_survey_are_a_dataset_and_a_frame_over_budgets() -> None:
    optimum, survey = RESULTS["optimum"], RESULTS["survey"]
    assert_array_equal(optimum.to_xarray()["b_exponent"], optimum.exponent["b"])
    assert_array_equal(optimum.to_dataframe()["eta"], optimum.at["eta"])
    assert_array_equal(survey.to_dataframe()["b_star"], survey.star["b"])
    assert {"verdict", "tolerance"} <= {*survey.to_xarray().data_vars}
    many = refine(PROXY, ("eta", "b"), fixed={"alpha": 1e-3}, constants={"C1": np.ones(3)}, T=GRID.T.values)
    assert dict(many.to_xarray().sizes) == {"combination_0": 3, "T": 12}


C2, ROW = np.array([1.0, 2.0, 3.0]), ("combination_0",)

#: By what is given, the constants' coordinates, and how many rows a frame has.
SWEPT: dict[str, tuple[dict[str, Any], dict[str, Any], int]] = {
    "one": ({"T": [1e6, 1e8], "constants": {"C2": C2, "C1": 2.0}}, {"C2": (ROW, C2)}, 6),
    "one at one budget": ({"T": 1e8, "constants": {"C2": C2}}, {"C2": (ROW, C2)}, 3),
    "one value": ({"T": [1e6, 1e8], "constants": {"C2": [4.0]}}, {"C2": (ROW, [4.0])}, 2),
    "two side by side": (
        {"T": [1e6, 1e8], "constants": {"C2": C2, "C3": 2 * C2}}, {"C2": (ROW, C2), "C3": (ROW, 2 * C2)}, 6,
    ),
    "two crossed": (
        {"T": [1e6, 1e8], "constants": {"C2": C2[:, None], "C3": [1.0, 2.0]}},
        {"C2": (ROW, C2), "C3": (("combination_1",), [1.0, 2.0])}, 12,
    ),
    "none": ({"T": [1e6, 1e8]}, {}, 2),
    "nothing but one budget": ({"T": 1e6}, {}, 1),
}  # fmt: skip


@pytest.mark.parametrize("given", SWEPT)
def test_an_optimum_over_constants_says_of_which(given: str) -> None:
    asked, coordinates, rows = SWEPT[given]
    found = refine(PROXY, ("eta", "b"), fixed={"alpha": 1e-3}, **asked)
    data, frame = found.to_xarray(), found.to_dataframe().reset_index()
    assert {*data.coords} == {"T", *coordinates}
    for name, (dims, values) in coordinates.items():
        assert data[name].dims == dims
        assert_array_equal(data[name], values)
    assert len(frame) == rows
    for row in frame.to_dict("records"):
        own = {**asked.get("constants", {}), **{name: row[name] for name in coordinates}}
        alone = refine(PROXY, ("eta", "b"), fixed={"alpha": 1e-3}, T=row["T"], constants=own)
        np.testing.assert_allclose([row["risk"], row["b"]], [alone.risk, alone.at["b"]], rtol=1e-12)


def test_a_constant_whose_name_means_something_else_in_a_frame_has_another_there() -> None:
    proxy = hpgrid.parse("1/(eta*T) + converged*eta", {"converged": 2.0})
    frame = refine(proxy, "eta", T=1e6, constants={"converged": C2}).to_dataframe()
    assert frame["converged"].all()
    assert_array_equal(frame["converged_"], C2)


def test_no_variable_has_the_name_of_something_else_in_an_optimum() -> None:
    taken = {str(name) for name in RESULTS["optimum"].to_xarray().data_vars if not re.match("eta|b|risk_", str(name))}
    assert taken == {*variables.RESULTS}
    for name in taken:
        for given in ([f"{name} > 0"], [f"{name} > 0, budget"], {"x": {"range": "0 < x <= 1", "complement": name}}):
            with pytest.raises(ValueError, match=f"{name} is something else in every result. Given: '{name}'"):
                hpgrid.parse("1/(eta*T) + eta", {}, variables=given)


def test_a_dataset_can_be_saved(tmp_path: Path) -> None:
    far = grid_search(PROXY, Grid.footnote(300), ("eta", "b", "alpha"))  # of more cells than 32 bits number
    for result in (*RESULTS.values(), far):
        if hasattr(result, "to_xarray"):
            result.to_xarray().to_netcdf(tmp_path / "result.nc")


def test_a_law_is_a_frame_and_a_curve_and_a_transfer_a_frame_of_its_rows() -> None:
    law, moved = RESULTS["law"], RESULTS["transfer"]
    whole = exponents(PROXY, ("eta", "b"), fixed={"alpha": 1e-3})
    assert law.to_dataframe().loc["b", ["exponent", "exact"]].tolist() == [0.5, "1/2"]
    assert whole.to_dataframe()["constant"].tolist() == [each.constant for each in whole.laws.values()]
    axes = whole.plot("b", budgets=GRID.T.values)
    assert_array_equal(axes.lines[0].get_ydata(), whole.laws["b"].at(GRID.T.values))
    # By default from where b has left 1 on.
    begin, every = whole.starts["b"], Grid.footnote().T.values
    assert begin is not None
    assert_array_equal(whole.plot("b").lines[0].get_xdata(), every[every >= begin.constant])
    assert 1 <= whole.plot("b").lines[0].get_ydata()[0] < every[1] / every[0]
    assert moved.to_dataframe()["eta"].tolist() == [row.at.eta for row in moved.rows]
    assert [*moved.to_dataframe().index] == ["A", "B", "C", "D"]
    costs = transfer(START, 1e12, calibrate=True)
    paid = {row.regime: row.cost.rule.best for row in costs.costs.rows}
    for regime, row in costs.to_dataframe().iterrows():
        assert (row.excess_low, row.excess_high) == (paid[regime].min(), paid[regime].max())


def test_bounds_and_grids_are_a_line() -> None:
    problem = hpgrid.tuning_problem(PROXY, GRID, hpgrid.Regime(("eta", "b", "alpha")))
    text = "max(A*b/(eta*K), eta/alpha)"
    lines: list[tuple[Any, str]] = [
        (hpgrid.bounds.sgd(), "Proxy(sgd: "), (problem, "TuningProblem(lmo, eta, b, alpha tuned, Grid(eta=LogAxis("),
        (GRID, "Grid(eta=LogAxis("), (hpgrid.LogAxis.from_values([1.0, 2.0]), "LogAxis(2 values, 1, 2)"),
        (hpgrid.parse(text, {"A": 2.0}), f"FunctionProxy(formula: {text}; A = 2)"),
        (hpgrid.bounds.star_convex(), "FunctionProxy(star_convex: a function of eta, b, alpha, T; "),
    ]  # fmt: skip
    for shown, begins in lines:
        assert repr(shown).startswith(begins)
        assert "\n" not in repr(shown)


def test_pictures_have_a_curve_for_what_remains() -> None:
    search, optimum = RESULTS["search"], RESULTS["optimum"]
    axes = search.plot("b")
    assert sum(len(line.get_xdata()) == 12 for line in axes.lines) == 12  # one an alpha
    assert axes.get_xlabel().endswith("$T$")
    own = Figure().subplots()
    assert optimum.plot("eta", ax=own) is own
    assert_array_equal(own.lines[0].get_ydata(), optimum.at["eta"])


def test_every_result_with_a_picture_draws_one_panel_of_it_in_given_axes_or_all_in_a_figure() -> None:
    whole = exponents(PROXY, ("eta", "b"), fixed={"alpha": 1e-3})
    fit, every = hpgrid.fit("examples/constant_rate.csv"), sources()
    compared = Comparison(("eta-T", "b-T"), {name: every[name] for name in ("lmo", "sgd", "StepLaw")})
    pictured: list[tuple[Any, list[Any], dict[str, Any]]] = [
        (RESULTS["search"], ["risk", "eta", "b"], {}), (RESULTS["optimum"], ["risk", "eta", "b"], {}),
        (RESULTS["survey"], ["risk", "eta", "b"], {}), (whole, ["risk", "eta", "b"], {}),
        (RESULTS["transfer"], ["eta", "b", "alpha"], {}), (RESULTS["critical batch"], ["tokens", "iterations"], {}),
        (compared, ["eta-T", "b-T"], {}),
        (fit, ["eta", *(f"K={K:g}" for K in np.unique(fit.runs.T))], {"budgets": [96000]}),
    ]  # fmt: skip
    for result, names, options in pictured:
        assert [*result.panels(**options)] == names
        for name in names:
            own = Figure(layout="constrained").subfigures(1, 2)[0].subplots()
            assert result.plot(name, own, **options) is own
            assert own.lines or own.collections
            assert own.get_legend() is None, "that is for who has the axes"
        alone = result.plot(**options)
        labels = {text.get_text() for legend in alone.figure.legends for text in legend.texts}
        assert labels == {*alone.get_legend_handles_labels()[1]}
        assert alone.get_ylabel() == result.plot(names[0], **options).get_ylabel()
        panels = [ax for ax in result.figure(**options).axes if ax.get_title(loc="left")]
        assert len(panels) == min(len(names), 5)  # of a fit's budgets four
        with pytest.raises(ValueError, match=f"no panel of {type(result).__name__} of that name"):
            result.plot("none", **options)


def several(**budgets: Any) -> Any:
    """An optimum at two combinations of constants."""
    return refine(PROXY, "eta", fixed={"b": 3.0, "alpha": 0.1}, constants={"C1": [1.0, 2.0]}, **budgets)


def test_each_combination_of_constants_is_a_curve() -> None:
    found = several(T=[1e6, 1e8, 1e10])
    curves = [line.get_ydata() for line in found.plot("eta").get_lines() if len(line.get_ydata()) == 3]
    np.testing.assert_array_equal(curves, found.at["eta"])


@pytest.mark.parametrize("ask", [
    lambda: hpgrid.exponents("lmo"), lambda: refine("lmo", "eta", T=1e6), lambda: check("lmo", "b ~ T"),
    lambda: grid_search("lmo", GRID, "eta"), lambda: hpgrid.structure("lmo"), lambda: hpgrid.compare(bound="lmo"),
    lambda: hpgrid.tuning_problem("lmo", GRID, hpgrid.Regime(("eta",))), lambda: hpgrid.flatness("lmo", T=1e6),
    lambda: transfer(START, 1e12, bound="lmo"),
])  # fmt: skip
def test_the_name_of_a_bound_is_none(ask: Any) -> None:
    with pytest.raises(ValueError, match=r"a bound is a Proxy\. Given: 'lmo'\. Write hpgrid\.bounds\.lmo\(\)"):
        ask()


@pytest.mark.parametrize(("draw", "words"), [
    (lambda: RESULTS["search"].plot("alpha"), "there is no panel of SearchResult of that name"),
    (lambda: RESULTS["law"].plot("alpha", budgets=[1e3, 1e9]), "there is no panel of Law of that name"),
    (lambda: RESULTS["law"].plot(budgets=[1e3, 1e9]), "needs a value for each of its symbols"),
    (lambda: RESULTS["law"].plot(budgets=[]), "an axis needs two values or more"),
    (lambda: RESULTS["law"].plot(budgets=[-1, 0]), "values must be positive and finite"),
    (lambda: exponents(hpgrid.parse("1/(eta*T)"), "eta").figure(), "there is no whole law to be drawn"),
    (lambda: RESULTS["optimum"].plot("T"), "there is no panel of Optimum of that name"),
    (lambda: grid_search(PROXY, GRID, "eta", fixed={"b": 3.0, "T": 1e6}).plot(), "drawn against its budget"),
    (lambda: transfer(START, START["T"]).figure(), "goes from one budget to another"),
    (lambda: critical_batch(eta=1e-3, beta=0.95, eps=1e-9).plot(), "a curve is of a target that is reached"),
    (lambda: refine(PROXY, "eta", fixed={"b": 3.0, "alpha": 0.1}, T=1e6).plot(), "drawn against several budgets"),
    (lambda: several(T=1e6).plot(), "Given: 'T = 1e\\+06'"),
    (lambda: several(T=[[1e6, 1e8], [1e7, 1e9]]).plot(), "each combination has its own"),
])  # fmt: skip
def test_what_can_not_be_drawn_is_refused(draw: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        draw()


def test_a_checked_claim_is_a_line() -> None:
    (claim,) = check(PROXY, ["b ~ T^1/6"], grid=GRID)
    assert repr(claim) == "Checked('b ~ T^1/6' of lmo: holds)"
