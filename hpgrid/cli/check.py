"""``hpgrid check``: what a person states of a bound, held against it by all routes."""

from __future__ import annotations

import json
from typing import Annotated

from cyclopts import Parameter

from hpgrid.checks import bad, check_choice
from hpgrid.cli import options
from hpgrid.progress import progress
from hpgrid.regime import Regime
from hpgrid.statements.language import parse


def check_stated(
    bound: options.Named = None,
    /,
    *,
    claim: Annotated[
        list[str] | None,
        Parameter(
            help='What is stated, once for each claim, such as "b ~ T^1/2" or "eta ~ b T^-3/4 @ fixed b": '
            "after ^ one rational number; = in place of ~ with a constant.",
        ),
    ] = None,
    written: options.Written = None,
    domain: options.Domain = None,
    tune: Annotated[list[str] | None, Parameter(help="What is tuned, such as eta,b; all that nothing holds.")] = None,
    fix: options.Fix = None,
    path: options.Follow = None,
    cap: options.Cap = None,
    set_: options.Set = None,
    budget: Annotated[str, Parameter(help="T for tokens, K for iterations.")] = "T",
    json_: options.Json = False,
    strict: Annotated[bool, Parameter(help="Exit with 1 when a claim fails.")] = False,
) -> int:
    """Say of stated scaling laws whether they hold, fail, or can't be told, by all routes, with the numbers."""
    statements = [parse(one) for one in claim or ()]
    if not statements:
        raise bad("a check needs a claim", "none", '--claim "b ~ T^1/2", say')
    check_choice("budget", budget, ("T", "K"))
    tuned = Regime(options.names(tune)).tuned
    roles = options.roles_of(fix, path, cap, budget)
    proxy = options.chosen(bound, set_, written, domain).build(budget)
    from hpgrid.statements.check import check

    options.use_compilation_cache()
    with progress("checking", len(statements)) as advance:
        found = check(proxy, statements, tuned=tuned or None, advance=advance, **roles)
    from hpgrid.readings import FAILS
    from hpgrid.statements import report

    print(json.dumps(report.as_dict(found), indent=2, allow_nan=False) if json_ else report.text(found))
    return int(strict and any(one.verdict == FAILS for one in found))
