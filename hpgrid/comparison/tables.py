"""Tables of words, as text that fits the terminal, as Markdown and as LaTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from textwrap import fill
from typing import NamedTuple

from hpgrid import answer
from hpgrid.answer import Part
from hpgrid.text import name_latex

#: The most columns of sources of a table on a page.
_PAGE = 7


class Table(NamedTuple):
    """A table: its title, its rows, the headings first, and which columns are words."""

    title: str
    rows: Sequence[Sequence[str]]
    words: Sequence[str] = ()


def part(table: Table, brief: bool = False) -> Part:
    """Return a table under its title, as part of an answer; a brief one does not say why a cell has no answer."""
    rows = [[re.sub(r"^- .*", "-", cell) for cell in row] for row in table.rows] if brief else table.rows
    title = table.title.partition(":")[0] if brief else table.title
    return [title, answer.Table(rows, wrap=table.words, indent="  ")]


def blocks(table: Table) -> Iterator[list[list[str]]]:
    """The rows of a table in blocks that fit a page, each with the first column."""
    for k in range(1, len(table.rows[0]), _PAGE):
        yield [[row[0], *row[k : k + _PAGE]] for row in table.rows]


def markdown(tables: Iterable[Table], notes: Iterable[str], title: str, made: str) -> str:
    """Return tables as a page."""
    parts = [f"# {title}", "", made, *(f"\n{fill(note, 120)}" for note in notes)]
    for each in tables:
        parts += ["", f"## {each.title}"]
        for head, *rows in blocks(each):
            parts += ["", *(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))]
    return "\n".join(parts) + "\n"


def latex(tables: Iterable[Table]) -> str:
    """Return tables as LaTeX, with the rules of the package booktabs."""
    parts = []
    for each in tables:
        for head, *rows in blocks(each):
            body = [" & ".join(map(in_latex, row)) + r" \\" for row in (head, *rows)]
            columns = r"lp{0.7\linewidth}" if len(head) == 2 and head[1] in each.words else "l" * len(head)
            parts += [f"% {each.title}", rf"\begin{{tabular}}{{{columns}}}", r"\toprule", body[0], r"\midrule"]
            parts += [*body[1:], r"\bottomrule", r"\end{tabular}", ""]
    return "\n".join(parts)


def in_latex(words: str) -> str:
    """Return words as LaTeX: optima with a star, powers, signs."""
    words = re.sub(r"[%&#]", lambda m: rf"\{m[0]}", words)
    words = re.sub(r"\b(eta|beta|risk|b)\*", lambda m: rf"${name_latex(m[1])}^\star$", words)
    words = re.sub(r"\b(\w+)\^\(?(-?[\w./]+)\)?", lambda m: rf"${name_latex(m[1])}^{{{m[2]}}}$", words)
    words = re.sub(r"(?<![\w}{])-(?=[\d.])", "$-$", words)
    for mark, instead in (("+-", r"$\pm$"), ("*", "$^*$"), ("~", r"$\sim$")):
        words = words.replace(mark, instead)
    return re.sub(r"_(?=\w{2})", r"\\_", words)
