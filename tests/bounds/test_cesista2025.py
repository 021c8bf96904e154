"""Cesista's bounds against their equations typed by hand with beta, in K and in T; where they hold; the lemmas."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf
from oracle import assert_agrees, axes_of, naive_search

from hpgrid import Grid, LogAxis, bounds, grid_search, refine
from hpgrid.bounds import cesista2025 as source, lemmas
from hpgrid.checks import InputError
from hpgrid.proxy import Proxy
from hpgrid.refinement.profile import profile
from hpgrid.term import Term

Delta0, L, sigma, D, G0, lam = 2.0, 0.7, 1.3, 1.2, 0.6, 0.3
kappa1, kappa2, L_F, sigma_F = 1.5, 4.0, 0.9, 0.4
C: dict[str, Any] = {"Delta0": Delta0, "L": L, "sigma": sigma, "D": D, "G0": G0}
FROBENIUS: dict[str, Any] = {"kappa1": kappa1, "kappa2": kappa2, "L_F": L_F, "sigma_F": sigma_F, "norm": "frobenius"}

sqrt: Callable[[Any], Any] = np.sqrt


def nesterov(beta: Any) -> Any:
    """What Nesterov's momentum leaves of the noise, in Theorems 8 and 11."""
    return sqrt(2 * (1 - beta) / (1 + beta)) * beta + (1 - beta)


def revised_noise(beta: Any) -> Any:
    """What it leaves in the revised forms: the same without the 2."""
    return sqrt((1 - beta) / (1 + beta)) * beta + (1 - beta)


def theorem_8(eta: Any, b: Any, beta: Any, K: Any) -> Any:
    X = Delta0 / eta + 2 * beta / (1 - beta) * G0 + 2 * beta / (D * (1 - beta**2)) * G0**2
    Y = (3 * beta + 1) * (1 - beta) / (2 * (1 + beta)) * sigma**2
    Z = (D + L * eta) / 2 + 2 * beta**2 / (1 - beta) * L * eta + 2 * beta**3 / (D * (1 - beta) ** 2) * L**2 * eta**2
    return X / K + Y / b + Z + nesterov(beta) * sqrt(D) * sigma / sqrt(b)


def theorem_8_frobenius(eta: Any, b: Any, beta: Any, K: Any) -> Any:
    X = Delta0 / (eta * kappa1) + kappa2 / kappa1 * 2 * beta / (1 - beta) * G0
    X = X + 2 * beta / (D * (1 - beta**2)) * G0**2
    Y = (3 * beta + 1) * (1 - beta) / (2 * (1 + beta)) * sigma_F**2
    Z = (kappa2**2 * D / kappa1 + L_F * eta) / (2 * kappa1) + kappa2 / kappa1 * 2 * beta**2 / (1 - beta) * L_F * eta
    Z = Z + 2 * beta**3 / (D * (1 - beta) ** 2) * L_F**2 * eta**2
    return X / K + Y / b + Z + kappa2 / kappa1 * nesterov(beta) * sqrt(D) * sigma_F / sqrt(b)


def theorem_11(eta: Any, b: Any, beta: Any, K: Any) -> Any:
    X = Delta0 / eta + 2 * beta / (1 - beta) * G0 + 2 * beta / (D * (1 - beta**2)) * G0**2
    Y = ((3 * beta + 1) * (1 - beta) / (2 * (1 + beta)) + lam / 2) * sigma**2
    Z = 2 * beta**2 / (1 - beta) * L * eta + 2 * beta**3 / (D * (1 - beta) ** 2) * L**2 * eta**2
    Z = Z + 2 * L**2 / (lam * D) + D * (lam + 1) / lam + (2 * D + L * eta) / 2
    return X / K + Y / b + Z + nesterov(beta) * sqrt(D) * sigma / sqrt(b)


def theorem_11_frobenius(eta: Any, b: Any, beta: Any, K: Any) -> Any:
    X = Delta0 / (eta * kappa1) + 2 * beta / (1 - beta) * kappa2 / kappa1 * G0
    X = X + 2 * beta / (D * (1 - beta**2)) * G0**2
    Y = ((3 * beta + 1) * (1 - beta) / (2 * (1 + beta)) + lam / 2) * sigma_F**2
    Z = 2 * beta**2 / (1 - beta) * kappa2 / kappa1 * L_F * eta
    Z = Z + 2 * beta**3 / (D * (1 - beta) ** 2) * L_F**2 * eta**2 + 2 * L_F**2 / (lam * kappa1 * D)
    Z = Z + kappa2**2 / kappa1**2 * D * (lam + 1) / lam + (2 * kappa2**2 * D / kappa1 + L_F * eta) / (2 * kappa1)
    return X / K + Y / b + Z + nesterov(beta) * kappa2 / kappa1 * sqrt(D) * sigma_F / sqrt(b)


