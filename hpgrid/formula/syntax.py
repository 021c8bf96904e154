"""From text to a checked expression. No NumPy: a mistake is answered at once.

Python's own parser makes a tree of the text, and every node that is not on the list below is refused;
nothing of it is ever compiled or evaluated.
"""

from __future__ import annotations

import ast
import keyword
import math
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fractions import Fraction
from typing import Any, NoReturn

from hpgrid.checks import CALLED, InputError, bad, shortened, unknown
from hpgrid.formula.node import Node, at
from hpgrid.formula.quantity import Quantity, written
from hpgrid.variables import STANDARD, Power, Space

#: The functions, and how few and how many arguments each takes.
FUNCTIONS = {"sqrt": (1, 1), "exp": (1, 1), "log": (1, 1), "min": (2, 20), "max": (2, 20)}

#: The longest formula, in characters, and how deeply its parentheses may nest.
LONGEST, DEEPEST = 4000, 40

#: Characters that people paste, and what stands for them.
_INSTEAD = {
    "^": "** for a power", "=": "the right-hand side alone", "[": "( and )", "{": "( and )",
    "\u00b7": "*", "\u00d7": "*", "\u2217": "*", "\u22c5": "*", "\u2212": "-", "\u2013": "-", "\u00f7": "/",
    "\u03b7": "eta", "\u03b1": "alpha", "\u03b2": "beta", "\u221a": "sqrt(...)",
}  # fmt: skip

