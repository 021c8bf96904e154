"""Where a bound holds: the inequalities of its domain, by every route, and what is said where it comes out as none."""

from __future__ import annotations

import math

import pytest
from commands import Capture, printed

from hpgrid import Grid, LogAxis, Proxy, Regime, Term, parse
from hpgrid.checks import InputError
from hpgrid.search.brute import plan_search
from hpgrid.search.invalid import Invalid, invalid_cells

#: SGD's bound after a descent lemma: it holds for eta < 2/L; with constants of 1, b = 1 and a = 1/K its least is where
#: eta^2/2 + a eta - a = 0, eta = sqrt(a^2 + 2 a) - a.
DESCENT = "D/(eta*K*(1-L*eta/2)) + L*eta*s2/(2*b*(1-L*eta/2))"
ONES = {"D": 1.0, "L": 1.0, "s2": 1.0}


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
    said = printed(
        "search", capsys, "--bound", DESCENT, "--set", "D=1,L=1,s2=1", "--over", "eta", "--fix", "b=1", "--K", "1e4"
    )
    eta = math.sqrt(1e-8 + 2e-4) - 1e-4
    risk = (1e-4 / eta + eta / 2) / (1 - eta / 2)
    assert said.startswith(f"at K = 10000 set eta = {eta:.3g} (b = 1 held): risk {risk:.3g};")
    assert "; grid: eta = 0.0175, risk 0.0146; negative at 20 of 100 cells, all with eta >= 2.26" in said


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
