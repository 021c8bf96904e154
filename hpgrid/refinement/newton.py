"""The convex solve: damped Newton on posynomials in the logs, many at once, in NumPy alone.

Every array has the problems last, and what is done to one is done to each by itself: sums are over the short axes, one
part after the other, so that a problem has the same bits in any company. What is done rests, and costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hpgrid.refinement.bases import Bases, Row, all_bases, coordinates
from hpgrid.refinement.problem import OPEN, Box, Solution
from hpgrid.shapes import Floats

#: Stop where every gradient entry is this small against the sum of its terms' sizes.
GRADIENT = 1e-12

#: A bound is left where its multiplier has the wrong sign by more than rounding.
MULTIPLIER = 1e-14

#: The largest growth of a term's log in one step, in units of the temperature: e^3 is where the quadratic model of
#: its exponential ends; and a growth that is rounding alone, against the fall of other terms.
GROWTH, NO_GROWTH = 3.0, 1e-10

#: A sum whose log falls by more in a step falls as a whole.
FALLS = 0.5

#: The logs are divided by a temperature, so that every term counts at first; it falls by this factor after a step
#: that was not cut short.
COOLING = 0.4

MOST_STEPS = 400

#: A variable, or the risk, that follows a bound by less has settled.
SETTLED = 1e-6

#: The length of a step that only a bound ends; a variable that does not move stays all the same.
ENDLESS = 1e250

#: A pivot below this share of what it was is rounding; and what a reciprocal needs.
PIVOT, TINY = 1e-14, 1e-300

#: Problems at work at once: a call of NumPy costs what some thousand numbers do, and what is at work stays some 10 MB.
#: One block after the other: calls as short as theirs take threads longer to hand over than to make.
BLOCK = 2**13


class _State(NamedTuple):
    """Problems sum_j exp(c_j + rows_j . z), lo <= z <= hi, and where the solve of each is."""

    c: Floats  # (J, P)
    lo: Floats  # (n + m, P): of the variables, and of m walls
    hi: Floats
    z: Floats  # (n, P)
    side: NDArray[np.int8]  # of each bound, the one that holds: -1, 0 or 1, (n + m, P)
    temperature: Floats  # (P,)

    def some(self, which: NDArray[np.intp]) -> _State:
        """Return some of the problems."""
        arrays: tuple[Any, ...] = self
        return _State(*(array.take(which, axis=-1) for array in arrays))


class _Local(NamedTuple):
    """Posynomials near a point each, in the coordinates of their largest independent terms."""

    top: Floats  # the largest log of a term, (P,)
    below: Floats  # each term's log, from it, (J, P)
    total: Floats  # the sum, in units of the largest term, (P,)
    weights: Floats  # each term's share of it, (J, P)
    terms: Floats  # (J, n, P)
    variables: Floats  # (n, n, P)
    unit: NDArray[np.int8]  # which bound each coordinate is, -1 for a term, (n, P)
    held: NDArray[np.bool_]  # coordinates that are variables at a bound, or walls that hold, (n, P)
    gradient: Floats  # (n, P)
    hessian: Floats  # (n, n, P)

    def size(self, some: NDArray[np.intp], coordinates: Any = slice(None)) -> Floats:
        """Return the sum of the terms' sizes in some problems' gradients, in all coordinates or one."""
        return _dot(self.weights.take(some, axis=-1), np.abs(self.terms.take(some, axis=-1)[:, coordinates]))


def minimise(
    rows: tuple[Row, ...],
    c: Floats,
    t: Floats,
    box: Box,
    walls: tuple[Row, ...] = (),
) -> Solution:
    """Return the optima of the posynomials sum_j exp(c_j + rows_j . z), and how they move with the log budget.

    The log coefficients c have shape (J, problems), the budget's exponents t shape (J,). The box has the bounds of
    the variables, and after them those of the walls, rows as the terms'; it starts inside all of them.
    """
    if not rows[0]:  # nothing is tuned: a sum of constants
        log_risk = np.logaddexp.reduce(c, axis=0)
        none, yes = np.empty((0, c.shape[1])), np.ones(c.shape[1], bool)
        risk_exponent = t @ np.exp(c - log_risk)
        return Solution(log_risk, none, none, risk_exponent, none[:, None], none, none, none, ~yes, none, none, yes)
    tables, blocks = all_bases(rows, walls), [slice(first, first + BLOCK) for first in range(0, c.shape[1], BLOCK)]
    found = [_solved(tables, c[:, own], t, Box(*(array[:, own].copy() for array in box))) for own in blocks]
    return Solution(*(np.concatenate(arrays, axis=-1) for arrays in zip(*found)))


def _sum(parts: Floats) -> Floats:
    """The sum over the first axis, one part after the other."""
    total: Floats = parts[0].copy()
    for part in parts[1:]:
        total += part
    return total


def _dot(a: Sequence[Any] | Floats, b: Sequence[Any] | Floats) -> Floats:
    """The sum of products over the first axis, one after the other."""
    total: Floats = a[0] * b[0]
    for x, y in zip(a[1:], b[1:]):
        total += x * y
    return total


def _times(rows: Floats, z: NDArray[Any]) -> Floats:
    """The product of a matrix and the vectors of all problems."""
    return _dot(rows.T[:, :, None], z)


def _bounded(z: Floats, tables: Bases) -> Floats:
    """The logs that have bounds: of the variables, and of the products of powers that are walls."""
    return np.concatenate([z, _times(tables.walls, z)]) if len(tables.walls) else z


def _of_unit(array: NDArray[Any], unit: NDArray[np.int8], some: NDArray[np.intp]) -> NDArray[Any]:
    """What an array of bounds has of those that are coordinates of some problems; of a term's, anything."""
    return array.ravel().take(np.maximum(unit, 0) * np.intp(array.shape[1]) + some)


