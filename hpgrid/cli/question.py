"""What commands are told beside their bound: what is held, on a path, capped, and a grid."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from hpgrid.checks import AXES, TUNABLE, bad, check_choice
from hpgrid.cli import given
from hpgrid.config import PRESETS, GridConfig, parse_grid

#: The roles of hyperparameters.
Fix = Annotated[list[str] | None, Parameter(negative="", help="What is held, such as b=1072 or beta=0.999.")]
Follow = Annotated[
    list[str] | None,
    Parameter(negative="", help="What follows the budget, such as b=T^1/2: after ^ one rational number."),
]
Cap = Annotated[list[str] | None, Parameter(negative="", help="Largest values, such as b=1e6.")]

#: The grid of a search or a plot.
Preset = Annotated[str, Parameter(help=f"The grid: {' or '.join(PRESETS)}.")]
Points = Annotated[int, Parameter(converter=given.whole, help="Points per axis.")]
Axes = Annotated[
    list[str] | None,
    Parameter(negative="", help="Axes of your own, LO:HI or LO:HI:N, such as eta=1e-6:1:50."),
]
Budget = Annotated[str, Parameter(help="T for tokens, K for iterations (1e2 to 1e16 unless --axis says otherwise).")]

#: Iterations on a grid of tokens: what Figure 11's config takes, the paper being silent.
ITERATIONS = {"lo": 1e2, "hi": 1e16}


def grid_config(preset: str, n: int, axes: list[str] | None, budget: str) -> GridConfig:
    """Return the grid that the options describe, checked, NumPy not loaded.

    Raises:
        ValueError: an unknown preset or axis, or an axis out of its range.
    """
    own: dict[str, Any] = given.pairs("--axis", axes, given.span, "eta=1e-6:1:50")
    for name in own:
        check_choice("axis", name, AXES)
    other = "K" if budget == "T" else "T"
    if other in own:
        raise bad(f"a search over {budget} has no axis {other}", own[other], f"{budget}=LO:HI, or --budget {other}")
    if budget == "K":
        own = {"K": ITERATIONS, **own}
    return parse_grid({"preset": preset, "n": n, **own})


def roles_of(fix: list[str] | None, path: list[str] | None, cap: list[str] | None, budget: str) -> dict[str, Any]:
    """Return what is held, on a path and capped, by the names that every route takes.

    Raises:
        ValueError: an option that can't be read, or a value out of its range.
    """
    return {
        "fixed": given.held(fix),
        "path": given.pairs("--path", path, given.path(budget), f"b={budget}^1/2"),
        "caps": given.pairs("--cap", cap, given.number, "b=1e6"),
    }


def tuned(option: str, said: list[str] | None) -> tuple[str, ...]:
    """Return the variables that an option tunes, in canonical order.

    Raises:
        ValueError: none, or one that is no hyperparameter.
    """
    names = given.hyperparameters(said)
    if not names:
        raise bad("something is tuned", "nothing", f"{option} eta,b, say")
    return tuple(v for v in TUNABLE if v in names)
