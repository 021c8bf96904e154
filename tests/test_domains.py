"""Where a bound holds: the inequalities of its domain, by every route, and what is said where it comes out as none."""

from __future__ import annotations

import math
import tomllib
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import mpmath
import numpy as np
import pytest
from commands import Capture, printed
from mpmath import mp, mpf

from hpgrid import FunctionProxy, Grid, LogAxis, Proxy, Regime, Term, bounds, exponents, grid_search, parse, refine
from hpgrid.checks import InputError
from hpgrid.config import bound_table, parse_bound
from hpgrid.search.brute import plan_search
from hpgrid.search.invalid import Invalid, invalid_cells
from hpgrid.search.many import search_many
from hpgrid.sweeps.plan import parse as parse_plan, restore

#: SGD's bound after a descent lemma: it holds for eta < 2/L; with constants of 1, b = 1 and a = 1/K its least is where
#: eta^2/2 + a eta - a = 0, eta = sqrt(a^2 + 2 a) - a.
DESCENT = "D/(eta*K*(1-L*eta/2)) + L*eta*s2/(2*b*(1-L*eta/2))"
ONES = {"D": 1.0, "L": 1.0, "s2": 1.0}


# --- the inequalities ---


#: eta* = (b/T)^(1/2) where nothing holds it: C1 b/(eta T) + C3 eta, with a floor of C2 b^-1/2.
PLAIN = "C1*b/(eta*T) + C2/sqrt(b) + C3*eta"
UNIT = {"C1": 1.0, "C2": 1.0, "C3": 1.0}
T = np.array([1e4, 1e8, 1e12, 1e16])

#: Conditions, and the cap that each is, by hand: L = 4, lam = 1/2.
CAPS = {
    "eta <= 1/L": ("eta", 0.25), "1 - eta*L/2 > 0": ("eta", np.nextafter(0.5, 0)), "2 >= eta*L": ("eta", 0.5),
    "lam*eta*sqrt(eta) <= 1": ("eta", 2 ** (2 / 3)), "beta >= 1 - lam": ("alpha", 0.5),
    "1/b > lam/L": ("b", np.nextafter(8, 0)),
    "alpha**2 <= lam/2": ("alpha", 0.5), "alpha < L": ("alpha", 1.0), "sqrt(eta) <= 2": ("eta", 4.0),
}  # fmt: skip


def test_a_condition_on_one_hyperparameter_and_constants_is_a_cap_that_moves_with_them() -> None:
    for text, (name, cap) in CAPS.items():
        found = parse("max(eta, L/T) + lam*alpha/b", {"L": 4.0, "lam": 0.5}, domain=[text])
        assert found.caps == {name: pytest.approx(cap, rel=1e-15)}, text
        assert found.walls == ()
    two = parse(PLAIN, UNIT | {"L": 4.0, "lam": 0.5}, domain=["eta <= 1/L", "lam*eta < 1"], caps={"eta": 3.0})
    assert (two.caps, two.with_constants(L=0.1).caps["eta"]) == ({"eta": 0.25}, np.nextafter(2.0, 0))
    assert two.with_constants(L=0.1, lam=0.1).caps == {"eta": 3.0}


def test_outside_a_domain_there_is_no_cell_and_on_its_edge_as_it_says() -> None:
    grid = Grid(eta=LogAxis.from_values([0.1, 0.5, 1.0, 2.0]), T=LogAxis.from_values([0.5 * 4, 8.0]))
    falling = "1/(eta*T)"
    for domain, best in {
        "eta <= 1": 1.0, "eta < 1": 0.5, "eta*sqrt(eta) < 1": 0.5, "eta*T <= 4": (2.0, 0.5), "eta*T < 4": (1.0, 0.1),
        "max(eta, 1) <= 1": 1.0, "eta + 0.5 < 1": 0.1, "exp(eta*T) < exp(4)": (1.0, 0.1), "T >= 8": (np.nan, 2.0),
    }.items():  # fmt: skip
        for text in (falling, f"max({falling}, 1e-9)"):
            found = grid_search(parse(text, domain=domain), grid, "eta")
            np.testing.assert_array_equal(found.at["eta"], np.broadcast_to(best, 2), err_msg=domain)
    assert parse(falling, domain="eta*T < 4").risk(eta=[0.1, 2.0], T=2.0).tolist() == [5.0, np.inf]
    edges = grid_search(parse(falling, domain="eta*T <= 4"), grid, "eta").edge["eta"]
    assert edges.tolist() == [True, True]  # 2 is the last of the axis; beside 1/2 lies what is outside


