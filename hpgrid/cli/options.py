"""What commands are told, and how it is read: the bound, what is held, the grid, files; NumPy is not loaded here."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from cyclopts import Parameter

from hpgrid.answer import Result
from hpgrid.bounds import BOUNDS
from hpgrid.checks import (
    CALLED,
    DTYPES,
    SCHEDULE_KINDS,
    InputError,
    as_written,
    bad,
    check_choice,
    check_keys,
    note,
    shortened,
    table_of,
    unknown,
    without_unit,
)
from hpgrid.config import (
    FIGURE,
    PRESETS,
    BoundConfig,
    GridConfig,
    bound_table,
    called,
    parse_bound,
    parse_grid,
    read_toml,
    with_more,
)
from hpgrid.regime import Regime
from hpgrid.schemas import stamped
from hpgrid.variables import STANDARD, TUNABLE, Power, Space, ends_of, settings

if TYPE_CHECKING:
    from cyclopts import Token
    from matplotlib.figure import Figure

T = TypeVar("T")

#: Comma lists, of as many of the option as were given.
Names = list[str] | None

#: Of what kind each option of a bound is.
_KINDS = {name: kind for bound in BOUNDS.values() for name, kind in bound.kinds.items()}

FORMATS = ("png", "pdf", "svg")

#: What ``--refined`` is for, of a figure and of a plot.
REFINED = "Draw the continuous optimum over the grid's, or leave it out."

#: What keeps the same picture the same file.
_UNDATED: dict[str, dict[str, Any]] = {
    "png": {"Software": None}, "pdf": {"CreationDate": None, "ModDate": None}, "svg": {"Date": None},
}  # fmt: skip


def about(meaning: str, **more: Any) -> Parameter:
    """Return what is said of an option in help, and what else it is told."""
    return Parameter(help=meaning, **more)


def whole(
    least: int | None = None, most: int | None = None, example: object = 100, powers: bool = False
) -> Callable[[Any, Sequence[Token]], int]:
    """Return how an option's whole number is read; ``powers`` takes 4e3 and 4Ki, too."""
    return lambda _, tokens: whole_number(tokens[0].keyword or "", tokens[0].value, least, most, example, powers)


def whole_number(
    option: str, text: str, least: int | None, most: int | None, example: object = 100, powers: bool = False
) -> int:
    """Return a whole number in a range.

    Raises:
        ValueError: it is none, as 2.5 is, or lies outside.
    """
    try:
        # int of the text, not of a float: a seed may have more digits than a float.
        value = float(without_unit(text)) if powers else int(text)
    except ValueError:
        value = math.nan
    inside = (least is None or value >= least) and (most is None or value <= most)
    if not (math.isfinite(value) and value % 1 == 0 and inside):
        span = "" if least is None else f", {least} or more" if most is None else f", from {least} to {most}"
        raise bad(f"{option} is a whole number{span}", text, f"{option} {example}, say")
    return int(value)


def names(given: Iterable[str] | None) -> tuple[str, ...]:
    """Return the names in some comma lists."""
    return tuple(name.strip() for text in given or () for name in text.split(",") if name.strip())


def known_names(kind: str, given: Iterable[str] | None, known: Iterable[str]) -> tuple[str, ...]:
    """Return the names in some comma lists, each once, if there are such.

    Raises:
        ValueError: there is no such ``kind``.
    """
    found = dict.fromkeys(names(given))
    for name in found:
        if name not in known:
            raise unknown(kind, name, known)
    return tuple(found)


def pairs(option: str, given: Iterable[str] | None, read: Callable[[str, str], T], example: str) -> dict[str, T]:
    """Return what the NAME=VALUE pairs in an option's comma lists say, each value as ``read`` has it of name and text.

    Raises:
        ValueError: a pair without "=", or a name that is given twice.
    """
    found: dict[str, T] = {}
    # A comma is one between values where no NAME= follows: b=32,64,128.
    parts = (part.strip(", ") for text in given or () for part in re.split(r",(?=[^,]*=)", text))
    for pair in filter(None, parts):
        name, _, value = (part.strip() for part in pair.partition("="))
        if not (name and value):
            raise bad(f"{option} takes NAME=VALUE, between commas", pair, f"{option} {example}, say")
        if name in found:
            raise bad(f"{option} gives {name} twice", pair, f"{option} {name}=... once")
        found[name] = read(name, value)
    return found


