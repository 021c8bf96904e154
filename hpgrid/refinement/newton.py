"""The convex solve: damped Newton on a posynomial in the logs, vmapped over problems and jitted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import NDArray

from hpgrid.compiled import compiled
from hpgrid.progress import cores
from hpgrid.refinement.bases import (
    FALLS,
    GRADIENT,
    GROWTH,
    MOST_STEPS,
    MULTIPLIER,
    NO_GROWTH,
    Bases,
    Row,
    all_bases,
    coordinates,
)
from hpgrid.refinement.problem import OPEN, Box, Solution
from hpgrid.shapes import AnyArray as Array

#: The temperature falls by this factor after a step that was not cut short.
COOLING = 0.4

#: A variable, or the risk, that follows a bound by less has settled.
SETTLED = 1e-6


class State(NamedTuple):
    """Where a solve is: the logs, the side of each bound that holds (-1, 0, 1), the temperature."""

    z: Array
    side: Array
    temperature: Array
    steps: Array
    done: Array


class Local(NamedTuple):
    """A posynomial near a point, in the coordinates of its largest independent terms."""

    log_risk: Array
    log_weights: Array
    weights: Array
    terms: Array  # (J, n)
    variables: Array  # (n, n)
    held: Array  # (n,): coordinates that are variables at a bound, or walls that hold
    hessian: Array  # (n, n)
    gradient: Array
    size: Array
    unit: Array


def _local(z: Array, side: Array, temperature: Array, c: Array, tables: Bases) -> Local:
    logs = (c + tables.rows @ z) / temperature
    top = logs.max()
    sizes = jnp.exp(logs - top)
    total = sizes.sum()
    weights = sizes / total
    # The basis: bounds that hold first, then terms by size, then what is left of the variables.
    below = logs - top
    scores = [below[j] for j in range(logs.shape[0])]
    scores += [jnp.where(side[i] != 0, 1e300, -1e300) for i in range(side.shape[0])]
    if not tables.spans:
        terms, variables, unit = coordinates(tables, jnp.stack(scores))
    else:
        chosen = jnp.asarray(0)
        for span in tables.spans:
            # The first of the largest that does not depend on those chosen: selects, which vectorise across problems.
            depends, best, index = span[chosen], jnp.asarray(-jnp.inf), jnp.asarray(0)
            for r, score in enumerate(scores):
                better = ((depends >> r) & 1 == 0) & (score > best)
                best, index = jnp.where(better, score, best), jnp.where(better, r, index)
            chosen = chosen * len(scores) + index
        basis = tables.place[chosen]
        terms, variables, unit = tables.terms[basis], tables.variables[basis], tables.unit[basis]
    weighted = terms * weights[:, None]
    held = (unit >= 0) & (side[unit] != 0)
    return Local(
        top + jnp.log(total),
        logs - top - jnp.log(total),
        weights,
        terms,
        variables,
        held,
        weighted.T @ terms,
        weighted.sum(0),
        jnp.abs(weighted).sum(0),
        unit,
    )


def _solve(matrix: Array, right: Array, held: Array) -> Array:
    """The free coordinates' solution of a graded system, zero in the held ones: scaled, then Cholesky, unrolled."""
    n = right.shape[0]
    diagonal = jnp.diagonal(matrix)
    free = ~held & (diagonal > 0)
    scale = jnp.where(free, lax.rsqrt(jnp.where(free, diagonal, 1.0)), 0.0)
    a = [[matrix[i, k] * scale[i] * scale[k] if i != k else jnp.asarray(1.0) for k in range(n)] for i in range(n)]
    lower: list[list[Array]] = [[jnp.asarray(0.0)] * n for _ in range(n)]
    for i in range(n):
        for k in range(i + 1):
            rest = a[i][k] - sum(lower[i][m] * lower[k][m] for m in range(k))
            lower[i][k] = jnp.sqrt(jnp.maximum(rest, 1e-14)) if i == k else rest / lower[k][k]
    y: list[Array] = []
    for i in range(n):
        y.append((right[i] * scale[i] - sum(lower[i][m] * y[m] for m in range(i))) / lower[i][i])
    x: list[Array] = [jnp.asarray(0.0)] * n
    for i in reversed(range(n)):
        x[i] = (y[i] - sum(lower[m][i] * x[m] for m in range(i + 1, n))) / lower[i][i]
    return jnp.stack(x) * scale


def _bounded(z: Array, tables: Bases) -> Array:
    """The logs that have bounds: of the variables, and of the products of powers that are walls."""
    return jnp.concatenate([z, tables.walls @ z])


