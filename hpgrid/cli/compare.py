"""``hpgrid compare``: what bounds, studies and one's own runs say of the same exponents, and who can agree."""

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from hpgrid.answer import Answer
from hpgrid.checks import as_written, bad
from hpgrid.cli import options
from hpgrid.cli.options import about
from hpgrid.comparison.questions import PROTOCOLS, QUESTIONS
from hpgrid.progress import progress
from hpgrid.text import listed

if TYPE_CHECKING:
    from hpgrid.comparison.laws import Answers

_OWN = "A bound of your own, a formula or a TOML file: a column of its exponents, worked out now."
_SOURCES = "Who answers: names, or bounds, studies, all; yours are the runs of --fit."
_PROTOCOL = f"The open question: how eta* moves with T where others do: {', '.join(PROTOCOLS)}, b=T^1/2, or all."


def compare_sources(
    *questions: Annotated[str, about(f"Which: {', '.join(QUESTIONS)}, or all.")],
    sources: Annotated[options.Names, about(_SOURCES)] = None,
    protocol: Annotated[options.Names, about(_PROTOCOL)] = None,
    bound: Annotated[str | None, about(_OWN)] = None,
    domain: options.Domain = None,
    var: options.Var = None,
    floor: options.Floor = None,
    set_: options.Set = None,
    fit: Annotated[Path | None, about("A table of your runs: a column of exponents with 90% intervals.")] = None,
    runs: options.OfRuns = options.AS_USUAL,
    seq_len: options.SeqLen = None,
    markdown: Annotated[Path | None, about("Write a page to this file, in Markdown.")] = None,
    latex: Annotated[Path | None, about("Write the tables to this file, in LaTeX.")] = None,
    plot: Annotated[Path | None, about("Draw the exponents: NAME.png, .pdf or .svg.")] = None,
    details: options.Details = False,
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
    read, fitted = runs.read(fit, seq_len), None
    from hpgrid.comparison import tables
    from hpgrid.comparison.compare import LEGEND, comparison
    from hpgrid.comparison.laws import answers
    from hpgrid.comparison.protocols import Protocols
    from hpgrid.comparison.studies import STUDIES
    from hpgrid.record import write_text

    own = _own(bound, domain, var, floor, set_)
    named = options.names(sources)
    if fit is not None:
        from hpgrid.fits.fit import fit as fit_table

        fitted = fit_table(fit, **read)
    compared = comparison(asked or ("all",), named, own, fitted)
    chosen, shown = compared.chosen, list[Any]([compared] if asked or not protocols else [])
    if protocols:
        groups = (*own, *answers()), tuple(STUDIES)
        bounds, studies = ([name for name in group if name in chosen] or group for group in groups)
        with_eta = {name: each for name, each in {**own, **answers()}.items() if each.cells["eta-T"].note != "no eta"}
        with_eta = {name: each for name, each in with_eta.items() if name in bounds}
        shown.append(Protocols(protocols, with_eta, studies, p))
    parts = [table for each in shown for table in each.tables()]
    made = f"Made by `hpgrid compare --markdown {markdown and markdown.name}`."
    page = tables.markdown(parts, [LEGEND], "The atlas of exponents", made)
    for path, content in ((markdown, page), (latex, tables.latex(parts))):
        if path is not None:
            write_text(path, content)
    if plot is not None:
        options.write_picture(shown[0].figure(), plot)
    if json_:
        options.print_json("compare", {key: x for each in shown for key, x in each.as_dict().items()})
        return 0
    others = [name for name in (*answers(), *STUDIES) if name not in chosen]
    beside = [part for each in shown for part in each.beside()]
    notes = [LEGEND, *([f"Others (--sources): {', '.join(others)}."] if others else [])]
    rest = [tables.part(each) for each in parts if each not in beside]
    first = [line for each in shown for line in each.first()]
    adds = listed(
        [each.title.partition(":")[0].lower() for each in parts if each not in beside] + ["what answers mean"]
    )
    Answer(first, [tables.part(each, brief=not details) for each in beside], [*rest, notes], adds).show(details)
    return 0


def _own(
    bound: str | None, domain: list[str] | None, var: list[str] | None, floor: options.Names, set_: options.Names
) -> "dict[str, Answers]":
    """What a person's own bound answers, by the name of its column."""
    if bound is None:
        if domain or var or floor or set_:
            raise bad("--set, --domain, --var and --floor are of a bound", "no --bound", "--bound mine.toml, too")
        return {}
    from hpgrid.comparison.laws import asked, made

    chosen = options.chosen(bound, set_, domain=domain, var=var, floor=floor)
    options.use_compilation_cache()
    with progress("asking the bound", 1):
        return {"bound": made(asked(chosen.build(chosen.budget)))}


def _all(kind: str, given: Any, known: Any) -> tuple[str, ...]:
    """The names that were given, all that there are for "all"."""
    return tuple(known) if "all" in given else options.known_names(kind, given, known)


def _protocols(given: options.Names) -> tuple[tuple[str, ...], Fraction | None]:
    """The protocols, and one path b = T^p among them."""
    p, names = None, []
    for name in options.names(given):
        if name.startswith("b="):
            p = as_written(name.removeprefix("b=T^"))
            if p is None or not 0 <= p <= 1:
                raise bad("a path of b is a power of T, from 0 to 1", name, "b=T^1/2, say")
            name = "path"
        names.append(name)
    return _all("protocol", names, PROTOCOLS), p