_FORBIDDEN = re.compile(r"[^A-Za-z0-9_.+\-*/(), ]")
_DECIMAL = re.compile(r"[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?|\.[0-9]+([eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class Inequality:
    """A condition under which a bound holds: low <= high, or low < high where it is strict.

    Attributes:
        text: as it was written.
        low: the side that is the smaller one.
        high: the other.
        strict: whether the two may not be equal.
        space: the variables of the bound.
    """

    text: str
    low: Node
    high: Node
    strict: bool = False
    space: Space = STANDARD

    def constants(self) -> tuple[str, ...]:
        """Return the names in it that are no variables, in order of their appearance."""
        return tuple(dict.fromkeys((*self.low.constants(), *self.high.constants())))

    def named(self) -> frozenset[str]:
        """Return the variables that stand in it."""
        return self.low.variables() | self.high.variables()

    def variables(self, budget: str) -> tuple[str, ...]:
        """Return the variables that it depends on where runs are counted in one budget, in canonical order."""
        return self.space.ordered(self.space.under(self.named(), budget))

    def along(self, path: Mapping[str, Power], budget: str) -> Inequality:
        """Return it with a power of the budget in place of what follows a path."""
        nodes = {v: sum_of([(((budget, Fraction(phi)),), phi.factor)], self.space) for v, phi in path.items()}
        low, high = (in_place(side, nodes, budget, self.space) for side in (self.low, self.high))
        return replace(self, low=low, high=high)


def in_place(root: Node, given: Mapping[str, Node], budget: str, space: Space) -> Node:
    """Return an expression in one budget, with expressions in place of some of its variables."""
    nodes = dict(given)

    def folded(node: Node) -> Node:
        if node.kind == "variable":
            return nodes.get(str(node.value), node)
        if node.kind == "complement" and node.value in nodes:
            one, other = Node("number", Fraction(1)), nodes[str(node.value)]
            return Node("sum", None, ((1, one), (-1, other)), f"1 - {written(other)}")
        return replace(node, parts=tuple((sign, folded(part)) for sign, part in node.parts))

    for other in root.variables() & {*space.budget_names} - {budget}:
        factors = ((sign, sum_of(relation.factor, space)) for relation, sign in space.exchange(other, budget))
        parts = ((1, Node("variable", budget, (), budget)), *((sign, folded(node)) for sign, node in factors))
        nodes[other] = Node("product", None, parts, other)
    return folded(root)


def sum_of(products: Iterable[tuple[Iterable[tuple[str, Fraction]], Fraction]], space: Space) -> Node:
    """Return a sum of products of powers, each with its number, as an expression."""

    def power(name: str, exponent: Fraction) -> Node:
        kind = "complement" if name in space.complements else "variable" if name in space.all else "name"
        base = Node(kind, space.complements.get(name, name), (), name)
        if isinstance(name, Quantity):
            base = name.root
        elif name.isdigit():
            base = Node("number", Fraction(name), (), name)
        return base if exponent == 1 else Node("power", None, ((1, base), (1, Node("number", exponent))))

    terms = []
    for powers, number in products:
        factors = [(1, power(*each)) for each in powers]
        if abs(number) != 1 or not factors:
            factors.insert(0, (1, Node("number", abs(number))))
        term = factors[0][1] if len(factors) == 1 else Node("product", None, tuple(factors))
        terms.append((1 if number > 0 else -1, term))
    return terms[0][1] if [sign for sign, _ in terms] == [1] else Node("sum", None, tuple(terms))


@dataclass(frozen=True)
class Expression:
    """A formula that was read.

    Attributes:
        text: as it was written.
        root: the expression.
        remarks: what it means where a person may have meant something else.
        domain: the conditions under which it holds.
        space: its variables.
    """

    text: str
    root: Node
    remarks: tuple[str, ...] = ()
    domain: tuple[Inequality, ...] = ()
    space: Space = STANDARD

    def _roots(self) -> tuple[Node, ...]:
        return (self.root, *(side for each in self.domain for side in (each.low, each.high)))

    def names(self) -> tuple[str, ...]:
        """Return the names that are no variables, in order of their appearance: the constants."""
        of_relations = self.space.constants_between(self.root.variables())
        return tuple(dict.fromkeys((*(name for root in self._roots() for name in root.constants()), *of_relations)))

    def coefficients(self) -> tuple[str, ...]:
        """Return the constants that stand elsewhere than in exponents: the bound's own."""
        outside = {*(name for root in self._roots() for name in root.constants(exponents=False))}
        outside |= {*self.space.constants_between(self.root.variables())}
        return tuple(name for name in self.names() if name in outside)

    def in_exponents(self) -> frozenset[str]:
        """Return the names that stand in exponents without variables: their values are taken exactly."""
        powers = (node.parts[1][1] for root in self._roots() for node in root.walk() if node.kind == "power")
        return frozenset(name for exponent in powers if exponent.is_constant() for name in exponent.constants())

    def check_values(self, given: Mapping[str, Any]) -> None:
        """Refuse a constant without a value, and a value of what is no constant.

        Raises:
            ValueError: which, and the nearest name.
        """
        names = self.names()
        conditions = ((f"in {each.text!r}: ", side) for each in self.domain for side in (each.low, each.high))
        for where, node in ((where, node) for where, root in (("", self.root), *conditions) for node in root.walk()):
            name = str(node.value)
            if node.kind == "name" and name in names and name not in given:
                known = (*self.space.words, *FUNCTIONS, *given)
                near = [CALLED[name]] if name in CALLED else get_close_matches(name, known, n=1, cutoff=0.6)
                instead = f"{near[0]}, or a value of it: {name}=1.0, say" if near else f"its value: {name}=1.0, say"
                rule = f"every name but {', '.join(self.space.words)} is a constant and needs a value"
                raise InputError(f"{where}{at(node.column, rule, name, instead)}")
        for name in given:
            if name not in names:
                none = bad("this bound has no constants", name, "a formula that names it")
                raise unknown("constant of this bound", name, names) if names else none

    def variables(self) -> tuple[str, ...]:
        """Return the variables that it names, in canonical order."""
        return self.space.ordered(self.root.variables())


def read_domain(given: object, space: Space = STANDARD) -> tuple[Inequality, ...]:
    """Return the conditions under which a bound holds, each read from text: "eta <= 1/L", "lam*eta < 1".

    Raises:
        ValueError: one is no inequality; the message points at the column.
    """
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, (list, tuple)):
        raise bad("a domain is a list of inequalities", given, 'domain = ["eta <= 1/L"], say')
    return tuple(each if isinstance(each, Inequality) else _inequality(each, space) for each in texts)


