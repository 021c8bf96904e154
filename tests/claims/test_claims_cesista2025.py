"""The ledger of Cesista, measured once, whole; what a reader can check by hand; that a wrong prediction fails."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from measured import CLAIMS, check_every_row, remeasured, rows, scale, verdict

from hpgrid.bounds import cesista2025 as bounds, lemmas
from hpgrid.claims import ledger
from hpgrid.readings import FAILS, HOLDS, VACUOUS, Reading
from hpgrid.stochastic import momentum as against
from hpgrid.theory import batch_sizes as fewest, cesista_laws

OWN = [entry for entry in CLAIMS.values() if entry.source == "cesista2025"]
LATER = [entry for entry in CLAIMS.values() if entry.source == "cesista_later"]


def readings(id: str) -> tuple[Reading, ...]:
    return rows(CLAIMS[id].source)[id].finding.readings


# --- what stands in it ---


def test_its_rows_are_in_the_ledger_under_their_source() -> None:
    assert [entry for entry in ledger("cesista2025") if entry.source != "hpgrid"] == [*OWN, *LATER]
    assert len(OWN) >= 60
    assert len(LATER) >= 19


@pytest.mark.parametrize(
    "number",
    [
        *("Lemma 5", "Proposition 6", "Corollary 7", "Theorem 8", "Proposition 9", "Proposition 10", "Theorem 11"),
        *("Theorem 12", "section 5", "Proposition A1.14", "A2"),
    ],
)
def test_every_statement_of_the_source_has_a_row(number: str) -> None:
    assert any(number in entry.number for entry in OWN)


# --- what comes out ---


def test_every_claim_is_measured_and_what_does_not_hold_says_why() -> None:
    check_every_row("cesista2025")
    check_every_row("cesista_later")


@pytest.mark.parametrize(
    ("id", "known"),
    [
        ("C.prop6.drift2", FAILS),  # L eta to the first power
        *((id, HOLDS) for id in ("C.cor7.noise", "C.mc.lem5.dense", "C.mc.decay", "C.mc.A1.stable", "C.thm8.dual")),
        *((id, HOLDS) for id in ("C.thm11.dual", "C.thm12.tokens", "L.revised.critical", "C.lem5.sum", "C.lmo")),
        *((id, HOLDS) for id in ("C.A2.frobenius", "C.A2.vectors", "C.prop10", "C.A1.tokens", "L.fw.derived")),
        *((id, HOLDS) for id in ("C.thm8.kappa", "L.star.b", "L.star.alpha", "L.fw.alpha", "L.star.derived")),
        *((id, FAILS) for id in ("C.mc.lem5.rank", "C.mc.prop6.second", "C.mc.cor7.second", "C.mc.A1.below")),
        *((id, FAILS) for id in ("C.mc.A1.kept", "C.A2.noise", "C.A2.noise.muon")),
        ("C.mc.lem5.sparse", FAILS),  # one entry in a sample, all of them in a mean
        ("C.mc.D", HOLDS),  # D = rho^2
        ("C.mc.decay.drift", FAILS),  # 2 eta
        ("C.mc.A1.above", FAILS),  # signs flip or don't
        ("C.thm8.step", FAILS),  # an orthogonal matrix has Frobenius norm min(m, n)^(1/2)
        ("C.thm11.frobenius", FAILS),  # kappa1^2, and L: at kappa1 = 1 a gradient of 128 beside a bound of 8
        ("C.thm11.step", FAILS),  # 2 eta
        ("C.thm11.vacuous", VACUOUS),  # 2^(3/2) L/lam > 2 L/lam
        ("C.thm12.Z", FAILS),  # sigma/b^(1/2)
        ("C.thm12.never", FAILS),  # for eps' <= 2 Z'^2/Y
        ("C.thm12.decay", VACUOUS),
        ("C.disc.approximation", FAILS),  # 3/2
        ("C.A2.signs", FAILS),  # 2: d over half of d
        ("C.A2.muon", FAILS),  # between 1, tall, and pi/2, square
        ("C.A2.worst.signs", FAILS),  # a kink where an entry crosses 0
        ("C.A2.worst.muon", FAILS),  # or a singular value
        ("L.revised.condition", FAILS),  # negative below a least weight decay
        ("L.fw.alpha.b", FAILS),  # b, not b^(1/2)
        ("L.fw.eta.b", FAILS),  # b, not b^(3/4)
    ],
)
def test_findings_that_a_reader_can_check_by_hand(id: str, known: str) -> None:
    assert verdict(id) == known


def test_measured_numbers_are_the_known_ones() -> None:
    known = {
        ("C.thm8.step", 1): pytest.approx(math.sqrt(32)),
        ("C.thm11.step", 0): pytest.approx(2.0),
        ("C.thm11.vacuous", 1): pytest.approx(math.sqrt(2), rel=1e-5),
        ("C.disc.approximation", 1): pytest.approx(1.5, rel=1e-5),
        ("L.fw.alpha.b", 0): pytest.approx(1.0, abs=1e-7),
        ("L.fw.eta.b", 0): pytest.approx(1.0, abs=1e-7),
        ("C.thm11.frobenius", 1): pytest.approx(16.0),  # ||2 I||_F^2 = 4 x 32 over 8
        ("C.lem5.sum", 1): pytest.approx(((1.3**4 + 0.7**4) / 2) ** 0.5 / 1.09),  # of (1, 1) + 0.3 (1, -1)
        ("H.thm8.floor", 0): pytest.approx(0.6, abs=1e-9),  # D/2
        ("C.A2.signs", 0): pytest.approx(2.0, abs=0.01),
        ("C.A2.muon", 0): pytest.approx(1.30, abs=0.01),
        ("C.A2.worst.muon", 0): pytest.approx(1.0, abs=1e-3),
        ("C.thm8.kappa", 1): pytest.approx(math.sqrt(32)),
    }
    assert {(id, k): float(readings(id)[k].measured) for id, k in known} == known


def test_theorem_11_is_vacuous_at_every_constant() -> None:
    """Z over 2 L/lam at random constants: above 2^(1/2), as by the arithmetic and the geometric mean."""
    rng = np.random.default_rng(0)
    lam, L, D, eta, alpha = 10 ** rng.uniform([[-6], [-3], [-3], [-9], [-6]], [[2], [3], [3], [0], [0]], (5, 2000))
    eta = np.minimum(eta, 1 / lam)
    Z = bounds.parts(eta=eta, alpha=alpha, lam=lam, L=L, D=D).Z
    assert (Z / lemmas.gradient_norm(lam, L=L)).min() >= math.sqrt(2)


def test_simulated_rows_say_by_how_much() -> None:
    """64 entries: 1 + (63 minus what is left of it at b = 256) 2/pi; Gaussian noise, 1 in every norm."""
    dense, sparse = readings("C.mc.lem5.dense"), readings("C.mc.lem5.sparse")
    assert all(abs(reading.measured - 1) <= reading.tolerance for reading in dense)
    assert float(sparse[1].measured) == pytest.approx(64 * 2 / math.pi, rel=0.1)
    assert float(sparse[0].measured) == pytest.approx(1.0, abs=sparse[0].tolerance)
    kept = readings("C.mc.A1.kept")
    assert [reading.verdict for reading in kept] == [HOLDS, HOLDS, FAILS, FAILS]
    assert all(3 < float(reading.measured) < 4 for reading in kept[2:])


# --- a wrong prediction ---


@pytest.mark.parametrize(
    ("id", "table", "name", "wrong"),
    [
        ("L.star.b", cesista_laws.STAR_CONVEX_FIXED_MOMENTUM, "b", (Fraction(1, 2), Fraction(-2, 3))),
        ("L.star.b", cesista_laws.STAR_CONVEX_FIXED_MOMENTUM, "b", (Fraction(2, 3), Fraction(0))),
        ("L.star.eta", cesista_laws.STAR_CONVEX_FIXED_MOMENTUM, "eta", (Fraction(-1, 3), Fraction(2, 3))),
        ("L.star.alpha", cesista_laws.STAR_CONVEX_FIXED_BATCH, "alpha", (Fraction(-33, 50), Fraction(2, 3))),
        ("L.star.eta.tokens", cesista_laws.STAR_CONVEX_FIXED_BATCH, "eta", (Fraction(-1), Fraction(1, 2))),
        ("L.star.powers", cesista_laws.STAR_CONVEX_IN_BATCH, "alpha", Fraction(3, 4)),
        ("L.star.iterations", cesista_laws.STAR_CONVEX_FIXED_ITERATIONS, "eta", (Fraction(-99, 100), Fraction(1))),
        ("L.fw.b", cesista_laws.FRANK_WOLFE_FIXED_MOMENTUM, "b", Fraction(51, 100)),
        ("L.fw.eta.tokens", cesista_laws.FRANK_WOLFE_FIXED_BATCH, "eta", Fraction(-2, 3)),
    ],
)
def test_a_wrong_law_fails(monkeypatch: pytest.MonkeyPatch, id: str, table: dict, name: str, wrong: object) -> None:
    assert verdict(id) == HOLDS
    monkeypatch.setitem(table, name, wrong)
    assert remeasured(id) == FAILS


@pytest.mark.parametrize(
    ("id", "kinds"),
    [("C.mc.D", ("momentum2", "nesterov2")), ("C.mc.decay", ("momentum", "momentum2", "nesterov", "nesterov2"))],
)
def test_a_bound_of_a_third_is_exceeded(monkeypatch: pytest.MonkeyPatch, id: str, kinds: tuple[str, ...]) -> None:
    assert verdict(id) == HOLDS
    for name in kinds:
        right, moment = against.BOUNDS[name]
        smaller = lambda *args, right=right, **given: tuple(part / 3 for part in right(*args, **given))  # noqa: E731
        monkeypatch.setitem(against.BOUNDS, name, (smaller, moment))
    assert remeasured(id) == FAILS


MILLIONTH, THOUSANDTH = 1 + 1e-6, 1.001


@pytest.mark.parametrize(
    ("id", "module", "form", "factor"),
    [
        ("C.lem5.batch", lemmas, "weighted_noise", MILLIONTH),
        ("C.lem5.batch", lemmas, "minibatch_noise", MILLIONTH),
        ("C.prop10", lemmas, "minibatch_noise", MILLIONTH),
        ("C.prop9.weights", lemmas, "weight_norm", 2.0),
        ("C.prop9.gradient", lemmas, "gradient_norm", 2.0),
        ("C.prop6.noise", lemmas, "kept", MILLIONTH),
        ("C.cor7.first", lemmas, "mean_momentum_error", MILLIONTH),
        ("C.cor7.first", lemmas, "minibatch_noise", MILLIONTH),
        ("C.cor7.first", lemmas, "mean_nesterov_error", MILLIONTH),
        ("L.fw.derived", bounds, "gap_parts", MILLIONTH),
        ("L.star.derived", bounds, "loss_parts", 0.5),
        ("C.thm8.dual", lemmas, "mean_nesterov_error", MILLIONTH),
        ("C.prop10", lemmas, "momentum_size", MILLIONTH),
        ("C.thm11.dual", lemmas, "weight_norm", MILLIONTH),
        ("L.revised.eta", bounds, "best_learning_rate", MILLIONTH),
        ("L.star.b", cesista_laws, "log_b", MILLIONTH),
        ("H.thm12.closed", fewest, "fewest_tokens", MILLIONTH),
        ("C.thm12.tokens", fewest, "theorem12_of", THOUSANDTH),
        ("L.revised.critical", fewest, "revised", THOUSANDTH),
        ("H.signs", cesista_laws, "sign_quotient", 1.005),  # four standard errors of 1000 pairs, 0.004
    ],
)
def test_a_form_that_is_off_fails(
    monkeypatch: pytest.MonkeyPatch, id: str, module: object, form: str, factor: float
) -> None:
    scale(monkeypatch, module, form, factor)
    assert remeasured(id) == FAILS


def test_without_its_D_a_weighted_sum_of_noises_exceeds_lemma_5(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lemmas, "weighted_noise", lambda weights, *, sigma=1.0, D=1.0: sigma**2 * (weights**2).sum(-1))
    assert remeasured("C.lem5.sum") == remeasured("C.lem5.batch") == FAILS


def test_where_the_formula_never_arrives_is_at_one_half_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    assert readings("C.thm12.never")[-1].verdict == HOLDS
    monkeypatch.setattr(fewest, "NEVER", 0.5 + 1e-9)
    assert CLAIMS["C.thm12.never"].measure().readings[-1].verdict == FAILS
