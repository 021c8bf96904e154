"""The row that is recommended, what it costs to leave all as it was, what a schedule changes; groups of parameters."""

from __future__ import annotations

import json
from typing import Any

import pytest
from commands import Capture, printed, refused
from eq4 import GIVEN as START

import hpgrid
from hpgrid.transfers.choice import WITHIN
from hpgrid.transfers.groups import transfer_groups


@pytest.mark.parametrize(("asked", "regime"), [
    ({}, "C"), ({"max_b": 2e6}, "D"), ({"schedule": "decay", "max_b": 2e6}, "C"), ({"regime": "B"}, "B"),
    ({"start": {"eta": 1e-3, "T": 1e9}}, "A"), ({"start": {"eta": 1e-3, "beta": 0.9, "T": 1e9}}, "B"),
    ({"optimizer": "sgd"}, "SGD"), ({"calibrate": True}, "C"),
    ({"calibrate": True, "max_b": 2e6}, "D"),
])  # fmt: skip
def test_which_row_is_recommended(asked: dict[str, Any], regime: str) -> None:
    answer = hpgrid.transfer(**{"start": START, "to": 1e12, **asked})
    assert answer.choice.row.regime == answer.as_dict()["recommended"] == regime
    assert bool(answer.choice.why) == (len(answer.rows) > 1)


def test_where_costs_are_known_no_row_costs_less_by_more_than_one_per_cent() -> None:
    answer = hpgrid.transfer(START, 1e12, calibrate=True, max_b=2e6)
    worst = {row.regime: float(row.cost.rule.best.max()) for row in answer.costs.rows}
    assert worst[answer.choice.row.regime] <= min(worst.values()) + WITHIN


def test_where_every_row_costs_more_than_leaving_all_as_it_was_that_is_said_first(capsys: Capture) -> None:
    """By eq. (4) at the start, left as it is, and at row A's rate, which is 400^(-1/2) of that."""
    constants = {"C1": 1.0, "C2": 30.0, "C3": 4.0}
    bound = hpgrid.bounds.lmo(**constants)
    least = float(hpgrid.refine(bound, ("eta", "b", "alpha"), T=1e12).risk)
    left, row_a = (float(bound.risk(eta=eta, b=524288.0, alpha=0.05, T=1e12)) / least - 1 for eta in (3e-4, 1.5e-5))
    assert left + WITHIN < row_a
    asked = ("--from", "eta=3e-4,b=524288,beta=0.95,T=2.5B", "--to", "1T", "--set", "C1=1,C2=30,C3=4")
    told = json.loads(printed("transfer", capsys, *asked, "--json"))
    paid = {each["regime"]: each["cost"] for each in told["costs"]["rows"]}
    assert min(cost["rule"]["best"][0] for cost in paid.values()) == pytest.approx(row_a, rel=1e-6)
    assert paid["A"]["unchanged"]["best"][0] == pytest.approx(left, rel=1e-6)
    assert told["recommended"] is None
    first, why, table, *_ = printed("transfer", capsys, *asked).split("\n\n")
    said = "For 1e+12 tokens leave all as it was: eta = 0.0003, b = 524288, beta = 0.95"
    assert " ".join(first.split()).startswith(said)
    costs = (
        f"the setting costs {100 * left:.0f}% of eq. (4)'s least risk there; with these constants every row costs more"
    )
    assert f"{costs}, A as the cheapest {100 * row_a:.0f}%." in " ".join(why.split())
    assert "The start is not the best of what was tuned for them" in why
    assert table.split("\n")[1].startswith("A  eta")
    # Capped, it is left as far as that lets it be; and where one row costs less, that is what is said.
    capped = hpgrid.transfer(START, 1e12, constants=constants, max_b=1e5)
    assert capped.choice.leave is None or capped.choice.leave.b == 1e5
    assert hpgrid.transfer(START, 1e12, calibrate=True).choice.leave is None


def test_groups_are_left_as_they_were_all_or_none() -> None:
    shared = {"b": 524288.0, "T": 2.5e9}
    starts = {"one": {"eta": 3e-4, "beta": 0.95, **shared}, "two": {"eta": 2e-4, "beta": 0.95, "beta2": 0.98, **shared}}
    constants = {"C1": 1.0, "C2": 30.0, "C3": 4.0}
    both = transfer_groups(starts, 1e12, constants=constants)
    assert both.as_dict()["recommended"] == {"one": None, "two": None}
    assert both.answer().text().startswith("For 1e+12 tokens leave all as it was: b = 524288: 1.907e+06 iterations.")
    assert [row[1] for row in both.answer().beside[0][0].rows[1:]] == ["0.0003", "0.0002"]  # type: ignore[union-attr]
    starts["two"]["eta"] = 3e-2  # which has to fall
    assert None not in transfer_groups(starts, 1e12, constants=constants).as_dict()["recommended"].values()


@pytest.mark.parametrize("longer", [10.0, 400.0])
def test_leaving_all_as_it_was_costs_what_the_bound_says_far_out(longer: float) -> None:
    """Against refined optima at a budget so large that the leading order is all."""
    bound, T, fixed = hpgrid.bounds.lmo(), 1e24, {"alpha": 1e-3}
    before, after = (hpgrid.refine(bound, ("eta", "b"), fixed=fixed, T=t) for t in (T, longer * T))
    at = {v: float(before.at[v]) for v in ("eta", "b")}
    own = float(bound.risk(**at, **fixed, T=longer * T)) / float(after.risk) - 1
    answer = hpgrid.transfer({**at, **fixed, "T": T}, longer * T, regime="C")
    # The terms left out are smaller by (b/(alpha^(3/2) T)) ~ T^(-1/2) alpha^(-1/2): 3e-11 of those kept.
    assert answer.choice.unchanged == pytest.approx(own, rel=1e-8)


