"""A log risk's derivatives, which exist wherever it does: a quotient's, a power's and a log's relative to its value.

JAX has the second derivative of x/y as 2 x/y^3, which is nought from y = 1e103 on though x/y is 1e-103; of log x as
1/x^2. Here that of x/y is (x/y) (dy/y)^2, and in the logs of the variables dy/y is of the order of 1: what a curvature
needs is a number at all budgets at which the bound is one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Jaxpr, Literal
from numpy.typing import NDArray

from hpgrid.compiled import compiled
from hpgrid.formula.function import excess
from hpgrid.formula.syntax import Inequality
from hpgrid.proxy import RiskFunction
from hpgrid.refinement.problem import Problem
from hpgrid.shapes import AnyArray as Array, Floats

#: Points in one call: one number, so that a bound is compiled once however many there are. Of a call most is
#: overhead: 128 points cost twice what one does.
BATCH = 2**7


class Jet(NamedTuple):
    """Values with their derivatives in the logs of the tuned variables and, last, of the budget, points first."""

    value: Floats  # (points, m)
    gradient: Floats  # (points, m, n + 1)
    hessian: Floats  # (points, m, n + 1, n + 1)


class _Call(NamedTuple):
    """A risk function, what its numbers are called, and the walls of its domain: what a program is compiled for."""

    function: RiskFunction
    arguments: tuple[str, ...]
    logs: tuple[str, ...]  # what is given by its log: the tuned variables, and the budget
    held: tuple[str, ...]
    constants: tuple[str, ...]
    walls: tuple[Inequality, ...]

    def at(self, point: Array, rest: Array) -> Array:
        """Return the log of the risk, and how far each wall is off."""
        at = {**dict(zip(self.logs, jnp.exp(point))), **dict(zip(self.held, rest))}
        constants = dict(zip(self.constants, rest[len(self.held) :]))

        def log_of(*arguments: Any) -> Array:
            risk = self.function(*arguments)
            return jnp.log(jnp.where(risk >= 0, risk, jnp.nan))

        whole = [at.get(v, jnp.asarray(1.0)) for v in self.arguments]
        over = [excess(wall, {**constants, **at}) for wall in self.walls]
        return jnp.stack([relative(log_of)(*whole, constants), *over])


def _jets(call: _Call, numbers: Array) -> Array:
    """The jet at each row of numbers, its parts one after the other: a call has one array in, and one out."""

    def along(function: Callable[[Array], Any], point: Array) -> Any:
        """What a function returns, and its derivatives in every direction: it is traced once, and compiled once."""
        every = jax.vmap(lambda direction: jax.jvp(function, (point,), (direction,)), out_axes=(None, -1))
        return every(jnp.eye(point.size))

    def jet(row: Array) -> Array:
        point, rest = row[: len(call.logs)], row[len(call.logs) :]
        first, (_, hessian) = along(partial(along, partial(call.at, rest=rest)), point)
        return jnp.concatenate([part.ravel() for part in (*first, hessian)])

    return jax.vmap(jet)(numbers)


def derivatives(problem: Problem, walls: tuple[Inequality, ...] = ()) -> Callable[..., Jet]:
    """Return what differentiates a batch's log risk, and after it by how much each of some walls is off.

    It takes logs of the tuned variables, shape (points, n), the index of each point's problem, and more constants.
    """
    batch = problem.flat()
    held = {v: x for v, x in batch.values.items() if v != batch.budget}
    columns = [np.log(batch.values[batch.budget]), *held.values(), *batch.constants.values()]
    table, n, m = np.stack(columns, axis=-1), len(batch.tuned), 1 + len(walls)
    whole, logs = batch.proxy.as_function(), (*batch.tuned, batch.budget)

    def at(z: Floats, which: NDArray[np.integer], more: Mapping[str, float] | None = None) -> Jet:
        added = np.broadcast_to([*(more or {}).values()], (len(z), len(more or {})))
        call = _Call(whole.function, whole.arguments(), logs, (*held,), (*batch.constants, *(more or {})), walls)
        # A call takes a millisecond, XLA's optimiser half a second for each new bound.
        jets = compiled(_jets, soon=True, static_argnums=0)
        numbers, parts = np.concatenate([z, table[which], added], axis=1), []
        for first in range(0, len(z), BATCH):
            part = np.minimum(np.arange(first, first + BATCH), len(z) - 1)  # the last one, again, as padding
            with jax.enable_x64(True):
                parts.append(np.asarray(jets(call, numbers[part]))[: len(z) - first])
        value, gradient, hessian = np.split(np.concatenate(parts), [m, m * (n + 2)], axis=1)
        return Jet(value, gradient.reshape(-1, m, n + 1), hessian.reshape(-1, m, n + 1, n + 1))

    return at


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
