"""How a command is told its bound: by name, written out as text, or in a TOML file, with its constants."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from hpgrid.bounds import BOUNDS
from hpgrid.checks import InputError, bad, check_keys
from hpgrid.cli import given
from hpgrid.config import FIGURE, BoundConfig, bound_table, called, parse_bound, read_toml

#: What may stand in a file with a bound: all that a sweep or a figure is made of.
FILE_KEYS = (*FIGURE, "rows", "min_K", "parameters")

#: A bound as the first argument of a command.
Named = Annotated[
    str | None,
    Parameter(help=f"The bound: {', '.join(BOUNDS)}; a formula; or a TOML file with bound = and [constants]."),
]

#: A bound as an option: what does not begin with a letter is no first argument.
Written = Annotated[
    str | None, Parameter(name="--bound", help='The bound as a formula, such as "C1*b/(eta*T) + C2*eta".')
]

#: Its constants and options.
Set = Annotated[
    list[str] | None,
    Parameter(name="--set", negative="", help="The bound's constants and options, such as C1=2,q=1/3."),
]


def chosen(bound: str | None, set_: list[str] | None, written: str | None = None) -> BoundConfig:
    """Return the bound that a command line means, with its constants; ``build(budget)`` makes a proxy of it.

    What a formula means where one may have meant something else is said on standard error.

    Args:
        bound: its name, a formula, or a TOML file.
        set_: NAME=VALUE pairs of its constants and options, in place of the file's.
        written: a formula, in place of ``bound``.

    Raises:
        ValueError: there is no such bound, the formula is none, or a constant or an option is not the bound's,
            or has no value.
    """
    if (bound is None) == (written is None):
        given_twice = "none" if bound is None else f"{bound} and --bound {written}"
        raise bad("a command has one bound", given_twice, 'lmo, say, or --bound "C1*b/(eta*T) + C2*eta"')
    text = str(bound if written is None else written)
    said = given.pairs("--set", set_, given.setting, "C1=2,q=1/3")
    if written is None and text.endswith(".toml"):
        found = _from_file(Path(text), said)
    else:
        found = parse_bound({**called(text), **said})
        found.check()
    remark(found)
    return found


def remark(bound: BoundConfig) -> None:
    """Say on standard error what a formula means where a person may have meant something else."""
    for each in bound.remarks():
        print(f"hpgrid: note: {each}", file=sys.stderr)


def _from_file(path: Path, said: Mapping[str, Any]) -> BoundConfig:
    """The bound in a TOML file, whatever else stands there; what was said beside it comes first."""
    data = read_toml(path)
    try:
        check_keys("key of a file with a bound", data, FILE_KEYS)
        if "bound" not in data and "figure" not in data:
            raise bad("a file with a bound says which", sorted(data), 'bound = "C1*b/(eta*T) + C2*eta", say')
        bound = parse_bound({**bound_table(data), **said})
        bound.check()
        return bound
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
