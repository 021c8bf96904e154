"""Who answers which question, and who can agree; NumPy loads with a person's runs alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from hpgrid.answer import Pictured
from hpgrid.bounds import BOUNDS
from hpgrid.checks import bad, unknown
from hpgrid.comparison.laws import Answers, answers, asked, made
from hpgrid.comparison.questions import BEYOND, QUESTIONS, Cell
from hpgrid.comparison.studies import STUDIES
from hpgrid.comparison.tables import Table
from hpgrid.text import listed

if TYPE_CHECKING:
    import pandas

    from hpgrid.fits.fit import Fit
    from hpgrid.proxy import FunctionProxy, Proxy

#: What stands in the table where nobody says what: few enough for two blocks of 80 columns.
SHOWN = ("lmo", "sgd", "storm", "star_convex", "StepLaw", "Filatov", "Mlodozieniec", "sweeps-decay")

LEGEND = (
    "Of a bound, fractions are exact; decimals were measured at its optimum far out, with a * where a power of the "
    "logarithm stands beside; along b = T^p they stand at p = 0, 1/4, 1/2, 3/4. Bounds have their default constants "
    "and options, 1 for most: fractions hold at any constants; decimals may not, as star_convex's b* at b >= 1, which "
    "takes lam G0 < 2 L. Ask with others by --bound NAME --set. Of studies and runs, all is fitted. "
    "What has no answer is a -: a bound or runs lack a variable (no b), an optimum is not identifiable (flat), has no "
    "best value (runs off), or no limit can be read, as in a flat valley (unknown)."
)


class Source(NamedTuple):
    """Who answers: by question what, where that is said, and whether it is a bound."""

    cells: Mapping[str, Cell]
    said: str
    is_bound: bool = False


def sources(fit: Fit | None = None, own: Mapping[str, Answers] = {}) -> dict[str, Source]:
    """Return all who answer: a person's runs where there are some, bounds of a person's own, bounds, studies."""
    sources = {} if fit is None else {"yours": Source(of_runs(fit), "your runs, 90% intervals")}
    sources |= {name: Source(each.cells, "your bound, as it is now", True) for name, each in own.items()}
    sources |= {name: Source(own.cells, BOUNDS[name].source, True) for name, own in answers().items()}
    for name, study in STUDIES.items():
        parts = [study.source, study.range or f"in {study.budget}", study.remark]
        sources[name] = Source(study.cells, "; ".join(filter(None, parts)))
    return sources


def of_runs(fit: Fit) -> dict[str, Cell]:
    """Return what a person's runs answer, with 90% intervals: what varied among them, where it shows."""
    names, cells = fit.surface.names, dict[str, Cell]()
    for key, question in QUESTIONS.items():
        over, _, under = question.of.partition("/")
        of = {over: 1, **({under: -1} if under else {})}
        if over == "risk" or question.at == "K" or question.caps or question.floors:
            continue
        varies = {*names, *["T"] * (len(fit.surface.t) > 1)}
        tunes = varies - {*fit.kept}
        lacks = [v for v in question.tuned if v not in tunes] + [question.along] * (question.along not in varies)
        if lacks:
            cells[key] = Cell(note=f"no {'beta' if lacks[0] == 'alpha' else lacks[0]}")
        else:
            slope = fit.slope(of, question.tuned, question.along)
            cells[key] = Cell(slope.value, "fitted", slope.low, slope.high, BEYOND if slope.beyond else "range")
    return cells


def agree(one: Cell, other: Cell) -> bool:
    """Return whether two answers can be the same: whether what each may be has something in common."""
    return max(one.low, other.low) <= min(one.high, other.high)