def test_a_wall_between_several_variables_is_followed_by_every_route() -> None:
    """On eta b^1/2 = 1/L what is left is A b^(3/2) + B b^(-1/2), A = L/T, B = 1 + 1/L: b* = (B/(3 A))^(1/2)."""
    proxy = parse(PLAIN, UNIT | {"L": 1e3}, domain=["eta*sqrt(b) <= 1/L"])
    b = np.sqrt((1 + 1e-3) * T / 3e3)
    found = refine(proxy, ("eta", "b"), T=T)
    np.testing.assert_allclose(found.at["b"], b, rtol=1e-12)
    np.testing.assert_allclose(found.at["eta"], 1e-3 / np.sqrt(b), rtol=1e-12)
    np.testing.assert_allclose(found.risk, 4 / 3 * (1 + 1e-3) / np.sqrt(b), rtol=1e-13)
    np.testing.assert_allclose([found.exponent[v] for v in ("risk", "b")], [[-0.25] * 4, [0.5] * 4], atol=1e-12)
    assert found.converged.all()
    assert [found.active[v].tolist() for v in ("eta", "b")] == [[1] * 4, [1] * 4]
    law = exponents(proxy, ("eta", "b"))
    assert law.exponent == {"risk": Fraction(-1, 4), "eta": Fraction(-1, 4), "b": Fraction(1, 2)}
    assert law.laws["b"].constant == pytest.approx(b[0] / 1e2, rel=1e-12)
    assert set(law.active.values()) == {"eta*sqrt(b) <= 1/L"}
    grid = Grid(eta=LogAxis(1e-10, 1.0, 51), b=LogAxis(1.0, 1e10, 51), T=LogAxis.from_values(T))
    best = grid_search(proxy, grid, ("eta", "b"))
    cells = [(e, x) for e in grid.eta.values for x in grid.b.values if e * np.sqrt(x) <= 1e-3]
    for k, t in enumerate(T):
        risks = [x / (e * t) + 1 / np.sqrt(x) + e for e, x in cells]
        assert (best.at["eta"][k], best.at["b"][k]) == cells[int(np.argmin(risks))]
        assert best.edge["b"][k]


def test_a_wall_that_is_no_product_of_powers_is_followed_to_the_last_digits() -> None:
    """On 1e3 eta + b/1e4 = 1 the bound is one of b alone, least where its derivative is nought: found in 40 digits."""
    found = refine(parse(PLAIN, UNIT, domain=["1e3*eta + b/1e4 <= 1"]), ("eta", "b"), T=T)
    assert found.converged.all()
    with mp.workdps(40):
        for k, t in enumerate(T):

            def log_risk(x: mpf, t: float = t) -> mpf:
                b = mpmath.exp(x)
                eta = (1 - b / 10**4) / 1000
                return mpmath.log(b / (eta * mpf(t)) + 1 / mpmath.sqrt(b) + eta)

            x = mpmath.findroot(lambda x: mpmath.diff(log_risk, x), mpf(math.log(found.at["b"][k])))
            assert found.at["b"][k] == pytest.approx(float(mpmath.exp(x)), rel=1e-11)
            assert found.log_risk[k] == pytest.approx(float(log_risk(x)), abs=1e-12)
            # d log risk / d log T at the optimum is that where b stays, along the wall: less the first term's share.
            first = mpmath.exp(x) / ((1 - mpmath.exp(x) / 10**4) / 1000 * mpf(t)) / mpmath.exp(log_risk(x))
            assert found.exponent["risk"][k] == pytest.approx(-float(first), abs=1e-10)


