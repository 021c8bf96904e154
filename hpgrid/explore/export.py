"""What the page is made of: a bound as data, its exact laws with their symbols, and the files beside this one."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from html import escape
from importlib.resources import files
from itertools import combinations
from random import Random
from typing import Any

from hpgrid.asymptotics import Law, exponents
from hpgrid.asymptotics.law import PowerLaw
from hpgrid.checks import InputError, bad
from hpgrid.explore import javascript as js
from hpgrid.explore.mathml import mathml
from hpgrid.formula.node import Node
from hpgrid.formula.quantity import written
from hpgrid.grid import Grid
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.search.structure import structure
from hpgrid.statements.stated import held_at
from hpgrid.term import cap_of
from hpgrid.text import exponent_text, name_latex

#: What a page may have in bytes, so that it can be sent by mail and opened at once.
LARGEST = 150_000

#: Hyperparameters of which every subset is a regime on the page: 2^5 - 1 of them take some seconds to export.
MOST = 5

#: What is tuned when a page is opened: searched at once, where a bound is a sum of terms; a function is compared whole.
OPENED = {Proxy: 3, FunctionProxy: 2}


def page(
    proxy: Proxy | FunctionProxy,
    grid: Grid,
    formula: Node,
    *,
    title: str,
    held: Mapping[str, float],
    about: str = "",
    exponents_: Mapping[str, object] | None = None,
) -> str:
    """Return the page of a bound, whole.

    Args:
        proxy: the bound, in the grid's budget.
        grid: its axes: what the page searches.
        formula: the bound as its source writes it.
        title: what to call it.
        held: what hyperparameters are held at when the page is opened; others have a value of no significance.
        about: what it bounds, and who states it.
        exponents_: what stands in its exponents, by name.

    Raises:
        ValueError: the bound is a function that is not written as a formula, or has too many hyperparameters.
    """
    data = {"title": title, "about": about, "formula": mathml(written(formula, latex=True))}
    with_exponents = ", ".join(f"{name} = {value}" for name, value in (exponents_ or {}).items())
    joined = [r.text for r in proxy.space.relations if {r.name, r.other} <= {*proxy.space.joined(proxy.budget)}]
    domain = ", ".join(each.text for each in proxy.domain)
    beside = [f"Here {with_exponents}." if with_exponents else "", f"{', '.join(joined)}." if joined else ""]
    data["beside"] = " ".join(filter(None, [*beside, f"It holds for {domain}." if domain else ""]))
    data |= described(proxy, grid, held)
    # What ends a script, or begins a comment, can't stand in one.
    island = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    parts = {name: files("hpgrid.explore").joinpath(name).read_text(encoding="utf-8") for name in _FILES}
    text = parts["page.html"].replace("{{title}}", escape(title)).replace("{{style}}", parts["page.css"])
    script = "\n".join(parts[name] for name in _FILES if name.endswith(".js"))
    text = text.replace("{{script}}", script).replace("{{data}}", island)
    if len(text.encode()) > LARGEST:
        rule = f"a page has at most {LARGEST} bytes"
        raise bad(rule, f"{len(text.encode())} of them", "fewer values an axis: --n 50, say")
    return text


_FILES = ("page.html", "page.css", "engine.js", "draw.js", "page.js")


def described(proxy: Proxy | FunctionProxy, grid: Grid, held: Mapping[str, float]) -> dict[str, Any]:
    """Return a bound as the page reads it: plain data, expressions as JavaScript."""
    space, budget = proxy.space, proxy.budget
    own = [v for v in proxy.depends_on() if v in space.hyperparameters]
    if not own:
        raise bad("a bound to explore has a hyperparameter", proxy.name, "C1*b/(eta*T) + C2*eta, say")
    if len(own) > MOST:
        raise bad(f"a bound to explore has at most {MOST} hyperparameters", ", ".join(own), "one with fewer of them")
    root = proxy.root if isinstance(proxy, FunctionProxy) else None
    if isinstance(proxy, FunctionProxy) and root is None:
        raise bad("a page computes a bound that is written as a formula", proxy.name, "one of hpgrid bounds")
    known = js.names(space, budget, proxy.constants)
    at = {v: held.get(v, held_at(space, v, proxy.caps.get(v, math.inf))) for v in own}
    opened = [v for v in own if v not in held][: OPENED[type(proxy)]]
    found = structure(proxy)
    return {
        "name": proxy.name,
        "budget": budget,
        "hyper": own,
        "tuned": opened,
        "held": at,
        "constants": dict(proxy.constants),
        "symbols": {name: mathml(name_latex(name)) for name in (*own, budget, *proxy.constants)},
        "words": {v: space.all[v].words for v in (*own, budget)},
        "complements": {v: name for v in own if (name := space.complement_of(v))},
        "axes": {v: [float(x) for x in grid.axes[v].values] for v in (*own, budget)},
        "low": {v: space.all[v].low for v in own},
        "high": {v: high for v in own if (high := space.all[v].high) < math.inf},
        "terms": None if root else [_term(term, known) for term in proxy.terms],  # type: ignore[union-attr]
        "function": None if root is None else js.expression(root, known),
        "caps": _caps(proxy, known),
        "walls": [js.condition(wall, known) for wall in proxy.walls],
        "min_K": f"{known['K']} / {js.number(proxy.min_K)}" if proxy.min_K else None,
        "flips": {
            ",".join(sorted(three)): {v: flips[v] for v in three}
            for three in combinations(own, 3)
            if (flips := found.flips(three)) is not None
        },
        "structure": found.text(),
        "regimes": _regimes(proxy, own, at, known),
    }


def _term(term: Any, known: Mapping[str, str]) -> dict[str, Any]:
    factors = {v: f if isinstance(f, str) else float(f) for v, f in term.factors.items() if f != 0}
    return {"worth": js.coefficient(term, known), "factors": factors}


def _caps(proxy: Proxy | FunctionProxy, known: Mapping[str, str]) -> dict[str, list[str]]:
    """The largest values of hyperparameters: those that follow from constants as expressions, others as numbers."""
    found: dict[str, list[str]] = {}
    for name, term in proxy.cap_terms.items():
        found.setdefault(name, []).append(js.coefficient(term, known))
    for condition in proxy.domain:
        cap = cap_of(condition)
        if cap is not None:
            # A value at the end itself is none of a strict condition.
            text = js.coefficient(cap[1], known)
            found.setdefault(cap[0], []).append(f"below({text})" if condition.strict else text)
    for name, value in proxy.caps.items():
        if name not in found:
            found[name] = [js.number(value)]
    return found


def _regimes(
    proxy: Proxy | FunctionProxy, own: list[str], at: Mapping[str, float], known: Mapping[str, str]
) -> dict[str, Any]:
    """The exact laws of each regime, by what is tuned, or why there is none."""
    every = (each for n in range(1, len(own) + 1) for each in combinations(own, n))
    found: dict[str, Any] = {}
    for tuned in every:
        held = {v: x for v, x in at.items() if v not in tuned}
        try:
            found[",".join(tuned)] = [_law(law, known) for law in _forms(proxy, tuned, held)]
        except InputError as error:
            found[",".join(tuned)] = {"why": str(error).partition(". Given:")[0]}
    return found


#: Constants, four decades either way, at which other forms of a law are looked for, some milliseconds each: one that
#: holds at a fifth of them is missed once in 7,500 times, 0.8^40.
SAMPLES = 40


def _forms(proxy: Proxy | FunctionProxy, tuned: tuple[str, ...], held: Mapping[str, float]) -> Iterator[Law]:
    """A regime's law, and the others that it has at other constants: what tends to a constant may be on its bound."""
    first = exponents(proxy, tuned, fixed=held)
    yield first
    if all(first.exponent[v] != 0 for v in tuned):
        return
    random, seen = Random(0), {_form(first)}
    for _ in range(SAMPLES):
        moved = {name: x * 10 ** random.uniform(-4, 4) for name, x in proxy.constants.items()}
        with suppress(InputError):  # what is held there lies outside the bound's domain
            law = exponents(proxy.with_constants(**moved), tuned, fixed=held)
            if _form(law) not in seen:
                seen.add(_form(law))
                yield law