def _step(state: State, c: Array, lo: Array, hi: Array, tables: Bases) -> State:
    z, side, temperature, steps, _ = state
    here = _local(z, side, temperature, c, tables)
    y = _solve(here.hessian, -here.gradient, here.held)
    changes = here.terms @ y
    growth, fall = changes.max(), -changes.min()
    # Where no term grows, the way down ends at a bound and nowhere before; where the whole sum falls, not
    # before a term that grows meets it.
    length = jnp.where(growth < NO_GROWTH * fall, jnp.inf, jnp.minimum(1.0, GROWTH / jnp.maximum(growth, GROWTH)))
    rate = -here.gradient @ y
    meets = jnp.where(changes > 0, -here.log_weights / jnp.where(changes > 0, changes + rate, 1.0), jnp.inf).min()
    length = jnp.where(rate > FALLS, jnp.maximum(length, meets), length)
    cut = length < 1.0
    n, place = z.shape[0], _bounded(z, tables)
    move = temperature * jnp.where(side[:n] != 0, 0.0, here.variables @ y)
    moves = jnp.where(side != 0, 0.0, _bounded(move, tables))
    slack = jnp.where(moves > 0, hi - place, place - lo)
    reach = jnp.where(moves != 0, slack / jnp.where(moves != 0, jnp.abs(moves), 1.0), jnp.inf)
    blocked = reach.argmin()
    hits = reach[blocked] <= length
    length = jnp.minimum(length, reach[blocked])
    moved = z + jnp.where(move != 0, length * move, 0.0)
    now = jnp.where(hits & (jnp.arange(side.shape[0]) == blocked), jnp.where(moves > 0, 1, -1), side)

    # The multipliers that the step leads to; the worst wrong one lets its variable go.
    multiplier = here.gradient + here.hessian @ y
    outward = jnp.where(side[here.unit] < 0, -multiplier, multiplier)
    may_leave = here.held & (here.size > 0) & (lo[here.unit] < hi[here.unit])
    of_slot = jnp.where(may_leave, outward / jnp.where(here.size > 0, here.size, 1.0), -jnp.inf)
    worst = of_slot.argmax()
    wrong = of_slot[worst] > MULTIPLIER
    now = jnp.where(wrong & (jnp.arange(side.shape[0]) == here.unit[worst]), 0, now)
    at_lo, at_hi = now[:n] < 0, now[:n] > 0
    moved = jnp.where(at_lo, lo[:n], jnp.where(at_hi, hi[:n], jnp.clip(moved, lo[:n], hi[:n])))

    small = jnp.all(here.held | (jnp.abs(here.gradient) <= GRADIENT * here.size))
    done = small & ~wrong & ~hits & (temperature == 1.0)
    cooler = jnp.where(cut | (temperature == 1.0), temperature, jnp.maximum(COOLING * temperature, 1.0))
    return State(moved, now, cooler, steps + 1, done)


def _optimum(c: Array, t: Array, box: Box, tables: Bases) -> Solution:
    """One problem: from the start to the optimum, cooling from where every term counts."""
    (lo, hi), n = (box.lo, box.hi), box.start.shape[0]
    z = jnp.clip(box.start, lo[:n], hi[:n])
    place = _bounded(z, tables)
    side = jnp.where(place <= lo, -1, jnp.where(place >= hi, 1, 0))
    logs = c + tables.rows @ z
    # Hot enough that the smallest term has e^-2 of the largest one's weight: no direction is flat at first.
    smallest = jnp.where(logs > -jnp.inf, logs, logs.max()).min()
    hot = jnp.maximum((logs.max() - smallest) / 2, 1.0)
    last = lax.while_loop(
        lambda state: ~state.done & (state.steps < MOST_STEPS),
        lambda state: _step(state, c, lo, hi, tables),
        State(z, side, hot, jnp.asarray(0), jnp.asarray(False)),
    )
    here = _local(last.z, last.side, jnp.asarray(1.0), c, tables)
    # No term changes along a coordinate without curvature: no value along it is better than another.
    flat = (jnp.diagonal(here.hessian) == 0) & ~(here.held & (lo == hi)[here.unit])
    # Implicit differentiation: the gradient stays zero as log T moves, and a held variable follows its bound.
    along = jnp.where(here.held, jnp.where(last.side > 0, box.follows, box.rises)[here.unit], 0.0)
    source = here.weights @ (here.terms * t[:, None])
    y = _solve(here.hessian, -(source + here.hessian @ along), here.held) + along
    # What is unbounded with a variable that only the end of the numbers holds: where no term grows along with it, or
    # else the optimum lies beyond that end, and was not found.
    at_end = jnp.abs(_bounded(last.z, tables)) >= OPEN
    wall = jnp.where(here.held & at_end[here.unit], last.side[here.unit], 0).astype(float)
    drift = here.variables @ (_solve(here.hessian, -here.hessian @ wall, here.held) + wall)
    growth = jnp.where(c > -jnp.inf, tables.rows @ drift, 0.0).max()
    runs_off = growth <= SETTLED
    columns = jnp.stack([_solve(here.hessian, here.variables[i], here.held) for i in range(n)])
    multiplier = jnp.where(here.held, here.gradient, 0.0) @ (here.unit[:, None] == jnp.arange(n)[None]).astype(float)
    # A wall that holds holds the variables in it, each from the side on which it would leave.
    of_walls = jnp.sign(last.side[n:] @ jnp.sign(tables.walls)).astype(last.side.dtype)
    return Solution(
        log_risk=here.log_risk,
        log_at=last.z,
        exponent=here.variables @ y,
        risk_exponent=here.weights @ t + here.gradient @ along,
        inverse_hessian=columns @ here.variables.T,
        multiplier=multiplier,
        side=jnp.where(last.side[:n] != 0, last.side[:n], of_walls),
        unbounded=jnp.where(runs_off & (jnp.abs(drift) > SETTLED), jnp.sign(drift), 0.0),
        vanishes=runs_off & (jnp.abs(here.gradient @ wall) > SETTLED),
        flat=here.variables @ flat.astype(float),
        undetermined=(jnp.abs(here.variables) @ flat.astype(float)) > 0,
        converged=last.done & (runs_off | (wall == 0).all()),
    )


