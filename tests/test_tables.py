"""Tables hold a bound exactly, in numbers, and refuse what their precision can't hold."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from hpgrid import FunctionProxy, Grid, Proxy, Term, bounds
from hpgrid.search.tables import Tables, domain_of, tabulate
from hpgrid.variables import Power

NOWHERE = domain_of({}, {}, {}, None, "b", {})  # a domain that leaves nothing out


def values_of(grid: Grid) -> dict[str, np.ndarray]:
    return {name: axis.values for name, axis in grid.axes.items()}


def evaluate(tables: Tables, axes: dict[str, np.ndarray]) -> np.ndarray:
    """The risk on all axes, from the tables alone."""
    mesh = dict(zip(axes, np.meshgrid(*(np.arange(len(v)) for v in axes.values()), indexing="ij")))

    def product(entry: tuple[Any, list[dict]]) -> np.ndarray:
        coefficient, parts = entry
        return coefficient * math.prod((x[mesh[axis]] for part in parts for axis, x in part.items()), start=1.0)

    total = sum(product(entry) for entry in tables.hoisted.rest)
    for members, factor in zip(tables.hoisted.groups, tables.scanned.groups):
        total = total + sum(product(entry) for entry in members) * factor[mesh[tables.scan]]
    return total


@pytest.mark.parametrize(
    "proxy", [bounds.lmo(C1=3.0, q=0.3), bounds.lmo_exact(L=2.0), bounds.lmo(E0=2.0)], ids=lambda p: p.name
)
@pytest.mark.parametrize("over", [("eta",), ("b",), ("alpha",), ("eta", "b", "alpha")])
def test_tables_add_up_to_the_bound(proxy: Proxy, small_in: Grid, over: tuple[str, ...]) -> None:
    axes = values_of(small_in)
    proxy = proxy.form(small_in.budget)
    tables = tabulate(proxy, axes, {}, NOWHERE, over=over, dtype="float64")
    at = dict(zip(axes, np.meshgrid(*axes.values(), indexing="ij")))
    np.testing.assert_allclose(evaluate(tables, axes), proxy.risk(**at), rtol=2e-15)
    assert {tables.scan, *tables.lines} == set(over)
    assert tables.sizes == {name: len(values) for name, values in axes.items()}


FUNCTION = Proxy((Term({}, {"eta": -1}), Term({}, {"eta": 1, "alpha": "one_minus"})), {})


@pytest.mark.parametrize(("proxy", "fixed"), [(bounds.lmo(), {"b": 33.0, "alpha": 0.07}), (FUNCTION, {})])
def test_fixed_variables_are_folded_in_and_a_function_of_one_variable_is_a_table(small: Grid, proxy, fixed) -> None:
    axes = {v: values for v, values in values_of(small).items() if v in proxy.variables() and v not in fixed}
    tables = tabulate(proxy, axes, fixed, NOWHERE, over=("eta",), dtype="float64")
    at = dict(zip(axes, np.meshgrid(*axes.values(), indexing="ij")))
    np.testing.assert_allclose(evaluate(tables, axes), proxy.risk(**at, **fixed), rtol=2e-15)


@pytest.mark.parametrize(("over", "scan"), [(("eta", "b", "alpha"), "eta"), (("b", "alpha"), "alpha"), (("b",), "b")])
def test_the_scan_runs_along_the_axis_with_the_fewest_factors(small: Grid, over: tuple[str, ...], scan: str) -> None:
    """In eq. (4), eta has the powers -1 and 1, alpha -1 and 1/2, b 1, 1/2 and -1/2."""
    tables = tabulate(bounds.lmo(), values_of(small), {}, NOWHERE, over=over, dtype="float64")
    assert (tables.scan, tables.lines) == (scan, tuple(v for v in over if v != scan))
    assert len(tables.scanned.groups) == (3 if scan == "b" else 2)


def test_a_bound_given_by_a_function_gets_the_axes_themselves(small: Grid) -> None:
    def risk(eta: Any, b: Any, alpha: Any, T: Any, constants: Any) -> Any:
        return constants["C"] * eta + b / T + alpha

    axes = {name: values for name, values in values_of(small).items() if name != "alpha"}
    proxy = FunctionProxy(risk, {"C": 2.0})
    tables = tabulate(proxy, axes, {"alpha": 0.5}, NOWHERE, over=("b",), dtype="float64")
    hoisted = tables.hoisted._replace(point={**tables.hoisted.point, "eta": 0.1, "T": 100.0})
    assert tables.call is not None
    assert tables.call(hoisted, tables.scanned._replace(value=10.0)) == 0.2 + 0.1 + 0.5


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_tables_have_the_precision_that_was_asked_for(small: Grid, dtype: str) -> None:
    tables = tabulate(bounds.lmo(), values_of(small), {}, NOWHERE, over=("eta", "b"), dtype=dtype)
    of_rest = (table for _, parts in tables.hoisted.rest for part in parts for table in part.values())
    arrays = [*tables.scanned.groups, *of_rest]
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}
    assert tables.scanned.index.dtype == np.int32


# --- the domain ---


def axis(*values: float) -> np.ndarray:
    return np.array(values)


AXES = {"eta": axis(0.1, 1.0, 10.0), "b": axis(1.0, 10.0, 100.0), "T": axis(10.0, 50.0, 200.0)}
IN, OUT = 0.0, math.inf


@pytest.mark.parametrize(
    ("axes", "fixed", "caps", "min_K", "path", "penalty"),
    [
        (("eta", "b", "T"), {}, {}, None, None, {}),
        (("eta", "b", "T"), {}, {"eta": 1.0}, None, None, {"eta": [IN, IN, OUT]}),
        (("eta", "b"), {"T": 50.0}, {}, 5.0, None, {"b": [IN, IN, OUT]}),
        (("eta", "T"), {"b": 10.0}, {}, 5.0, None, {"T": [OUT, IN, IN]}),
        (("eta", "T"), {}, {}, 5.0, 0.5, {"T": [OUT, IN, IN]}),
        (("eta", "b"), {"T": 50.0}, {"b": 5.0}, 5.0, None, {"b": [IN, OUT, OUT]}),
        (("K",), {}, {}, 1.0, None, {"K": [OUT, IN, IN]}),
    ],
)
def test_caps_and_min_K_leave_out_values_of_one_axis(axes, fixed, caps, min_K, path, penalty) -> None:
    every = {**AXES, "K": axis(0.5, 1.0, 2.0)}
    domain = domain_of(
        {name: every[name] for name in axes}, fixed, caps, min_K, "b", {} if path is None else {"b": Power("1/2")}
    )
    assert {name: table.tolist() for name, table in domain.penalty.items()} == penalty
    assert domain.limit == {}


def test_min_K_is_a_limit_between_b_and_T_where_both_are_axes() -> None:
    limit = domain_of(AXES, {}, {}, 5.0, "b", {}).limit
    assert {v: x.tolist() for v, x in limit.items()} == {"b": (AXES["b"] * 5.0).tolist(), "T": AXES["T"].tolist()}


# --- the range of the dtype ---


@pytest.mark.parametrize(
    ("exponent", "values", "message"),
    [
        (2, axis(1e10, 1e20), r"overflows float32.*term c\*eta\^2 is 1e\+40 at eta=1e\+20.*float64"),
        (-1, axis(1e20, 1e39), r"falls below.*float32.*term c\*eta\^-1 is 1e-39 at eta=1e\+39"),
    ],
)
def test_a_term_outside_the_range_is_refused_by_name_and_place(exponent: int, values: np.ndarray, message: str) -> None:
    proxy = Proxy((Term({"c": 1}, {"eta": exponent}),), {"c": 1.0})
    with pytest.raises(ValueError, match=message):
        tabulate(proxy, {"eta": values}, {}, NOWHERE, over=("eta",), dtype="float32")
    tabulate(proxy, {"eta": values}, {}, NOWHERE, over=("eta",), dtype="float64")


def test_a_constant_outside_the_range_is_refused_with_the_fixed_values_folded_in() -> None:
    proxy = Proxy((Term({"c": 1}, {"b": 1}), Term({}, {"eta": 1})), {"c": 1e30})
    axes = {"eta": axis(0.1, 1.0)}
    tabulate(proxy, axes, {"b": 1e7}, NOWHERE, over=("eta",), dtype="float32")
    with pytest.raises(ValueError, match=r"overflows float32.*term c\*b is 1e\+40"):
        tabulate(proxy, axes, {"b": 1e10}, NOWHERE, over=("eta",), dtype="float32")


def test_a_factor_may_be_zero_and_values_beyond_a_cap_do_not_count() -> None:
    proxy = Proxy((Term({}, {"eta": 2}), Term({}, {"alpha": "one_minus", "eta": -1})), {})
    axes = {"eta": axis(1e-3, 1.0, 1e30), "alpha": axis(0.5, 1.0)}
    domain = domain_of(axes, {}, {"eta": 1.0}, None, "b", {})
    tabulate(proxy, axes, {}, domain, over=("eta",), dtype="float64")
    with pytest.raises(ValueError, match=r"overflows float64.*Write a smaller grid or other constants\."):
        tabulate(proxy, {**axes, "eta": axis(1.0, 1e200)}, {}, NOWHERE, over=("eta",), dtype="float64")
