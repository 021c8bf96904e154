"""Derivatives relative to a function's value: by hand, at arguments whose squares are no floats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hpgrid.refinement.relative import relative

#: Functions f of x = e^z, and their first and second derivatives in z, over f.
IN_THE_LOGS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], tuple[Any, Any]]]] = {
    "1/x": (lambda x: 1 / x, lambda x: (-1.0, 1.0)),
    "x^-1": (lambda x: x**-1, lambda x: (-1.0, 1.0)),
    "x^-0.9": (lambda x: x**-0.9, lambda x: (-0.9, 0.81)),
    "x^0.9": (lambda x: x**0.9, lambda x: (0.9, 0.81)),
    "x^-1/2": (lambda x: jax.lax.rsqrt(x), lambda x: (-0.5, 0.25)),
    "a function inside": (jax.jit(lambda x: jnp.where(x > 0, 3 / x, 0.0)), lambda x: (-1.0, 1.0)),
    "log(1 + x)": (
        lambda x: jnp.log1p(x),
        lambda x: (x / (1 + x) / np.log1p(x), x / (1 + x) / (1 + x) / np.log1p(x)),
    ),
}


def test_in_the_logs_derivatives_are_numbers_wherever_the_function_is_one() -> None:
    """Of log (f + c) with c = f at that point: slope f'/(2 f), curvature f''/(2 f) - (f'/(2 f))^2."""
    z = np.array([-600.0, -1.0, 1.0, 600.0])

    def derivatives(z: Any) -> list[tuple[Any, Any]]:
        def of_log(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
            c = function(jnp.exp(z))
            return lambda z: relative(lambda z: jnp.log(function(jnp.exp(z)) + c))(z)

        functions = [of_log(function) for function, _ in IN_THE_LOGS.values()]
        return [(jax.grad(f)(z), jax.hessian(f)(z)) for f in functions]

    with jax.enable_x64(True):
        found = jax.jit(jax.vmap(derivatives))(z)
    for (name, (_, expected)), (slopes, curvatures) in zip(IN_THE_LOGS.items(), found):
        first, second = np.array([expected(x) for x in np.exp(z)]).T
        np.testing.assert_allclose(slopes, first / 2, rtol=1e-12, err_msg=name)
        np.testing.assert_allclose(curvatures, second / 2 - first**2 / 4, rtol=1e-12, atol=1e-15, err_msg=name)


def test_a_power_that_is_nought_has_its_derivative_and_what_jax_knows_by_heart_is_left_to_it() -> None:
    """x^(3/2) and x^2 at 0; log(1 + e^x), whose derivative is 1/(1 + e^-x)."""

    def function(x: Any) -> Any:
        return x**1.5 + x**2 + jax.nn.softplus(x)

    with jax.enable_x64(True):
        assert float(relative(function)(0.0)) == pytest.approx(np.log(2), rel=1e-15)
        assert float(jax.grad(relative(function))(0.0)) == 0.5
