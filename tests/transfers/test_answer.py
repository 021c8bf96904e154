"""``transfer``: what it answers beside the rules."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from eq4 import GIVEN as START, ROUNDING, at_b
from hypothesis import given, strategies as st

import hpgrid
from hpgrid.checks import complement
from hpgrid.transfers.published import FITS, half_life, powered, rises
from hpgrid.transfers.rules import moved, of_paper


def one_line(start: dict[str, Any], **asked: Any) -> str:
    """The text without its line breaks."""
    return " ".join(hpgrid.transfer(start, 1e12, **asked).text(details=True).split())


def test_all_regimes_stand_side_by_side_and_sgds_rule_alone() -> None:
    answer = hpgrid.transfer(START, {"T": 1e12})
    assert [row.regime for row in answer.rows] == ["A", "B", "C", "D"]
    assert answer.rows == tuple(moved(x, answer.start, 1e12) for x in "ABCD")
    assert answer.sgd == moved("SGD", answer.start, 1e12)
    assert answer == hpgrid.transfer(START, 1e12)
    assert (answer.lacking, answer.notes) == ({}, ())
    alone = hpgrid.transfer(START, 1e12, optimizer="sgd", to_b=2**20)
    (row,) = alone.rows
    assert row == moved("SGD", alone.start, 1e12, given=at_b(2.0**20))
    assert (row.at.alpha, alone.sgd, alone.kept, alone.fits, alone.paths) == (None, None, {}, (), ())
    assert "eta <= 1/L" in row.remarks[0]


def test_one_start_is_written_in_several_ways() -> None:
    """In numbers of other kinds, and by beta or alpha, which is the decimal that was written."""
    others = {"eta": Fraction(3, 10000), "b": np.int32(524288), "beta": np.float64(0.95), "T": 2_500_000_000}
    same = hpgrid.transfer(others, np.float32(2**40), round_b=np.int64(256))
    assert same == hpgrid.transfer(START, 2.0**40, round_b=256)
    by_alpha = {"eta": 3e-4, "b": 524288, "alpha": 0.05, "T": 2.5e9}
    assert hpgrid.transfer(START, 1e12) == hpgrid.transfer(by_alpha, 1e12)
    assert [complement(x) for x in (0.95, 0.999, 0.9999999, 0.0)] == [0.05, 0.001, 1e-7, 1.0]
    text = hpgrid.transfer(START, 1e12).text(details=True)
    assert "beta = 0.95, alpha = 0.05" in text
    assert "  0.993214  0.006786  " in text


def test_regimes_that_lack_a_number_say_which() -> None:
    answer = hpgrid.transfer({"eta": 1e-3, "T": 1e9}, 1e11)
    assert [row.regime for row in answer.rows] == ["A"]
    assert answer.lacking == {"B": ("alpha",), "C": ("b",), "D": ("b", "alpha")}
    assert "D: not applied, regime D needs b and beta at the start" in answer.text(details=True)
    assert (answer.kept, answer.paths) == ({}, ())


def test_b_in_sequences_is_the_same_as_in_tokens() -> None:
    by_sequence = {**START, "b": 128}
    tokens = hpgrid.transfer(START, 1e12, max_b=2048 * 4096, max_eta=1e-5)
    sequences = hpgrid.transfer(by_sequence, 1e12, max_b=2048, max_eta=1e-5, seq_len=4096)
    assert [row.at for row in sequences.rows] == [row.at for row in tokens.rows]
    assert "b = 524288 (128 sequences of 4096)" in sequences.text(details=True)
    rounded = hpgrid.transfer(by_sequence, 1e12, round_b=100, seq_len=4096)
    assert [row.at.b / 4096 for row in rounded.rows] == [100, 100, 2600, 300]


def test_numbers_that_were_given_stand_as_they_are_and_others_have_four_digits_or_the_nearest_whole_one() -> None:
    assert "b has to be whole: 1423137 is nearest" in one_line(START)
    assert "b has to be whole: 347 sequences is nearest" in one_line({**START, "b": 128}, seq_len=4096)
    assert "b has to be whole: 1000 is nearest" in one_line(START, max_b=1000.5, regime="C"), "1001 is above the cap"
    assert "has to be whole" not in one_line(START, round_b="int")
    told = one_line({**START, "b": 128}, max_b=123456789012, round_b="int", seq_len=4096)
    assert "b at most 123456789012 sequences" in told
    assert "b is rounded from 347.4 sequences to 347 sequences" in told
    assert "b = 1000.5, " in one_line({**START, "b": 1000.5})
    assert "it stays at its cap 1000.5" in one_line(START, max_b=1000.5)


def test_other_budgets_are_allowed_with_a_word() -> None:
    assert hpgrid.transfer(START, 1e9).notes == ("to a shorter run: the rules hold for large T, at both ends",)
    same = hpgrid.transfer(START, 2.5e9, to_b=2**20)
    assert same.notes[0].startswith("the budget stays")
    assert same.paths == ()
    assert [row.at.eta / 3e-4 for row in same.rows] == pytest.approx([2**0.5, 2, 2**0.5, 2])
    short = hpgrid.transfer({**START, "T": 1e5}, 1e12)
    counted = "b and T are both counted in tokens"
    left = "leaves K = T/b = 0.1907, less than one iteration"
    assert short.notes == (f"at the start b = 524288 tokens {left}: {counted}",)
    assert hpgrid.transfer({**START, "T": 99.5 * 524288}, 1e12).notes == (
        f"at the start b = 524288 tokens leaves K = T/b = 99.5, fewer than 100 iterations: {counted}",
    )
    assert hpgrid.transfer({**START, "T": 100 * 524288}, 1e12).notes == ()
    # Sequences for tokens: 524288 x 4096 = 2147483648 leaves 2.5e9/2147483648 = 1.164, and 4e6 of them 1e12/1.6384e10.
    sequences = hpgrid.transfer(START, 1e12, max_b=4e6, seq_len=4096).notes
    assert [" ".join(note.split()[2:12]) for note in sequences] == [
        "start b = 524288 sequences of 4096, 2147483648 tokens, leaves",
        "b = 4000000 sequences of 4096, 16384000000 tokens, leaves K",
    ]
    assert "K = T/b = 1.164, fewer than 100 iterations: a b that is in tokens already takes no sequence" in sequences[0]
    assert "K = T/b = 61.04, fewer than 100" in sequences[1]
    assert hpgrid.transfer({**START, "b": 1000.5}, 1e12).notes == ("b at the start is no whole number",)
    few, many = (hpgrid.transfer({**START, "b": b}, 1e12).notes for b in (128, 2000))
    assert (few, many) == (("b = 128 is read in tokens; with a sequence length (seq-len) it is in sequences",), ())
    assert hpgrid.transfer({**START, "b": 128}, 1e12, seq_len=4096).notes == ()


@given(b=st.floats(1, 1e9), kappa=st.floats(1e-3, 1e3), alpha=st.floats(1e-12, 0.5))
def test_beta_to_the_kappa_keeps_the_half_life_in_tokens(b: float, kappa: float, alpha: float) -> None:
    before, after = half_life(b, alpha), half_life(b * kappa, powered(alpha, kappa))
    # A beta near 0 has 1 - beta near 1, which knows beta to eps/beta.
    assert after == pytest.approx(before, rel=1e-12 + 1e-15 / (1 - alpha) ** kappa) or (1 - alpha) ** kappa < 1e-15


def test_half_lives_in_tokens_and_the_momentum_that_keeps_them() -> None:
    assert 0.9 ** (half_life(32.0, 0.1) / 32) == pytest.approx(0.5, rel=ROUNDING)
    assert (half_life(32.0, 1.0), powered(1.0, 3.0)) == (0, 1)
    answer = hpgrid.transfer({**START, "beta2": 0.98}, 1e12, to_b=2**21)
    kept = answer.kept["A"]
    assert kept.kappa == 4
    assert (1 - kept.alpha, 1 - kept.alpha2) == pytest.approx((0.95**4, 0.98**4), rel=ROUNDING)


#: What the studies report, typed from them: exponents and, where they could be looked up, prefactors and ranges.
REPORTED = {
    "DeepSeek": ("C", 0.3271, -0.1250, 0.2920, 1e17, 2e19),
    "StepLaw": ("T", 0.571, 0.307, 0.58, 4e9, 1e11),
    "von Ruette": ("T", 0.8225, 0.2806, 10**-2.4, 1.3e8, 1.6e10),
    "Filatov": ("T", 0.45, -0.28, None, None, 1.38e11),
}


def test_fits_are_those_that_were_reported_and_start_from_the_start() -> None:
    answer = hpgrid.transfer(START, 1e12)
    assert {f.name: (f.budget, f.b, f.eta, f.tokens, f.low, f.high) for f in FITS} == REPORTED
    for applied in answer.fits:
        assert applied.b == pytest.approx(524288 * 400**applied.fit.b, rel=ROUNDING)
        assert applied.eta == pytest.approx(3e-4 * 400**applied.fit.eta, rel=ROUNDING)
    own = {applied.fit.name: applied.own_b for applied in answer.fits}
    assert own["StepLaw"] == pytest.approx(0.58 * 1e12**0.571, rel=ROUNDING)
    assert own["DeepSeek"] is None, "its budget is compute, which a number of tokens does not give"
    assert own["Filatov"] is None
    assert [a.beyond for a in answer.fits] == [None, True, True, True]
    assert [a.beyond for a in hpgrid.transfer(START, 1e10).fits] == [None, False, False, False]
    # Along DeepSeek's own T ~ C^0.4757 both of its exponents are other ones in T, as the remark says.
    assert f"b ~ T^{0.3271 / 0.4757:.3f}" in FITS[0].remark
    assert f"eta ~ T^{-0.1250 / 0.4757:.3f}" in FITS[0].remark
    assert FITS[2].eta == pytest.approx(0.8225 * 0.3412, abs=5e-5), "von Ruette's eta is through b"


def test_paths_and_eta_along_them() -> None:
    """C.3: q = -(1 - p)/2 at a fixed momentum, p - 3/4 at a tuned one; alpha ~ T^(p - 1/2)."""
    answer = hpgrid.transfer(START, 1e12)
    taken = [(path.regimes, path.p) for path in answer.paths]
    assert taken == [(("A", "B"), 0.0), (("D",), pytest.approx(1 / 6)), (("C",), pytest.approx(0.5))]
    for path in answer.paths:
        assert (path.fixed, path.tuned, path.alpha) == pytest.approx(
            (-(1 - path.p) / 2, path.p - 0.75, path.p - 0.5), abs=1e-12
        )
    assert rises(of_paper("lmo")) == (1, Fraction(3, 4))
    told = one_line(START)
    assert "eta rising, for p > lambda/(kappa + lambda): 1 with beta held, 3/4 with beta tuned; but for p > 1/2" in told
    steep = hpgrid.transfer({**START, "beta": 0.9999}, 1e12, to_b=524288 * 400**0.8 // 1)
    (path,) = steep.paths
    assert path.p == pytest.approx(0.8, abs=1e-7)
    assert path.tuned > 0 > path.fixed
    # It is the exponent that the rules have along the path, as long as alpha is below 1.
    for row, q in zip(steep.rows, (path.fixed, path.tuned, path.fixed, path.tuned)):
        assert row.at.alpha < 1
        assert math.log(row.at.eta / 3e-4) / math.log(400) == pytest.approx(q, abs=1e-9)


ASKED: list[dict[str, Any]] = [
    {},
    {"start": {**START, "beta2": 0.98}, "max_b": 4e6, "max_eta": 1e-6, "round_b": "pow2"},
    {"start": {**START, "b": 128, "beta2": 0.999}, "seq_len": 4096, "to_b": 12345},
    {"start": {**START, "b": 128}, "seq_len": 4096, "max_b": 200, "max_eta": 1e-6, "round_b": "7"},
    {"start": {**START, "beta": 0}, "to": 1e5},
    {"start": {"eta": 1e-3, "T": 1e9}, "to": 1e9},
    {"start": {"eta": 1e-300, "b": 1e15, "alpha": 1e-300, "T": 1e300}, "to": 1.0},
    {"optimizer": "sgd"},
    {"start": {"eta": 1e-3, "b": 7.123456789, "alpha": 1 / 17, "T": 1e9}, "seq_len": 4096, "max_b": 1000.5},
    {"calibrate": True, "max_b": 524288, "max_eta": 3e-4},
    {"calibrate": True, "to_b": 1e7, "regime": "A"},
    {"start": {"eta": 8e-5, "b": 1000.5, "alpha": 2.3e-308, "T": 2e14}, "to": 1e9, "constants": {"C1": 0.1, "C3": 1.0}},
]


@pytest.mark.parametrize("asked", ASKED)
def test_the_answer_fits_a_terminal_and_is_plain_data(asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    answer = hpgrid.transfer(**{"start": START, "to": 1e12, **asked})
    for columns, most, details in ((120, 22, 50), (100, 25, 70), (80, 30, 90), (60, 50, 130)):
        monkeypatch.setenv("COLUMNS", str(columns))
        answered, whole = (answer.text(details=each).splitlines() for each in (False, True))
        assert max(map(len, [*answered, *whole])) <= columns
        assert len(answered) <= most
        assert answer.costs is not None or len(whole) - len(answered) <= details
    plain = answer.as_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain


def test_plain_data_has_what_the_text_has() -> None:
    plain = hpgrid.transfer({**START, "b": 128}, 1e12, seq_len=4096, round_b="int").as_dict()
    row, at = plain["rows"][3], plain["rows"][3]["at"]
    assert (row["regime"], at["b"], at["b_units"], at["K"]) == ("D", 347 * 4096, 347, 1e12 / (347 * 4096))
    assert at["beta"] == 1 - at["alpha"]
    assert row["rule"].startswith("alpha_1 = alpha_0 (b_1/b_0) (T_0/T_1)^(1/2)")
    assert plain["fits"][0]["fit"]["budget"] == "C"
    assert plain["half_life_kept"]["D"]["beta"] == pytest.approx(0.95 ** (347 / 128))
