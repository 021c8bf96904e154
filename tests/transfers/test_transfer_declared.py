"""Transfers of bounds with variables and budgets of their own: against eq. (4) renamed, by hand, and by a solve."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import commands
import pytest
from eq4 import ROUNDING

import hpgrid
from hpgrid.checks import InputError, Note
from hpgrid.cli.options import chosen
from hpgrid.refinement.profile import profile

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

#: Eq. (4) with other names, and its rows by those of Table 2.
NAMES = {"eta": "step", "b": "batch", "alpha": "mix"}
RENAMED = hpgrid.parse(
    "C1/(step*N) + C2*sqrt(batch)/(mix*D) + C2*sqrt(mix/batch) + C3*step*(1 + 1/mix)",
    {"C1": 1.0, "C2": 1.0, "C3": 1.0},
    variables={
        "step": "step > 0", "batch": "batch >= 1", "mix": "0 < mix <= 1",
        "D": {"range": "D >= 1", "budget": True}, "N": {"is": "D/batch"},
    },
)  # fmt: skip
ROWS = {"A": "1", "C": "2", "B": "3", "D": "4"}
START = {"eta": 1e-3, "b": 4096.0, "alpha": 0.02, "T": 1e10}


def example(name: str) -> Any:
    return chosen(str(EXAMPLES / f"{name}.toml"), None)


def renamed(at: Any) -> dict[str, float]:
    return {NAMES[v]: x for v, x in at.values.items()}


@pytest.mark.parametrize(("own", "other"), [
    ({}, {}),
    ({"max_b": 5e4, "max_eta": 2e-5}, {"caps": {"batch": 5e4, "step": 2e-5}}),
    ({"max_eta": 1e-6}, {"caps": {"step": 1e-6}}),
    ({"to_b": 2.0**20}, {"batch": 2.0**20}),
    ({"to_b": 2.0**30}, {"batch": 2.0**30}),  # where alpha reaches 1
])  # fmt: skip
@pytest.mark.parametrize("T", [1e6, 1e9, 1e14])
def test_eq_4_renamed_has_the_rows_of_eq_4(own: dict[str, Any], other: dict[str, Any], T: float) -> None:
    """Limits, values that are given, alpha at 1: what a variable is called decides nothing."""
    expected = hpgrid.transfer(START, T, constants={"C1": 1.0}, **own)
    start = {NAMES.get(v, "D"): x for v, x in START.items()}
    to = {"D": T, **{v: x for v, x in other.items() if v != "caps"}}
    found = hpgrid.transfer(start, to, bound=RENAMED, constants={"C1": 1.0}, caps=other.get("caps"))
    rows = {row.regime: row for row in found.rows}
    assert rows.keys() == set(ROWS.values()), found.no_rule
    for row, costs in zip(expected.rows, expected.costs.rows):
        same = rows[ROWS[row.regime]]
        assert same.at.values == pytest.approx(renamed(row.at), rel=10 * ROUNDING)
        assert same.tuned == tuple(NAMES[v] for v in row.tuned)
        (of_same,) = (each.cost for each in found.costs.rows if each.regime == same.regime)
        best = {NAMES[v]: float(x[0]) for v, x in costs.cost.best.items()}
        # Both are the same solve; that of tokens has b <= T, too, which no optimum here reaches.
        if min(row.at.K, expected.T) > 1 and "b" not in own.values():
            assert {v: float(x[0]) for v, x in of_same.best.items()} == pytest.approx(best, rel=1e-6)


#: A bound, what is tuned, a start's budget, limits, and what is held.
POSED = [
    ("local_sgd", ("eta", "H"), "R", 1e9, {"caps": {"H": 64.0}}, {"n": 8.0, "b": 4.0}),
    ("local_sgd", ("eta",), "T", 1e14, {}, {"n": 8.0, "b": 4.0, "H": 16.0}),
    ("local_sgd", ("eta", "H"), "T", 1e14, {}, {"n": 8.0, "b": 4.0}),
    ("local_sgd", ("eta", "n"), "R", 1e12, {"caps": {"n": 256.0}}, {"H": 4.0, "b": 4.0}),
    ("compute_split", ("b", "N"), "C", 1e21, {}, {}),
    ("compute_split", ("b", "N"), "C", 1e21, {"caps": {"N": 1e9}}, {}),
    ("compute_split", ("b", "N"), "C", 1e21, {"floors": {"b": 1e7}}, {}),
    ("compute_split", ("b", "N"), "C", 1e21, {"caps": {"b": 3e5, "N": 2e9}}, {}),
    ("compute_split", ("b", "N"), "C", 1e21, {"floors": {"N": 1e12}, "caps": {"b": 1e6}}, {}),
    ("compute_split", ("b",), "T", 1e13, {}, {"N": 1e9}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "tuned", "budget", "budget_0", "limits", "held"), POSED)
def test_a_rule_leads_from_optimum_to_optimum(
    name: str, tuned: tuple[str, ...], budget: str, budget_0: float, limits: dict[str, Any], held: dict[str, float]
) -> None:
    """From the solved optimum of one budget to that of another within the same limits, nearer the longer both are.

    The laws are those of the limit: what a rule misses falls as both budgets grow, here ten decades on.
    """
    bound = example(name).build(budget)
    space = bound.space

    def best(T: float) -> dict[str, float]:
        ends = {v: (max(space.all[v].low, 1e-200), 1e200) for v in tuned}
        for v in tuned:
            ends[v] = (limits.get("floors", {}).get(v, ends[v][0]), limits.get("caps", {}).get(v, ends[v][1]))
        at = profile(bound, tuned, held, T, box=ends).at
        return {v: float(x) for v, x in at.items()}

    off = []
    for T in (budget_0, budget_0 * 1e10):
        start, then = best(T), best(1e3 * T)
        found = hpgrid.transfer({**start, **held, budget: T}, {budget: 1e3 * T}, bound=bound, regime=",".join(tuned),
                                **limits)  # fmt: skip
        (row,) = found.rows
        off.append(max(abs(row.at[v] / then[v] - 1) for v in tuned))
    assert off[1] < max(off[0] / 10, 1e-8)
    assert off[1] < 0.02


def test_steps_that_a_cap_keeps_have_the_rest_tuned_again_by_hand() -> None:
    """With H at its cap eta = (n b D0/(L sigma^2 H R))^(1/2): from H = 16 to 64 and R a hundredfold, a 20th."""
    found = hpgrid.transfer({"eta": 0.02, "H": 16, "n": 8, "b": 1, "R": 1e5}, 1e7, regime="eta,H",
                            bound=example("local_sgd").build("R"), caps={"H": 64})  # fmt: skip
    (row,) = found.rows
    assert row.at.values == pytest.approx({"eta": 0.001, "H": 64, "n": 8, "b": 1}, rel=ROUNDING)
    assert row.rule == "eta_1 = eta_0 (H_0/H_1)^(1/2) (R_0/R_1)^(1/2)"
    assert (row.held, row.own) == (("b", "n", "H"), False)
    text = found.text(details=True)
    assert text.startswith("For R = 1e+07 set eta = 0.001, b = 1, n = 8, H = 64.")
    assert "H has no best value of its own: it stays at its cap 64" in text
    assert "the bound's best goes with R^(-1/2)" in text
    data = found.as_dict()
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert (data["budget"], data["T"], data["rows"][0]["at"]["H"], data["rows"][0]["at"]["K"]) == ("R", 1e7, 64.0, None)
    titles = [ax.get_title(loc="left") for ax in found.figure().axes]
    assert [any(word in title for title in titles) for word in ("steps", "workers")] == [True, True]


def test_without_a_cap_each_row_says_which_it_needs_and_what_is_whole_is_said() -> None:
    start = {"eta": 0.02, "H": 16, "n": 8, "b": 1, "R": 1e5}
    found = hpgrid.transfer(start, 1e7, bound=example("local_sgd").build("R"))
    assert [row.regime for row in found.rows] == ["1"]
    assert "a cap on n" in found.no_rule["3"]
    grows = hpgrid.parse("1/(eta*R) + eta + H/sqrt(R) + 1/H", variables=["H >= 1, whole", "R >= 1, budget"])
    found = hpgrid.transfer({"eta": 0.02, "H": 16, "R": 1e5}, 1e6, bound=grows)  # H ~ R^(1/4), to 28.45
    assert "H has to be whole: 28 is nearest" in found.text(details=True)


def test_a_floor_of_the_risk_decides_between_rows() -> None:
    """Of two rows that end above 0 the one with less left; and above E the one that falls faster."""
    start = {"N": 1e8, "b": 64000, "C": 1e19}

    def unset(bound: hpgrid.Proxy) -> hpgrid.Proxy:
        return bound.with_constants(**dict.fromkeys(bound.constants, 1.0))

    found = hpgrid.transfer(start, 1e21, bound=unset(example("compute_split").build("C")))
    assert (found.choice.row.regime, found.choice.why) == ("2", "no row's risk has a lower floor than E")
    with pytest.warns(Note, match="the risk is that less E"):
        bound = chosen(str(EXAMPLES / "compute_split.toml"), None, above="E").build("C")
    above = hpgrid.transfer(start, 1e21, bound=unset(bound))
    assert above.choice.why == "no row's risk falls faster, as C^(-1/7)"


def test_where_a_condition_fails_it_is_said() -> None:
    start = {"eta": 2, "lam": 0.1, "b": 64000, "T": 1e9}
    found = hpgrid.transfer(start, 1e5, bound=example("weight_decay").build("T"), regime="eta,b,lam")
    assert "the bound is for lam*eta <= 1, which fails there" in found.text()
    assert "fails" not in hpgrid.transfer(start, 1e20, bound=example("weight_decay").build("T")).text(details=True)


FROM = {"eta": 0.02, "H": 16, "n": 8, "b": 1, "R": 1e5}


@pytest.mark.parametrize(("asked", "why"), [
    ({"start": {"eta": 1, "H": 2}}, "a start has its budget, R or T"),
    ({"start": {**FROM, "T": 1e9}}, "a start has its budget, R or T"),
    ({"start": {**FROM, "J": 2}}, "there is no name in a start"),
    ({"to": {"T": 1e9}}, "there is no name in where a transfer goes"),
    ({"to": {"R": 1e7, "b": 4}}, "a transfer goes to a budget R alone"),
    ({"caps": {"Q": 4}}, "there is no tuned axis of that name"),
    ({"caps": {"H": 0.5}}, "H must be a finite number with H >= 1"),
    ({"floors": {"H": 0.5}}, "H must be a finite number with H >= 1"),
    ({"caps": {"b": 4}, "max_b": 8}, "the largest b is given once"),
    ({"caps": {"H": 64}, "to": {"R": 1e7, "H": 128}}, "a value that is given is one that the limits on H allow"),
    ({"caps": {"alpha": 0.1}}, "does not depend on alpha"),
    ({"caps": {"H": 4}, "floors": {"H": 8}}, "the smallest H is below the largest"),
    ({"caps": {"b": 4}, "floors": {"b": 8}}, "the smallest b is below the largest"),
    ({"to": {"R": 1e7, "H": 2.5}}, "H is a whole number"),
    ({"caps": {"b": 2, "n": 8}, "floors": {"eta": 1e-2}, "regime": "eta,H"}, "H ends at H >= 1, by no power"),
    ({"regime": "eta,K"}, "there is no regime"),
    ({"regime": "9"}, "there is no regime"),
])  # fmt: skip
def test_what_a_bound_does_not_have_is_refused(asked: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=why):
        hpgrid.transfer(**{"start": FROM, "to": 1e7, "bound": example("local_sgd").build("R"), **asked})


def test_the_command_takes_what_a_formula_declares(capsys: pytest.CaptureFixture[str]) -> None:
    text = commands.printed(
        "transfer", capsys, "--bound", "D0/(eta*H*R) + eta/n + (eta*H)**2", "--set", "D0=2", "--var", "H >= 1, whole",
        "--var", "n >= 1, whole", "--var", "R >= 1, budget", "--from", "eta=0.02,H=16,n=8,R=1e5", "--to", "1e7,n=32",
        "--cap", "H=64", "--regime", "eta,H",
    )  # fmt: skip
    assert text.startswith("For R = 1e+07 set eta = 0.002, H = 64, n = 32.")


def moves(bound: str, to: float, constants: dict[str, float], domain: tuple[str, ...] = (), **more: Any) -> Any:
    return hpgrid.transfer({"eta": 1e-3, "b": 1e4, "T": 1e10}, to, bound=hpgrid.parse(bound, constants, domain=domain),
                           constants=constants, **more)  # fmt: skip


PLAIN = "D0*b/(eta*T) + s/sqrt(b) + L*eta"


def test_where_a_bound_holds_is_a_limit() -> None:
    """eta <= 1e-3, where eta*= T^-1/4 asks for more on a shorter run: b ~ (eta T)^(2/3) goes on from there."""
    found = moves(PLAIN, 1e9, dict.fromkeys(("D0", "s", "L"), 1.0), ("eta <= 1e-3",))
    assert [row.at.eta for row in found.rows] == [1e-3, 1e-3]
    assert found.rows[1].at.b == pytest.approx(1e4 * 10 ** (-2 / 3), rel=ROUNDING)
    assert all(costed.cost.rule.best[0] >= 0 for costed in found.costs.rows)
    of_eq_4 = hpgrid.transfer(START, 1e12, bound=hpgrid.parse(
        "C1*b/(eta*T) + C2*sqrt(b)/(alpha*T) + C2*sqrt(alpha/b) + C3*eta*(1 + 1/alpha)",
        dict.fromkeys(("C1", "C2", "C3"), 1.0), domain=("eta <= 1e-5",)), regime="C")  # fmt: skip
    assert of_eq_4.rows[0].at.eta == 1e-5


def test_a_floor_on_b_holds_of_rounding_and_of_the_setting_that_is_left() -> None:
    constants = {"D0": 1.0, "s": 30.0, "L": 4.0}
    found = moves(PLAIN, 1e12, constants, floors={"b": 3e6}, round_b="pow2", max_b=5e6)
    assert [row.at.b for row in found.rows] == [2.0**22] * 2
    assert all(costed.cost.unchanged.best[0] >= 0 for costed in found.costs.rows)
    assert "it stays at its smallest value 3000000" in found.text(details=True)
    with pytest.raises(InputError, match="the limits on b allow"):
        moves(PLAIN, 1e12, constants, floors={"b": 8e6}, to_b=4e6)
    with pytest.raises(InputError, match="the cap on b leaves room for 4"):
        moves(PLAIN, 1e12, constants, floors={"b": 3e6}, round_b="pow2", max_b=4e6)


def test_without_a_best_point_there_are_no_costs_and_an_answer_all_the_same() -> None:
    """n and b capped, H not: all of local SGD's variables together have no best point."""
    found = hpgrid.transfer({"eta": 2.2e-3, "H": 16, "n": 8, "b": 1, "R": 1e5}, 1e7, caps={"n": 8, "b": 1},
                            bound=example("local_sgd").build("R"), constants={"D0": 1.0})  # fmt: skip
    assert found.rows[0].at.eta == pytest.approx(2.2e-4)
    assert found.costs.rows[0].cost is None


