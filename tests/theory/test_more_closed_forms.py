"""Closed forms of the appendices, each against another way to the same number."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy import optimize

from hpgrid.theory import batch_sizes, iso_loss, printed, schedules, theorems, transfer

CONSTANTS = [(1.0, 1.0, 1.0), (3.0, 0.2, 7.0), (0.5, 40.0, 2.0)]
HALF = Fraction(1, 2)


def minimise(risk, start: list[float]) -> tuple[np.ndarray, float]:
    """The minimiser and the minimum of a function of logs."""
    found = optimize.minimize(lambda z: np.log(risk(np.exp(z))), np.log(start), method="BFGS", options={"gtol": 1e-10})
    return np.exp(found.x), float(np.exp(found.fun))


def powers(form, **at: float) -> dict[str, float]:
    """d log form / d log x for each argument, by a factor of two."""
    return {x: float(np.log2(form(**{**at, x: 2 * at[x]}) / form(**at))) for x in at}


# --- the bounds ---


def test_the_printed_bounds_agree_where_their_constants_do() -> None:
    at = {"eta": np.array([1e-3, 2.0]), "b": np.array([3.0, 1e4]), "alpha": np.array([1e-3, 0.7])}
    K = np.array([1e5, 1e7])
    in_T = printed.risk_in_tokens({**at, "T": K * at["b"]}, C1=3.0, C2=0.2, C3=7.0)
    exact = printed.bound_in_tokens({**at, "T": K * at["b"]}, Delta0=3.0, L=1.75, noise=0.1)
    less = 1.75 * at["eta"] * (4 + 4 / at["alpha"] - 3.5 - 2 / at["alpha"])  # C3 = 4 L, C2 = 2 rho sigma
    np.testing.assert_allclose(exact + less, in_T, rtol=1e-14)


def test_the_trivial_level_is_that_of_a_parabola() -> None:
    # f = L x^2/2 has f(x0) = Delta0 at |f'(x0)| = L x0.
    L, x0 = 3.0, 0.7
    assert printed.trivial_level(L * x0**2 / 2, L) == pytest.approx(L * x0)


# --- Theorems 1 and 2 in iterations ---


@pytest.mark.parametrize(("C1", "C2", "C3"), CONSTANTS)
def test_theorem_1_in_iterations(C1: float, C2: float, C3: float) -> None:
    K, b, alpha = 1e8, 30.0, 0.02
    (eta,), risk = minimise(lambda x: C1 / (x[0] * K) + C2 * np.sqrt(alpha / b) + C3 * (1 + 1 / alpha) * x[0], [1e-5])
    assert theorems.theorem1_eta_in_K(K, alpha, C1, C3) == pytest.approx(eta, rel=1e-4)
    assert theorems.theorem1_risk_in_K(K, b, alpha, C1, C2, C3) == pytest.approx(risk, rel=1e-9)


@pytest.mark.parametrize(("C1", "C2", "C3"), CONSTANTS)
def test_theorem_2_in_iterations_is_theorem_2_in_tokens(C1: float, C2: float, C3: float) -> None:
    K, b = 1e10, 30.0
    own, other = (K, b, C1, C2, C3), (K * b, b, C1, C2, C3)
    assert theorems.theorem2_alpha_in_K(*own) == pytest.approx(float(theorems.theorem2_alpha(*other)))
    assert theorems.theorem2_eta_in_K(*own) == pytest.approx(float(theorems.theorem2_eta(*other)))
    assert theorems.theorem2_risk_in_K(*own) == pytest.approx(float(theorems.theorem2_risk(K * b, C1, C2, C3)))


def test_theorem_2s_powers_are_those_of_its_closed_forms() -> None:
    forms = {name: getattr(theorems, f"theorem2_{name}_in_K") for name in theorems.THEOREM_2_IN_K}
    for name, form in forms.items():
        found = powers(lambda K, b, form=form: form(K, b, 3.0, 0.2, 7.0), K=1e9, b=30.0)
        assert found == pytest.approx({x: float(p) for x, p in theorems.THEOREM_2_IN_K[name].items()})
    burn_in = powers(lambda K, b: 1 / (theorems.theorem2_alpha_in_K(K, b, 1, 1, 1) * np.sqrt(b) * K), K=1e9, b=30.0)
    assert burn_in == pytest.approx({x: float(p) for x, p in theorems.DROPPED_IN_K["burn_in"].items()})
    assert theorems.DROPPED_IN_K["drift"] == theorems.THEOREM_2_IN_K["eta"]


def test_the_misprint_is_another_number_unless_c3_is_1() -> None:
    right = theorems.theorem1_eta(1e12, 1e-3, 1.0, 1.0, 1.0)
    assert theorems.theorem1_eta_as_printed(1e12, 1e-3, 1.0, 1.0, 1.0) > 10 * right
    one = 1 / (1 + 1 / 1e-3)  # C3~ = 1
    assert theorems.theorem1_eta_as_printed(1e12, 1e-3, 1.0, 1.0, one) == pytest.approx(
        float(theorems.theorem1_eta(1e12, 1e-3, 1.0, 1.0, one))
    )


# --- caps, and where b leaves 1 ---


@pytest.mark.parametrize(("C1", "C2", "C3"), CONSTANTS)
def test_at_a_cap_the_risk_is_theorem_1s_at_that_batch_size(C1: float, C2: float, C3: float) -> None:
    T, b, alpha = 1e16, 1e3, 0.02
    capped = batch_sizes.capped_risk(T, b, alpha, C1, C2, C3)
    assert capped == pytest.approx(float(theorems.theorem1_risk_in_K(T / b, b, alpha, C1, C2, C3)))
    far = batch_sizes.capped_risk(1e60, b, alpha, C1, C2, C3)
    assert far == pytest.approx(float(batch_sizes.capped_floor(b, alpha, C2)), rel=1e-12)
    floors = powers(lambda C2, alpha, b_max: batch_sizes.capped_floor(b_max, alpha, C2), C2=2.0, alpha=0.1, b_max=1e3)
    assert floors == pytest.approx({x: float(p) for x, p in batch_sizes.CAPPED_FLOOR.items()})


def test_the_caps_are_reached_where_the_optimal_batch_size_has_its_exponent() -> None:
    assert 1 / batch_sizes.CAP_REACHED["C"] == theorems.THEOREM_1["b"]
    assert pytest.approx(batch_sizes.LARGEST_TOKEN_GAIN) == batch_sizes.LARGEST_GAIN**4


@pytest.mark.parametrize("alpha", [1e-4, 0.0658, 1.0])
@pytest.mark.parametrize(("C1", "C2", "C3"), CONSTANTS)
def test_at_the_critical_budget_a_larger_batch_neither_helps_nor_hurts(
    C1: float, C2: float, C3: float, alpha: float
) -> None:
    T, parts = theorems.pays_from_at_momentum(alpha, C1, C2, C3), iso_loss.of_proxy(alpha, C1, C2, C3)

    def gain(T: float) -> float:
        """The tuned risk's slope in b at b = 1, of eq. (4) with eta tuned."""
        low, high = (float(iso_loss.risk(T / b, b, parts)) for b in (1 - 1e-5, 1 + 1e-5))
        return (high - low) / low / 2e-5

    assert abs(gain(T)) < 1e-6 < gain(T / 2)
    assert gain(2 * T) < -1e-6


