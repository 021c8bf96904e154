"""Numbers as a person reads them."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from hpgrid.text import beta, exponent_text, few_iterations, held, momentum, name_latex, number
from hpgrid.tuning.advice import intervals_text, settings


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0123456, "0.0123"),
        (1072.4, "1072"),
        (93644.2, "93644"),
        (123456.0, "1.23e+05"),
        (6.3e-5, "6.30e-05"),
        (0.0, "0"),
        (1.0, "1"),
        (float("nan"), "-"),
        (float("inf"), "inf"),
        (-0.25, "-0.25"),
    ],
)
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(("alpha", "text"), [(0.0658, "0.9342"), (1e-3, "0.999"), (1e-9, "0.999999999"), (1.0, "0")])
def test_the_beta_that_was_given_is_written_whole(alpha: float, text: str) -> None:
    assert momentum(alpha) == f"beta = {text}"


def test_where_a_beta_can_not_be_written_alpha_is() -> None:
    assert momentum(1e-20) == "alpha = 1e-20"
    assert beta(1e-20) == "1 - alpha"


@pytest.mark.parametrize(("alpha", "text"), [(0.0658, "0.934"), (6.3e-5, "0.999937"), (0.5, "0.5"), (1.0, "0")])
def test_the_beta_that_was_found_has_as_many_digits_as_alpha(alpha: float, text: str) -> None:
    assert beta(alpha) == text


def test_an_exponent_is_a_fraction_a_decimal_or_where_neither_is_short_six_digits() -> None:
    written = {"2/3": "2/3", "-7/12": "-7/12", "0.25": "1/4", "571/1000": "571/1000", "1829/3568": "1829/3568"}
    written |= {"0.3271": "0.3271", "-0.34781923": "-0.34781923", "34781923/134781923": "0.258061"}
    assert {text: exponent_text(Fraction(text)) for text in written} == written


def test_settings_and_intervals() -> None:
    assert settings({"eta": 3.2e-4, "alpha": 0.01}) == "eta = 3.20e-04, alpha = 0.01 (beta = 0.99)"
    assert settings({"alpha": 1.0}) == "alpha = 1"
    assert intervals_text({"b": (90.4, 2e5)}) == "b 90 to 2.0e+05"
    assert held("alpha", 0.1) == "alpha = 0.1 (beta = 0.9)"


def test_a_name_as_latex_is_that_name() -> None:
    written = {"C1": "C_1", "Delta0": r"\Delta_0", "b_max": r"b_{\max}", "lam": r"\lambda", "risk": r"\mathrm{risk}"}
    written |= {"tau": r"\tau", "zeta_max": r"\zeta_{\max}", "Omega2": r"\Omega_2", "omicron": r"\mathrm{omicron}"}
    written |= {"my_c": r"\mathrm{my\_c}", "_1": r"\mathrm{\_}_1"}  # no c, which nobody wrote
    assert {name: name_latex(name) for name in written} == written


def test_of_a_bound_without_iterations_none_are_few() -> None:
    assert "fewer than 100 iterations" in few_iterations(2.0, 99.0)
    assert few_iterations(2.0, 100.0) == few_iterations(2.0, math.nan) == ""
