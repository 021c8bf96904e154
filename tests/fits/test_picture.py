"""The picture of a fit: what is drawn is what was read, fitted and predicted, each panel has something to show, and
nothing is cut or written over anything else."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Capture, printed
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.path import Path as Outline
from matplotlib.text import Text
from numpy.testing import assert_allclose
from sweeps import Floats, sweep

from hpgrid.fits.fit import Fit, fit
from hpgrid.fits.picture import draw
from hpgrid.plotting.fit_plot import ellipse
from hpgrid.plotting.style import styled

RUNS = Path(__file__).resolve().parent.parent.parent / "examples" / "constant_rate.csv"


def simulated(
    longer: tuple[float, ...], points: tuple[int, int] = (5, 5), span: float = 2.0, seed: int = 4
) -> dict[str, Floats]:
    return sweep(np.random.default_rng(seed), longer, points, span)[0]


def three(longer: tuple[float, ...]) -> dict[str, Floats]:
    """A quadratic in the logs of three variables, by hand."""
    x = np.array(np.meshgrid(*[[-1.5, -0.5, 0.5, 1.5]] * 3, longer)).reshape(4, -1)
    eta, b, alpha = x[:3] - np.outer([0.2, 0.4, -0.2], np.log2(x[3]))
    noise = 0.002 * np.random.default_rng(5).standard_normal(x.shape[1])
    loss = 3 + 0.02 * eta**2 + 0.01 * b**2 + 0.015 * alpha**2 - 0.01 * eta * b + noise
    return {"eta": 2e-3 * 2 ** x[0], "b": 2e5 * 2 ** x[1], "alpha": 0.05 * 2 ** x[2], "T": 2e9 * x[3], "loss": loss}


def cut(runs: Mapping[str, Floats], name: str, values: int) -> dict[str, Floats]:
    kept = runs[name] <= np.unique(runs[name])[values - 1]
    return {column: x[kept] for column, x in runs.items()}


def long(runs: Mapping[str, Floats]) -> dict[str, Floats]:
    by = {"eta": 1.2345678e-7, "b": 1234567.891, "T": 1.2345678e9}
    return {name: x * by.get(name, 1.0) for name, x in runs.items()}


#: Sweeps, how they are read, the budgets that are asked for in those of the largest one, and how many panels there are.
CASES: dict[str, tuple[Any, dict[str, Any], tuple[float, ...], int]] = {
    "one budget": (simulated((1.0,), (6, 6)), {}, (10.0,), 3),
    "one budget, one batch size": (simulated((1.0,), (7, 1)), {}, (10.0,), 2),
    "one batch size": (RUNS, {}, (2.0,), 5),
    "500 runs": (simulated((1.0, 2.0, 4.0, 8.0, 16.0, 32.0), (9, 9), 3.0), {}, (4.0,), 6),
    "three variables": (three((1.0, 4.0)), {"alpha": "alpha"}, (4.0,), 5),
    "three variables, one budget": (three((1.0,)), {"alpha": "alpha"}, (4.0,), 4),
    "at the border": (cut(simulated((1.0, 4.0), (7, 6), 3.0, 7), "b", 3), {}, (4.0,), 4),
    "one budget, at the border": (cut(simulated((4.0,), (7, 6), 3.0, 7), "b", 2), {}, (4.0,), 3),
    "held": (simulated((1.0, 4.0)), {"hold": ["b"]}, (4.0,), 4),
    "several predictions": (simulated((1.0, 4.0)), {}, (1.0, 2.0, 8.0, 1e4), 4),
    "no prediction": (simulated((1.0, 4.0)), {}, (), 4),
    "long numbers": (long(simulated((1.0, 4.0))), {}, (4.0123456,), 4),
}


#: The two that take the longest are thorough ones.
EACH = [
    pytest.param(case, marks=[pytest.mark.thorough] if case in ("500 runs", "three variables, one budget") else [])
    for case in CASES
]


@cache
def drawn(case: str) -> tuple[Fit, tuple[float, ...], Figure]:
    """The fit of a case, what it was asked, and its picture."""
    runs, asked, times, _ = CASES[case]
    found = fit(runs, **asked)
    budgets = tuple(found.runs.T.max() * x for x in times)
    return found, budgets, draw(found, budgets)


def panels(case: str) -> list[Axes]:
    return [ax for ax in drawn(case)[2].axes if ax.get_title(loc="left")]


def at(ax: Axes, label: str) -> Floats:
    """The points of what has a label in some axes, shape (n, 2)."""
    points = [np.column_stack(line.get_data()) for line in ax.lines if line.get_label() == label]
    return np.concatenate(points) if points else np.empty((0, 2))


def rows(x: Any) -> Floats:
    """An array's rows in order."""
    x = np.asarray(x, float)
    return x[np.lexsort(x.T)]


@pytest.mark.parametrize("case", EACH)
def test_each_panel_has_something_to_show_and_there_is_no_other(case: str) -> None:
    found, _, figure = drawn(case)
    assert len(panels(case)) == CASES[case][-1]
    assert len(figure.axes) == len(panels(case)) + (len(found.surface.names) > 1)  # the colours' bar
    assert all(ax.lines and ax.get_visible() for ax in panels(case))


