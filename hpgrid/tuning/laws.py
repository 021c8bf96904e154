"""Exact asymptotics where a bound has them, and why where it has none."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from hpgrid.checks import InputError
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.regime import Regime

if TYPE_CHECKING:
    from hpgrid.asymptotics import Law
    from hpgrid.tuning.question import Question


def exact_law(proxy: Proxy | FunctionProxy, regime: Regime, budget: str) -> tuple[Law | None, str]:
    """Return a bound's exact asymptotics in a regime, or None and why it has none, in a line.

    Args:
        proxy: the bound.
        regime: what is tuned, fixed, on a path, capped.
        budget: "T" or "K".
    """
    from hpgrid.asymptotics import exponents

    try:
        return exponents(proxy, regime=regime, budget=budget), ""
    except InputError as error:
        return None, str(error).split(". Given:")[0]


def law_of(question: Question) -> tuple[Law | None, str]:
    """Return the exact asymptotics of what was asked, or None and why there are none."""
    return exact_law(question.proxy, question.regime, question.budget)


def runs_off_to(question: Question, name: str) -> str:
    """Return where a variable without a best value runs off to, and what would stop it, as far as the law says."""
    law, _ = law_of(question)
    if law is not None and name in law.unbounded:
        direction, cure = law.unbounded[name]
        return f"{'infinity' if direction > 0 else '0'}: {cure} would stop it"
    ends = {"b": "infinity", "alpha": "0", "eta": "0 or infinity"}
    return f"{ends[name]}: only a bound would stop it"


def predicted(law: Law | None) -> dict[str, Fraction]:
    """Return the exponents of the risk and of the tuned variables, as far as there are any."""
    return {} if law is None else {v: exponent for v, exponent in law.exponent.items() if exponent is not None}


def monomials(law: Law | None) -> list[tuple[dict[str, Fraction], Fraction]]:
    """Return what the leading order fixes of several variables at once, where it leaves each open: powers, exponent."""
    found = [] if law is None else law.identifiable
    return [(dict(m.powers), m.exponent) for m in found if len(m.powers) > 1 and 1 in m.powers.values()]
