"""Random generalised posynomials, and the exponents of each by SciPy's linear program: no code of hpgrid is in it."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from scipy.optimize import linprog

#: A variable's range.
Range = tuple[float, float]

#: The variables, and their ranges where nothing more is said.
RANGES: dict[str, Range] = {"eta": (0.0, math.inf), "b": (1.0, math.inf), "alpha": (0.0, 1.0)}


@dataclass(frozen=True)
class Node:
    """A monomial; or a sum, a maximum, a product or a power of others.

    Attributes:
        kind: "monomial", "sum", "max", "product" or "power".
        parts: what it is of.
        powers: of a monomial, of its variables and T; of a power, its exponent under "".
        number: of a monomial, its coefficient.
    """

    kind: str
    parts: tuple[Node, ...] = ()
    powers: tuple[tuple[str, Fraction], ...] = ()
    number: float = 1.0

    def text(self) -> str:
        """Return it as a formula."""
        inner = [part.text() for part in self.parts]
        if self.kind == "monomial":
            return "*".join([f"{self.number:.3g}", *(f"{v}**({e})" for v, e in self.powers if e)])
        if self.kind == "power":
            return f"({inner[0]})**({dict(self.powers)['']})"
        if self.kind == "max":
            return f"max({', '.join(inner)})"
        return "*".join(f"({text})" for text in inner) if self.kind == "product" else " + ".join(inner)


def drawn(seed: int) -> tuple[Node, tuple[str, ...]]:
    """Return a random generalised posynomial and the variables that are tuned, which all stand in it."""
    draw = random.Random(seed)
    tuned = tuple(sorted(draw.sample([*RANGES], draw.choice((1, 2, 2, 3))), key=[*RANGES].index))

    def monomial() -> Node:
        powers = {v: Fraction(draw.randint(-4, 4), draw.randint(1, 3)) for v in tuned if draw.random() < 0.7}
        powers["T"] = Fraction(draw.randint(-4, 1), draw.randint(1, 3))
        return Node("monomial", (), tuple(powers.items()), 10 ** draw.uniform(-1, 1))

    def node(depth: int) -> Node:
        kind = draw.choice(("monomial", "sum", "max", "product", "power")) if depth else "monomial"
        if kind == "monomial":
            return monomial()
        if kind == "power":
            exponent = Fraction(draw.randint(1, 7), draw.randint(2, 4))
            return Node("power", (Node(draw.choice(("sum", "max")), several(depth - 1)),), (("", exponent),))
        return Node(kind, several(depth - 1, 2 if kind == "product" else 3))

    def several(depth: int, most: int = 3) -> tuple[Node, ...]:
        return tuple(node(depth) for _ in range(draw.randint(2, most)))

    while True:
        # Monomials against each other in every variable, so that most have an optimum.
        against = [monomial() for _ in range(draw.choice((0, 1, 1, 2)))]
        against += [Node("monomial", (), tuple((v, -2 * e if v in tuned else e) for v, e in m.powers)) for m in against]
        whole = Node("sum", (node(3), node(2), *against))
        if all(f"{v}**" in whole.text() for v in tuned) and len(whole.text()) < 1500:
            return whole, tuned


def limited(seed: int, tuned: tuple[str, ...]) -> dict[str, Range]:
    """Return ranges with random floors and caps, some of them the same number."""
    draw, ranges = random.Random(seed), dict[str, Range]()
    for v in tuned:
        low, high = RANGES[v]
        inside = math.log10(max(low, 1e-3)), math.log10(min(high, 1e3))
        ends = sorted(10 ** draw.uniform(*inside) for _ in range(2))
        floor, cap = draw.choice(((low, high), (ends[0], high), (low, ends[1]), (ends[0], ends[1]), (ends[0], ends[0])))
        ranges[v] = floor, cap
    return ranges


def linear_program(
    whole: Node, tuned: tuple[str, ...], ranges: Mapping[str, Range] = RANGES
) -> tuple[float, dict[str, tuple[float, float]]] | None:
    """Return the exponent of the least value in T, and of each variable the smallest and the largest at which it is.

    Exponents are linear; what a sum or a maximum has is a new unknown, no less than each of its parts'. None: there is
    no least exponent.
    """
    rows: list[dict[Any, float]] = []  # each at most 0
    counter = iter(range(10**6))

    def of(node: Node) -> dict[Any, float]:
        if node.kind == "monomial":
            return {("" if v == "T" else v): float(e) for v, e in node.powers}
        if node.kind == "power":
            return {key: x * float(dict(node.powers)[""]) for key, x in of(node.parts[0]).items()}
        inner = [of(part) for part in node.parts]
        if node.kind == "product":
            return {key: sum(each.get(key, 0.0) for each in inner) for key in set().union(*inner)}
        new = next(counter)
        rows.extend({**each, new: each.get(new, 0.0) - 1.0} for each in inner)
        return {new: 1.0}

    top = of(whole)
    keys = [*tuned, *range(next(counter))]
    A = np.array([[row.get(key, 0.0) for key in keys] for row in rows])
    above = np.array([-row.get("", 0.0) for row in rows])
    cost = np.array([top.get(key, 0.0) for key in keys])
    # T goes to infinity: a floor is an exponent of 0 at the least, whatever its size, and a cap one of 0 at the most.
    bounds = [(0 if low else None, 0 if high < math.inf else None) for low, high in (ranges[v] for v in tuned)]
    bounds += [(None, None)] * (len(keys) - len(tuned))
    best = linprog(cost, A, above, bounds=bounds)
    if best.x is None:  # there are such exponents, if those of the new unknowns are large enough
        assert linprog(0 * cost, A, above, bounds=bounds).status == 0, best.message
        return None
    ends = {}
    # HiGHS is feasible to 1e-7: what is at most the optimum is at most that much more.
    for k, v in enumerate(tuned):
        found = []
        for sign in (1, -1):
            c = sign * np.eye(len(keys))[k]
            end = linprog(c, np.vstack([A, cost]), np.append(above, best.fun + 1e-7), bounds=bounds)
            found.append(-np.inf * sign if end.x is None else float(end.x[k]))
        ends[v] = (found[0], found[1])
    return float(best.fun) + top.get("", 0.0), ends


def grown(
    whole: Node, exponents: Mapping[str, Fraction], logs: Mapping[str, float], log_T: float = math.inf
) -> tuple[Fraction, float, Fraction | None]:
    """Return an expression where each variable is exp(log) T^exponent, as T^p exp(v): p, v and its gap.

    The gap is the least power of T by which a part of a sum or a maximum is below its largest, None where none is; at
    an infinite T, v is without those parts. Nothing large cancels, however far out.
    """

    def of(node: Node) -> tuple[Fraction, float, Fraction | None]:
        if node.kind == "monomial":
            known = dict(node.powers)
            powers = sum((e * (1 if v == "T" else exponents[v]) for v, e in known.items()), Fraction(0))
            own = float(f"{node.number:.3g}")  # as the formula has it
            return powers, math.log(own) + sum(float(e) * logs[v] for v, e in known.items() if v != "T"), None
        parts = [of(part) for part in node.parts]
        gap = min((gap for *_, gap in parts if gap is not None), default=None)
        if node.kind == "power":
            exponent = dict(node.powers)[""]
            return exponent * parts[0][0], float(exponent) * parts[0][1], gap
        if node.kind == "product":
            return sum((p for p, *_ in parts), Fraction(0)), math.fsum(v for _, v, _ in parts), gap
        most = max(p for p, *_ in parts)
        gaps = [most - p for p, *_ in parts if p < most] + ([] if gap is None else [gap])
        sizes = [v if p == most else v - float(most - p) * log_T for p, v, _ in parts]
        total = max(sizes) if node.kind == "max" else float(np.logaddexp.reduce(sizes))
        return most, total, min(gaps, default=None)

    return of(whole)
