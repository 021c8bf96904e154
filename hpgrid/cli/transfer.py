"""``hpgrid transfer``: hyperparameters from one token budget to another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from hpgrid.cli import given
from hpgrid.cli.reproduce import FORMATS
from hpgrid.errors import bad, unknown
from hpgrid.transfers.given import OPTIMIZERS, REGIMES, check

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CONSTANTS = "C1=1,C2=30,C3=4"
_START = "eta=3e-4,b=524288,beta=0.95,T=2.5e9"


def print_transfer(
    *,
    from_: Annotated[
        list[str] | None,
        Parameter(name="--from", negative="", help=f"What was tuned, and at which budget, such as {_START}."),
    ] = None,
    to: Annotated[list[str] | None, Parameter(negative="", help="The new token budget, such as T=1e12.")] = None,
    regime: Annotated[
        str, Parameter(help=f"What was tuned: {', '.join(REGIMES)}; A eta, B eta and beta, C eta and b, D all.")
    ] = "auto",
    to_b: Annotated[float | None, Parameter(help="The batch size there, where it is given.")] = None,
    max_b: Annotated[float | None, Parameter(help="The largest batch size.")] = None,
    max_eta: Annotated[float | None, Parameter(help="The largest learning rate.")] = None,
    round_b: Annotated[str | None, Parameter(help="pow2, int, or a number of which b becomes a multiple.")] = None,
    seq_len: Annotated[
        int | None, Parameter(converter=given.whole, help="Tokens in a sequence: b is then in sequences.")
    ] = None,
    optimizer: Annotated[str, Parameter(help=f"{' or '.join(OPTIMIZERS)}.")] = "lmo",
    set_: Annotated[
        list[str] | None,
        Parameter(name="--set", negative="", help=f"eq. (4)'s constants, to say what each choice costs: {_CONSTANTS}."),
    ] = None,
    calibrate: Annotated[
        bool, Parameter(negative="", help="Find them: those for which the start is the best of what was tuned.")
    ] = False,
    plot: Annotated[
        Path | None, Parameter(help="Draw the way to the new budget: NAME.png, .pdf or .svg.", negative="")
    ] = None,
    json_: Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")] = False,
) -> int:
    """Say what eta, b and beta become at another token budget, by Tables 2 and 3, and what others say of it."""
    asked: dict[str, Any] = {
        "start": _numbers("--from", from_, _START),
        "to": _numbers("--to", to, "T=1e12"),
        "regime": regime,
        "to_b": to_b,
        "max_b": max_b,
        "max_eta": max_eta,
        "round_b": round_b,
        "seq_len": seq_len,
        "optimizer": optimizer,
        "constants": given.pairs("--set", set_, given.number, _CONSTANTS) if set_ is not None else None,
        "calibrate": calibrate,
    }
    check(asked)  # before NumPy loads
    _check_plot(plot)

    from hpgrid.transfers.answer import transfer

    answer = transfer(**asked)
    if plot is not None:
        _write(answer.draw(), plot)
    print(json.dumps(answer.as_dict(), indent=2, allow_nan=False) if json_ else answer.text())
    return 0


def _check_plot(path: Path | None) -> None:
    """Refuse a picture that can't be written."""
    if path is not None and path.suffix.lstrip(".") not in FORMATS:
        raise unknown("picture format", path.suffix.lstrip("."), FORMATS)
    given.check_file(path, "the picture is written to a file", "transfer.png")


def _write(figure: Figure, path: Path) -> None:
    from hpgrid.plotting.style import styled
    from hpgrid.record import write_whole

    with styled():
        write_whole(path, lambda file: figure.savefig(file, format=path.suffix.lstrip(".")))


def _numbers(option: str, told: list[str] | None, example: str) -> dict[str, float]:
    """The numbers of an option, by name."""
    if not given.names(told):
        raise bad(f"a transfer needs {option}", "nothing", f"{option} {example}, say")
    return given.pairs(option, told, given.number, example)
