"""The optimum with one tuned variable held at many values at once."""

from __future__ import annotations

import numpy as np
import pytest

from hpgrid import bounds, refine
from hpgrid.refinement import refine_along

B = np.array([1.0, 30.0, 1e4])


def test_it_is_the_optimum_at_each_fixed_value() -> None:
    K = np.full(3, 1e6)
    along = refine_along(bounds.lmo(), "b", B, tuned=("eta", "b", "alpha"), K=K)
    for k, b in enumerate(B):
        one = refine(bounds.lmo(), ("eta", "alpha"), fixed={"b": b}, K=1e6)
        assert along.log_risk[k] == pytest.approx(float(one.log_risk), rel=1e-12)
        assert {v: x[k] for v, x in along.at.items()} == pytest.approx({v: float(x) for v, x in one.at.items()})


def test_where_nothing_else_is_tuned_it_is_the_bounds_value() -> None:
    along = refine_along(bounds.lmo(), "b", B, tuned=("b",), fixed={"eta": 1e-3, "alpha": 0.1}, T=np.full(3, 1e8))
    np.testing.assert_allclose(along.risk, bounds.lmo().risk(eta=1e-3, alpha=0.1, b=B, T=1e8), rtol=1e-13)
    assert along.converged.all()


def test_what_is_held_is_one_of_the_tuned() -> None:
    with pytest.raises(ValueError, match="no tuned variable of that name"):
        refine_along(bounds.lmo(), "alpha", 0.1, tuned=("eta", "b"), fixed={"alpha": 0.1}, T=1e8)
