"""``hpgrid fit``: from a table of training runs to the next setting."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from hpgrid.bounds import BOUNDS
from hpgrid.checks import InputError, bad, check_choice
from hpgrid.cli import options
from hpgrid.cli.options import about
from hpgrid.variables import settings

if TYPE_CHECKING:
    from hpgrid.fits.design import Design
    from hpgrid.fits.fit import Fit
    from hpgrid.fits.model import Model

_VAR = 'A further hyperparameter and its range, "wd > 0" or "0 < alpha2 <= 1", once for each: a column of that name.'
_OTHERS = "The columns of those that have another name: wd=config.weight_decay."

#: A column's name.
_Column = str | None

_EXPONENTS = "free, theory, or exponents in T that are taken as known, such as eta=0,b=1/2."
_PARAMS = "How many parameters the models have, 1.3B say: then Table 1's laws of tokens stand beside the fit."
_MODEL = (
    "Bounds whose constants are fitted, too, beside the surface: eq5, eq4, su, the name of one, a formula, or a TOML "
    "file with bound =, in which exponents with a value keep it."
)
_DESIGN = (
    "Say which runs, so many, would narrow the intervals of the last --predict most; where there is no table yet, lay "
    "out a first sweep --around a guess."
)
_AROUND = "Of a first sweep, in place of a table of runs: a guess of the best setting, eta=3e-3,b=1M,T=1e10."
_DOUBT = "The factor by which the guess may be off, either way."
_CSV = "Write the predictions to a CSV file, or with --design its runs."


def fit_runs(
    runs: Annotated[Path | None, about("A table, CSV or JSON, with a row for each training run.")] = None,
    *,
    predict: Annotated[options.Names, about("Budgets to choose for, T=1e11 or 1e11.")] = None,
    eta: Annotated[_Column, about("The column of the learning rate; usual names are known.")] = None,
    b: Annotated[_Column, about("The column of the batch size.")] = None,
    T: Annotated[_Column, about("The column of the tokens of a run.", name="--T")] = None,
    K: Annotated[_Column, about("The column of its iterations, in place of --T or of --b.", name="--K")] = None,
    loss: Annotated[_Column, about("The column of the loss.")] = None,
    alpha: Annotated[_Column, about("The column of 1 - beta, where momentum was tuned.")] = None,
    beta: Annotated[_Column, about("The column of beta, in its place.")] = None,
    var: Annotated[list[str] | None, about(_VAR, name="--var")] = None,
    others: Annotated[options.Names, about(_OTHERS)] = None,
    where: Annotated[options.Names, about("Only these runs: optimizer=muon, say.")] = None,
    ignore: Annotated[options.Names, about("Columns that vary among the runs, and may.")] = None,
    by: Annotated[_Column, about("A column: a fit for each of its values.")] = None,
    hold: options.Hold = None,
    seq_len: Annotated[int | None, options.in_sequences("batch sizes are")] = None,
    b_unit: options.BUnit = None,
    max_b: Annotated[float | None, options.Sized(help="The largest batch size.")] = None,
    max_eta: Annotated[float | None, about("The largest learning rate.")] = None,
    round_b: Annotated[str | None, about("pow2, int, or a number of which b becomes a multiple.")] = None,
    schedule: options.Schedule = None,
    exponents: Annotated[options.Names, about(_EXPONENTS)] = None,
    params: Annotated[float | None, options.Sized(help=_PARAMS)] = None,
    model: Annotated[list[str] | None, about(_MODEL)] = None,
    unit: options.Unit = 1.0,
    design: Annotated[int | None, about(_DESIGN, converter=options.whole(1, 1000, example=12))] = None,
    around: Annotated[options.Names, about(_AROUND)] = None,
    doubt: Annotated[float, about(_DOUBT)] = 4.0,
    within: Annotated[
        float | None, options.Sized(help="The tokens that the runs of --design may take together.")
    ] = None,
    level: Annotated[float, about("How sure the intervals are.")] = 0.8,
    seed: Annotated[int, about("Of the posterior's draws.", converter=options.whole(0, example=1))] = 0,
    details: options.Details = False,
    csv: Annotated[Path | None, about(_CSV)] = None,
    plot: Annotated[Path | None, about("Draw runs, surface and prediction: NAME.png, .pdf or .svg.")] = None,
    json_: options.Json = False,
) -> int:
    """Say what learning rate and batch size to set at another token budget, by the runs that one has.

    A surface of the loss is fitted in the logs; of its exponents in T a weak prior speaks where the runs say little.
    """
    limits = {"max_b": max_b, "max_eta": max_eta, "round_b": round_b, "seq_len": seq_len}
    options.check_picture(plot, "the picture is written to a file", "fit.png")
    options.check_file(csv, "what is set is written to a file", "fit.csv")
    if runs is None or around:
        if runs is not None or plot is not None:
            raise bad(
                "a first sweep is laid out where there are no runs", f"--around and {runs or plot}", "one of them"
            )
        of_a_table = {
            "--predict": predict, "--where": where, "--ignore": ignore, "--by": by, "--hold": hold, "--model": model,
            "--var": var, "--others": others, "--exponents": exponents,
        }  # fmt: skip
        if around and (told := [option for option, given in of_a_table.items() if given]):
            raise bad(
                f"{told[0]} is of a table of runs",
                "--around, and none",
                f"no {told[0]}, or the path of one, and no --around",
            )
        return _first_sweep(design, around, doubt, limits, within, csv, as_json=json_)
    budgets, named = _budgets(predict), [name for name in model or () if name != "surface"]
    if by is not None and plot is not None:
        raise bad("a picture is of one fit", f"--by {by}", f"--where {by}=... in its place")
    # A file has its own variables, as a published bound has; what is none is refused before NumPy loads.
    bounds = {
        name: name
        if name in ("eq4", "eq5", "su")
        else options.chosen(name, None, var=None if name in BOUNDS or name.endswith(".toml") else var, valued=False)
        for name in named
    }
    asked: dict[str, Any] = {
        **{"eta": eta, "b": b, "T": T, "K": K, "loss": loss, "alpha": alpha, "beta": beta},
        **limits,
        "where": options.pairs("--where", where, lambda _, text: text, "optimizer=muon"),
        "ignore": options.names(ignore),
        "hold": options.names(hold),
        "var": var or (),
        "others": options.pairs("--others", others, lambda _, text: text, "wd=weight_decay"),
        "b_unit": options.unit_of_b(b_unit),
        "schedule": options.schedule_of(schedule),
        "exponents": _exponents(exponents),
        "params": params,
        "unit": unit or None,
        "level": level,
        "seed": seed,
    }

    from hpgrid.fits import report
    from hpgrid.fits.fit import fit, fits_by

    fits: dict[str, Fit] = {}
    plans: dict[str, Design] = {}
    models: dict[str, dict[str, Model]] = {}
    refused: dict[str, str] = {}
    with options.as_options():
        found = {"": fit(runs, **asked)} if by is None else fits_by(runs, by, **asked)
    for value, each in found.items():
        try:
            with options.as_options():
                if isinstance(each, InputError):
                    raise each
                plan, own = _beside(each, predict or (), budgets, design, within, bounds)
        except InputError as error:
            if by is None:
                raise
            refused[value] = str(error)
            continue
        fits[value], models[value] = each, own
        plans |= {value: plan} if plan else {}
    if not fits:
        value, why = next(iter(refused.items()))
        raise InputError(f"{by} = {value}: {why}")
    if csv is not None:
        from hpgrid.record import write_table

        rows = report.runs_of(plans) if plans else report.predictions(fits, budgets)
        write_table(csv, report.table(rows, by))
    if plot is not None:
        options.write_picture(fits[""].figure(budgets=budgets), plot)
    if json_:
        answers = {v: report.as_dict(each, budgets, models.get(v), plans.get(v)) for v, each in fits.items()}
        options.print_json("fit", answers[""] if by is None else {"by": by, "fits": answers, "refused": refused})
        return 0
    if by is None:
        report.answer(fits[""], budgets, details, models.get(""), plans.get("")).show(details)
    else:
        report.answer_by(by, fits, refused, budgets, models, plans).show(details)
    return 0


def _beside(
    fitted: "Fit",
    predict: Sequence[str],
    budgets: list[float],
    count: int | None,
    within: float | None,
    bounds: Mapping[str, Any],
) -> "tuple[Design | None, dict[str, Model]]":
    """The runs to do next and the bounds that were asked for, of a fit that has an answer for all budgets."""
    if "K=" in ",".join(predict) and fitted.runs.counted == "tokens":
        raise bad("runs that count tokens are predicted for tokens", ", ".join(predict), "--predict T=1e11, say")
    fitted.predict(min(budgets))
    plan, models = None, {}
    if count is not None:
        from hpgrid.fits.design import design

        plan = design(fitted, count, budgets[-1], within)
    if bounds:
        from hpgrid.fits.model import model_of

        models = {name: model_of(fitted, own) for name, own in bounds.items()}
    return plan, models


def _first_sweep(
    count: int | None,
    around: options.Names,
    doubt: float,
    limits: Mapping[str, Any],
    within: float | None,
    csv: Path | None,
    *,
    as_json: bool,
) -> int:
    """Lay out the runs to begin with, around a guess."""
    guess = settings(options.pairs("--around", around, options.number, "eta=3e-3,b=1M,T=1e10"))
    if not guess:
        raise bad("a fit has a table of runs", "none", "the path of one, or --design 25 --around eta=3e-3,b=1M,T=1e10")
    if count is None:
        raise bad("a first sweep has a number of runs", "no --design", "--design 25, say")

    from hpgrid.fits import report
    from hpgrid.fits.design import first_sweep
    from hpgrid.record import write_table
    from hpgrid.text import to_width
    from hpgrid.transfers.start import limits_of

    with options.as_options():
        plan = first_sweep(count, guess, doubt, limits_of(**limits), within)
    if csv is not None:
        write_table(csv, report.table(report.runs_of({"": plan}), None))
    if as_json:
        options.print_json("fit", {"design": plan.as_dict()})
    else:
        print(to_width(plan.lines()))
    return 0


def _budgets(predict: options.Names) -> list[float]:
    """The budgets to choose for: T=1e11, K=1e5, or the number alone."""
    found = []
    for each in options.names(predict):
        name, _, text = each.rpartition("=")
        if name:
            check_choice("budget", name, ("T", "K"))
        found.append(options.number(name or "T", text))
    if not found:
        raise bad("a fit chooses for a budget", "no --predict", "--predict T=1e11, say")
    return found


def _exponents(given: options.Names) -> str | dict[str, float]:
    """How the exponents in T are found: "free", "theory", or those that are known."""
    words = options.names(given)
    if len(words) <= 1 and "=" not in "".join(words):
        return check_choice("way to find exponents", words[0] if words else "free", ("free", "theory"))
    return options.pairs("--exponents", given, options.number, "eta=0,b=1/2")