def revised_8(eta: Any, b: Any, beta: Any, K: Any) -> Any:
    X = Delta0 / eta + 2 * beta / (1 - beta) * G0
    Y = 2 * revised_noise(beta) * sqrt(D) * sigma
    return X / K + Y / sqrt(b) + L * eta * (2 * beta**2 / (1 - beta) + 1 / 2)


def revised_star_convex(eta: Any, b: Any, beta: Any, K: Any) -> Any:
    noise = 2 / lam * revised_noise(beta) * sqrt(D) * sigma / sqrt(b)
    slope = 4 * L / lam * (1 + beta**2 / (1 - beta)) + 2 * beta / (1 - beta) * G0
    return (1 - lam * eta) ** K * Delta0 + noise + slope * eta


def revised_frank_wolfe(eta: Any, b: Any, beta: Any, K: Any) -> Any:
    noise = 2 / lam * revised_noise(beta) * sqrt(D) * sigma / sqrt(b)
    start = Delta0 / (lam * eta * K) + 2 * G0 * beta / ((1 - beta) * lam * K)
    return start + noise + 2 * L / lam * (1 + 2 * beta**2 / (1 - beta)) * eta


EQUATIONS: dict[str, Any] = {
    "Theorem 8": (lambda **o: bounds.steepest(**C, **o), theorem_8),
    "Theorem 8, Frobenius": (lambda **o: bounds.steepest(**C, **FROBENIUS, **o), theorem_8_frobenius),
    "Theorem 11": (lambda **o: bounds.steepest(**C, lam=lam, **o), theorem_11),
    "Theorem 11, Frobenius": (lambda **o: bounds.steepest(**C, **FROBENIUS, lam=lam, **o), theorem_11_frobenius),
    "Theorem 8, revised": (lambda **o: bounds.steepest(**C, form="revised", **o), revised_8),
    "star-convex": (lambda **o: bounds.star_convex(**C, lam=lam, **o), revised_star_convex),
    "Frank-Wolfe": (lambda **o: bounds.frank_wolfe(**C, lam=lam, **o), revised_frank_wolfe),
}
EPS = float(np.finfo(float).eps)


#: A bound, and its equation.
Pair = tuple[Callable[..., Any], Callable[..., Any]]


@pytest.fixture(params=EQUATIONS)
def equation(request: pytest.FixtureRequest) -> Pair:
    return EQUATIONS[request.param]


@pytest.fixture
def at() -> dict[str, np.ndarray]:
    """Points of the domain; alpha in multiples of 2^-20, so that 1 - beta is alpha to the last digit."""
    rng = np.random.default_rng(4)
    b, K = 2.0 ** rng.integers(0, 30, 300), np.floor(10 ** rng.uniform(0, 3, 300))
    return {"eta": 10 ** rng.uniform(-8, 0.5, 300), "b": b, "alpha": rng.integers(1, 2**20, 300) / 2**20, "K": K}


# --- the equations ---


def test_the_bound_is_its_equation(equation: Pair, budget: str, at: dict[str, np.ndarray]) -> None:
    bound, by_hand = equation
    size = at["K"] if budget == "K" else at["K"] * at["b"]  # exact: b is a power of two
    found = bound(budget=budget).risk(eta=at["eta"], b=at["b"], alpha=at["alpha"], **{budget: size})
    # (1 - x)^K by hand rounds 1 - x once, and so the power K times; everything else is some thirty operations.
    error = (30 + at["K"]) * EPS
    assert (abs(found / by_hand(at["eta"], at["b"], 1 - at["alpha"], at["K"]) - 1) <= error).all()


