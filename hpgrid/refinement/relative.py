"""Derivatives that exist wherever the function does: a quotient's, a power's and a log's, taken relative to its value.

JAX has the second derivative of x/y as 2 x/y^3, which is nought from y = 1e103 on though x/y is 1e-103; of log x as
1/x^2. Here that of x/y is (x/y) (dy/y)^2, and in the logs of the variables dy/y is of the order of 1: what a curvature
needs is a number at all budgets at which the bound is one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import Jaxpr, Literal

from hpgrid.shapes import AnyArray as Array


def relative(function: Callable[..., Array]) -> Callable[..., Array]:
    """Return the same function with these derivatives."""

    def same(*arguments: Any) -> Array:
        traced = jax.make_jaxpr(function)(*arguments)
        (value,) = _evaluated(traced.jaxpr, traced.consts, jax.tree.leaves(arguments))
        return value

    return same


def _evaluated(jaxpr: Jaxpr, constants: list[Any], arguments: list[Any]) -> list[Any]:
    """What a traced function returns, one operation after another, those of ``_RULES`` by them."""
    known = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*constants, *arguments)))
    for operation in jaxpr.eqns:
        name, options = operation.primitive.name, operation.params
        values = [x.val if isinstance(x, Literal) else known[x] for x in operation.invars]
        if name == "jit":
            inner = options["jaxpr"]
            found = _evaluated(inner.jaxpr, inner.consts, values)
        elif name in _RULES and jnp.issubdtype(jnp.result_type(*values), jnp.floating):
            found = [_RULES[name](*values, **options)]
        else:
            out = operation.primitive.bind(*values, **operation.primitive.get_bind_params(options))
            found = out if operation.primitive.multiple_results else [out]
        known |= zip(operation.outvars, found)
    return [x.val if isinstance(x, Literal) else known[x] for x in jaxpr.outvars]


@jax.custom_jvp
def _inverse(y: Array) -> Array:
    return 1 / y


@_inverse.defjvp
def _(at: Any, moves: Any) -> tuple[Array, Array]:
    value = _inverse(*at)
    return value, -(moves[0] * value) * value


# Moves are multiplied alone: what divides one would be differentiated by JAX's own rule the second time.
@jax.custom_jvp
def _quotient(x: Array, y: Array) -> Array:
    return x / y


@_quotient.defjvp
def _(at: Any, moves: Any) -> tuple[Array, Array]:
    (x, y), (dx, dy) = at, moves
    value, inverse = _quotient(x, y), _inverse(y)
    return value, dx * inverse - dy * inverse * value


@jax.custom_jvp
def _log(x: Array) -> Array:
    return jnp.log(x)


@_log.defjvp
def _(at: Any, moves: Any) -> tuple[Array, Array]:
    return _log(*at), moves[0] * _inverse(*at)


@jax.custom_jvp
def _log1p(x: Array) -> Array:
    return jnp.log1p(x)


@_log1p.defjvp
def _(at: Any, moves: Any) -> tuple[Array, Array]:
    return _log1p(*at), moves[0] * _inverse(1 + at[0])


def _power(x: Array, exponent: Array) -> Array:
    """x^p; where p is a number, not an array that is traced, with the derivative p x^p dx/x but for x = 0."""
    if isinstance(exponent, jax.core.Tracer):
        return x**exponent
    p = float(exponent)

    @jax.custom_jvp
    def power(x: Array) -> Array:
        return x**p

    @power.defjvp
    def _(at: Any, moves: Any) -> tuple[Array, Array]:
        (x,), (dx,) = at, moves
        value, nought = power(x), x == 0
        # Of what is not chosen, too, the derivative has to be a number.
        there, here = jnp.where(nought, x, 1.0), jnp.where(nought, 1.0, x)
        return value, jnp.where(nought, p * there ** (p - 1) * dx, dx * _inverse(here) * (p * value))

    return power(x)


#: What is done in place of JAX's operations. Products, roots, exponentials and whole powers are as good as they are.
_RULES: dict[str, Callable[..., Array]] = {
    "div": _quotient,
    "pow": _power,
    "integer_pow": lambda x, y: x**y if y >= 0 else _inverse(x**-y),
    "rsqrt": lambda x, **_: _inverse(jnp.sqrt(x)),
    "log": lambda x, **_: _log(x),
    "log1p": lambda x, **_: _log1p(x),
}
