"""``hpgrid explore``: a bound as one HTML file, to be opened from the disk and moved."""

from pathlib import Path
from typing import Annotated

from hpgrid.bounds import BOUNDS
from hpgrid.checks import bad
from hpgrid.cli import options
from hpgrid.cli.options import about


def explore_bound(
    bound: options.Named = None,
    /,
    *,
    out: Annotated[Path | None, about("The file to write, which ends in .html; NAME.html by default.")] = None,
    fix: options.Fix = None,
    set_: options.Set = None,
    written: options.Written = None,
    domain: options.Domain = None,
    above: options.Above = None,
    var: options.Var = None,
    floor: options.Floor = None,
    budget: options.Budget = None,
    grid: options.Preset = "footnote",
    n: Annotated[
        int | None, about("Points per axis: 100, or 40 of a bound that is no sum.", converter=options.whole(2, 200))
    ] = None,
    axis: options.Axes = None,
) -> int:
    """Write a bound as one HTML file: its optimum, contours, curves and exact laws, moved by sliders in a browser."""
    chosen = options.chosen(bound, set_, written, domain, var, floor, above)
    out = Path(f"{chosen.name}.html") if out is None else out
    if out.suffix != ".html" and not out.is_dir():
        raise bad("a page is written to an HTML file", str(out), f"{out.stem or 'bound'}.html, say")
    counted = options.budget_of(budget, chosen)
    held = options.held(fix, chosen.space)
    # What a bound by name is of, and its source's own way to write it.
    row = BOUNDS[chosen.name] if chosen.formula is None else None
    from hpgrid.explore.export import page
    from hpgrid.formula.bound import parse
    from hpgrid.formula.syntax import read
    from hpgrid.proxy import FunctionProxy, Proxy
    from hpgrid.record import write_text
    from hpgrid.regime import Regime

    proxy = chosen.build(counted)
    if row is not None and isinstance(proxy, FunctionProxy) and proxy.root is None:
        # A function of Python's: its row's formula is the same bound, where no option changes it.
        if chosen.options:
            raise bad("a page computes a bound that is written as a formula", ", ".join(chosen.options), "its defaults")
        proxy = parse(row.formula, proxy.constants, name=chosen.name, domain=row.domain).form(counted)
    n = n if n is not None else 100 if isinstance(proxy, Proxy) else 40
    axes = options.grid_config(grid, n, axis, counted, chosen.space).build()
    fixed = dict(Regime((), fixed=held, space=chosen.space).fixed) if held else {}
    text = page(
        proxy,
        axes,
        read(row.formula if row else str(chosen.formula), chosen.space).root,
        title=chosen.name if row is not None else "A bound of your own",
        held=fixed,
        about=f"{row.of}; {row.source}" if row else "",
        exponents_={**({name: e.default for name, e in row.exponents.items()} if row else {}), **chosen.options},
    )
    options.check_file(out, "a page is written to a file", "bound.html")
    write_text(out, text)
    print(out)
    return 0