def number(name: str, text: str, size: bool = False, example: str = "") -> float:
    """Return a finite number: 1072, 1e-3 or 1/3; a size, as those of b, T and K are, may be 512k, 2.5B or 4Mi."""
    known = STANDARD.all.get(CALLED.get(name, name))
    size = size or (known is not None and known.sized)
    given, fraction = without_unit(text) if size else text, as_written(text)
    try:
        value = float(given if fraction is None else fraction)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        name = shortened(name)
        example = example or (f"{name}=512k" if size else f"{name}=0.5 or {name}=1/3")
        raise bad(f"{name} is a finite number", text, f"{example}, say")
    return value


#: An option that is a number of tokens or iterations, or a batch size.
Sized = partial(Parameter, converter=lambda _, tokens: number(tokens[0].keyword or "", tokens[0].value, size=True))


# --- the bound ---

#: A bound as the first argument of a command.
Named = Annotated[
    str | None, about("The bound: a name, as hpgrid bounds lists them; a formula; or a TOML file with bound =.")
]

#: A bound as an option: what does not begin with a letter is no first argument.
Written = Annotated[str | None, about('The bound as a formula, such as "C1*b/(eta*T) + C2*eta".', name="--bound")]

#: Its constants and options.
Set = Annotated[Names, about("The bound's constants and options, such as C1=2,q=1/3.", name="--set")]

#: Where it holds.
Domain = Annotated[
    list[str] | None,
    about('A condition under which the bound holds, such as "eta <= 1/L", once for each; beside those of a file.'),
]

#: What is asked about, where that is not the whole risk.
Above = Annotated[str | None, about("A constant term of the bound, such as E: the risk is asked less E.")]

#: What it declares of its own.
Var = Annotated[
    list[str] | None,
    about(
        'A variable that the bound declares, once for each: "H >= 1, whole", "0 < delta <= 1", "R >= 1, budget", '
        'or the definition of a budget, "T = n*H*R*b".',
        name="--var",
    ),
]


def setting(name: str, text: str) -> float | Fraction | bool | str:
    """Return a bound's constant or option: a number, a fraction such as 1/3, true or false for a flag, or a word."""
    kind = _KINDS.get(name)
    if kind == "word" and text.isalpha():
        return text  # the bound says which words there are
    if kind != "flag":
        exact, value = as_written(text), number(name, text)
        # 1/3, and a decimal of more digits than a float has: an exponent is what was written.
        return value if exact is None or ("/" not in text and Fraction(repr(value)) == exact) else exact
    if text not in ("true", "false"):
        raise bad(f"{name} is true or false", text, f"{name}=false, say")
    return text == "true"


def chosen(
    bound: str | None,
    set_: Names,
    written: str | None = None,
    domain: list[str] | None = None,
    var: list[str] | None = None,
    floor: Names = None,
    above: str | None = None,
    cap: Names = None,
    valued: bool = True,
) -> BoundConfig:
    """Return the bound that a command line means, with its constants; ``build(budget)`` makes a proxy of it.

    What a formula means where one may have meant something else is said on standard error.

    Args:
        bound: its name, a formula, or a TOML file, whatever else stands there.
        set_: NAME=VALUE pairs of its constants and options, in place of the file's.
        written: a formula, in place of ``bound``.
        domain: conditions under which it holds, beside the file's.
        var: variables that it declares, beside the file's.
        floor: smallest values of hyperparameters.
        above: the constant term that is taken from the risk.
        cap: largest values, of which those of complements are smallest values of hyperparameters.
        valued: whether each of its constants has a value; where they are fitted they need none.

    Raises:
        ValueError: there is no such bound, the formula is none, or a constant or an option is not the bound's,
            or has no value, or a condition is none.
    """
    if (bound is None) == (written is None):
        given_twice = "none" if bound is None else f"{bound} and --bound {written}"
        raise bad("a command has one bound", given_twice, 'lmo, say, or --bound "C1*b/(eta*T) + C2*eta"')
    text = str(bound if written is None else written)
    said = pairs("--set", set_, setting, "C1=2,q=1/3")
    from_file = written is None and text.endswith(".toml")
    data = read_toml(Path(text)) if from_file else {}
    try:
        if from_file:
            # It may be all that a sweep or a figure is made of.
            check_keys("key of a file with a bound", data, (*FIGURE, "rows", "min_K", "parameters"))
            if "bound" not in data and "figure" not in data:
                raise bad("a file with a bound says which", sorted(data), 'bound = "C1*b/(eta*T) + C2*eta", say')
        table = with_more(bound_table(data) if from_file else called(text), "variables", var)
        table = with_more(table, "domain", domain)
        floors = {**table_of(table, "floors"), **pairs("--floor", floor, number, "eta=1e-7")}
        more = {"floors": floors, "above": above}
        found = parse_bound({**table, **{key: x for key, x in more.items() if x}, **said})
        caps = pairs("--cap", cap, number, _CAP)
        turned = {name: x for name, x in caps.items() if found.space.of_complement(name)}
        if turned:
            ends_of(found.floors, turned, found.space)  # each is given once
            found = replace(found, floors={**found.floors, **ends_of({}, turned, found.space)[0]})
        if valued:
            found.check()
    except InputError as error:
        raise InputError(f"{text}: {error}" if from_file else str(error)) from None
    remark(found)
    return found


