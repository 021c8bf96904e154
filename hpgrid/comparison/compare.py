"""The table of answers, and that of the open question, as text, Markdown, LaTeX and plain data; without NumPy."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from textwrap import fill
from typing import TYPE_CHECKING, Any, NamedTuple

from hpgrid.bounds import BOUNDS
from hpgrid.comparison.laws import Piece, answers
from hpgrid.comparison.questions import PROTOCOLS, QUESTIONS, UNKNOWN, Cell
from hpgrid.comparison.studies import STUDIES
from hpgrid.text import aligned, name_latex, to_width

if TYPE_CHECKING:
    from hpgrid.fits.fit import Fit

#: What stands in the table where nobody says what: few enough for two blocks of 80 columns.
SHOWN = ("lmo", "sgd", "storm", "star_convex", "StepLaw", "Filatov", "Mlodozieniec", "sweeps-decay")

#: The most columns of sources of a table on a page.
_PAGE = 7

LEGEND = (
    "Of a bound, fractions are exact; decimals were measured at its optimum far out, with a * where a power of the "
    "logarithm stands beside; along b = T^p they stand at p = 0, 1/4, 1/2, 3/4. Of studies and runs, all is fitted. "
    "What has no answer is a -: a bound lacks a variable (no b), its optimum is not identifiable (flat), has no best "
    "value (runs off), or no limit can be read, as in a flat valley (unknown)."
)


class Source(NamedTuple):
    """Who answers: by question what, where that is said, and whether it is a bound."""

    cells: Mapping[str, Cell]
    said: str
    is_bound: bool = False


class Table(NamedTuple):
    """A table: its title, its rows, the headings first, and which columns are words."""

    title: str
    rows: Sequence[Sequence[str]]
    words: Sequence[str] = ()


def sources(fit: Fit | None = None) -> dict[str, Source]:
    """Return all who answer: a person's runs where there are some, bounds, studies."""
    found = {} if fit is None else {"yours": Source(of_runs(fit), "your runs, 90% intervals")}
    found |= {name: Source(own.cells, BOUNDS[name].source, True) for name, own in answers().items()}
    for name, study in STUDIES.items():
        told = [study.source, study.range or f"in {study.budget}", study.remark]
        found[name] = Source(study.cells, "; ".join(filter(None, told)))
    return found


def of_runs(fit: Fit) -> dict[str, Cell]:
    """Return what a person's runs answer, with 90% intervals: what varied among them, where it shows."""
    names, found = fit.surface.names, dict[str, Cell]()
    for key, question in QUESTIONS.items():
        over, _, under = question.of.partition("/")
        of = {over: 1, **({under: -1} if under else {})}
        varies = {*question.tuned, *([question.along] if question.along != "T" else [])} <= {*names}
        if varies and over != "risk" and question.at == "T" and not (question.caps or question.floors):
            if question.along == "T" and len(fit.surface.t) < 2:
                continue
            slope = fit.slope(of, question.tuned, question.along)
            found[key] = Cell(slope.value, "fitted", slope.low, slope.high, "range")
    return found


def agree(one: Cell, other: Cell) -> bool:
    """Return whether two answers can be the same: whether what each may be has something in common."""
    return max(one.low, other.low) <= min(one.high, other.high)


def verdict(cells: Mapping[str, Cell], bounds: Collection[str]) -> str:
    """Return in words which answers can agree, "" where there are not two of them."""
    told = {name: cell for name, cell in cells.items() if cell.numeric}
    theory = [name for name in told if name in bounds]
    if len(told) < 2:
        return ""

    def grouped(names: Sequence[str]) -> list[list[str]]:
        found: list[list[str]] = []
        for name in names:
            group = next((g for g in found if all(agree(told[name], told[each]) for each in g)), None)
            found.append([name]) if group is None else group.append(name)
        return found

    # An interval may hold the exponents of several bounds that can't agree with one another.
    others = [name for name in told if name not in theory]
    groups = [[*g, *(v for v in others if all(agree(told[v], told[each]) for each in g))] for g in grouped(theory)]
    groups += grouped([name for name in others if not any(name in g for g in groups)])
    alone = ", ".join(f"{told[g[0]].text()} ({g[0]})" for g in groups if len(g) == 1)
    shared = sorted((g for g in groups if len(g) > 1), key=len, reverse=True)
    parts = [f"{', '.join(g)} can agree on {told[g[0]].text()}" for g in shared]
    return "; ".join([*parts, *([f"alone: {alone}"] if alone else [])])


