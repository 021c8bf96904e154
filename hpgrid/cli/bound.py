"""How a command is told its bound: by name, written out as text, or in a TOML file, with its constants."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from hpgrid.cli import given
from hpgrid.config import BOUNDS, BoundConfig, check_choice, parse_bound
from hpgrid.errors import bad

#: A bound as the first argument of a command.
Named = Annotated[str | None, Parameter(help=f"The bound: {', '.join(BOUNDS)}.")]

#: Its constants and options.
Set = Annotated[
    list[str] | None,
    Parameter(name="--set", negative="", help="The bound's constants and options, such as C1=2,q=1/3."),
]


def chosen(bound: str | None, set_: list[str] | None) -> BoundConfig:
    """Return the bound that a command line names, with its constants; ``build(budget)`` makes a proxy of it.

    Args:
        bound: its name.
        set_: NAME=VALUE pairs of its constants and options.

    Raises:
        ValueError: there is no such bound, or a constant or an option that it does not take.
    """
    if bound is None:
        raise bad("a command needs a bound", "none", "lmo, say")
    check_choice("bound", bound, BOUNDS)
    return parse_bound({"name": bound, **given.pairs("--set", set_, given.setting, "C1=2,q=1/3")})
