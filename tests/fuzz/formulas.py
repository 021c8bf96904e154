"""Random formulas as text, answered by hpgrid and held against Python's own evaluation and Nelder and Mead's simplices.

``case`` draws one, and says what was wrong with the answer, or None. Of a sum of powers: the refined optimum, the exact
law far out, the least cell of a small grid. Of a formula with min, max, quotients, roots, logs and exponentials: the
same but for the law; the few that are refined are batches of constants, since each compiles once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from scipy.optimize import linprog

import hpgrid
from hpgrid.grid import Grid, LogAxis
from hpgrid.proxy import Proxy

#: Refined risks are as low as any simplex ends, and what the text says at their own point.
NO_WORSE, THE_SAME = 1e-6, 1e-9

#: Of both routes: the lowest and highest log of a variable. Beyond, the minimum is at no number.
WALL = {"eta": (-200.0, 200.0), "b": (0.0, 200.0), "alpha": (-200.0, 0.0)}

#: Formulas that are refined, and what is tuned: with two or three variables each.
FUNCTIONS = (
    ("C1*b/(eta*T) + C3*eta*log(1 + T/b) + C2/sqrt(b)", ("eta", "b")),
    ("max(C1*b/(eta*T), C2/sqrt(b)) + C3*eta", ("eta", "b")),
    ("C1*b/(eta*T) + C3*eta/alpha + C2*sqrt(alpha/b) + C2/(1 + alpha*T/b)", ("eta", "alpha")),
    ("C1*exp(-eta*T/b) + C3*eta + C2/sqrt(b)", ("eta", "b")),
    ("sqrt(C1*b/(eta*T) + C3*eta**2) + C2*min(1, sqrt(1/b))", ("eta", "b")),
    ("(C1*b/(eta*T) + C3*eta + C2*eta**2)/(1 + eta/(1 + eta))", ("eta",)),
)


def case(rng: np.random.Generator) -> str | None:
    """Return what was wrong in one random case, or None."""
    kind = rng.choice([_sum_of_powers, _grid, _function], p=[0.6, 0.3, 0.1])
    return kind(rng)


def value_of(text: str, given: dict[str, Any]) -> Callable[..., Any]:
    """Return the formula as Python evaluates it, in NumPy: a function of eta, b, alpha and T by keyword."""
    code = compile(text, "formula", "eval")
    least, most = ((lambda *x, f=f: np.asarray(f.reduce(np.broadcast_arrays(*x)))) for f in (np.minimum, np.maximum))
    names = {"sqrt": np.sqrt, "log": np.log, "exp": np.exp, "min": least, "max": most, **given}

    def value(**at: Any) -> Any:
        own = {**at, "K": at["T"] / at["b"], "beta": 1 - at["alpha"]}
        with np.errstate(all="ignore"):
            return eval(code, {"__builtins__": {}}, {**names, **own})

    return value


def simplex(log_value: Callable[[np.ndarray], np.ndarray], starts: np.ndarray) -> np.ndarray:
    """Return the least values that Nelder and Mead's simplices find, one from each start, all at once: shape (n,).

    ``log_value`` takes points of shape (n, k, variables); a simplex is made anew about its best twice, and smaller.
    """
    (n, d), best = starts.shape, starts
    for size in (3.0, 0.5, 0.05):
        Z = best[:, None] + size * np.vstack([np.zeros(d), np.eye(d)])
        F = log_value(Z)
        for _ in range(80 * d):
            order = F.argsort(axis=1)
            Z, F = np.take_along_axis(Z, order[..., None], 1), np.take_along_axis(F, order, 1)
            centre, worst = Z[:, :-1].mean(1), Z[:, -1]
            ways = centre[:, None] + np.array([1.0, 2.0, 0.5, -0.5])[:, None] * (centre - worst)[:, None]
            reflected, expanded, outside, inside = G = log_value(ways).T
            better, fair, poor = reflected < F[:, 0], reflected < F[:, max(d - 1, 0)], reflected < F[:, -1]
            way = np.where(better, np.where(expanded < reflected, 1, 0), np.where(fair, 0, np.where(poor, 2, 3)))
            kept = better | fair | np.where(poor, outside <= reflected, inside < F[:, -1])
            Z[:, -1] = np.where(kept[:, None], ways[np.arange(n), way], worst)
            F[:, -1] = np.where(kept, G[way, np.arange(n)], F[:, -1])
            if not kept.all():
                Z = np.where(kept[:, None, None], Z, (Z + Z[:, :1]) / 2)
                F = log_value(Z)
        best = Z[np.arange(n), F.argmin(1)]
    return np.asarray(F.min(1))


def _number(rng: np.random.Generator, decades: float = 3.0) -> float:
    return float(f"{10 ** rng.uniform(-decades, decades):.6g}")


def _power(rng: np.random.Generator, *of: str) -> str:
    """A product of random powers, such as 3.2*b**(1/2)/eta."""
    text = f"{_number(rng):g}"
    for name in of:
        p = Fraction(int(rng.integers(-4, 5)), int(rng.choice([1, 2, 2, 3, 4])))
        if p:
            text += f"*{name}**({p})"
    return text


def _tuned(rng: np.random.Generator) -> tuple[str, ...]:
    return (("eta",), ("eta", "b"), ("eta", "alpha"), ("b", "alpha"), ("eta", "b", "alpha"))[rng.integers(5)]


def _held(rng: np.random.Generator, tuned: tuple[str, ...]) -> dict[str, float]:
    every = {"eta": 10 ** rng.uniform(-4, 1), "b": 10 ** rng.uniform(0, 4), "alpha": 10 ** rng.uniform(-3, 0)}
    return {v: float(f"{x:.6g}") for v, x in every.items() if v not in tuned}


def _sum_of_powers(rng: np.random.Generator) -> str | None:
    tuned = _tuned(rng)
    held, T = _held(rng, tuned), 10 ** rng.uniform(2, 12, 8)
    # Three or five of them: each number compiles once.
    text = " + ".join(_power(rng, *AXES) for _ in range(rng.choice([3, 5])))
    proxy = hpgrid.parse(text)
    if not isinstance(proxy, Proxy):
        return f"a sum of powers is none: {text}"
    if not {*tuned} <= {*proxy.depends_on()}:
        return None  # drawn without one of them
    fault = _refined(rng, text, {}, proxy, tuned, held, T)
    return fault or _law(text, proxy, tuned, held)


def _refined(
    rng: np.random.Generator, text: str, sets: dict[str, Any], proxy: Any, tuned: tuple[str, ...], held: Any, T: Any
) -> str | None:
    """Hold the refined optimum against the text and the simplex, for each set of constants and each budget."""
    min_K = None if isinstance(proxy, Proxy) else 1.0  # a function is about one iteration at least
    found = hpgrid.refine(proxy, tuned=tuned, fixed=held, T=T, constants=sets or None, min_K=min_K)
    count, several = found.risk.size, 8
    every = {**{name: np.repeat(x, len(T)) for name, x in sets.items()}, "T": np.resize(T, count)}
    lanes = {name: np.repeat(x, several)[:, None] for name, x in every.items()}
    low, high = (np.array([WALL[v][k] for v in tuned]) * np.ones((count * several, 1, 1)) for k in (0, 1))
    if min_K and "b" in tuned:
        high[..., tuned.index("b")] = np.log(lanes["T"])

    def log_value(z: np.ndarray) -> np.ndarray:
        at = dict(zip(tuned, np.moveaxis(np.exp(np.clip(z, low, high)), -1, 0)))
        value = np.broadcast_to(value_of(text, lanes)(**held, **at, T=lanes["T"]), z.shape[:-1])
        with np.errstate(all="ignore"):
            return np.where(np.isfinite(value) & (value > 0), np.log(value), 1e3)

    starts = rng.uniform(np.maximum(low, -15), np.minimum(high, 15))[:, 0]
    least = np.exp(simplex(log_value, starts).reshape(count, several).min(1))
    for k, risk in enumerate(found.risk.ravel().tolist()):
        given = {name: float(x[k]) for name, x in every.items()}
        told = f"{text}, {given}, tuned {tuned}, held {held}"
        if risk > least[k] * (1 + NO_WORSE):
            return f"refined risk {risk!r} above the simplex' {least[k]!r}: {told}"
        at = {v: float(found.at[v].ravel()[k]) for v in tuned}
        converged = bool(found.converged.ravel()[k])
        if converged and all(np.isfinite(x) for x in at.values()):
            own = float(value_of(text, given)(**held, **at, T=given["T"]))
            if not abs(own - risk) <= THE_SAME * abs(risk):
                return f"refined risk {risk!r}, but {own!r} at its own point {at}: {told}"
        elif not (converged or any(x.ravel()[k] for x in found.unbounded.values())):
            return f"refined found nothing, the simplex {least[k]!r}: {told}"
    return None


def _law(text: str, proxy: Proxy, tuned: tuple[str, ...], held: dict[str, float]) -> str | None:
    """Hold exact exponents against a linear program in floats, and the risk's against the refined one far out."""
    law = hpgrid.exponents(proxy, tuned=tuned, fixed=held)
    told = f"{text}, tuned {tuned}, held {held}"
    rows = np.array([[float(term.factors.get(v, 0)) for v in (*tuned, "T")] for term in proxy.terms])
    # The largest exponent r of the terms is least, over powers x of T: rows x <= r, b's >= 0 and alpha's <= 0.
    A, right = np.column_stack([rows[:, :-1], -np.ones(len(rows))]), -rows[:, -1]
    ends: list[Any] = [{"eta": (None, None), "b": (0, None), "alpha": (None, 0)}[v] for v in tuned]
    least = linprog([0.0] * len(tuned) + [1.0], A, right, bounds=[*ends, (None, None)])
    if least.status != 0 or law.exponent["risk"] is None:
        return None if least.status == 3 and law.exponent["risk"] is None else f"{least.message}, {law}: {told}"
    exact = float(law.exponent["risk"])
    if abs(exact - least.fun) > 1e-7:
        return f"risk ~ T^({law.exponent['risk']}), a linear program says {least.fun}: {told}"
    for k, name in enumerate(tuned):
        cost = np.eye(len(tuned) + 1)[k]
        sides = [linprog(sign * cost, A, right, bounds=[*ends, (None, least.fun + 1e-9)]) for sign in (1, -1)]
        if any(side.status != 0 for side in sides):
            continue
        low, high = sides[0].fun, -sides[1].fun
        told_by_law = law.exponent[name]
        if told_by_law is not None and not low - 1e-4 <= float(told_by_law) <= high + 1e-4:
            return f"{name} ~ T^({told_by_law}), a linear program says {low} to {high}: {told}"
    far = hpgrid.refine(proxy, tuned=tuned, fixed=held, T=[1e40, 1e80])
    slope = float(np.diff(far.log_risk)[0] / np.log(1e40))
    # What constants and five terms beside one another may add over 40 decades.
    return (
        f"risk ~ T^({exact}), but {slope} far out: {told}" if far.converged.all() and abs(slope - exact) > 0.1 else None
    )