@dataclass(frozen=True)
class Comparison:
    """Some questions and who answers them.

    Attributes:
        questions: their names.
        chosen: the sources.
    """

    questions: Sequence[str]
    chosen: Mapping[str, Source]

    def cells(self, key: str) -> dict[str, Cell]:
        """Return the answers to one question."""
        return {name: source.cells.get(key, Cell()) for name, source in self.chosen.items()}

    def verdict(self, key: str) -> str:
        """Return in words who can agree on one question."""
        return verdict(self.cells(key), [name for name, source in self.chosen.items() if source.is_bound])

    def tables(self) -> list[Table]:
        """Return the answers of bounds and of others, who can agree, and who the sources are."""
        found = []
        for title, kind in (("Exponents of bounds", True), ("Exponents of runs", False)):
            own = [name for name, source in self.chosen.items() if source.is_bound is kind]
            rows = [[QUESTIONS[key].words, *(self.cells(key)[name].text() for name in own)] for key in self.questions]
            told = [row for row in rows if any(cell != "-" for cell in row[1:])]
            found += [Table(title, [["exponent of", *own], *told], own)] if told else []
        verdicts = [(QUESTIONS[key].words, says) for key in self.questions if (says := self.verdict(key))]
        said = [(name, source.said) for name, source in self.chosen.items()]
        return [
            *found,
            Table("Who can agree", [("exponent of", "verdict"), *verdicts], ("exponent of", "verdict")),
            Table("Sources", [("source", "what it is"), *said], ("what it is",)),
        ]

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as plain data; fractions are text."""
        from hpgrid.record import plain

        return {
            "questions": {
                key: {"asks": QUESTIONS[key].words, "verdict": self.verdict(key), "answers": plain(self.cells(key))}
                for key in self.questions
            },
            "sources": {name: {"what": s.said, "bound": s.is_bound} for name, s in self.chosen.items()},
        }


@dataclass(frozen=True)
class Open:
    """The open question: how eta* moves with the budget, by bound and by what else moves.

    Attributes:
        protocols: names of ``PROTOCOLS``.
        bounds: the bounds.
        studies: the studies that are held against them.
        p: one path b = T^p, in place of all.
    """

    protocols: Sequence[str]
    bounds: Sequence[str]
    studies: Sequence[str]
    p: Fraction | None = None

    def tables(self) -> list[Table]:
        """Return the exponents, where laws begin, and which of the published exponents can arise."""
        head, rows, begins = ["bound"], [[name] for name in self.bounds], list[tuple[str, str, str]]()
        for protocol in self.protocols:
            words, key = PROTOCOLS[protocol]
            for momentum in ("",) if key else ("fixed", "tuned"):
                head.append(words if key else f"{words if self.p is None else f'b = T^{self.p}'}, beta {momentum}")
                for name, row in zip(self.bounds, rows):
                    own = answers()[name]
                    row.append(signed(own.cells[key]) if key else along(own.paths[momentum], self.p))
            begins += [(n, words, answers()[n].begins[key]) for n in self.bounds if key in answers()[n].begins]
        found = [Table(f"d log eta*/d log T: {self.answer()}", [head, *rows], head)]
        found += [
            Table(
                "Where laws begin: before, b is at 1, beta at 0, eta at its cap",
                [("bound", "protocol", "from T ="), *begins],
                ("from T =",),
            )
        ]
        return [*found[: 1 + bool(begins)], *([self.arising()] if self.studies else [])]

    def answer(self) -> str:
        """Return in a sentence where eta* rises with the budget."""
        named = [PROTOCOLS[protocol][1] for protocol in self.protocols if PROTOCOLS[protocol][1]]
        up = [name for name in self.bounds if any(answers()[name].cells[key].low > 0 for key in named)]
        starts = {n: [p for own in answers()[n].paths.values() if (p := rises(own)) is not None] for n in self.bounds}
        paths = [f"{name} from p = {float(min(found)):.3g} on" for name, found in starts.items() if found]
        along = f"; along b = T^p, in {', '.join(paths) or 'none'}" * ("path" in self.protocols)
        return f"eta* rises with T in {', '.join(up) or 'none of these bounds'}{along}"

    def arising(self) -> Table:
        """Return which published exponents can arise: by study and bound, along the study's own path or another."""
        rows = [
            (
                f"{name}: eta ~ T^{e.text()}, {f'b ~ T^{float(p):g}' if p else 'b held'}",
                *(arises(n, p, e) for n in self.bounds),
            )
            for name in self.studies
            for p, e in STUDIES[name].paths
        ]
        title = "Whether they can arise: yes, or what the bound has along that path of b, and where it would have them"
        return Table(title, [("published", *self.bounds), *rows], ("published", *self.bounds))

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as plain data; fractions are text."""
        from hpgrid.record import plain

        head, *rows = self.arising().rows
        return {
            "protocols": {
                protocol: dict(zip(("words", "question"), PROTOCOLS[protocol])) for protocol in self.protocols
            },
            "bounds": {name: plain(answers()[name]) for name in self.bounds},
            "arise": [dict(zip(head, row)) for row in rows],
        }


def signed(cell: Cell) -> str:
    """Return an exponent with its sign."""
    return f"+{cell.text()}" if cell.value is not None and cell.low > 0 else cell.text()


def rises(pieces: Sequence[Piece]) -> Fraction | None:
    """Return from which p on, if any, eta* rises along b = T^p, as far as that was computed or measured."""
    for each in pieces:
        if max(each.at(each.lo), each.at(each.hi)) > each.error:
            return each.lo if not each.slope or each.at(each.lo) > 0 else -Fraction(each.intercept) / each.slope
    return None


def along(pieces: Sequence[Piece], p: Fraction | None) -> str:
    """Return the exponent along one path b = T^p, or along all of them."""
    if p is not None or not pieces:
        return signed(value_at(pieces, p or Fraction(0)))
    if pieces[0].measured:
        return ", ".join(f"{float(each.intercept):.3f}" for each in pieces if each.lo.denominator <= 4)
    joined = [pieces[0]]
    for each in pieces[1:]:
        same = (each.slope, each.intercept) == (joined[-1].slope, joined[-1].intercept)
        joined[-1:] = [joined[-1]._replace(hi=each.hi)] if same else [joined[-1], each]
    return "; ".join(_line(each) + (f" to p = {each.hi}" if each.hi < 1 else "") for each in joined)


def _line(piece: Piece) -> str:
    over, under = piece.slope.as_integer_ratio()
    power = f"{'' if over == 1 else over}p{'' if under == 1 else f'/{under}'}"
    if not piece.slope or not piece.intercept:
        return power if piece.slope else str(piece.intercept)
    return f"{power} {'-' if piece.intercept < 0 else '+'} {abs(piece.intercept)}"


def value_at(pieces: Sequence[Piece], p: Fraction) -> Cell:
    """Return eta*'s exponent along one path; none where it was not measured along that one."""
    for each in pieces:
        if each.lo <= p <= each.hi:
            value = each.at(p)
            known = "measured" if each.measured else "exact"
            return (
                Cell(value, known, value - each.error, value + each.error)
                if each.measured
                else Cell(value, known, value, value)
            )
    return Cell(note=UNKNOWN if pieces else "no b")