def _local(tables: Bases, c: Floats, z: Floats, side: NDArray[np.int8], temperature: Floats | None = None) -> _Local:
    logs = _times(tables.rows, z)
    logs += c
    if temperature is not None:
        logs /= temperature
    top = logs.max(axis=0)
    below = np.subtract(logs, top, out=logs)
    weights = np.exp(below)
    total = _sum(weights)
    weights /= total
    # The basis: bounds that hold first, then terms by size, then what is left of the variables.
    order = np.empty((len(below) + len(side), len(top)), np.float32)
    np.subtract(1.0, below, out=order[: len(below)])
    order[len(below) :] = np.where(side, np.float32(0.0), np.float32(1e30))
    terms, variables, unit = coordinates(tables, order)
    held = (unit >= 0) & (_of_unit(side, unit, np.arange(len(top))) != 0)
    weighted = terms * weights[:, None]
    hessian = _dot(weighted[:, :, None], terms[:, None])
    return _Local(top, below, total, weights, terms, variables, unit, held, _sum(weighted), hessian)


def _factored(here: _Local) -> Callable[[Floats], Floats]:
    """What solves with the Hessian, L D L', in the free coordinates; what is held, or without curvature, stays zero."""
    lower: list[list[Floats]] = []  # below the diagonal of ones
    inverse: list[Floats] = []  # of D
    for k, (row, held) in enumerate(zip(here.hessian, here.held)):
        across: list[Floats] = []
        for rest, before in zip(row[:k].copy(), lower):
            for x, y in zip(before, across):
                rest -= x * y
            across.append(rest)
        own = [x * y for x, y in zip(across, inverse)]
        pivot: Floats = row[k].copy()
        for x, y in zip(own, across):
            pivot -= x * y
        # Not below what is rounding: the step stays one.
        np.maximum(pivot, np.maximum(PIVOT * row[k], TINY), out=pivot)
        np.divide(1.0, pivot, out=pivot)
        pivot[held | (row[k] == 0)] = 0.0
        lower.append(own)
        inverse.append(pivot)

    def solve(right: Floats) -> Floats:
        x = right.copy()
        for row, own in zip(lower, x):
            for factor, before in zip(row, x):
                own -= factor * before
        for share, own in zip(inverse, x):
            own *= share
        for row, own in zip(reversed(lower), x[::-1]):
            for factor, before in zip(row, x):
                before -= factor * own
        return x

    return solve


def _ends(tables: Bases, c: Floats, box: Box) -> tuple[Floats, NDArray[np.int8], NDArray[np.bool_]]:
    """Where solves end, cooled to from where every term counts: the logs, the bounds that hold, whether it is one."""
    lo, hi, n = box.lo, box.hi, len(box.start)
    level = _times(tables.level, np.where(c > -np.inf, c, 0.0))
    z = np.clip(np.where(np.isnan(box.start), level, box.start), lo[:n], hi[:n])
    place = _bounded(z, tables)
    side = np.where(place <= lo, -1, np.where(place >= hi, 1, 0)).astype(np.int8)
    logs = c + _times(tables.rows, z)
    # So hot that the smallest term has e^-2 of the largest one's weight: no direction is flat at first. What is said to
    # be a good start is taken for one.
    spread = logs.max(axis=0) - np.where(logs > -np.inf, logs, np.inf).min(axis=0)
    hot = np.where(np.isnan(box.start).any(axis=0) | bool(len(tables.walls)), np.maximum(spread / 2, 1.0), 1.0)
    now = _State(c, lo, hi, z, side, hot)
    going, done = np.arange(len(hot)), np.zeros(len(hot), bool)
    largest = np.abs(tables.terms).max() if tables.spans else np.inf
    for _ in range(MOST_STEPS):
        now, arrived = _step(tables, now, largest)
        if arrived.any():
            some, left = np.flatnonzero(arrived), np.flatnonzero(~arrived)
            at = going[some]
            z[:, at], side[:, at], done[at] = now.z.take(some, axis=1), now.side.take(some, axis=1), True
            going, now = going[left], now.some(left)
            if not left.size:
                break
    z[:, going], side[:, going] = now.z, now.side
    return z, side, done