def _form(law: Law) -> tuple[object, ...]:
    """What two laws share that are one: exponents, what is on a bound, and their text but for computed numbers."""
    texts = (name for name, each in law.laws.items() if each and not each.numeric)
    return (tuple(law.exponent.items()), tuple(law.active), tuple(str(law.laws[name]) for name in texts))


def _law(law: Law, known: Mapping[str, str]) -> dict[str, Any]:
    """A law as the page reads it: of each quantity what it is, in mathematics and as JavaScript."""
    return {
        "laws": {name: each and _power_law(each, known) for name, each in law.laws.items()},
        "exponents": {name: None if e is None else [float(e), exponent_text(e)] for name, e in law.exponent.items()},
        "starts": {name: _power_law(each, known) for name, each in law.starts.items()},
        "unbounded": {name: each.direction for name, each in law.unbounded.items()},
        "active": dict(law.active),
        "flat": list(law.flat),
    }


def _power_law(law: PowerLaw, known: Mapping[str, str]) -> dict[str, Any]:
    # A number that was computed is that of the constants that were given: it moves with none of them.
    computed = law.numeric or not law.coefficient.symbols() <= {*known}
    text = js.number(law.constant) if computed and law.constant is not None else js.monomial(law.coefficient, known)
    return {
        "math": mathml(law.latex()),
        "value": text,
        "exponent": float(law.exponent),
        "computed": computed,
    }
