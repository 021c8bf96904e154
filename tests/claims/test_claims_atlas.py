"""The ledger of the atlas's bounds, measured once; and that a wrong prediction does not pass."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from measured import CLAIMS, check_every_row, remeasured, rows, verdict

from hpgrid.bounds import BOUNDS
from hpgrid.claims import ledger
from hpgrid.claims.atlas import logarithms, plateaus, sums
from hpgrid.claims.atlas.stated import bound, law
from hpgrid.readings import FAILS, HOLDS, UNIDENTIFIABLE, VACUOUS
from hpgrid.theory import atlas_laws as laws

OWN = [entry for entry in CLAIMS.values() if entry.source == "atlas"]

#: What does not hold, and what a reader can check by hand of it.
KNOWN = {
    "A.local_sgd.joint": FAILS,  # D0/(eta H R) + L eta s^2/n falls for ever as H grows and eta H stays
    "A.independent_decay.constant": FAILS,  # lam eta* K = log(K lam^2 ...)
    "A.three_term_split.b": VACUOUS,  # g/(c + g) is any number in (0, 1)
    "A.bst.b": UNIDENTIFIABLE,  # a plateau
    "A.functional_scaling.b": UNIDENTIFIABLE,  # eta/b alone
}


def test_each_bound_of_the_atlas_has_rows_and_there_are_sixty() -> None:
    of = Counter(id.split(".")[1] for id in CLAIMS if id.startswith("A."))
    assert set(of) == {name for name, row in BOUNDS.items() if not row.module}
    assert len(ledger("atlas")) >= 60 <= len(OWN)


def test_every_claim_is_measured_by_two_routes_and_what_does_not_hold_says_why() -> None:
    check_every_row("atlas")
    for id, row in rows("atlas").items():
        assert len({reading.route for reading in row.finding.readings}) >= 2, id


@pytest.mark.parametrize("id", [entry.id for entry in OWN])
def test_they_hold_but_for_what_a_reader_can_check_by_hand(id: str) -> None:
    assert verdict(id) == KNOWN.get(id, HOLDS)


def test_measured_numbers_are_the_known_ones() -> None:
    def readings(id: str) -> list[float]:
        return [float(reading.measured) for reading in rows(CLAIMS[id].source)[id].finding.readings]

    # log(K lam^2 c)/lam: by 2 log 100 less what beta G0 lam takes, over its first value.
    assert readings("A.independent_decay.constant")[0] == pytest.approx(math.log(11.2 / 3.58), abs=0.01)
    assert readings("A.bst.b") == [pytest.approx(0.0, abs=1e-9), 0, pytest.approx(2 / 3, abs=1e-3), 2 / 3]
    assert readings("A.local_sgd.steps")[0] == 0.25
    # 4 d R^2 log K over 8 d R^2 (log K)^(1/2), and what d R L adds: log K = 41.
    assert readings("A.adam.abstract")[-1] == pytest.approx(math.sqrt(math.log(1e18) + 4.5) / 2, rel=0.15)


# --- a wrong prediction ---

PRIVATE = "D0^1/2 L^-1/2 d^-1/2 C^-1 n epsilon K^-1"


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("storm", "eta ~ K^-2/3 @ fixed b", "eta ~ K^-3/4 @ fixed b"),
        ("normalised_sgd", "risk ~ K^-1/4", "risk ~ K^-0.26"),
        (
            "private_sgd",
            "eta = D0^1/2 L^-1/2 d^-1/2 C^-1 n epsilon K^-1",
            "eta = 2 D0^1/2 L^-1/2 d^-1/2 C^-1 n epsilon K^-1",
        ),
        ("functional_scaling", "eta ~ b T^-1/2 @ fixed b", "eta ~ b^1/2 T^-1/2 @ fixed b"),
    ],
)
def test_a_wrong_law_fails_by_both_routes(name: str, right: str, wrong: str) -> None:
    proxy = bound(name, budget="T" if "T^" in right else "K")
    assert {reading.verdict for reading in law(proxy, right)} == {HOLDS}
    assert {reading.route for reading in law(proxy, wrong) if reading.verdict == FAILS} == {"exact", "refined"}


MILLIONTH = 1 + 1e-6


@pytest.mark.parametrize(
    ("id", "form"),
    [
        ("A.critical_batch.root", "critical_root"),
        ("A.critical_batch.samples", "samples"),
        ("A.bst.plateau", "plateau_risk"),
        ("A.bst.risk", "plateau_risk"),
        ("A.sgd_strongly_convex.eta", "decay_rate"),
        ("A.sgd_strongly_convex.risk", "decay_risk"),
        ("A.adam.alpha2", "adam"),
        ("A.adam.risk", "adam"),
    ],
)
def test_a_closed_form_that_is_off_by_a_millionth_fails(monkeypatch: pytest.MonkeyPatch, id: str, form: str) -> None:
    right = getattr(laws, form)

    def off(*args: object, **given: object) -> object:
        value = right(*args, **given)
        return type(value)(*(part * MILLIONTH for part in value)) if isinstance(value, tuple) else value * MILLIONTH

    monkeypatch.setattr(laws, form, off)
    assert remeasured(id) == FAILS


def test_wrong_powers_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    right = laws.su
    monkeypatch.setattr(laws, "su", lambda **g: right(**{**g, "g7": g["g7"] + Fraction(1, 100)}))
    assert [remeasured(f"A.su_law.{row}") for row in ("eta.N", "b.N", "b")] == [FAILS, FAILS, HOLDS]
    monkeypatch.setattr(laws, "heavy_tails", lambda p: {"risk": -(p - 1) / (3 * p - 1)})
    assert remeasured("A.heavy_tails.risk") == FAILS
    monkeypatch.setitem(laws.LOCAL_STEPS, "S", Fraction(1, 3))
    assert remeasured("A.local_sgd.steps") == FAILS
    monkeypatch.setattr(plateaus, "_best", lambda b, T: np.sqrt(b * b / T))
    assert remeasured("A.sgd_nonconvex.eta") == FAILS


def test_a_wrong_power_of_a_logarithm_fails() -> None:
    form = logarithms._adam_form("risk")
    assert [reading.verdict for reading in logarithms.powers(form, -0.5, 0.5)] == [HOLDS, HOLDS]
    assert [reading.verdict for reading in logarithms.powers(form, -0.5, 1.0)] == [HOLDS, FAILS]
    assert logarithms.powers(form, -0.51, 0.5)[0].verdict == FAILS


def test_without_a_term_a_bound_has_the_rest_and_random_constants_are_none_of_them_one() -> None:
    split = bound("three_term_split")
    assert len(sums.without(split, "E", "B").terms) == 2
    assert all(abs(math.log(x)) > 1e-3 for x in split.constants.values())