def test_the_grid_search_is_the_naive_loop(equation: Pair, small: Grid) -> None:
    """Cells with lam eta > 1 or K < 1 among them; alpha in powers of two."""
    bound, by_hand = equation
    grid = small.with_axes(alpha=LogAxis(2.0**-12, 1.0, 4), b=LogAxis(1.0, 2.0**20, 5))
    needs_a_step = bound().name != "steepest"
    decays = "lam" in bound().constants

    def risk(cell: Any) -> float:
        eta, b, K = cell["eta"], cell["b"], cell["T"] / cell["b"]
        if (decays and lam * eta > 1) or (needs_a_step and K < 1):
            return math.inf
        return float(by_hand(eta, b, 1 - cell["alpha"], K))

    # Every other axis stays, infeasible cells among it; searching over more of them is the search's, and tested there.
    result, found = grid_search(bound(), grid, ("eta",)), naive_search(risk, axes_of(grid), ("eta",))
    np.testing.assert_array_equal(np.isinf(result.risk), np.isinf(found.risk))
    finite = np.isfinite(found.risk)
    np.testing.assert_allclose(result.risk[finite], found.risk[finite], rtol=1e-9)
    clear = finite & (found.runner_up > found.risk * (1 + 1e-8))
    np.testing.assert_array_equal(result.index["eta"][clear], found.index["eta"][clear])


def test_the_search_is_exact_where_no_power_of_K_is_taken(small: Grid) -> None:
    grid = small.with_axes(alpha=LogAxis(2.0**-12, 1.0, 4))

    def risk(cell: Any) -> float:
        return float(theorem_8(cell["eta"], cell["b"], 1 - cell["alpha"], cell["T"] / cell["b"]))

    over = ("eta",)
    assert_agrees(grid_search(bounds.steepest(**C), grid, over), naive_search(risk, axes_of(grid), over))


def test_the_power_of_K_is_right_to_its_last_digits_and_never_overflows() -> None:
    eta, K = 1e-7 / lam, 3e7
    proxy = bounds.star_convex(**C, lam=lam, budget="K")
    rest = float(proxy.risk(eta=eta, b=1e300, alpha=1.0, K=1e300))  # nothing is left of Delta0
    with mp.workdps(40):
        kept = float((1 - mpf(lam) * mpf(eta)) ** mpf(K)) * Delta0
    assert float(proxy.risk(eta=eta, b=1e300, alpha=1.0, K=K)) - rest == pytest.approx(kept, rel=1e-13)
    assert np.isfinite(proxy.risk(eta=[1e-300, 1e-10, 1 / lam], b=1.0, alpha=1e-200, K=1e300)).all()


# --- where they hold ---


@pytest.mark.parametrize("bound", [bounds.star_convex, bounds.frank_wolfe, bounds.steepest])
def test_outside_its_domain_a_bound_is_infinite(bound: Callable[..., Any], budget: str) -> None:
    eta = np.array([0.5, 1.0, 1.001, 50.0]) / lam
    values = bound(lam=lam, W0=1.0, budget=budget).risk(eta=eta, b=8.0, alpha=0.1, **{budget: 1e4})
    np.testing.assert_array_equal(np.isfinite(values), [True, True, False, False])
    beyond = bound(lam=lam, W0=1.01 / lam, budget=budget).risk(eta=0.1, b=8.0, alpha=0.1, **{budget: 1e4})
    assert np.isinf(beyond)
    np.testing.assert_array_equal(source.in_domain(eta=eta, lam=lam, W0=1.0), [True, True, False, False])
    assert not source.in_domain(eta=0.1, lam=lam, W0=1.01 / lam)


