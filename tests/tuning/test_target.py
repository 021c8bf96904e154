"""The inverse: the fewest tokens that reach a risk, and a cap on iterations, against brute force and closed forms.

With the best learning rate put in, eq. (3) is
2 (C1 C3 (1 + 1/alpha)/K)^(1/2) + C2 b^(-1/2) (1/(alpha K) + alpha^(1/2)): brute force over b and K needs no grid in
eta, and shares no code with refinement.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from functions import EQ4, dip, kinked

from hpgrid import Grid, LogAxis, Regime, bounds, exponents, parse, refine
from hpgrid.tuning.bracket import NARROW, RISK, look_closer, lowest, narrow
from hpgrid.tuning.problem import TuningProblem, tuning_problem
from hpgrid.tuning.target import FARTHEST, LARGEST, reach

GRID = Grid.footnote(10)
IN_K = GRID.with_axes(K=LogAxis(1e2, 1e16, 10))
ALPHA = 1e-2
PAIR = Regime(("eta", "b"), {"alpha": ALPHA})
STEPS = 1500


def lmo(regime: Regime = PAIR, grid: Grid = GRID, min_K: float | None = None) -> TuningProblem:
    return tuning_problem(bounds.lmo(), grid, regime, min_K=min_K)


def sgd() -> TuningProblem:
    return tuning_problem(bounds.sgd(), GRID, Regime(("eta", "b")))


def dipping(**numbers: float) -> TuningProblem:
    return tuning_problem(dip(**numbers), GRID, Regime(("eta",)))


def risk(K, b, alpha: float = ALPHA):
    return 2 * np.sqrt((1 + 1 / alpha) / K) + (1 / (alpha * K) + np.sqrt(alpha)) / np.sqrt(b)


def brute(target: float, max_K: float = np.inf, most_b: float = 1e12) -> tuple[float, float]:
    """The fewest tokens b K over a fine grid, and the larger of its two log steps."""
    K = np.geomspace(1.0, min(max_K, 1e14), STEPS)
    b = np.geomspace(1.0, most_b, STEPS)[:, None]
    tokens = np.where(risk(K, b) <= target, b * K, np.inf)
    return float(tokens.min()), float(max(np.log(K[1]), np.log(b[1, 0])))


def test_the_fewest_in_whole_numbers_are_a_remark() -> None:
    """With the best eta the risk is (2 + H)/R^(1/2) + 1/H, 1/2 at R = (7/0.3)^2 for H = 5, at 24^2 for H = 4."""
    bound = parse("D/(eta*R) + L*eta + H/sqrt(R) + 1/H", {"D": 1.0, "L": 1.0}, variables=["H >= 1, whole", "R, budget"])
    grid = Grid.footnote(10, space=bound.space, budget="R")
    both, alone = Regime(("eta", "H"), space=bound.space), Regime(("H",), {"eta": 1.0}, space=bound.space)
    told = [reach(tuning_problem(bound, grid, regime), 0.5 + len(regime.fixed)).notes for regime in (both, alone)]
    R = ((4 + 17**0.5) / 0.5) ** 2  # 1/R + 1 + 4/R^(1/2) + 1/4 is 3/2
    assert told == [
        (f"in whole numbers H = 5 it takes R = {(7 / 0.3) ** 2:.6g}: set eta = 0.0429",),
        (f"in whole numbers H = 4 it takes R = {R:.6g}",),
    ]
    capped = Regime(("eta", "H"), caps={"H": 4}, space=bound.space)
    assert reach(tuning_problem(bound, grid, capped), 0.5).notes == ()


@pytest.mark.parametrize("target", [1.0, 0.1, 0.01, 3e-3])
def test_the_fewest_tokens_are_those_of_brute_force_to_a_step_of_its_grid(target: float) -> None:
    """The nearest grid point above the optimum, in both b and K, reaches the target too: two steps more at most."""
    found = reach(lmo(), target)
    tokens, step = brute(target)
    assert -1e-8 <= np.log(tokens / found.point.at) <= 2 * step


@pytest.mark.parametrize("regime", [PAIR, Regime(("eta", "b", "alpha")), Regime(("eta", "alpha"), {"b": 32.0})])
def test_the_risk_there_is_the_target_within_what_is_said(regime: Regime) -> None:
    found = reach(lmo(regime), 5e-3)
    assert found.tolerance < 1e-7
    around = found.point.at * np.exp(found.tolerance * np.array([-1.0, 1.0]))
    before, after = refine(bounds.lmo(), regime=regime, T=around).risk
    assert after <= 5e-3 <= before
    assert found.point.risk == pytest.approx(5e-3, rel=found.tolerance)
    at = refine(bounds.lmo(), regime=regime, T=found.point.at)
    assert dict(found.point.set) == pytest.approx({v: float(at.at[v]) for v in regime.tuned}, rel=1e-9)


def test_a_large_risk_takes_the_smallest_budget_there_is() -> None:
    found = reach(lmo(), 1e9)
    assert found.at_lower_end
    assert found.point.at == 1.0
    assert "the smallest T tried" in found.text()
    least = reach(lmo(Regime(("eta",), {"b": 8.0, "alpha": 0.5}), min_K=5.0), 1e9)
    assert least.point.at == pytest.approx(40.0)
    path = Regime(("eta",), {"alpha": 0.5}, {"b": Fraction(1, 2)})
    assert reach(lmo(path, min_K=5.0), 1e9).point.at == pytest.approx(25.0)


def test_the_fewest_iterations() -> None:
    """At b = 4 the risk is risk(K, 4), which falls with K; with b tuned it is what is left of it as b grows."""
    held = reach(lmo(Regime(("eta",), {"alpha": ALPHA, "b": 4.0}), IN_K), 0.07)
    assert risk(held.point.at, 4.0) == pytest.approx(0.07, rel=1e-8)
    free = reach(lmo(grid=IN_K), 0.07)
    assert free.point.at == pytest.approx(4 * (1 + 1 / ALPHA) / 0.07**2, rel=1e-8)
    assert "a cap on b would stop it" in free.text()


# --- out of reach ---
def test_a_noise_floor_is_said_with_its_level_and_no_number() -> None:
    """b <= 100 at a fixed alpha leaves C2 (alpha/b)^(1/2)."""
    found = reach(lmo(Regime(("eta", "b"), {"alpha": ALPHA}, caps={"b": 100.0})), 1e-3)
    assert found.point is None
    assert found.lowest_risk == pytest.approx(np.sqrt(ALPHA / 100), rel=1e-6)
    assert found.lowest_at == pytest.approx(LARGEST)
    assert "out of reach: as T grows the risk falls to 0.01, and never to less" in " ".join(found.text().split())
    assert found.infimum == pytest.approx(0.01, rel=1e-15)
    told = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert told["reached"] is False
    assert "fewest" not in told
    rising = reach(dipping(slope=1e-30), 1e-19).text()  # a function has no law
    assert "out of reach: it is least at T = " in rising


def test_a_budget_beyond_the_first_sixty_decades_is_found_or_told_by_the_law() -> None:
    """By the law, risk = c T^(-1/4): T = (c/target)^4, as far as a float is one."""
    law = exponents(bounds.lmo(), PAIR.tuned, fixed=PAIR.fixed).laws["risk"]
    far = reach(lmo(), 1e-40)
    assert far.point.at == pytest.approx((law.constant / 1e-40) ** 4, rel=1e-8)
    beyond = reach(lmo(), 1e-80)
    assert (beyond.point, beyond.tried) == (None, FARTHEST)
    assert beyond.by_law == pytest.approx(4 * (np.log10(law.constant) + 80), rel=1e-12)
    assert beyond.exponent_there == pytest.approx(-0.25, abs=1e-6)
    assert "falling like T^-0.25 there; the exact law comes to it at T = 10^32" in " ".join(beyond.text().split())


@pytest.mark.parametrize("target", [0.05, 0.1, np.nextafter(0.1, 1), 0.1 + 1e-12, 0.1 + 1e-10, 0.2])
def test_a_target_at_what_the_risk_tends_to_is_out_of_reach_and_just_above_it_is_known_or_not(target: float) -> None:
    """X b/T + Y/b + Z is Z + 2 (X Y/T)^(1/2) with the best b: T = 4 X Y/(target - Z)^2, in exact fractions."""
    bound = parse("X*b/T + Y/b + Z", {"X": 100.0, "Y": 50.0, "Z": 0.1})
    found = reach(tuning_problem(bound, GRID, Regime(("b",))), target)
    above = Fraction(target) - Fraction(0.1)
    if above <= 0:
        assert (found.point, found.undecided, found.as_dict()["reached"]) == (None, False, False)
        assert "out of reach: as T grows the risk falls to 0.1" in found.text()
    elif above < 1e-16:
        assert (found.point, found.undecided, found.as_dict()["reached"]) == (None, True, None)
        assert found.text().startswith("whether risk 0.10000000000000002 is reached float64 can't tell")
    else:
        assert abs(np.log(found.point.at / float(4 * 100 * 50 / above**2))) <= found.tolerance
        assert found.tolerance < min(1.0, NARROW + 1e-12 / float(above))


def test_a_floor_that_is_attained_is_reached() -> None:
    """b + 1/b at least 1 is 2 at b = 1, whatever T."""
    assert reach(tuning_problem(parse("b + 1/b"), GRID, Regime(("b",))), 2.0).point.at == 1.0


def test_just_above_the_floor_it_is_reached_and_less_sure() -> None:
    """Where the risk levels off, a little uncertainty of it is much of T."""
    asked = lmo(Regime(("eta",), {"alpha": ALPHA, "b": 100.0}))
    floor = np.sqrt(ALPHA / 100)
    near, far = reach(asked, floor * (1 + 1e-6)), reach(asked, floor * 10)
    assert near.point is not None
    assert near.tolerance > 1e3 * far.tolerance


def test_what_dips_and_rises_is_reached_in_the_dip_or_said_to_be_least_there() -> None:
    """2 (1e6/T)^(1/2) + T/1e7 is least at T = 1e10^(2/3), three times T/1e7 there."""
    rising = dipping(slope=1e-7)
    assert "not monotone" in reach(rising, 1.5).text()
    assert reach(rising, 1.4).point.at == pytest.approx(4e6, rel=1e-7)
    never = reach(rising, 1.39)
    assert never.point is None
    assert never.lowest_at == pytest.approx(1e10 ** (2 / 3), rel=1e-4)
    assert never.lowest_risk == pytest.approx(3e-7 * 1e10 ** (2 / 3), rel=1e-9)
    assert "out of reach: it is least at T = 4.64e+06, 1.39248, and rises beyond" in never.text()


def test_a_bound_that_falls_below_0_reaches_any_risk() -> None:
    found = reach(dipping(below=0.01), 1e-3)
    assert found.point.at == pytest.approx((2e3 / 0.011) ** 2, rel=1e-7)
    assert not found.notes


def test_what_is_not_known_is_not_said_to_be_out_of_reach() -> None:
    found = reach(dipping(end=1e12), 1e-9)
    assert found.point is None
    assert 1e11 < found.solved_up_to < 1e12
    text = found.text()
    assert "is not reached as far as it is known" in text
    assert text.endswith(f"falling like T^-0.5 there; not known beyond T = {found.solved_up_to:.3g}")
    assert "largest tried" not in text


# --- a cap on iterations ---
@pytest.mark.parametrize(("target", "max_K"), [(0.01, 6e6), (0.01, 4.1e6), (0.1, 5e4)])
def test_a_cap_that_binds_costs_what_brute_force_says(target: float, max_K: float) -> None:
    found = reach(lmo(), target, max_K=max_K)
    capped, (tokens, step) = found.capped, brute(target, max_K)
    assert capped.binds
    assert capped.point.iterations == max_K
    assert capped.point.at == pytest.approx(capped.point.set["b"] * max_K)
    assert -1e-8 <= np.log(tokens / capped.point.at) <= 2 * step
    assert capped.price == pytest.approx(capped.point.at / found.point.at)
    assert capped.price > 1
    assert risk(max_K, capped.point.set["b"]) == pytest.approx(target, rel=1e-8)
    eta = np.sqrt(1 / (max_K * (1 + 1 / ALPHA)))
    assert capped.point.set["eta"] == pytest.approx(eta, rel=1e-8)


def test_the_fewest_iterations_that_any_batch_reaches_it_in() -> None:
    """As b grows only 2 (C1 C3 (1 + 1/alpha)/K)^(1/2) is left."""
    least = 4 * (1 + 1 / ALPHA) / 0.01**2
    short = reach(lmo(), 0.01, max_K=0.99 * least).capped
    assert short.point is None
    assert short.lowest_K == pytest.approx(least, rel=1e-8)
    assert short.lowest_risk == pytest.approx(0.01 / np.sqrt(0.99), rel=1e-8)
    assert reach(lmo(), 0.01, max_K=1.01 * least).capped.point is not None


def test_a_cap_that_does_not_bind_changes_nothing() -> None:
    """Of SGD any batch size does, and K = T/b <= T = 4e4."""
    K = reach(lmo(), 0.01).point.iterations
    for problem, max_K in ((lmo(), 1.001 * K), (sgd(), 1e6)):
        found = reach(problem, 0.01, max_K=max_K)
        assert (found.capped.binds, found.capped.price, found.capped.point) == (False, 1, found.point)
        assert "the same, it takes no more than that" in found.text()
    assert reach(lmo(), 0.01, max_K=0.999 * K).capped.binds


def test_a_tighter_cap_costs_more() -> None:
    prices = [reach(lmo(), 0.01, max_K=max_K).capped.price for max_K in (4.05e6, 4.2e6, 5e6, 8e6, 1.2e7, 1e9)]
    assert prices == sorted(prices, reverse=True)
    assert prices[0] > 10
    assert prices[-1] == 1


HELD = Regime(("eta",), {"alpha": ALPHA, "b": 4.0})
ON_A_PATH = Regime(("eta",), {"alpha": ALPHA}, {"b": Fraction(1, 2)})


@pytest.mark.parametrize("regime", [HELD, ON_A_PATH], ids=["held", "on a path"])
def test_where_b_is_held_a_cap_can_only_be_kept_or_not(regime: Regime) -> None:
    asked = lmo(regime)
    free = reach(asked, 0.2)
    short = reach(asked, 0.2, max_K=free.point.iterations / 4).capped
    assert short.point is None
    assert short.lowest_K == pytest.approx(free.point.iterations)
    b = 4.0 if "b" in regime.fixed else free.point.iterations / 4  # T^(1/2) = K along that path
    assert short.lowest_risk == pytest.approx(risk(free.point.iterations / 4, b), rel=1e-9)
    assert not reach(asked, 0.2, max_K=free.point.iterations * 1.1).capped.binds


def test_a_cap_on_b_keeps_iterations_up() -> None:
    asked = lmo(Regime(("eta", "b"), {"alpha": ALPHA}, caps={"b": 300.0}))
    found = reach(asked, 0.01, max_K=6e6)
    assert found.point is not None
    assert found.capped.point is None
    assert found.capped.lowest_risk == pytest.approx(risk(6e6, 300.0), rel=1e-9)
    assert risk(found.capped.lowest_K, 300.0) == pytest.approx(0.01, rel=1e-8)


def test_where_batches_are_free_a_cap_costs_nothing() -> None:
    """SGD: the tuned risk is 2 (Delta0 L sigma^2/T)^(1/2), whatever b."""
    found = reach(sgd(), 0.01, max_K=1e3)
    assert found.point.at == pytest.approx(4e4, rel=1e-8)
    assert found.capped.point.at == pytest.approx(4e4, rel=1e-8)
    assert found.capped.point.set == pytest.approx({"eta": 0.2, "b": 40.0}, rel=1e-6)
    assert "no more than without" in found.text()


@pytest.mark.parametrize(
    ("max_K", "binds"), [*(pytest.param(K, False, marks=pytest.mark.thorough) for K in (9e3, 30.0)), (20.0, True)]
)
def test_where_a_range_of_batch_sizes_does_the_smallest_takes_the_most_iterations(max_K: float, binds: bool) -> None:
    """max(b^(-1/2), 0.05) + T^(-1/2) is 0.06 at T = 1e4 for any b >= 400: K may be 25 or fewer, at no price."""
    found = reach(tuning_problem(kinked(0.05, f=1.0), GRID, Regime(("b",))), 0.06, max_K=max_K)
    assert found.point.at == pytest.approx(1e4, rel=1e-7)
    assert found.capped.binds is binds
    assert found.capped.price == pytest.approx(1.0, rel=1e-7)
    assert not found.notes
    assert "over a range of it" in found.text()


def test_a_narrow_window_of_batch_sizes_is_found() -> None:
    """At K = 9.9e7, 1e4/K + b^(-1/2) + 1e-6 b is at most 0.019 for b between 6261 and 6338 or so."""
    found = reach(tuning_problem(kinked(1e-60, d=1e-6, e=1e4), GRID, Regime(("b",))), 0.019, max_K=9.9e7)
    b = found.capped.point.set["b"]
    assert 1e4 / 9.9e7 + b**-0.5 + 1e-6 * b == pytest.approx(0.019, rel=1e-9)
    assert b < (0.5e6) ** (2 / 3)
    assert found.capped.binds
    assert "sure to 0e+00" not in found.text()


def test_a_batch_of_one_is_nothing_to_be_unsure_of() -> None:
    """Where b = 1 does in K iterations fewer than the cap there is no bracket; beside it, no number of how sure."""
    found = reach(lmo(Regime(("eta", "b", "alpha"))), 1e9, max_K=2.0)
    assert "0e+00" not in found.text()


@pytest.mark.parametrize(("max_K", "binds"), [(3e4, True), pytest.param(1e9, False, marks=pytest.mark.thorough)])
def test_a_function_is_inverted_as_a_sum_of_powers_is(max_K: float, binds: bool) -> None:
    regime = Regime(("b",), {"eta": 1e-3, "alpha": ALPHA})
    found, exact = (reach(tuning_problem(p, GRID, regime), 0.15, max_K=max_K) for p in (EQ4, bounds.lmo()))
    assert found.capped.binds is exact.capped.binds is binds
    for one, other in ((found.point, exact.point), (found.capped.point, exact.capped.point)):
        assert one.at == pytest.approx(other.at, rel=1e-7)
        assert dict(one.set) == pytest.approx(dict(other.set), rel=1e-5)


@pytest.mark.parametrize(
    ("problem", "target", "max_K", "message"),
    [
        (lmo(), 0.0, None, "a risk to reach must be positive"),
        (lmo(), float("nan"), None, "a risk to reach must be positive"),
        (lmo(), 0.1, 0.0, "K must be a finite number with K > 0"),
        (lmo(grid=IN_K), 0.1, 1e3, "a cap on iterations is for the fewest tokens"),
        (lmo(min_K=100.0), 0.1, 10.0, "no fewer than the least"),
        (dipping(), 0.1, 10.0, "does not depend on b"),
    ],
)
def test_mistakes(problem: TuningProblem, target: float, max_K: float | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        reach(problem, target, max_K=max_K)


# --- the bracket ---
def always(T: np.ndarray) -> np.ndarray:
    return np.ones(T.shape, bool)


def closer(log_risk: Callable, target: float, known: Callable = always, *, look: bool = True) -> Any:
    """The bracket of a risk that is made up, by its log at log T; without a look between its values, if asked."""

    def solve(T: np.ndarray) -> Any:
        return SimpleNamespace(log_risk=log_risk(np.log(T)), converged=known(T), unbounded={})

    scan = narrow(solve, target, (1.0, 1e60))
    return look_closer(solve, target, scan) if look else scan


found = partial(closer, look=False)


@pytest.mark.parametrize("exponent", [0.25, 0.5, 2.0])
def test_a_power_is_inverted_to_what_is_said(exponent: float) -> None:
    bracket = found(lambda u: -exponent * u, 1e-3)
    truth = 1e-3 ** (-1 / exponent)
    assert 0 <= np.log(bracket.at / truth) <= bracket.tolerance
    assert bracket.width <= NARROW
    assert bracket.tolerance == pytest.approx(bracket.width + RISK / exponent, rel=1e-6)
    assert (bracket.gap_below, bracket.not_monotone) == (False, False)


@pytest.mark.parametrize(
    ("log_risk", "target", "known", "log_at", "gap_below", "not_monotone"),
    [
        pytest.param(lambda u: -u, 2.0, always, 0.0, False, False, id="nothing to be unsure of"),
        pytest.param(lambda u: -u, 1e-3, lambda T: T > 1e5, np.log(1e5), True, False, id="not known just below"),
        pytest.param(lambda u: np.abs(u - 40) - 45, np.exp(-20), always, 15.0, False, True, id="it rises again"),
    ],
)
def test_the_first_that_does_is_taken_and_what_is_about_it_is_said(
    log_risk: Callable, target: float, known: Callable, log_at: float, gap_below: bool, not_monotone: bool
) -> None:
    bracket = found(log_risk, target, known)
    assert np.log(bracket.at) == pytest.approx(log_at, abs=1e-8)
    assert (bracket.gap_below, bracket.not_monotone) == (gap_below, not_monotone)
    assert (bracket.tolerance == 0) == (bracket.place == 0) == (log_at == 0)


def test_rounding_ends_the_search_and_is_no_first_value() -> None:
    """A risk that a second look finds lower: the bracket of the first stands."""
    looks = []

    def fickle(u: Any) -> Any:
        looks.append(u)
        return np.where(len(looks) > 1, -100.0, -u)

    bracket = found(fickle, 1e-3)
    assert len(looks) == 2
    assert bracket.place > 0


def test_a_dip_between_two_values_of_the_scan_is_found_and_its_first_side_is_narrowed() -> None:
    """The scan's step is 2.2, the dip below the target 0.2 wide."""
    bracket = closer(lambda u: np.abs(u - 40.0) - 45.0, np.exp(-44.9))
    assert bracket.not_monotone
    assert np.log(bracket.at) == pytest.approx(39.9, abs=1e-8)


def test_the_least_risk_that_stays_above_is_found() -> None:
    bracket = closer(lambda u: (u - 40.0) ** 2 / 100, 0.9)
    assert bracket.place == -1
    assert np.log(bracket.values[lowest(bracket)]) == pytest.approx(40.0, abs=2 * np.sqrt(100 * NARROW))


def test_a_floor_and_what_is_not_known_have_no_dip() -> None:
    floor = closer(lambda u: np.logaddexp(-u, np.log(0.1)) + 1e-15 * np.sin(u), 0.05)
    assert (floor.place, lowest(floor)) == (-1, len(floor.values) - 1)
    unknown = closer(lambda u: -u, 1e-9, known=lambda T: T < 1e5)
    assert unknown.values[lowest(unknown)] < 1e5
    assert lowest(closer(lambda u: -u, 1e-9, known=lambda T: T < 0)) == -1
