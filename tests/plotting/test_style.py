"""Scales, ticks and numbers that all figures share."""

from __future__ import annotations

from collections.abc import Callable

import matplotlib
import pytest
from matplotlib.figure import Figure

from hpgrid.plotting import style
from hpgrid.plotting.style import (
    COLORMAPS,
    SYMBOLS,
    decades,
    log_axes,
    new_figure,
    number,
    power_of_ten,
    short,
    symbol,
    ticks,
)
from hpgrid.plotting.transfer_plot import count, momentum, power


@pytest.mark.parametrize(
    ("lo", "hi", "values"),
    [
        (1e2, 1e5, [1e2, 1e3, 1e4, 1e5]),
        (5.0, 2e3, [1e1, 1e2, 1e3]),
        (1e2, 1e22, [1e4, 1e8, 1e12, 1e16, 1e20]),
        (1e-15, 1e4, [1e-12, 1e-8, 1e-4, 1.0, 1e4]),
        (1e-3 * (1 + 1e-12), 1e-1, [1e-3, 1e-2, 1e-1]),  # an end that misses its decade by a rounding
        (2.0, 5.0, [2.0, 5.0]),  # no decade: the ends
    ],
)
def test_decades_are_powers_of_ten_evenly_spaced(lo: float, hi: float, values: list[float]) -> None:
    assert decades(lo, hi) == pytest.approx(values)


@pytest.mark.parametrize("most", [3, 5, 6])
@pytest.mark.parametrize("span", range(1, 24))
def test_there_are_at_most_so_many_decades_and_at_least_one(span: int, most: int) -> None:
    assert 1 <= len(decades(1.0, 10.0**span, most)) <= most


SAID = {
    power_of_ten: {
        **{1e3: "$10^{3}$", 1e-7: "$10^{-7}$", 1.0: "$10^{0}$"},
        **{0.066: "0.066", 1072.0: "1072", 0.0: "", -1.0: ""},
    },
    number: {
        **{0.001: "0.001", 1072.267: "1072", 1e9: "$10^{9}$"},
        **{1.7e-6: r"$1.7\times 10^{-6}$", 2.5e8: r"$2.5\times 10^{8}$"},
    },
    # As people say tokens; a momentum with the digits that tell; a learning rate with a digit and a power.
    count: {
        **{1: "1", 128: "128", 999: "999", 1000: "1k", 524288: "524k", 999_600: "1M"},
        **{2.5e9: "2.5B", 1e12: "1T", 1e15: "$10^{15}$"},
    },
    momentum: {
        **{1.0: "0", 0.5: "0.5", 0.05: "0.95", 0.0079057: "0.99209", 1e-3: "0.999"},
        3e-8: r"$1-3\times 10^{-8}$",
    },
    power: {1e-4: "$10^{-4}$", 4.743e-5: r"$4.74\times 10^{-5}$", 0.3: r"$3\times 10^{-1}$"},
}


@pytest.mark.parametrize(
    ("say", "value", "text"), [(say, *pair) for say, each in SAID.items() for pair in each.items()]
)
def test_a_value_is_said_in_few_digits(say: Callable[[float], str], value: float, text: str) -> None:
    assert say(value) == text


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


def test_every_quantity_has_a_symbol_and_every_held_one_a_colour_map() -> None:
    assert [short(name) for name in ("risk", "eta", "b", "H")] == ["risk", r"\eta", "b", "H"]
    assert set(SYMBOLS) == {"risk", "eta", "b", "alpha", "T", "K", "regret", "points", "seconds"}
    assert (symbol("b"), symbol("H")) == ("batch size $b$", "$H$")
    assert len(set(COLORMAPS.values())) == len(COLORMAPS) == 3
    assert set(COLORMAPS.values()) <= set(matplotlib.colormaps)


def test_the_style_holds_inside_its_context_only() -> None:
    before = {key: matplotlib.rcParams[key] for key in ("savefig.dpi", "svg.hashsalt", "font.size")}
    with style.styled():
        assert matplotlib.rcParams["savefig.dpi"] == 300
        assert matplotlib.rcParams["svg.hashsalt"] == "hpgrid"  # the same picture, the same bytes
    assert {key: matplotlib.rcParams[key] for key in before} == before


def test_a_figure_needs_no_pyplot_and_letters_its_axes_row_by_row() -> None:
    figure, axes = new_figure(2, 3, (6.0, 4.0), ["risk", "best $b$"])
    assert [ax.get_title() for ax in axes[:3]] == ["(a) risk", "(b) best $b$", ""]
    assert isinstance(figure, Figure)
    assert figure.canvas.manager is None  # not pyplot's: nothing to close
    assert len(axes) == 6
    spots = [(ax.get_subplotspec().rowspan.start, ax.get_subplotspec().colspan.start) for ax in axes]
    assert spots == [(r, c) for r in range(2) for c in range(3)]


def test_log_axes_have_both_scales_ranges_labels_and_few_ticks() -> None:
    _, (axes,) = new_figure(1, 1, (3.0, 3.0))
    log_axes(axes, (1e2, 1e22), (1e-3, 1e1), ("T", "b"))
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert (axes.get_xlim(), axes.get_ylim()) == ((1e2, 1e22), (1e-3, 1e1))
    assert (axes.get_xlabel(), axes.get_ylabel()) == (SYMBOLS["T"], SYMBOLS["b"])
    assert [label.get_text() for label in axes.get_xticklabels()] == [f"$10^{{{k}}}$" for k in (4, 8, 12, 16, 20)]
    assert len(axes.get_xticks(minor=True)) == 0


@pytest.mark.parametrize(
    ("lo", "hi", "expected"),
    [(0.09, 1.1, [0.1, 0.2, 0.5, 1.0]), (0.093, 0.33, [0.1, 0.15, 0.2, 0.3]), (2.0, 5.0, [2.0, 3.0, 4.0, 5.0])],
)
def test_an_axis_of_hardly_a_decade_has_round_values_labelled(lo: float, hi: float, expected: list[float]) -> None:
    _, (axes,) = new_figure(1, 1, (3.0, 3.0))
    log_axes(axes, (1e2, 1e22), (lo, hi), ("T", "risk"))
    assert [label.get_text() for label in axes.get_yticklabels()] == [power_of_ten(x) for x in expected]
