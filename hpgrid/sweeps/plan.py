"""A sweep's plan, from TOML to frozen dataclasses: what is swept, and under which regimes.

No NumPy: a mistake is answered at once. Every number is asked here, where it is written, whether it may be what it is.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpgrid.bounds import BOUNDS
from hpgrid.checks import (
    InputError,
    alpha_of,
    as_written,
    bad,
    check_constants,
    check_count,
    check_exponent,
    check_keys,
    is_number,
    name_here,
    table_of,
    unknown,
    unwrapped,
    without_unit,
)
from hpgrid.config import (
    OF_BOUND,
    BoundConfig,
    GridConfig,
    called,
    check_formulas,
    check_line,
    parse_bound,
    parse_grid,
    read_toml,
    with_beside,
    with_more,
)
from hpgrid.record import read_text
from hpgrid.regime import Regime
from hpgrid.variables import STANDARD, Power, Space, settings

if TYPE_CHECKING:
    from hpgrid.proxy import FunctionProxy, Proxy

#: Combinations beyond which a sweep is refused.
MOST = 10**9

#: Values of a range of exponents beyond which one is refused: each has a search of its own.
_MOST_EXPONENTS = 10**4

#: The most bytes of a table of rows.
_LARGEST = 2**30

#: Seconds for a combination under one regime at 100 budgets, on two CPU cores, to say how long too many would take;
#: as ``benchmarks/store.py`` measures it.
_SECONDS = 0.0008


@dataclass(frozen=True)
class Plan:
    """A sweep.

    Attributes:
        bound: the bound, with the constants that are one number, and its options.
        swept: by name, what takes several values: a bound's constant, its q, or a held hyperparameter. Each is a
            tuple of numbers or a log range {"lo", "hi", "n"}; of an exponent that no float is, fractions.
        combine: "all" combinations of them, or "rows", the first of each, the second of each, and so on.
        grid: where the bound is evaluated; its budget is the result's last axis.
        regimes: by name, what is tuned, once or more; of one smallest number of iterations.
    """

    bound: BoundConfig
    swept: Mapping[str, Any]
    combine: str
    grid: GridConfig
    regimes: Mapping[str, Regime]

    @property
    def lengths(self) -> dict[str, int]:
        """How many values each swept name has."""
        return {name: x["n"] if isinstance(x, Mapping) else len(x) for name, x in self.swept.items()}

    @property
    def combinations(self) -> int:
        """How many combinations there are."""
        if self.combine == "rows":
            return next(iter(self.lengths.values()))
        return math.prod(self.lengths.values())

    @property
    def min_K(self) -> float | None:
        """The smallest number of iterations that a cell may have, or None."""
        return next(iter(self.regimes.values())).min_K

    @property
    def space(self) -> Space:
        """The variables of the bound."""
        return self.bound.space

    @cached_property
    def hyperparameters(self) -> tuple[str, ...]:
        """What results are about: the standard ones, or those of a bound that declares its own."""
        if self.space == STANDARD:
            return STANDARD.hyperparameters
        budget = self.grid.build().budget
        named = {*self.proxy(budget).variables(), *(v for r in self.regimes.values() for v in (*r.tuned, *r.path))}
        return tuple(v for v in self.space.hyperparameters if v in named)

    @property
    def swept_exponents(self) -> tuple[str, ...]:
        """What is swept of the bound's exponents: each of their values has a search of its own."""
        return tuple(name for name in self.swept if name in self.bound.exponents())

    @cached_property
    def _written(self) -> dict[str, dict[Any, Any]]:
        """What was written of each swept exponent, by the float that stands for it in arrays."""
        return {name: {float(x): x for x in self.swept[name]} for name in self.swept_exponents}

    @property
    def of_laws(self) -> tuple[str, ...]:
        """What is swept that exact exponents depend on: the bound's exponents, and constants that are 0 somewhere."""
        held = self.bound.held_names
        nought = [n for n, x in self.swept.items() if n not in held and not isinstance(x, Mapping) and 0.0 in x]
        return tuple(name for name in self.swept if name in (*self.swept_exponents, *nought))

    def proxy(self, budget: str, at: Mapping[str, float] | None = None) -> Proxy | FunctionProxy:
        """Return the bound; what is swept and not in ``at`` is 1, or of a formula its first value; exponents are 1/2.

        Args:
            budget: "T" or "K".
            at: values of what is swept, held hyperparameters among them; of exponents the floats that stand for them.
        """
        at = at or {}
        own: dict[str, Any] = {
            name: 1.0 if self.bound.formula is None else _some(x)
            for name, x in self.swept.items()
            if name not in self.bound.held_names
        }
        # An exponent of a bound by name has a default, which is in its range.
        exponents = BOUNDS[self.bound.name].exponents if self.bound.formula is None else {}
        for name, written in self._written.items():
            x = at.get(name, Fraction(exponents[name].default) if name in exponents else 0.5)
            own[name] = written.get(x, x)
        proxy = _with_values(self.bound, own).build(budget)
        # What is swept was asked where it is written.
        return proxy.at_constants({name: x for name, x in at.items() if name in proxy.constants})

    def held(self, name: str, at: Mapping[str, float]) -> Regime:
        """Return a regime with what is swept of hyperparameters held.

        Args:
            name: the regime's.
            at: values of what is swept, constants among them.
        """
        return self.regimes[name].holding(_held(self.bound, at))

    def describe(self) -> dict[str, Any]:
        """Return the plan as plain data: what a store is compared by."""
        return {
            "bound": self.bound.describe(),
            "swept": {
                k: dict(x) if isinstance(x, Mapping) else [str(v) if isinstance(v, Fraction) else v for v in x]
                for k, x in self.swept.items()
            },
            "combine": self.combine,
            "grid": self.grid.describe(),
            "regimes": [
                {"name": name, "tuned": list(r.tuned)}
                | ({"fixed": dict(r.fixed)} if r.fixed else {})
                | ({"path": {v: _path_text(p) for v, p in r.path.items()}} if r.path else {})
                | ({"caps": dict(r.caps)} if r.caps else {})
                for name, r in self.regimes.items()
            ],
            "min_K": self.min_K,
        }


