"""``hpgrid exponents``: how a bound's optimum scales, exactly."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from hpgrid.checks import bad, check_choice
from hpgrid.cli import given
from hpgrid.cli.bound import Named, Set, Written, chosen
from hpgrid.cli.question import Cap, Fix, Follow, roles_of

if TYPE_CHECKING:
    from hpgrid.proxy import FunctionProxy, Proxy


def print_exponents(
    bound: Named = None,
    /,
    *,
    written: Written = None,
    tune: Annotated[list[str] | None, Parameter(negative="", help="What is tuned, such as eta,b,alpha.")] = None,
    fix: Fix = None,
    path: Follow = None,
    cap: Cap = None,
    set_: Set = None,
    budget: Annotated[str, Parameter(help="T for tokens, K for iterations.")] = "T",
    json_: Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")] = False,
    latex: Annotated[bool, Parameter(negative="", help="Print the laws as LaTeX.")] = False,
) -> int:
    """Say how the best eta, b, alpha and the risk scale with the budget: exact exponents, whole laws."""
    check_choice("budget", budget, ("T", "K"))
    tuned = given.hyperparameters(tune)
    if not tuned:
        raise bad("exponents need something that is tuned", "nothing", "--tune eta,b,alpha, say")
    if json_ and latex:
        raise bad("the answer has one form", "--json --latex", "one of the two")
    roles = roles_of(fix, path, cap, budget)
    proxy = chosen(bound, set_, written).build(budget)
    return _say(proxy, tuned, roles, "json" if json_ else "latex" if latex else "text")


def _say(proxy: Proxy | FunctionProxy, tuned: tuple[str, ...], roles: Mapping[str, Any], form: str) -> int:
    """Solve, and print in one form."""
    from hpgrid import asymptotics

    law = asymptotics.exponents(proxy, tuned, **roles)
    if form == "json":
        print(json.dumps(law.as_dict(), indent=2, allow_nan=False))
    else:
        print(law.latex() if form == "latex" else law.text())
    return 0