@pytest.mark.parametrize("case", EACH)
def test_nothing_is_cut_and_no_text_lies_over_another(case: str) -> None:
    figure = drawn(case)[2]
    with styled():
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            boxes = [label.get_window_extent() for label in axis.get_ticklabels() if label.get_text()]
            side = "x" if axis is ax.xaxis else "y"
            boxes = sorted(boxes, key=lambda box: float(getattr(box, f"{side}0")))
            assert all(getattr(a, f"{side}1") < getattr(b, f"{side}0") for a, b in pairwise(boxes))
    texts = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    boxes = [text.get_window_extent() for text in texts if text.axes is None or text not in text.axes.texts]
    width, height = canvas.get_width_height()
    assert len(boxes) > 10
    assert min(min(box.x0, box.y0) for box in boxes) >= 0
    assert max(box.x1 for box in boxes) <= width
    assert max(box.y1 for box in boxes) <= height
    (legend,) = figure.legends
    assert max(box.y1 for box in [legend.get_window_extent()]) < min(ax.get_tightbbox().y0 for ax in panels(case))


@pytest.mark.parametrize("case", ["one budget", "500 runs", "long numbers"])
def test_runs_over_two_variables_are_the_tables_coloured_by_their_losses(case: str) -> None:
    found, _, figure = drawn(case)
    planes = panels(case)[: -len(found.surface.names)]
    T = np.unique(found.runs.T)
    shown = T[np.unique(np.linspace(0, len(T) - 1, 4).round().astype(int))]
    for ax, each in zip(planes, shown, strict=True):
        runs = found.runs.only(each == found.runs.T)
        every = [at(ax, label) for label in ("runs, fitted", "runs, too far off", "runs, too low")]
        assert_allclose(rows(np.concatenate(every)), rows(np.column_stack([runs.values["eta"], runs.values["b"]])))
        (colored,) = (c for c in ax.collections if c.get_array() is not None and len(c.get_offsets()) == len(every[0]))
        losses = {(x, y): loss for x, y, loss in zip(runs.values["eta"], runs.values["b"], runs.loss)}
        off = [color - losses[x, y] for (x, y), color in zip(map(tuple, colored.get_offsets()), colored.get_array())]
        # A colour is the loss less the same for all of them: the fitted minimum.
        assert np.ptp(off) < 1e-9
        assert len(every[0]) == (found.surface.weights[each == found.runs.T] > 0).sum()
    assert len(at(planes[-1], "runs, too far off")) > 0
    assert figure.axes[-1].get_ylabel() == "excess loss"


def test_over_one_variable_the_losses_are_drawn_and_those_beyond_the_panel_at_its_top() -> None:
    found, _, _ = drawn("one batch size")
    first = panels("one batch size")[0]
    runs = found.runs.only(found.runs.T.min() == found.runs.T)
    points = np.concatenate([at(first, "runs, fitted"), at(first, "runs, too far off")])
    beyond = at(first, "runs, farther up")
    assert len(points) + len(beyond) == len(runs.loss)
    assert (beyond[:, 1] == first.get_ylim()[1]).all()
    assert len(beyond) > 0
    assert np.ptp(np.sort(points[:, 1]) - np.sort(runs.loss)[: len(points)]) < 1e-9


def test_the_best_run_at_one_place_is_drawn_last() -> None:
    for ax in panels("three variables")[:2]:
        (colored,) = (c for c in ax.collections if c.get_array() is not None and len(c.get_offsets()) > 8)
        assert (np.diff(colored.get_array()) <= 0).all()


@pytest.mark.parametrize("case", EACH)
def test_optima_and_predictions_are_the_fits(case: str) -> None:
    found, budgets, _ = drawn(case)
    names = found.surface.names
    for name, ax in zip(names, panels(case)[-len(names) :], strict=True):
        own, asked = ([found.predict(float(T)) for T in x] for x in (np.unique(found.runs.T), budgets))
        edge = ", at the border" if name in own[-1].edge else ""
        assert_allclose(at(ax, f"fitted optimum{edge}"), [[p.T, p.at[name]] for p in own])
        assert_allclose(at(ax, f"prediction{edge}"), np.array([[p.T, p.at[name]] for p in asked]).reshape(-1, 2))
        kept = [[p.T, found.baselines(p.T)[0].at[name]] for p in asked]
        assert_allclose(at(ax, "best run kept"), np.array(kept).reshape(-1, 2))
        low, high = np.sort(found.runs.values[name])[[0, -1]]
        assert_allclose(np.unique(at(ax, "ends of the sweep")[:, 1]), [low, high])
        # All of it is in view.
        for label in (f"prediction{edge}", "best run", "rule A", "rule C", "best run kept"):
            points = at(ax, label)
            assert ((ax.get_ylim()[0] < points[:, 1]) & (points[:, 1] < ax.get_ylim()[1])).all()