def remark(bound: BoundConfig) -> None:
    """Say on standard error what a formula means where a person may have meant something else."""
    for each in bound.remarks():
        note(each)
    if bound.above:
        note(f"the risk is that less {bound.above}, here and below")


# --- the regime ---

#: What is tuned.
Tuned = Annotated[Names, about("What is tuned, such as eta,b,alpha.")]

#: The roles of hyperparameters.
Fix = Annotated[Names, about("What is held, such as b=1072 or beta=0.999.")]
Follow = Annotated[Names, about("What follows the budget: b=T^1/2, or 'b = 0.29*T^0.571'.")]
Cap = Annotated[Names, about("Largest values, such as b=1e6.")]
_CAP = "b=1e6"
Floor = Annotated[Names, about("Smallest values, such as eta=1e-7.")]


def regime(
    tuned: Names,
    fix: Names,
    path: Names,
    cap: Names,
    budget: str,
    min_K: float | None = None,
    space: Space = STANDARD,
) -> Regime:
    """Return the regime that the options describe, of a bound's variables; ``budget`` is what paths are powers of.

    Raises:
        ValueError: an option that can't be read, a value out of its range, or a variable with two roles.
    """
    return Regime(names(tuned), **roles_of(fix, path, cap, budget, space), min_K=min_K, space=space)


def roles_of(fix: Names, path: Names, cap: Names, budget: str, space: Space = STANDARD) -> dict[str, Any]:
    """Return what is held, on a path and capped, as keywords of a regime; ``chosen`` has the caps of complements."""
    caps = pairs("--cap", cap, number, _CAP)
    return {
        "fixed": held(fix, space),
        "path": pairs("--path", path, partial(Power.read, budgets=(budget,), bare=False), f"b={budget}^1/2"),
        "caps": _counted({v: x for v, x in caps.items() if not space.of_complement(v)}, space),
    }


def held(given: Iterable[str] | None, space: Space = STANDARD) -> dict[str, float]:
    """Return what --fix holds, by the names that were given.

    Raises:
        ValueError: a name that is no hyperparameter's, or a value out of its range.
    """
    found = pairs("--fix", given, number, "alpha=0.001")
    for name in found:
        here = name if name in space.words else CALLED.get(name, name)
        if not space.of_complement(name):
            check_choice("hyperparameter to fix", here, [v for v in space.words if v not in space.budget_names])
    return _counted(found, space)


def _counted(found: dict[str, float], space: Space) -> dict[str, float]:
    """Values by name, those asked for a whole number that are of what counts something."""
    for name, value in found.items():
        if name in space.all and space.all[name].whole:
            space.given(name, value)
    return found


# --- the grid ---

Preset = Annotated[str, about(f"The grid: {' or '.join(PRESETS)}.")]
Points = Annotated[int, about("Points per axis.", converter=whole())]
Axes = Annotated[
    Names, about("Axes of your own, LO:HI, LO:HI:N or values, such as eta=1e-6:1:50,b=512k,1M,beta=0.9,0.99.")
]
Counted = Annotated[
    str | None, about("T for tokens, K for iterations, or a budget that the bound declares.", name="--budget")
]
Budget = Annotated[
    str | None,
    about("T for tokens, K for iterations (1e2 to 1e16 without --axis), or one the bound declares.", name="--budget"),
]
Dtype = Annotated[str, about(f"The precision of the search: {' or '.join(DTYPES)}.")]


