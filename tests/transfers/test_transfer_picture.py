"""The picture of a transfer: what it holds."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

import hpgrid
from hpgrid.transfers.transfer import Transfer

START = {"eta": 3e-4, "b": 128, "beta": 0.95, "T": 2.5e9}
WIDE: dict[str, Any] = {"start": {"eta": 3e-4, "b": 1, "beta": 0.999999, "T": 1e3}, "to": 1e22}
WITHOUT = {**START, "beta": 0}

DRAWN: dict[str, tuple[Transfer, Figure]] = {}


def drawn(**more: Any) -> tuple[Transfer, Figure]:
    """What is asked more than once is drawn once."""
    if repr(more) not in DRAWN:
        answer = hpgrid.transfer(**{"start": START, "to": 1e12, "seq_len": 4096, **more})
        DRAWN[repr(more)] = answer, answer.figure()
    return DRAWN[repr(more)]


def lines(axes: Axes) -> dict[str, Any]:
    return {line.get_label(): line for line in axes.lines if not line.get_label().startswith("_")}


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("more", [{}, {"max_b": 60, "max_eta": 1e-4}, {"to_b": 1000}])
def test_a_panel_each_with_a_line_per_regime_from_the_old_budget_to_the_new(more: dict[str, Any]) -> None:
    """From the start itself, even where it is not feasible."""
    answer, figure = drawn(**more)
    assert [axes.get_title(loc="left")[:3] for axes in figure.axes] == ["(a)", "(b)", "(c)"]
    for axes, name, unit in zip(figure.axes, ("eta", "b", "alpha"), (1, 4096, 1)):
        own = lines(axes)
        assert set(own) == {"A", "B", "C", "D", "start"}
        assert own["start"].get_xydata().tolist() == [[2.5e9, getattr(answer.start, name) / unit]]
        for row in answer.rows:
            x, y = own[row.regime].get_data()
            assert (x[0], x[-1]) == (2.5e9, 1e12)
            assert y[0] == getattr(answer.start, name) / unit
            assert y[-1] == pytest.approx(getattr(row.at, name) / unit, rel=1e-12)
        assert axes.get_xscale() == axes.get_yscale() == "log"
    assert [axes.get_xlabel() for axes in figure.axes] == ["token budget $T$"] * 3
    assert figure.axes[1].get_ylabel() == "batch size $b$, sequences"


def test_beta_is_what_is_read_and_rises_upward() -> None:
    axes = drawn()[1].axes[2]
    bottom, top = axes.get_ylim()
    assert bottom > top  # 1 - beta, which falls
    ticks = [axes.yaxis.get_major_formatter()(value) for value in axes.get_yticks()]
    assert {"0.95", "0.99"} <= set(ticks)
    assert "A, C: 0.95" in texts(axes)


def test_limits_are_hatched_and_the_lines_bend_there() -> None:
    _, figure = drawn(max_b=512, max_eta=2e-4)
    eta, b, _ = figure.axes
    assert r"largest $\eta$" in texts(eta)
    assert "largest $b$" in texts(b)
    for axes, cap in ((eta, 2e-4), (b, 512)):
        (patch,) = [patch for patch in axes.patches if patch.get_hatch()]
        assert patch.get_y() == pytest.approx(cap)
        assert max(axes.get_ylim()) > cap
        assert max(lines(axes)["C"].get_ydata()[1:]) == pytest.approx(cap), "but for the start itself"
    T, capped = lines(b)["C"].get_xydata()[1:].T
    slopes = np.diff(np.log(capped)) / np.diff(np.log(T))
    assert slopes[-1] == pytest.approx(0.0, abs=1e-9)
    bends = np.flatnonzero(np.abs(np.diff(slopes)) > 1e-6)
    assert bends.size > 0
    assert np.interp(512 - 1e-6, capped, T) < 1e12
    far = drawn(max_eta=1.0, regime="C")[1].axes[0]
    assert not far.patches, "a limit far from everything is left out"
    assert max(far.get_ylim()) < 1e-3


def test_what_is_named_as_a_limit_is_hatched_and_nothing_else() -> None:
    """Two sequences are 0.3 decades above b = 1, out of its sight, but for the room around fifteen decades of b."""
    _, figure = drawn(start={**START, "b": 2, "T": 1e6}, to=1e36)
    for axes in figure.axes:
        named = [text for text in texts(axes) if text in ("$b=1$", r"$\beta=0$")]
        assert len(named) == len([patch for patch in axes.patches if patch.get_hatch()])
    assert "$b=1$" in texts(figure.axes[1])


def test_the_ends_have_their_values_which_rounding_moves() -> None:
    answer, figure = drawn(round_b="pow2")
    said = texts(figure.axes[1])
    assert "A, B: 128" in said
    assert f"D: {answer.rows[3].at.b / 4096:g}" in said
    marks = [line.get_ydata()[0] for line in figure.axes[1].lines if line.get_marker() == "s"]
    assert marks == [row.at.b / 4096 for row in answer.rows]
    assert lines(figure.axes[1])["D"].get_ydata()[-1] != answer.rows[3].at.b / 4096


ASKED: list[dict[str, Any]] = [
    {}, {"to": 1e5}, {"to": 2.51e9}, {"to": 2.50001e9}, WIDE, {"start": WITHOUT}, {"start": WITHOUT, "to": 1e6},
    {"max_b": 60, "max_eta": 1e-4}, {"start": {"eta": 3e-4, "b": 128, "T": 2.5e9}, "to": 3e9, "regime": "C"},
]  # fmt: skip


@pytest.mark.parametrize("asked", ASKED)
def test_what_is_written_overlaps_nothing_and_is_inside(asked: dict[str, Any]) -> None:
    """An axis has two ticks or more, with labels of their own; the ends have theirs."""
    _, figure = drawn(**asked)
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)  # texts have their places
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
            assert len({tick.label1.get_text() for tick in ticks}) == len(ticks) >= 2
            boxes = [tick.label1.get_window_extent(renderer) for tick in ticks]
            assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
        ends = [text for text in axes.texts if ":" in text.get_text()]
        # Of the text alone, without the line to it.
        boxes = sorted((Text.get_window_extent(text, renderer) for text in ends), key=lambda box: box.y0)
        assert all(low.y1 <= high.y0 + 1 for low, high in pairwise(boxes))
        panel = axes.get_window_extent(renderer)
        assert all(panel.x0 + 1 < box.x0 and box.x1 < panel.x1 for box in boxes), "clear of the y axis, too"
        marks = [axes.transData.transform((x.get_xdata()[0], 1.0)) for x in axes.lines if x.get_marker() == "s"]
        assert all(box.x1 < x or x < box.x0 for box in boxes for x, _ in marks)
        limits = [text.get_bbox_patch().get_window_extent() for text in axes.texts if ":" not in text.get_text()]
        assert not any(box.overlaps(limit) for box in boxes for limit in limits)
    if len(figure.axes) == 3:
        assert all(value <= 1 for value in figure.axes[2].get_yticks()), "no beta below 0"


def test_only_what_is_known_and_asked_for_is_drawn_and_one_regime_keeps_its_look() -> None:
    (known,) = hpgrid.transfer({"eta": 3e-4, "T": 1e9}, 1e10).figure().axes
    assert set(lines(known)) == {"A", "start"}
    alone, among = drawn(regime="C")[1], drawn()[1]
    looks = {name: (line.get_color(), line.get_linewidth()) for name, line in lines(among.axes[0]).items()}
    assert len(set(looks.values())) == len(looks)
    assert lines(alone.axes[0])["C"].get_color() == looks["C"][0]
    assert set(lines(alone.axes[0])) == {"C", "start"}
