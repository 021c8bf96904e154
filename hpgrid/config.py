"""What a figure is made of, from TOML to frozen dataclasses; an unknown key is an error.

Nothing here loads NumPy or JAX, so that a mistake in a file is answered at once.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from functools import cached_property, partial
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpgrid.bounds import BOUNDS
from hpgrid.checks import (
    DTYPES,
    MOST_VALUES,
    InputError,
    Key,
    bad,
    check_choice,
    check_constants,
    check_count,
    check_exponent,
    check_flag,
    check_keys,
    is_number,
    read_table,
    table_of,
    without_unit,
)
from hpgrid.parameters import with_own
from hpgrid.record import read_text
from hpgrid.regime import Regime
from hpgrid.variables import STANDARD, Space, ends_of, settings

if TYPE_CHECKING:
    from hpgrid.formula.syntax import Expression
    from hpgrid.grid import Grid
    from hpgrid.proxy import FunctionProxy, Proxy

#: The grids there are.
PRESETS = ("footnote", "captions")


@dataclass(frozen=True)
class BoundConfig:
    """A bound by name, or written as a formula, with its constants and options.

    Attributes:
        name: one of ``BOUNDS``, or what to call the formula.
        constants: the values of constants.
        options: the values of options; of a formula, of what stands in its exponents.
        formula: the bound as text, in place of a name.
        domain: conditions under which it holds, as text.
        variables: what it declares of its own, as ``declared`` reads it.
        floors: smallest values of hyperparameters.
        above: the constant term that is taken from the risk, or "".
    """

    name: str = "lmo"
    constants: Mapping[str, float] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    formula: str | None = None
    domain: tuple[str, ...] = ()
    variables: Any = ()
    floors: Mapping[str, float] = field(default_factory=dict)
    above: str = ""

    @cached_property
    def space(self) -> Space:
        """The variables of the bound, as it has them once it is built: a floor of beta is a condition of its domain."""
        space = BOUNDS[self.name].space if self.formula is None else STANDARD
        if self.variables:
            from hpgrid.formula.declared import declared

            space = declared(self.variables)
        return space.with_floors(ends_of(self.floors, {}, space)[0]) if self.floors else space

    @property
    def held_names(self) -> tuple[str, ...]:
        """What may be held: hyperparameters, and their complements."""
        return tuple(word for word in self.space.words if word not in self.space.budget_names)

    @cached_property
    def budget(self) -> str:
        """The budget that is asked about where nobody says which: one that the bound declares, K alone, else tokens."""
        if self.expression is None:
            return BOUNDS[self.name].budget
        named = {*self.expression.variables()}
        budgets = [name for name in self.space.budget_names if name in named]
        own = [name for name in budgets if name not in STANDARD.budget_names]
        alone = budgets == ["K"] and self.space.batch not in named
        return own[0] if own else "K" if alone else self.space.budget_names[0]

    @cached_property
    def expression(self) -> Expression | None:
        """The formula and its domain as they were read; None for a bound by name."""
        if self.formula is None:
            return None
        from hpgrid.formula.syntax import read, read_domain

        return replace(read(self.formula, self.space), domain=read_domain(self.domain, self.space))

    def takes(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the names of its constants, and of its options."""
        if self.expression is None:
            row = BOUNDS[self.name]
            return tuple(row.constants), tuple(row.kinds)
        own = self.expression.coefficients()
        return own, tuple(name for name in self.expression.names() if name not in own)

    def exponents(self) -> tuple[str, ...]:
        """Return what stands in exponents, if elsewhere, too: what may be swept, but one search for each value."""
        if self.expression is not None:
            within = self.expression.in_exponents()
            return tuple(name for name in self.expression.names() if name in within)
        return tuple(name for name, kind in BOUNDS[self.name].kinds.items() if kind == "exponent")

    def check(self) -> None:
        """Refuse a formula in which a name has no value.

        Raises:
            ValueError: which.
        """
        if self.expression is not None:
            self.expression.check_values({**self.constants, **self.options})

    def remarks(self) -> tuple[str, ...]:
        """Return what the formula means where a person may have meant something else."""
        return () if self.expression is None else self.expression.remarks

    def build(self, budget: str) -> Proxy | FunctionProxy:
        """Return the bound in a budget, T or K say.

        Raises:
            ValueError: what is taken from the risk is no term of it.
        """
        whole = self._whole(budget)
        whole = whole.with_floors(**self.floors) if self.floors else whole
        return whole.without(self.above) if self.above else whole

    def _whole(self, budget: str) -> Proxy | FunctionProxy:
        values = {**self.constants, **self.options}
        if self.expression is not None:
            from hpgrid.formula.bound import build

            return build(self.expression, values, name=self.name).form(budget)
        from hpgrid import bounds

        proxy: Proxy | FunctionProxy = getattr(bounds, self.name)(**values, budget=budget)
        domain: Any = self.domain  # read where the bound is asked
        return replace(proxy, domain=(*proxy.domain, *domain)) if domain else proxy

    def describe(self) -> dict[str, Any]:
        """Return the bound as the table that ``parse_bound`` reads."""
        called: dict[str, Any] = {"name": self.name} if self.formula is None else {"formula": self.formula}
        values = {**self.constants, **self.options}
        called |= {"domain": list(self.domain)} if self.domain else {}
        called |= {"variables": self.variables} if self.variables else {}
        called |= {"floors": dict(self.floors)} if self.floors else {}
        called |= {"above": self.above} if self.above else {}
        return {**called, **{name: str(x) if isinstance(x, Fraction) else x for name, x in values.items()}}


