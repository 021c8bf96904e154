"""How jax compiles a program: well, or soon, where what it computes is less than what compiling it takes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

import jax

#: What XLA leaves out for a CPU of what is compiled soon: its newer emitter of loops, which takes more passes, but
#: where an array is scanned is three times as good; LLVM's optimiser.
_LEFT_OUT: dict[str, bool | int] = {"xla_cpu_use_fusion_emitters": False, "xla_backend_optimization_level": 0}


@cache
def compiled(function: Callable[..., Any], *, soon: bool, **static: Any) -> Any:
    """Return a function that is compiled when it is called.

    Args:
        function: what ``jax.jit`` takes, with ``static`` its options.
        soon: in a quarter of the time, where what is computed takes less than compiling it. Sums of products have the
            same bits: each product is rounded before it is added.
    """
    return jax.jit(function, compiler_options=_options() if soon else None, **static)


@cache
def _options() -> dict[str, bool | int] | None:
    if jax.default_backend() == "cpu":
        with suppress(jax.errors.JaxRuntimeError):  # not every XLA has them
            jax.jit(lambda: 0.0, compiler_options=_LEFT_OUT)()
            return _LEFT_OUT
    return None
