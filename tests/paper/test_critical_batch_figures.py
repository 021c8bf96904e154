"""cbs1, cbs2 and cbs3: what they hold, what is drawn, and that a wrong formula fails a check."""

from __future__ import annotations

import numpy as np
import pytest
from paper_figures import computed, config, drawn, lines, verdicts

import hpgrid
from hpgrid.critical import tokens
from hpgrid.paper import cbs2, compute, draw
from hpgrid.paper.cbs1 import problem
from hpgrid.plotting import critical as plot
from hpgrid.theory import batch_sizes as theory


@pytest.mark.parametrize("name", ["cbs1", "cbs2", "cbs3"])
def test_its_checks_hold_and_it_is_drawn(name: str) -> None:
    assert set(verdicts(computed(name)).values()) == {True}
    assert len(drawn(name).axes) == {"cbs1": 4, "cbs2": 7, "cbs3": 4}[name]


# --- cbs1 ---


def test_curves_are_tokens_and_iterations_of_the_answers() -> None:
    data, own = computed("cbs1"), config("cbs1").parameters
    for row, form in enumerate(("seed", "revised")):
        for k, beta in enumerate(own["beta"]):
            answer = hpgrid.critical_batch(**problem(own, "eta", "eps"), beta=beta, form=form)
            b = data.arrays[f"b_{form}"][k]
            for column, y in enumerate((answer.tokens(b), answer.iterations(b))):
                (line,) = lines(drawn("cbs1").axes[2 * row + column], label=rf"$\beta={beta:g}$")
                np.testing.assert_array_equal(line.get_xdata(), b)
                np.testing.assert_allclose(line.get_ydata(), y, rtol=1e-15)


def test_marks_are_the_minimum_and_the_formula() -> None:
    arrays = computed("cbs1").arrays
    labels = [line.get_label() for line in drawn("cbs1").axes[0].lines]
    assert labels.count("fewest tokens") == 3
    assert (labels.count("the source's formula"), labels.count("it never arrives")) == (2, 1)
    never = np.isinf(arrays["formula_K_seed"])
    np.testing.assert_array_equal(never, [True, False, False])  # beta = 0 alone, for s = D/eps' >= 1/2
    np.testing.assert_allclose(arrays["formula_b_revised"], arrays["exact_b_revised"], rtol=tokens.FLAT)
    assert (arrays["low_seed"] < arrays["exact_b_seed"]).all()
    assert (arrays["exact_b_seed"] < arrays["high_seed"]).all()


def test_a_target_out_of_reach_leaves_a_curve_out_and_says_so() -> None:
    data = compute(config("cbs1", beta=[0.9, 0.9999]))
    assert np.isnan(data.arrays["exact_b_seed"]).tolist() == [False, True]
    assert "out of reach" in data.notes["seed"][1]
    draw(data)


# --- cbs2 ---


def test_the_first_form_says_nothing_anywhere_with_weight_decay() -> None:
    data = computed("cbs2")
    assert (data.arrays["region_0"] == plot.NOTHING).all()
    assert data.notes["first form, gradient"]["vacuous at every target"] == 1.0
    for k in range(1, 6):
        assert {plot.FOUND, plot.OUT_OF_REACH} <= set(np.unique(data.arrays[f"region_{k}"]))


def test_regions_and_batch_sizes_are_those_of_the_answers() -> None:
    """At seeded points of the maps of Cesista's bounds, none of which the checks look at more than by chance."""
    data, own = computed("cbs2"), config("cbs2").parameters
    rng = np.random.default_rng(0)
    for k, panel in enumerate(cbs2.MAPS[:5]):
        for i, j in rng.integers(0, 31, (20, 2)):
            at = {"eta": own["eta"], "lam": 0.0, panel.y: data.arrays[panel.y][i]}
            measure = panel.measure if panel.form == "revised" else None
            answer = hpgrid.critical_batch(
                **problem(own), **at, alpha=data.arrays["alpha"][j], eps=own[f"eps_{panel.measure}"],
                form=panel.form, measure=measure,
            )  # fmt: skip
            region, b = data.arrays[f"region_{k}"][i, j], data.arrays[f"b_{k}"][i, j]
            assert (answer.b is None) == (region != plot.FOUND) == np.isnan(b)
            if answer.b is not None:
                assert abs(np.log(answer.b / max(b, 1.0))) <= tokens.FLAT


