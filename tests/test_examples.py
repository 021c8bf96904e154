"""The examples' own commands, as their comments have them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from commands import Capture, printed, refused, status

import hpgrid
from hpgrid.cli.options import chosen

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.toml"))

#: A command in a comment.
COMMAND = re.compile(r"^#   hpgrid (.+)$", re.MULTILINE)


def typed(text: str) -> list[list[str]]:
    return [shlex.split(line) for line in COMMAND.findall(text)]


@pytest.fixture
def at_the_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Run where the examples' paths lead, what is written going elsewhere."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("at_the_root")
@pytest.mark.parametrize(
    "command",
    [command for path in EXAMPLES for command in typed(path.read_text()) if "COPY.toml" not in command],
    ids=" ".join,
)
def test_a_command_of_an_example_runs(command: list[str], capsys: Capture) -> None:
    assert printed(command[0], capsys, *command[1:])


def test_every_example_with_a_formula_says_what_to_run() -> None:
    texts = [
        path.read_text() for path in EXAMPLES if "formula" in path.read_text() or "hpgrid exponents" in path.read_text()
    ]
    assert all(typed(text) for text in texts)


@pytest.mark.usefixtures("at_the_root")
def test_a_new_bound_answers_every_command_that_it_names(capsys: Capture) -> None:
    assert status("new-bound", "mine.toml") == 0
    text = Path("mine.toml").read_text()
    assert len(typed(text)) >= 5
    # As other tests have them, so that what they compile serves here.
    Path("mine.toml").write_text(text.replace("n = 100 ", "n = 16 "))
    for command in typed(text):
        small = ["--n", "24"] if command[0] in ("search", "plot") else []
        assert status(*command, *small) == 0, command
    assert "error" not in capsys.readouterr().err


@pytest.mark.usefixtures("at_the_root")
@pytest.mark.parametrize("name", ["there.toml", "bound.txt"])
def test_a_new_bound_overwrites_nothing(name: str, capsys: Capture) -> None:
    Path("there.toml").write_text("mine")
    refused("new-bound", capsys, [name], name)
    assert Path("there.toml").read_text() == "mine"
    assert not Path("bound.txt").exists()


def example(name: str, *said: str) -> hpgrid.Proxy | hpgrid.FunctionProxy:
    return chosen(str(ROOT / "examples" / f"{name}.toml"), list(said)).build("T")


def test_eq_4_by_hand_is_the_built_in_bound() -> None:
    assert [str(t) for t in example("eq4_by_hand").terms] == [str(t) for t in hpgrid.bounds.lmo().terms]


@pytest.mark.parametrize(("g1", "g3"), [("1", "1"), ("1/2", "1"), ("0.3", "2")])
def test_the_generalised_law_has_the_exponent_that_balances_its_two_terms(g1: str, g3: str) -> None:
    """(T eta)^-g1 against eta^g3: eta ~ T^(-g1/(g1 + g3))."""
    from fractions import Fraction

    law = hpgrid.exponents(example("generalised_law", f"g1={g1},g3={g3}"), ("eta",), fixed={"b": 1024.0})
    assert law.exponent["eta"] == -Fraction(g1) / (Fraction(g1) + Fraction(g3))


def test_the_largest_of_three_terms_is_least_where_two_of_them_meet() -> None:
    """C1 b/T = C3/(T^2 b)^(1/6): b = (C3/C1)^(6/7) T^(4/7), while (C2/T)^(1/3) is below both."""
    T = np.logspace(4, 20, 9)
    found = hpgrid.refine(example("max_of_terms", "C1=2,C3=3"), ("b",), T=T)
    assert found.converged.all()
    # Solved to 1e-11 of the sharpest curvature, and extrapolated.
    np.testing.assert_allclose(found.at["b"], 1.5 ** (6 / 7) * T ** (4 / 7), rtol=1e-9)
    np.testing.assert_allclose(found.exponent["b"], 4 / 7, atol=1e-9)


def test_beyond_the_crossing_any_batch_size_in_a_range_is_as_good() -> None:
    """(C1/C2^(1/3))^(21/2) (C3/C1)^9 = 1e21: there the three terms meet."""
    T = np.array([1e20, 1e22])
    found = hpgrid.refine(example("max_of_terms"), ("b",), T=T)
    assert found.converged.all()
    assert np.isfinite(found.at["b"]).tolist() == [True, False]
    np.testing.assert_allclose(found.risk, [T[0] ** (-3 / 7), (1e-6 / T[1]) ** (1 / 3)], rtol=1e-9)
    # By a difference over 2e-3 in log T, of logs good to some 1e-14.
    np.testing.assert_allclose(found.exponent["risk"], [-3 / 7, -1 / 3], atol=1e-7)
