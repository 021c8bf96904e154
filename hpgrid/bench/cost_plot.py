"""Cost against work: a panel a task, a line a contender, and the floors that the device's ceilings set."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hpgrid.bench.grid_search import Outcome
from hpgrid.bench.tasks import CONTENDERS, HPGRID, TASKS
from hpgrid.plotting.style import OPTIMUM, legend_below, letter, log_axes, named, new_figure, short, styled

#: Colours that the colour blind tell apart, and markers for grey print.
_LOOKS: Mapping[str, tuple[str, str]] = {
    "numpy_printed": ("#0072B2", "s"),
    "numpy_factored": ("#56B4E9", "D"),
    "numpy_factored_last": ("#1f3b5c", "v"),
    "numexpr": ("#009E73", "^"),
    "numexpr_factored": ("#7fce5b", "h"),
    "vmaps": ("#E69F00", "P"),
    "torch": ("#D55E00", "X"),
    "numba": ("0.25", "<"),
    "hpgrid_exact": ("#CC79A7", "*"),
    HPGRID.name: (OPTIMUM, "o"),
}

#: The floors that are drawn, their lines and their names. That of memory alone lies far below.
_FLOORS: Mapping[str, tuple[str, str]] = {
    "arithmetic": ("-", "floor of arithmetic"),
    "handed on": (":", "floor of memory, carries included"),
}


def draw(outcomes: Sequence[Outcome]) -> Figure:
    """Return the figure of seconds (medians) against points searched, for hpgrid and the others."""
    tasks = [task for task in TASKS if any(outcome.task == task for outcome in outcomes)]
    columns = min(2, len(tasks))
    rows = math.ceil(len(tasks) / columns)
    with styled():
        figure, panels = new_figure(rows, columns, (3.5 * columns, 2.6 * rows + 0.9))
        # Ranges that all panels share, with space around what is drawn.
        points = [outcome.points for outcome in outcomes]
        seconds = [row.median_s for outcome in outcomes for row in outcome.rows.values()]
        seconds += [outcome.floors[name] for outcome in outcomes for name in _FLOORS]
        limits = (min(points) / 2, max(points) * 2), (min(seconds) / 2, max(seconds) * 2)
        for k, (axes, task) in enumerate(zip(panels, tasks)):
            _panel(axes, [outcome for outcome in outcomes if outcome.task == task], limits)
            over, remaining = _tuple(TASKS[task].over), _tuple((*TASKS[task].remaining, "T"))
            letter(axes, k, f"{task}: best {over} for every {remaining}")
        for axes in panels[len(tasks) :]:
            axes.remove()
        # Every line is named once, hpgrid's first and the floors last.
        found, floors = named(panels[: len(tasks)]), [label for _, label in _FLOORS.values()]
        order = sorted(found, key=lambda label: (label in floors, label != HPGRID.label))
        legend_below(figure, {label: found[label] for label in order}, 1 + columns)
    return figure


def _tuple(names: Sequence[str]) -> str:
    """Symbols in parentheses, or one without: $(\\eta, b)$."""
    listed = ", ".join(short(name) for name in names)
    return f"${listed}$" if len(names) == 1 else f"$({listed})$"


def _panel(axes: Axes, outcomes: Sequence[Outcome], limits: tuple[tuple[float, float], tuple[float, float]]) -> None:
    """Draw one task: floors below all, hpgrid above all."""
    for name, (style, label) in _FLOORS.items():
        # A floor goes as the number of points, but for what is shared by a line of them: on from either end.
        x = [limits[0][0], *(outcome.points for outcome in outcomes), limits[0][1]]
        floors = [outcome.floors[name] for outcome in outcomes]
        y = [floors[0] * x[0] / x[1], *floors, floors[-1] * x[-1] / x[-2]]
        axes.plot(x, y, style, color="0.6", linewidth=1.1, label=label, zorder=1)
    for name, contender in CONTENDERS.items():
        rows = [(outcome.points, outcome.rows[name].median_s) for outcome in outcomes if name in outcome.rows]
        if not rows:
            continue
        color, marker = _LOOKS[name]
        ours = name == HPGRID.name
        axes.plot(
            *zip(*rows), color=color, marker=marker, markersize=5.5 if ours else 4.5, linewidth=2.0 if ours else 1.0,
            markeredgecolor="white", markeredgewidth=0.5, label=contender.label, zorder=5 if ours else 3,
        )  # fmt: skip
    log_axes(axes, *limits, ("points", "seconds"))