def budget_of(given: str | None, bound: BoundConfig) -> str:
    """Return the budget that is asked about: the bound's own where nobody says which."""
    return bound.budget if given is None else check_choice("budget", given, bound.space.budget_names)


def grid_config(preset: str, n: int, axes: Names, budget: str, space: Space = STANDARD) -> GridConfig:
    """Return the grid that the options describe, checked, with an axis of a budget.

    Raises:
        ValueError: an unknown preset or axis, or an axis out of its range.
    """
    own: dict[str, Any] = settings(pairs("--axis", axes, span, "eta=1e-6:1:50"), space)
    for name in own:
        check_choice("axis", name, space.names)
        if name in space.budget_names and name != budget:
            raise bad(f"a search over {budget} has no axis {name}", own[name], f"{budget}=LO:HI, or --budget {name}")
    return parse_grid({"preset": preset, "n": n, "axes": own}, space, budget)


#: A range of each axis, for an example.
_RANGES = {"eta": "1e-6:1", "b": "1:4M", "alpha": "1e-4:1", "T": "1M:1T", "K": "1k:1M"}


def span(name: str, text: str) -> dict[str, float | int] | list[float]:
    """Return an axis of one's own: LO:HI or LO:HI:N, as {"lo", "hi"} and perhaps "n", or values between commas."""
    if "," in text:
        return [number(name, value.strip()) for value in text.split(",")]
    ends, example = text.split(":"), f"{name}={_RANGES.get(name, '0.9,0.99')}"
    if not 2 <= len(ends) <= 3:
        raise bad("an axis is LO:HI, LO:HI:N, or values", f"{name}={text}", f"{example}, say")
    axis: dict[str, float | int] = {"lo": number(name, ends[0]), "hi": number(name, ends[1])}
    if len(ends) == 3:
        if not ends[2].isdecimal() or len(ends[2]) > 9:
            raise bad(f"the number of values of {name} is a whole number", ends[2], f"{example}:50, say")
        axis["n"] = int(ends[2])
    return axis


# --- a person's runs, in place of a bound or of a start ---


def in_sequences(meaning: str) -> Parameter:
    """Return what is said of how many tokens a sequence has, and how that is read."""
    return about(f"Tokens in a sequence: {meaning} then in sequences.", converter=whole(1, example=4096, powers=True))


SeqLen = Annotated[int | None, in_sequences("batch sizes of --fit are")]

Hold = Annotated[Names, about("What stays at the best run's value: b, say.")]
BUnit = Annotated[str | None, about("tokens or sequences: what the batch size counts.")]
Unit = Annotated[float, about("The loss's unit in nats a token: 0.693 for bits; 0 where it is not known.")]

Schedule = Annotated[
    str | None,
    about("constant or decay: what the learning rate did; the theory's exponents are those of a constant one."),
]


def schedule_of(given: str | None) -> str | None:
    """Return what a learning rate is said to have done, if there is such a schedule."""
    return given if given is None else check_choice("schedule", given, SCHEDULE_KINDS)


@dataclass(frozen=True)
class Runs:
    """How the table of --fit is read, as ``hpgrid fit`` reads it."""

    columns: Annotated[
        Names, about("Columns of --fit whose names are not the usual: eta=lr,b=batch,beta=momentum, say.")
    ] = None
    where: Annotated[Names, about("Of the runs of --fit, only these: optimizer=muon, say.")] = None
    ignore: Annotated[Names, about("Columns of --fit that vary, and may.")] = None
    hold: Hold = None
    b_unit: BUnit = None
    unit: Unit = 1.0

    def read(self, fit: Path | None, seq_len: int | None = None, var: list[str] | None = None) -> dict[str, Any]:
        """Return how that is read, as keywords of a fit; ``var`` declares further hyperparameters, each a column.

        Raises:
            ValueError: something is told of no runs, a pair can't be read, or a column is of what no fit has.
        """
        own = tuple[str, ...]()
        if var:
            from hpgrid.formula.declared import declared

            own = tuple(name for name in declared(var).hyperparameters if name not in STANDARD.hyperparameters)
        found = pairs("--columns", self.columns, lambda _, text: text, "eta=lr,b=batch")
        for name in found:
            check_choice("quantity of a run", name, (*TUNABLE, "beta", "T", "K", "loss", *own))
        where = pairs("--where", self.where, lambda _, text: text, "optimizer=muon")
        told = {**vars(self), "seq_len": seq_len, "unit": None if self.unit == 1 else "given"}
        if fit is None and (given := [name for name, x in told.items() if x is not None]):
            option = f"--{given[0].replace('_', '-')}"
            raise bad(f"{option} is of the runs of --fit", "no --fit", f"--fit runs.csv, too, or no {option}")
        return {
            **{name: column for name, column in found.items() if name not in own},
            "others": {name: column for name, column in found.items() if name in own},
            "var": var or (),
            "where": where,
            "ignore": names(self.ignore),
            "hold": names(self.hold),
            "b_unit": unit_of_b(self.b_unit),
            "unit": self.unit or None,
            "seq_len": seq_len,
        }