#: What is between the sides of an inequality, and what people write there.
_RELATION = re.compile("[<>]=?|[=!]=?|[\u2264\u2265]")


def _inequality(text: object, space: Space) -> Inequality:
    signs = list(_RELATION.finditer(text)) if isinstance(text, str) else []
    if len(signs) != 1 or signs[0][0] not in ("<", "<=", ">", ">="):
        rule = "an inequality has two sides, and one of <, <=, > and >= between them"
        raise bad(rule, shortened(text) if isinstance(text, str) else text, "eta <= 1/L, say")
    assert isinstance(text, str)
    (sign,) = signs
    if not (text[: sign.start()].strip() and text[sign.end() :].strip()):
        raise bad("an inequality has something on both of its sides", shortened(text), "eta <= 1/L, say")
    try:
        # Blanks in place of what stands before it: columns are those of the whole.
        low = read(text[: sign.start()], space).root
        high = read(" " * sign.end() + text[sign.end() :], space).root
    except InputError as error:
        raise InputError(f"in {shortened(text.strip())!r}: {error}") from None
    low, high = (high, low) if sign[0].startswith(">") else (low, high)
    return Inequality(text.strip(), low, high, "=" not in sign[0], space)


def read(text: str, space: Space = STANDARD) -> Expression:
    """Return a formula as a checked expression.

    Raises:
        ValueError: the text is no formula; the message points at the column.
    """
    flat = _checked_text(text)
    start = len(flat) - len(flat.lstrip())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # "2b", say, is but a warning to Python
            tree = ast.parse(flat.lstrip(), mode="eval").body
    except SyntaxError as error:
        raise _no_formula(flat, start + (error.offset or 1)) from None
    except (Warning, ValueError, RecursionError, MemoryError) as error:
        raise bad(f"a bound is an expression ({error})", shortened(flat), "one such as C1*b/(eta*T)") from None
    root = _Reader(flat.lstrip(), start, space).node(tree)
    return Expression(flat.strip(), root, tuple(_remarks(flat)), space=space)


# --- the text ---


def _checked_text(text: object) -> str:
    """The text on one line, of allowed characters and balanced parentheses."""
    if not isinstance(text, str):
        raise bad("a bound is text", text, '"C1*b/(eta*T) + C3*eta", say')
    if len(text) > LONGEST:
        raise bad(f"a bound has at most {LONGEST} characters", f"{len(text)} of them", "a shorter one")
    # Character by character, so that a column is one of the text as it was written.
    flat = re.sub(r"\s", " ", text)
    if not flat.strip():
        raise bad("a bound is an expression", text, "C1*b/(eta*T) + C3*eta, say")
    odd = _FORBIDDEN.search(flat)
    if odd:
        instead = _INSTEAD.get(odd[0], "names, numbers, + - * / ** and parentheses alone")
        raise at(odd.start() + 1, "a bound has no such character", odd[0], instead)
    opened: list[int] = []
    for mark in re.finditer("[()]", flat):
        place = mark.end()
        if mark[0] == "(":
            opened.append(place)
        elif not opened:
            raise at(place, "this parenthesis closes none", flat[:place], "one ( for each )")
        else:
            opened.pop()
        if len(opened) > DEEPEST:
            raise at(place, f"parentheses nest at most {DEEPEST} deep", flat, "a flatter expression")
    if opened:
        raise at(opened[-1], "this parenthesis is never closed", flat[opened[-1] - 1 :], "one ) for each (")
    # What would make Python's parser give up without a place: reserved words, rows of signs, loose ends.
    for word in re.finditer(r"[A-Za-z_][A-Za-z0-9_]*", flat):
        if keyword.iskeyword(word[0]):
            instead = "lam" if word[0] == "lambda" else "another name"
            raise at(word.start() + 1, "a reserved word is no name", word[0], instead)
    joined = re.search(r"(?<![A-Za-z0-9_.])(?!0[xXbBoO])[0-9.]+(?![0-9.]|[eE][+-]?[0-9]|[jJ_])(?=[A-Za-z(])", flat)
    if joined:
        raise at(joined.end() + 1, "a product has a * between its factors", flat[joined.start() :], "2*b, not 2b")
    signs = re.search(r"([+-] *){4,}", flat)
    if signs:
        raise at(signs.start() + 1, "this is a row of signs", signs[0], "one of them")
    loose = re.search(r"[+\-*/]+ *(?=\)|,|$)", flat)
    if loose:
        rule = "something is missing after an operator"
        raise at(loose.start() + 1, rule, loose[0].strip(), "a name or a number there")
    return flat