@pytest.mark.parametrize(
    ("case", "exponents"),
    [
        ("500 runs", ["-1/4", "1/2"]),
        ("one batch size", ["-1/2"]),
        ("three variables", ["-7/12", "1/6", "-1/3"]),
        ("held", ["-1/2", "0"]),
    ],
)
def test_the_theorys_slope_is_that_of_what_was_tuned(case: str, exponents: list[str]) -> None:
    """Theorems 1 to 3; with b held eta ~ T^(-1/2), from eta = (C1 b/(C3 T))^(1/2)."""
    for ax, exponent in zip(panels(case)[-len(exponents) :], exponents, strict=True):
        (x0, y0), (x1, y1) = at(ax, "theory's slope")[[0, -1]]
        assert_allclose(np.log(y1 / y0) / np.log(x1 / x0), float(Fraction(exponent)), atol=1e-9)
        title = ax.get_title(loc="left")
        assert title.endswith(f"theory {exponent}".replace("-", "\N{MINUS SIGN}")) or (case, exponent) == ("held", "0")


def test_a_title_says_the_exponent_that_is_drawn_and_whose_it_is() -> None:
    said = {case: [ax.get_title(loc="left") for ax in panels(case)] for case in CASES}
    assert said["one budget"][1:] == [r"(b) $\eta \sim T^{0.00}$, assumed", r"(c) $b \sim T^{0.50}$, assumed"]
    assert said["at the border"][3] == r"(d) $b \sim T^{0.50}$, border"
    assert said["one budget, at the border"][2] == r"(c) $b \sim T^{0.50}$, border"
    assert said["held"][3] == r"(d) $b \sim T^{0.00}$, held"
    assert said["one batch size"][:2] == ["(a) $K$ = 4k", "(b) $K$ = 8k"]
    found, _, _ = drawn("one batch size")
    assert said["one batch size"][4].startswith(rf"(e) $\eta \sim K^{{{found.exponents[0].value:.2f}}}$, theory")


def test_what_lies_at_the_border_is_hollow() -> None:
    for case, edge in (("at the border", True), ("held", False)):
        ax = panels(case)[-1]
        (star,) = (line for line in ax.lines if str(line.get_label()).startswith("prediction"))
        assert (star.get_markerfacecolor() == "white") == edge
        assert ("at the border" in str(star.get_label())) == edge


def test_runs_that_are_too_low_are_drawn_as_such() -> None:
    runs = simulated((1.0, 4.0), (7, 7), 3.0)
    best = int(np.argmin(runs["loss"]))
    runs["loss"][best + 1] = runs["loss"][best] - 0.1
    found = fit(runs)
    low = np.concatenate([at(ax, "runs, too low") for ax in draw(found, ()).axes])
    assert_allclose(low, [[runs["eta"][best + 1], runs["b"][best + 1]]])
    # Nor is it the best run of its budget.
    of_budget = np.isclose(runs["T"], runs["T"][best + 1]) & (np.arange(len(runs["T"])) != best + 1)
    honest = int(np.argmin(np.where(of_budget, runs["loss"], np.inf)))
    shown = [points[np.isclose(points[:, 0], runs["T"][honest], rtol=0.01), 1]
             for ax in draw(found, ()).axes if len(points := at(ax, "best run"))]  # fmt: skip
    assert_allclose(np.ravel(shown), [runs[v][honest] for v in ("eta", "b")])


def test_an_ellipse_holds_its_share_of_a_normal_distribution() -> None:
    """Of two dimensions the share within r standard deviations is 1 - exp(-r^2/2)."""
    spread, level = np.array([[1.0, 0.6], [0.6, 0.5]]), 0.8
    normal = np.random.default_rng(0).multivariate_normal([1.0, 2.0], spread, 20000)
    ring = ellipse(normal, np.array([1.0, 2.0]), level, 721)
    # Clipped tails move the axes' lengths alike; a quantile of 20,000 is sure to 1% of the radius.
    assert_allclose(np.ptp(ring, axis=1) / 2, np.sqrt(-2 * np.log(1 - level) * np.diag(spread)), rtol=0.03)
    assert_allclose(Outline(ring.T).contains_points(normal).mean(), level, atol=1e-3)


def test_an_ellipse_of_one_direction_is_a_line() -> None:
    off = np.random.default_rng(0).standard_normal(1000)
    ring = ellipse(np.column_stack([off, 0 * off]), np.zeros(2), 0.8, 61)
    assert_allclose(ring[1], 0.0, atol=1e-9)
    assert_allclose(ring[0].max(), np.quantile(np.abs(off), 0.8))


@pytest.mark.parametrize(("name", "start"), [("fit.png", b"\x89PNG"), ("fit.pdf", b"%PDF"), ("fit.svg", b"<?xml")])
def test_the_command_writes_it(name: str, start: bytes, tmp_path: Path, capsys: Capture) -> None:
    printed("fit", capsys, str(RUNS), "--predict", "96000", "--plot", str(tmp_path / name))
    assert (tmp_path / name).read_bytes().startswith(start)
