"""What a sweep is made of, from TOML to frozen dataclasses. No NumPy: a mistake is answered at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hpgrid.checks import (
    TUNABLE,
    InputError,
    bad,
    check_choice,
    check_keys,
    check_value,
    complement,
    is_number,
    table_of,
)
from hpgrid.config import BoundConfig, GridConfig, called, parse_bound, parse_grid, read_toml
from hpgrid.sweeps.values import HELD, hyperparameter, parse_constants, read_rows

#: Combinations beyond which a sweep is refused.
MOST = 10**9

#: Seconds for a combination under one regime at 100 budgets, on two CPU cores, to say how long too many would take;
#: as ``benchmarks/store.py`` measures it.
_SECONDS = 0.0015


@dataclass(frozen=True)
class NamedRegime:
    """A tuning regime, by the name it has in the result."""

    name: str
    tuned: tuple[str, ...]
    fixed: Mapping[str, float] = field(default_factory=dict)
    path: Mapping[str, str] = field(default_factory=dict)
    caps: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """A sweep.

    Attributes:
        bound: the bound, with the constants that are one number, and its options.
        swept: by name, what takes several values: a bound's constant, its q, or a held hyperparameter. Each is a
            tuple of numbers or a log range {"lo", "hi", "n"}.
        combine: "all" combinations of them, or "rows", the first of each, the second of each, and so on.
        grid: where the bound is evaluated; its budget is the result's last axis.
        regimes: what is tuned, once or more.
        min_K: the smallest number of iterations that a cell may have, or None.
    """

    bound: BoundConfig
    swept: Mapping[str, Any]
    combine: str
    grid: GridConfig
    regimes: tuple[NamedRegime, ...]
    min_K: float | None = None

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

    def describe(self) -> dict[str, Any]:
        """Return the plan as plain data: what a store is compared by."""
        return {
            "bound": self.bound.describe(),
            "swept": {k: dict(x) if isinstance(x, Mapping) else list(x) for k, x in self.swept.items()},
            "combine": self.combine,
            "grid": {"preset": self.grid.preset, "n": self.grid.n, **self.grid.axes},
            "regimes": [
                {"name": r.name, "tuned": list(r.tuned)}
                | {key: dict(getattr(r, key)) for key in ("fixed", "path", "caps") if getattr(r, key)}
                for r in self.regimes
            ],
            "min_K": self.min_K,
        }


def restore(described: Mapping[str, Any]) -> Plan:
    """Return the plan that a store describes, as ``Plan.describe`` wrote it."""
    return Plan(
        parse_bound(described["bound"]),
        {k: dict(x) if isinstance(x, Mapping) else tuple(x) for k, x in described["swept"].items()},
        described["combine"],
        parse_grid(described["grid"]),
        tuple(NamedRegime(**{**each, "tuned": tuple(each["tuned"])}) for each in described["regimes"]),
        described["min_K"],
    )


def load(path: Path, formula: str | None = None) -> Plan:
    """Return the plan in a TOML file; a table of rows is looked for beside it.

    Args:
        path: the file.
        formula: a bound as text, in place of the file's.

    Raises:
        ValueError: the file, or its table, is missing or malformed, or has a key or a value that can't be.
    """
    data = read_toml(path)
    where = str(path)
    if formula is not None:
        data["bound"], where = formula, f"{path} with --bound"
    try:
        return parse(data, path.parent)
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
    check_keys("key of a sweep", data, ("bound", "constants", "rows", "grid", "regime", "min_K"))
    named = called(data["bound"]) if isinstance(data.get("bound"), str) else table_of(data, "bound")
    bound = parse_bound(named)
    values = parse_constants(bound, table_of(data, "constants"))
    rows = read_rows(bound, data["rows"], folder) if "rows" in data else {}
    for name in rows:
        if name in values or name in named:
            raise bad(f"{name} stands in the table of rows and in the config", name, "it in one of the two")
    single = {name: x for name, x in values.items() if is_number(x)}
    swept = {name: x for name, x in values.items() if name not in single}
    if not swept and not rows:
        # One combination: an axis of one value, of the first constant that was given.
        first = next((name for name in single if name not in HELD), None)
        if first is None:
            raise bad(
                "a sweep has constants", sorted(values), "C2 = { lo = 1e-2, hi = 1e3, n = 16 } in [constants], say"
            )
        swept = {first: (single.pop(first),)}
    if rows and swept:
        rule = "beside a table of rows, constants are single numbers"
        raise bad(rule, sorted(swept), "them as columns of the table")
    regimes = _parse_regimes(data.get("regime"), {n: x for n, x in single.items() if n in HELD}, rows or swept)
    bound = _with_singles(bound, {name: x for name, x in single.items() if name not in HELD})
    min_K = data.get("min_K")
    if min_K is not None and not (is_number(min_K) and min_K > 0):
        raise bad("min_K must be positive and finite", min_K, "min_K = 1, say")
    grid = parse_grid(table_of(data, "grid"))
    swept_too = dict.fromkeys(rows or swept, 1.0)
    replace(bound, constants={**bound.constants, **{n: 1.0 for n in swept_too if n not in HELD}}).check()
    plan = Plan(bound, rows or swept, "rows" if rows else "all", grid, regimes, min_K)
    if plan.combinations > MOST:
        raise _too_many(plan)
    return plan


def _too_many(plan: Plan) -> InputError:
    given = " x ".join(f"{n} {name}" for name, n in plan.lengths.items())
    days = plan.combinations * len(plan.regimes) * _SECONDS / 86400
    rule = f"{plan.combinations:.3g} combinations are more than a sweep takes, {MOST:.0e}"
    return bad(f"{rule}: on two CPU cores they would take {days:,.0f} days", given, "fewer values")


def _with_singles(bound: BoundConfig, single: Mapping[str, float]) -> BoundConfig:
    exponents = bound.exponents()
    constants = {name: x for name, x in single.items() if name not in exponents}
    options = {name: x for name, x in single.items() if name in exponents}
    return replace(bound, constants={**bound.constants, **constants}, options={**bound.options, **options})


# --- regimes ---


def _parse_regimes(given: Any, single: Mapping[str, float], swept: Mapping[str, Any]) -> tuple[NamedRegime, ...]:
    entries = [given] if isinstance(given, Mapping) else given
    if not isinstance(entries, list) or not entries or not all(isinstance(x, Mapping) for x in entries):
        raise bad("a sweep has one regime or more", given, "[[regime]] with tuned = [...], once for each")
    regimes = tuple(_parse_regime(entry, single, swept) for entry in entries)
    names = [regime.name for regime in regimes]
    for name in names:
        if names.count(name) > 1:
            raise bad("regimes have names that differ", names, 'name = "..." in each')
    return regimes


def _parse_regime(data: Mapping[str, Any], single: Mapping[str, float], swept: Mapping[str, Any]) -> NamedRegime:
    check_keys("key of a regime", data, ("name", "tuned", "fixed", "path", "caps"))
    tuned = data.get("tuned")
    if not isinstance(tuned, list) or not tuned:
        raise bad("a regime names what is tuned", tuned, 'tuned = ["eta", "b"], say')
    for name in tuned:
        check_choice("tuned axis", name, TUNABLE)
    fixed = {name: check_value(name, x) for name, x in table_of(data, "fixed").items()}
    fixed |= {hyperparameter(name): complement(x) if name == "beta" else x for name, x in single.items()}
    held = {name: hyperparameter(name) for name in swept if name in HELD}
    path = {name: str(x) for name, x in table_of(data, "path").items()}
    for name, v in held.items():
        if v in tuned or v in fixed or v in path or list(held.values()).count(v) > 1:
            rule = f"{name} is swept, so that every regime holds it, and nothing else says where"
            raise bad(rule, dict(data), f"a sweep without {name}, or regimes that only hold it")
    caps = {name: check_value(name, x) for name, x in table_of(data, "caps").items()}
    title = data.get("name", " ".join(v for v in TUNABLE if v in tuned))
    if not isinstance(title, str) or not title:
        raise bad("a regime's name is text", title, 'name = "joint", say')
    return NamedRegime(title, tuple(v for v in TUNABLE if v in tuned), fixed, path, caps)
