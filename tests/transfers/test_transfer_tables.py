"""The rules, read off exact laws, against Tables 2 and 3 as theory has them; and against themselves."""

from __future__ import annotations

import re

import pytest
from eq4 import ROUNDING, START, at_b
from hypothesis import example, given, strategies as st

from hpgrid.theory import printed, theorems
from hpgrid.theory.printed import Run
from hpgrid.transfers.rules import moved, of_paper
from hpgrid.transfers.start import TUNED, Setting

LMO = of_paper("lmo")
ROWS = (*TUNED, "SGD")
T1, B1 = 1e12, 2097152.0


@pytest.mark.parametrize("regime", "ABCD")
def test_each_entry_of_table_2(regime: str) -> None:
    """The exponents that are read off the exact laws, and the setting that comes of them: Table 3's at its own b."""
    powers = LMO.powers(TUNED[regime])
    assert {name: of["T"] for name, of in powers.items()} == printed.TABLE_2[regime]
    assert all(set(of) == {"T"} for of in powers.values())
    row = moved(regime, START, T1)
    expected = printed.rule(regime, {name: getattr(START, name) for name in TUNED["D"]}, T1 / START.T)
    assert {"T": row.at.T, **row.at.values} == pytest.approx({"T": T1, **expected}, rel=ROUNDING)
    assert row.own
    assert moved(regime, START, T1, given=at_b(row.at.b)).at == row.at


@pytest.mark.parametrize("regime", ROWS)
def test_each_entry_of_table_3(regime: str) -> None:
    """b's powers too: the printed forms at batch sizes and budgets that tell powers apart."""
    tuned = TUNED.get(regime, ("eta",))
    for b, T in ((B1, T1), (5 * START.b, 7 * START.T)):
        short, long = Run(START.T, START.b), Run(T, b)
        if "alpha" in tuned:
            expected = printed.tuned_momentum({"eta": START.eta, "alpha": START.alpha}, short, long)
        else:
            of = printed.sgd if regime == "SGD" else printed.fixed_momentum
            expected = {"eta": of(START.eta, short, long)}
        row = moved(regime, START, T, given=at_b(b))
        assert {name: getattr(row.at, name) for name in expected} == pytest.approx(expected, rel=ROUNDING)
        assert (row.at.b, row.own) == (b, False)
    if regime == "SGD":
        assert of_paper("sgd").powers(("eta",), ("b",))["eta"] == theorems.SGD_IN_T


@pytest.mark.parametrize(
    ("regime", "T", "to_b"), [*((regime, T1, to_b) for regime in ROWS for to_b in (None, B1)), ("D", 1e5, None)]
)
def test_the_rule_that_is_told_is_the_one_that_is_applied(regime: str, T: float, to_b: float | None) -> None:
    """For regime D from alpha = 1 on, too."""
    row = moved(regime, START, T, given=at_b(to_b))
    assert ("alpha_1 = 1, " in row.rule) == (T == 1e5)
    known = {f"{name}_0": value for name, value in {"T": START.T, **START.values}.items()} | {"T_1": T, "b_1": row.at.b}
    told = {}
    for part in row.rule.split(", "):
        name, formula = part.split("_1 = ", 1)
        formula = re.sub(r"(?<=[\w)]) (?=[(a])", " * ", formula).replace("^", "**")
        told[name] = eval(formula, {"__builtins__": {}}, known)
    assert told == pytest.approx({name: getattr(row.at, name) for name in told}, rel=ROUNDING)
    assert set(told) == {x for x in TUNED["D"] if getattr(row.at, x) not in (getattr(START, x), to_b, None)}


budgets = st.floats(1e3, 1e20)
settings = st.builds(
    Setting, T=budgets, eta=st.floats(1e-8, 1.0), b=st.floats(1e12, 1e13), alpha=st.floats(1e-14, 1e-13)
)


@given(regime=st.sampled_from(ROWS), start=settings, b=st.none() | st.floats(1e12, 1e13), between=budgets, end=budgets)
def test_two_transfers_are_one(regime: str, start: Setting, b: float | None, between: float, end: float) -> None:
    """No limit bites: b and alpha start so far from their bounds that no budget of this range takes them there."""
    to_b = None if regime in "CD" else b  # which have a batch size of their own
    once = moved(regime, start, end, given=at_b(to_b))
    twice = moved(regime, moved(regime, start, between, given=at_b(to_b and start.b / 2)).at, end, given=at_b(to_b))
    for name in ("eta", "b", "alpha"):
        expected = getattr(once.at, name)
        assert getattr(twice.at, name) == (expected and pytest.approx(expected, rel=ROUNDING))
    assert moved(regime, start, start.T).at.with_values(alpha=None) == start.with_values(alpha=None)


@example(regime="C", alpha=1 - 1e-13, longer=(1.0, 0.5))  # held within rounding of its end
@given(
    regime=st.sampled_from("ABCD"), alpha=st.floats(1e-3, 1.0), longer=st.tuples(st.floats(1e-9, 1), st.floats(1e-9, 1))
)
def test_two_transfers_to_shorter_runs_are_one_beyond_alpha_at_one_too(
    regime: str, alpha: float, longer: tuple[float, float]
) -> None:
    start = Setting(1e30, 1e-4, 1e15, alpha)
    between, end = 1e30 * max(longer), 1e30 * min(longer)
    once = moved(regime, start, end)
    twice = moved(regime, moved(regime, start, between).at, end)
    assert twice.at.values == pytest.approx(once.at.values, rel=1e-11)  # within which alpha is taken for 1


def test_what_is_held_is_said_and_what_was_not_given_stays_unknown() -> None:
    held = {regime: moved(regime, START, T1).held for regime in ROWS}
    assert held == {"A": ("b", "alpha"), "B": ("b",), "C": ("alpha",), "D": (), "SGD": ("b",)}
    forced = {regime: moved(regime, START, T1, given=at_b(B1)).held for regime in ROWS}
    assert forced == {"A": ("b", "alpha"), "B": ("b",), "C": ("b", "alpha"), "D": ("b",), "SGD": ("b",)}
    assert moved("A", Setting(1e9, eta=1e-3), 1e11).at == Setting(1e11, eta=pytest.approx(1e-4))
