"""``parse``: a bound written as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from hpgrid.checks import Given, bad, check_constants, check_exponent, note, shortened
from hpgrid.formula.declared import declared
from hpgrid.formula.function import Formula, check_numbers, log_convex, with_exponents
from hpgrid.formula.generalised import transformed
from hpgrid.formula.powers import Obstacle, Sum, expand, home
from hpgrid.formula.quantity import Quantity, worth
from hpgrid.formula.syntax import Expression, read, read_domain
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.term import Term
from hpgrid.variables import STANDARD, Space


def parse(
    text: str,
    constants: Mapping[str, Any] | None = None,
    *,
    name: str = "formula",
    source: str = "",
    caps: Mapping[str, Given] | None = None,
    domain: Sequence[str] | str = (),
    variables: Space | Sequence[Any] | Mapping[str, Any] | str | None = None,
) -> Proxy | FunctionProxy:
    """Return the bound that a formula describes.

    Its variables are eta, b, alpha, beta (which is 1 - alpha), T and K (which is T/b), and those that are declared;
    every other name is a constant. It is written with ``+ - * / **``, parentheses, numbers, sqrt, exp, log, min, max.
    What is a sum of powers becomes a ``Proxy``, with exact exponents: 3/2 and 0.1 are the fractions that they look
    like. Anything else becomes a ``FunctionProxy``, whose ``obstacle`` says which part is no power.

    The text is data: it is read from a short list of syntax, and nothing of it is evaluated as Python.

    Args:
        text: the formula, such as "C1*b/(eta*T) + C2*sqrt(alpha/b) + C3*eta/alpha".
        constants: a value for each other name: positive and finite, or any number or fraction for one that
            stands in exponents alone, where it is exact.
        name: what to call the bound.
        source: paper and equation.
        caps: the largest value a hyperparameter may take.
        domain: conditions under which the bound holds, inequalities between two formulas: ["eta <= 1/L", "eta*K < b"].
        variables: its own, as declarations: ["H >= 1, whole", "0 < delta <= 1", "R >= 1, budget", "T = H*R*b"]; the
            standard ones keep their meaning where they are not declared anew.

    Returns:
        The bound, in the budget that the text names; in the first one, T, where it names several or none.

    Raises:
        ValueError: the text is no formula (the message points at the column), a constant has no value, or a condition
            of the domain says nothing of the bound.

    Warns:
        UserWarning: the text may mean something else than it seems to, as x**3/2 does.
    """
    if not isinstance(constants or {}, Mapping):
        raise bad("constants are values by name", constants, 'constants={"C1": 1.0}, say')
    space = STANDARD if variables is None else declared(variables)
    conditions = read_domain(domain, space)
    if conditions:  # a cap stays beside those that follow from constants, whatever these become
        conditions += read_domain([f"{v} <= {space.check(v, x)!r}" for v, x in (caps or {}).items()], space)
    expression = replace(read(text, space), domain=conditions)
    for remark in expression.remarks:
        note(remark)
    return build(expression, constants or {}, name=name, source=source, caps=caps or {})


def build(expression: Expression, constants: Mapping[str, Any], **more: Any) -> Proxy | FunctionProxy:
    """Return the bound that an expression describes, as ``parse`` does, without a word on what it may mean.

    Args:
        expression: the formula, as it was read.
        constants: a value for each of its constants.
        more: the bound's name, source and caps; its domain is the expression's.
    """
    expression.check_values(constants)
    space, own = expression.space, expression.variables()
    if not own:
        raise bad(
            f"a bound depends on some of {', '.join(space.words)}", shortened(expression.text), "a formula of them"
        )
    root = expression.root
    exponents = {n: check_exponent(n, constants[n]) for n in expression.names() if n in expression.in_exponents()}
    values = check_constants({n: constants[n] for n in expression.coefficients()})
    more["domain"] = tuple(
        replace(each, low=with_exponents(each.low, exponents), high=with_exponents(each.high, exponents))
        for each in expression.domain
    )
    budget = next((name for name in space.budget_names if name in own), space.budget_names[0])
    more["space"] = space
    fixed = with_exponents(root, exponents)
    with suppress(Obstacle):
        return _sum(expand(fixed, {}, space, home(own, space)), values, budget, more)
    check_numbers(fixed)
    # What no variable is in is a number, whatever its form.
    with suppress(Obstacle):
        return _sum(expand(fixed, {}, space, home(own, space), space.names), values, budget, more)
    obstacle = ""
    try:
        found = transformed(fixed, space, home(own, space), space.names)
        for total in (found.total, *(branch.total for branch in found.branches)):
            _check_signs(total, values)
    except Obstacle as none:
        obstacle = str(none)
    return FunctionProxy(
        Formula(fixed, budget, space),
        values,
        budget,
        obstacle=obstacle,
        log_convex=log_convex(fixed),
        kinks=any(node.kind in ("min", "max") for node in fixed.walk()),
        uses=space.ordered(space.under(own, budget)),
        **more,
    )


def _check_signs(total: Sum, values: Mapping[str, float]) -> None:
    """Refuse a sum in which a number of constants is negative.

    Raises:
        Obstacle: which is, and its value.
    """
    for name in (name for powers in total for name, _ in powers if isinstance(name, Quantity)):
        if not worth(name, values) >= 0:
            raise Obstacle(None, f"{name} is {worth(name, values):g}, and a term is taken away with it")


def _sum(total: Sum, values: Mapping[str, float], budget: str, more: Mapping[str, Any]) -> Proxy:
    """The terms."""
    terms = []
    _check_signs(total, values)
    for powers, number in total.items():
        terms.append(Term.of(dict(powers), number, more["space"]))
        terms[-1].check(values)
        size = terms[-1].coefficient(values)
        if terms[-1].remains(values) and not 0 < size < float("inf"):
            rule = "the coefficient of every term lies between 1e-308 and 1e308"
            raise bad(rule, shortened(f"{terms[-1]} has {size}"), "other constants")
    return Proxy(tuple(terms), values, budget, **more)
