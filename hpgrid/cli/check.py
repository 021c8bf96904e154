"""``hpgrid check``: what a person states of a bound, held against it by all routes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from hpgrid.checks import bad
from hpgrid.cli import options
from hpgrid.cli.options import about
from hpgrid.progress import progress
from hpgrid.regime import Regime
from hpgrid.statements.language import parse
from hpgrid.variables import STANDARD

_FIT = (
    "A table of training runs, CSV or JSON, in place of a bound: the claims are held against the exponents of their "
    "optimum, and without a claim the laws of the theorems and of Table 1 are."
)


def check_stated(
    bound: options.Named = None,
    /,
    *,
    claim: Annotated[
        list[str] | None,
        about(
            'What is stated, once for each claim, such as "b ~ T^1/2" or "eta ~ b T^-3/4 @ fixed b": '
            "after ^ one rational number; = in place of ~ with a constant."
        ),
    ] = None,
    written: options.Written = None,
    domain: options.Domain = None,
    var: options.Var = None,
    tune: Annotated[list[str] | None, about("What is tuned, such as eta,b; all that nothing holds.")] = None,
    fix: options.Fix = None,
    path: options.Follow = None,
    cap: options.Cap = None,
    floor: options.Floor = None,
    set_: options.Set = None,
    budget: options.Counted = None,
    fit: Annotated[Path | None, about(_FIT)] = None,
    runs: options.OfRuns = options.AS_USUAL,
    seq_len: options.SeqLen = None,
    schedule: options.Schedule = None,
    details: options.Details = False,
    json_: options.Json = False,
    strict: Annotated[bool, about("Exit with 1 when a claim fails.")] = False,
) -> int:
    """Say of stated scaling laws whether they hold, fail, or can't be told, by all routes, with the numbers."""
    read = runs.read(fit, seq_len, var if fit is not None else None)
    if fit is not None:
        of_a_bound = {
            "BOUND": bound, "--bound": written, "--domain": domain, "--tune": tune, "--fix": fix, "--path": path,
            "--cap": cap, "--floor": floor, "--set": set_, "--budget": budget,
        }  # fmt: skip
        if given := [option for option, told in of_a_bound.items() if told]:
            rule = "a claim is held against a bound or against the runs of --fit"
            raise bad(rule, f"--fit {fit} and {given[0]}", "one of them; of runs a claim says what is tuned and held")
        return _check_runs(fit, claim or (), {**read, "schedule": options.schedule_of(schedule)}, json_, strict)
    if schedule is not None:
        raise bad("--schedule is of the runs of --fit", "no --fit", "--fit runs.csv, too")
    if not claim:
        raise bad("a check needs a claim", "none", '--claim "b ~ T^1/2", say')
    chosen = options.chosen(bound, set_, written, domain, var, floor, cap=cap)
    counted, space = options.budget_of(budget, chosen), chosen.space
    statements = [parse(one, space) for one in claim]
    tuned = Regime(options.names(tune), space=space).tuned
    roles = options.roles_of(fix, path, cap, counted, space)
    proxy = chosen.build(counted)
    from hpgrid.statements.check import check

    options.use_compilation_cache()
    with progress("checking", len(statements)) as advance:
        found = check(proxy, statements, tuned=tuned or None, advance=advance, **roles)
    from hpgrid.readings import FAILS
    from hpgrid.statements import report

    if json_:
        options.print_json("check", report.as_dict(found))
    else:
        report.answer(found).show(details)
    return int(strict and any(one.verdict == FAILS for one in found))


def _check_runs(runs: Path, claims_: Sequence[str], read: dict[str, Any], as_json: bool, strict: bool) -> int:
    """Say of laws whether a person's own runs agree with them."""
    from hpgrid.formula.declared import declared

    space = declared(read["var"]) if read["var"] else STANDARD
    statements = [parse(one, space) for one in claims_]  # before NumPy loads

    from hpgrid.fits import claims
    from hpgrid.fits.fit import fit
    from hpgrid.text import to_width

    fitted = fit(runs, **read)
    found = claims.check_runs(fitted, statements)
    if as_json:
        options.print_json("check", {"laws": claims.as_dict(found, fitted.runs.schedule)})
    else:
        print(to_width(claims.lines(found, fitted)))
    return int(strict and any(one.verdict == "differs" for one in found))
