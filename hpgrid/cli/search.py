"""``hpgrid search``: a bound's grid search, refined optimum and slopes; what to set; what reaches a risk."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from hpgrid.checks import DTYPES, GRID_METHODS, bad, check_choice
from hpgrid.cli import options
from hpgrid.cli.options import about
from hpgrid.config import BoundConfig
from hpgrid.progress import asking, progress
from hpgrid.variables import check_value


def search_bound(
    bound: options.Named = None,
    /,
    *,
    over: Annotated[options.Names, about("What is tuned, such as eta,b.", name=["--over", "--tune"])] = None,
    fix: options.Fix = None,
    path: options.Follow = None,
    cap: options.Cap = None,
    floor: options.Floor = None,
    set_: options.Set = None,
    written: options.Written = None,
    domain: options.Domain = None,
    above: options.Above = None,
    var: options.Var = None,
    budget: options.Budget = None,
    grid: options.Preset = "footnote",
    n: options.Points = 100,
    axis: options.Axes = None,
    min_K: Annotated[float | None, options.Sized(name="--min-K", help="The fewest iterations T/b of a cell.")] = None,
    window: Annotated[
        str | None, about("Budgets that slopes are fitted over, LO:HI; from the end of burn-in by default.")
    ] = None,
    dtype: options.Dtype = "float64",
    method: Annotated[
        str, about("auto; exact leaves out cells that the bound's structure rules out; brute compares all.")
    ] = "auto",
    explain: Annotated[
        bool, about("Say for which axes the bound is submodular, by which signs, and search nothing.")
    ] = False,
    T: Annotated[options.Names, about("Say what to set at so many tokens: 1B,10B.", name="--T")] = None,
    K: Annotated[options.Names, about("Say what to set at so many iterations.", name="--K")] = None,
    at: Annotated[options.Names, about("Say what to set at a budget that the bound declares: R=1e6.")] = None,
    risk: Annotated[float | None, about("Say how few tokens, or iterations, reach this risk.")] = None,
    max_K: Annotated[
        float | None,
        options.Sized(name="--max-K", help="With --risk: at most this many iterations, and what they cost."),
    ] = None,
    csv: Annotated[Path | None, about("Write every budget to this file as a flat table.")] = None,
    netcdf: Annotated[Path | None, about("Write the whole survey to this netCDF file.")] = None,
    yes: options.Yes = False,
    details: options.Details = False,
    json_: options.Json = False,
) -> int:
    """Search a bound's best hyperparameters at every budget: on a grid, refined, and how they scale.

    With --T or --K, what to set there; with --risk, the fewest tokens or iterations that reach it.
    """
    files = {option: file for option, file in (("--csv", csv), ("--netcdf", netcdf)) if file is not None}
    _check_questions({"--T": T, "--K": K, "--at": at, "--risk": risk}, max_K, files)
    # Here, too: a target is found without a search, which would ask.
    check_choice("dtype", dtype, DTYPES)
    check_choice("method", method, GRID_METHODS)
    fitted = None
    if window is not None:
        lo, _, hi = window.partition(":")
        say = "--window 1e12:1e22"
        fitted = options.number("the window's start", lo, True, say), options.number("the window's end", hi, True, say)
        if not 0 < fitted[0] < fitted[1]:
            raise bad("a window is two budgets, the smaller one first", window, f"{say}, say")
    chosen = options.chosen(bound, set_, written, domain, var, floor, above, cap)
    counted, values = _budget(budget, chosen, {"T": T, "K": K}, at)
    regime = options.regime(over, fix, path, cap, counted, min_K, chosen.space)
    axes = options.grid_config(grid, n, axis, counted, chosen.space).build()
    from hpgrid.tuning.problem import tuning_problem

    if explain:
        from hpgrid.search.structure import structure

        return options.say("search", structure(chosen.build(counted)), json_)
    problem = tuning_problem(chosen.build(axes.budget), axes, regime, dtype=dtype, method=method)
    # Last of all checks: it makes folders.
    for file, example in ((csv, "best.csv"), (netcdf, "best.nc")):
        options.check_file(file, "a survey is written to a file", example)
    options.use_compilation_cache()
    if risk is not None:
        from hpgrid.tuning.target import reach

        return options.say("search", reach(problem, risk, max_K=max_K), json_, details)
    if values:
        from hpgrid.tuning.advice import Several, advise

        with asking(yes), progress("refining", len(values)) as advance:
            answers = []
            for value in values:
                answers.append(advise(problem, value))
                advance()
        return options.say("search", answers[0] if len(answers) == 1 else Several(tuple(answers)), json_, details)
    from hpgrid.tuning.survey import survey, write_csv, write_netcdf

    with asking(yes), progress("searching", None):
        found = survey(problem, fitted)
    for option, file in files.items():
        (write_csv if option == "--csv" else write_netcdf)(found, file)
    options.say("search", found, json_, details)
    if files and not json_:
        print("", *files.values(), sep="\n")
    return 0


def _budget(
    budget: str | None, bound: BoundConfig, given: Mapping[str, options.Names], at: options.Names
) -> tuple[str, list[float]]:
    """The budget, as --budget says or the option that gives its values, and those."""
    texts = [(name, text) for name, listed in given.items() for text in options.names(listed)]
    for each in options.names(at):
        name, equals, text = (part.strip() for part in each.partition("="))
        # R=1e6,1e7: what has no name is the last one's.
        texts.append((name, text) if equals else (texts[-1][0] if texts else "", name))
    for name, _ in texts:
        check_choice("budget", name, bound.space.budget_names)
    if not texts:
        return options.budget_of(budget, bound), []
    implied = texts[0][0]
    if budget not in (None, implied):
        raise bad(f"--{implied} is a budget of {implied}", f"--budget {budget}", f"--budget {implied}, or none")
    if other := next((name for name, _ in texts if name != implied), None):
        raise bad("advice is for one kind of budget", f"{implied} and {other}", "one of the two")
    return implied, [bound.space.given(implied, options.number(f"--{implied}", text, True)) for _, text in texts]


def _check_questions(asked: Mapping[str, Any], max_K: float | None, files: Mapping[str, Path]) -> None:
    """Refuse several questions at once, and files or a cap that belong to another one."""
    there = {option: value for option, value in asked.items() if value is not None}
    budgets = [f"{option} {','.join(value)}" for option, value in there.items() if option != "--risk"]
    if len(budgets) > 1:
        raise bad("advice is for tokens or for iterations", " ".join(budgets), "one of the two")
    if len(there) > 1:
        raise bad("a search answers one question at a time", " ".join(there), "one of them")
    risk = there.get("--risk")
    if isinstance(risk, float) and not 0 < risk < float("inf"):
        raise bad("a risk to reach is positive and finite", risk, "--risk 0.01, say")
    if max_K is not None:
        if "--risk" not in there:
            raise bad("a cap on iterations goes with a risk to reach", f"--max-K {max_K:g}", "--risk 0.01 beside it")
        check_value("K", max_K)
    if there and files:
        raise bad(f"{' and '.join(files)} takes the whole survey", " ".join(there), "one without the other")
