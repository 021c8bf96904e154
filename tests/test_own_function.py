"""A function that a person wrote: with NumPy or jax.numpy it is a bound; what is wrong in it is said with its line."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from commands import ENVIRONMENT

import hpgrid
from hpgrid import FunctionProxy, Grid, grid_search, refine
from hpgrid.own_function import OwnFunction

# --- written with NumPy ---


def with_numpy(eta: Any, b: Any, alpha: Any, T: Any, c: Any) -> Any:
    """A term of each kind: operators, a ufunc, a function that is none, a list of arrays, a method, a whole power."""
    with np.errstate(all="ignore"):
        noise = np.sum(np.stack([np.sqrt(alpha / b), np.zeros_like(alpha)]), axis=0)
        return np.where(eta < c["most"], b / (eta * T) + noise + c["C"] * np.maximum(eta, 0.0) / alpha, np.inf)


def by_namespace(eta: Any, b: Any, alpha: Any, T: Any, c: Any) -> Any:
    xp = eta.__array_namespace__()
    return xp.where(eta < c["most"], b / (eta * T) + xp.sqrt(alpha / b) + c["C"] * eta / alpha, xp.inf)


class Called:
    def __call__(self, *arguments: Any) -> Any:
        return with_numpy(*arguments)


GRID = Grid(
    eta=hpgrid.LogAxis(1e-6, 10.0, 7),
    b=hpgrid.LogAxis(1.0, 1e3, 4),
    alpha=0.25,
    T=hpgrid.LogAxis.from_values([1e6, 4e9]),
)


@pytest.mark.parametrize("function", [with_numpy, by_namespace, Called()])
def test_a_function_of_arrays_is_a_bound(function: Callable[..., Any]) -> None:
    """Against a loop in plain Python."""
    proxy = FunctionProxy(function, {"C": 4.0, "most": 5.0})

    def risk(eta: float, b: float, T: float) -> float:
        return b / (eta * T) + math.sqrt(0.25 / b) + 4 * eta / 0.25 if eta < 5 else math.inf

    found = grid_search(proxy, GRID, ("eta", "b"))
    for k, T in enumerate(GRID.axes["T"].values):
        cells = [risk(eta, b, T) for eta in GRID.axes["eta"].values for b in GRID.axes["b"].values]
        assert found.risk[k] == pytest.approx(min(cells), rel=1e-14)
        assert found.index["eta"][k] * 4 + found.index["b"][k] == np.argmin(cells)


def test_a_function_written_with_numpy_is_refined() -> None:
    """b/(eta T) + C eta/alpha is least at eta = (b alpha/(C T))^(1/2) = (16 * 0.25/(4 * 1e6))^(1/2)."""
    proxy = FunctionProxy(with_numpy, {"C": 4.0, "most": 5.0})
    best = refine(proxy, "eta", fixed={"b": 16.0, "alpha": 0.25}, T=1e6)
    assert best.at["eta"] == pytest.approx(1e-3, rel=1e-10)
    assert best.exponent["eta"] == pytest.approx(-0.5, abs=1e-9)


# --- what is wrong where it comes in ---


def four(eta: Any, b: Any, alpha: Any, T: Any) -> Any:
    return eta


def root(eta: Any, b: Any, alpha: Any, T: Any, c: Any) -> Any:
    return b / (eta * T) + math.sqrt(alpha) * eta


def branch(eta: Any, b: Any, alpha: Any, T: Any, c: Any) -> Any:
    if eta > 0.1:
        return eta
    return b


def nothing(eta: Any, b: Any, alpha: Any, T: Any, c: Any) -> None:
    eta + b


def summed(eta: Any, b: Any, alpha: Any, T: Any, c: Any) -> Any:
    return eta / np.sum(eta)


def sorted_(eta: Any, b: Any, alpha: Any, T: Any, c: Any) -> Any:
    return eta[::-1] if np.ndim(eta) else eta


def pair(eta: Any, b: Any, alpha: Any, T: Any, c: Any) -> Any:
    return np.stack([eta, b])


def complex_(eta: Any, b: Any, alpha: Any, T: Any, c: Any) -> Any:
    return eta * 1j


def in_place(eta: Any, b: Any, alpha: Any, T: Any, c: Any) -> Any:
    eta *= 2.0
    return eta


def chance(eta: Any, b: Any, alpha: Any, T: Any, c: Any) -> Any:
    return eta * np.random.default_rng().random()


def own_error(eta: Any, b: Any, alpha: Any, T: Any, c: Any) -> Any:
    raise RuntimeError("eta is too large")


def takes_out(eta: Any, b: Any, alpha: Any, T: Any, c: Any) -> Any:
    return eta * c.pop("C")


def unnamed(eta: Any, b: Any, alpha: Any, T: Any, c: Any) -> Any:
    return eta * c["D"]


HERE = Path(__file__).name
JNP = 'Write "import jax.numpy as jnp" at the top, and '


def line_of(function: Callable[..., Any], offset: int) -> str:
    return f"{HERE}, line {function.__code__.co_firstlineno + offset}: "


@pytest.mark.parametrize(("function", "words"), [
    (four, "takes 5 arguments, the last a mapping of its constants. Given: \"four(eta:"),
    (abs, "takes 5 arguments"),
    ("b + eta", "a bound is a function of arrays. Given: 'b + eta'. Write def risk(eta, b, alpha, T, constants)"),
    (root, line_of(root, 1) + "return b / (eta * T) + math.sqrt(alpha) * eta'. "
     + JNP + '"return b / (eta * T) + jnp.sqrt(alpha) * eta" there.'),
    (branch, line_of(branch, 1) + "if eta > 0.1:'. " + JNP + "jnp.where(condition, a, b) there."),
    (nothing, "nothing returns a real number for each point, an array of its arguments' shape (3,). Given: 'None'"),
    (summed, "its value at a point does not depend on other points. Given: '0.333333, 0.333333, 0.333333 alone, "),
    (sorted_, "Given: '0.001, 0.02, 0.7 alone, 0.7, 0.02, 0.001 together'"),
    (pair, "Given: 'an array of float64 of shape (2, 3)'"),
    (complex_, "Given: 'an array of complex128 of shape (3,)'"),
    (in_place, line_of(in_place, 1) + "eta *= 2.0'"),
    (chance, "chance has one value at a point, whenever it is called"),
    (own_error, "(RuntimeError: eta is too large). Given: '" + line_of(own_error, 1)),
    (takes_out, "takes_out leaves its constants as they are. Given: {}"),
    (unnamed, line_of(unnamed, 1) + "return eta * c[\"D\"]'. Write a value of it, constants={'D': 1.0}, say."),
])  # fmt: skip
def test_a_mistake_is_said_where_the_function_comes_in(function: Any, words: str) -> None:
    with pytest.raises(ValueError, match=r"Given: .* Write ") as refusal:
        FunctionProxy(function, {"C": 1.0})
    assert words in str(refusal.value)


# --- what JAX alone finds ---


def of_a_constant(eta: Any, b: Any, alpha: Any, T: Any, c: Any) -> Any:
    return b / (eta * T) + math.sqrt(c["C"]) * eta


def of_both(eta: Any, b: Any, alpha: Any, T: Any, c: Any) -> Any:
    return b / (eta * T) + np.log(jnp.exp(eta))


def whole(eta: Any, b: Any, alpha: Any, T: Any, c: Any) -> Any:
    return np.asarray(eta) + b / (eta * T)


def cut_off(eta: Any, b: Any, alpha: Any, T: Any, c: Any) -> Any:
    risk = np.atleast_1d(b / (eta * T)) + eta
    risk[np.atleast_1d(eta) > 1] = np.inf
    return risk.reshape(np.shape(eta))


def chosen(eta: Any, b: Any, alpha: Any, T: Any, c: Any) -> Any:
    return eta if c["C"] > 1 else b / (eta * T)


@pytest.mark.parametrize(("function", "words"), [
    (of_a_constant, line_of(of_a_constant, 1) + "return b / (eta * T) + math.sqrt(c[\"C\"]) * eta'. "
     + JNP + '"return b / (eta * T) + jnp.sqrt(c["C"]) * eta" there.'),
    (of_both, JNP + '"return b / (eta * T) + jnp.log(jnp.exp(eta))" there.'),
    (whole, JNP + '"return jnp.asarray(eta) + b / (eta * T)" there.'),
    (cut_off, line_of(cut_off, 2) + "risk[np.atleast_1d(eta) > 1] = np.inf'. " + JNP + "jnp.where(condition, a, b)"),
    (chosen, line_of(chosen, 1) + 'return eta if c["C"] > 1 else b / (eta * T)\'. ' + JNP + "jnp.where("),
])  # fmt: skip
def test_what_can_not_be_traced_is_said_with_its_line(function: Any, words: str) -> None:
    proxy = FunctionProxy(function, {"C": 2.0})
    assert proxy.risk(eta=0.5, b=1.0, alpha=1.0, T=10.0).shape == ()
    with pytest.raises(ValueError, match="a bound's function takes arrays") as refusal:
        grid_search(proxy, GRID, "eta")
    assert words in str(refusal.value)


# --- what asking costs ---


def test_a_function_is_asked_once_and_equal_ones_are_one() -> None:
    calls = []

    def counts(eta: Any, b: Any, alpha: Any, T: Any, c: Any) -> Any:
        calls.append(eta)
        return eta

    proxy = FunctionProxy(counts, {"C": 1.0})
    asked = len(calls)
    again = proxy.with_constants(C=2.0).form("K").form("T")
    assert (len(calls), again.function) == (asked, proxy.function)
    assert FunctionProxy(proxy.function).function is proxy.function
    assert proxy.function == OwnFunction(counts) == FunctionProxy(counts).function


def test_asking_loads_no_jax_and_what_is_hpgrids_own_is_not_asked() -> None:
    code = (
        "import sys, hpgrid\n"
        "hpgrid.bounds.star_convex()\n"
        "hpgrid.parse('max(eta, 1/(eta*T))')\n"
        "assert 'hpgrid.own_function' not in sys.modules\n"
        "hpgrid.FunctionProxy(lambda eta, b, alpha, T, c: b/(eta*T) + eta)\n"
        "assert 'jax' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, env=ENVIRONMENT)