# --- B.5 ---


@pytest.mark.parametrize(
    "schedule", [(HALF, Fraction(0), Fraction(1, 4)), (Fraction(1, 6), Fraction(1, 3), Fraction(7, 12))]
)
def test_the_decay_exponents_are_those_of_the_terms(schedule: tuple[Fraction, Fraction, Fraction]) -> None:
    beta, gamma, delta = map(float, schedule)
    T = np.array([1e20, 1e40])
    b, alpha, eta = T**beta, T**-gamma, T**-delta
    terms = (b / (eta * T), np.sqrt(b) / (alpha * T), np.sqrt(alpha / b), eta, eta / alpha)
    found = [-float(np.log10(term[1] / term[0])) / 20 for term in terms]
    assert found == pytest.approx([float(r) for r in schedules.decay(*schedule)])


@pytest.mark.parametrize("beta", [Fraction(0), Fraction(1, 6), HALF])
def test_the_proposed_schedule_decays_as_a_quarter_and_leaves_what_is_stated(beta: Fraction) -> None:
    r = schedules.decay(beta, *schedules.proposed(beta))
    assert r[0] == r[2] == r[4] == Fraction(1, 4) == min(r)
    assert (r[1], r[3]) == schedules.remaining(beta)


@pytest.mark.parametrize("beta", [Fraction(3, 5), Fraction(9, 10)])
def test_the_ceiling_is_what_balancing_gives_and_eta_over_alpha_has_it_too(beta: Fraction) -> None:
    best = schedules.ceiling(beta)
    r = schedules.decay(beta, Fraction(0), best)
    assert r[0] == r[3] == best
    assert (r[1], r[2], r[4]) == schedules.aggressive_remaining(beta)
    deltas = [Fraction(k, 1000) for k in range(1000)]
    assert max(min(1 - beta - delta, delta) for delta in deltas) <= best


