"""``hpgrid bounds``: the published bounds that hpgrid knows, and what each says, whole."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Annotated, Any

from hpgrid.answer import Answer, Result, Table
from hpgrid.bounds import BOUNDS
from hpgrid.bounds.written import Bound
from hpgrid.checks import InputError, check_choice
from hpgrid.cli import options
from hpgrid.cli.options import about
from hpgrid.variables import STANDARD

if TYPE_CHECKING:
    from hpgrid.asymptotics import Law
    from hpgrid.proxy import FunctionProxy, Proxy


def print_bounds(
    name: Annotated[str | None, about("One of them, to be shown whole, with its laws.")] = None,
    /,
    *,
    budget: options.Counted = None,
    json_: options.Json = False,
) -> int:
    """List the published bounds: formula, variables, where each holds, source; or show one with its laws, exact."""
    if name is None:
        return options.say("bounds", Listed(), json_)
    bound = BOUNDS[check_choice("bound", name, BOUNDS)]
    counted = bound.budget if budget is None else check_choice("budget", budget, bound.space.joined(bound.budget))
    return options.say("bounds", Whole(name, bound, counted), json_)


def _variables(bound: Bound) -> dict[str, str]:
    """Its hyperparameters and budgets, each by its name and what is to be known of it."""
    from hpgrid.formula.syntax import read

    space, named = bound.space, read(bound.formula, bound.space).variables()
    defined = {relation.name: relation.text for relation in space.relations if relation not in STANDARD.relations}
    said = {v: space.all[v].rule if space.all[v] != STANDARD.all.get(v) else v for v in named}
    said = {v: f"{rule} (whole)" if space.all[v].whole else rule for v, rule in said.items()}
    hyperparameters = {v: rule for v, rule in said.items() if v in space.hyperparameters}
    return hyperparameters | {v: defined.get(v, said.get(v, v)) for v in space.joined(bound.budget)}


def _described(bound: Bound) -> Iterator[str]:
    """A bound in lines: its formula, what it depends on, where it holds, who states it."""
    said = _variables(bound)
    budgets = [said.pop(v) for v in bound.space.joined(bound.budget)]
    yield bound.formula
    yield f"of {', '.join(said.values())}; budget {' or '.join(budgets)}"
    if bound.domain:
        yield f"for {', '.join(bound.domain)}"
    yield bound.source


def _plain(name: str, bound: Bound) -> dict[str, Any]:
    """A bound as plain data."""
    own = ("of", "formula", "source", "budget")
    return {
        "name": name,
        **{key: getattr(bound, key) for key in own},
        "variables": _variables(bound),
        "domain": list(bound.domain),
        "constants": dict(bound.constants),
        "exponents": {key: each._asdict() for key, each in bound.exponents.items()},
        "options": dict(bound.options),
    }


class Listed(Result):
    """All of them."""

    def answer(self) -> Answer:
        """Return a table, some lines a bound."""
        rows = [("bound", "formula; what it is of; where it holds; source")]
        for name, bound in BOUNDS.items():
            rows += [(name if k == 0 else "", line) for k, line in enumerate(_described(bound))]
        return Answer((), [[Table(rows, wrap=rows[0][1:])], ["hpgrid bounds NAME shows one with its laws"]])

    def as_dict(self) -> dict[str, Any]:
        """Return them as plain data."""
        return {"bounds": [_plain(name, bound) for name, bound in BOUNDS.items()]}


@dataclass(frozen=True, repr=False)
class Whole(Result):
    """One of them, with its laws.

    Attributes:
        name: the bound's.
        bound: its row.
        budget: what grows.
    """

    name: str
    bound: Bound
    budget: str

    @cached_property
    def proxy(self) -> "Proxy | FunctionProxy":
        """The bound, its constants 1."""
        return self.bound.function(self.name)(budget=self.budget)

    @cached_property
    def laws(self) -> "dict[tuple[str, ...], Law | str]":
        """The exact law of each regime, by what is tuned, or why there is none: eta is tuned in all that have one."""
        from hpgrid.asymptotics import exponents

        found, own = dict[tuple[str, ...], "Law | str"](), [*self._held(())]
        every = (each for n in range(1, len(own) + 1) for each in combinations(own, n))
        for tuned in (each for each in every if "eta" in each or "eta" not in own):
            try:
                found[tuned] = exponents(self.proxy, tuned, fixed=self._held(tuned))
            except InputError as error:
                found[tuned] = str(error).partition(". Given:")[0]
        return found

    def _held(self, tuned: tuple[str, ...]) -> dict[str, float]:
        """What is held where some are tuned, at values of no significance."""
        from hpgrid.statements.stated import held_at

        space, own = self.bound.space, self.proxy.depends_on()
        return {v: held_at(space, v) for v in own if v in space.hyperparameters and v not in tuned}

    @cached_property
    def claims(self) -> dict[str, str]:
        """What the ledger measures of it: statements by their ids."""
        from hpgrid.claims import ledger

        return {
            each.id: each.statement for each in ledger() if each.id.startswith((f"A.{self.name}.", f"H.{self.name}."))
        }

    def answer(self) -> Answer:
        """Return it in lines."""
        formula, *more = _described(self.bound)
        lines = [f"{self.name}: {self.bound.of}", f"   {formula}", *(f"   {line}" for line in more)]
        lines += [f"   {name}: {means}, > 0" for name, means in self.bound.constants.items()]
        lines += [f"   {name}: {e.means}, {e.range}; here {e.default}" for name, e in self.bound.exponents.items()]
        for tuned, law in self.laws.items():
            if not isinstance(law, str):
                held = self._held(tuned)
                computed = any(each is not None and each.numeric for each in law.laws.values())
                at = ", ".join(["constants 1", *(f"{v} = {x:g}" for v, x in held.items())])
                heading = f"{', '.join(tuned)} tuned" + (f", {', '.join(held)} held" if held else "")
                lines += ["", f"{heading}{f' (numbers of {at})' if computed else ''}:"]
                lines += [f"   {line}" for line in symbolic(law).lines()[1:]]
        for reason in sorted({law for law in self.laws.values() if isinstance(law, str)}):
            without = [f"{', '.join(tuned)} tuned" for tuned, law in self.laws.items() if law == reason]
            regimes = f" with {' or '.join(without)}" if len(without) < len(self.laws) else ""
            lines += ["", f"no exact laws{regimes}: {reason}"]
        lines += ["", "what the ledger measures of it (hpgrid verify ID):"] if self.claims else []
        lines += [f"   {id}: {says}" for id, says in self.claims.items()]
        return Answer((), [lines])

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        laws = [
            {"tuned": list(tuned), **({"why": law} if isinstance(law, str) else {"law": law.as_dict()})}
            for tuned, law in self.laws.items()
        ]
        return {**_plain(self.name, self.bound), "asked in": self.budget, "laws": laws, "claims": self.claims}


def symbolic(law: "Law") -> "Law":
    """Return a law whose constants have no values but where they were computed: those here are examples."""
    plain = {
        name: {key: each if each is None or each.numeric else replace(each, values={}) for key, each in own.items()}
        for name, own in (("laws", law.laws), ("starts", law.starts))
    }
    return replace(law, **plain)  # type: ignore[arg-type]
