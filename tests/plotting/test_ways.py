"""Ticks and numbers of a way from one budget to another."""

from __future__ import annotations

import pytest

from hpgrid.plotting.style import ticks
from hpgrid.plotting.transfer_plot import count, momentum, power


@pytest.mark.parametrize(
    ("value", "text"),
    list(
        zip(
            (1, 128, 999, 1000, 524288, 999_600, 2.5e9, 1e12, 1e15),
            ("1", "128", "999", "1k", "524k", "1M", "2.5B", "1T", "$10^{15}$"),
        )
    ),
)
def test_counts_as_people_say_them(value: float, text: str) -> None:
    assert count(value) == text


@pytest.mark.parametrize(
    ("alpha", "text"),
    [(1.0, "0"), (0.5, "0.5"), (0.05, "0.95"), (0.0079057, "0.99209"), (1e-3, "0.999"), (3e-8, r"$1-3\times 10^{-8}$")],
)
def test_momenta_have_the_digits_that_tell(alpha: float, text: str) -> None:
    assert momentum(alpha) == text


@pytest.mark.parametrize(
    ("value", "text"), [(1e-4, "$10^{-4}$"), (4.743e-5, r"$4.74\times 10^{-5}$"), (0.3, r"$3\times 10^{-1}$")]
)
def test_learning_rates_have_a_digit_and_a_power(value: float, text: str) -> None:
    assert power(value) == text


@pytest.mark.parametrize(
    ("lo", "hi", "expected"),
    [
        (1e3, 1e6, [1e3, 1e4, 1e5, 1e6]),
        (1e2, 1e12, [1e2, 1e4, 1e6, 1e8, 1e10, 1e12]),
        (0.9, 11.0, [1.0, 2.0, 5.0, 10.0]),
        (41.0, 43.0, [41.0, 42.0, 43.0]),
    ],
)
def test_ticks_are_round_and_few(lo: float, hi: float, expected: list[float]) -> None:
    assert ticks(lo, hi, 6) == pytest.approx(expected)
