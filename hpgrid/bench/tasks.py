"""What the benchmark times, and whom: the searches R1 to R4, and those who do them. Nothing heavy is imported here."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hpgrid.bench.harness import Ready
    from hpgrid.grid import Grid

HYPERPARAMETERS = ("eta", "b", "alpha")

#: The largest cube of all points, in bytes, that a contender may hold.
CUBE_LIMIT = 2**31


@dataclass(frozen=True)
class Task:
    """A search of the grid of eq. (4).

    Args:
        over: the axes that are minimised away, in canonical order; eta is always the first.
        asks: what it asks for, in words.
    """

    over: tuple[str, ...]
    asks: str

    @property
    def remaining(self) -> tuple[str, ...]:
        """The hyperparameters that stay axes of the answer; T, the last axis, always does."""
        return tuple(name for name in HYPERPARAMETERS if name not in self.over)

    @property
    def order(self) -> tuple[str, ...]:
        """The hyperparameters, those that are minimised away first: a reshape then makes lines of them."""
        return self.over + self.remaining


#: The searches, by name.
TASKS: Mapping[str, Task] = {
    "R1": Task(("eta", "b", "alpha"), "best (eta, b, alpha) for every T"),
    "R2": Task(("eta", "b"), "best (eta, b) for every (alpha, T)"),
    "R3": Task(("eta", "alpha"), "best (eta, alpha) for every (b, T)"),
    "R4": Task(("eta",), "best eta for every (b, alpha, T)"),
}

#: The task beside the searches: many constants, in ``hpgrid.bench.many_constants``.
SWEEP = "sweep"

#: And exact searches of grids too fine for the others, in ``hpgrid.bench.fine_grids``.
FINE = "fine"


@dataclass(frozen=True)
class Contender:
    """A way to do the tasks: eq. (4) with C1 = C2 = C3 = 1, in float64, on the grid of the paper's footnote.

    Args:
        name: its key in the record.
        label: its line in the table.
        function: what makes it ready, from a task's name, a grid and ``arguments``.
        arguments: see there.
        imports: modules to import before its first call is timed.
        package: the package it needs beyond hpgrid's own, or None.
        cube: whether it may hold all points of the grid at once.
        module: the file of ``hpgrid.bench`` that has the function, which imports what it needs.
    """

    name: str
    label: str
    function: str
    arguments: tuple[Any, ...] = ()
    imports: tuple[str, ...] = ()
    package: str | None = None
    cube: bool = False
    module: str = "implementations"

    def load(self, task: str, grid: Grid) -> Ready:
        """Return what is timed."""
        module = importlib.import_module(f"hpgrid.bench.{self.module}")
        return getattr(module, self.function)(task, grid, *self.arguments)


def why_not(contender: Contender, n: int) -> str | None:
    """Return why a contender cannot run at ``n`` values an axis, or None where it can."""
    if contender.package and importlib.util.find_spec(contender.package) is None:
        return f"{contender.package} is not installed"
    if contender.cube and 8 * n**4 > CUBE_LIMIT:
        return f"its cube of all points may take {8 * n**4 / 2**30:.0f} GiB"
    return None


#: The one that the others are held against.
HPGRID = Contender("hpgrid", "hpgrid, brute force", "hpgrid", ("brute",), ("jax.numpy", "hpgrid.search.brute"))

_NUMEXPR: dict[str, Any] = {"imports": ("numexpr",), "package": "numexpr"}

#: In the order of the table, by name.
CONTENDERS: Mapping[str, Contender] = {
    contender.name: contender
    for contender in (
        Contender("numpy_printed", "NumPy, as printed", "by_budget", ("numpy",)),
        Contender("numpy_factored", "NumPy, factored by hand", "by_budget", ("numpy", 0)),
        Contender("numpy_factored_last", "NumPy, factored, eta last", "by_budget", ("numpy", -1)),
        Contender("numexpr", "NumExpr, as printed", "by_budget", ("numexpr",), **_NUMEXPR),
        Contender("numexpr_factored", "NumExpr, factored, eta last", "by_budget", ("numexpr", -1), **_NUMEXPR),
        Contender("vmaps", "JAX, four nested vmaps", "vmaps", imports=("jax.numpy",), cube=True),
        Contender("torch", "PyTorch", "torch_compiled", imports=("torch",), package="torch"),
        Contender(
            "numba", "Numba, with tables", "compiled_loops", imports=("numba",), package="numba", module="with_numba"
        ),
        Contender("hpgrid_exact", "hpgrid, exact", "hpgrid", ("exact",), ("hpgrid.search.brute",)),
        HPGRID,
    )
}