def arises(name: str, p: Fraction, published: Cell) -> str:
    """Return whether a bound has a published exponent of eta* along its path, else what it has, and where it would."""
    own = answers()[name]
    here = [value_at(pieces, p) for pieces in own.paths.values()] if p else []
    here += [] if p else [own.cells[key] for key in ("eta-T", "eta-T-beta")]
    here = [cell for cell in here if cell.value is not None]
    if any(agree(cell, published) for cell in here):
        return "yes"
    every = [each for pieces in own.paths.values() for each in pieces]
    if not every or every[0].measured:
        return " or ".join(dict.fromkeys(cell.text() for cell in here)) or "-"
    met = []
    for each in every:
        low, high = sorted((each.at(each.lo), each.at(each.hi)))
        if low <= published.high and published.low <= high:
            nearest = min(max(published.low, low), published.high, high)
            met.append(float((nearest - each.intercept) / each.slope if each.slope else each.lo))
    shown = " or ".join(dict.fromkeys(f"{float(cell.value or 0):.3g}" for cell in here))
    return f"{shown}; at p = {min(met):.2g}" if met else f"{shown}; never"


# --- as text, Markdown, LaTeX ---


def text(tables: Iterable[Table], notes: Iterable[str]) -> str:
    """Return tables as text that fits the terminal, and what to know of them."""
    lines = [line for each in tables for line in (each.title, *aligned(each.rows, wrap=each.words, indent="  "), "")]
    return to_width([*lines, *notes])


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