# --- C.2, C.3 ---


@pytest.mark.parametrize("q", [Fraction(1, 3), HALF, Fraction(3, 4)])
def test_the_noise_exponents_are_those_of_a_numerical_minimum(q: Fraction) -> None:
    def optimum(b: float, K: float) -> dict[str, float]:
        start = [b ** float(q / 2) * K**-0.75, min(b ** float(q) * K**-0.5, 1.0)]
        (eta, alpha), risk = minimise(lambda x: 1 / (x[0] * K) + x[0] / x[1] + np.sqrt(x[1]) / b ** float(q), start)
        return {"eta": eta, "alpha": alpha, "risk": risk}

    base, in_b, in_K = optimum(10.0, 1e8), optimum(20.0, 1e8), optimum(10.0, 2e8)
    for name, exponents in schedules.noise_in_K(q).items():
        assert np.log2(in_b[name] / base[name]) == pytest.approx(float(exponents["b"]), abs=1e-3)
        assert np.log2(in_K[name] / base[name]) == pytest.approx(float(exponents["K"]), abs=1e-3)
    in_iterations, in_tokens = schedules.noise_in_K(q)["risk"], schedules.noise_risk_in_T(q)
    assert in_tokens["T"] == in_iterations["K"]  # K = T/b
    assert in_tokens["b"] == in_iterations["b"] - in_iterations["K"]


@pytest.mark.parametrize("p", [Fraction(5, 4), Fraction(3, 2), Fraction(2)])
def test_heavy_tails_are_a_smaller_noise_exponent(p: Fraction) -> None:
    assert schedules.heavy_tails_risk_in_T(p) == schedules.noise_risk_in_T(schedules.heavy_tails(p))
    assert (schedules.heavy_tails(p) == schedules.BOUNDED_VARIANCE) == (p == 2)


@pytest.mark.parametrize("p", [Fraction(1, 4), Fraction(4, 5)])
def test_an_path_exponent_is_the_slope_along_the_path(p: Fraction) -> None:
    kappa, lam = schedules.TUNED_MOMENTUM
    assert schedules.path_exponent(kappa, lam, p) == schedules.path_eta(p)
    T = np.array([1e10, 1e20])
    b, K = T ** float(p), T ** float(1 - p)
    eta, alpha = theorems.theorem2_eta_in_K(K, b, 1.0, 1.0, 1.0), theorems.theorem2_alpha_in_K(K, b, 1.0, 1.0, 1.0)
    assert np.log10(eta[1] / eta[0]) / 10 == pytest.approx(float(schedules.path_eta(p)))
    assert np.log10(alpha[1] / alpha[0]) / 10 == pytest.approx(float(schedules.path_alpha(p)))
    assert schedules.path_threshold(kappa, lam) == Fraction(3, 4)
    assert schedules.path_exponent(*schedules.FIXED_MOMENTUM, p) == -(1 - p) / 2


# --- SGD, and the tables ---


