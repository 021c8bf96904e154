"""What every test shares: a reproducible hypothesis, and a grid small enough for Python loops."""

from __future__ import annotations

import jax
import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

# Before anything of theirs is imported: beartype holds the shapes that the annotations promise.
install_import_hook("hpgrid.reducers", "shape_checker.checked")

from hpgrid import Grid, LogAxis  # noqa: E402

settings.register_profile("hpgrid", deadline=None, derandomize=True, max_examples=25, database=None)
settings.load_profile("hpgrid")

# A float32 that meets a float64 is an error, not a float64; so is a silent broadcast to a higher rank.
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")


@pytest.fixture(params=["T", "K"])
def budget(request: pytest.FixtureRequest) -> str:
    """Both budgets, one after the other."""
    return request.param


@pytest.fixture
def small() -> Grid:
    """A grid with four different sizes, some of whose cells have K = T/b < 1."""
    return Grid(
        eta=LogAxis(1e-5, 1e1, 6),
        b=LogAxis(1.0, 1e6, 5),
        alpha=LogAxis(1e-4, 1.0, 4),
        T=LogAxis(1e2, 1e8, 7),
    )


@pytest.fixture
def small_in(small: Grid, budget: str) -> Grid:
    """The small grid, in either budget."""
    return small if budget == "T" else small.with_axes(K=LogAxis(1e-1, 1e5, 7))
