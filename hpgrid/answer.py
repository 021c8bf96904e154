"""What a command says: the answer first, what stands beside it, and details; and what a result makes of itself."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from hpgrid.checks import unknown
from hpgrid.text import Strong, aligned, columns, to_width

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hpgrid.variables import Space


class Table(NamedTuple):
    """A table of words and numbers; see ``hpgrid.text.aligned``."""

    rows: Sequence[Sequence[str]]  # the headings first
    wrap: Sequence[str] = ()  # the headings of columns of words
    drop: Sequence[str] = ()  # the headings of columns that can be done without
    indent: str = ""


#: The most lines of an answer without its details: a screen's.
SCREEN = 25

#: Sentences and tables that stand together; an empty line parts one such part from the next.
Part = Sequence[str | Table]


@dataclass(frozen=True)
class Answer:
    """What a command says.

    Attributes:
        first: the answer, a sentence or two.
        beside: what stands beside it, what matters most first, which always stands; of the rest what goes beyond a
            screen is a detail.
        details: what stands there where details are asked for.
        adds: what the details are, in a few words; "" where there are none.
        notes: warnings, which always stand, below what stands beside the answer.
        asked: what was asked for by an option of its own, which always stands, before what stands beside the answer.
    """

    first: Sequence[str]
    beside: Sequence[Part] = ()
    details: Sequence[Part] = ()
    adds: str = ""
    notes: Part = ()
    asked: Sequence[Part] = ()

    def lines(self, details: bool = False) -> list[str]:
        """Return the answer in lines that fit the terminal; those to be emphasised are ``Strong``."""
        first: list[str] = [*map(Strong, to_width(self.first).split("\n"))] if self.first else []
        parts = [[*_broken(part)] for part in (*self.asked, *self.beside) if part]
        after = [[*_broken(part)] for part in (self.notes, *(self.details if details else ())) if part]
        last = to_width([f"--details adds {self.adds}."]).split("\n") if self.adds and not details else []
        room = SCREEN - len(first) - len(last) - 1
        always = max(sum(map(bool, self.asked)), 1)
        while last and len(parts) > always and sum(1 + len(part) for part in (*parts, *after)) > room:
            parts.pop()
        whole = [part for part in (first, *parts, *after, last) if part]
        return [line for k, part in enumerate(whole) for line in ([""] * (k > 0) + part)]

    def text(self, details: bool = False) -> str:
        """Return the answer as plain text."""
        return "\n".join(self.lines(details))

    def html(self) -> str:
        """Return the answer as HTML, its details folded in."""
        parts = [f"<p><strong>{escape(' '.join(self.first))}</strong></p>"] if self.first else []
        parts += [_html(part) for part in (*self.asked, *self.beside, self.notes) if part]
        if self.details:
            folded = "".join(_html(part) for part in self.details if part)
            parts.append(f"<details><summary>{escape(self.adds)}</summary>{folded}</details>")
        return "".join(parts)

    def show(self, details: bool = False) -> None:
        """Print the answer, plain where standard output is no terminal."""
        if not sys.stdout.isatty():
            print(self.text(details))
            return
        from rich.console import Console
        from rich.text import Text

        console = Console(highlight=False)  # it knows what the terminal can do, and NO_COLOR
        for line in self.lines(details):
            console.print(Text(line, "bold" if isinstance(line, Strong) else ""), soft_wrap=True)


class Result:
    """What a command prints: an answer, which is text, a line, and HTML in a notebook, or plain data for JSON."""

    def answer(self) -> Answer:
        """Return what it says."""
        raise NotImplementedError

    def as_dict(self) -> Any:
        """Return it as plain data."""
        raise NotImplementedError

    def text(self, details: bool = False) -> str:
        """Return the answer as text, with all that there is to say where details are asked for."""
        return self.answer().text(details)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({' '.join(self.answer().first)})"

    def _repr_html_(self) -> str:
        return self.answer().html()


class Pictured:
    """What has a picture: one panel of it by name, in axes of one's own, or all of them in a figure."""

    #: The module that has its ``panels``; and ``draw``, which makes the figure of them where they are no row.
    pictures: ClassVar[str] = ""

    @property
    def declared(self) -> Space | None:
        """What its bound declares of its variables, where it may."""
        return None

    def panels(self, *args: Any, **options: Any) -> Mapping[Any, Callable[[Axes], Any]]:
        """Return what draws each panel in axes, by its name."""
        found: Mapping[Any, Callable[[Axes], Any]] = import_module(self.pictures).panels(self, *args, **options)
        return found

    def plot(self, name: Any = None, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw one panel, and return its axes; a picture of its own has a legend.

        Args:
            name: the panel's; the first one's where None.
            ax: where; a new picture of its own where None.
            options: what the figure takes.

        Raises:
            ValueError: there is no panel of that name.
        """
        from hpgrid.plotting.style import legend_below, named, panel

        panels = self.panels(**options)
        name = next(iter(panels)) if name is None else name
        if name not in panels:
            raise unknown(f"panel of {type(self).__name__}", name, panels)
        with panel(ax, self.declared) as axes:
            panels[name](axes)
            if ax is None:
                legend_below(axes.figure, named([axes]), 2)
        return axes

    def figure(self, **options: Any) -> Figure:
        """Return the picture of all that it shows, a panel each."""
        from hpgrid.plotting.style import row

        draw = getattr(import_module(self.pictures), "draw", None) if self.pictures else None
        whole: Figure = draw(self, **options) if draw else row(self.panels(**options), self.declared)
        return whole


class Labelled:
    """What is a labelled array of each of its quantities: as a frame, and as HTML in a notebook."""

    def to_xarray(self) -> xarray.Dataset:
        """Return it as an xarray Dataset."""
        raise NotImplementedError

    def to_dataframe(self) -> Any:
        """Return the same as a pandas DataFrame, a row a cell."""
        data = self.to_xarray()
        # Of a single cell, too, there is a row: at its budget, where it has one.
        return (data if data.sizes else data.expand_dims([*data.coords, "cell"][0])).to_dataframe()

    def _repr_html_(self) -> str:
        return str(self.to_xarray()._repr_html_())


def _html(part: Part) -> str:
    """A part as HTML: a paragraph a sentence, tables as tables."""
    found = []
    for each in part:
        if isinstance(each, Table):
            rows = [("th", each.rows[0]), *(("td", row) for row in each.rows[1:])]
            cells = ("".join(f"<{kind}>{escape(str(cell))}</{kind}>" for cell in row) for kind, row in rows)
            found.append(f"<table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>")
        else:
            found.append(f"<p>{escape(each)}</p>")
    return "".join(found)


def _broken(part: Part) -> Iterator[str]:
    for each in part:
        if isinstance(each, Table):
            lines = aligned(each.rows, wrap=each.wrap, drop=each.drop, indent=each.indent)
            # What was left out is said in a sentence.
            yield from (line if len(line) <= columns() else to_width([line]) for line in lines)
        else:
            yield from to_width([each]).split("\n")