def test_an_end_that_moves_with_the_budget_and_a_floor_are_bounds() -> None:
    """T^(-3/4)/10 lies below (b/T)^(1/2), and 1e-5 above T^(-1/2) from T = 1e10 on."""
    proxy = parse(PLAIN, UNIT, domain=["eta <= T**(-3/4)/10", "eta >= 1e-14"])
    found = refine(proxy, ("eta",), fixed={"b": 4.0}, T=T)
    np.testing.assert_allclose(found.at["eta"], 0.1 * T**-0.75, rtol=1e-12)
    np.testing.assert_allclose(found.exponent["eta"], [-0.75] * 4, atol=1e-12)
    floor = parse("C1/(eta*T) + C3*eta", {"C1": 1.0, "C3": 1.0}, domain=["eta >= 1e-5", "1e9 >= T"])
    found = refine(floor, ("eta",), T=T)
    np.testing.assert_allclose(found.at["eta"][:2], [1e-2, 1e-4], rtol=1e-12)
    assert found.converged.tolist() == [True, True, False, False]
    law = exponents(parse("C1/(eta*T) + C3*eta", {"C1": 1.0, "C3": 1.0}, domain="eta >= 1e-5"), ("eta",))
    assert (law.exponent["eta"], law.active) == (0, {"eta": "eta >= 1e-5"})
    moving = exponents(parse(PLAIN, UNIT, domain="b <= T**(1/3)"), ("eta", "b"))
    assert (moving.exponent["b"], moving.exponent["eta"]) == (Fraction(1, 3), Fraction(-1, 3))


#: What is wrong with a domain, by what is given: some words of the message.
WRONG = {
    "eta": "two sides, and one of <, <=, > and >=", "eta = 1": "two sides", "eta == 1": "two sides",
    "0 < eta < 1": "two sides", "eta <": "something on both of its sides", "<= 1": "something on both",
    "eta <= 1/L)": r"in 'eta <= 1/L\)': column 11", "eta <= 2 L": r"column 10",
    "eta <= lam": "'eta <= lam': column 8: .*lam",
    "L <= 1": "where eta, b, alpha, T or K may be", "alpha <= 1/L": "about alpha, which the bound formula does not",
    "eta + 1 > 0": "always holds", "eta < 0": "never holds", "eta <= eta": "always", "eta*L < L*eta": "never",
    "b <= L/4": "no b is left", "eta <= 1/0": "a quotient of nought",
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_a_domain_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=WRONG[text]):
        parse("b/(eta*T) + L*eta", {"L": 1.0}, domain=[text])


def test_a_domain_is_a_list_and_leaves_something() -> None:
    for given in (3, [3], {"eta": 1}):
        with pytest.raises(InputError, match=r"a list of inequalities|two sides"):
            parse("1/(eta*T)", domain=given)
    grid = Grid(eta=LogAxis(1e-3, 1.0, 4), T=LogAxis(1e2, 1e4, 3))
    with pytest.raises(InputError, match="no cell of this grid lies in the bound's domain"):
        grid_search(parse("1/(eta*T)", domain="eta <= 1e-4"), grid, "eta")
    with pytest.raises(InputError, match="nothing is left in the bound's domain"):
        refine(parse("1/(eta*T)", domain="T > 1e9"), ("eta",), T=1e6)
    held = parse("b/(eta*T) + eta/alpha + alpha", domain="eta*b < 1")
    with pytest.raises(InputError, match="what is held lies outside the bound's domain"):
        refine(held, ("alpha",), fixed={"eta": 0.5, "b": 2.0}, T=1e6)
    with pytest.raises(InputError, match="conditions are sums of powers that are at most a product of them"):
        exponents(parse("b/(eta*T) + eta", domain="eta < 9 + b"), ("eta", "b"))
    terms = (Term({}, {"eta": -1, "T": -1}), Term({"L": 1}, {"eta": 1}))
    assert Proxy(terms, {"L": 4.0}, domain=["eta < 1/L"]).caps == {"eta": np.nextafter(0.25, 0)}
    of_function = FunctionProxy(lambda eta, b, alpha, T, c: 1 / eta, {"L": 4.0}, domain=["eta*L <= 1"], uses=("eta",))
    assert float(refine(of_function, ("eta",), T=1e6).at["eta"]) == 0.25


