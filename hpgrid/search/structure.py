"""For which axes a bound is submodular on a grid, by the signs of its exponents alone: then its argmins are monotone.

A product u(x) v(y) of monotone factors has the mixed difference (u' - u)(v' - v), of one sign over the whole grid. So a
sum of such products is submodular in some axes if for each pair of them all terms that hold both have a negative one,
once some axes are read backwards. A minimum over some of the axes is submodular in the others again.

Source: Topkis (1978), Minimizing a submodular function on a lattice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations, product

from hpgrid.answer import Answer, Result
from hpgrid.proxy import FunctionProxy, Proxy, check_bound
from hpgrid.term import Factor, Term


def direction(factor: Factor | None) -> int:
    """Return 1 for a factor that rises with its variable, -1 for one that falls, 0 for none."""
    if factor is None or factor in (0, "one_plus", "one_minus"):
        return {"one_plus": 1, "one_minus": -1}.get(str(factor), 0)
    return 1 if factor > 0 else -1  # type: ignore[operator]


@dataclass(frozen=True, repr=False)
class Structure(Result):
    """The signs of a bound's mixed differences.

    Attributes:
        name: of the bound.
        axes: the variables that it depends on, in canonical order.
        budget: the one among them that is a budget.
        pairs: for each two axes that stand in a term together, of each sign of the difference there is, such a term.
        why: why nothing is known of a function.
    """

    name: str
    axes: tuple[str, ...]
    budget: str
    pairs: Mapping[tuple[str, str], Mapping[int, Term]]
    why: str = ""

    def flips(self, axes: Iterable[str]) -> dict[str, int] | None:
        """Return which axes are read backwards, -1, so that the bound is submodular in these, or None where it isn't.

        Of axes that nothing joins each is read forwards.
        """
        names = [v for v in self.axes if v in set(axes)]
        if self.obstacle(names):
            return None
        joined = self._signs(names).items()
        readings = (dict(zip(names, signs)) for signs in product((1, -1), repeat=len(names)))
        return next((read for read in readings if all(read[v] * read[w] * sign < 0 for (v, w), sign in joined)), None)

    def obstacle(self, axes: Iterable[str]) -> str:
        """Return the pair of these axes, and its two terms, that have both signs; "" where there is none."""
        if self.why:
            return self.why
        for v, w in combinations([v for v in self.axes if v in set(axes)], 2):
            own = self.pairs.get((v, w), {})
            if len(own) > 1:
                return f"in ({v}, {w}) {own[-1]} has a negative mixed difference and {own[1]} a positive one"
        return ""

    def why_not(self, axes: Iterable[str]) -> str:
        """Return why the bound is not submodular in these axes, "" where it is."""
        names = tuple(axes)
        if self.flips(names) is not None:
            return ""
        turned = "no reading of the axes backwards makes all of their mixed differences negative"
        return self.obstacle(names) or f"({', '.join(names)}): {turned}"

    def answer(self) -> Answer:
        """Return it as a command says it."""
        return Answer([self.text()])

    def text(self, details: bool = False) -> str:
        """Return in words for which axes the bound is submodular, and by which terms: all that there is to say."""
        if self.why:
            return f"{self.name}: {self.why}"
        hyperparameters = [v for v in self.axes if v != self.budget]
        largest = next(
            (names for k in range(len(hyperparameters), 1, -1) for names in combinations(hyperparameters, k)
             if self.flips(names) is not None), (),
        )  # fmt: skip
        signs = self._signs(self.axes)
        if not largest:
            pair = self.obstacle(hyperparameters)
            return f"{self.name} is submodular in no two of its hyperparameters{pair and f': {pair}'}."
        flips, rest = self.flips(largest) or {}, [v for v in self.axes if v not in largest]
        back = [v for v in largest if flips[v] < 0]
        told = [f"{terms[sign]}: ({v}, {w}) {_WORDS[sign]}" for (v, w), terms in self.pairs.items()
                for sign in terms if {v, w} <= {*largest}]  # fmt: skip
        parts = [
            f"{self.name} is submodular in ({', '.join(largest)})" + f" at fixed {' and '.join(rest)}" * bool(rest),
            f", {' and '.join(back)} read backwards" * bool(back),
            f": {'; '.join(told) or 'no term has two of them'}.",
        ]
        if self.budget in self.axes and self.flips((*largest, self.budget)) is None:
            mixed = [f"({v}, {w}) {_WORDS[s]}" for (v, w), s in signs.items() if self.budget in (v, w)]
            parts.append(f" Not with {self.budget}: {', '.join(mixed) or self.obstacle((*largest, self.budget))}.")
        return "".join(parts)

    def as_dict(self) -> dict[str, object]:
        """Return the signs as plain data: by pair of axes, of each sign a term."""
        pairs = {f"{v},{w}": {_WORDS[s]: str(t) for s, t in own.items()} for (v, w), own in self.pairs.items()}
        return {"axes": list(self.axes), "pairs": pairs, "why": self.why or None, "text": self.text()}

    def _signs(self, axes: Iterable[str]) -> dict[tuple[str, str], int]:
        """The sign of each pair that has one."""
        names = {*axes}
        return {pair: next(iter(own)) for pair, own in self.pairs.items() if len(own) == 1 and {*pair} <= names}


_WORDS = {1: "positive", -1: "negative"}


def structure(proxy: Proxy | FunctionProxy) -> Structure:
    """Return for which axes a bound is submodular on every grid, exactly, from the signs of its exponents."""
    check_bound(proxy)
    axes = proxy.space.ordered(proxy.depends_on())
    if isinstance(proxy, FunctionProxy):
        return Structure(proxy.name, axes, proxy.budget, {}, "a bound that is a function shows no signs of its terms")
    pairs: dict[tuple[str, str], dict[int, Term]] = {}
    for term in proxy.terms:
        ways = {v: direction(term.factors.get(v)) for v in axes}
        for v, w in combinations([v for v in axes if ways[v]], 2):
            pairs.setdefault((v, w), {}).setdefault(ways[v] * ways[w], term)
    return Structure(proxy.name, axes, proxy.budget, pairs)
