"""The bounds of Shulgin et al. (2026): LMO methods, their variants, and SGD.

Each is written once, in iterations K as the source does, and rewritten for tokens by K = T/b.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any

from hpgrid.checks import as_written, bad
from hpgrid.proxy import Proxy
from hpgrid.term import Factor, Term

_HALF = Fraction(1, 2)


#: A number, and the constants that it multiplies: a square is a name twice.
_Coefficient = tuple[Any, ...]


def _term(number: int | Fraction, *constants: str, **factors: Factor | int) -> Term:
    exact = {v: f if isinstance(f, str) else Fraction(f) for v, f in factors.items()}
    return Term({name: Fraction(times) for name, times in Counter(constants).items()}, exact, Fraction(number))


def _lmo_coefficients(given: dict[str, float | None]) -> tuple[dict[str, float], tuple[_Coefficient, ...]]:
    """Return the constants that were given and, in them, C1, C2 and C3.

    Source: the definitions before eq. (3): C1 = Delta0, C2 = 2 rho sigma, C3 = 4 L.
    """
    problem = ("Delta0", "L", "rho", "sigma")
    # None tells what was not given: two sets of constants that disagree could not be told from one and defaults.
    values = {name: value for name, value in given.items() if value is not None}
    if not any(name in problem for name in values):
        constants = {name: 1.0 for name in ("C1", "C2", "C3")} | values
        return constants, ((1, "C1"), (1, "C2"), (1, "C3"))
    if any(name not in problem for name in values):
        raise bad("give C1, C2, C3 or Delta0, L, rho, sigma, not both", sorted(values), "one set of constants")
    constants = {name: 1.0 for name in problem} | values
    return constants, ((1, "Delta0"), (2, "rho", "sigma"), (4, "L"))


def _noise_exponent(q: float | str | Fraction) -> Fraction:
    """Return q as the fraction one wrote: 0.3 is 3/10."""
    exponent = as_written(q)
    if exponent is None:
        raise bad("the noise exponent q is a number", q, "0 < q <= 1, such as 0.5 or '1/3'")
    if not 0 < exponent <= 1:
        raise bad("the noise exponent q must satisfy 0 < q <= 1", q, "a value such as 0.5")
    return exponent


def lmo(
    *,
    C1: float | None = None,
    C2: float | None = None,
    C3: float | None = None,
    Delta0: float | None = None,
    L: float | None = None,
    rho: float | None = None,
    sigma: float | None = None,
    q: float | str | Fraction = _HALF,
    burn_in: bool = True,
    E0: float | None = None,
    budget: str = "T",
) -> Proxy:
    """Return the proxy for LMO methods with momentum (Muon, signSGD, normalised SGD).

    risk_K = C1/(eta K) + C2 b^-q (1/(alpha K) + alpha^(1/2)) + C3 eta (1 + 1/alpha), q = 1/2.

    Args:
        C1: initial gap Delta0, > 0.
        C2: noise, 2 rho sigma, > 0.
        C3: smoothness, 4 L, > 0. Constants that are not given are 1.
        Delta0: f(x0) - inf f, in place of C1.
        L: smoothness constant, in place of C3.
        rho: norm equivalence constant, with sigma in place of C2.
        sigma: noise scale of a single sample's gradient.
        q: exponent with which noise falls in the batch size, in (0, 1].
        burn_in: False leaves the three leading terms of eq. (43): no 1/(alpha K), no C3 eta.
        E0: error of an unmatched initial momentum; the burn-in term is then E0/(alpha K).
        budget: "T" for tokens, "K" for iterations.

    Raises:
        ValueError: a constant that is not positive, both sets of constants, or q outside (0, 1].

    Source: Shulgin et al., eqs. (3) and (4); Appendix C.1 (E0); Appendix C.2, eq. (43) (q).
    """
    given = {"C1": C1, "C2": C2, "C3": C3, "Delta0": Delta0, "L": L, "rho": rho, "sigma": sigma}
    constants, (c1, c2, c3) = _lmo_coefficients(given)
    noise = _noise_exponent(q)
    progress, floor, drift = _term(*c1, eta=-1, K=-1), _term(*c2, b=-noise, alpha=_HALF), _term(*c3, eta=1, alpha=-1)
    if not burn_in:
        if E0 is not None:
            raise bad("E0 belongs to the burn-in term", E0, "either E0=... or burn_in=False")
        leading = Proxy((progress, floor, drift), constants, "K", name="lmo", source="Shulgin et al., eq. (43)")
        return leading.form(budget)
    if E0 is None:
        burn = _term(*c2, b=-noise, alpha=-1, K=-1)
    else:
        burn = _term(1, "E0", alpha=-1, K=-1)
        constants = {**constants, "E0": E0}
    terms = (progress, burn, floor, _term(*c3, eta=1), drift)
    return Proxy(terms, constants, "K", name="lmo", source="Shulgin et al., eqs. (3), (4)").form(budget)


def lmo_exact(*, Delta0: float = 1.0, L: float = 1.0, rho: float = 1.0, sigma: float = 1.0, budget: str = "T") -> Proxy:
    """Return the bound for LMO methods with its own numbers, 7/2 and 2.

    Delta0/(eta K) + 2 rho sigma (1/(alpha b^(1/2) K) + (alpha/b)^(1/2)) + 7/2 L eta + 2 L eta/alpha.

    Args:
        Delta0: f(x0) - inf f, > 0.
        L: smoothness constant, > 0.
        rho: norm equivalence constant, >= 1.
        sigma: noise scale of a single sample's gradient, > 0.
        budget: "T" for tokens, "K" for iterations.

    Source: Shulgin et al., eqs. (2), (10) in K, (11) in T.
    """
    terms = (
        _term(1, "Delta0", eta=-1, K=-1),
        _term(2, "rho", "sigma", b=-_HALF, alpha=-1, K=-1),
        _term(2, "rho", "sigma", b=-_HALF, alpha=_HALF),
        _term(Fraction(7, 2), "L", eta=1),
        _term(2, "L", eta=1, alpha=-1),
    )
    constants = {"Delta0": Delta0, "L": L, "rho": rho, "sigma": sigma}
    return Proxy(terms, constants, "K", name="lmo_exact", source="Shulgin et al., eqs. (2), (11)").form(budget)


def lmo_large_horizon(
    *,
    C1: float = 1.0,
    C2: float = 1.0,
    C3: float = 1.0,
    q: float | str | Fraction = _HALF,
    budget: str = "T",
) -> Proxy:
    """Return the proxy for a large horizon, alpha^(3/2) K >> 1: without the burn-in term.

    risk_K = C1/(eta K) + C2 alpha^(1/2) b^-q + C3 eta (1 + 1/alpha), q = 1/2.

    Args:
        C1: initial gap Delta0, > 0.
        C2: noise, 2 rho sigma, > 0.
        C3: smoothness, 4 L, > 0.
        q: exponent with which noise falls in the batch size, in (0, 1].
        budget: "T" for tokens, "K" for iterations.

    Source: Shulgin et al., eq. (5).
    """
    terms = (
        _term(1, "C1", eta=-1, K=-1),
        _term(1, "C2", b=-_noise_exponent(q), alpha=_HALF),
        _term(1, "C3", eta=1),
        _term(1, "C3", eta=1, alpha=-1),
    )
    constants = {"C1": C1, "C2": C2, "C3": C3}
    return Proxy(terms, constants, "K", name="lmo_large_horizon", source="Shulgin et al., eq. (5)").form(budget)


def sgd(*, Delta0: float = 1.0, L: float = 1.0, sigma: float = 1.0, budget: str = "T") -> Proxy:
    """Return the bound on SGD's mean squared gradient norm, for eta <= 1/L.

    Delta0/(eta K) + L eta sigma^2/b; its condition eta <= 1/L is the proxy's cap.

    Args:
        Delta0: f(x0) - inf f, > 0.
        L: smoothness constant, > 0.
        sigma: noise scale of a single sample's gradient, > 0.
        budget: "T" for tokens, "K" for iterations.

    Source: Shulgin et al., eq. (42).
    """
    terms = (_term(1, "Delta0", eta=-1, K=-1), _term(1, "L", "sigma", "sigma", eta=1, b=-1))
    return Proxy(
        terms,
        {"Delta0": Delta0, "L": L, "sigma": sigma},
        "K",
        cap_terms={"eta": Term({"L": Fraction(-1)}, {})},
        name="sgd",
        source="Shulgin et al., eq. (42)",
    ).form(budget)