#: Problems in one call: one number, so that one program is ever compiled for a number of terms and variables; as many
#: as stay in the cache, and few enough for XLA to give a call to one core: it is shared among the cores here.
BATCH = 2**10

#: Of those, how many at the end are padding: in loops whose loads are interleaved, a compiler leaves the last
#: few to a loop of scalars, which fuses other multiplications with additions: a problem there has other last bits.
SPARE = 2**5


def _optima(c: Array, t: Array, box: Box, tables: Bases) -> Solution:
    return jax.vmap(_optimum, in_axes=(1, None, 1, None))(c, t, box, tables)


def program() -> Any:
    """Return ``_optima`` as it is compiled: with all of XLA's effort it takes twice as long, and runs 5% faster."""
    return compiled(_optima, effort=1)


def minimise(
    rows: tuple[Row, ...],
    c: NDArray[np.float64],
    t: NDArray[np.float64],
    box: Box,
    walls: tuple[Row, ...] = (),
) -> Solution:
    """Return the optima of the posynomials sum_j exp(c_j + rows_j . z), and how they move with the log budget.

    The log coefficients c have shape (J, problems), the budget's exponents t shape (J,). The box has the bounds of
    the variables, and after them those of the walls, rows as the terms'; it starts inside all of them. A problem has
    the same bits in any company: it rests once it is done, and every call has one shape.
    """
    if not rows[0]:  # nothing is tuned: a sum of constants
        log_risk = np.logaddexp.reduce(c, axis=0)
        none, yes = np.empty((0, c.shape[1])), np.ones(c.shape[1], bool)
        risk_exponent = t @ np.exp(c - log_risk)
        return Solution(log_risk, none, none, risk_exponent, none[:, None], none, none, none, ~yes, none, none, yes)
    tables = all_bases(rows, walls)
    count, size = c.shape[1], BATCH - SPARE
    order = _alike(tables, c, box) if count > size else np.arange(count)

    def block(first: int) -> Solution:
        own = min(size, count - first)
        part = order[np.minimum(np.arange(first, first + BATCH), first + own - 1)]  # the last one, again, as padding
        with jax.enable_x64(True):
            best = program()(c[:, part], t, Box(*(array[:, part] for array in box)), tables)
            return Solution(*(np.asarray(array)[:own] for array in best))

    firsts = range(0, count, size)
    if len(firsts) == 1:
        parts = [block(0)]
    else:
        block(0)  # compiles once, before the threads start
        with ThreadPoolExecutor(cores()) as pool:
            parts = list(pool.map(block, firsts))
    place = np.argsort(order)
    return Solution(*(np.moveaxis(np.concatenate(arrays)[place], 0, -1) for arrays in zip(*parts)))


def _alike(tables: Bases, c: NDArray[np.float64], box: Box) -> NDArray[np.intp]:
    """An order of the problems in which those that take about as many steps are next to one another.

    A call takes as long as its slowest problem: which term is the largest at the start, and how far the others are
    below it, says most of that. Over random constants a third of all steps is saved.
    """
    n = len(box.start)
    logs = c + tables.rows @ np.clip(box.start, box.lo[:n], box.hi[:n])
    spread = logs.max(axis=0) - np.where(logs > -np.inf, logs, np.inf).min(axis=0)
    return np.lexsort((spread, logs.argmax(axis=0)))