#: A power without parentheses about a quotient: b**3/2.
_QUOTIENT = re.compile(r"\*\* *(-?[0-9]{1,2}) */ *([0-9]{1,2})(?![0-9.eE_]| *\*\*)")


def _remarks(flat: str) -> Iterator[str]:
    """Say what b**3/2 is; b**4/2 can hardly be meant otherwise."""
    for found in _QUOTIENT.finditer(flat):
        power, by = found.groups()
        if int(by) and int(power) % int(by):
            first = _base(flat, found.start())
            whole, base = flat[first : found.end()].strip(), flat[first : found.start()].strip()
            means = f"column {first + 1}: {whole} is {base}**{power} divided by {by}"
            yield f"{means}; the power is written {base}**({power}/{by})"


def _base(flat: str, end: int) -> int:
    """Where what is raised to a power begins: a name, a number, or a parenthesis and the function before it."""
    place = len(flat[:end].rstrip())
    if flat[place - 1] == ")":  # back to where as many are opened as are closed
        place = next(k for k in range(place - 1, -1, -1) if flat.count("(", k, place) == flat.count(")", k, place))
    while place and re.match(r"[A-Za-z0-9_.]", flat[place - 1]):
        place -= 1
    return place


def _no_formula(flat: str, column: int) -> InputError:
    """The error where Python's parser gave up."""
    column = min(max(column, 1), len(flat))
    before, after = flat[: column - 1].rstrip(), flat[column - 1 :].lstrip()
    if before and after and re.search(r"[A-Za-z0-9_.)]$", before) and re.match(r"[A-Za-z0-9_.(]", after):
        return at(column, "a product has a * between its factors", flat[column - 1 :], "2*b, not 2 b")
    if before.endswith(("+", "-", "*", "/")) or after.startswith(("*", "/")):
        return at(column, "something is missing beside an operator", flat[column - 1 :], "a name or a number there")
    return at(column, "this is no expression", flat[column - 1 :], "C1*b/(eta*T), say")


# --- the tree ---

_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
_MEANT = {"ln": "log(...)", "log10": "log(...)/log(10)", "pow": "b**2", "abs": "max(x, -x)"}
_WORDS = {
    ast.Attribute: "a bound has no attributes",
    ast.Subscript: "a bound has no indices",
    ast.Compare: "a bound has no comparisons",
    ast.BoolOp: "a bound has no and, or",
    ast.IfExp: "a bound has no if",
    ast.Lambda: "a bound defines no functions (and lambda is no name: lam is one)",
    ast.Tuple: "a bound is one expression",
    ast.Starred: "a product has something on both sides of its *",
}


