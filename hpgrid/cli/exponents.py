"""``hpgrid exponents``: how a bound's optimum scales, exactly."""

from typing import Annotated

from hpgrid.checks import bad
from hpgrid.cli import options
from hpgrid.cli.options import about


def print_exponents(
    bound: options.Named = None,
    /,
    *,
    written: options.Written = None,
    domain: options.Domain = None,
    above: options.Above = None,
    var: options.Var = None,
    tune: options.Tuned = None,
    fix: options.Fix = None,
    path: options.Follow = None,
    cap: options.Cap = None,
    floor: options.Floor = None,
    set_: options.Set = None,
    budget: options.Counted = None,
    details: options.Details = False,
    json_: options.Json = False,
    latex: Annotated[bool, about("Print the laws as LaTeX.")] = False,
) -> int:
    """Say how the best hyperparameters and the risk scale with the budget: exact exponents, whole laws."""
    if json_ and latex:
        raise bad("the answer has one form", "--json --latex", "one of the two")
    chosen = options.chosen(bound, set_, written, domain, var, floor, above, cap)
    counted = options.budget_of(budget, chosen)
    regime = options.regime(tune, fix, path, cap, counted, space=chosen.space)
    regime.check_tuned()
    proxy = chosen.build(counted)
    from hpgrid.asymptotics import exponents

    law = exponents(proxy, regime=regime)
    if latex:
        print(law.latex())
        return 0
    return options.say("exponents", law, json_, details)
