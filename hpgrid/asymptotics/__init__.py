"""Exact asymptotics of a bound: rational exponents, whole laws, and what decides them."""

from hpgrid.asymptotics.exact import decay, exponents, segments
from hpgrid.asymptotics.law import Identified, Law, Level, Line, PowerLaw, Segment, Unbounded

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