def _step(tables: Bases, now: _State, largest: float) -> tuple[_State, NDArray[np.bool_]]:
    """One step of every problem, and whether it is done; the largest of the terms' exponents in any coordinates."""
    z, n = now.z, len(now.z)
    here = _local(tables, now.c, z, now.side, now.temperature)
    y = _factored(here)(-here.gradient)
    changes = _dot(here.terms.swapaxes(0, 1), y)
    growth, fall = changes.max(axis=0), -changes.min(axis=0)
    # Where no term grows, the way down ends at a bound and nowhere before; where the whole sum falls, not
    # before a term that grows meets it.
    length = np.where(growth < NO_GROWTH * fall, ENDLESS, GROWTH / np.maximum(growth, GROWTH))
    rate = -_dot(here.gradient, y)
    some = np.flatnonzero(rate > FALLS)
    if some.size:
        rises, above = changes[:, some], np.log(here.total[some]) - here.below[:, some]
        meets = np.where(rises > 0, above / np.where(rises > 0, rises + rate[some], 1.0), ENDLESS).min(axis=0)
        length[some] = np.maximum(length[some], meets)
    cooler = np.where(length < 1.0, now.temperature, np.maximum(COOLING * now.temperature, 1.0))
    move = _dot(here.variables.swapaxes(0, 1), y) * now.temperature
    move[now.side[:n] != 0] = 0.0
    moved, side, hits = _moved(tables, now, move, length)
    wrong = _let_go(now, here, y, side)
    # The sum of its terms' sizes is no more than the largest of their exponents.
    done = (here.held | (np.abs(here.gradient) <= GRADIENT * largest)).all(axis=0)
    done &= ~wrong & ~hits & (now.temperature == 1.0)
    some = np.flatnonzero(done)
    if some.size:
        small = np.abs(here.gradient.take(some, axis=1)) <= GRADIENT * here.size(some)
        done[some] = (here.held.take(some, axis=1) | small).all(axis=0)
    return now._replace(z=moved, side=side, temperature=cooler), done


def _moved(
    tables: Bases, now: _State, move: Floats, length: Floats
) -> tuple[Floats, NDArray[np.int8], NDArray[np.bool_]]:
    """Where steps end, on the first bound that they meet if any; which bounds hold there, and whether one was met."""
    n, lo, hi, place, side = len(move), now.lo, now.hi, _bounded(now.z, tables), now.side.copy()
    moves = _bounded(move, tables)
    moves[n:][side[n:] != 0] = 0.0
    moved = now.z + length * move
    ahead = place + length * moves if len(tables.walls) else moved
    beyond = ((ahead >= hi) & (moves > 0)) | ((ahead <= lo) & (moves < 0))
    hits = np.logical_or.reduce(beyond)
    some = np.flatnonzero(hits)
    if some.size:
        by, each, lo, hi, place = moves[:, some], np.arange(some.size), lo[:, some], hi[:, some], place[:, some]
        slack = np.where(by > 0, hi - place, place - lo)
        reach = np.where(beyond[:, some], slack, np.inf) / np.where(by != 0, np.abs(by), 1.0)
        first = reach.argmin(axis=0)
        side[first, some] = np.sign(by[first, each])
        on, at = side[:n, some], np.clip(place[:n] + reach[first, each] * move[:, some], lo[:n], hi[:n])
        moved[:, some] = np.where(on < 0, lo[:n], np.where(on > 0, hi[:n], at))
    return moved, side, hits


