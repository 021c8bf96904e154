"""Rules of any posynomial bound, against rules worked out by hand."""

from __future__ import annotations

import json
from fractions import Fraction as F
from pathlib import Path
from typing import Any

import commands
import pytest
from eq4 import at_b

import hpgrid
from hpgrid import bounds
from hpgrid.checks import InputError
from hpgrid.proxy import Proxy
from hpgrid.transfers.rules import NoRule, Rules, moved, of_paper
from hpgrid.transfers.start import TUNED, Limits, Setting

LMO, SGD = of_paper("lmo"), of_paper("sgd")
START = Setting(T=1e10, eta=1e-3, b=4096.0, alpha=0.02)
GIVEN = {"T": START.T, **START.values}

#: No momentum: eta ~ (b/T)^(1/2), which meets the noise b^(-1/2) at b ~ T^(1/2).
PLAIN = "A*b/(eta*T) + N/sqrt(b) + L*eta"
A02 = "D/(eta*K) + s*sqrt(alpha/b) + s/(alpha*sqrt(b)*K) + L*eta/alpha"


def rules(text: str, **constants: float) -> Rules:
    return Rules(hpgrid.parse(text, constants).form("T"))


OF_PLAIN = rules(PLAIN, A=1, N=1, L=1)
OF_THIRDS = Rules(bounds.lmo(q="2/3"))
OF_A02 = rules(A02, D=7.2, s=0.6, L=28)

BY_HAND: list[tuple[Rules, str, tuple[str, ...], dict[str, dict[str, Any]]]] = [
    (OF_PLAIN, "A", ("b",), {"eta": {"T": F(-1, 2), "b": F(1, 2)}}),
    (OF_PLAIN, "C", (), {"eta": {"T": F(-1, 4)}, "b": {"T": F(1, 2)}}),
    # (b/(alpha T))^(1/2) = alpha^(1/2) b^(-2/3)
    (OF_THIRDS, "B", ("b",), {"alpha": {"T": F(-1, 2), "b": F(7, 6)}, "eta": {"T": F(-3, 4), "b": F(13, 12)}}),
    # (b/T)^(1/2) = b^(-2/3); with alpha tuned, too, more b is better until alpha is of order 1
    (OF_THIRDS, "C", (), {"eta": {"T": F(-2, 7)}, "b": {"T": F(3, 7)}}),
    (OF_THIRDS, "D", (), {"eta": {"T": F(-2, 7)}, "b": {"T": F(3, 7)}, "alpha": {"T": 0}}),
    # the noise of one's own falls as (alpha/b)^(1/3): (b/(alpha T))^(1/2) meets it at alpha^(5/6) = b^(5/6) T^(-1/2)
    (rules("b/(eta*T) + (alpha/b)**(1/3) + eta/alpha"), "B", ("b",),
     {"alpha": {"T": F(-3, 5), "b": 1}, "eta": {"T": F(-4, 5), "b": 1}}),
    # of a maximum whose branches meet: eta as of PLAIN; with K = T/b, eta = b (alpha/T)^(1/2) at a given b, and
    # b/(alpha T)^(1/2) meets (alpha/b)^(1/2) at b^(3/2) ~ T^(1/2)
    (rules("max(A*b/(eta*T), L*eta) + N/sqrt(b)", A=1, N=1, L=1), "A", ("b",), {"eta": {"T": F(-1, 2), "b": F(1, 2)}}),
    (rules("max(b/(eta*K), eta/alpha) + sqrt(alpha/b)"), "A", ("b",), {"eta": {"T": F(-1, 2), "b": 1}}),
    (rules("max(b/(eta*K), eta/alpha) + sqrt(alpha/b)"), "C", (), {"eta": {"T": F(-1, 6)}, "b": {"T": F(1, 3)}}),
    # of a root, (b/T)^(1/4) meets b^(-1/2) at b ~ T^(1/3)
    (rules("sqrt(b/(eta*T) + eta) + 1/sqrt(b)"), "C", (), {"eta": {"T": F(-1, 3)}, "b": {"T": F(1, 3)}}),
    (OF_A02, "C", (), {"eta": {"T": F(-1, 4)}, "b": {"T": F(1, 2)}}),
    (OF_A02, "D", (), {"eta": {"T": F(-1, 4)}, "b": {"T": F(1, 2)}, "alpha": {"T": 0}}),
]  # fmt: skip