def test_with_constants_it_costs_what_they_say_whatever_the_domain_and_the_start_is() -> None:
    """By hand: D b/(eta T) + L eta + s/b^(1/2) at T = 1e8 is least where all three are equal, but for a half."""
    left = 100 / (0.01 * 1e8) + 0.01 + 100**-0.5
    # In eta and b: 2 (b/T)^(1/2) = b^(-1/2) at the best, eta = (b/T)^(1/2), so that b = T^(1/2)/2.
    b = 1e8**0.5 / 2
    best = 2 * (b / 1e8) ** 0.5 + b**-0.5
    for domain in ([], ["eta*L <= b"]):
        bound = hpgrid.parse("D*b/(eta*T) + L*eta + s/sqrt(b)", {"D": 1, "L": 1, "s": 1}, domain=domain)
        answer = hpgrid.transfer(
            {"eta": 0.01, "b": 100, "T": 1e6}, 1e8, bound=bound, constants={"D": 1, "L": 1, "s": 1}
        )
        assert answer.choice.unchanged == pytest.approx(left / best - 1, rel=1e-9)
        assert "the bound's least risk there" in " ".join(answer.text().split())
        assert "to leading order" not in " ".join(answer.text().split())


def test_a_floor_a_limit_and_a_shorter_run_have_no_such_cost() -> None:
    for asked in ({"regime": "A"}, {"regime": "C", "max_b": 2e6}, {"to": 1e9, "regime": "C"}):
        assert hpgrid.transfer(**{"start": START, "to": 1e12, **asked}).choice.unchanged is None  # type: ignore[arg-type]


def test_what_a_schedule_changes() -> None:
    held = hpgrid.transfer({"eta": 1e-3, "T": 1e9}, 1e11, schedule="decay").choice.eta
    tuned = hpgrid.transfer({"eta": 1e-3, "b": 2048, "T": 1e9}, 1e11, schedule="decay").choice.eta
    assert held == pytest.approx((1e-3 * 100**-0.35, 1e-3 * 100**0.14))
    assert tuned == pytest.approx((1e-3, 1e-3 * 100**0.3))
    shorter = hpgrid.transfer({"eta": 1e-3, "b": 2048, "T": 1e11}, 1e9, schedule="decay").choice.eta
    assert shorter == pytest.approx((1e-3 * 0.01**0.3, 1e-3))
    text = hpgrid.transfer(START, 1e12, schedule="constant").text()
    assert "With a constant learning rate, as in the theory" in text
    with pytest.raises(ValueError, match="there is no schedule of that name"):
        hpgrid.transfer(START, 1e12, schedule="cosine")


SHARED, MUON, ADAMW = "b=524288,T=2.5e9", "muon:eta=0.02,beta=0.95", "adamw:eta=3e-4,beta=0.9,beta2=0.95"
GROUPS = ("--from", MUON, "--from", ADAMW, "--from", SHARED, "--to", "1e12")


def test_groups_share_budget_and_batch_size_and_move_each_by_its_own_start(capsys: Capture) -> None:
    lines = printed("transfer", capsys, *GROUPS).splitlines()
    assert lines[0] == "For 1e+12 tokens set b = 10485760: 9.537e+04 iterations."
    assert [line.split() for line in lines[2:5]] == [
        ["group", "eta", "beta", "beta2"],
        ["muon", "0.004472", "0.95", "-"],
        ["adamw", "6.708e-05", "0.9", "0.3585"],
    ]
    told = json.loads(printed("transfer", capsys, *GROUPS, "--json"))
    own = hpgrid.transfer({"eta": 0.02, "beta": 0.95, "b": 524288, "T": 2.5e9}, 1e12)
    assert told["groups"]["muon"] == json.loads(json.dumps(own.as_dict()))
    assert told["recommended"] == {"muon": "C", "adamw": "C"}
    assert "\nadamw:\n" in printed("transfer", capsys, *GROUPS, "--details")


def test_groups_take_a_row_that_all_have() -> None:
    starts = {"muon": START, "embed": {"eta": 1e-3, "b": START["b"], "T": START["T"]}}
    found = transfer_groups(starts, 1e12, max_b=2e6)
    assert {best.row.regime for best in found.choices.values()} == {"C"}, "without beta there is no D"


@pytest.mark.parametrize(("line", "words"), [
    (("--from", MUON, "adamw:eta=1e-3,b=1024", "--from", SHARED, "--to", "1e12"), "--from gives b twice"),
    (("--from", f"{MUON},b=512", "--from", f"{ADAMW},b=1024", "T=1e9", "--to", "1e12"), "groups of one run share b"),
    (("--from", f"sgd:eta=0.1,{SHARED}", "--to", "1e12"), "groups move by the rules of eq. (4). Given: 'sgd'"),
    ((*GROUPS, "--plot", "way.png"), "a picture is of one group"),
    (("--from", MUON, "--to", "1e12"), "a start has its token budget T"),
    (("--from", f"muon:etta=0.1,{SHARED}", "--to", "1e12"), "no name in a start of that name"),
])  # fmt: skip
def test_groups_that_do_not_fit_together_are_refused(capsys: Capture, line: tuple[str, ...], words: str) -> None:
    refused("transfer", capsys, line, words)
