"""A bound's function that a person wrote: asked once, where it comes in; called with NumPy's arrays, traced by JAX.

NumPy's functions ask their arguments what to do (NEP 13, NEP 18), so that one that is written with them is traced, too.
"""

from __future__ import annotations

import inspect
import linecache
import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from traceback import walk_tb
from types import FrameType
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

from hpgrid.checks import InputError, bad, shortened
from hpgrid.shapes import array_namespace
from hpgrid.variables import STANDARD, Space

#: Where a function is asked: three points that have little in common; of other variables the places in their range.
_POINTS = {"eta": (1e-3, 0.02, 0.7), "b": (1.0, 24.0, 3e3), "alpha": (1e-3, 0.2, 1.0)}
_BUDGETS, _PLACES = (1e5, 3e7, 1e12), (0.05, 0.4, 0.8)

#: Two values of one point are the same, though computed in another order or in float32; what depends on other points
#: is off by the points' own differences.
_SAME = 1e-3

#: Whose lines are not the person's.
_OTHERS = ("hpgrid", "jax", "jaxlib", "numpy")

#: A call of what takes plain numbers, or NumPy's arrays alone.
_NUMERIC = re.compile(r"\b(?:math|np|numpy)\.(\w+)")
_BRANCH = re.compile(r"\b(?:if|while|and|or|not|assert|min|max)\b")


@dataclass(frozen=True)
class OwnFunction:
    """A function of hyperparameters, a budget, constants, as a person wrote it; equal ones are one program."""

    function: Callable[..., Any]

    def __call__(self, *arguments: Any) -> Any:
        """Return the risk: of NumPy's arrays, or traced.

        Raises:
            ValueError: the function can't be evaluated for them; the message has the line.
        """
        *variables, constants = arguments
        try:
            return self.function(*variables, constants)
        except (InputError, MemoryError):
            raise
        except Exception as error:
            if array_namespace(*variables, *constants.values()) is np:
                raise self._refused(error) from error
            first = error
        try:
            held = {name: _Traced(x) for name, x in constants.items()}
            return _bare(self.function(*map(_Traced, variables), held))
        except Exception as error:
            # Of what can't be done in place the second one speaks, of all else the first.
            raise self._refused(error if _in_place(error) else first) from first

    def _refused(self, error: Exception) -> InputError:
        """The error for a function that fails: why, its line, and what to write there."""
        why = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'it says no more'}"
        rule = f"a bound's function takes arrays, NumPy's and JAX's, element by element ({shortened(why, 120)})"
        frames = (place for place in walk_tb(error.__traceback__) if _module(place[0]) not in _OTHERS)
        frame, number = next(reversed([*frames]), (None, 0))
        if frame is None:
            return bad(rule, self.function, "operators, and functions of jax.numpy")
        file = frame.f_code.co_filename
        line = linecache.getline(file, number, frame.f_globals).strip()
        return bad(rule, f"{Path(file).name}, line {number}" + f": {line}" * bool(line), _cure(line, error))


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _in_place(error: Exception) -> bool:
    return any(word in str(error) for word in ("immutable", "read-only", "assignment"))


def _cure(line: str, error: Exception) -> str:
    """What to write in place of a line that failed."""
    if isinstance(error, KeyError) and f"[{error}]" in line.replace('"', "'"):
        return f"a value of it, constants={{{error}: 1.0}}, say"
    if not _in_place(error) and not any(word in str(error) for word in ("truth value", "boolean")):
        if _NUMERIC.search(line):
            written = _NUMERIC.sub(r"jnp.\1", line)
            return f'"import jax.numpy as jnp" at the top, and "{written}" there'
        if not _BRANCH.search(line):
            return "operators and functions of jax.numpy there, and +inf outside of the bound's domain"
    return '"import jax.numpy as jnp" at the top, and jnp.where(condition, a, b) there'


