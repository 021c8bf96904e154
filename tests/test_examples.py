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
    bound = chosen(str(ROOT / "examples" / f"{name}.toml"), list(said))
    return bound.build(bound.budget)


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


def test_local_sgd_at_its_cap_and_without_one() -> None:
    """With H at its cap d/d eta is 0 where D0/(eta^2 H R) = L sigma^2/(n b) + 2 L^2 H^2 zeta^2 eta; far out eta is that
    of the first two. Without a cap the noise goes, and D0/(x R) + (L zeta x)^2 is least at x = eta H, by hand, too."""
    proxy, fixed = example("local_sgd", "L=2,zeta=0.3"), {"n": 8.0, "b": 4.0}
    R = np.array([1e3, 1e6, 1e30])
    found = hpgrid.refine(proxy, ("eta", "H"), fixed=fixed, caps={"H": 64.0}, R=R)
    eta = found.at["eta"]
    np.testing.assert_allclose(found.at["H"], 64.0, rtol=1e-14)
    # A root of the gradient, which Newton's method leaves at a relative 1e-12 or so.
    np.testing.assert_allclose(1 / (eta**2 * 64 * R), 2 / 32 + 2 * 4 * 64**2 * 0.09 * eta, rtol=1e-9)
    assert eta[-1] == pytest.approx((32 / (2 * 64 * 1e30)) ** 0.5, rel=1e-9)
    free = hpgrid.exponents(proxy, ("eta", "H"), fixed=fixed)
    assert {*free.unbounded} == {"eta", "H"}
    (product,) = (m.law for m in free.identifiable if len(m.powers) == 2)
    assert product is not None
    assert float(product.at(1e6)) == pytest.approx((1 / (2 * 4 * 0.09 * 1e6)) ** (1 / 3), rel=1e-12)
    in_tokens = hpgrid.exponents(proxy, ("eta", "H"), fixed=fixed, budget="T")
    assert in_tokens.active == {"H": "H >= 1"}


def test_weight_decay_is_the_root_of_what_is_over_it() -> None:
    """b = (S/2) (T/(2 L D0))^(1/2), eta = (D0 b/(2 L T))^(1/2), F = 2 S/b^(1/2), and lam = (F/B)^(1/2)."""
    T, proxy = 1e12, example("weight_decay", "S=3,L=2,B=5")
    found = hpgrid.refine(proxy, ("eta", "b", "lam"), T=T)
    b = 1.5 * (T / 4) ** 0.5
    F = 6 / b**0.5
    by_hand = {"b": b, "eta": (b / (4 * T)) ** 0.5, "lam": (F / 5) ** 0.5}
    assert {v: float(found.at[v]) for v in by_hand} == pytest.approx(by_hand, rel=1e-9)
    assert float(found.risk) == pytest.approx(2 * (5 * F) ** 0.5, rel=1e-12)
    # Where lam costs next to nothing lam eta <= 1 holds it: along lam = 1/eta, S/b^(1/2) + 4 L eta = B/eta^2.
    walled = hpgrid.refine(example("weight_decay", "B=1e-8"), ("eta", "lam"), fixed={"b": 100.0}, T=1e8)
    eta, lam = float(walled.at["eta"]), float(walled.at["lam"])
    assert eta * lam == pytest.approx(1.0, rel=1e-9)
    assert 0.1 + 4 * eta == pytest.approx(1e-8 / eta**2, rel=1e-6)


@pytest.mark.parametrize("powers", [("1/3", "1/2", "1/2"), ("0.34", "0.5", "0.28"), ("1", "1", "1")])
def test_compute_is_split_so_that_the_terms_fall_alike(powers: tuple[str, str, str]) -> None:
    """Lagrange, under 6 N b K = C: a A N^-a = c B b^-c = g G K^-g, so that all fall as C^-r, 1/r = 1/a + 1/c + 1/g."""
    from fractions import Fraction

    a, c, g = map(Fraction, powers)
    r = 1 / (1 / a + 1 / c + 1 / g)
    proxy = example("compute_split", f"a={a},c={c},g={g}")
    law = hpgrid.exponents(proxy, ("N", "b"), budget="C")
    assert (law.exponent["N"], law.exponent["b"]) == (r / a, r / c)
    best = hpgrid.refine(proxy, ("N", "b"), C=1e21)
    N, b = float(best.at["N"]), float(best.at["b"])
    K = 1e21 / (6 * N * b)
    slopes = [a * 400 * N ** -float(a), c * 50 * b ** -float(c), g * 40 * K ** -float(g)]
    # Of terms beside E = 1.7 that are far below it, a gradient of 1e-13 leaves some 1e-7 at the smallest of them.
    assert slopes == pytest.approx([slopes[0]] * 3, rel=1e-6)


def test_in_seconds_the_best_batch_size_is_the_same_whatever_the_time() -> None:
    """(1 + sigma^2/b) (c0 + c1 b) is least at b = sigma (c0/c1)^(1/2), where it is (c0^(1/2) + sigma c1^(1/2))^2."""
    proxy, W = example("wall_clock", "sigma=300,c0=0.4"), np.array([1e2, 86400.0, 1e12])
    found = hpgrid.refine(proxy, ("eta", "b"), W=W)
    b = 300 * (0.4 / 1e-6) ** 0.5
    np.testing.assert_allclose(found.at["b"], b, rtol=1e-9)
    K = W / (0.4 + 1e-6 * b)
    np.testing.assert_allclose(found.at["eta"], (1 / (K * (1 + 300**2 / b))) ** 0.5, rtol=1e-9)
    np.testing.assert_allclose(found.risk, 2 * (0.4**0.5 + 300 * 1e-3) / W**0.5, rtol=1e-12)