def test_a_cap_that_is_a_number_stays_beside_one_that_follows_from_constants() -> None:
    """A smaller constant lifts the other cap, and the number holds again."""
    terms = (Term({}, {"eta": -1, "T": -1}), Term({"L": 1}, {"eta": 1}))
    bound = Proxy(terms, {"L": 100.0}, caps={"eta": 0.1}, cap_terms={"eta": Term({"L": -1}, {})})
    assert bound.caps == {"eta": 0.01}
    assert [bound.with_constants(L=L).caps["eta"] for L in (100.0, 2.0)] == [0.01, 0.1]
    assert bound.with_constants(L=2.0).with_constants(L=100.0).caps == bound.caps
    np.testing.assert_array_equal(bound.caps_at({"L": np.array([2.0, 100.0])})["eta"], [0.1, 0.01])
    assert bound.everywhere().with_constants(L=2.0).caps == {}
    # A copy made anew has caps as they were merged.
    copied = replace(bounds.star_convex(lam=1.0), name="x", domain=["eta <= 1e6"])
    assert [copied.with_constants(lam=lam).caps["eta"] for lam in (1.0, 0.01)] == [1.0, 100.0]


def test_a_domain_is_written_on_the_command_line_and_in_a_file(capsys: Capture, tmp_path: Path) -> None:
    bound = ("--bound", "C/(eta*T) + 1/sqrt(b)", "--set", "C=1,L=4", "--tune", "eta", "--fix", "b=4")
    said = printed("exponents", capsys, *bound, "--domain", "eta*L <= 1", "--domain", "eta < 9")
    assert "on a bound: eta*L <= 1" in said
    file = tmp_path / "own.toml"
    file.write_text('bound = "C/(eta*T) + 1/sqrt(b)"\ndomain = ["eta*L <= 1"]\nconstants = { C = 1.0, L = 4.0 }\n')
    options = (str(file), "--tune", "eta", "--fix", "b=4", "--domain", "eta < 9")
    assert printed("exponents", capsys, *options) == said
    table = '[bound]\nformula = "C/(eta*T)"\ndomain = "eta*L <= 1"\nC = 1.0\nL = 4.0\n'
    assert parse_bound(bound_table(tomllib.loads(table))).build("T").caps == {"eta": 0.25}
    swept = {"bound": "C/(eta*T)", "domain": ["eta <= 1/L"], "constants": {"C": 1.0, "L": [1.0, 4.0]}}
    plan = parse_plan(swept | {"regime": {"tuned": ["eta"]}})
    assert restore(plan.describe()) == plan
    assert [plan.proxy("T", {"L": L}).caps["eta"] for L in (1.0, 4.0)] == [1.0, 0.25]


def test_many_constants_move_a_domain_as_each_alone_does() -> None:
    grid = Grid(eta=LogAxis(1e-4, 1e2, 25), b=LogAxis(1.0, 1e4, 9), T=LogAxis(1e2, 1e8, 4))
    for domain in (["eta < 10/L"], ["eta <= 10/(L*sqrt(b))", "eta >= 1e-3"]):
        proxy = parse("b/(eta*T) + 1/sqrt(b)", {"L": 1.0}, domain=domain)
        many = search_many(proxy, grid, Regime(("eta", "b")), {"L": np.array([1.0, 10.0, 31.0])})
        for k, L in enumerate((1.0, 10.0, 31.0)):
            one = grid_search(proxy.with_constants(L=L), grid, ("eta", "b"))
            np.testing.assert_array_equal(many.risk[k], one.risk)
            for v in ("eta", "b"):
                np.testing.assert_array_equal(many.index[v][k], one.index[v])
                np.testing.assert_array_equal(many.edge[v][k], one.edge[v])


# --- a bound that comes out as none ---