def test_the_cap_on_eta_follows_weight_decay_and_a_batch_is_no_larger_than_the_budget() -> None:
    proxy = bounds.star_convex(lam=0.5)
    assert proxy.caps == {"eta": 2.0}
    assert proxy.with_constants(lam=0.1).form("K").caps == {"eta": 10.0}
    assert bounds.steepest().caps == {}
    for bound in (bounds.star_convex, bounds.frank_wolfe):
        values = bound().risk(eta=0.1, b=[1.0, 100.0, 101.0], alpha=0.1, T=100.0)
        np.testing.assert_array_equal(np.isfinite(values), [True, True, False])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: bounds.steepest(lam=-0.1), "lam >= 0. Given: -0.1"),
        (lambda: bounds.star_convex(lam=0.0), "lam > 0. Given: 0.0"),
        (lambda: bounds.frank_wolfe(lam=math.nan), "lam > 0. Given: nan"),
        (lambda: bounds.star_convex(W0=-1.0), "W0 >= 0. Given: -1.0"),
        (lambda: bounds.steepest(D=0.0), "D must be a positive finite number"),
        (lambda: bounds.steepest(form="new"), "no form of that name. Given: 'new'"),
        (lambda: bounds.steepest(norm="nuclear"), "no norm of that name. Given: 'nuclear'"),
        (lambda: bounds.steepest(form="revised", norm="frobenius"), "stated in the dual norm"),
        (lambda: bounds.steepest(form="revised", lam=0.1), "no weight decay. Given: 0.1"),
        (lambda: source.parts(eta=0.1, alpha=0.1, lam=np.array([0.0, 0.1]), form="revised"), "no weight decay"),
        (lambda: bounds.star_convex(budget="N"), "no budget of that name. Given: 'N'"),
        (lambda: lemmas.momentum_error(3, 1.0, eta=1.0, b=1.0, alpha=0.5), "no moment of that name. Given: 3"),
    ],
)
def test_a_mistake_is_told(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(InputError, match=said.replace(".", r"\.")):
        make()


# --- the parts ---


def test_parts_add_up_to_the_bound_and_take_weight_decays_with_zeros_among_them() -> None:
    for form, power in (("seed", 1.0), ("revised", 0.5)):
        X, Y, Z, Z_noise = source.parts(eta=0.01, alpha=0.25, form=form, **C)
        found = float(bounds.steepest(**C, form=form).risk(eta=0.01, b=64.0, alpha=0.25, T=64e3))
        assert found == pytest.approx(X / 1e3 + Y / 64**power + Z + Z_noise / 8, rel=4 * EPS)
    mixed = source.parts(eta=0.01, alpha=0.25, lam=np.array([0.0, lam, 200.0]), **C)
    for k, rate in enumerate((0.0, lam)):
        alone = source.parts(eta=0.01, alpha=0.25, lam=rate, **C)
        for name in ("X", "Y", "Z", "Z_noise"):
            assert np.broadcast_to(getattr(mixed, name), 3)[k] == getattr(alone, name)
    assert np.isinf(mixed.Z[2])


# --- refinement ---


def test_the_revised_form_is_refined_as_its_sum_of_powers() -> None:
    alpha = 0.25
    X, Y, Z, _ = source.parts(eta=1.0, alpha=alpha, form="revised", **C)
    rows = {"Delta0": {"eta": -1, "K": -1}, "start": {"K": -1}, "Y": {"b": Fraction(-1, 2)}, "Z": {"eta": 1}}
    sizes = {"Delta0": Delta0, "start": float(X - Delta0), "Y": float(Y), "Z": float(Z)}
    powers = Proxy(tuple(Term({name: 1}, row) for name, row in rows.items()), sizes, "K")
    T, step = np.geomspace(1e6, 1e20, 6), 1e-4
    one = refine(bounds.steepest(**C, form="revised"), ("eta", "b"), fixed={"alpha": alpha}, T=T, min_K=1)
    other = profile(powers.form("T"), ("eta", "b"), {}, T * np.exp([[-step], [0.0], [step]]))
    assert one.converged.all()
    np.testing.assert_allclose(one.log_risk, np.log(other.risk[1]), rtol=0, atol=1e-13)
    for name in ("eta", "b"):
        before, at, after = np.log(other.at[name])
        np.testing.assert_allclose(np.log(one.at[name]), at, rtol=0, atol=1e-9)
        # A central difference of slopes near 1: step^2 of it, and rounding over the step.
        np.testing.assert_allclose(one.exponent[name], (after - before) / (2 * step), rtol=0, atol=1e-8)


# Each compiles a program of its own; of Theorems 8 and 11 what has most in it, and what has no cap on eta, as above.
@pytest.mark.parametrize("name", ["Theorem 8, revised", "Theorem 11, Frobenius", "star-convex", "Frank-Wolfe"])
def test_no_cell_of_a_grid_is_below_the_refined_optimum(name: str) -> None:
    """Two hundred points an axis, at budgets from a few iterations on."""
    proxy, T = EQUATIONS[name][0](), np.geomspace(1e2, 1e12, 6)
    eta, b = np.geomspace(1e-9, 1 / lam, 200)[:, None, None], np.geomspace(1.0, 1e9, 200)[:, None]
    cells = np.where(b <= T, proxy.risk(eta=eta, b=b, alpha=0.25, T=T), np.inf)
    found = refine(proxy, ("eta", "b"), fixed={"alpha": 0.25}, T=T, min_K=1)
    assert (found.risk <= cells.min((0, 1)) * (1 + 1e-12)).all()
    assert (found.converged | found.unbounded["eta"]).all()


def test_the_best_learning_rate_is_stationary_and_exists_above_the_least_weight_decay() -> None:
    K, alpha = np.array([1e2, 1e4, 1e9]), 0.05
    own = {"Delta0": Delta0, "L": L, "G0": G0}

    def slope_of(rate: Any) -> Any:
        return 4 * L / rate * (1 + (1 - alpha) ** 2 / alpha) + 2 * (1 - alpha) / alpha * G0

    least = source.least_weight_decay(K=K, alpha=alpha, **own)
    for factor, exists in ((0.999, False), (1.001, True), (10.0, True)):
        formula = source.best_learning_rate(factor * least, K=K, alpha=alpha, **own)
        np.testing.assert_array_equal(np.isfinite(formula), exists)
        if exists:
            assert ((formula > 0) & (factor * least * formula < 1)).all()
    # d/d eta of (1 - lam eta)^K Delta0 + slope eta, in 40 digits.
    for k, rate in zip(K, 3 * least):
        eta = source.best_learning_rate(rate, K=k, alpha=alpha, **own)
        with mp.workdps(40):
            falls = mpf(k) * rate * Delta0 * (1 - mpf(rate) * mpf(float(eta))) ** (mpf(k) - 1)
        assert float(falls) == pytest.approx(slope_of(rate), rel=1e-12)
    # Least is where the slope at no learning rate is nought.
    np.testing.assert_allclose(slope_of(least), K * least * Delta0, rtol=1e-13)
    assert np.isnan(source.best_learning_rate(10.0, K=1.0, alpha=alpha))


# --- the lemmas ---


def test_the_lemmas_on_noise_and_on_norms_under_weight_decay() -> None:
    weights = np.array([[0.5, 0.5], [1.0, 2.0]])
    np.testing.assert_allclose(lemmas.weighted_noise(weights, sigma=3.0, D=2.0), [9.0, 90.0], rtol=4 * EPS)
    assert lemmas.minibatch_noise(4.0, sigma=3.0, D=2.0) == 4.5
    assert lemmas.weight_norm(0.25) == 4.0
    assert lemmas.gradient_norm(0.25, L=3.0) == 24.0
    assert lemmas.momentum_size(2.0, lam=0.25, L=3.0, sigma=5.0, D=2.0) == 2 * 2 * 25 / 2 + 8 * 9 / 0.25**2
    # Without momentum the error is the noise.
    start, drift, _ = lemmas.momentum_error(1, np.array([0, 1, 2]), eta=0.1, b=8.0, alpha=1.0)
    assert (start.tolist(), drift) == ([2.0, 0.0, 0.0], 0)
    assert sum(lemmas.mean_nesterov_error(2, 10, eta=0.1, b=8.0, alpha=1.0)) == lemmas.minibatch_noise(8.0)


def test_the_momentum_errors_are_those_printed() -> None:
    eta, b, beta, t, K = 0.1, 8.0, 0.75, 5, 50
    given: dict[str, Any] = {"eta": eta, "b": b, "alpha": 0.25, "L": L, "sigma": sigma, "D": D, "G0": G0}
    root = math.sqrt(2 * (1 - beta) / (1 + beta)) * math.sqrt(D) * sigma / math.sqrt(b)
    drift = 2 * beta / (1 - beta) * L * eta
    second = 2 * (1 - beta) / (1 + beta) * D * sigma**2 / b
    assert lemmas.momentum_error(1, t, **given) == pytest.approx((2 * beta**t * G0, drift, root))
    squared = 4 * beta**2 / (1 - beta) ** 2 * L**2 * eta**2
    assert lemmas.momentum_error(2, t, **given) == pytest.approx((4 * beta ** (2 * t) * G0**2, squared, second))
    assert lemmas.mean_momentum_error(1, K, **given) == pytest.approx((2 / (1 - beta) / K * G0, drift, root))
    start = 4 / (1 - beta**2) / K * G0**2
    assert lemmas.mean_momentum_error(2, K, **given) == pytest.approx((start, squared, second))
    noise = nesterov(beta) * math.sqrt(D) * sigma / math.sqrt(b)
    first = (2 * beta / (1 - beta) / K * G0, 2 * beta**2 / (1 - beta) * L * eta, noise)
    assert lemmas.mean_nesterov_error(1, K, **given) == pytest.approx(first)
    variance = (3 * beta + 1) * (1 - beta) / (1 + beta) * D * sigma**2 / b
    last = (4 * beta / (1 - beta**2) / K * G0**2, 4 * beta**3 / (1 - beta) ** 2 * L**2 * eta**2, variance)
    assert lemmas.mean_nesterov_error(2, K, **given) == pytest.approx(last)
