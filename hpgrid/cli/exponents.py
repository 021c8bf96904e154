"""``hpgrid exponents``: how a bound's optimum scales, exactly."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from hpgrid.checks import bad, check_choice
from hpgrid.cli import options
from hpgrid.cli.options import Cap, Fix, Follow, Json, Named, Set, Tuned, Written, chosen, roles_of, say
from hpgrid.regime import Regime


def print_exponents(
    bound: Named = None,
    /,
    *,
    written: Written = None,
    tune: Tuned = None,
    fix: Fix = None,
    path: Follow = None,
    cap: Cap = None,
    set_: Set = None,
    budget: Annotated[str, Parameter(help="T for tokens, K for iterations.")] = "T",
    json_: Json = False,
    latex: Annotated[bool, Parameter(negative="", help="Print the laws as LaTeX.")] = False,
) -> int:
    """Say how the best eta, b, alpha and the risk scale with the budget: exact exponents, whole laws."""
    check_choice("budget", budget, ("T", "K"))
    if json_ and latex:
        raise bad("the answer has one form", "--json --latex", "one of the two")
    regime = Regime(options.names(tune), **roles_of(fix, path, cap, budget))
    regime.check_tuned()  # before the bound is read
    proxy = chosen(bound, set_, written).build(budget)
    from hpgrid.asymptotics import exponents

    law = exponents(proxy, regime=regime)
    if latex:
        print(law.latex())
        return 0
    return say(law, json_)