def _path_text(power: Power) -> str:
    """A path as text that is read as the same one."""
    text = str(Fraction(power)) if power.factor == 1 else power.text("T")
    return text if Power.read("b", text) == power else f"{power.factor}*T^{Fraction(power)}"


def _some(swept: Any) -> float:
    """A value among those that are swept, not 0 if one is not."""
    return float(swept["lo"]) if isinstance(swept, Mapping) else next((float(x) for x in swept if x), 0.0)


def restore(described: Mapping[str, Any]) -> Plan:
    """Return the plan that a store describes, as ``Plan.describe`` wrote it."""
    bound = parse_bound(described["bound"])
    return Plan(
        bound,
        {
            k: dict(x) if isinstance(x, Mapping) else tuple(as_written(v) if isinstance(v, str) else v for v in x)
            for k, x in described["swept"].items()
        },
        described["combine"],
        parse_grid(described["grid"], bound.space),
        _read_regimes(bound.space, described["regimes"], {}, {}, described["min_K"]),
    )


def _held(bound: BoundConfig, values: Mapping[str, float]) -> dict[str, float]:
    """What is held among some values, by hyperparameter: a beta is an alpha."""
    return settings({v: x for v, x in values.items() if v in bound.held_names}, bound.space)


# --- the file ---


def load(
    path: Path, formula: str | None = None, domain: list[str] | None = None, variables: list[str] | None = None
) -> Plan:
    """Return the plan in a TOML file; a table of rows is looked for beside it.

    Args:
        path: the file.
        formula: a bound as text, in place of the file's.
        domain: conditions under which it holds, beside the file's.
        variables: declarations of what it depends on, beside the file's.

    Raises:
        ValueError: the file, or its table, is missing or malformed, or has a key or a value that can't be.
    """
    data = read_toml(path)
    where = str(path)
    if formula is not None:
        data["bound"], where = formula, f"{path} with --bound"
    try:
        table = data.get("bound")
        own = with_more(table if isinstance(table, Mapping) else data, "domain", domain)
        own = with_more(own, "variables", variables)
        return parse({**data, "bound": own} if isinstance(table, Mapping) else own, path.parent)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def parse(data: Mapping[str, Any], folder: Path = Path()) -> Plan:
    """Return the plan that parsed TOML describes.

    Args:
        data: the tables.
        folder: where the CSV of ``rows`` is looked for.

    Raises:
        ValueError: an unknown key, a value out of its range, or too many combinations.
    """
    data = _unwrapped(data)
    check_keys("key of a sweep", data, (*OF_BOUND, "rows", "grid", "regime", "min_K"))
    table = called(data["bound"]) if isinstance(data.get("bound"), str) else table_of(data, "bound")
    bound = parse_bound(with_beside(table, data))
    values = _read_constants(bound, table_of(data, "constants"))
    single = {name: x for name, x in values.items() if is_number(x)}
    swept = {name: x for name, x in values.items() if name not in single}
    rows = _read_rows(bound, data["rows"], folder) if "rows" in data else {}
    for name in rows:
        if name in values or name in table:
            raise bad(f"{name} stands in the table of rows and in the config", name, "it in one of the two")
    if rows and swept:
        rule = "beside a table of rows, constants are single numbers"
        raise bad(rule, sorted(swept), "them as columns of the table")
    swept = rows or swept
    if not swept:
        # One combination: an axis of one value, of the first constant that was given.
        first = next((name for name in single if name not in bound.held_names), None)
        if first is None:
            raise bad(
                "a sweep has constants", sorted(values), "C2 = { lo = 1e-2, hi = 1e3, n = 16 } in [constants], say"
            )
        swept = {first: (single.pop(first),)}
    regimes = _read_regimes(bound.space, data.get("regime"), _held(bound, single), swept, data.get("min_K"))
    bound = _with_values(bound, {n: x for n, x in single.items() if n not in bound.held_names})
    # A formula in which a name has no value is refused; what is swept has one.
    replace(bound, constants={**bound.constants, **{n: 1.0 for n in swept if n not in bound.held_names}}).check()
    plan = Plan(bound, swept, "rows" if rows else "all", parse_grid(table_of(data, "grid"), bound.space), regimes)
    if plan.combinations > MOST:
        lengths = " x ".join(f"{n} {name}" for name, n in plan.lengths.items())
        days = plan.combinations * len(plan.regimes) * _SECONDS / 86400
        rule = f"{plan.combinations:.3g} combinations are more than a sweep takes, {MOST:.0e}"
        raise bad(f"{rule}: on two CPU cores they would take {days:,.0f} days", lengths, "fewer values")
    return plan


