"""The plot of cost against work: what it holds."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from hpgrid.bench import picture
from hpgrid.bench.agreement import Agreement
from hpgrid.bench.contenders import CONTENDERS
from hpgrid.bench.measure import Fresh
from hpgrid.bench.needs import needs
from hpgrid.bench.report import Outcome, row
from hpgrid.bench.works import WORKS
from hpgrid.grid import Grid


def outcome(work: str, n: int, names: tuple[str, ...]) -> Outcome:
    first, agreement = Fresh(1.0, 100.0, 90.0), Agreement(n, n, 0, 0, 0, 0.0)
    rows = {
        name: row("", [1e-9 * n**4 * (k + 1)], [1e-9 * n**4], n**4, first=first, agreement=agreement)
        for k, name in enumerate(names)
    }
    ceilings = {"arithmetic": 5e10, "memory": 2e10}
    return Outcome(work, n, rows, {}, needs(work, Grid.footnote(n)), ceilings)


def test_every_contender_has_a_look_of_its_own() -> None:
    assert set(picture._LOOKS) == set(CONTENDERS)
    colors, markers = zip(*picture._LOOKS.values())
    assert len(set(map(to_rgb, colors))) == len(set(markers)) == len(CONTENDERS)


def test_it_has_a_panel_a_work_and_a_line_a_contender_with_hpgrid_on_top() -> None:
    outcomes = [outcome(work, n, ("hpgrid", "numpy_printed")) for work in ("R1", "R3", "R4") for n in (10, 20)]
    figure = picture.draw(outcomes)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        r"(a) R1: best $(\eta, b, \alpha)$ for every $T$",
        r"(b) R3: best $(\eta, \alpha)$ for every $(b, T)$",
        r"(c) R4: best $\eta$ for every $(b, \alpha, T)$",
    ]
    for axes, work in zip(figure.axes, ("R1", "R3", "R4")):
        assert axes.get_xscale() == axes.get_yscale() == "log"
        lines = {str(line.get_label()): line for line in axes.get_lines()}
        ours = lines[CONTENDERS["hpgrid"].label]
        assert np.array_equal(ours.get_xdata(), [10**4, 20**4])
        assert np.allclose(ours.get_ydata(), [1e-5, 1.6e-4])
        assert ours.get_zorder() == max(line.get_zorder() for line in lines.values())
        mine = [o for o in outcomes if o.work == work]
        for name, (_, label) in picture._FLOORS.items():
            drawn = lines[label].get_ydata()
            assert np.allclose(drawn[1:-1], [o.floors[name] for o in mine])
            assert lines[label].get_xdata()[0] == axes.get_xlim()[0]
            assert drawn[0] == pytest.approx(mine[0].floors[name] / 2)  # half the points
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels[0] == CONTENDERS["hpgrid"].label
    assert set(labels[-2:]) == {label for _, label in picture._FLOORS.values()}


@pytest.mark.parametrize("works", [("R2",), tuple(WORKS)])
def test_one_size_and_any_number_of_works_can_be_drawn(works: tuple[str, ...]) -> None:
    figure = picture.draw([outcome(work, 10, tuple(CONTENDERS)) for work in works])
    assert len(figure.axes) == len(works)
    for axes in figure.axes:
        assert len(axes.get_lines()) == len(CONTENDERS) + len(picture._FLOORS)