@dataclass(frozen=True)
class GridConfig:
    """A preset, with some axes of one's own: ranges {lo, hi, n}, lists of values, or held values."""

    preset: str = "footnote"
    n: int = 100
    axes: Mapping[str, Any] = field(default_factory=dict)
    space: Space = STANDARD
    budget: str | None = None

    def describe(self) -> dict[str, Any]:
        """Return the grid as the table that ``parse_grid`` reads."""
        own = dict(self.axes)
        return {"preset": self.preset, "n": self.n, **({"axes": own} if {*own} & {*GRID} else own)}

    def build(self, axes: Mapping[str, Any] | None = None) -> Grid:
        """Return the grid, ``axes`` taking the place of its own."""
        from hpgrid.grid import Grid, LogAxis

        own = {**self.axes, **(axes or {})}
        own |= {v: LogAxis(x["lo"], x["hi"], x.get("n", self.n)) for v, x in own.items() if isinstance(x, Mapping)}
        return getattr(Grid, self.preset)(self.n, self.space, self.budget).with_axes(**own)


@dataclass(frozen=True)
class Panel:
    """One regime of a figure, with axes of its own."""

    regime: Regime
    axes: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""

    @property
    def tuned(self) -> tuple[str, ...]:
        """What its regime tunes."""
        return self.regime.tuned

    @property
    def fixed(self) -> Mapping[str, float]:
        """What its regime holds, by name."""
        return self.regime.fixed