@pytest.mark.parametrize(("of_bound", "regime", "given", "expected"), BY_HAND)
def test_a_rule_is_the_one_worked_out_by_hand(
    of_bound: Rules, regime: str, given: tuple[str, ...], expected: dict[str, dict[str, Any]]
) -> None:
    tuned = tuple(name for name in TUNED[regime] if name in of_bound.bound.variables())
    assert of_bound.powers(tuned, given) == expected
    row = moved(regime, START, 1e14, given=at_b(8192.0 if given else None), rules=of_bound)
    for name, powers in expected.items():
        ratio = 1e4 ** float(powers["T"]) * 2.0 ** float(powers.get("b", 0))
        assert getattr(row.at, name) == pytest.approx(getattr(START, name) * ratio, rel=1e-13)


def test_alpha_at_one_goes_on_with_the_regime_that_holds_it() -> None:
    """B of q = 2/3: alpha ~ b^(7/6) T^(-1/2), and eta ~ (b/T)^(1/2) from where it is 1."""
    b = 4096.0 * (100 / 0.02) ** (6 / 7)  # where alpha would be 100 at the same budget
    last, row = (moved("B", START, 1e10, given=at_b(float(round(x))), rules=OF_THIRDS) for x in (b / 100 ** (6 / 7), b))
    at_one, beyond = last.at, row.at
    assert (at_one.alpha, beyond.alpha) == (pytest.approx(1.0, rel=1e-6), 1.0)
    assert beyond.eta / at_one.eta == pytest.approx((beyond.b / at_one.b) ** 0.5, rel=1e-6)
    assert "stays at 1 (beta = 0), and from where it reaches 1 eta ~ T^(-1/2) b^(1/2)" in "; ".join(row.remarks)


def test_a_capped_eta_has_the_rest_tuned_again() -> None:
    """C1 b/(eta T) = C2 (alpha/b)^(1/2) gives C's b, C3 eta/alpha = C2 (alpha/b)^(1/2) B's alpha; and D is flat.

    PLAIN at a held eta: A b/(eta T) = N b^(-1/2)/2 gives b ~ (eta T)^(2/3).
    """
    assert LMO.powers(TUNED["C"], ("eta",))["b"] == {"T": F(2, 3), "eta": F(2, 3)}
    assert LMO.powers(TUNED["B"], ("eta", "b"))["alpha"] == {"T": 0, "eta": F(2, 3), "b": F(1, 3)}
    flat = {"b": {"T": F(1, 6) + F(7, 12), "eta": 1}, "alpha": {"T": F(-1, 3) + F(7, 12), "eta": 1}}
    assert LMO.powers(TUNED["D"], ("eta",)) == flat
    cap = 2e-5
    free, capped = (moved("C", START, 1e14, limits, rules=OF_PLAIN) for limits in (Limits(), Limits(eta=cap)))
    assert (capped.at.eta, capped.at.b) == (cap, pytest.approx(free.at.b * (cap / free.at.eta) ** (2 / 3), rel=1e-13))
    assert any(note.endswith("b falls from 409600 with it, b ~ eta^(2/3)") for note in capped.remarks)


def test_a_row_more_is_a_set_of_tuned_variables_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """With eta held, C1 b/(eta T) = C2 (alpha/b)^(1/2)/2 gives b ~ T^(2/3), and the best alpha is 1 in the end."""
    monkeypatch.setitem(TUNED, "E", ("b", "alpha"))
    answer = hpgrid.transfer(GIVEN, 1e12, constants={"C1": 1.0})
    row = answer.rows[4]
    assert (row.regime, row.tuned, row.held, row.at.eta) == ("E", ("b", "alpha"), ("eta",), 1e-3)
    assert "E: b_1 = b_0 (T_1/T_0)^(2/3), alpha_1 = alpha_0" in answer.text(details=True)
    assert row.at.b == pytest.approx(4096 * 100 ** (2 / 3))
    assert answer.costs.rows[4].cost.retuned["eta"] == 1e-3


@pytest.mark.parametrize(("bound", "tuned", "why"), [
    (bounds.sgd(), ("eta", "b"), "eta is undetermined: any power of T from -1/2 to 0"),
    (hpgrid.parse("1/(eta*T) + alpha*eta"), ("eta", "alpha"), "is unbounded: it needs a "),
    (hpgrid.parse("1/(eta*T) + (1 - alpha)*eta"), ("eta", "alpha"), "signomial|no power|posynomial"),
])  # fmt: skip
def test_a_law_that_says_nothing_of_what_was_tuned_is_no_rule(bound: Proxy, tuned: tuple[str, ...], why: str) -> None:
    with pytest.raises(NoRule, match=why):
        Rules(bound).powers(tuned)


