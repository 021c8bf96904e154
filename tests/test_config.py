"""Configs: TOML to frozen data, and an answer to every mistake in one."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

from hpgrid.config import BoundConfig, Config, GridConfig, load, override, parse, shipped
from hpgrid.paper import FIGURES
from hpgrid.record import WRITTEN

REGIME = {"tuned": ["eta", "b"], "fixed": {"alpha": 1e-3}}


def config(**changes: object) -> dict:
    return {"figure": "fig1", "regime": REGIME} | changes


# --- what is shipped ---


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_a_config_that_names_it(name: str) -> None:
    shown = load(shipped(name))
    assert shown.figure == name
    assert shown.dtype == "float64"
    if shown.parameters:
        assert not shown.panels
        return
    grids = [shown.grid.build(panel.axes) for panel in shown.panels]
    assert {len(axis) for grid in grids for axis in grid.axes.values()} == {100}
    for panel, grid in zip(shown.panels, grids):
        proxy = shown.bound.build(grid.budget)
        assert set(proxy.variables()) == {*panel.tuned, *panel.fixed, *({"b"} - {*panel.fixed}), grid.budget}
        assert set(proxy.constants.values()) == {1.0}


def test_no_config_is_without_its_figure() -> None:
    assert {path.stem for path in shipped("fig1").parent.glob("*.toml")} == set(FIGURES)


@pytest.mark.parametrize(
    ("name", "fixed"),
    [
        *(("fig1", {"alpha": 1e-3}), ("fig5", {"alpha": 0.066}), ("fig6", {"alpha": 1e-4})),
        *(("fig2", {"b": 1072.0}), ("fig7", {"b": 32.0}), ("fig8", {"b": 35111.0}), ("fig9", {})),
    ],
)
def test_the_captions_values_are_fixed_as_they_are(name: str, fixed: dict) -> None:
    assert load(shipped(name)).panels[0].fixed == fixed


def test_reading_a_config_loads_no_array_library() -> None:
    code = (
        "import sys, hpgrid.config as c, hpgrid.paper as p\n"
        "[c.load(c.shipped(name)).describe() for name in p.FIGURES]\n"
        "assert not {'numpy', 'jax', 'jaxlib', 'scipy', 'matplotlib', 'rich'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


# --- what a file may say ---


def test_a_config_of_few_words_has_defaults() -> None:
    assert parse(config(regime={"tuned": ["b", "eta"]})) == Config(
        "fig1", BoundConfig("lmo"), GridConfig("footnote", 100), parse(config(regime={"tuned": ["eta", "b"]})).panels
    )


def test_everything_that_is_said_is_heard() -> None:
    found = parse(
        config(
            bound={"name": "lmo", "C2": 3, "q": "1/3", "burn_in": False},
            grid={"preset": "captions", "n": 7, "b": [1, 32, 1024], "eta": {"lo": 1e-3, "hi": 1, "n": 4}, "K": 1e6},
            window=[10, 1e3],
            curves=5,
            dtype="float32",
            refined=True,
        )
    )
    assert found.bound.constants == {"C2": 3.0}
    assert found.bound.build("K").form("T").constants == {"C1": 1.0, "C2": 3.0, "C3": 1.0}
    assert len(found.bound.build("T").terms) == 3
    grid = found.grid.build()
    assert (grid.budget, grid.K, len(grid.eta), len(grid.alpha)) == ("K", 1e6, 4, 7)
    assert list(grid.b.values) == [1.0, 32.0, 1024.0]
    assert grid.alpha.lo == 1e-9  # the captions' own
    assert (found.window, found.curves, found.dtype, found.refined) == ((10.0, 1e3), 5, "float32", True)


def test_panels_may_have_axes_and_titles_of_their_own() -> None:
    panels = [{"tuned": ["eta"], "fixed": {"alpha": 0.1}, "title": "left"}, {"tuned": ["eta"], "K": {"lo": 1, "hi": 9}}]
    data = {"figure": "fig11", "panel": panels}
    left, right = parse(data).panels
    assert (left.title, left.axes, right.title, right.axes) == ("left", {}, "", {"K": {"lo": 1.0, "hi": 9.0}})
    assert parse(data).grid.build(right.axes).budget == "K"


def test_a_config_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        parse(config()).figure = "fig2"  # type: ignore[misc]


# --- what it may not say ---

MISTAKES = {
    "unknown key": (config(curve=3), r"there is no key of that name\. Given: 'curve'\. Write 'curves'"),
    "no figure": ({"regime": REGIME}, "names its figure"),
    "figure is no text": (config(figure=1), "names its figure"),
    "neither regime nor panel": ({"figure": "fig1"}, r"one \[regime\] or some \[\[panel\]\]s"),
    "regime and panel": (config(panel=[REGIME]), r"one \[regime\] or some \[\[panel\]\]s"),
    "no panels": ({"figure": "fig1", "panel": []}, "array of tables"),
    "panels in a table": ({"figure": "fig1", "panel": REGIME}, "array of tables"),
    "panel is a number": ({"figure": "fig1", "panel": [3]}, "a regime is a table"),
    "bound is a number": (config(bound=3), "bound is a name, a formula, or a table"),
    "bound is no formula": (config(bound="C1*b +"), "column 6: something is missing"),
    "misspelt bound as text": (config(bound="lmoo"), "no bound of that name.*Write 'lmo'"),
    "constant of another bound, apart": (config(bound="lmo", constants={"lam": 1.0}), "no key of the bound lmo"),
    "constant twice": (config(bound={"C1": 1.0}, constants={"C1": 2.0}), "stands in .bound. and in .constants."),
    "unknown bound": (config(bound={"name": "lmo_exakt"}), "no bound of that name.*Write 'lmo_exact'"),
    "misspelt constant": (config(bound={"c2": 1.0}), "no key of the bound lmo.*Given: 'c2'. Write 'C2'"),
    "constant of another bound": (config(bound={"name": "sgd", "C1": 1.0}), "no key of the bound sgd"),
    "negative constant": (config(bound={"C1": -1.0}), "constant C1 must be a finite number >= 0.*-1.0"),
    "zero constant": (config(bound={"C3": 0}), "constant C3 must be a positive finite number"),
    "NaN constant": (config(bound={"C2": float("nan")}), "constant C2 must be a finite number >= 0.*nan"),
    "infinite constant": (config(bound={"C2": float("inf")}), "constant C2 must be a finite number >= 0"),
    "constant as text": (config(bound={"C2": "1"}), "constant C2 must be a finite number >= 0.*'1'"),
    "constant true": (config(bound={"C2": True}), "constant C2 must be a finite number >= 0.*True"),
    "grid is a number": (config(grid=100), "grid is a table"),
    "unknown preset": (config(grid={"preset": "footnotes"}), "no grid of that name.*Write 'footnote'"),
    "unknown axis": (config(grid={"etha": 1.0}), r"no key of \[grid\].*Write 'eta'"),
    "one point an axis": (config(grid={"n": 1}), "n must be a whole number >= 2.*Given: 1"),
    "half a point": (config(grid={"n": 10.5}), "n must be a whole number >= 2"),
    "n true": (config(grid={"n": True}), "n must be a whole number >= 2"),
    "axis without an end": (config(grid={"eta": {"lo": 1e-3}}), "axis eta needs lo and hi"),
    "unknown end": (config(grid={"eta": {"lo": 1e-3, "high": 1}}), "no key of the axis eta.*'high'"),
    "ends reversed": (config(grid={"eta": {"lo": 1, "hi": 1e-3}}), "axis eta needs lo < hi"),
    "ends equal": (config(grid={"T": {"lo": 1e3, "hi": 1e3}}), "axis T needs lo < hi"),
    "axis with one point": (config(grid={"eta": {"lo": 1e-3, "hi": 1, "n": 1}}), "n must be a whole number >= 2"),
    "alpha above 1": (config(grid={"alpha": {"lo": 0.1, "hi": 2.0}}), "alpha.*0 < alpha <= 1.*2.0"),
    "b below 1": (config(grid={"b": [0.5, 2.0]}), "b >= 1"),
    "axis as text": (config(grid={"eta": "wide"}), "eta must be a finite number"),
    "nothing tuned": (config(regime={"tuned": []}), "at least one of eta, b, alpha must be tuned"),
    "tuned is text": (config(regime={"tuned": "eta"}), "tuned is a list of names"),
    "tuned budget": (config(regime={"tuned": ["T"]}), "no tuned axis of that name"),
    "misspelt tuned": (config(regime={"tuned": ["eta", "alfa"]}), "Given: 'alfa'. Write 'alpha'"),
    "fixed alpha above 1": (config(regime={"tuned": ["eta"], "fixed": {"alpha": 1.5}}), "0 < alpha <= 1.*1.5"),
    "fixed what does not exist": (config(regime={"tuned": ["eta"], "fixed": {"bta": 0.9}}), "no axis.*'bta'"),
    "fixed is a number": (config(regime={"tuned": ["eta"], "fixed": 3}), "fixed is a table"),
    "tuned and fixed": (config(regime={"tuned": ["eta", "b"], "fixed": {"b": 32}}), "b is either tuned or fixed"),
    "unknown key of a regime": (config(regime=REGIME | {"fix": {}}), "no key of a regime.*Write 'fixed'"),
    "title of a number": (config(regime=REGIME | {"title": 3}), "title is one line of text"),
    "window of one": (config(window=[1e12]), "a window is two budgets"),
    "window of text": (config(window="late"), "a window is two budgets"),
    "window from zero": (config(window=[0, 1e3]), "a window is two budgets"),
    "window reversed": (config(window=[1e12, 1e3]), "a window needs lo < hi"),
    "a flag as text": (config(refined="yes"), "refined is true or false"),
    "no curves": (config(curves=0), "curves must be a whole number >= 1"),
    "unknown dtype": (config(dtype="float16"), "no dtype of that name.*float32"),
}


@pytest.mark.parametrize(("data", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named(data: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(data)


FILES = {
    "missing": (None, "readable TOML file .*No such file"),
    "a folder": (Path.mkdir, "readable TOML file"),
    "malformed": (lambda path: path.write_bytes(b"figure = \n[grid]"), "valid TOML.*line 1"),
    "a pipe that nobody writes": (os.mkfifo, "it is no regular file"),
    "a device without an end": (lambda path: path.symlink_to("/dev/zero"), "it is no regular file"),
    "far too large": (
        lambda path: (path.touch(), os.truncate(path, WRITTEN + 1)),
        "more than 67108864 bytes",
    ),
    "too deep": (lambda path: path.write_text("a = " + "[" * 2000 + "]" * 2000), "valid TOML.*too deep"),
    "a number without an end": (lambda path: path.write_text("a = " + "9" * 5000), "valid TOML.*digits"),
    "not text": (lambda path: path.write_bytes(b"\xff\x00"), "not UTF-8"),
    "mistake": (lambda path: path.write_bytes(b'figure = "fig1"\ncurve = 3'), "own.toml: there is no key.*'curves'"),
}


@pytest.mark.parametrize(("made", "message"), FILES.values(), ids=FILES)
def test_a_file_that_is_no_config_is_named(tmp_path: Path, made, message: str) -> None:
    path = tmp_path / "own.toml"
    if made is not None:
        made(path)
    with pytest.raises(ValueError, match=message) as caught:
        load(path)
    assert str(path) in str(caught.value)


def test_a_byte_order_mark_is_no_part_of_a_config(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(b"\xef\xbb\xbf" + shipped("fig1").read_bytes())
    assert load(path) == load(shipped("fig1"))


# --- the command line's word ---


def test_override_replaces_what_it_names_and_nothing_else() -> None:
    before = load(shipped("fig11"))
    assert override(before) == before
    assert override(before, n=9) == replace(before, grid=replace(before.grid, n=9))
    assert override(before, dtype="float32", refined=True) == replace(before, dtype="float32", refined=True)
    assert override(before, constants={"C2": 5}).bound.constants == {"C1": 1.0, "C2": 5.0, "C3": 1.0}


def test_a_preset_takes_the_place_of_tuned_axes_but_not_of_the_budget() -> None:
    before = parse(config(grid={"eta": 1e-3, "K": {"lo": 1e2, "hi": 1e4}}))
    after = override(before, preset="captions").grid
    assert (after.preset, after.axes) == ("captions", {"K": {"lo": 1e2, "hi": 1e4}})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"constants": {"C2": -1.0}}, "constant C2 must be a positive finite number"),
        ({"constants": {"C4": 1.0}}, "no constant of the bound lmo.*'C4'"),
        ({"preset": "nope"}, "no grid of that name"),
        ({"n": 1}, "n must be a whole number >= 2"),
        ({"dtype": "float16"}, "no dtype of that name"),
    ],
)
def test_override_refuses_what_a_file_may_not_say(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        override(load(shipped("fig1")), **changes)
