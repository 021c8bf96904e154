"""A regime gives every hyperparameter one role, and a path turns it into a power of the budget."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from hpgrid import FunctionProxy, Proxy, Regime, Term, bounds
from hpgrid.regime import along, as_regime


def test_a_regime_puts_its_parts_in_canonical_order_and_makes_them_exact() -> None:
    regime = Regime(tuned=("alpha", "eta"), fixed={"T": 100}, path={"b": 0.5}, caps={"eta": np.float64(0.1)})
    assert regime.tuned == ("eta", "alpha")
    assert regime.path == {"b": Fraction(1, 2)}
    assert (regime.fixed, regime.caps) == ({"T": 100.0}, {"eta": 0.1})
    assert list(Regime(fixed={"alpha": 1e-3, "eta": 0.1}).fixed) == ["eta", "alpha"]


def test_one_name_or_one_twice_is_one_tuned_axis() -> None:
    assert Regime("eta").tuned == Regime(("eta", "eta")).tuned == ("eta",)


@pytest.mark.parametrize("exponent", [Fraction(1, 3), "1/3"])
def test_a_path_may_be_written_as_a_fraction_or_as_text(exponent: object) -> None:
    assert Regime(path={"b": exponent}).path == {"b": Fraction(1, 3)}


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"tuned": ("beta",)}, "'beta'"),
        ({"tuned": ("T",)}, "'T'"),
        ({"path": {"T": 1}}, "'T'"),
        ({"caps": {"K": 1.0}}, "'K'"),
        ({"fixed": {"lr": 1.0}}, "'lr'"),
        ({"fixed": {"alpha": 2.0}}, "alpha .*<= 1"),
        ({"fixed": {"b": 0.5}}, "b >= 1"),
        ({"fixed": {"eta": -1.0}}, "eta > 0"),
        ({"caps": {"eta": 0.0}}, "eta > 0"),
        ({"tuned": ("eta",), "fixed": {"eta": 1.0}}, "eta is either"),
        ({"tuned": ("b",), "path": {"b": 1}}, "b is either"),
        ({"fixed": {"b": 2.0}, "path": {"b": 1}}, "b is either"),
    ],
)
def test_a_regime_refuses(parts: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Regime(**parts)


def test_as_regime_takes_keywords_or_a_whole_regime_but_not_both() -> None:
    regime = Regime(("eta",), {"alpha": 0.1})
    assert as_regime(None, "eta", fixed={"alpha": 0.1}, path=None) == regime
    assert as_regime(None, ["eta"], fixed={"alpha": 0.1}) == regime
    assert as_regime(regime, None, fixed=None) is regime
    with pytest.raises(ValueError, match=r"not both.*\['fixed'\]"):
        as_regime(regime, None, fixed={"b": 2.0})
    with pytest.raises(ValueError, match="not both"):
        as_regime(regime, ("eta",))


@pytest.mark.parametrize("path", [{"b": Fraction(1, 2)}, {"alpha": Fraction(-1, 3)}, {"b": 1, "alpha": -1}])
def test_a_bound_along_a_path_is_the_bound_at_powers_of_the_budget(path: dict, budget: str) -> None:
    proxy = bounds.lmo(C1=3.0, q=0.3, budget=budget)
    size = np.array([10.0, 1e4, 1e9])
    at = {"eta": 0.01, "b": 7.0, "alpha": 0.2}
    on_path = {v: size ** float(e) for v, e in path.items()}
    folded = along(proxy, Regime(path=path).path)
    assert set(folded.variables()) == {"eta", "b", "alpha", budget} - set(path)
    np.testing.assert_allclose(
        folded.risk(**at, **{budget: size}), proxy.risk(**{**at, **on_path}, **{budget: size}), rtol=2e-14
    )


def test_exponents_along_a_path_are_exact() -> None:
    """Corollary 2: with b = T^phi the noise floor falls like T^(-phi/2)."""
    folded = along(bounds.lmo(burn_in=False), {"b": Fraction(1, 3)})
    assert [term.exponent("T") for term in folded.terms] == [Fraction(-2, 3), Fraction(-1, 6), 0]


def test_no_path_leaves_the_bound_as_it_is() -> None:
    proxy = bounds.lmo()
    assert along(proxy, {}) is proxy


@pytest.mark.parametrize(
    ("proxy", "message"),
    [
        (FunctionProxy(lambda *_: 1.0), "no path"),
        (Proxy((Term({}, {"b": "one_plus"}),), {}), "b is under a function"),
    ],
)
def test_a_path_needs_powers(proxy: Proxy | FunctionProxy, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        along(proxy, {"b": Fraction(1, 2)})


@pytest.mark.parametrize("path", [{"b": -1}, {"alpha": Fraction(1, 2)}])
def test_a_path_stays_in_range(path: dict) -> None:
    """For T >= 1: b = T^p >= 1 needs p >= 0, alpha = T^p <= 1 needs p <= 0."""
    with pytest.raises(ValueError, match=next(iter(path))):
        Regime(path=path)


def test_a_path_that_is_no_number_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"b.*'half'.*Write"):
        Regime(path={"b": "half"})
