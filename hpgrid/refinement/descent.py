"""Bounds that are no sums of powers: downhill from a grid's best cells, by automatic differentiation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import NDArray

from hpgrid.proxy import FUNCTIONS, Factor, FunctionProxy, Proxy, RiskFunction
from hpgrid.refinement.problem import OPEN, Floats, Problem
from hpgrid.shapes import AnyArray as Array

#: Points on each tuned axis of the grid that descents start from, by the number of tuned variables.
COARSE = {1: 400, 2: 100, 3: 40}

#: From how many of its local minima.
STARTS = 4

#: A gradient of the log risk this small, against the largest curvature, is an optimum: its own rounding is 1e-16.
GRADIENT = 1e-11

#: A Newton step still to go beyond this, in logs, is no optimum: the risk only levels off.
STEP = 1e-3

#: The longest step, in logs.
LONGEST = 2.0

#: A curvature below this is none: its inverse must stay a number.
TINY = 1e-290

#: Damping below rounding is none.
LEAST_DAMPING = 1e-18

MOST_STEPS = 200


# --- the bound as a function of its logs ---


@dataclass(frozen=True)
class _Sum:
    """A sum of terms as a risk function; equal sums compare equal, so that each compiles once."""

    terms: tuple[tuple[float, tuple[tuple[str, Fraction], ...], tuple[tuple[str, Factor], ...]], ...]
    budget: str

    def __call__(self, eta: Array, b: Array, alpha: Array, budget: Array, constants: Mapping[str, Array]) -> Array:
        at = {"eta": eta, "b": b, "alpha": alpha, self.budget: budget}
        total = 0.0
        for number, named, factors in self.terms:
            value: Array = number
            for name, exponent in named:
                value = value * constants[name] ** float(exponent)
            for name, factor in factors:
                x = at[name]
                value = value * (FUNCTIONS[factor](x) if isinstance(factor, str) else x ** float(factor))
            total = total + value
        return total


def _function(proxy: Proxy | FunctionProxy) -> RiskFunction:
    if isinstance(proxy, FunctionProxy):
        return proxy.function
    terms = tuple((float(t.number), tuple(t.constants.items()), tuple(t.factors.items())) for t in proxy.terms)
    return _Sum(terms, proxy.budget)


class Call(NamedTuple):
    """Which arguments of a risk function are tuned: the static part of a descent."""

    function: RiskFunction
    tuned: tuple[str, ...]
    budget: str

    def log_risk(
        self, z: Array, log_budget: Array, values: Mapping[str, Array], constants: Mapping[str, Array]
    ) -> Array:
        """Return the log of the risk at the logs of the tuned variables and of the budget."""
        at = {"eta": 1.0, "b": 1.0, "alpha": 1.0, **values}
        at |= {name: jnp.exp(z[i]) for i, name in enumerate(self.tuned)} | {self.budget: jnp.exp(log_budget)}
        at = {name: jnp.asarray(x, float) for name, x in at.items()}
        return jnp.log(self.function(at["eta"], at["b"], at["alpha"], at[self.budget], constants))


# --- where a descent starts ---


def coarse_optima(problem: Problem) -> tuple[dict[str, Floats], ...]:
    """Return where descents start: for each tuned variable one value a lane, the most promising start first.

    Those are the lowest local minima of a coarse grid, ``STARTS`` of them, since a bound can have several:
    one at alpha = 1, say, or at eta -> 0 while the budget is small. For a budget M the grid spans eta in
    1e-2/M to 1e2, b in 1 to M, alpha in 1/M to 1, as far as the bounds let it.
    """
    lanes = problem.lanes()
    found = np.array([_lowest_minima(lanes, lane) for lane in range(lanes.shape[0])])
    return tuple({v: found[:, k, i].reshape(problem.shape) for i, v in enumerate(problem.tuned)} for k in range(STARTS))


def _lowest_minima(lanes: Problem, lane: int) -> Floats:
    """The lowest local minima on the grid of one lane, shape (STARTS, variables); fewer are repeated."""
    held = {v: float(x[lane]) for v, x in lanes.values.items()}
    most = max(held[lanes.budget], 1e4)
    span = {"eta": (1e-2 / most, 1e2), "b": (1.0, most), "alpha": (1 / most, 1.0)}
    axes = []
    for v in lanes.tuned:
        lo, hi = np.clip(np.log(span[v]), lanes.box[v][0][lane], lanes.box[v][1][lane])
        axes.append(np.exp(np.linspace(lo, hi, COARSE[len(lanes.tuned)])))
    # The axes end at the caps already, to rounding: an end must not count as beyond.
    constants = {name: float(x[lane]) for name, x in lanes.constants.items()}
    proxy = replace(lanes.proxy, caps={}, cap_terms={}, constants=constants)
    with np.errstate(all="ignore"):
        risk = proxy.risk(**held, **dict(zip(lanes.tuned, np.meshgrid(*axes, indexing="ij"))))
    risk = np.where(np.isfinite(risk), risk, np.inf)
    cells = np.argwhere((risk == _neighbourhood(risk)) & (risk < np.inf))
    if not len(cells):
        cells = np.array([[len(axis) // 2 for axis in axes]])
    # Of a plateau, the first cell.
    _, first = np.unique(risk[tuple(cells.T)], return_index=True)
    chosen = cells[first[np.minimum(np.arange(STARTS), len(first) - 1)]]
    return np.array([[axis[k] for axis, k in zip(axes, cell)] for cell in chosen])


def _neighbourhood(values: Floats) -> Floats:
    """The least value among each cell and its neighbours, diagonal ones too."""
    for axis in range(values.ndim):
        padded = np.pad(values, [(1, 1) if k == axis else (0, 0) for k in range(values.ndim)], constant_values=np.inf)
        values = np.min([np.take(padded, range(k, k + values.shape[axis]), axis) for k in range(3)], axis=0)
    return values


# --- the descent ---


class _State(NamedTuple):
    z: Array
    value: Array
    damping: Array
    steps: Array
    done: Array


def _quadratic(call: Call, lane: Mapping[str, Any], z: Array) -> tuple[Array, Array, Array]:
    """The gradient, the Hessian, and which variables are free: off their bounds, or drawn inside."""

    def value(point: Array) -> Array:
        return call.log_risk(point, lane["log_budget"], lane["values"], lane["constants"])

    gradient, hessian = jax.grad(value)(z), jax.hessian(value)(z)
    held = ((z <= lane["lo"]) & (gradient >= 0)) | ((z >= lane["hi"]) & (gradient <= 0))
    return gradient, hessian, ~held


def _newton(hessian: Array, right: Array, free: Array, damping: Array) -> Array:
    """The damped step in the free variables: the system scaled by its diagonal, the held ones left out."""
    diagonal = jnp.where(free, jnp.abs(jnp.diagonal(hessian)), 1.0)
    scale = jnp.where(free, lax.rsqrt(jnp.maximum(diagonal, TINY)), 0.0)
    scaled = hessian * scale[:, None] * scale[None, :]
    scaled = scaled + jnp.diag(jnp.where(free, damping, 1.0))
    return jnp.linalg.solve(scaled, right * scale) * scale


def _step(call: Call, lane: Mapping[str, Any], state: _State) -> _State:
    z = state.z
    gradient, hessian, free = _quadratic(call, lane, z)
    move = _newton(hessian, -gradient, free, state.damping)
    move = move / jnp.maximum(jnp.abs(move).max() / LONGEST, 1.0)
    tried = jnp.clip(z + move, lane["lo"], lane["hi"])
    value = call.log_risk(tried, lane["log_budget"], lane["values"], lane["constants"])
    better = value <= state.value + 4e-16 * jnp.maximum(jnp.abs(state.value), 1.0)
    small = jnp.all(~free | (jnp.abs(gradient) <= GRADIENT * jnp.maximum(jnp.abs(hessian).max(), 1e-300)))
    damping = jnp.where(better, jnp.maximum(state.damping / 8, LEAST_DAMPING), jnp.maximum(8 * state.damping, 1e-8))
    return _State(
        jnp.where(better, tried, z), jnp.where(better, value, state.value), damping, state.steps + 1,
        (small & better) | (damping > 1e12),
    )  # fmt: skip


def _descent(call: Call, lane: Mapping[str, Any]) -> dict[str, Array]:
    if not call.tuned:
        return _evaluated(call, lane)
    z = jnp.clip(lane["start"], lane["lo"], lane["hi"])
    value = call.log_risk(z, lane["log_budget"], lane["values"], lane["constants"])
    last = lax.while_loop(
        lambda state: ~state.done & (state.steps < MOST_STEPS),
        partial(_step, call, lane),
        _State(z, jnp.where(jnp.isnan(value), jnp.inf, value), jnp.asarray(1e-2), jnp.asarray(0), jnp.asarray(False)),
    )
    return _described(call, lane, last)


def _described(call: Call, lane: Mapping[str, Any], last: _State) -> dict[str, Array]:
    """What is known at the last point: bounds, stopping rule, and the exponents by implicit differentiation."""
    gradient, hessian, free = _quadratic(call, lane, last.z)

    def both(z: Array, log_budget: Array) -> Array:
        return call.log_risk(z, log_budget, lane["values"], lane["constants"])

    _, source = jax.jvp(
        lambda t: jax.grad(both)(last.z, t), (lane["log_budget"],), (jnp.ones_like(lane["log_budget"]),)
    )
    along = jnp.where(~free & (last.z >= lane["hi"]), lane["slope"], 0.0)
    exponent = _newton(hessian, -(source + hessian @ along), free, jnp.asarray(0.0)) + along
    own = jax.grad(both, argnums=1)(last.z, lane["log_budget"])
    inverse = jax.vmap(lambda right: _newton(hessian, right, free, jnp.asarray(0.0)))(jnp.eye(free.size))
    small = jnp.abs(gradient) <= 1e3 * GRADIENT * jnp.maximum(jnp.abs(hessian).max(), 1e-300)
    ahead = _newton(hessian, -gradient, free, jnp.asarray(0.0))
    creeps = free & ~(jnp.abs(ahead) <= STEP)
    infimum, leaves = _end(call, lane, last, jnp.where(creeps, last.z - lane["start"], 0.0))
    convex = jnp.all(jnp.linalg.eigvalsh(jnp.where(free[:, None] & free[None, :], hessian, jnp.eye(free.size))) > 0)
    return {
        "log_risk": jnp.where(leaves, infimum, last.value),
        "log_at": last.z,
        "exponent": exponent,
        "risk_exponent": own + gradient @ along,
        "inverse_hessian": inverse,
        "gradient": gradient,
        "multiplier": jnp.where(free, 0.0, gradient),
        "side": jnp.where(free, 0, jnp.where(last.z <= lane["lo"], -1, 1)),
        "runs_off": ~free & (jnp.abs(last.z) >= OPEN) | creeps & leaves,
        "vanishes": jnp.asarray(False),
        "loose": jnp.zeros(free.shape),
        "undetermined": jnp.zeros(free.shape, bool),
        "converged": jnp.all(~free | (small & ~creeps)) & convex & jnp.isfinite(last.value),
    }


def _end(call: Call, lane: Mapping[str, Any], last: _State, ahead: Array) -> tuple[Array, Array]:
    """The log risk where the variables that still creep on leave the numbers, and whether that is no larger.

    They go on in the direction in which they came, until the first of them is at the end of the numbers.
    """
    wall = jnp.where(ahead > 0, lane["hi"], lane["lo"])
    times = jnp.where(ahead != 0, (wall - last.z) / jnp.where(ahead != 0, ahead, 1.0), jnp.inf)
    first = times.argmin()
    end = jnp.where(ahead != 0, jnp.clip(last.z + times[first] * ahead, lane["lo"], lane["hi"]), last.z)
    there = call.log_risk(end, lane["log_budget"], lane["values"], lane["constants"])
    lower = there <= last.value + 4e-16 * jnp.maximum(jnp.abs(last.value), 1.0)
    return there, jnp.any(ahead != 0) & lower & (jnp.abs(wall[first]) >= OPEN)


def _evaluated(call: Call, lane: Mapping[str, Any]) -> dict[str, Array]:
    """The risk where nothing is left to tune."""
    of_budget = jax.value_and_grad(call.log_risk, argnums=1)
    log_risk, exponent = of_budget(lane["start"], lane["log_budget"], lane["values"], lane["constants"])
    of_variables = ("log_at", "exponent", "gradient", "multiplier", "side", "runs_off", "loose", "undetermined")
    return {
        "log_risk": log_risk,
        "risk_exponent": exponent,
        "converged": jnp.isfinite(log_risk),
        "inverse_hessian": jnp.zeros((0, 0)),
        "vanishes": jnp.asarray(False),
        **{name: lane["start"] for name in of_variables},
    }


@partial(jax.jit, static_argnums=0)
def _descents(call: Call, lanes: Mapping[str, Any]) -> dict[str, Array]:
    return jax.vmap(partial(_descent, call))(lanes)


def descend(problem: Problem, box: Mapping[str, Floats]) -> dict[str, NDArray[Any]]:
    """Return the local optima that lanes reach, and how they move with the log budget.

    Args:
        problem: what is minimised.
        box: "lo", "hi", "start", "slope", each of shape (n, lanes).
    """
    count = box["lo"].shape[1]

    def lanes(array: Any) -> Floats:
        return np.broadcast_to(np.asarray(array, float), problem.shape).reshape(count)

    call = Call(_function(problem.proxy), problem.tuned, problem.budget)
    with jax.enable_x64(True):
        found = _descents(call, {
            **{name: np.ascontiguousarray(array.T) for name, array in box.items()},
            "log_budget": np.log(lanes(problem.values[problem.budget])),
            "values": {v: lanes(x) for v, x in problem.values.items() if v != problem.budget},
            "constants": {name: lanes(x) for name, x in problem.constants.items()},
        })  # fmt: skip
        return {name: np.moveaxis(np.asarray(array), 0, -1) for name, array in found.items()}
