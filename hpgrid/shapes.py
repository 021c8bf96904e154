"""Array types with shapes, for annotations: ``Float[Array, "n"]``.

jaxtyping costs a tenth of a second to import, and annotations are not evaluated when hpgrid runs: so
it is loaded for type checkers, and where it is loaded already, as the tests do to have beartype hold
every shape.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING or "jaxtyping" in sys.modules:
    from jaxtyping import Bool, Float, Int
else:
    Bool = Float = Int = None

Array = np.ndarray

__all__ = ["Array", "Bool", "Float", "Int"]
