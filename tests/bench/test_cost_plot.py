"""The plot of cost against work: what it holds."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from hpgrid.bench import cost_plot
from hpgrid.bench.grid_search import Outcome, row
from hpgrid.bench.harness import Agreement, Fresh
from hpgrid.bench.roofline import task_count
from hpgrid.bench.tasks import CONTENDERS, TASKS
from hpgrid.grid import Grid


def outcome(task: str, n: int, names: tuple[str, ...]) -> Outcome:
    first, agreement = Fresh(1.0, 100.0, 90.0), Agreement(n, n, 0, 0, 0, 0.0)
    rows = {
        name: row("", [1e-9 * n**4 * (k + 1)], [1e-9 * n**4], n**4, first, agreement) for k, name in enumerate(names)
    }
    ceilings = {"arithmetic": 5e10, "memory": 2e10}
    return Outcome(task, n, rows, {}, task_count(task, Grid.footnote(n)), ceilings)


def test_every_contender_has_a_look_of_its_own() -> None:
    assert set(cost_plot._LOOKS) == set(CONTENDERS)
    colors, markers = zip(*cost_plot._LOOKS.values())
    assert len(set(map(to_rgb, colors))) == len(set(markers)) == len(CONTENDERS)


def test_it_has_a_panel_a_task_and_a_line_a_contender_with_hpgrid_on_top() -> None:
    outcomes = [outcome(task, n, ("hpgrid", "numpy_printed")) for task in ("R1", "R3", "R4") for n in (10, 20)]
    figure = cost_plot.draw(outcomes)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        r"(a) R1: best $(\eta, b, \alpha)$ for every $T$",
        r"(b) R3: best $(\eta, \alpha)$ for every $(b, T)$",
        r"(c) R4: best $\eta$ for every $(b, \alpha, T)$",
    ]
    for axes, task in zip(figure.axes, ("R1", "R3", "R4")):
        assert axes.get_xscale() == axes.get_yscale() == "log"
        lines = {str(line.get_label()): line for line in axes.get_lines()}
        ours = lines[CONTENDERS["hpgrid"].label]
        assert np.array_equal(ours.get_xdata(), [10**4, 20**4])
        assert np.allclose(ours.get_ydata(), [1e-5, 1.6e-4])
        assert ours.get_zorder() == max(line.get_zorder() for line in lines.values())
        mine = [o for o in outcomes if o.task == task]
        for name, (_, label) in cost_plot._FLOORS.items():
            drawn = lines[label].get_ydata()
            assert np.allclose(drawn[1:-1], [o.floors[name] for o in mine])
            assert lines[label].get_xdata()[0] == axes.get_xlim()[0]
            assert drawn[0] == pytest.approx(mine[0].floors[name] / 2)  # half the points
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels[0] == CONTENDERS["hpgrid"].label
    assert set(labels[-2:]) == {label for _, label in cost_plot._FLOORS.values()}


@pytest.mark.parametrize("tasks", [("R2",), tuple(TASKS)])
def test_one_size_and_any_number_of_tasks_can_be_drawn(tasks: tuple[str, ...]) -> None:
    figure = cost_plot.draw([outcome(task, 10, tuple(CONTENDERS)) for task in tasks])
    assert len(figure.axes) == len(tasks)
    for axes in figure.axes:
        assert len(axes.get_lines()) == len(CONTENDERS) + len(cost_plot._FLOORS)
