"""How jax compiles a program: well, or soon, where what it computes is less than what compiling it takes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

import jax


@cache
def compiled(function: Callable[..., Any], *, soon: bool, **static: Any) -> Any:
    """Return a function that is compiled when it is called: ``soon``, in a quarter of the time, it runs for longer.

    Sums of products have the same bits either way: each product is rounded before it is added.
    """
    return jax.jit(function, compiler_options=_soonest() if soon else None, **static)


@cache
def _soonest() -> dict[str, bool | int] | None:
    """Without LLVM's optimiser, and by the emitter of loops that takes it fewest passes; on a CPU alone."""
    options = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}
    if jax.default_backend() == "cpu":
        with suppress(jax.errors.JaxRuntimeError):  # not every XLA has both
            jax.jit(lambda: 0.0, compiler_options=options)()
            return options
    return None