def _grid(rng: np.random.Generator) -> str | None:
    """The least cell of a small grid, of a sum of powers or of any formula, against all of its cells."""
    tuned = _tuned(rng)
    held = _held(rng, tuned)
    text = f"{_tree(rng, 3)} + eta" if rng.random() < 0.5 else " + ".join(_power(rng, *AXES) for _ in range(3))
    axes: dict[str, Any] = {"eta": LogAxis(1e-4, 1e2, 7), "b": LogAxis(1, 1e6, 7), "alpha": LogAxis(1e-4, 1, 5)}
    grid = Grid(**{**axes, **held}, T=LogAxis(1e3, 1e9, 3))
    value = value_of(text, {})
    # Between the nodes of the grid, so that no cell is on the border.
    border = f"eta <= {3.3 * 10.0 ** rng.integers(-3, 3):.6g}" if rng.random() < 0.3 and "eta" in tuned else ""
    proxy = hpgrid.parse(text, domain=[border] if border else [])
    best, nothing = None, np.full(3, np.inf)
    with contextlib.suppress(ValueError):  # no cell is said to have a risk
        best = hpgrid.grid_search(proxy, grid, tuned, fixed=held)
    own = [held[v] if v in held else np.asarray(axes[v].values) for v in ("eta", "b", "alpha")]
    told = f"{text}, where {border!r}, tuned {tuned}, held {held}"
    for k, T in enumerate(grid.axes["T"].values):
        eta, b, alpha = np.meshgrid(*own, indexing="ij")
        cells = np.broadcast_to(value(eta=eta, b=b, alpha=alpha, T=T), eta.shape)
        inside = value_of(border, {})(eta=eta, b=b, alpha=alpha, T=T) if border else True
        cells = np.where(np.isfinite(cells) & (cells > 0) & inside, cells, np.inf)
        least, risk = float(cells.min()), float((nothing if best is None else best.risk)[k])
        if risk != least and not abs(risk - least) <= THE_SAME * least:
            return f"least cell {risk!r}, of all {least!r}: {told}, T = {T!r}"
        if best is None or risk == np.inf:
            continue
        at = {**held, **{v: float(best.at[v][k]) for v in tuned}}
        if not abs(float(value(**at, T=T)) - least) <= THE_SAME * least:
            return f"the argmin {at} is not the least cell: {told}, T = {T!r}"
    return None


AXES = ("eta", "b", "alpha", "T")


def _tree(rng: np.random.Generator, depth: int) -> str:
    """A random positive formula."""
    if depth == 0:
        return f"{_number(rng, 1):g}*{rng.choice(AXES)}" if rng.random() < 0.7 else f"{_number(rng, 1):g}"
    x, y = _tree(rng, depth - 1), _tree(rng, depth - 1)
    kinds = (f"({x} + {y})", f"({x})*({y})", f"({x})/({y})", f"sqrt({x})", f"min({x}, {y})", f"max({x}, {y})")
    return (*kinds, f"log(1 + {x})", f"exp(-({x})/(1 + {y}))", f"({x})**({rng.integers(1, 4)}/{rng.integers(1, 4)})")[
        rng.integers(9)
    ]


def _function(rng: np.random.Generator) -> str | None:
    text, tuned = FUNCTIONS[rng.integers(len(FUNCTIONS))]
    sets = {name: np.array([_number(rng, 2) for _ in range(32)]) for name in ("C1", "C2", "C3")}
    proxy = hpgrid.parse(text, {name: float(x[0]) for name, x in sets.items()})
    return _refined(rng, text, sets, proxy, tuned, _held(rng, tuned), 10 ** rng.uniform(3, 9, 2))