def invalid(text: str, grid: Grid, tuned: str, **fixed: float) -> Invalid | None:
    proxy = parse(text, {name: ONES[name] for name in ONES if name in text})
    return invalid_cells(plan_search(proxy, grid, Regime((tuned,), fixed).settled(proxy, grid, free=grid.axes)))


def test_cells_that_are_none_of_a_bounds_are_counted_and_boxed() -> None:
    """1 - eta/2 is negative beyond eta = 2 and 0 at it; log(eta) at eta < 1; counted by hand."""
    grid = Grid(eta=LogAxis.from_values([0.1, 1.0, 2.0, 3.0, 10.0]), K=LogAxis.from_values([1.0, 10.0]))
    found = invalid(DESCENT, grid, "eta", b=1.0)
    assert found == Invalid({"negative": 4, "infinite": 2}, 10, {"eta": (2.0, None)})
    assert (
        found.text() == "negative at 4 and infinite at 2 of 10 cells, all with eta >= 2: the bound does not hold there"
    )
    assert invalid("log(eta) + 1/K", grid, "eta").counts == {"negative": 2}  # log(0.1) = -2.3
    sides = invalid("sqrt((eta - 1)*(3 - eta)) + 1/K", grid, "eta")
    assert (sides.counts, sides.box) == ({"no number": 4}, {})
    assert invalid("max(eta, 1/K) - 1", grid, "eta").box == {"eta": (None, 1.0)}
    assert invalid("eta + 1/(eta*K)", grid, "eta") is None  # a sum of powers: none is looked for
    assert invalid("max(eta, 1/K)", grid, "eta") is None


def test_grid_and_refinement_agree_where_a_function_is_negative_beyond(capsys: Capture) -> None:
    asked = ("--bound", DESCENT, "--set", "D=1,L=1,s2=1", "--over", "eta", "--fix", "b=1", "--K", "1e4")
    said, whole = (printed("search", capsys, *asked, *more) for more in ((), ("--details",)))
    eta = math.sqrt(1e-8 + 2e-4) - 1e-4
    risk = (1e-4 / eta + eta / 2) / (1 - eta / 2)
    assert said.startswith(f"At K = 10000 set eta = {eta:.3g} (b = 1 held): risk {risk:.3g}.\n")
    assert "negative at 20 of 100 cells, all with eta >= 2.26" in said
    assert "grid: eta = 0.0175, risk 0.0146\n" in whole


@pytest.mark.parametrize(
    ("text", "part"),
    {
        "b**(1/0) + 1/(eta*T)": "1/0", "max(eta, 1/0)": "1/0", "b**(0**0) + eta": r"0\*\*0", "b**log(0) + eta": "log",
        "log(0)*eta": "log", "sqrt(-1)*eta": "sqrt", "exp(1000)*eta": "exp", "exp(-1000)*eta + max(eta, b)": "exp",
        "max(eta, 1e200*1e200)": "1e200", "max(eta, b)*2**-2000": "2", "eta**(1/(g - 1))": "1/",
    }.items(),
)  # fmt: skip
def test_a_part_that_numbers_make_infinite_or_undefined_is_refused(text: str, part: str) -> None:
    with pytest.raises(InputError, match=f"column .*between 1e-308 and 1e308. Given: '{part}"):
        parse(text, {"g": 1} if "g -" in text else {})


def test_an_exponent_0_that_is_written_out_takes_the_value_that_it_asks_for() -> None:
    flat = Proxy((Term({}, {"eta": 1, "b": 0}), Term({}, {"eta": -1, "T": -1})), {})
    grid = Grid(eta=LogAxis(1e-3, 1.0, 4), b=LogAxis(1.0, 8.0, 4), T=LogAxis(1e2, 1e4, 3))
    for regime, words in (
        (Regime(("eta",)), "b .* neither tuned nor fixed"),
        (Regime(("eta", "b")), "not depend on b"),
    ):
        with pytest.raises(InputError, match=words):
            regime.settled(flat, grid)
    assert dict(Regime(("eta",), {"b": 4.0}).settled(flat, grid).fixed) == {"b": 4.0}