class _Traced(NDArrayOperatorsMixin):
    """One of JAX's arrays as an argument of NumPy's functions: in their place those of its own namespace are called."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return self._called(ufunc, inputs, options) if method == "__call__" else NotImplemented

    def __array_function__(self, function: Any, types: Any, inputs: Any, options: Any) -> Any:
        return self._called(function, inputs, options)

    def _called(self, function: Any, inputs: Any, options: Any) -> Any:
        own = getattr(self.array.__array_namespace__(), function.__name__, None)
        return NotImplemented if own is None else _Traced(own(*_bare(inputs), **_bare(options)))

    def __array__(self, *_: Any, **__: Any) -> Any:
        return self.array.__array__()  # says that it has no values

    def __bool__(self) -> bool:
        return bool(self.array)

    def __float__(self) -> float:
        return float(self.array)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.array, name)


def _bare(given: Any) -> Any:
    """What was given, without what it was wrapped in."""
    if isinstance(given, (list, tuple)):
        return type(given)(map(_bare, given))
    if isinstance(given, dict):
        return {name: _bare(value) for name, value in given.items()}
    return given.array if isinstance(given, _Traced) else given


def in_float64() -> AbstractContextManager[Any]:
    """Return where a function that has loaded jax computes in float64, as NumPy does."""
    jax = sys.modules.get("jax")
    return nullcontext() if jax is None else jax.enable_x64(True)


def _points(names: Sequence[str], space: Space) -> list[NDArray[np.float64]]:
    """Where a function is asked: three values of each variable, inside its range."""
    points = []
    for k, name in enumerate(names):
        low, high = (float(np.clip(end, -7.0, 7.0)) for end in space.all[name].natural)
        others = tuple(math.exp(low + (high - low) * (place + k / 100)) for place in _PLACES)
        own = _POINTS.get(name, others) if space.all[name] == STANDARD.all.get(name) else others
        points.append(np.array(_BUDGETS if name == names[-1] else own))
        points[-1].flags.writeable = False  # what changes its arguments says so itself
    return points


def asked(function: Any, constants: Mapping[str, float], names: Sequence[str], space: Space) -> OwnFunction:
    """Return a person's function as a bound's, once it was called at three points.

    Args:
        function: f(eta, b, alpha, budget, constants) -> risk.
        constants: the value of each constant.
        names: what its arguments before the constants are.
        space: their variables.

    Raises:
        ValueError: it takes other arguments, can't be evaluated, is of several points at once, changes what it is
            given, or returns something else than a real number for each point, the same each time.
    """
    if isinstance(function, OwnFunction):
        return function
    arguments = ", ".join((*names, "constants"))
    if not callable(function):
        raise bad("a bound is a function of arrays", function, f"def risk({arguments})")
    name = getattr(function, "__name__", type(function).__name__).replace("<lambda>", "a bound's function")
    try:
        signature = inspect.signature(function)
        signature.bind(*range(len(names) + 1))
    except TypeError:
        rule = f"a bound's function takes {len(names) + 1} arguments, the last a mapping of its constants"
        raise bad(rule, f"{name}{signature}", f"def risk({arguments})") from None
    except ValueError:  # a built-in function that does not say
        pass
    own = OwnFunction(function)
    points = _points(names, space)

    def value(*at: Any) -> Any:
        given = {name: np.float64(x) for name, x in constants.items()}
        with np.errstate(all="ignore"), in_float64():
            found = own(*at, given)
        if given != dict(constants):
            raise bad(
                f"{name} leaves its constants as they are", given, "a function that computes and does nothing else"
            )
        return found

    first = value(*points)
    array = np.asarray(first)
    if array.dtype.kind not in "fiub" or array.shape not in ((), points[0].shape):
        got = "None" if first is None else f"an array of {array.dtype} of shape {array.shape}"
        rule = f"{name} returns a real number for each point, an array of its arguments' shape {points[0].shape}"
        raise bad(rule, got, "return and the risk, elementwise" if first is None else "a risk that is elementwise")
    whole = np.broadcast_to(array, points[0].shape)
    if not np.array_equal(value(*points), array, equal_nan=True):
        raise bad(
            f"{name} has one value at a point, whenever it is called", "two", "a function without chance or memory"
        )
    # Each point by itself, in arrays of the same shape: for another one JAX would compile every operation again.
    alone = np.array([np.broadcast_to(value(*(np.full(x.shape, x[i]) for x in points)), whole.shape) for i in range(3)])
    rounding = 1e-12 * float(np.abs(whole[np.isfinite(whole)]).max(initial=0.0))  # of what cancels
    if not np.allclose(alone, whole[:, None], rtol=_SAME, atol=rounding, equal_nan=True):
        rule = f"{name} is elementwise: its value at a point does not depend on other points"
        single, together = (", ".join(f"{x:.6g}" for x in values) for values in (alone[:, 0], whole))
        raise bad(rule, f"{single} alone, {together} together", "a function without sums over its arguments")
    return own