def _unwrapped(data: Any) -> Any:
    """Tables as TOML has them, where Python may have arrays and tuples."""
    if isinstance(data, Mapping):
        return {key: _unwrapped(value) for key, value in data.items()}
    return [*map(_unwrapped, data)] if isinstance(data, (list, tuple)) else unwrapped(data)


def _with_values(bound: BoundConfig, values: Mapping[str, Any]) -> BoundConfig:
    """The bound with some of its constants and exponents."""
    exponents = bound.exponents()
    constants = {name: x for name, x in values.items() if name not in exponents}
    options = {name: x for name, x in values.items() if name in exponents}
    return replace(bound, constants={**bound.constants, **constants}, options={**bound.options, **options})


# --- what is swept ---


def _sweepable(bound: BoundConfig) -> tuple[str, ...]:
    """What can be swept of a bound: its constants, its exponents, and held hyperparameters."""
    constants, _ = bound.takes()
    return (*constants, *bound.exponents(), *bound.held_names)


def _read_constants(bound: BoundConfig, data: Mapping[str, Any]) -> dict[str, Any]:
    """What [constants] says, by name: a number, a tuple of numbers, or a log range {"lo", "hi", "n"}."""
    known = _sweepable(bound)
    values: dict[str, Any] = {}
    for given, value in data.items():
        name = name_here(given, known)
        if name not in known:
            raise unknown(f"constant of the bound {bound.name}", given, known)
        if name in values:
            raise bad(f"{name} is given once", given, "one of the two")
        if name in bound.constants or name in bound.options:
            raise bad(f"{name} stands in [bound] and in [constants]", value, "it in one of the two")
        if isinstance(value, Mapping):
            check_keys(f"key of the range of {name}", value, ("lo", "hi", "n"))
            if set(value) != {"lo", "hi", "n"}:
                example = f"{name} = {{ lo = 1e-3, hi = 1e3, n = 25 }}"
                raise bad(f"a log range of {name} has lo, hi and n", dict(value), example)
            if name == "beta":
                alpha_of(value)  # which has no log range
            lo, hi = _read_value(bound, name, value["lo"]), _read_value(bound, name, value["hi"])
            if lo == 0 and name not in bound.exponents():
                raise bad(f"a log range of {name} begins above 0", dict(value), f"{name} = [0.0, 0.1, 1.0], say")
            if lo >= hi:
                raise bad(f"a log range of {name} needs lo < hi", dict(value), "the smaller end first")
            of_exponent = name in bound.exponents()
            n = check_count(f"n of {name}", value["n"], least=2, most=_MOST_EXPONENTS if of_exponent else math.inf)
            values[name] = _even(lo, hi, n) if of_exponent else {"lo": lo, "hi": hi, "n": n}
        elif isinstance(value, list):
            if not value:
                raise bad(f"a list of {name} has one value or more", value, f"{name} = [1.0, 10.0], say")
            values[name] = tuple(_read_value(bound, name, x) for x in value)
            if len({*map(float, values[name])}) < len(value):
                raise bad(f"the values of {name} differ", value, "each once")
        else:
            values[name] = _read_value(bound, name, value)
    return values


def _even(lo: Any, hi: Any, n: int) -> tuple[Any, ...]:
    """Exponents from one end to the other, at even distances of decimals: 0.1, 0.2, and no 0.30000000000000004."""
    first, last = (Fraction(str(end)) for end in (lo, hi))
    return tuple(_as_float(first + (last - first) * k / (n - 1)) for k in range(n))


def _as_float(exact: Fraction) -> float | Fraction:
    """An exponent as a float where that, as it is written, is the same number: 0.1 is, and of 1/3 there is none."""
    return float(exact) if as_written(float(exact)) == exact else exact