@dataclass(frozen=True)
class _Reader:
    """What a tree of Python's means, node by node: of a text that begins ``start`` characters into the formula."""

    text: str
    start: int
    space: Space

    def node(self, tree: ast.expr, depth: int = 0) -> Node:
        if depth > 2 * DEEPEST:
            self.refuse(tree, f"a bound nests at most {2 * DEEPEST} deep", "a flatter expression")
        deeper = depth + 1
        if isinstance(tree, ast.Name):
            return self.name(tree)
        if isinstance(tree, ast.Constant):
            return self.number(tree)
        if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, (ast.USub, ast.UAdd)):
            sign = -1 if isinstance(tree.op, ast.USub) else 1
            return self.made("sum", tree, [(sign, self.node(tree.operand, deeper))])
        if isinstance(tree, ast.BinOp):
            return self.operation(tree, deeper)
        if isinstance(tree, ast.Call):
            return self.call(tree, deeper)
        rule = next((rule for kind, rule in _WORDS.items() if isinstance(tree, kind)), "this has no place in a bound")
        self.refuse(tree, rule, "names, numbers, + - * / ** and parentheses alone")

    def operation(self, tree: ast.BinOp, depth: int) -> Node:
        operator = _OPERATORS.get(type(tree.op))
        if operator is None:
            self.refuse(tree, "a bound has the operators + - * / ** alone", "/ for a quotient, say")
        if operator == "**":
            return self.made("power", tree, [(1, self.node(tree.left, depth)), (1, self.node(tree.right, depth))])
        kinds = (ast.Add, ast.Sub) if operator in "+-" else (ast.Mult, ast.Div)
        # A long sum leans to the left, as deep as it is long: it is walked, not descended.
        parts: list[tuple[int, Node]] = []
        left: ast.expr = tree
        while isinstance(left, ast.BinOp) and isinstance(left.op, kinds):
            parts.append((-1 if isinstance(left.op, kinds[1]) else 1, self.node(left.right, depth)))
            left = left.left
        parts.append((1, self.node(left, depth)))
        return self.made("sum" if operator in "+-" else "product", tree, parts[::-1])

    def call(self, tree: ast.Call, depth: int) -> Node:
        if not isinstance(tree.func, ast.Name):
            self.refuse(tree.func, "what is called is no function", "sqrt(b), say, or * for a product")
        name = tree.func.id
        if name not in FUNCTIONS:
            near = _MEANT.get(name) or next((f"{x}(...)" for x in get_close_matches(name, FUNCTIONS, n=1)), "")
            instead = near or f"{', '.join(FUNCTIONS)}, or {name}*(...) for a product"
            self.refuse(tree, f"there is no function {shortened(name, 20)}", instead)
        if tree.keywords:
            self.refuse(tree, "a function's arguments have no names", f"{name}(...) with expressions alone")
        least, most = FUNCTIONS[name]
        if not least <= len(tree.args) <= most:
            many = "1 argument" if most == 1 else f"{least} to {most} arguments"
            self.refuse(tree, f"{name} takes {many}", f"{name}(b)" if most == 1 else f"{name}(b, T)")
        return self.made(name, tree, [(1, self.node(argument, depth)) for argument in tree.args])

    def name(self, tree: ast.Name) -> Node:
        if tree.id in FUNCTIONS:
            self.refuse(tree, f"{tree.id} is a function", f"{tree.id}(...)")
        if tree.id.startswith("__"):
            self.refuse(tree, "no name begins with two underscores", "a constant such as C1")
        if tree.id in self.space.complements:
            return Node("complement", self.space.complements[tree.id], (), tree.id, self.column(tree))
        return Node("variable" if tree.id in self.space.all else "name", tree.id, (), tree.id, self.column(tree))

    def number(self, tree: ast.Constant) -> Node:
        written = self.source(tree)
        if not _DECIMAL.fullmatch(written) or not isinstance(tree.value, (int, float)):
            self.refuse(tree, "this is no number", "2, 0.5 or 1e-3, say")
        size = float(written)
        # 1e-999 is 0 to Python, and would silently leave a term out.
        if not math.isfinite(size) or (size == 0 and re.search("[1-9]", written.lower().split("e")[0])):
            self.refuse(tree, "a number lies between 1e-308 and 1e308", "a smaller one" if size else "a larger one")
        # 0e999999999 is 0, too, but as a fraction only after 10^999999999.
        return Node("number", Fraction(written if size else 0), (), written, self.column(tree))

    def made(self, kind: str, tree: ast.expr, parts: list[tuple[int, Node]]) -> Node:
        return Node(kind, None, tuple(parts), self.source(tree), self.column(tree))

    def refuse(self, tree: ast.expr, rule: str, instead: str) -> NoReturn:
        raise at(self.column(tree), rule, self.source(tree), instead)

    def column(self, tree: ast.expr) -> int:
        return self.start + tree.col_offset + 1

    def source(self, tree: ast.expr) -> str:
        return self.text[tree.col_offset : tree.end_col_offset]