OfRuns = Annotated[Runs, Parameter(name="*")]

AS_USUAL = Runs()


def unit_of_b(given: str | None) -> str | None:
    """Return what a batch size is said to count, if there is such a unit."""
    return None if given is None else check_choice("unit of a batch size", given, ("tokens", "sequences"))


# --- what goes out ---

Yes = Annotated[bool, about("Go on with what takes more than an hour, or more memory than there is.")]

Json = Annotated[bool, about("Print JSON.", name="--json")]


#: Arguments of functions in messages, with an = after them; columns of a table may have the same names.
_ARGUMENT = re.compile(
    r"(?<!, )(?<!also )(?<!--where )(?<!--by )(?<!--ignore )(?<!--var ')"
    r"\b(to_b|max_b|max_eta|round_b|seq_len|params|optimizer(?= lmo| sgd)|regime(?= auto))\b(?![:,])( ?= ?)?"
)


@contextmanager
def as_options() -> Iterator[None]:
    """Refuse what a function refuses in the words of the command line: --max-b for max_b."""
    try:
        yield
    except InputError as error:
        said = _ARGUMENT.sub(lambda m: f"--{m[1].replace('_', '-')}" + (" " if m[2] else ""), str(error))
        raise InputError(said) from None


#: Of an answer that has them.
Details = Annotated[bool, about("Say all that there is to say, not the answer alone.")]


def print_json(command: str, data: Mapping[str, Any]) -> None:
    """Print what a command gives as JSON, under its schema's name and version."""
    print(json.dumps(stamped(command, data), indent=2, allow_nan=False))


def say(command: str, result: Result, as_json: bool, details: bool = False) -> int:
    """Print a command's result, as JSON or as text; return the exit status."""
    if as_json:
        print_json(command, result.as_dict())
    else:
        result.answer().show(details)
    return 0


def check_file(path: Path | None, rule: str, example: str) -> None:
    """Refuse a file that can't be written before anything is computed, which may take hours; make its folder.

    Raises:
        ValueError: it is a folder, in the words of ``rule``, or its folder can't be written to.
    """
    if path is not None:
        from hpgrid.record import make_folder

        if path.is_dir():
            raise bad(rule, str(path), f"{path / example}, say")
        make_folder(path.parent, "a path in another folder")


def format_of(path: Path) -> str:
    """Return a picture's format, by its suffix.

    Raises:
        ValueError: there is no such format.
    """
    if not path.suffix:
        raise bad("a picture's name ends in its format", str(path), f"NAME.png, say; formats are {', '.join(FORMATS)}")
    return check_choice("picture format", path.suffix.lstrip("."), FORMATS)


def check_picture(path: Path | None, rule: str, example: str) -> None:
    """Refuse a picture that can't be written, as ``check_file`` does, or that has no format."""
    if path is not None and not path.is_dir():
        format_of(path)
    check_file(path, rule, example)


def write_picture(figure: Figure, *paths: Path) -> None:
    """Write a figure to files, whole and without a date, each in the format of its suffix."""
    from hpgrid.plotting.style import styled
    from hpgrid.record import write_whole

    with styled():
        for path in paths:
            kind = format_of(path)
            write_whole(path, partial(figure.savefig, format=kind, metadata=_UNDATED[kind]))
            figure.set_layout_engine("none")  # laid out once is enough


def use_compilation_cache() -> None:
    """Keep compiled programs on disk between runs, unless a person has chosen where: never the library's to say.

    Where nothing can be written, a home that is read-only say, nothing is kept, and nothing said of it.
    """
    # jax reads these as it loads, so that they are set before anything imports it.
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hpgrid" / "jax"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # no such home, or none at all
        return
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(folder))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "0")