def test_a_row_of_which_all_is_kept_is_no_better_for_that() -> None:
    found = hpgrid.transfer({"eta": 0.01, "lam": 0.1, "b": 64000, "T": 1e9}, 1e13, floors={"eta": 1e-2},
                            bound=example("weight_decay").build("T"))  # fmt: skip
    assert found.choice.row.regime == "4"
    kept = [row for row in found.rows if row.at.eta == 1e-2]
    assert all("eta would be" in " ".join(row.remarks) for row in kept)


def test_floors_of_the_risk_are_compared_by_what_they_come_to() -> None:
    """Rows whose risk ends at the noise of their batch: a larger one, up to its cap, has less of it."""
    constants = {"D0": 1.0, "S": 1.0, "x": 1.0}
    bound = hpgrid.parse("max(D0/(lam*eta*K), lam*eta) + S/sqrt(b) + lam**2 + x/lam*T**(-1/2)", constants,
                         variables=["lam > 0"])  # fmt: skip
    found = hpgrid.transfer({"eta": 0.08, "lam": 0.1, "b": 64000, "T": 1e9}, 1e13, bound=bound, constants=constants,
                            caps={"b": 4e6})  # fmt: skip
    risks = {row.regime: float(bound.risk(T=1e13, **row.at.values)) for row in found.rows}
    assert found.choice.row.regime == min(risks, key=risks.__getitem__)


def test_groups_of_a_bound_of_ones_own_have_its_variables() -> None:
    from hpgrid.transfers.groups import transfer_groups

    shared, bound = {"n": 2, "b": 1, "R": 1e4}, example("local_sgd").build("R")
    starts = {"m": {"eta": 0.02, "H": 2, **shared}, "a": {"eta": 1e-3, "H": 8, **shared}}
    asked = {"bound": bound, "caps": {"H": 64}, "regime": "eta,H"}
    text = transfer_groups(starts, 1e6, **asked).text()
    assert [line.split()[-1] for line in text.splitlines() if line.split()[:1] in (["m"], ["a"])] == ["64", "64"]
    with pytest.raises(InputError, match="groups of one run share R"):
        transfer_groups({**starts, "a": {**starts["a"], "R": 3e4}}, 1e6, **asked)


def test_a_floor_above_where_a_bound_holds_is_refused_too() -> None:
    with pytest.raises(InputError, match=r"the smallest eta is below the largest\. Given: '0.01 and 0.001'"):
        moves(PLAIN, 1e12, dict.fromkeys(("D0", "s", "L"), 1.0), ("eta <= 1e-3",), floors={"eta": 1e-2})