def verdict(cells: Mapping[str, Cell], bounds: Collection[str]) -> str:
    """Return in words which answers can agree, "" where there are not two of them."""
    numeric = {name: cell for name, cell in cells.items() if cell.numeric}
    theory = [name for name in numeric if name in bounds]
    if len(numeric) < 2:
        return ""

    def grouped(names: Sequence[str]) -> list[list[str]]:
        groups: list[list[str]] = []
        for name in names:
            group = next((g for g in groups if all(agree(numeric[name], numeric[each]) for each in g)), None)
            groups.append([name]) if group is None else group.append(name)
        return groups

    # An interval may hold the exponents of several bounds that can't agree with one another.
    others = [name for name in numeric if name not in theory]
    groups = []
    for group in grouped(theory):
        groups.append([*group, *(v for v in others if all(agree(numeric[v], numeric[each]) for each in group))])
    groups += grouped([name for name in others if not any(name in g for g in groups)])
    alone = ", ".join(f"{numeric[g[0]].text()} ({g[0]})" for g in groups if len(g) == 1)
    shared = sorted((g for g in groups if len(g) > 1), key=len, reverse=True)
    parts = [f"{', '.join(g)} can agree on {numeric[g[0]].text()}" for g in shared]
    return "; ".join([*parts, *([f"alone: {alone}"] if alone else [])])


#: So many columns fit a screen.
FITS = 9

#: So many questions are answered one by one.
_FEW = 3


@dataclass(frozen=True, repr=False)
class Comparison(Pictured):
    """Some questions and who answers them; a panel each, by its name."""

    pictures = "hpgrid.comparison.picture"

    questions: Sequence[str]  # their names
    chosen: Mapping[str, Source]  # the sources

    def __repr__(self) -> str:
        return f"Comparison({', '.join(self.questions)} of {', '.join(self.chosen)})"

    def to_dataframe(self) -> pandas.DataFrame:
        """Return the answers as text, a row a question and a column a source, and who can agree."""
        import pandas

        columns = {name: [self.cells(key)[name].text() for key in self.questions] for name in self.chosen}
        columns["verdict"] = [self.verdict(key) for key in self.questions]
        return pandas.DataFrame(columns, index=pandas.Index(self.questions, name="question"))

    def cells(self, key: str) -> dict[str, Cell]:
        """Return the answers to one question."""
        return {name: source.cells.get(key, Cell()) for name, source in self.chosen.items()}

    def verdict(self, key: str) -> str:
        """Return in words who can agree on one question, and whose answer tells nothing."""
        unseen = [
            f"{name} {BEYOND}, and tells nothing" for name, cell in self.cells(key).items() if cell.note == BEYOND
        ]
        return "; ".join(filter(None, [self._agree(key), *unseen]))

    def _agree(self, key: str) -> str:
        return verdict(self.cells(key), [name for name, source in self.chosen.items() if source.is_bound])

    def tables(self) -> list[Table]:
        """Return the answers of bounds, one's runs beside them, and of runs, who can agree, and who the sources are."""
        tables, yours = [], ["yours"] * ("yours" in self.chosen)
        for title, kind in (("Exponents of bounds", True), ("Exponents of runs", False)):
            own = [name for name, source in self.chosen.items() if source.is_bound is kind]
            if own and kind and yours:
                own, title = [*yours, *own], f"{title}, and yours"
            rows = [[QUESTIONS[key].words, *(self.cells(key)[name].text() for name in own)] for key in self.questions]
            answered = [row for row in rows if any(cell != "-" for cell in row[1:])]
            tables += [Table(title, [["exponent of", *own], *answered], own)] if answered else []
        verdicts = [(QUESTIONS[key].words, says) for key in self.questions if (says := self.verdict(key))]
        sources = [(name, source.said) for name, source in self.chosen.items()]
        return [
            *tables,
            Table("Who can agree", [("exponent of", "verdict"), *verdicts], ("exponent of", "verdict")),
            Table("Sources", [("source", "what it is"), *sources], ("what it is",)),
        ]

    def first(self) -> list[str]:
        """Return who can agree: of few questions in words, of many how many they are."""
        if len(self.questions) <= _FEW:
            few = [f"{QUESTIONS[key].words}: {says}." for key in self.questions if (says := self.verdict(key))]
            return few or ["No two answer a question."]
        agreeing = {key: says for key in self.questions if (says := self._agree(key))}
        agreed = {key: ("can agree" in says, "alone" in says or ";" in says) for key, says in agreeing.items()}
        whole = [QUESTIONS[key].words for key, (some, apart) in agreed.items() if some and not apart]
        partly = sum(some and apart for some, apart in agreed.values())
        first = f"Of {len(agreeing)} questions with more than one answer all sources can agree on {len(whole)}"
        rest = f"some of them on {partly}, and no two on {len(agreeing) - len(whole) - partly}."
        unseen = sum(cell.note == BEYOND for key in self.questions for cell in self.cells(key).values())
        beyond = [f"Of {unseen} the answer of your runs is {BEYOND}, and tells nothing."] if unseen else []
        return [f"{first}{f' ({listed(whole)})' if 0 < len(whole) <= _FEW else ''}, {rest}", *beyond]

    def beside(self) -> list[Table]:
        """Return the exponents of bounds and, beside few questions, those of runs, as far as they fit a screen.

        One's own, which were asked for, stand there alone where with the others they do not fit; and of many questions
        those that one's runs answer.
        """
        own = self.chosen["yours"].cells if "yours" in self.chosen else {}
        answered = [key for key in self.questions if own.get(key, Cell()).value is not None]
        asked = answered if len(self.questions) > _FEW and answered else self.questions
        words, exponents = ["exponent of", *(QUESTIONS[key].words for key in asked)], list[Table]()
        for table in self.tables():
            head = table.rows[0]
            shown = [k for k, name in enumerate(head) if k == 0 or len(head) <= FITS or name in ("yours", "bound")]
            rows = [[row[k] for k in shown] for row in table.rows if row[0] in words]
            again = len(shown) < len(head) and exponents and {*rows[0]} <= {*exponents[0].rows[0]}
            if table.title.startswith("Exponents") and len(shown) > 1 and not again:
                exponents.append(table._replace(rows=rows))
        return exponents if len(asked) <= _FEW or answered else exponents[:1]

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


