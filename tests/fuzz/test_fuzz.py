"""A few of the cases that ``scripts/fuzz.py`` draws by the thousand."""

from __future__ import annotations

from types import SimpleNamespace

import formulas
import numpy as np
import pytest
from fuzz import case


# Formulas compile a program each: a minute of them is for the script.
@pytest.mark.parametrize("number", range(30))
def test_what_is_malformed_is_answered_or_refused_in_one_line(number: int) -> None:
    assert case("inputs", 2026, number) is None


@pytest.mark.parametrize(
    ("risk", "eta", "fault"),
    [
        (2.0, 1.0, None),  # of eta + T/eta at T = 1: 2, at 1
        (2.00001, 1.0, "above the simplex"),
        (2.0, 1.1, "at its own point"),
        (1.9, 1.0, "at its own point"),
    ],
)
def test_a_wrong_optimum_of_a_formula_is_noticed(
    monkeypatch: pytest.MonkeyPatch, risk: float, eta: float, fault: str | None
) -> None:
    at, yes, no = (np.array([x]) for x in (eta, True, False))
    found = SimpleNamespace(risk=np.array([risk]), at={"eta": at}, converged=yes, unbounded={"eta": no})
    monkeypatch.setattr(formulas.hpgrid, "refine", lambda *args, **given: found)
    rng, held = np.random.default_rng(0), {"b": 1.0, "alpha": 1.0}
    said = formulas._refined(rng, "eta + T/eta", {}, object(), ("eta",), held, np.array([1.0]))
    assert said is None if fault is None else fault in str(said)