def _read_value(bound: BoundConfig, name: str, value: Any) -> Any:
    """A value that a swept name may take, a float; of an exponent that none is, the fraction that was written."""
    if name in bound.exponents():
        of = BOUNDS[bound.name].exponents[name].check if bound.formula is None else check_exponent
        return _as_float(of(name, value))
    if name == "beta":
        alpha_of(value)
        return float(value)
    if name in bound.space.hyperparameters:
        return bound.space.check(name, value)
    return check_constants({name: value})[name]


def _read_rows(bound: BoundConfig, value: Any, folder: Path) -> dict[str, tuple[Any, ...]]:
    """The columns of a CSV file whose header names what is swept; where a row is wrong, which one."""
    if not isinstance(value, str):
        raise bad("rows names a CSV file", value, 'rows = "constants.csv"')
    path = folder / value
    rule = "the table of rows must be a readable CSV file"
    try:
        lines = [line for line in csv.reader(io.StringIO(read_text(path, rule, _LARGEST), newline="")) if line]
    except csv.Error as error:
        raise bad(f"{rule} ({error})", str(path), "the path of one") from None
    if len(lines) < 2:
        raise bad("a table of rows has a header and a row", str(path), "C1,C2 and then numbers, say")
    known = _sweepable(bound)
    names = [name.strip() for name in lines[0]]
    # Whatever file this is by mistake is not printed.
    if not all(re.fullmatch(r"[A-Za-z_]\w{0,29}", name, re.ASCII) for name in names):
        rule = "the first line of a table of rows has the names of its columns, and they are no names here"
        raise bad(rule, str(path), "C1,C2 there, and numbers below, say")
    names = [name_here(name, known) for name in names]
    for name in names:
        if name not in known:
            raise unknown(f"column of {path.name}", name, known)
        if names.count(name) > 1:
            raise bad(f"the columns of {path.name} differ", names, f"{name} once")
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for number, cells in enumerate(lines[1:], start=2):
        row = f"{path.name}, row {number}"
        if len(cells) != len(names):
            raise bad(
                f"{row}: a row has a number for each of {', '.join(names)}", f"{len(cells)} cells", f"{len(names)}"
            )
        for name, cell in zip(names, cells):
            try:
                value = without_unit(cell) if name == "b" else cell
                value = cell.strip() if name in bound.exponents() else float(value)
                columns[name].append(_read_value(bound, name, value))
            except InputError as error:
                raise InputError(f"{row}: {error}") from None
            except ValueError:
                raise bad(f"{row}: {name} is a number", cell, "1.0, say") from None
    for name in (name for name in names if name in bound.exponents()):
        if len({*columns[name]}) > len({*map(float, columns[name])}):
            raise bad(f"two values of {name} in {path.name} are one in 16 digits", name, "it in one way")
    return {name: tuple(column) for name, column in columns.items()}


# --- regimes ---


def _read_regimes(
    space: Space, value: Any, held: Mapping[str, float], swept: Mapping[str, Any], min_K: Any
) -> dict[str, Regime]:
    """The regimes by name; what [constants] holds at one value is held under every one."""
    entries = [value] if isinstance(value, Mapping) else value
    if not isinstance(entries, list) or not entries or not all(isinstance(x, Mapping) for x in entries):
        raise bad("a sweep has one regime or more", value, "[[regime]] with tuned = [...], once for each")
    named = {*space.words} - {*space.budget_names}
    holding = {name: space.complements.get(name, name) for name in swept if name in named}
    names, regimes = [], []
    for entry in entries:
        check_keys("key of a regime", entry, ("name", "tuned", "fixed", "path", "caps"))
        tuned = entry.get("tuned")
        if not isinstance(tuned, list) or not tuned:
            raise bad("a regime names what is tuned", tuned, 'tuned = ["eta", "b"], say')
        fixed, path, caps = (table_of(entry, key) for key in ("fixed", "path", "caps"))
        regime = Regime(tuple(tuned), {**fixed, **held}, path, caps, min_K, space)
        for name, v in holding.items():
            if v in (*regime.tuned, *regime.fixed, *regime.path) or list(holding.values()).count(v) > 1:
                rule = f"{name} is swept, so that every regime holds it, and nothing else says where"
                raise bad(rule, dict(entry), f"a sweep without {name}, or regimes that only hold it")
        names.append(entry.get("name", " ".join(regime.tuned)))
        regimes.append(regime)
        if not check_line("name", names[-1]):
            raise bad("a regime's name is text", names[-1], 'name = "joint", say')
        check_formulas("name", names[-1])
    if len(set(names)) < len(names):
        raise bad("regimes have names that differ", names, 'name = "..." in each')
    return dict(zip(names, regimes))
