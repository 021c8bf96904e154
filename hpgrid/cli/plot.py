"""``hpgrid plot``: the figures' layouts for any bound and regime."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from hpgrid.checks import DTYPES, bad, check_choice
from hpgrid.cli import options
from hpgrid.cli.options import about
from hpgrid.cli.reproduce import check_table, write_pictures
from hpgrid.config import Config, Panel
from hpgrid.progress import asking, progress
from hpgrid.regime import Regime
from hpgrid.text import to_width
from hpgrid.variables import STANDARD, Space, settings

if TYPE_CHECKING:
    from hpgrid.paper.data import FigureData

#: The layouts, and which of the papers' figures have them.
LAYOUTS = {"curves": "Figures 1, 2 and 9", "contours": "Figures 10 and 11"}


def plot_bound(
    bound: options.Named = None,
    /,
    *,
    layout: Annotated[
        str, about("; ".join(f"{name}: as {figures}" for name, figures in LAYOUTS.items()) + ".")
    ] = "curves",
    tune: Annotated[options.Names, about("What is tuned, such as eta,b; in contours once for each panel.")] = None,
    fix: Annotated[
        options.Names, about("What is held: alpha=0.001 or beta=0.999; in contours once for each panel.")
    ] = None,
    path: options.Follow = None,
    cap: options.Cap = None,
    floor: options.Floor = None,
    set_: options.Set = None,
    written: options.Written = None,
    domain: options.Domain = None,
    above: options.Above = None,
    var: options.Var = None,
    budget: options.Budget = None,
    grid: options.Preset = "footnote",
    n: options.Points = 100,
    axis: options.Axes = None,
    dtype: options.Dtype = "float64",
    refined: Annotated[bool, about(options.REFINED, negative="--no-refined")] = True,
    redraw: Annotated[bool, about("Draw again from what is saved beside --out, computing nothing.")] = False,
    out: Annotated[Path | None, about("The picture: NAME.png, .pdf or .svg.")] = None,
    yes: options.Yes = False,
) -> int:
    """Draw what a bound says about tuning: best risks and optima against the budget, or contours over it and b.

    Contours of a bound in other variables have the one that is neither tuned nor held in place of b.
    Beside the picture go the arrays that it is drawn from (NAME.npz) and a record (NAME.json).
    """
    if out is None:
        raise bad("a plot is written to a file", "no --out", "--out best.png, say")
    options.format_of(out)
    if redraw:
        if bound is not None or written is not None:
            raise bad("--redraw computes nothing, so it takes no bound", bound or written, "one or the other")
        from hpgrid.paper import BOUND_LAYOUTS
        from hpgrid.paper.data import restore

        data = restore(out.stem, out.parent, BOUND_LAYOUTS, f"hpgrid plot BOUND --out {out}")
        return _report(data, _pictures(data, out))
    check_choice("layout", layout, LAYOUTS)
    check_choice("dtype", dtype, DTYPES)
    chosen = options.chosen(bound, set_, written, domain, var, floor, above, cap)
    counted = options.budget_of(budget, chosen)
    roles = options.roles_of(None, path, cap, counted, chosen.space)
    panels = panels_of(layout, tune, fix, chosen.space, **roles)
    axes = options.grid_config(grid, n, axis, counted, chosen.space)
    curves = 20 if layout == "contours" else 11
    ready = fitted(Config(layout, chosen, axes, panels, curves=curves, dtype=dtype, refined=refined), counted)
    # Once all else is checked, since it makes a folder.
    options.check_file(out, "a plot is written to a file", "best.png")
    options.use_compilation_cache()
    with asking(yes), progress("drawing", None):
        from hpgrid.paper import compute
        from hpgrid.paper.data import save

        data = compute(ready, out.stem)
        pictures = _pictures(data, out)  # first: arrays without their picture would be half of it
        return _report(data, [*save(data, out.parent), *pictures])


def panels_of(
    layout: str, tune: options.Names, fix: options.Names, space: Space = STANDARD, **roles: Any
) -> tuple[Panel, ...]:
    """Return a panel with the regime, or in contours one for each --tune and each --fix, side by side."""
    roles.pop("fixed", None)
    if layout == "curves":
        return (_panel(options.names(tune), options.held(fix, space), space, roles),)
    regimes: list[Any] = [Regime(options.names([x]), space=space).tuned for x in tune or [""]]
    held: list[Any] = [settings(options.held([x], space), space) for x in fix or [""]]
    count = max(len(regimes), len(held))
    if min(len(regimes), len(held)) > 1 and len(regimes) != len(held):
        rule = "each panel has a --tune and a --fix, or all share one"
        raise bad(rule, f"{len(regimes)} --tune and {len(held)} --fix", "as many of each")
    if count > 4:
        raise bad("contours have four panels at most", count, "fewer --fix")
    # One --tune or one --fix is every panel's; what a panel tunes, a shared --fix does not hold in it.
    pairs = zip(*(each * count if len(each) == 1 else each for each in (regimes, held)))
    own = [(names, {v: x for v, x in fixed.items() if v not in names}) for names, fixed in pairs]
    return tuple(_panel(names, fixed, space, roles) for names, fixed in own)


def _panel(names: tuple[str, ...], fixed: dict[str, float], space: Space, roles: dict[str, Any]) -> Panel:
    regime = Regime(names, fixed, **roles, space=space)
    regime.check_tuned()
    return Panel(regime)


def fitted(config: Config, budget: str) -> Config:
    """Return the config with titles, and without axes that the bound does not depend on; NumPy loads here."""
    from hpgrid.paper.contours import axis_of
    from hpgrid.paper.pair import held_text
    from hpgrid.plotting.style import declaring, short

    bound = config.bound.build(budget)
    variables = bound.variables()
    panels = []
    of_axis = () if config.figure == "curves" else (axis_of(bound, config.panels),)
    for panel in config.panels:
        replace(panel.regime, tuned=(*panel.tuned, *of_axis)).settled(bound)
        idle = {v: None for v in bound.space.hyperparameters if v not in variables or v in panel.regime.path}
        with declaring(bound.space):
            best = f"best ${', '.join(short(v) for v in panel.tuned)}$"
            title = ", ".join(held_text(v, x) for v, x in panel.fixed.items()) or best
        panels.append(Panel(panel.regime, idle, title))
    return replace(config, panels=tuple(panels))


def _pictures(data: "FigureData", path: Path) -> list[Path]:
    return write_pictures(data, path.parent, (options.format_of(path),))


def _report(data: "FigureData", files: Sequence[Path]) -> int:
    """Say which files there are, what is predicted or why nothing is, and the slopes held against it."""
    for file in files:
        print(file)
    print(to_width([*data.notes.get("does_not_hold", ()), _predictions(data)]))
    if data.checks:
        print(check_table(data))
    return 0


def _predictions(data: "FigureData") -> str:
    """Which exact exponents the dashed lines have."""
    notes = data.notes
    if notes["no_prediction"]:
        return f"no predicted lines: {notes['no_prediction']}"
    if "predicted_best" in notes:
        budget, axis = notes["budget"], notes["axis"]
        each = [_law(axis, budget, p) if p is not None else "none" for p in notes["predicted_best"]]
        why = f"; {axis} has no best value, {notes['no_best']} would give it one" if "no_best" in notes else ""
        return f"predicted lines of the best {axis}: {', '.join(each)}{why}"
    exponents = notes["exponents"]
    laws = ", ".join(_law(v, data.budget, p) for v, p in exponents.items())
    still_open = [v for v in ("risk", *data.config["panels"][0]["tuned"]) if v not in exponents]
    text = f"predicted lines: {laws or 'none'}"
    return f"{text}; no exponent of {', '.join(still_open)}" if still_open else text


def _law(name: str, budget: str, exponent: str) -> str:
    return f"{name} constant" if exponent == "0" else f"{name} ~ {budget}^{exponent}"