def test_regimes_without_a_rule_say_why_and_the_others_stand() -> None:
    answer = hpgrid.transfer(GIVEN, 1e12, bound=bounds.sgd())
    assert [row.regime for row in answer.rows] == ["A"]
    assert "C: not applied, eta is undetermined" in answer.text(details=True)
    assert "eta <= 1/L" in answer.text(details=True)


def test_eq_4_given_as_a_bound_is_eq_4() -> None:
    assert hpgrid.transfer(GIVEN, 1e12, bound=bounds.lmo()) == hpgrid.transfer(GIVEN, 1e12)
    own = hpgrid.transfer(GIVEN, 1e12, bound=bounds.lmo(Delta0=2, L=3, rho=4, sigma=5, budget="K"), constants={})
    constants = {"C1": 2, "C2": 40, "C3": 12}
    assert own.as_dict() == hpgrid.transfer(GIVEN, 1e12, constants=constants).as_dict()


def test_another_bound_says_its_own_laws_alone() -> None:
    answer = hpgrid.transfer({"eta": 1e-3, "b": 4096, "T": 1e10}, 1e14, bound=OF_PLAIN.bound)
    text, data = answer.text(details=True), answer.as_dict()
    assert [row["regime"] for row in data["rows"]] == ["A", "C"]
    assert "formula: A*eta^-1*b*T^-1 + N*b^(-1/2) + L*eta\nfrom T = 1e+10" in text
    assert "A: eta_1 = eta_0 (T_0/T_1)^(1/2); the bound does not fall below N*b^(-1/2)\n" in text
    assert "C: b_1 = b_0 (T_1/T_0)^(1/2), eta_1 = eta_0 (T_0/T_1)^(1/4); the bound's best goes with T^(-1/4)" in text
    assert not any(word in text for word in ("Table", "Marek", "fits", "C.3", "Corollary", "SGD"))
    assert (data["fits"], data["paths"], data["half_life_kept"], data["sgd"], data["costs"]) == ([], [], {}, None, None)
    assert (data["bound"], data["no_rule"]) == ("formula", {})
    assert max(map(len, text.splitlines())) <= 120
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert len(answer.figure().axes) == 2


def test_what_a_rule_of_another_bound_costs_is_what_it_is_by_hand() -> None:
    """Of PLAIN: eta* = (A b/(L T))^(1/2) leaves N b^(-1/2) + s b^(1/2), s = 2 (A L/T)^(1/2), whose least is at N/s."""
    bound, T, s = hpgrid.parse(PLAIN, {"A": 2.0, "N": 3.0, "L": 5.0}), 1e12, 2 * (2.0 * 5.0 / 1e12) ** 0.5
    answer = hpgrid.transfer({"eta": 1e-3, "b": 4096, "T": 1e10}, T, bound=bound, constants={"N": 7.0})
    for row, costed in zip(answer.rows, answer.costs.rows):
        own = float(bound.with_constants(N=7.0).risk(T=T, eta=row.at.eta, b=row.at.b))
        at_b, best = 7.0 * row.at.b**-0.5 + s * row.at.b**0.5, 2 * (7.0 * s) ** 0.5
        least = at_b if "b" in row.held else best
        assert costed.cost.rule.retuned[0] == pytest.approx(own / least - 1, abs=1e-12)
        assert costed.cost.rule.best[0] == pytest.approx(own / best - 1, abs=1e-12)
        assert costed.constants == {"A": 2.0, "N": 7.0, "L": 5.0}
        assert "alpha" not in costed.cost.best
    assert (answer.costs.moves, answer.costs.half_lives, answer.costs.at_start) == ((), (), {})
    assert "excess of the bound over the least one" in answer.text(details=True)
    assert answer.as_dict()["costs"]["rows"][0]["cost"]["best"].keys() == {"eta", "b"}


