"""Batch sizes of the fewest tokens: closed forms against high-precision minima of the tokens themselves; caps."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given, strategies as st

from hpgrid.theory import batch_sizes as theory, iso_loss, theorems

#: Roots are sums of positive numbers, squared: nothing cancels, and sixteen roundings are room enough, twice.
ROUNDING = 32 * float(np.finfo(float).eps)

#: Twenty-four decades.
SIZES = st.floats(-12.0, 12.0).map(lambda x: 10.0**x)


def rises_through_nought_at(b: float, form) -> bool:
    """Whether a form of b is below 0 within rounding of b on one side, and above on the other, in 60 digits."""
    with mpmath.workdps(60):
        return form(mpmath.mpf(b) * (1 - ROUNDING)) < 0 < form(mpmath.mpf(b) * (1 + ROUNDING))


def stationary(tokens, b: float) -> bool:
    """Whether tokens are least within rounding of b: d log tokens / d log b changes its sign there."""

    def slope(b: mpmath.mpf) -> mpmath.mpf:
        return mpmath.diff(lambda x: mpmath.log(tokens(mpmath.exp(x))), mpmath.log(b))

    return rises_through_nought_at(b, slope)


def first_form(Y: float, Z: float, room: float):
    return lambda b: b / (room - Y / b - Z / mpmath.sqrt(b))


@given(SIZES, SIZES, SIZES)
def test_the_batch_sizes_of_the_first_form_are_roots_in_exact_arithmetic(Y: float, Z: float, room: float) -> None:
    """The minimiser; the smallest, where nothing is left for iterations; Theorem 12 with Z at its own b."""
    smallest, own, fewest = (
        float(form(Y, Z, room)) for form in (theory.smallest, theory.self_consistent, theory.fewest_tokens)
    )
    assert stationary(first_form(Y, Z, room), fewest)
    assert rises_through_nought_at(smallest, lambda b: room - Y / b - Z / mpmath.sqrt(b))
    assert rises_through_nought_at(own, lambda b: b * (room - Z / mpmath.sqrt(b)) - 2 * Y)
    assert smallest <= own * (1 + ROUNDING)
    assert own <= fewest * (1 + ROUNDING)


@given(SIZES, SIZES)
def test_with_one_kind_of_noise_it_is_the_papers_formula(Y: float, room: float) -> None:
    assert theory.fewest_tokens(Y, 0.0, room) == pytest.approx(theory.theorem12_of(Y, room), rel=ROUNDING)
    assert theory.fewest_tokens(0.0, Y, room) == pytest.approx(theory.revised(Y, room), rel=ROUNDING)
    for form, pair in (("seed", (Y, 0.0)), ("revised", (0.0, Y))):
        ratio = theory.fewest_tokens(*pair, room) / theory.smallest(*pair, room)
        assert ratio == pytest.approx(theory.OVER_SMALLEST[form], rel=ROUNDING)


@given(st.floats(1e-6, 1.0), st.floats(0.0, 10.0), SIZES, SIZES)
def test_theorem_12_as_it_is_printed(alpha: float, lam: float, sigma: float, room: float) -> None:
    with mpmath.workdps(60):
        beta = mpmath.mpf(1) - alpha
        typed = ((3 * beta + 1) * (1 - beta) / (1 + beta) + lam) * mpmath.mpf(sigma) ** 2 / room
    assert theory.theorem12(alpha, room, lam=lam, sigma=sigma) == pytest.approx(float(typed), rel=1e-14)


def test_from_one_half_on_the_formula_reaches_the_target_nowhere() -> None:
    """2 Y/room lies below the smallest batch size exactly from Z^2/(Y room) = 1/2 on: from eps' = 2 Z'^2/Y down."""
    Y, Z = 0.7, 1.9
    for times, arrives in ((1 - 1e-12, False), (1 + 1e-12, True)):
        room = times * 2 * Z**2 / Y
        assert bool(theory.smallest(Y, Z, room) < theory.theorem12_of(Y, room)) is arrives
        assert bool(Z**2 / (Y * room) < theory.NEVER) is arrives


@given(SIZES, SIZES, SIZES)
def test_tokens_turn_from_convex_to_concave_at_the_inflection(Y: float, Z: float, room: float) -> None:
    b = theory.inflection(Y, Z, room)
    scale = np.sqrt(theory.smallest(Y, Z, room))
    if Z / (room * scale) < 1e-5:  # the root's leading coefficient is then as good as nothing
        return
    # numpy's roots are eigenvalues: backward stable, off by some eps times the root's condition.
    with mpmath.workdps(60):
        tokens = first_form(Y, Z, room)
        before, after = (mpmath.diff(lambda x: tokens(b * x), x, 2) for x in (1 - 1e-6, 1 + 1e-6))
        assert before > 0 > after
    assert b > theory.fewest_tokens(Y, Z, room)
    # The printed form is convex everywhere, the revised up to four times the best.
    assert theory.inflection(Y, 0.0, room) == np.inf
    assert theory.inflection(0.0, Z, room) == pytest.approx(4 * theory.revised(Z, room))


@given(SIZES, SIZES, st.floats(1e-9, 12.0))
def test_the_star_convex_minimiser_is_one_in_exact_arithmetic(Delta0: float, noise: float, r: float) -> None:
    room = Delta0 * 10.0**-r
    b = float(theory.star_convex(Delta0, noise, room))
    assert stationary(lambda b: b * mpmath.log(Delta0 / (room - noise / mpmath.sqrt(b))), b)


def test_the_star_convex_minimiser_is_lamberts() -> None:
    ratio = np.array([1.001, 3.0, 1e8])
    W = [float(mpmath.lambertw(-mpmath.exp(-0.5) / (2 * r), -1).real) for r in ratio]
    expected = (0.3 * ratio / (1 + 1 / (2 * np.array(W)))) ** 2
    np.testing.assert_allclose(theory.star_convex(1.0, 0.3, 1 / ratio), expected, rtol=1e-14)
    assert np.isnan(theory.star_convex(1.0, 0.3, 1.0))


@given(SIZES, SIZES, SIZES, SIZES)
def test_the_lmo_minimiser_at_a_fixed_eta_is_one_in_exact_arithmetic(
    X: float, burn: float, floor: float, room: float
) -> None:
    def tokens(b: mpmath.mpf) -> mpmath.mpf:
        return b * (X + burn / mpmath.sqrt(b)) / (room - floor / mpmath.sqrt(b))

    assert stationary(tokens, theory.lmo_fixed(X, burn, floor, room))
    assert theory.lmo_fixed(X, 0.0, floor, room) == pytest.approx(float(theory.revised(floor, room)))


@given(SIZES, SIZES, SIZES, SIZES)
def test_the_lmo_minimiser_with_eta_tuned_is_four_times_the_smallest(
    det: float, burn: float, floor: float, level: float
) -> None:
    """K^(-1/2) is the root of burn/b^(1/2) k^2 + det k = c - floor/b^(1/2), whatever the burn-in."""
    b = theory.lmo_tuned(level, iso_loss.TunedRisk(det, burn, floor))
    assert b == pytest.approx(4 * iso_loss.minimum_batch_size(level, iso_loss.TunedRisk(det, burn, floor)))

    def tokens(b: mpmath.mpf) -> mpmath.mpf:
        left = level - floor / mpmath.sqrt(b)
        return b * ((det + mpmath.sqrt(det**2 + 4 * burn / mpmath.sqrt(b) * left)) / (2 * left)) ** 2

    assert stationary(tokens, b)


def test_at_a_cap_the_risk_is_theorem_1s_at_that_batch_size(constants: tuple[float, float, float]) -> None:
    T, b, alpha = 1e16, 1e3, 0.02
    capped = theory.capped_risk(T, b, alpha, *constants)
    assert capped == pytest.approx(float(theorems.theorem1_risk_in_K(T / b, b, alpha, *constants)))
    far = theory.capped_risk(1e60, b, alpha, *constants)
    assert far == pytest.approx(float(theory.capped_floor(b, alpha, constants[1])), rel=1e-12)
    at = {"C2": constants[1], "alpha": alpha, "b_max": b}
    for name, power in theory.CAPPED_FLOOR.items():
        ratio = theory.capped_floor(**{**at, name: 4 * at[name]}) / theory.capped_floor(**at)
        assert ratio == pytest.approx(4.0 ** float(power))
    # Caps are reached where the optimal batch size has its exponent.
    assert 1 / theory.CAP_REACHED["C"] == theorems.THEOREM_1["b"]
    assert pytest.approx(theory.LARGEST_TOKEN_GAIN) == theory.LARGEST_GAIN**4
