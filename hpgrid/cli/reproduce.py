"""``hpgrid reproduce``: compute, check, draw and save figures."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from hpgrid.checks import InputError, bad, unknown
from hpgrid.cli import options
from hpgrid.cli.options import about
from hpgrid.config import Config, load, override, shipped
from hpgrid.paper import FIGURES
from hpgrid.progress import asking, cores, progress
from hpgrid.readings import no_verdict
from hpgrid.text import aligned, to_width

if TYPE_CHECKING:
    from hpgrid.paper.data import FigureData


def reproduce_figures(
    *figures: Annotated[str, about("Figures, such as fig1 fig2 or fig1,fig2; or all.")],
    out: Annotated[Path, about("Where the files go.")] = Path("figures"),
    format: Annotated[str, about(f"Picture formats, between commas: {', '.join(options.FORMATS)}.")] = "png,pdf",
    config: Annotated[Path | None, about("A TOML file of your own, in place of a shipped one.")] = None,
    bound: options.Written = None,
    domain: options.Domain = None,
    var: options.Var = None,
    set_: options.Set = None,
    grid: Annotated[str | None, about("The grid: footnote or captions.")] = None,
    n: Annotated[int | None, about("Points per axis.", converter=options.whole())] = None,
    C1: Annotated[float | None, about("The bound's constant C1.", name="--C1")] = None,
    C2: Annotated[float | None, about("The bound's constant C2.", name="--C2")] = None,
    C3: Annotated[float | None, about("The bound's constant C3.", name="--C3")] = None,
    dtype: Annotated[str | None, about("The precision: float64 or float32.")] = None,
    refined: Annotated[bool | None, about(options.REFINED, negative="--no-refined")] = None,
    redraw: Annotated[bool, about("Draw from saved data, computing nothing.")] = False,
    strict: Annotated[bool, about("Exit with 1 when a check fails.")] = False,
    list_: Annotated[bool, about("Say which figures there are.", name="--list")] = False,
    yes: options.Yes = False,
) -> int:
    """Reproduce the papers' figures, and hpgrid's own: for each NAME, its picture, NAME.npz and NAME.json."""
    if list_:
        print("\n".join(aligned([("figure", "shows"), *FIGURES.items()], wrap=("shows",))[1:]))
        return 0
    formats = options.known_names("picture format", [format], options.FORMATS)
    if not formats:
        raise bad("a picture needs a format", format, "--format png,pdf, say")
    constants = {k: v for k, v in (("C1", C1), ("C2", C2), ("C3", C3)) if v is not None}
    own: dict[str, Any] = {"n": n, "dtype": dtype, "refined": refined}
    chosen = options.known_names("figure", figures, ("all", *FIGURES))
    wanted = [name for name in FIGURES if name in chosen or "all" in chosen]  # in the paper's order
    if not wanted and config is None:
        raise bad("name a figure", "none", "hpgrid reproduce fig1, or all; --list says which there are")
    if redraw:
        numbers = {"bound": bound, "domain": domain, "var": var, "set": set_, "grid": grid, **own}
        changed = constants | {k: v for k, v in numbers.items() if v is not None}
        if changed:
            raise bad("--redraw computes nothing, so it takes no other numbers", changed, "one or the other")
        failed = _redraw((wanted or [config.stem]) if config else wanted, out, formats)
        return int(strict and failed)
    written = None
    if bound is None:
        constants |= options.pairs("--set", set_, options.number, "C1=2,C2=30")
        if var:
            raise bad("--var declares what a formula depends on", "no --bound", "--bound with the formula, too")
    else:
        pairs = [*(set_ or ()), *(f"{name}={value!r}" for name, value in constants.items())]
        written, constants, domain = options.chosen(None, pairs, bound, domain, var), {}, None
    jobs = _jobs(wanted, config)
    own |= {"bound": written, "constants": constants, "domain": domain, "preset": grid}
    jobs = [(name, override(job, **own)) for name, job in jobs]
    with asking(yes):
        return int(_run(jobs, out, formats) and strict)


def _jobs(names: list[str], config: Path | None) -> list[tuple[str, Config]]:
    """A name for the files, and a config, for each figure.

    A config of one's own is called what its file is called, or as the figure that is named with it.
    """
    if config is None:
        return [(name, load(shipped(name))) for name in names]
    own = load(config)
    options.remark(own.bound)
    if own.figure not in FIGURES:
        raise unknown("figure", own.figure, FIGURES)
    if names and names != [own.figure]:
        raise bad(f"{config} is a config of {own.figure}", ",".join(names), f"{own.figure}, or no figure at all")
    return [(names[0] if names else config.stem, own)]


def _run(jobs: list[tuple[str, Config]], out: Path, formats: tuple[str, ...]) -> bool:
    """Compute and save each figure, draw them, say what came out; return whether a check failed.

    Where one can't be computed, those before it are drawn and reported all the same.
    """
    from hpgrid.record import make_folder

    make_folder(out)
    options.use_compilation_cache()
    failed = False
    # One bar from the first import to the last picture: two steps a figure.
    with progress("reproducing", 2 * len(jobs)) as advance, _drawing(len(jobs)) as submit:
        from hpgrid.paper import compute
        from hpgrid.paper.data import save

        drawn: list[tuple[FigureData, list[Path], Future[list[Path]]]] = []
        try:
            for name, config in jobs:
                data = compute(config, name)
                drawn.append((data, save(data, out), submit(write_pictures, data, out, formats)))
                advance()
        finally:
            for data, saved, pictures in drawn:
                failed |= _report(data, saved + pictures.result())
                advance()
    return failed


@contextmanager
def _drawing(figures: int) -> Iterator[Callable[..., Future[list[Path]]]]:
    """A way to submit drawings: to processes of their own, where there are several figures and cores.

    Drawing takes most of the time, and needs no jax: a fresh process starts in half a second.
    """
    if figures == 1 or cores() == 1:

        def at_once(function: Callable[..., list[Path]], *arguments: Any) -> Future[list[Path]]:
            done: Future[list[Path]] = Future()
            done.set_result(function(*arguments))
            return done

        yield at_once
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(min(figures, cores()), mp_context=get_context("spawn")) as pool:
        yield pool.submit


def _redraw(names: list[str], out: Path, formats: tuple[str, ...]) -> bool:
    """Draw figures from saved data, say what came out; return whether a check failed."""
    from hpgrid.paper.data import restore
    from hpgrid.record import make_folder

    figures = [restore(name, out) for name in names]
    make_folder(out)
    with _drawing(len(figures)) as submit:
        drawn = [(data, submit(_draw_saved, data, out, formats)) for data in figures]
        return any([_report(data, pictures.result()) for data, pictures in drawn])


def _draw_saved(data: "FigureData", out: Path, formats: tuple[str, ...]) -> list[Path]:
    """Draw a figure from files that may have been put together by hand."""
    import warnings

    from hpgrid.paper.data import UNREADABLE

    try:
        with warnings.catch_warnings():
            # Whatever is wrong with the numbers is seen, or refused.
            warnings.simplefilter("ignore")
            return write_pictures(data, out, formats)
    except InputError:
        raise
    except UNREADABLE as error:
        instead = f"hpgrid reproduce {data.name} again, without --redraw"
        rule = f"the saved record and arrays don't belong together ({type(error).__name__}: {str(error)[:60]})"
        raise bad(rule, data.name, instead) from None


def write_pictures(data: "FigureData", out: Path, formats: tuple[str, ...]) -> list[Path]:
    """Draw a figure and write its pictures, whole, without a date."""
    from hpgrid.paper import draw

    paths = [out / f"{data.name}.{kind}" for kind in formats]
    options.write_picture(draw(data), *paths)
    return paths


HEADINGS: tuple[str, ...] = ("check", "measured", "predicted", "tolerance", "verdict", "window", "edge points")


def _report(data: "FigureData", written: list[Path]) -> bool:
    """Print the table of checks and a line per file; return whether a check failed."""
    for line in (*written, *(to_width([note]) for note in data.notes.get("does_not_hold", ()))):
        print(line)
    if not data.checks:
        print(f"{data.name}: no check: the closed forms are not this bound's\n")
        return False
    print(check_table(data), end="\n\n")
    return any(check.holds is False for check in data.checks)


def check_table(data: "FigureData") -> str:
    """Return a figure's checks as a table, and why there is no verdict on some."""
    rows: list[tuple[str, ...]] = [HEADINGS]
    for check in data.checks:
        verdict = {True: "holds", False: "FAILS", None: "not identifiable"}[check.holds]
        verdict = check.note if check.note == "nothing to fit" else verdict
        # Four decimals, or a power of ten where those would be zero.
        numbers = (check.measured, check.predicted, check.tolerance)
        short = (f"{x:.1e}" if 0 < abs(x) < 5e-5 else f"{x:.4f}" for x in map(float, numbers))
        lo, hi = check.window
        name, window = f"{data.name} {check.what}", f"{lo:.1e} to {hi:.1e}"
        rows.append((name, *short, verdict, window, str(check.edge_points)))
    table = aligned(rows, wrap=("check", "verdict"), drop=("window", "edge points"), whole=f"{data.name}.json")
    return to_width([*table, *no_verdict((check.what, check.why_open) for check in data.checks)])
