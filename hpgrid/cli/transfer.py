"""``hpgrid transfer``: hyperparameters from one token budget to another."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from hpgrid.checks import InputError, bad
from hpgrid.cli import options
from hpgrid.transfers.start import OPTIMIZERS, REGIMES, TUNED, check, said

if TYPE_CHECKING:
    from hpgrid.transfers.transfer import Transfer

_CONSTANTS = "C1=1,C2=30,C3=4"
_START = "eta=3e-4,b=524288,beta=0.95,T=2.5e9"
_EXAMPLES = dict(pair.split("=") for pair in f"{_START},{_CONSTANTS},alpha=0.05,beta2=0.98".split(","))

#: What each regime tunes, in words.
_TUNED = ", ".join(
    f"{name} {'all' if len(tuned) == 3 else ' and '.join(map(said, tuned))}" for name, tuned in TUNED.items()
)

#: Arguments of ``transfer`` in messages, with an = after them.
_OPTION = re.compile(r"\b(to_b|max_b|max_eta|round_b|seq_len|optimizer(?= lmo| sgd)|regime(?= auto))\b( ?= ?)?")


def print_transfer(
    *,
    from_: Annotated[
        list[str] | None,
        Parameter(
            name="--from",
            negative="",
            consume_multiple=True,
            help=f"What was tuned, at which budget: {_START}, say, of eta, b, beta or alpha = 1 - beta, beta2, and T. "
            "b is in tokens; with --seq-len in sequences.",
        ),
    ] = None,
    to: Annotated[
        list[str] | None, Parameter(negative="", consume_multiple=True, help="The new token budget, T=1e12 or 1e12.")
    ] = None,
    regime: Annotated[str, Parameter(help=f"What was tuned: {', '.join(REGIMES)}; {_TUNED}.")] = "auto",
    to_b: Annotated[float | None, Parameter(help="The batch size there, where it is given.")] = None,
    max_b: Annotated[
        float | None,
        Parameter(
            help="The largest batch size. Caps are taken to have held at the old budget, too: a start on one is "
            "on a bound, and no optimum."
        ),
    ] = None,
    max_eta: Annotated[float | None, Parameter(help="The largest learning rate, a cap as --max-b is.")] = None,
    round_b: Annotated[str | None, Parameter(help="pow2, int, or a number of which b becomes a multiple.")] = None,
    seq_len: Annotated[
        int | None,
        Parameter(
            converter=options.whole(example=4096, powers=True),
            help="Tokens in a sequence: b, --to-b, --max-b and --round-b are then in sequences.",
        ),
    ] = None,
    optimizer: Annotated[str, Parameter(help=f"{' or '.join(OPTIMIZERS)}.")] = "lmo",
    bound: Annotated[
        str | None,
        Parameter(
            help="Any posynomial in place of eq. (4): its name, a formula, or a TOML file with bound = and [constants]."
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        Parameter(
            name="--set",
            negative="",
            consume_multiple=True,
            help=f"The bound's constants, to say what each choice costs: eq. (4)'s {_CONSTANTS}, or Delta0, L, rho, "
            "sigma; of --bound its own, and its options.",
        ),
    ] = None,
    calibrate: Annotated[
        bool,
        Parameter(
            negative="",
            help="In place of --set, find them: those for which the start is the best of what was tuned.",
        ),
    ] = False,
    plot: Annotated[
        Path | None, Parameter(help="Draw the way to the new budget: NAME.png, .pdf or .svg.", negative="")
    ] = None,
    json_: options.Json = False,
) -> int:
    """Say what eta, b and beta become at another token budget, by a bound's exact laws, and what others say of it.

    Of eq. (4), which is the bound where no other is given, the laws are Tables 2 and 3.
    """
    asked: dict[str, Any] = {
        "start": _numbers("--from", from_, _START),
        "to": _numbers("--to", [f"T={each}" if _alone(each) else each for each in to or ()], "T=1e12"),
        "regime": regime,
        "to_b": to_b,
        "max_b": max_b,
        "max_eta": max_eta,
        "round_b": round_b,
        "seq_len": seq_len,
        "optimizer": optimizer,
        "calibrate": calibrate,
        **_bound(bound, set_),
    }
    answer = _answer(asked, plot)
    if plot is not None:
        options.write_picture(answer.draw(), plot)
    return options.say(answer, json_)


def _bound(bound: str | None, set_: list[str] | None) -> dict[str, Any]:
    """The bound, and the constants that costs are asked for with."""
    if bound is None:
        constants = options.pairs("--set", set_, _number, _CONSTANTS) if set_ is not None else None
        return {"bound": None, "constants": constants}
    config = options.chosen(bound, set_)
    return {"bound": config.build("T"), "constants": dict(config.constants) or None}


def _answer(asked: dict[str, Any], plot: Path | None) -> Transfer:
    """The answer, or what is wrong with the options, in the words of the command line."""
    try:
        check(asked)  # before NumPy loads
        options.check_picture(plot, "the picture is written to a file", "transfer.png")

        from hpgrid.transfers.transfer import transfer

        return transfer(**asked)
    except InputError as error:
        in_options = _OPTION.sub(lambda m: f"--{m[1].replace('_', '-')}" + (" " if m[2] else ""), str(error))
        raise InputError(in_options) from None


def _numbers(option: str, told: list[str] | None, example: str) -> dict[str, float]:
    """The numbers of an option, by name."""
    if not options.names(told):
        raise bad(f"a transfer needs {option}", "nothing", f"{option} {example}, say")
    return options.pairs(option, told, _number, example)


def _alone(text: str) -> bool:
    """Whether a budget is given without its name."""
    return text.strip()[:1].isdigit() and "=" not in text


def _number(name: str, text: str) -> float:
    """A finite number, with an example in its range."""
    try:
        return options.number(name, text)
    except InputError:
        raise bad(f"{name} is a finite number", text, f"{name}={_EXAMPLES.get(name, '0.5')}, say") from None