@pytest.mark.parametrize(("asked", "why"), [
    ({"bound": hpgrid.parse("exp(eta) + b/(eta*T)")}, "or of maxima and roots of such; column 1: exp.eta. is no power"),
    ({"bound": hpgrid.parse("C/T", {"C": 1.0})}, "a bound with eta, b or alpha"),
    ({"bound": "lmo"}, "a bound is a Proxy"),
    ({"optimizer": "sgd"}, "a transfer has one bound"),
    ({"calibrate": True}, "constants are calibrated for eq. .4."),
    ({"constants": {"C1": 1.0}}, "there is no constant of that name"),
    ({"constants": {"L": -1.0}}, "constant L must be a finite number >= 0"),
    ({"constants": {"L": 1.0}, "start": {"eta": 1, "T": 9}}, "costs needs eta and b at the"),
    ({"regime": "C"}, r"a bound has a law of what was tuned\. Given: 'eta is undetermined"),
])  # fmt: skip
def test_what_is_asked_of_a_bound_that_does_not_give_it_is_refused(asked: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=why):
        hpgrid.transfer(**{"start": GIVEN, "to": 1e12, "bound": bounds.sgd(), **asked})


LINE = ("--from", "eta=1e-3,b=4096,beta=0.98,T=1e10", "--to", "1e14", "--bound")


def test_the_command_takes_a_name_a_formula_or_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    plain = commands.printed("transfer", capsys, *LINE[:-1])
    assert commands.printed("transfer", capsys, *LINE, "lmo") == plain
    path = tmp_path / "own.toml"
    path.write_text(f'bound = "{PLAIN}"\n[constants]\nA = 1\nN = 1\nL = 1\n')
    from_file = commands.printed("transfer", capsys, *LINE, str(path), "--json")
    assert commands.printed("transfer", capsys, *LINE, PLAIN, "--set", "A=1,N=1,L=1", "--json") == from_file
    data = json.loads(from_file)
    assert [row["rule"] for row in data["rows"]][1] == "b_1 = b_0 (T_1/T_0)^(1/2), eta_1 = eta_0 (T_0/T_1)^(1/4)"
    assert data["costs"]["rows"][0]["constants"] == {"A": [1, 1], "N": [1, 1], "L": [1, 1]}
    # A bound's options are set as in other commands.
    told = commands.printed("transfer", capsys, *LINE, "lmo", "--set", "q=2/3", "--regime", "C", "--details")
    assert "C: b_1 = b_0 (T_1/T_0)^(3/7), eta_1 = eta_0 (T_0/T_1)^(2/7)" in told
    assert "costs:" not in told, "no constant was given"


def test_the_constants_of_a_bound_itself_say_what_rows_cost() -> None:
    start, text = {"eta": 3e-4, "b": 524288, "T": 2.5e9}, "A*b/(eta*T) + N/sqrt(b) + L*eta"
    one, constants = dict.fromkeys("ANL", 1.0), {"A": 1.0, "N": 30.0, "L": 4.0}
    found = hpgrid.transfer(start, 1e12, bound=hpgrid.parse(text, constants))
    given = hpgrid.transfer(start, 1e12, bound=hpgrid.parse(text, one), constants=constants)
    assert found.choice == given.choice

    def risk(eta: float, b: float, T: float = 1e12) -> float:
        return b / (eta * T) + 30 / b**0.5 + 4 * eta

    # By hand, with x = A b/(eta T), y = N b^(-1/2), z = L eta: x = z in eta, and y = 2 x in b.
    b = (30 / 2) * (1e12 / 4) ** 0.5
    least = risk((b / 4e12) ** 0.5, b)
    assert risk((b / 4e12) ** 0.5, b) <= min(risk((b / 4e12) ** 0.5 * f, b * g) for f in (0.9, 1.1) for g in (0.9, 1.1))
    left = risk(3e-4, 524288) / least - 1
    assert f"{100 * left:.0f}% of the bound's least risk" in " ".join(found.text().split())
    assert hpgrid.transfer(start, 1e12, bound=hpgrid.parse(text, one)).costs is None


def test_a_maximum_says_its_laws_and_has_no_costs() -> None:
    bound = hpgrid.parse("max(A*b/(eta*K), eta/alpha) + sqrt(alpha/b)", {"A": 2.0})
    answer = hpgrid.transfer(GIVEN, 1e12, bound=bound, constants={"A": 3.0})
    text = answer.text(details=True)
    assert "formula: max(A*b/(eta*K), eta/alpha) + sqrt(alpha/b)\nfrom T = 1e+10" in text
    assert "C: b_1 = b_0 (T_1/T_0)^(1/3), eta_1 = eta_0 (T_0/T_1)^(1/6); the bound's best goes with T^(-1/6)" in text
    assert "no costs: formula is no posynomial in all of its variables" in text
    assert json.loads(json.dumps(answer.as_dict(), allow_nan=False))["costs"] is None
