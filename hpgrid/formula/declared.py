"""The variables that a bound declares: "H >= 1, whole", "0 < delta <= 1", "R >= 1, budget", "T = n*H*R*b"."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hpgrid.checks import bad, check_flag, check_keys, shortened, unknown, without_unit
from hpgrid.formula.powers import Obstacle, expand
from hpgrid.formula.syntax import read
from hpgrid.variables import RESULTS, STANDARD, Relation, Space, Variable

#: A range: between two ends, or from one on.
_RANGE = re.compile(
    r"(?:(?P<low>[^<>=\s]+) *(?P<above><=?) *)?(?P<name>[A-Za-z]\w*) *(?:(?P<sign>[<>]=?) *(?P<end>[^<>=\s]+))?"
)
_DEFINITION = re.compile(r"([A-Za-z]\w*) *= *([^=].*)")

#: What may stand behind a range, after a comma.
_KINDS = ("whole", "budget")

#: What a table of a file says of a variable.
_KEYS = ("range", "is", *_KINDS, "symbol", "words", "complement")


def declared(given: Space | Sequence[Any] | Mapping[str, Any] | str) -> Space:
    """Return the space of variables that are declared.

    The standard variables keep their meaning where they are not declared anew, and their place, first; K goes where a
    definition makes tokens of another budget.

    Args:
        given: declarations as text; or by name a range as text, or a table: "range", "is" (what a budget is), "whole",
            "budget", "symbol", "words", "complement"; or the space that was made of some.

    Raises:
        ValueError: a declaration says nothing, a name stands twice, a range is upside down, definitions are circular.
    """
    if isinstance(given, Space):
        return given
    own: dict[str, _Declaration] = {}
    if isinstance(given, Mapping):
        said = [_of_table(name, entry) for name, entry in given.items()]
    else:
        said = [_of_text(each) for each in ([given] if isinstance(given, str) else given)]
    for each in said:
        before = own.get(each.name)
        own[each.name] = each if before is None else before.and_then(each)
    definitions = {name: each.definition for name, each in own.items() if each.definition}
    named = {*own, *re.findall(r"[A-Za-z]\w*", " ".join(definitions.values()))}
    # Who says what tokens are has said what counts iterations, too.
    dropped = {*own, *({"K"} - named if "T" in definitions else ())}
    # A standard variable that is declared anew stays in its place.
    tunable = {v.name: v for v in STANDARD.tunable} | {n: each.variable for n, each in own.items()}
    hyperparameters = [v for name, v in tunable.items() if name not in own or not own[name].is_budget]
    budgets = [each.variable for each in own.values() if each.is_budget]
    budgets += [v for v in STANDARD.budgets if v.name not in dropped]
    space = Space(tuple(hyperparameters), tuple(budgets))
    for word in space.words:
        if word in RESULTS:
            raise bad(f"{word} is something else in every result", word, "another name for the variable")
        if space.words.count(word) > 1:
            raise bad("a name means one thing", word, "another name for one of the two")
    relations = tuple(_relation(name, text, space) for name, text in definitions.items())
    if not {"T", "K"} & {*definitions} and {"T", "K", "b"} <= {*space.all}:
        relations += STANDARD.relations
    for relation in relations:
        if relation.other in space.joined(relation.name):
            rule = "definitions do not go round in a circle: one relation joins two budgets"
            raise bad(rule, f"{space.relation_text}, {relation.text}", f"these without {relation.text}")
        space = replace(space, relations=(*space.relations, relation))
    return space


@dataclass(frozen=True)
class _Declaration:
    """What is said of one variable."""

    name: str
    range: Mapping[str, Any] | None = None
    definition: str = ""
    kinds: frozenset[str] = frozenset()
    more: Mapping[str, str] = field(default_factory=dict)

    def and_then(self, other: _Declaration) -> _Declaration:
        """A range here and a definition there are one declaration."""
        if (self.range is not None) == (other.range is not None):
            raise bad("a variable is declared once", self.name, "one declaration of it")
        with_range, defined = (self, other) if self.range is not None else (other, self)
        return replace(with_range, definition=defined.definition, kinds=self.kinds | other.kinds)

    @property
    def is_budget(self) -> bool:
        return "budget" in self.kinds or bool(self.definition) or self.name in STANDARD.budget_names

    @property
    def variable(self) -> Variable:
        if self.range is None and self.name in STANDARD.all:
            more: dict[str, Any] = dict(self.more)
            return replace(STANDARD.all[self.name], **more)
        fields: dict[str, Any] = {**(self.range or {}), **self.more}
        return Variable(self.name, **fields, whole="whole" in self.kinds)


def _of_text(text: Any) -> _Declaration:
    if not isinstance(text, str):
        raise bad("a variable is declared by its range, or by what it is", text, '"H >= 1" or "T = H*R*b", say')
    said, *kinds = (part.strip() for part in text.split(","))
    for kind in kinds:
        if kind not in _KINDS:
            raise unknown("kind of variable", kind, _KINDS)
    if defined := _DEFINITION.fullmatch(said):
        return _Declaration(defined[1], None, defined[2], frozenset(kinds))
    found = _RANGE.fullmatch(said)
    if found is None or (found["low"] and (found["sign"] or "<")[0] == ">"):
        rule = "a variable is declared by its range, or by what it is"
        raise bad(rule, shortened(text), "H >= 1, 0 < delta <= 1, or T = n*H*R*b, say")
    ends: dict[str, Any] = {}
    if found["low"]:
        ends |= {"low": _end(found["low"], text), "low_open": found["above"] == "<"}
    if found["sign"]:
        side = "low" if found["sign"][0] == ">" else "high"
        ends |= {side: _end(found["end"], text), f"{side}_open": "=" not in found["sign"]}
    return _Declaration(found["name"], ends, "", frozenset(kinds))


def _of_table(name: str, entry: Any) -> _Declaration:
    table = dict(entry) if isinstance(entry, Mapping) else {"range": entry}
    check_keys(f"key of the variable {name}", table, _KEYS)
    text = table.get("range", name)
    if not isinstance(text, str):
        raise bad(f"the range of {name} is text", text, f'{name} = "{name} >= 1", say')
    # Its name is known: "> 0" is enough.
    found = _of_text(f"{name} {text}" if text.strip()[:1] in "<>" else text)
    if found.name != name:
        raise bad(f"the range of {name} is one of {name}", text, f"{name} >= 1, say")
    kinds = found.kinds | {kind for kind in _KINDS if check_flag(kind, table.get(kind, False))}
    more = {key: str(table[key]) for key in ("symbol", "words", "complement") if key in table}
    ranged = "range" in table and not found.definition
    return replace(
        found,
        range=found.range if ranged else None,
        definition=str(table.get("is", found.definition)),
        kinds=kinds,
        more=more,
    )


def _end(text: str, whole: str) -> float:
    try:
        value = float(without_unit(text))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise bad("the ends of a variable's range are numbers", shortened(whole), "H >= 1, say")
    return value


def _relation(name: str, text: str, space: Space) -> Relation:
    """What a definition says: another budget, once, times a sum of powers."""
    try:
        total = expand(read(text, space).root, {}, space)
    except Obstacle as obstacle:
        rule = f"the budget {name} is another one times a sum of powers ({obstacle})"
        raise bad(rule, text, f"{name} = n*H*R*b, say") from None
    others = {each for powers in total for each, _ in powers if each in space.budget_names}
    other = next(iter(others), "")
    if len(others) != 1 or any(dict(powers).get(other) != 1 for powers in total):
        rule = f"the budget {name} is one other budget times something"
        raise bad(rule, f"{name} = {text}", f"{name} = n*H*R*b with R >= 1, budget, say")
    if other == name:
        raise bad("definitions do not go round in a circle", f"{name} = {text}", "another budget on its right side")
    factor = tuple((tuple((n, e) for n, e in powers if n != other), number) for powers, number in total.items())
    return Relation(name, other, factor, f"{name} = {text}")