def _let_go(now: _State, here: _Local, y: Floats, side: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Let go, of the bounds whose multipliers a step leads to, the one of each problem that is wrong by most."""
    worst, leaves = np.full(y.shape[1], MULTIPLIER), np.zeros(y.shape[1], np.int8)
    for k, held in enumerate(here.held):
        some = np.flatnonzero(held)
        unit, row = here.unit[k].take(some), here.hessian[k].take(some, axis=1)
        multiplier = here.gradient[k].take(some) + _dot(row, y.take(some, axis=1))
        outward = _of_unit(now.side, unit, some) * multiplier
        # Few press outward.
        press = np.flatnonzero(outward > 0)
        some, unit = some[press], unit[press]
        room = _of_unit(now.lo, unit, some) < _of_unit(now.hi, unit, some)
        outward = np.where(room, outward[press] / np.maximum(here.size(some, k), TINY), 0.0)
        worse = outward > worst.take(some)
        worst[some[worse]], leaves[some[worse]] = outward[worse], unit[worse]
    wrong = worst > MULTIPLIER
    some = np.flatnonzero(wrong)
    side[leaves[some], some] = 0
    return wrong


def _solved(tables: Bases, c: Floats, t: Floats, box: Box) -> Solution:
    """The optima, and what is known there."""
    z, side, done = _ends(tables, c, box)
    n, every, here = len(z), np.arange(len(done)), _local(tables, c, z, side)
    solve, variables = _factored(here), here.variables.swapaxes(0, 1)
    # No term changes along a coordinate without curvature: no value along it is better than another.
    straight = np.stack([row[k] == 0 for k, row in enumerate(here.hessian)])
    flat = (straight & ~(here.held & _of_unit(box.lo == box.hi, here.unit, every))).astype(float)
    # Implicit differentiation: the gradient stays zero as log T moves, and a held variable follows its bound.
    along = np.where(here.held, _of_unit(np.where(side > 0, box.follows, box.rises), here.unit, every), 0.0)
    source = _dot(here.weights * t[:, None], here.terms)
    y = solve(-(source + _dot(here.hessian, along))) + along
    # What is unbounded with a variable that only the end of the numbers holds: where no term grows along with it.
    at_end = np.where(np.abs(_bounded(z, tables)) >= OPEN, side, 0)
    wall = np.where(here.held, _of_unit(at_end, here.unit, every), 0).astype(float)
    drift = _dot(variables, solve(-_dot(here.hessian, wall)) + wall)
    runs_off = np.where(c > -np.inf, _times(tables.rows, drift), 0.0).max(axis=0) <= SETTLED
    vanishes = runs_off & (np.abs(_dot(here.gradient, wall)) > SETTLED)
    # Or where it would turn beyond that end, or what is left has no size; else the optimum lies beyond, not found.
    held, still = (wall != 0).any(axis=0), (here.held | (np.abs(here.gradient) <= GRADIENT)).all(axis=0)
    lost = np.flatnonzero(still & np.where(held, ~runs_off, (np.abs(z) >= OPEN).any(axis=0)))
    if lost.size:
        drift[:, lost], vanishes[lost], runs_off[lost] = _ways_out(tables, box.lo[:n, lost], box.hi[:n, lost])
    columns, across = [solve(here.variables[i]) for i in range(n)], np.where(here.held, here.gradient, 0.0)
    # A wall that holds holds the variables in it, each from the side on which it would leave.
    of_walls = np.sign(_times(np.sign(tables.walls.T), side[n:])) if len(tables.walls) else 0
    return Solution(
        log_risk=here.top + np.log(here.total),
        log_at=z,
        exponent=_dot(variables, y),
        risk_exponent=_dot(here.weights, t) + _dot(here.gradient, along),
        inverse_hessian=np.stack([_dot(variables, column) for column in columns]),
        multiplier=np.stack([_dot(across, here.unit == i) for i in range(n)]),
        side=np.where(side[:n] != 0, side[:n], of_walls),
        unbounded=np.where(runs_off & (np.abs(drift) > SETTLED), np.sign(drift), 0.0),
        vanishes=vanishes,
        flat=_dot(variables, flat),
        undetermined=_dot(np.abs(variables), flat) > 0,
        converged=done & (runs_off | ~held),
    )


def _ways_out(tables: Bases, lo: Floats, hi: Floats) -> tuple[Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    """Ways along which no term grows for ever and some fall, whether all do, and whether there is one, in some boxes.

    Whether there is one is a matter of the exponents alone, as is where it leads: a linear program each, of which the
    shortest way is asked, that no variable moves without need. Every term has a coefficient.
    """
    from scipy.optimize import linprog  # a fifth of a second to import, for what is rare

    n, rows = len(lo), tables.rows
    boxes, own = np.unique(np.concatenate([hi >= OPEN, lo <= -OPEN]), axis=1, return_inverse=True)
    found = np.zeros((n + 2, boxes.shape[1]))
    for k, out in enumerate(boxes.T):
        # Each way is what goes up less what goes down.
        for falls, ends in (
            (rows, -np.ones(len(rows))),
            (np.vstack([rows, rows.sum(axis=0)]), [*[0.0] * len(rows), -1]),
        ):
            A = np.vstack([falls, tables.walls.reshape(-1, n)])
            right = np.append(ends, np.zeros(len(A) - len(falls)))
            way = linprog(np.ones(2 * n), np.hstack([A, -A]), right, bounds=[(0, None if x else 0) for x in out])
            if way.status == 0:
                found[:, k] = *(way.x[:n] - way.x[n:]), falls is rows, 1.0
                break
    found = found[:, own.ravel()]
    return found[:n], found[n] > 0, found[n + 1] > 0