def compare(
    questions: Iterable[str] | str = "all",
    *,
    sources: Iterable[str] | str = (),
    bound: Proxy | FunctionProxy | None = None,
    fit: Fit | None = None,
) -> Comparison:
    """Return the exponents of bounds, of published studies and of one's own runs, question by question.

    Args:
        questions: which, by the names that ``hpgrid compare`` lists: "eta-T", "b-T", or "all".
        sources: who answers beside one's own: names of bounds and studies, "bounds", "studies", or "all"; some of the
            best known where there are none.
        bound: one of one's own, whose answers are worked out now.
        fit: one's own runs.

    Raises:
        ValueError: there is no such question or source.
    """
    from hpgrid.proxy import check_bound

    if bound is not None:
        check_bound(bound)
    own = {} if bound is None else {"bound": made(asked(bound))}
    asks, named = ([x] if isinstance(x, str) else x for x in (questions, sources))
    return comparison(asks, named, own, fit)


def comparison(
    questions: Iterable[str], named: Iterable[str], own: Mapping[str, Answers], fit: Fit | None
) -> Comparison:
    """Return the same of a bound that has been asked."""
    every = sources(fit, own)
    groups = {"bounds": (*own, *answers()), "studies": tuple(STUDIES)}
    chosen = [each for name in named for each in groups.get(name, (name,))]
    if "yours" in chosen and fit is None:
        raise bad("yours are the runs of a fit", "no fit", "fit=hpgrid.fit(...), or --fit runs.csv, too")
    first = [name for name in ("yours", *own) if name in every]
    known = ("yours", *(name for name in every if name != "yours"))
    others = _all("source", chosen, known) or SHOWN
    names = [*first, *(name for name in others if name not in ("yours", *own))]
    return Comparison(_all("question", questions, QUESTIONS), {name: every[name] for name in names})


def _all(kind: str, given: Iterable[str], known: Collection[str]) -> tuple[str, ...]:
    """The names that were given, all that there are for "all"."""
    found = tuple(dict.fromkeys(given))
    for name in found:
        if name not in (*known, "all"):
            raise unknown(kind, name, known)
    return tuple(known) if "all" in found else found