@dataclass(frozen=True)
class Config:
    """A figure: the bound, the grid, the regimes, and how it is shown.

    Attributes:
        figure: which figure of the paper this is a version of.
        bound: the bound and its constants.
        grid: where it is evaluated.
        panels: the regimes, one for the figures of curves, one per panel for contours.
        parameters: what a figure is made from that is no grid search, in place of all but its name.
        window: smallest and largest budget that a slope is fitted over; where it is None, from the
            end of the burn-in to the largest budget.
        curves: how many thin curves, or contour levels, are shown.
        dtype: the precision of the search.
        refined: whether the continuous optimum is drawn over the grid's.
    """

    figure: str
    bound: BoundConfig = field(default_factory=BoundConfig)
    grid: GridConfig = field(default_factory=GridConfig)
    panels: tuple[Panel, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    window: tuple[float, float] | None = None
    curves: int = 11
    dtype: str = "float64"
    refined: bool = False

    def describe(self) -> dict[str, Any]:
        """Return the config as plain data, for a record on disk."""
        panels: list[dict[str, Any]] = [
            {"tuned": p.tuned, "fixed": dict(p.fixed), "axes": p.axes, "title": p.title}
            | ({"path": {v: str(x) for v, x in p.regime.path.items()}} if p.regime.path else {})
            | ({"caps": dict(p.regime.caps)} if p.regime.caps else {})
            for p in self.panels
        ]
        # asdict would copy a regime's mappings as they are; JSON wants tables.
        everything = {**asdict(replace(self, panels=())), "panels": panels}
        everything["grid"] = {"preset": self.grid.preset, "n": self.grid.n, "axes": dict(self.grid.axes)}
        for key in _BESIDE[1:]:
            if not everything["bound"][key]:
                del everything["bound"][key]
        used = ("figure", "parameters", "dtype") if self.parameters else everything
        return {key: everything[key] for key in used}


def shipped(name: str) -> Path:
    """Return where the config of a figure lies: in the checkout, or in the installed package."""
    checkout = Path(__file__).resolve().parent.parent / "configs" / f"{name}.toml"
    return checkout if checkout.is_file() else Path(str(resources.files("hpgrid"))) / "configs" / f"{name}.toml"


def load(path: Path) -> Config:
    """Return the config in a TOML file.

    Raises:
        ValueError: the file is missing or malformed, or has a key or a value that can't be.
    """
    data = read_toml(path)
    try:
        return parse(data)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def read_toml(path: Path) -> dict[str, Any]:
    """Return what a TOML file says, unchecked.

    Raises:
        ValueError: it can't be read, or is no TOML.
    """
    text = read_text(path, "a config must be a readable TOML file")
    try:
        return tomllib.loads(text)
    except RecursionError:
        reason = "tables or lists too deep within each other"
    # A number of thousands of digits is none of tomllib's own errors.
    except ValueError as error:
        reason = str(error)
    raise bad(f"a config must be valid TOML ({reason})", str(path), "TOML, as in configs/fig1.toml")


def parse(data: Mapping[str, Any]) -> Config:
    """Return the config that parsed TOML describes.

    Raises:
        ValueError: an unknown key, or a value out of its range.
    """
    if not isinstance(data.get("figure"), str):
        raise bad("a config names its figure", data.get("figure"), 'figure = "fig1", say')
    # A figure that is no grid search takes what its shipped config has, and nothing else.
    path = shipped(data["figure"])
    own = read_toml(path).get("parameters") if path.is_file() else None
    if own:
        check_keys("key", data, ("figure", "parameters"))
        return Config(data["figure"], parameters=with_own(own, table_of(data, "parameters")))
    found = read_table("key", FIGURE, data)
    if ("regime" in data) == ("panel" in data):
        raise bad("a config has one [regime] or some [[panel]]s", sorted(data), "one of the two")
    panels = data["panel"] if "panel" in data else [data["regime"]]
    if not isinstance(panels, list) or not panels:
        raise bad("panels are an array of tables", panels, "[[panel]] with its own lines, once for each")
    shown = {key: found[key] for key in ("window", "curves", "dtype", "refined")}
    bound = parse_bound(bound_table(data))
    check_constants(bound.constants, bound.constants)  # its overlays divide by them
    grid = parse_grid(table_of(data, "grid"), bound.space)
    return Config(data["figure"], bound, grid, tuple(_parse_panel(panel, bound.space) for panel in panels), **shown)


#: What may stand beside a bound in a file.
_BESIDE = ("domain", "variables", "floors", "above")


def bound_table(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a file says of its bound as one table, unchecked.

    It says bound = "a name or a formula", perhaps domain = [...], and [constants]; or a table [bound].
    """
    given, constants = data.get("bound", {}), table_of(data, "constants")
    if not isinstance(given, (str, Mapping)):
        raise bad("bound is a name, a formula, or a table", given, 'bound = "C1*b/(eta*T) + C2*eta", say')
    table = with_beside(called(given) if isinstance(given, str) else given, data)
    twice = sorted(set(table) & set(constants))
    if twice:
        raise bad(f"{twice[0]} stands in [bound] and in [constants]", constants[twice[0]], "it in one of the two")
    return {**table, **constants}


def with_beside(table: Mapping[str, Any], beside: Mapping[str, Any]) -> dict[str, Any]:
    """Return a bound's table with the domain and the variables that stand beside it in a file, unchecked."""
    more = {key: beside[key] for key in _BESIDE if key in beside}
    for key in more:
        if key in table:
            raise bad(f"the {key} stands in [bound] and beside it", beside[key], "it in one of the two")
    return {**table, **more}


def with_more(table: Mapping[str, Any], key: str, more: Iterable[str] | None) -> dict[str, Any]:
    """Return a bound's table with further conditions in its domain, or further variables."""
    own = table.get(key, [])
    if more and isinstance(own, Mapping):
        raise bad(f"{key} stand in one place", list(more), "them in the file alone")
    listed = [own] if isinstance(own, str) else own
    return {**table, key: [*listed, *more]} if more and isinstance(listed, list) else dict(table)


def called(text: str) -> dict[str, str]:
    """Return a bound's table from how it is called: {"name": ...}, or {"formula": ...} where it is no single word."""
    word = re.fullmatch(r"\s*[A-Za-z_]\w*\s*", text, re.ASCII)
    return {"name": text.strip()} if word and text.strip() not in STANDARD.all else {"formula": text}


def parse_bound(data: Mapping[str, Any]) -> BoundConfig:
    """Return a bound from its table: its name, or its formula, and beside it constants and options.

    Raises:
        ValueError: there is no such bound, the formula is none, or a key or a value can't be.
    """
    own: dict[str, Any] = {"variables": data["variables"]} if "variables" in data else {}
    own |= {"floors": dict(table_of(data, "floors"))} if "floors" in data else {}
    own |= {"above": data["above"]} if "above" in data else {}
    if not isinstance(own.get("above", ""), str):
        raise bad("above is the constant that is taken from the risk", data["above"], 'above = "E", say')
    if "formula" in data:
        own |= {"name": "formula", "formula": data["formula"]}
    else:
        own["name"] = check_choice("bound", data.get("name", "lmo"), BOUNDS)
        if "variables" in own:
            rule = f"the bound {own['name']} has variables of its own"
            raise bad(rule, own["variables"], "a formula, which may declare some")
    if "domain" in data:
        from hpgrid.formula.syntax import read_domain

        own["domain"] = tuple(each.text for each in read_domain(data["domain"], BoundConfig(**own).space))
    if "formula" in data:
        return _parse_formula(data, BoundConfig(**own))
    name = own["name"]
    constants, options = BOUNDS[name].constants, BOUNDS[name].kinds
    check_keys(f"key of the bound {name}", data, ("name", "domain", "floors", "above", *constants, *options))
    chosen = check_constants({k: v for k, v in data.items() if k in constants})
    return BoundConfig(**own, constants=chosen, options={k: v for k, v in data.items() if k in options})


def _parse_formula(data: Mapping[str, Any], empty: BoundConfig) -> BoundConfig:
    """A bound written as text; a constant without a value may still get one."""
    if "name" in data:
        raise bad("a bound has a name or a formula", data["name"], "one of the two")
    assert empty.expression is not None
    constants, exponents = empty.takes()
    given = {name: value for name, value in data.items() if name not in ("formula", *_BESIDE)}
    if given and not (constants or exponents):
        raise bad("this bound has no constants", sorted(given)[0], "a formula that names it")
    check_keys("constant of this bound", given, (*constants, *exponents))
    # A name may stand in an exponent and in front of a term: then its value has to be exact, and positive.
    both = [name for name in constants if name in empty.expression.in_exponents()]
    chosen: dict[str, Any] = check_constants({k: v for k, v in given.items() if k in constants and k not in both})
    for name in (name for name in both if name in given):
        chosen[name] = check_exponent(name, given[name])
        check_constants({name: chosen[name]})
    powers = {k: check_exponent(k, v) for k, v in given.items() if k in exponents}
    return replace(empty, constants=chosen, options=powers)


def parse_grid(data: Mapping[str, Any], space: Space = STANDARD, budget: str | None = None) -> GridConfig:
    """Return a grid from its table.

    Args:
        data: the table.
        space: the variables of the bound.
        budget: that of the grid where the table has no axis of another; the first by default.
    """
    data = settings(data, space)
    # A variable may be called n, too: in [grid.axes] it is one.
    axes = dict.fromkeys(space.names, Key(partial(_parse_axis, space)))
    within = read_table("axis", axes, settings(table_of(data, "axes"), space))
    found = read_table("key of [grid]", {**GRID, **{v: key for v, key in axes.items() if v not in GRID}}, data)
    given = {name: found[name] for name in data if name in axes and name not in GRID}
    given |= {name: x for name, x in within.items() if x is not None}
    own = {name: given[name] for name in space.ordered(given)}
    return GridConfig(found["preset"], found["n"], own, space, budget)


def _parse_axis(space: Space, name: str, given: Any) -> Any:
    """An axis of one's own: {lo, hi, n}, a list of values, or one held value."""
    if isinstance(given, Mapping):
        check_keys(f"key of the axis {name}", given, ("lo", "hi", "n"))
        if not {"lo", "hi"} <= set(given):
            raise bad(f"the axis {name} needs lo and hi", dict(given), f"{name} = {{ lo = 1e-3, hi = 1.0 }}, say")
        lo, hi = space.check(name, given["lo"]), space.check(name, given["hi"])
        if lo >= hi:
            raise bad(f"the axis {name} needs lo < hi", dict(given), "the smaller end first")
        return {"lo": lo, "hi": hi} | ({"n": check_count("n", given["n"], 2, MOST_VALUES)} if "n" in given else {})
    if isinstance(given, list):
        return [space.given(name, value) for value in given]
    return space.given(name, given)


def check_line(what: str, given: Any) -> str:
    """Return what is given if it is one line of text."""
    if not isinstance(given, str) or not given.isprintable():
        raise bad(f"{what} is one line of text", given, f"{what} = 'joint', say")
    return given


def check_formulas(what: str, text: str) -> None:
    """Refuse text that a picture can't show, after all is computed; Matplotlib is loaded where it has formulas.

    Raises:
        ValueError: what stands between its $ signs is no formula.
    """
    if "$" not in text:
        return
    from matplotlib.cbook import is_math_text
    from matplotlib.mathtext import MathTextParser

    try:
        MathTextParser("path").parse(text if is_math_text(text) else "")
    except ValueError:
        rule = f"between the $ signs of {what} stands a formula that Matplotlib can set"
        raise bad(rule, text, f"{what} = '$\\alpha = 0.1$', say") from None


def _parse_panel(data: Any, space: Space) -> Panel:
    if not isinstance(data, Mapping):
        raise bad("a regime is a table", data, "[regime] with its own lines")
    data = settings(data, space)
    check_keys("key of a regime", data, ("title", *space.names, "tuned", "fixed"))
    tuned = data.get("tuned", [])
    if not isinstance(tuned, list):
        raise bad("tuned is a list of names", tuned, 'tuned = ["eta", "b"], say')
    regime = Regime(tuple(tuned), table_of(data, "fixed"), space=space)
    for name, value in regime.fixed.items():
        space.given(name, value)
    regime.check_tuned()
    axes = {name: _parse_axis(space, name, data[name]) for name in space.ordered(data)}
    return Panel(regime, axes, check_line("title", data.get("title", "")))


def _parse_window(_: str, given: Any) -> tuple[float, float]:
    given = without_unit(given)
    if not (isinstance(given, list) and len(given) == 2 and all(is_number(x) and x > 0 for x in given)):
        raise bad("a window is two budgets", given, "window = [1e12, 1e22], say")
    lo, hi = (float(x) for x in given)
    if lo >= hi:
        raise bad("a window needs lo < hi", given, "the smaller end first")
    return lo, hi


#: The keys of [grid].
GRID = {
    "preset": Key(lambda _, given: check_choice("grid", given, PRESETS), "footnote"),
    "n": Key(partial(check_count, least=2, most=MOST_VALUES), 100),
    "axes": Key(lambda _, given: given, {}),
}


#: What a file says of its bound.
OF_BOUND = ("bound", *_BESIDE, "constants")

#: The keys of a figure's config; a bound and its regimes are read by functions of their own.
FIGURE = {
    **dict.fromkeys(("figure", *OF_BOUND, "grid", "regime", "panel"), Key(lambda _, given: given)),
    "window": Key(_parse_window),
    "curves": Key(partial(check_count, least=1), 11),
    "dtype": Key(partial(check_choice, choices=DTYPES), "float64"),
    "refined": Key(check_flag, False),
}


def override(
    config: Config,
    *,
    bound: BoundConfig | None = None,
    constants: Mapping[str, float] | None = None,
    domain: Iterable[str] | None = None,
    preset: str | None = None,
    n: int | None = None,
    dtype: str | None = None,
    refined: bool | None = None,
) -> Config:
    """Return a config with what the command line says in place of its own.

    Raises:
        ValueError: a value out of its range, or anything at all for a figure that is no grid search.
    """
    of_bound = {"bound": bound, "constants": constants or None, "domain": domain}
    said = {**of_bound, "grid": preset, "n": n, "dtype": dtype, "refined": refined}
    given = {name: value for name, value in said.items() if value is not None}
    if config.parameters and given:
        raise bad(f"{config.figure} is no grid search and takes none of these", given, "a config with [parameters]")
    bound, grid = bound or config.bound, config.grid
    if constants:
        check_keys(f"constant of the bound {bound.name}", constants, bound.takes()[0])
        bound = replace(bound, constants={**bound.constants, **check_constants(constants, constants)})
    if domain:
        bound = parse_bound(with_more(bound.describe(), "domain", domain))
    bound.check()
    of_grid = {name: GRID[name].read(name, x) for name, x in (("preset", preset), ("n", n)) if x is not None}
    if preset is not None:
        # A preset chosen by hand brings its own tuned axes; a budget of the figure's own stays.
        of_grid["axes"] = {name: axis for name, axis in grid.axes.items() if name in ("T", "K")}
    shown = {name: FIGURE[name].read(name, given[name]) for name in ("dtype", "refined") if name in given}
    return replace(config, bound=bound, grid=replace(grid, **of_grid), **shown)