def test_sgd_in_tokens_and_in_iterations_are_minima_up_to_a_factor_of_2() -> None:
    Delta0, L, sigma, b, K = 3.0, 0.2, 7.0, 30.0, 1e9
    (eta,), risk = minimise(lambda x: Delta0 / (x[0] * K) + L * x[0] * sigma**2 / b, [1e-4])
    assert risk == pytest.approx(2 * float(theorems.sgd_risk_in_K(K, b, Delta0, L, sigma)), rel=1e-9)
    assert risk == pytest.approx(2 * float(theorems.sgd_risk(K * b, Delta0, L, sigma)), rel=1e-9)
    assert eta == pytest.approx(np.sqrt(Delta0 * b / (L * sigma**2 * K)), rel=1e-4)
    assert theorems.SGD_IN_T["b"] == theorems.SGD_IN_K["b"] - theorems.SGD_IN_K["K"]


def test_table_2_is_the_theorems() -> None:
    table = transfer.TABLE_2
    assert table["B"] == {x: theorems.THEOREM_2[x] for x in ("alpha", "eta")}
    assert table["C"] == {x: theorems.THEOREM_1[x] for x in ("b", "eta")}
    moved = transfer.rule("D", {"b": 2.0, "alpha": 0.1, "eta": 0.3}, 10.0**12)
    assert moved == pytest.approx({"b": 200.0, "alpha": 1e-5, "eta": 3e-8})
    assert transfer.rule("A", {"eta": 0.3, "b": 7.0}, 100.0) == pytest.approx({"eta": 0.03, "b": 7.0})


def test_table_3_is_table_2_where_the_batch_size_stays_and_theorem_1_or_2_where_it_does_not() -> None:
    short, long = transfer.Run(1e9, 64.0), transfer.Run(1e11, 64.0)
    start = {"eta": 0.3, "alpha": 0.1}
    assert transfer.fixed_momentum(0.3, short, long) == pytest.approx(transfer.rule("A", start, 100.0)["eta"])
    assert transfer.tuned_momentum(start, short, long) == pytest.approx(transfer.rule("B", start, 100.0))
    larger = transfer.Run(1e11, 256.0)
    assert transfer.fixed_momentum(0.3, short, larger) == pytest.approx(0.3 * 2 / 10)
    assert transfer.sgd(0.3, short, larger) == pytest.approx(0.3 * 4 / 10)
    assert transfer.tuned_momentum(start, short, larger) == pytest.approx(
        {"alpha": 0.1 * 4 / 10, "eta": 0.3 * 4 / 1000**0.5}
    )


def test_table_3s_invariant_gives_the_first_row_and_not_the_others() -> None:
    short, long = transfer.Run(1e9, 64.0), transfer.Run(1e11, 256.0)
    c = transfer.printed_invariant(0.3, short)
    assert transfer.fixed_momentum_from_invariant(c, long) == pytest.approx(transfer.fixed_momentum(0.3, short, long))
    assert transfer.from_invariant(c, long) == pytest.approx(8.0 * transfer.sgd(0.3, short, long))


# --- Appendix D ---


def test_the_contours_of_eq_11_have_their_asymptotes_and_lie_on_the_hyperbola() -> None:
    parts, level = iso_loss.of_bound(0.02, 3.0, 0.2, 7.0), 0.5
    K_min, b_min = iso_loss.minimum_iterations(level, parts), iso_loss.minimum_batch_size(level, parts)
    assert iso_loss.risk(K_min, 1e60, parts) == pytest.approx(level)
    assert iso_loss.risk(1e60, b_min, parts) == pytest.approx(level)
    for K in K_min * np.array([1.1, 3.0, 1e4]):
        b = optimize.brentq(lambda b, K=K: float(iso_loss.risk(K, b, parts)) - level, b_min / 2, 1e12, rtol=1e-14)
        left, right = iso_loss.hyperbola(K, b, level, parts)
        assert left == pytest.approx(float(right), rel=1e-9)


def test_the_parts_of_eq_11_are_what_tuning_eta_leaves() -> None:
    Delta0, L, noise, alpha, K, b = 3.0, 0.2, 7.0, 0.02, 1e6, 40.0

    def risk(x: np.ndarray) -> float:
        noises = 2 * noise / np.sqrt(b) * (1 / (alpha * K) + np.sqrt(alpha))
        return float(Delta0 / (x[0] * K) + noises + L * x[0] * (3.5 + 2 / alpha))

    _, least = minimise(risk, [1e-4])
    assert iso_loss.risk(K, b, iso_loss.of_bound(alpha, Delta0, L, noise)) == pytest.approx(least, rel=1e-9)
