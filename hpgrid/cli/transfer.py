"""``hpgrid transfer``: hyperparameters from one token budget to another."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from hpgrid.checks import bad
from hpgrid.cli import options
from hpgrid.transfers.start import OPTIMIZERS, REGIMES, TUNED, check, said
from hpgrid.variables import STANDARD, settings

if TYPE_CHECKING:
    from hpgrid.fits.fit import Fit

_CONSTANTS = "C1=1,C2=30,C3=4"
_START = "eta=3e-4,b=524288,beta=0.95,T=2.5e9"
_EXAMPLES = dict(pair.split("=") for pair in f"{_START},{_CONSTANTS},alpha=0.05,beta2=0.98".split(","))

#: What each regime tunes, in words.
_TUNED = ", ".join(
    f"{name} {'all' if len(tuned) == 3 else ' and '.join(map(said, tuned))}" for name, tuned in TUNED.items()
)

#: An option of NAME=VALUE pairs, between commas or spaces.
_Pairs = partial(Parameter, consume_multiple=True)

_FROM = (
    f"What was tuned, at which budget: {_START}, say, of eta, b, beta or alpha = 1 - beta, beta2, and T; of --bound "
    "what it declares. "
    "b is in tokens; with --seq-len in sequences. Groups of parameters of one run by their names, "
    "once each: --from muon:eta=0.02,beta=0.95 --from adamw:eta=3e-4,beta1=0.9 --from b=524288,T=2.5e9."
)
_MAX_B = (
    "The largest batch size. Caps are taken to have held at the old budget, too: a start on one is on a bound, "
    "and no optimum."
)
_BOUND = (
    "Any bound with exact laws in place of eq. (4): its name, a formula, or a TOML file with bound = and [constants]."
)
_SET = (
    f"The bound's constants, to say what each choice costs: eq. (4)'s {_CONSTANTS}, or Delta0, L, rho, sigma; "
    "of --bound its own, and its options."
)
_FIT = (
    "In place of --from, a table of training runs, CSV or JSON: the start is the fitted optimum of its largest budget, "
    "the regime what varied; constants are fitted (with --from beta=0.95), and the surface says what rows cost."
)
_CALIBRATE = "In place of --set, find them: those for which the start is the best of what was tuned."


def print_transfer(
    *,
    from_: Annotated[list[str] | None, _Pairs(name="--from", help=_FROM)] = None,
    to: Annotated[
        list[str] | None, _Pairs(help="The new budget, T=1e12 or 1e12; beside it what is given there, H=64, say.")
    ] = None,
    regime: Annotated[
        str, Parameter(help=f"What was tuned: {', '.join(REGIMES)}; {_TUNED}. Or its names: eta,H.")
    ] = "auto",
    to_b: Annotated[float | None, options.Sized(help="The batch size there, where it is given.")] = None,
    max_b: Annotated[float | None, options.Sized(help=_MAX_B)] = None,
    max_eta: Annotated[float | None, Parameter(help="The largest learning rate, a cap as --max-b is.")] = None,
    round_b: Annotated[str | None, Parameter(help="pow2, int, or a number of which b becomes a multiple.")] = None,
    seq_len: Annotated[int | None, options.in_sequences("b, --to-b, --max-b and --round-b are")] = None,
    optimizer: Annotated[str, Parameter(help=f"{' or '.join(OPTIMIZERS)}.")] = "lmo",
    bound: Annotated[str | None, Parameter(help=_BOUND)] = None,
    domain: options.Domain = None,
    above: options.Above = None,
    var: options.Var = None,
    cap: options.Cap = None,
    floor: options.Floor = None,
    fit: Annotated[Path | None, Parameter(help=_FIT)] = None,
    runs: options.OfRuns = options.AS_USUAL,
    schedule: options.Schedule = None,
    set_: Annotated[list[str] | None, _Pairs(name="--set", help=_SET)] = None,
    calibrate: Annotated[bool, Parameter(help=_CALIBRATE)] = False,
    plot: Annotated[Path | None, Parameter(help="Draw the way to the new budget: NAME.png, .pdf or .svg.")] = None,
    details: options.Details = False,
    json_: options.Json = False,
) -> int:
    """Say what eta, b and beta become at another token budget, by a bound's exact laws, and what others say of it.

    Of eq. (4), which is the bound where no other is given, the laws are Tables 2 and 3.
    """
    fitted, found = None, None
    groups: dict[str, dict[str, float]] = {}
    read = runs.read(fit, None if fit is None else seq_len)
    if fit is None:
        start, groups = _starts(from_)
    else:
        fitted, (start, own, found) = _fitted(fit, from_, read)
        start |= {"b": start["b"] / (seq_len or 1)} if "b" in start else {}  # a fit's is in tokens
        regime = own if regime == "auto" else regime
    asked: dict[str, Any] = {
        "start": start,
        "regime": regime,
        "to_b": to_b,
        "max_b": max_b,
        "max_eta": max_eta,
        "round_b": round_b,
        "seq_len": seq_len,
        "optimizer": optimizer,
        "bound": None,
        "calibrate": calibrate,
        "schedule": options.schedule_of(schedule),
        "caps": options.pairs("--cap", cap, _number, "H=64"),
        "floors": options.pairs("--floor", floor, _number, "eta=1e-7"),
    }
    if bound is not None:
        config = options.chosen(bound, set_, domain=domain, var=var, above=above)
        asked |= {"bound": config.build(config.budget), "constants": dict(config.constants) or None}
    elif domain or above or var:
        raise bad("a domain, a variable and a floor of the risk are a bound's own", "no --bound", "--bound lmo, say")
    else:
        asked["constants"] = found if set_ is None else options.pairs("--set", set_, _number, _CONSTANTS)
    # A number alone is of the budget that the start is at.
    budgets = STANDARD.budget_names if asked["bound"] is None else asked["bound"].space.budget_names
    budget = next((name for each in groups.values() or (start,) for name in each if name in budgets), "T")
    alone = [
        f"{budget}={each}" if each.strip()[:1].isdigit() and "=" not in each.partition(",")[0] else each
        for each in to or ()
    ]
    asked["to"] = _numbers("--to", alone, "T=1e12")
    if groups and plot is not None:
        raise bad("a picture is of one group", f"--plot {plot} with {', '.join(groups)}", "one of them, or no picture")
    with options.as_options():
        for each in groups.values() or (start,):
            check({**asked, "start": each})  # before NumPy loads
        options.check_picture(plot, "the picture is written to a file", "transfer.png")
        if groups:
            from hpgrid.transfers.groups import transfer_groups

            del asked["start"]
            return options.say("transfer", transfer_groups(groups, asked.pop("to"), **asked), json_, details)

        from hpgrid.transfers.transfer import NOT_WHOLE, transfer

        answer = transfer(**asked)
        if fitted is not None:
            notes = tuple(said for said in answer.notes if said != NOT_WHOLE)
            answer = replace(answer, counted=fitted.runs.counted, notes=notes)
    if plot is not None:
        options.write_picture(answer.figure(), plot)
    if fitted is None:
        return options.say("transfer", answer, json_, details)

    from hpgrid.fits.model import row_costs
    from hpgrid.fits.report import beside_transfer
    from hpgrid.record import plain

    costs, best = row_costs(fitted, answer.rows, answer.T), fitted.predict(answer.T)
    if json_:
        surface = {"counted": answer.counted, "at": best.at, "interval": best.interval, "edge": best.edge,
                   "reached": fitted.reached}  # fmt: skip
        options.print_json("transfer", {**answer.as_dict(), "on_the_surface": plain(costs), "surface": plain(surface)})
        return 0
    said = answer.answer()
    replace(said, notes=[*said.notes, *beside_transfer(fitted, answer.T, costs)]).show(details)
    return 0


def _fitted(
    runs: Path, from_: list[str] | None, read: dict[str, Any]
) -> "tuple[Fit, tuple[dict[str, float], str, dict[str, float] | None]]":
    """A fit of runs, and what a transfer starts from by it; what else is known is momentum."""
    given = settings(options.pairs("--from", from_, _number, "beta=0.95"))
    if set(given) - {"alpha"}:
        raise bad(
            "the start is the optimum of the runs, but for momentum", ", ".join(given), "--from beta=0.95 at most"
        )

    from hpgrid.fits.fit import fit
    from hpgrid.fits.model import start_of

    fitted = fit(runs, **read)
    return fitted, start_of(fitted, given.get("alpha"))


def _starts(from_: list[str] | None) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """What all groups start from, and by the name of each, where there are such, what it starts from."""
    named: dict[str, list[str]] = {"": []}
    for text in from_ or ():
        group, _, rest = text.rpartition(":")
        named.setdefault(group.strip().lower(), []).append(rest)
    shared = named.pop("")
    if not named:
        return _numbers("--from", shared, _START), {}
    return {}, {group: _numbers("--from", [*shared, *own], _START) for group, own in named.items()}


def _numbers(option: str, told: list[str] | None, example: str) -> dict[str, float]:
    """The numbers of an option, by name."""
    if not options.names(told):
        raise bad(f"a transfer needs {option}", "nothing", f"{option} {example}, say")
    return options.pairs(option, told, _number, example)


def _number(name: str, text: str) -> float:
    """A finite number, with an example in its range."""
    return options.number(name, text, example=f"{name}={_EXAMPLES.get(name, '0.5')}")
