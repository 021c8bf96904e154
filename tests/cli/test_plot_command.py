"""``hpgrid plot``: each layout, for any bound, with lines that are that bound's own."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import commands
import numpy as np
import pytest
from commands import Capture
from matplotlib.figure import Figure

from hpgrid import bounds, exponents
from hpgrid.cli import main
from hpgrid.cli.options import grid_config
from hpgrid.cli.plot import fitted, panels_of
from hpgrid.config import BoundConfig, Config
from hpgrid.paper import compute, draw
from hpgrid.paper.data import FigureData

printed = partial(commands.printed, "plot")


def drawn(
    bound: str, layout: str, tune: list[str], fix: list[str] | None = None, *, budget: str = "T", refined: bool = False
) -> tuple[FigureData, Figure]:
    """A figure as the command makes it, on a small grid."""
    panels = panels_of(layout, tune, fix)
    config = Config(layout, BoundConfig(bound), grid_config("footnote", 24, None, budget), panels, refined=refined)
    data = compute(fitted(config, budget), "own")
    return data, draw(data)


def dashed(figure: Figure, panel: int) -> list:
    return [line for line in figure.axes[panel].lines if line.get_linestyle() == "--"]


def labels(figure: Figure) -> list[str]:
    return [axes.get_ylabel() for axes in figure.axes if not axes.get_ylabel().startswith("best risk")]


def test_eta_and_one_more_have_figure_1s_layout_with_the_bounds_own_laws() -> None:
    """eq. (11) has other constants than eq. (4): the lines are at its own, not through the middle of the curve."""
    data, figure = drawn("lmo_exact", "curves", ["eta,b"], ["beta=0.999"])
    law = exponents(bounds.lmo_exact(), ("eta", "b"), fixed={"alpha": 1e-3})
    T = data.arrays["T"]
    for panel, v in ((2, "b"), (3, "eta")):
        (line,) = dashed(figure, panel)
        inside = np.isfinite(line.get_ydata())
        np.testing.assert_allclose(line.get_ydata()[inside], law.laws[v].at(T)[inside], rtol=1e-12)
        assert line.get_label() == f"$T^{{{law.exponent[v]}}}$"
        star = data.arrays[f"{v}_hat"]
        assert abs(np.log(line.get_ydata()[-1] / star[-1])) < np.log(1e4 / 1e-15) / 23
    assert figure.axes[0].get_title(loc="left") == r"(a) fixed $b$, best $\eta$ ($\beta=0.999$)"
    assert [check.holds for check in data.checks if "risk" in check.what] == [True]


def test_all_three_have_figure_9s_layout() -> None:
    data, figure = drawn("lmo", "curves", ["eta,b,alpha"])
    assert labels(figure) == ["risk", "batch size $b$", r"momentum complement $\alpha$", r"learning rate $\eta$"]
    assert all(len(dashed(figure, k)) == 1 for k in range(4))
    assert {check.what.removeprefix("slope of ") for check in data.checks} == {
        *("risk", "eta", "b", "alpha", "eta/b", "alpha/b")
    }


@pytest.mark.parametrize(
    ("tune", "fix", "panels"),
    [
        (["b,alpha"], ["eta=1e-4"], ["risk", "batch size $b$", r"momentum complement $\alpha$"]),
        (["eta"], ["alpha=0.1,b=32"], ["risk", r"learning rate $\eta$"]),
    ],
)
def test_other_regimes_have_a_panel_each(tune: list[str], fix: list[str], panels: list[str]) -> None:
    _, figure = drawn("lmo", "curves", tune, fix)
    assert labels(figure) == panels
    assert "=" in figure.axes[0].get_title(loc="left")


def test_a_function_has_no_predicted_lines() -> None:
    data, figure = drawn("frank_wolfe", "curves", ["eta,b"], ["beta=0.95"])
    assert data.checks == ()
    assert "sum of powers" in data.notes["no_prediction"]
    assert not any(dashed(figure, k) for k in range(4))


def test_what_is_open_has_no_line_and_nothing_held_is_no_empty_title() -> None:
    data, figure = drawn("sgd", "curves", ["eta,b"])
    assert list(data.notes["exponents"]) == ["risk"]
    assert [len(dashed(figure, k)) for k in range(4)] == [1, 1, 0, 0]
    assert figure.axes[0].get_title(loc="left") == r"(a) fixed $b$, best $\eta$"


def test_what_runs_off_has_a_label_in_its_panel_in_place_of_a_curve(capsys: Capture, tmp_path: Path) -> None:
    """Of the LMO proxy in iterations, b grows for ever; of C/(eta T), eta, which the law alone says, too."""
    _, figure = drawn("lmo", "curves", ["eta,b,alpha"], budget="K", refined=True)
    said = [[text.get_text() for text in axes.texts] for axes in figure.axes]
    assert said == [[], ["$b$ has no best value:\nthe risk falls for ever as $b$ grows"], [], []]
    for k, more in enumerate(([], ["--no-refined"])):
        out = tmp_path / f"{k}.svg"
        printed(capsys, "--bound", "C/(eta*T)", "--set", "C=1", "--tune", "eta", "--n", 12, "--out", out, *more)
        assert {file.suffix for file in tmp_path.glob(f"{k}.*")} == {".svg", ".npz", ".json"}
        with np.load(out.with_suffix(".npz")) as arrays:
            assert (arrays["eta_limit"] == np.inf).all()


def test_where_drawing_fails_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("hpgrid.paper.draw", fails)
    with pytest.raises(RuntimeError):
        main(
            [
                "plot",
                "--bound",
                "C/eta + eta/T",
                "--tune",
                "eta",
                "--n",
                "12",
                "--set",
                "C=1",
                "--out",
                f"{tmp_path}/a.png",
            ]
        )
    assert list(tmp_path.iterdir()) == []


def test_contours_have_a_panel_for_each_fix_and_the_best_batchs_own_law() -> None:
    data, figure = drawn("lmo", "contours", ["eta"], ["alpha=0.001", "beta=0.9"])
    titles = [axes.get_title(loc="left") for axes in figure.axes[:2]]
    assert titles == [r"(a) $\beta=0.999$", r"(b) $\beta=0.9$"]
    assert figure.axes[0].get_xlabel() == "token budget $T$"
    assert data.notes["predicted_best"] == ["1/2", "1/2"]
    for k, alpha in enumerate((1e-3, 0.1)):
        law = exponents(bounds.lmo(), ("eta", "b"), fixed={"alpha": alpha}).laws["b"].at(data.arrays[f"budget_{k}"])
        (line,) = (each for each in figure.axes[k].lines if each.get_label() == "predicted best $b$")
        inside = law >= 1
        np.testing.assert_allclose(line.get_ydata()[inside], law[inside], rtol=1e-12)
        assert np.isnan(line.get_ydata()[~inside]).all()


def test_contours_over_iterations_and_regimes_that_differ() -> None:
    data, figure = drawn("lmo", "contours", ["eta,alpha", "eta"], ["alpha=0.001"], budget="K")
    assert [axes.get_title(loc="left") for axes in figure.axes[:2]] == [
        r"(a) best $\eta, \alpha$",
        r"(b) $\beta=0.999$",
    ]
    assert figure.axes[0].get_xlabel() == "iterations $K$"
    assert data.notes["predicted_best"] == [None, None]
    assert data.arrays["budget_0"][[0, -1]].tolist() == [1e2, 1e16]


def test_contours_have_the_one_variable_without_a_role_on_their_axis() -> None:
    """alpha of eq. (4), whose joint law is T^(-1/3); local steps, which have no best value in rounds."""
    data, figure = drawn("lmo", "contours", ["eta,b"], [])
    assert (data.notes["axis"], data.notes["predicted_best"]) == ("alpha", ["-1/3"])
    assert figure.axes[0].get_ylabel() == r"momentum complement $\alpha$"


def test_contours_of_eq_4_renamed_are_those_of_eq_4(tmp_path: Path) -> None:
    """What is on the axis has whatever name: the same risks to the last bit, but for the cells of K < 1 in levels."""
    shown = ["--layout", "contours", "--n", "12", "--tune"]
    terms = "C1/(step*K) + C2*(mix/batch)**(1/2) + C2*batch**(1/2)/(mix*T) + C3*step*(1 + 1/mix)"
    declared = [x for v in ("step > 0", "batch >= 1", "0 < mix <= 1", "T = K*batch") for x in ("--var", v)]
    renamed = ["--fix", "mix=0.001", "--set", "C1=1,C2=1,C3=1", "--axis", "step=1e-15:1e4,batch=1:1e15"]
    out = {name: ["--out", str(tmp_path / f"{name}.png")] for name in ("own", "other")}
    assert commands.status("plot", "lmo", *shown, "eta", "--fix", "alpha=0.001", *out["own"]) == 0
    assert commands.status("plot", "--bound", terms, *declared, *shown, "step", *renamed, *out["other"]) == 0
    own, other = (np.load(tmp_path / f"{name}.npz") for name in ("own", "other"))
    np.testing.assert_array_equal(own["b_0"], other["batch_0"])
    np.testing.assert_allclose(own["risk_0"], other["risk_0"], rtol=1e-15)


def test_the_command_leaves_picture_arrays_and_record_and_draws_again(capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "new" / "best.svg"
    first = printed(capsys, "lmo", "--tune", "eta,b", "--fix", "beta=0.999", "--n", "24", "--out", out)
    assert first.splitlines()[:3] == [str(out.with_suffix(kind)) for kind in (".npz", ".json", ".svg")]
    assert "predicted lines: risk ~ T^-1/4, eta ~ T^-1/4, b ~ T^1/2" in first
    record = json.loads(out.with_suffix(".json").read_text())
    assert record["config"]["panels"][0]["fixed"] == {"alpha": 0.001}
    picture = out.read_bytes()
    out.unlink()
    again = printed(capsys, "--redraw", "--out", out)
    assert again.splitlines()[1:] == first.splitlines()[3:]
    assert out.read_bytes() == picture


MISTAKES = {
    "lmo --tune eta,b --fix alpha=0.1": "a plot is written to a file. Given: 'no --out'. Write --out best.png, say.",
    "lmo --tune eta,b --fix alpha=0.1 --out x.gif": "no picture format of that name",
    "lmo --tune eta,b --fix alpha=0.1 --out x.png --layout lines": "no layout of that name",
    "lmo --tune eta,b --fix alpha=0.1 --out x.png --budget L": "no budget of that name",
    "lmo --out x.png": "at least one of eta, b, alpha must be tuned. Given: 'none'. Write eta, b as",
    "lmo --tune eta,b --out x.png": "alpha of the bound lmo is neither tuned nor fixed nor on a path",
    "sgd --tune eta,b --fix alpha=0.1 --out x.png": "the bound sgd does not depend on alpha",
    "lmo --tune eta,b,alpha --layout contours --out x.png": "contours have one variable on an axis",
    "lmo --tune eta --fix alpha=0.1,b=3 --layout contours --out x.png": "'none without a role'. Write one of the",
    "lmo --tune eta --tune eta --fix alpha=0.1 --fix alpha=0.2 --fix alpha=0.3 --layout contours --out x.png": (
        "each panel has a --tune and a --fix, or all share one"
    ),
    "lmo --tune eta --fix alpha=.1 --fix alpha=.2 --fix alpha=.3 --fix alpha=.4 --fix alpha=.5 --layout contours "
    "--out x.png": "four panels at most",
    "lmo --redraw --out x.png": "--redraw computes nothing, so it takes no bound",
    "--redraw --out x.png": "redrawing needs what a run has saved",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_mistakes_are_one_line_and_status_2_and_leave_no_file(
    capsys: Capture, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    commands.refused("plot", capsys, line.split(), MISTAKES[line], tmp_path)


@pytest.mark.parametrize(("layout", "tune"), [("curves", "eta"), ("curves", "eta,b"), ("contours", "eta")])
def test_a_bound_that_is_nowhere_positive_has_nothing_to_draw(
    layout: str, tune: str, tmp_path: Path, capsys: Capture
) -> None:
    bound = "min(eta, 1) - eta - 1/T" if tune == "eta" and layout == "curves" else "min(eta, 1) - eta - b/T"
    arguments = [bound, "--layout", layout, "--tune", tune, "--n", "12", "--out", tmp_path / "p.png"]
    commands.refused("plot", capsys, arguments, "some best risk on the grid is positive and finite", tmp_path)


def test_the_legend_names_only_what_is_drawn() -> None:
    """eta and b of SGD have no best values, so that their refined optima are no lines."""
    _, figure = drawn("sgd", "curves", ["eta,b"], refined=True)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["grid argmin", "at the edge"]


def test_a_level_law_is_a_constant(tmp_path: Path, capsys: Capture) -> None:
    options = ("--no-refined", "--n", "12", "--out", tmp_path / "p.png")
    out = printed(capsys, "1/(eta*T) + eta + 0.1", "--tune", "eta", *options)
    assert "predicted lines: risk constant, eta ~ T^-1/2" in out
