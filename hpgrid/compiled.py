"""How jax compiles a program: well, or soon, where what it computes is less than what compiling it takes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

import jax

#: What XLA leaves out for a CPU: its newer emitter of loops, which takes more passes, but where an array is scanned is
#: three times as good; LLVM's optimiser.
_LEFT_OUT = {"xla_cpu_use_fusion_emitters": False, "xla_backend_optimization_level": 0}


@cache
def compiled(function: Callable[..., Any], *, effort: int, **static: Any) -> Any:
    """Return a function that is compiled when it is called.

    Args:
        function: what ``jax.jit`` takes, with ``static`` its options.
        effort: 2 for all that XLA does by itself; 1 for half of it; 0 for a quarter, where what is computed takes less
            time than compiling it. Sums of products have the same bits: each product is rounded before it is added.
    """
    return jax.jit(function, compiler_options=_options(effort), **static)


@cache
def _options(effort: int) -> dict[str, bool | int] | None:
    options = dict([*_LEFT_OUT.items()][: 2 - effort])
    if options and jax.default_backend() == "cpu":
        with suppress(jax.errors.JaxRuntimeError):  # not every XLA has them
            jax.jit(lambda: 0.0, compiler_options=options)()
            return options
    return None
