"""Exact asymptotics of a bound: rational exponents, whole laws, and what decides them."""

from hpgrid.asymptotics.exact import exponents
from hpgrid.asymptotics.law import Identified, Law, Level, Line, PowerLaw, Segment, Unbounded
from hpgrid.asymptotics.paths import decay, segments

__all__ = [
    "Identified",
    "Law",
    "Level",
    "Line",
    "PowerLaw",
    "Segment",
    "Unbounded",
    "decay",
    "exponents",
    "segments",
]
