"""The laws that the literature states for the revised Frank-Wolfe gap of Cesista, under a token budget."""

from __future__ import annotations

from fractions import Fraction

#: Powers of T at a fixed momentum.
FIXED_MOMENTUM = {"b": Fraction(1, 2), "eta": Fraction(-1, 4)}

#: Powers of T at a fixed batch size, and of that batch size.
FIXED_BATCH = {"alpha": Fraction(-1, 2), "eta": Fraction(-3, 4)}
IN_BATCH = {"alpha": Fraction(1, 2), "eta": Fraction(3, 4)}
