"""The picture of a sweep holds the sweep's own numbers, its edge cells, and the laws that it is held against."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Capture, refused, status
from golden import SWEEP
from matplotlib.collections import PolyCollection, QuadMesh
from matplotlib.figure import Figure

import hpgrid
from hpgrid.sweeps.plan import parse
from hpgrid.sweeps.sweep_maps import View, draw
from hpgrid.theory import theorems

FIRST, *OTHERS = tomllib.loads(SWEEP)["regime"]
PLAN: dict[str, Any] = {
    "bound": "lmo",
    "constants": {"C1": 1.0, "C2": {"lo": 1e-1, "hi": 1e3, "n": 6}, "C3": {"lo": 1e-2, "hi": 1e2, "n": 5}},
    "grid": {"n": 16},
    "regime": [*OTHERS, FIRST],
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("drawn") / "run.zarr"
    hpgrid.sweep(PLAN, path)
    return path


@pytest.fixture(scope="module")
def data(store: Path) -> Any:
    return hpgrid.open_sweep(store)


def maps_of(figure: Figure) -> list[Any]:
    return [mesh.get_array() for ax in figure.axes[:3] for mesh in ax.collections if isinstance(mesh, QuadMesh)]


def test_the_maps_are_of_the_slope_the_burn_in_and_the_best_value(data: Any) -> None:
    one = data.sel(regime="fixed momentum")
    slope, burned, best = maps_of(draw(data, View(budget=1e12)))
    near = float(data["T"][np.abs(np.log(data["T"].values / 1e12)).argmin()])
    np.testing.assert_array_equal(slope.filled(np.nan), one.slope_star.sel(quantity="b").values.T)
    np.testing.assert_array_equal(burned.filled(np.nan), one.burn_in_star.sel(hyperparameter="b").values.T)
    np.testing.assert_array_equal(best.filled(np.nan), one.b_star.sel({"T": near}).values.T)


def test_cells_at_the_edge_are_hatched_and_only_they(data: Any) -> None:
    figure = draw(data, View(regime="fixed batch size"))
    hatched = [c for c in figure.axes[2].collections if isinstance(c, PolyCollection) and c.get_hatch()]
    last = data.sel(regime="fixed batch size", T=data["T"][-1])
    edge = (last.eta_edge | last.alpha_edge).values
    assert 0 < edge.sum() < edge.size
    assert sum(len(c.get_paths()) for c in hatched) == edge.sum()


@pytest.mark.parametrize(
    ("regime", "v", "theory"),
    [
        ("fixed momentum", "b", lambda T, C2, C3: theorems.theorem1_b(T, 1e-3, 1.0, C2, C3) / T**0.5),
        ("fixed momentum", "eta", lambda T, C2, C3: theorems.theorem1_eta(T, 1e-3, 1.0, C2, C3) * T**0.25),
        ("fixed batch size", "alpha", lambda T, C2, C3: theorems.theorem2_alpha(T, 1072, 1.0, C2, C3) * T**0.5),
        ("fixed batch size", "eta", lambda T, C2, C3: theorems.theorem2_eta(T, 1072, 1.0, C2, C3) * T**0.75),
    ],
)
def test_the_dashed_prefactors_are_those_of_the_papers_proofs(data: Any, regime: str, v: str, theory: Any) -> None:
    """Appendices B.1 and B.2, which share no code with the exact laws that are drawn."""
    figure = draw(data, View(regime=regime))
    (axes,) = (ax for ax in figure.axes if ax.get_title(loc="left").startswith(f"({'f' if v == 'eta' else 'e'})"))
    dashed = [line for line in axes.lines if line.get_label() == "exact law"]
    C2, T = data.C2.values, float(data["T"][-1])
    assert len(dashed) == len(data.C3)
    for line, C3 in zip(dashed, data.C3.values):
        np.testing.assert_allclose(line.get_ydata(), theory(T, C2, float(C3)), rtol=1e-9)


def test_one_constant_is_drawn_along_without_maps(data: Any) -> None:
    figure = draw(data, View(pair=("C2",), at={"C3": 1.0}))
    assert len(figure.axes) == 3
    slopes = {line.get_label(): line.get_ydata() for line in figure.axes[0].lines}
    own = data.sel(regime="fixed momentum", C3=1.0, quantity="b")
    np.testing.assert_array_equal(slopes["$b$"], own.slope_star.values)


@pytest.mark.parametrize(
    ("view", "message"),
    [
        (View(regime="all tund"), "no regime of this sweep.*Write 'all tuned'"),
        (View(quantity="alpha"), "no hyperparameter that this regime tunes"),
        (View(pair=("C2", "C4")), "no swept constant"),
        (View(pair=("C2", "C2")), "over one constant or two"),
        (View(pair=("C2",), at={"C3": 0.3}), "the sweep has no C3 of this value"),
        (View(at={"C1": 1.0}), "neither drawn nor single"),
    ],
)
def test_a_view_that_the_sweep_lacks_is_refused(data: Any, view: View, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw(data, view)


def test_rows_are_no_map(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("C1,C2\n1,10\n2,20\n")
    plan = parse({"bound": "lmo", "rows": "t.csv", "grid": {"n": 16}, "regime": FIRST}, tmp_path)
    with pytest.raises(ValueError, match="this sweep has rows"):
        draw(hpgrid.sweep(plan, tmp_path / "rows.zarr"), View())


def test_the_command_draws_beside_the_store_or_where_one_says(store: Path, tmp_path: Path) -> None:
    assert status("plot-sweep", store) == 0
    assert store.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert (
        status(
            "plot-sweep",
            store,
            "--out",
            tmp_path / "own.pdf",
            "--regime",
            "all tuned",
            "--pair",
            "C3,C2",
            "--T",
            "1e12",
        )
        == 0
    )
    assert (tmp_path / "own.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [(["--out", "x.gif"], "picture format"), (["--T", "-1"], "budget is positive"), (["--at", "C1"], "NAME=VALUE")],
)
def test_the_command_refuses_what_is_wrong_in_one_line(
    store: Path, capsys: Capture, wrong: list[str], words: str
) -> None:
    refused("plot-sweep", capsys, [store, *wrong], words)
