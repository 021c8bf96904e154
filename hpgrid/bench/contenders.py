"""Who takes part: hpgrid, and what one would write instead. A file per package does the works.

All search eq. (4) with C1 = C2 = C3 = 1, in float64, on the grid of the paper's footnote. Nothing
heavy is imported here: a contender's file is, when it is loaded.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hpgrid.bench.problem import Loaded

#: The largest cube of all points, in bytes, that a contender may hold.
CUBE_LIMIT = 2**31


@dataclass(frozen=True)
class Contender:
    """A way to do the works.

    Args:
        name: its key in the record.
        label: its line in the table.
        load: from a work's name and a grid to what is timed.
        imports: modules to import before its first call is timed.
        package: the package it needs beyond hpgrid's own, or None.
        cube: whether it may hold all points of the grid at once.
    """

    name: str
    label: str
    load: Callable[..., Loaded]
    imports: tuple[str, ...] = ()
    package: str | None = None
    cube: bool = False


def why_not(contender: Contender, n: int) -> str | None:
    """Return why a contender cannot run at ``n`` values an axis, or None where it can."""
    if contender.package and importlib.util.find_spec(contender.package) is None:
        return f"{contender.package} is not installed"
    if contender.cube and 8 * n**4 > CUBE_LIMIT:
        return f"its cube of all points may take {8 * n**4 / 2**30:.0f} GiB"
    return None


def _load(module: str, function: str, *arguments: Any) -> Loaded:
    """Load a contender from its file, which imports what it needs."""
    return getattr(importlib.import_module(f"hpgrid.bench.{module}"), function)(*arguments)


#: The one that the others are held against.
HPGRID = Contender(
    "hpgrid", "hpgrid.grid_search", partial(_load, "with_jax", "load_hpgrid"), ("jax.numpy", "hpgrid.search.brute")
)

#: In the order of the table, by name.
CONTENDERS: Mapping[str, Contender] = {
    contender.name: contender
    for contender in (
        Contender("numpy_printed", "NumPy, as printed", partial(_load, "with_numpy", "load_printed")),
        Contender("numpy_factored", "NumPy, factored by hand", partial(_load, "with_numpy", "load_factored", 0)),
        Contender(
            "numpy_factored_last", "NumPy, factored, eta last", partial(_load, "with_numpy", "load_factored", -1)
        ),
        Contender(
            "numexpr", "NumExpr, as printed", partial(_load, "with_numexpr", "load_printed"), ("numexpr",), "numexpr"
        ),
        Contender(
            "numexpr_factored",
            "NumExpr, factored, eta last",
            partial(_load, "with_numexpr", "load_factored"),
            ("numexpr",),
            "numexpr",
        ),
        Contender(
            "vmaps", "JAX, four nested vmaps", partial(_load, "with_jax", "load_vmaps"), ("jax.numpy",), cube=True
        ),
        Contender("torch", "PyTorch", partial(_load, "with_torch", "load"), ("torch",), "torch"),
        Contender("numba", "Numba, with tables", partial(_load, "with_numba", "load"), ("numba",), "numba"),
        HPGRID,
    )
}
