"""What the device can do at most, measured: multiply-adds in registers, and a triad through memory.

Two small kernels of JAX, run on the device that the search runs on, in the same process and in the
same rounds as what is held against them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

#: Independent chains of multiply-adds on every element, as many as keep two units with a latency of
#: four cycles busy; and the length of each, so that reading and writing the element is lost in them.
_CHAINS, _DEPTH = 8, 32

#: Elements of the array that the chains start from: in a cache of the CPU, and enough threads for a GPU.
_ELEMENTS_CPU, _ELEMENTS_ELSEWHERE = 2**18, 2**24

#: Elements of each of the triad's two arrays, 512 MiB in float64: far larger than a cache.
_LARGE = 2**26

#: Seconds that a call takes at least, so that starting it does not count.
_LONG = 0.02


class Ceiling(NamedTuple):
    """A kernel to be timed: what to call, and the operations or bytes that a call does."""

    call: Callable[[], object]
    amount: float


@partial(jax.jit, donate_argnums=0)
def _multiply_adds(start: Any, factor: Any, addend: Any, passes: Any) -> Any:
    """2 * _CHAINS * _DEPTH operations an element and pass; what starts and joins the chains is not counted."""

    def once(_: Any, x: Any) -> Any:
        chains = [x] + [x + k * addend for k in range(1, _CHAINS)]
        for _step in range(_DEPTH):
            chains = [chain * factor + addend for chain in chains]
        return sum(chains[1:], chains[0]) * (1 / _CHAINS)

    return lax.fori_loop(0, passes, once, start)


@partial(jax.jit, donate_argnums=0)
def _triad(x: Any, y: Any, factor: Any, passes: Any) -> Any:
    """x = y + factor * x, in place: two reads and a write an element and pass."""
    return lax.fori_loop(0, passes, lambda _, x: y + factor * x, x)


def ceilings(elements: int | None = None, large: int = _LARGE) -> Mapping[str, Ceiling]:
    """Return the two kernels, compiled, on arrays that stay where they are: "arithmetic" and "memory".

    Args:
        elements: of the array that the multiply-adds start from; by the device where None.
        large: elements of each array of the triad.
    """
    if elements is None:
        elements = _ELEMENTS_CPU if jax.default_backend() == "cpu" else _ELEMENTS_ELSEWHERE
    with jax.enable_x64(True):
        factor, addend = jnp.float64(0.75), jnp.float64(0.25)  # from 1 they stay at 1
        arithmetic = _repeated(_multiply_adds, jnp.ones(elements, jnp.float64), factor, addend)
        memory = _repeated(_triad, jnp.ones(large, jnp.float64), jnp.full(large, 0.25, jnp.float64), factor)
    return {
        "arithmetic": _long_enough(arithmetic, 2.0 * _CHAINS * _DEPTH * elements),
        "memory": _long_enough(memory, 3.0 * 8 * large),
    }


def _repeated(kernel: Callable[..., Any], start: Any, *rest: Any) -> Callable[[int], None]:
    """Return a call of some passes that goes on from where the last one ended: its array is given back to it."""
    held = [start]

    def call(passes: int) -> None:
        with jax.enable_x64(True):
            held[0] = jax.block_until_ready(kernel(held[0], *rest, jnp.int32(passes)))

    return call


def _long_enough(call: Callable[[int], None], amount: float) -> Ceiling:
    """Compile, and double the passes until a call takes long enough."""
    call(1)
    passes = 1
    while _seconds(partial(call, passes)) < _LONG:
        passes *= 2
    return Ceiling(partial(call, passes), amount * passes)


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
