"""What every test shares: a reproducible hypothesis, and a grid small enough for Python loops."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from hpgrid.cli.options import use_compilation_cache

# More than half of the suite's time is XLA's compiler: what one process has compiled serves the others and the next
# run, as it does on the command line. Said before jax loads, which reads it then.
use_compilation_cache()

import jax  # noqa: E402
from jaxtyping import install_import_hook  # noqa: E402

# What tests of commands share says what it saw, as a test does.
pytest.register_assert_rewrite("commands")

# Before anything of theirs is imported: beartype holds the shapes that the annotations promise.
install_import_hook(["hpgrid.curves", "hpgrid.slopes", "hpgrid.refinement.profile"], "shape_checker.checked")

from hpgrid import Grid, LogAxis  # noqa: E402

settings.register_profile("hpgrid", deadline=None, derandomize=True, max_examples=25, database=None)
settings.load_profile("hpgrid")

# A float32 that meets a float64 is an error, not a float64; so is a silent broadcast to a higher rank.
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")


#: Every compiled program maps memory of its own, and Linux gives a process 65530 maps: beyond, XLA crashes.
MANY_MAPS = 20_000


@pytest.fixture(scope="session", autouse=True)
def _wide() -> Iterator[None]:
    """What tests read is whole, however wide the terminal is that they are run on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "1000")
        yield


@pytest.fixture(scope="module", autouse=True)
def _no_more_programs_than_fit() -> Iterator[None]:
    """Forget compiled programs between two files of tests, once there are many."""
    yield
    maps = Path("/proc/self/maps")
    if maps.exists() and maps.read_bytes().count(b"\n") > MANY_MAPS:
        jax.clear_caches()


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
