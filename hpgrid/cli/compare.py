"""``hpgrid compare``: what bounds, studies and one's own runs say of the same exponents, and who can agree."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from hpgrid.checks import bad
from hpgrid.cli import options
from hpgrid.comparison import compare as tables
from hpgrid.comparison.questions import PROTOCOLS, QUESTIONS
from hpgrid.comparison.studies import STUDIES

_SOURCES = "Who answers: names, or bounds, studies, all; yours are the runs of --fit."
_PROTOCOL = f"The open question: how eta* moves with T where others do: {', '.join(PROTOCOLS)}, b=T^1/2, or all."


def compare_sources(
    *questions: Annotated[str, Parameter(help=f"Which: {', '.join(QUESTIONS)}, or all.")],
    sources: Annotated[options.Names, Parameter(help=_SOURCES)] = None,
    protocol: Annotated[options.Names, Parameter(help=_PROTOCOL)] = None,
    fit: Annotated[
        Path | None, Parameter(help="A table of your runs: a column of exponents with 90% intervals.")
    ] = None,
    columns: options.Columns = None,
    where: options.Where = None,
    ignore: options.Ignore = None,
    markdown: Annotated[Path | None, Parameter(help="Write a page to this file, in Markdown.")] = None,
    latex: Annotated[Path | None, Parameter(help="Write the tables to this file, in LaTeX.")] = None,
    plot: Annotated[Path | None, Parameter(help="Draw the exponents: NAME.png, .pdf or .svg.")] = None,
    json_: options.Json = False,
) -> int:
    """Compare the exponents of bounds, of studies and of your own runs, question by question: who can agree."""
    for path, example in ((markdown, "atlas.md"), (latex, "atlas.tex")):
        options.check_file(path, "the tables are written to a file", example)
    options.check_picture(plot, "the picture is written to a file", "atlas.png")
    asked = _all("question", questions, QUESTIONS)
    protocols, p = _protocols(protocol)
    if protocols and plot is not None and not asked:
        raise bad("a picture is of questions", f"--plot {plot} with --protocol alone", "questions, or all, before it")
    read = options.of_runs(columns, where, ignore)
    groups = {"bounds": tuple(tables.answers()), "studies": tuple(STUDIES)}
    known = ("yours", *groups["bounds"], *groups["studies"])
    chosen = _all("source", [each for name in options.names(sources) for each in groups.get(name, (name,))], known)
    chosen = chosen or ("yours", *tables.SHOWN)
    if fit is None:
        if "yours" in options.names(sources):
            raise bad("yours are the runs of --fit", "--sources yours without it", "--fit runs.csv, too")
        runs, chosen = None, tuple(name for name in chosen if name != "yours")
    else:
        from hpgrid.fits.fit import fit as fit_table

        runs = fit_table(fit, **read)
    every = tables.sources(runs)
    shown: list[Any] = []
    if asked or not protocols:
        shown.append(tables.Comparison(asked or tuple(QUESTIONS), {name: every[name] for name in chosen}))
    if protocols:
        bounds, studies = ([name for name in own if name in chosen] or own for own in groups.values())
        with_eta = [name for name in bounds if every[name].cells["eta-T"].note != "no eta"]
        shown.append(tables.Open(protocols, with_eta, studies, p))
    parts = [table for each in shown for table in each.tables()]
    if markdown is not None or latex is not None:
        from hpgrid.record import write_whole

        if markdown is not None:
            page = tables.markdown(
                parts,
                [tables.LEGEND],
                "The atlas of exponents",
                f"Made by `hpgrid compare --markdown {markdown.name}`.",
            )
            write_whole(markdown, lambda file: file.write(page.encode()))
        if latex is not None:
            write_whole(latex, lambda file: file.write(tables.latex(parts).encode()))
    if plot is not None:
        from hpgrid.comparison.picture import draw

        options.write_picture(draw(shown[0]), plot)
    if json_:
        print(json.dumps({key: x for each in shown for key, x in each.as_dict().items()}, indent=2, allow_nan=False))
        return 0
    others = [name for name in every if name not in chosen]
    print(tables.text(parts, [tables.LEGEND, *([f"Others (--sources): {', '.join(others)}."] if others else [])]))
    return 0


def _all(kind: str, given: Any, known: Any) -> tuple[str, ...]:
    """The names that were given, all that there are for "all"."""
    return tuple(known) if "all" in given else options.known_names(kind, given, known)


def _protocols(given: options.Names) -> tuple[tuple[str, ...], Fraction | None]:
    """The protocols, and one path b = T^p among them."""
    p, names = None, []
    for name in options.names(given):
        if name.startswith("b="):
            p = options.rational(name.removeprefix("b=T^"))
            if p is None or not 0 <= p <= 1:
                raise bad("a path of b is a power of T, from 0 to 1", name, "b=T^1/2, say")
            name = "path"
        names.append(name)
    return _all("protocol", names, PROTOCOLS), p
