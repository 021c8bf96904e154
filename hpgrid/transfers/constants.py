"""The constants of eq. (4), as a person gives them: checked without loading NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from hpgrid.checks import bad, check_constants, unknown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: The two sets of names; a constant that is not given is 1.
BRIEF = ("C1", "C2", "C3")
PROBLEM = ("Delta0", "L", "rho", "sigma")


class Constants(NamedTuple):
    """C1, C2, C3 of eq. (4), each a number or an array of its values. A common factor changes no optimum."""

    C1: float | NDArray[np.float64]
    C2: float | NDArray[np.float64]
    C3: float | NDArray[np.float64]


def read(given: Mapping[str, Any]) -> Constants:
    """Return C1, C2, C3 from some of them, or from Delta0, L, rho, sigma.

    C1 = Delta0, C2 = 2 rho sigma, C3 = 4 L.

    Raises:
        ValueError: a name that is none of them, names of both sets, or a value that is not positive and finite.

    Source: Shulgin et al., the definitions before eq. (3).
    """
    for name in given:
        if name not in BRIEF + PROBLEM:
            raise unknown("constant of eq. (4)", name, BRIEF + PROBLEM)
    values = check_constants(given)
    if values and set(values) <= set(PROBLEM):
        Delta0, L, rho, sigma = (values.get(name, 1.0) for name in PROBLEM)
        return Constants(Delta0, 2 * rho * sigma, 4 * L)
    if set(values) & set(PROBLEM):
        raise bad("give C1, C2, C3 or Delta0, L, rho, sigma, not both", sorted(values), "one set of constants")
    return Constants(*(values.get(name, 1.0) for name in BRIEF))