def test_the_formula_over_the_vacuous_map_is_theorem_12() -> None:
    arrays, own = computed("cbs2").arrays, config("cbs2").parameters
    beta, lam = 1 - arrays["alpha"], arrays["lam"][:, None]
    typed = ((3 * beta + 1) * (1 - beta) / (1 + beta) + lam) * own["sigma"] ** 2 / own["eps_gradient"]
    np.testing.assert_allclose(arrays["formula_0"], typed, rtol=1e-12)


def test_every_region_that_is_there_is_named() -> None:
    (legend,) = drawn("cbs2").legends
    named = [text.get_text() for text in legend.get_texts()]
    assert named == [
        "out of reach",
        "vacuous: the target holds untrained",
        "vacuous at every target",
        f"Theorem 12, ${plot.EPS_PRIME}=4$",
    ]


# --- cbs3 ---


def theorem12_cost(s: np.ndarray) -> np.ndarray:
    """Tokens of 2 Y/eps' over the fewest: with v = (Y/(b eps'))^(1/2) they fall as v^2 (1 - s^(1/2) v - v^2) grows."""
    v = 4 / (3 * np.sqrt(s) + np.sqrt(9 * s + 32))
    return v**2 * (1 - np.sqrt(s) * v - v**2) / ((1 - np.sqrt(2 * s)) / 4)  # the formula is at v = 2^(-1/2)


def test_costs_are_those_of_the_bound() -> None:
    arrays, own = computed("cbs3").arrays, config("cbs3").parameters
    answer = hpgrid.critical_batch(**problem(own, "eta", "beta"), eps_prime=1.0)
    s = answer.Z_noise**2 / (answer.Y * arrays["room"])
    finite = s < theory.NEVER
    np.testing.assert_array_equal(np.isfinite(arrays["twelve_cost_seed"]), finite)
    # What is left for iterations is a difference: it loses as much as the cost is above 1.
    np.testing.assert_allclose(arrays["twelve_cost_seed"][finite], theorem12_cost(s[finite]), rtol=1e-11)
    np.testing.assert_allclose(arrays["own_cost_revised"], 1.0, rtol=1e-12)
    assert (arrays["own_cost_seed"] >= 1 - 1e-12).all()


def test_numerical_minima_lie_on_the_closed_form_where_it_is_above_one() -> None:
    arrays = computed("cbs3").arrays
    for form in ("seed", "revised"):
        exact = np.interp(np.log(arrays["marked"]), np.log(arrays["room"]), np.log(arrays[f"exact_{form}"]))
        gap = np.log(arrays[f"numerical_{form}"]) - np.maximum(exact, 0.0)
        assert np.abs(gap).max() <= tokens.FLAT


def test_shades_are_where_the_formula_never_arrives_and_where_targets_are_vacuous() -> None:
    arrays = computed("cbs3").arrays
    spans = {patch.get_label(): patch for patch in drawn("cbs3").axes[0].patches}
    never, vacuous = spans["Theorem 12 never arrives"], spans["vacuous target"]
    assert never.get_x() + never.get_width() == pytest.approx(float(arrays["never_seed"]))
    assert vacuous.get_x() == pytest.approx(float(arrays["vacuous_seed"]))


# --- a wrong formula ---


@pytest.mark.parametrize(("name", "form"), [("cbs1", "fewest_tokens"), ("cbs2", "star_convex"), ("cbs2", "lmo_fixed")])
def test_a_closed_form_that_is_off_by_a_millionth_fails(monkeypatch: pytest.MonkeyPatch, name: str, form: str) -> None:
    right = getattr(theory, form)
    monkeypatch.setattr(theory, form, lambda *given: right(*given) * (1 + 1e-6))
    assert False in [check.holds for check in compute(config(name)).checks]


def test_a_wrong_share_from_which_the_formula_never_arrives_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(theory, "NEVER", 0.45)
    assert compute(config("cbs3")).checks[-1].holds is False
