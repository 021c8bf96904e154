"""Curves of an optimum against the budget, and where their burn-in ends."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from hpgrid.curves import argmin_curve, burn_in_end


@pytest.mark.parametrize(
    ("index", "bound", "end"),
    [
        ([0, 0, 0, 2, 3, 5], 0, 3),
        ([0, 0, 1, 1, 2, 3], 0, 4),  # one step off is not yet off
        ([0, 2, 3, 1, 4, 5], 0, 4),  # it comes back: only the last departure counts
        ([4, 0, 3, 0, 9], 0, 4),
        ([5, 6, 7], 0, 0),
        ([0, 0, 0], 0, 3),
        ([9, 9, 8, 7, 6], 9, 3),  # alpha = 1 is the axis' last value
        ([9, 7, 9, 8, 5, 4], 9, 4),
        ([], 0, 0),
    ],
)
def test_burn_in_ends_when_the_argmin_is_more_than_a_step_off_for_good(index: list, bound: int, end: int) -> None:
    assert burn_in_end(np.array(index, int), bound) == end


def found(**changes: object) -> SimpleNamespace:
    """What a search over eta, b and alpha might return for four budgets."""
    index = {"eta": [3, 3, 2, 1], "b": [0, 0, 2, 3], "alpha": [4, 3, 1, 0]}
    values = {name: np.geomspace(1.0, 16.0, 5) for name in index}
    fields = {
        "axes": {"T": np.array([1e2, 1e3, 1e4, 1e5])},
        "values": values,
        "index": {name: np.array(places) for name, places in index.items()},
        "at": {name: values[name][places] for name, places in index.items()},
        "edge": {name: np.isin(places, [0, 4]) for name, places in index.items()},
    }
    return SimpleNamespace(**(fields | changes))


@pytest.mark.parametrize(("name", "burn_in"), [("b", 2), ("alpha", 2), ("eta", 0)])
def test_a_curve_is_the_best_value_with_its_edges_and_its_burn_in(name: str, burn_in: int) -> None:
    result = found()
    curve = argmin_curve(result, name)
    assert (curve.name, curve.burn_in) == (name, burn_in)
    assert curve.budget is result.axes["T"]
    np.testing.assert_array_equal(curve.value, result.at[name])
    np.testing.assert_array_equal(curve.edge, result.edge[name])


@pytest.mark.parametrize(
    ("result", "name"),
    [
        (found(axes={"b": np.ones(2), "T": np.ones(2)}), "eta"),
        (found(axes={}), "eta"),
        (found(), "K"),
    ],
    ids=["two axes remain", "none remains", "not reduced"],
)
def test_a_curve_has_one_axis_and_a_reduced_one(result: SimpleNamespace, name: str) -> None:
    with pytest.raises(ValueError, match="one remaining axis and a reduced one"):
        argmin_curve(result, name)
