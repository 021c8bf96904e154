"""The open question: how eta* moves with the budget, by bound and protocol, and which published exponents can arise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hpgrid.comparison.compare import FITS, agree
from hpgrid.comparison.laws import Answers, Piece
from hpgrid.comparison.questions import PROTOCOLS, UNKNOWN, Cell
from hpgrid.comparison.studies import STUDIES
from hpgrid.comparison.tables import Table


@dataclass(frozen=True)
class Protocols:
    """The open question: how eta* moves with the budget, by bound and by what else moves."""

    protocols: Sequence[str]  # names of ``PROTOCOLS``
    bounds: Mapping[str, Answers]  # what the bounds answer, by their names
    studies: Sequence[str]  # the studies that are held against them
    p: Fraction | None = None  # one path b = T^p, in place of all

    def tables(self) -> list[Table]:
        """Return the exponents, where laws begin, and which of the published exponents can arise."""
        columns, begins = dict[str, list[str]](), list[tuple[str, ...]]()
        own = self.bounds.values()
        for words, key in map(PROTOCOLS.__getitem__, self.protocols):
            if key:
                columns[words] = [signed(each.cells[key]) for each in own]
                begins += [(n, words, each.begins[key]) for n, each in zip(self.bounds, own) if key in each.begins]
                continue
            path = words if self.p is None else f"b = T^{self.p}"
            for beta in ("fixed", "tuned"):
                columns[f"{path}, beta {beta}"] = [along(each.paths[beta], self.p) for each in own]
        head, rows = ("bound", *columns), zip(self.bounds, *columns.values())
        before = "Where laws begin: before, b is at 1, as where it is fixed, beta at 0, eta at its cap"
        return [
            Table(f"d log eta*/d log T: {self.answer()}", [head, *rows], head),
            *([Table(before, [("bound", "protocol", "from T ="), *begins], ("from T =",))] if begins else []),
            self.arising(),
        ]

    def first(self) -> list[str]:
        """Return where eta* rises."""
        return [f"A{self.answer()[1:]}."]

    def beside(self) -> list[Table]:
        """Return the exponents, as far as they fit a screen."""
        return [table for table in self.tables()[:1] if len(table.rows) <= FITS]

    def answer(self) -> str:
        """Return in a sentence where eta* rises with the budget."""
        named = [PROTOCOLS[protocol][1] for protocol in self.protocols if PROTOCOLS[protocol][1]]
        up = [name for name, own in self.bounds.items() if any(own.cells[key].low > 0 for key in named)]
        starts = {
            name: [p for pieces in own.paths.values() if (p := rises(pieces)) is not None]
            for name, own in self.bounds.items()
        }
        paths = [f"{name} from p = {float(min(found)):.3g} on" for name, found in starts.items() if found]
        parts = [f"in {', '.join(up) or 'none of these bounds'}"] if named else []
        parts += [f"along b = T^p in {', '.join(paths) or 'none'}"] if "path" in self.protocols else []
        return f"as far as its exponent is known, eta* rises with T {'; '.join(parts)}"

    def arising(self) -> Table:
        """Return which published exponents can arise: by study and bound, along the study's own path or another."""
        rows = []
        for name, (p, e) in ((study, path) for study in self.studies for path in STUDIES[study].paths):
            said = f"{name}: eta ~ T^{e.text()}, {f'b ~ T^{float(p):g}' if p else 'b held'}"
            rows.append((said, *(arises(own, p, e) for own in self.bounds.values())))
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
            "bounds": {name: plain(own) for name, own in self.bounds.items()},
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
            x = each.at(p)
            return Cell(x, "measured", x - each.error, x + each.error) if each.measured else Cell(x, "exact", x, x)
    return Cell(note=UNKNOWN if pieces else "no b")


def arises(own: Answers, p: Fraction, published: Cell) -> str:
    """Return whether a bound has a published exponent of eta* along its path, else what it has, and where it would."""
    held = [own.cells[key] for key in ("eta-T", "eta-T-beta")]
    here = [c for c in (map(value_at, own.paths.values(), (p, p)) if p else held) if c.value is not None]
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
