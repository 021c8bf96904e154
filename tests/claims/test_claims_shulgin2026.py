"""The ledger of Shulgin et al., measured once, whole; and that a wrong prediction does not pass."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

import pytest
from measured import CLAIMS, check_every_row, remeasured, rows, scale, verdict

from hpgrid import bounds
from hpgrid.claims import ledger, measures
from hpgrid.claims.shulgin2026 import appendix_c, discussion, simulated
from hpgrid.readings import FAILS, HOLDS, UNIDENTIFIABLE
from hpgrid.theory import batch_sizes, iso_loss, schedules, theorems, token_optimum

# --- what stands in it ---


def test_ids_are_the_only_ones_of_their_kind_and_say_where_they_are_from() -> None:
    assert len(CLAIMS) == len(ledger()) >= 60
    assert not [id for id in CLAIMS if " " in id or "," in id]
    assert all(
        entry.number and entry.statement and entry.id[:2] in ("S.", "C.", "L.", "A.", "H.") for entry in ledger()
    )
    assert len({entry.statement + entry.number for entry in ledger()}) == len(CLAIMS)


@pytest.mark.parametrize("number", [*range(2, 10), *range(12, 28), *range(30, 33), *range(34, 43), *range(44, 50)])
def test_every_equation_that_asserts_something_has_a_row(number: int) -> None:
    assert any(re.search(rf"\({number}\)", entry.number) for entry in ledger())


# --- what comes out ---


def test_every_claim_is_measured_and_what_does_not_hold_says_why() -> None:
    check_every_row("shulgin2026")


def test_the_theorems_hold_by_two_routes() -> None:
    found = rows("shulgin2026")
    for family in ("S.eq7", "S.eq8", "S.eq9", "S.eq22", "S.eq23", "S.cor1.restored", "S.cor2.ceiling"):
        for id in (id for id in found if id == family or id.startswith(f"{family}.")):
            assert found[id].finding.verdict == HOLDS, id
    for id in ("S.eq7.b", "S.eq8.alpha", "S.eq9.b", "S.eq9.risk"):
        assert {reading.route for reading in found[id].finding.readings} >= {"refined", "exact"}


@pytest.mark.parametrize(
    ("id", "known"),
    [
        ("S.sec4.ramp", FAILS),  # 7.1e6 tokens, not 1e9
        ("S.fig11.same", FAILS),  # hundreds of times apart
        ("S.fig11.reason", FAILS),  # eta rises with b
        ("S.table3.c_alpha", FAILS),
        ("S.table3.c_sgd", FAILS),
        ("S.B4.capD", FAILS),  # a capped batch size costs nothing where alpha is tuned
        ("S.eq49.while", HOLDS),
        ("S.C3.batch_heavy", HOLDS),  # for a while
        ("S.table1.b", HOLDS),  # within 1/4 of [1/2, 1]
        ("S.sec4.bounded", HOLDS),
        ("S.eq40.remaining", FAILS),  # eta/alpha is of the same order
        ("S.cor1.gap", HOLDS),
        ("S.fig9", UNIDENTIFIABLE),
        ("S.fig9.captions", UNIDENTIFIABLE),
        ("S.D.intermediate", FAILS),  # burn-in is at most an eighth on contours that say something
        ("S.mc.eq2", HOLDS),
    ],
)
def test_findings_that_a_reader_can_check_by_hand(id: str, known: str) -> None:
    assert verdict(id) == known


def test_measured_numbers_are_the_known_ones() -> None:
    def first(id: str) -> float:
        return float(rows("shulgin2026")[id].finding.readings[0].measured)

    # The first node of T = 1e2 * 10^(20 k/99) past which b's node is 10^(15/99) = 1.42 or more.
    assert 10 ** first("S.sec4.ramp") == pytest.approx(7.05e6, rel=1e-3)
    # On c = 1/2^(1/2), by hand: (C_burn x^2) (c - C_det x)/(c (C_floor + C_burn x^2)), x = K^(-1/2), where b = 1.
    assert first("S.D.intermediate") == pytest.approx(0.1225, abs=1e-4)
    assert first("S.fig11.same") == pytest.approx(434, rel=0.01)
    assert first("S.table3.c_alpha") == pytest.approx(1000**0.5)


# --- a wrong prediction ---


@pytest.mark.parametrize(
    ("id", "table", "name", "wrong"),
    [
        ("S.eq9.b", theorems.THEOREM_3, "b", Fraction(1, 5)),
        ("S.eq9.eta", theorems.THEOREM_3, "eta", Fraction(-1, 2)),
        ("S.eq7.b", theorems.THEOREM_1, "b", Fraction(51, 100)),
        ("S.eq8.eta", theorems.THEOREM_2, "eta", Fraction(-76, 100)),
        ("S.B4.capC", batch_sizes.CAP_REACHED, "C", Fraction(3)),
        ("S.eq23", token_optimum.EXPONENTS, "K", Fraction(4, 5)),
        ("S.B3.rate", token_optimum.RATE, "sigma", Fraction(1, 3)),
    ],
)
def test_a_wrong_exponent_fails(
    monkeypatch: pytest.MonkeyPatch, id: str, table: dict[str, Fraction], name: str, wrong: Fraction
) -> None:
    assert verdict(id) == HOLDS
    monkeypatch.setitem(table, name, wrong)
    assert remeasured(id) == FAILS


@pytest.mark.parametrize(
    ("id", "module", "form"),
    [
        ("S.eq12", token_optimum, "learning_rate"),
        ("S.eq16", token_optimum, "batch_size"),
        ("S.eq20", token_optimum, "momentum_complement"),
        ("S.eq24", theorems, "theorem1_b"),
        ("S.eq6.risk", theorems, "theorem1_risk_in_K"),
        ("S.B2.alpha", theorems, "theorem2_alpha_in_K"),
        ("S.B4.capped", batch_sizes, "capped_risk"),
    ],
)
def test_a_closed_form_that_is_off_by_a_millionth_fails(
    monkeypatch: pytest.MonkeyPatch, id: str, module: object, form: str
) -> None:
    scale(monkeypatch, module, form, 1 + 1e-6)
    assert remeasured(id) == FAILS


def test_methods_that_exceed_a_smaller_bound_or_move_otherwise_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    right = simulated._both
    monkeypatch.setattr(simulated, "_both", lambda norm: replace(right(norm), bound=right(norm).bound / 3))
    assert remeasured("S.mc.eq2") == FAILS
    monkeypatch.setattr(simulated, "ARRIVES", float(theorems.THEOREM_1_ETA_IN_K))
    assert remeasured("H.mc.eta.K") == FAILS


def test_an_exponent_of_0_is_no_decrease_and_no_term_alone_bounds_eta(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eq. (11) in the place of eq. (4), once with eta capped; and with no term that is eta alone."""
    capped = replace(bounds.lmo(), caps={"eta": 1e-9})
    monkeypatch.setitem(measures.BOUNDS, measures.EQ4, capped)
    for cached in (measures._named_optimum, measures._named_law):
        cached.cache_clear()
    assert remeasured("S.intro.decreasing") == FAILS
    monkeypatch.undo()
    for cached in (measures._named_optimum, measures._named_law):
        cached.cache_clear()
    whole = appendix_c.HARD
    monkeypatch.setattr(appendix_c, "HARD", replace(whole, terms=(whole.terms[0], replace(whole.terms[1], number=1))))
    assert remeasured("S.sec4.bounded") == FAILS


def test_margins_of_soft_words_are_what_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """A study at T^0.24 is more than 1/4 off all that b* does; a hundredth of burn-in is nowhere half."""
    monkeypatch.setattr(appendix_c, "TABLE_1", (appendix_c.Study("none", 0.24, -0.1),))
    assert remeasured("S.table1.b") == FAILS
    right = iso_loss.of_proxy
    monkeypatch.setattr(iso_loss, "of_proxy", lambda *a: right(*a)._replace(burn_in=right(*a).burn_in / 100))
    assert CLAIMS["S.D.intermediate"].measure().readings[1].verdict == FAILS
    monkeypatch.setattr(discussion, "_rises", lambda name: 1e9)
    assert CLAIMS["S.sec4.ramp"].measure().readings[0].verdict == HOLDS


def test_a_wrong_noise_exponent_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    right = schedules.noise_risk_in_T
    monkeypatch.setattr(schedules, "noise_risk_in_T", lambda q: {**right(q), "b": Fraction(1, 4) - q})
    assert remeasured("S.eq45") == FAILS
