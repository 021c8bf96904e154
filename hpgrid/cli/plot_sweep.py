"""``hpgrid plot-sweep``: a sweep in one picture."""

from pathlib import Path
from typing import Annotated

from hpgrid.checks import bad
from hpgrid.cli import options
from hpgrid.cli.options import about
from hpgrid.cli.sweep import remark_unfinished


def plot_sweep(
    store: Annotated[Path, about("The store of a sweep.")],
    /,
    *,
    out: Annotated[Path | None, about("The picture; NAME.png, .pdf or .svg. Beside the store by default.")] = None,
    regime: Annotated[str | None, about("Which regime; the first by default.")] = None,
    pair: Annotated[options.Names, about("The two constants of the maps: C2,C3, say.")] = None,
    at: Annotated[options.Names, about("Where the others are held, C1=1, say, and a declared budget, R=1e6.")] = None,
    budget: Annotated[
        float | None,
        options.Sized(name=["--T", "--K"], help="At which budget the best value is mapped; the largest by default."),
    ] = None,
    quantity: Annotated[str | None, about("Which hyperparameter: b, alpha, eta, or a declared one.")] = None,
) -> int:
    """Draw maps of a sweep over two constants, and how exponents stay while constants move."""
    if budget is not None and not budget > 0:
        raise bad("a budget is positive", budget, "--T 1e12, say")
    if not store.name:
        raise bad("a sweep's store is a folder", str(store), "RUN.zarr, say")
    path = out or store.with_suffix(".png")
    if path.is_dir():
        raise bad("the picture is written to a file", str(path), f"{path / 'sweep.png'}, say")
    options.format_of(path)
    held = options.pairs("--at", at, options.number, "C1=1.0")
    for name, value in held.items():
        if not value > 0:
            raise bad(f"{name} is positive", value, f"--at {name}=1.0, say")
    from hpgrid.record import check_local
    from hpgrid.sweeps.store import open_sweep
    from hpgrid.sweeps.sweep_maps import View, draw

    check_local(path.parent)
    data = open_sweep(store)
    options.check_picture(path, "the picture is written to a file", "sweep.png")  # last: it makes a folder
    remark_unfinished(data)
    options.write_picture(draw(data, View(regime, options.names(pair), held, budget, quantity)), path)
    print(path)
    return 0
