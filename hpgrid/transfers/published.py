"""What papers say beside the rules of eq. (4) and of SGD: Table 1's fits, Marek et al.'s momentum, C.3's paths.

And Shulgin et al.'s own remarks on the rows, in their words. None of it is said of any other bound.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from hpgrid.transfers.start import Setting

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hpgrid.transfers.rules import Row, Rules

# --- Shulgin et al. on the rows ---

FLOOR = "the noise floor C2 (alpha/b)^(1/2) stays (Corollary 1)"

#: How b goes with what stays at an end. D: eta, b and alpha go alike, the direction along which Theorem 3 is flat.
WITH = {
    ("C", "eta"): ", b ~ (eta T)^(2/3)",
    ("D", "eta"): ", and alpha, the leading risk as it is",
    ("D", "alpha"): ", and eta, the leading risk as it is",
}

#: alpha at an eta that is not the best: C2 (alpha/b)^(1/2) + C3 eta/alpha has its minimum there. And eta at alpha = 1.
ALPHA_AT_ETA, ETA_AT_ONE = "alpha ~ (eta^2 b)^(1/3)", "eta ~ (b/T)^(1/2)"


def drift_kept(alpha: float) -> str:
    """Return what Table 3 leaves out where alpha reaches 1: its drift is 1/alpha, that of eq. (4) 1 + 1/alpha."""
    less = math.sqrt((1 + alpha) / 2)
    kept = f"; kept is Table 3's drift 1/alpha, with eq. (4)'s 1 + 1/alpha eta would be {less:.3g} times that"
    return kept if less < 1 else ""


def about(rules: Rules, regime: str, at: Setting, b: float, own_b: float, off: Mapping[str, str]) -> tuple[str, ...]:
    """Return what a row means at a batch size b, its own or another one, where others stay at an end, so called."""
    if rules.paper == "sgd":
        return ("momentum does not enter; the bound is for eta <= 1/L, which no transfer sees",)
    if regime == "A":
        return (f"b held, alpha at its {off['alpha']}: {FLOOR}" if "alpha" in off else f"b and alpha held: {FLOOR}",)
    if b == own_b or regime == "B":
        return ()
    note = f"b is not regime {regime}'s own ({own_b:.4g} tokens)"
    if off:
        again = [
            f"{v} is tuned again at it" for v in ("alpha", "eta") if v not in off and (v == "eta" or regime == "D")
        ]
        return (f"{note}: {', '.join([*again, *(f'{v} at its {end}' for v, end in off.items())])}",)
    if regime == "D":
        same = ", at the same leading risk (Theorem 2)" if at.alpha is not None and at.alpha < 1 else ""
        return (f"{note}: alpha and eta are tuned again at it{same}",)
    rest = FLOOR if b < own_b else "the fewer iterations cost more than the noise falls"
    return (f"{note}: eta is tuned again at it; with alpha held {rest}",)


# --- what public runs show of the exponents ---

#: eta's exponents in T of public runs whose learning rate decays, from the smallest to the largest, where b is tuned
#: with it and where b is held. Source: public sweeps, an own measurement.
ETA_IN_T = {"tuned": (0.0, 0.3), "held": (-0.35, 0.14)}

#: What a schedule has to do with the theory's exponents, by public sweeps.
SCHEDULES = {
    "constant": "With a constant learning rate, as in the theory, eta ~ T^(-1/2) at a fixed b held on public runs.",
    "decay": "With a decay, unlike the theory, b ~ T^(1/2) held on public runs, but eta's exponent in T was "
    f"{ETA_IN_T['tuned'][0]:g} to {ETA_IN_T['tuned'][1]:g} at the best b, and {ETA_IN_T['held'][0]:g} to "
    f"{ETA_IN_T['held'][1]:g} at a fixed one.",
}


# --- Table 1 ---


class Fit(NamedTuple):
    """A fitted pair of laws, b* ~ x^b and eta* ~ x^eta."""

    name: str  # the study
    source: str  # where it says so
    optimizer: str  # what was trained with
    budget: str  # "T" for tokens, "C" for compute in FLOPs: what x is
    b: float  # the exponent of the best batch size in tokens
    eta: float  # the exponent of the best learning rate
    errors: tuple[float | None, float | None]  # how far b and eta may be off, as reported; None where nothing is
    tokens: float | None  # the batch size in tokens at x = 1, so that b* = tokens x^b; None where it was not at hand
    low: float | None  # the smallest x that was fitted
    high: float | None  # the largest x
    sizes: tuple[float | None, float | None]  # the smallest and the largest number of parameters
    remark: str  # what else to know of it


#: Source: Shulgin et al., Table 1; DeepSeek's eqs. (1) and (4) as two summaries of that paper quote them; StepLaw's
#: ranges from the runs of dense models that it published; von Ruette's from the figures of their notebooks, by eye;
#: Filatov's from its abstract.
FITS = (
    Fit("DeepSeek", "DeepSeek LLM (2024), eq. (1)", "AdamW", "C", 0.3271, -0.1250, (None, None), 0.2920, 1e17, 2e19,
        (None, None), "fitted to compute C, not to tokens, models growing with it: T ~ C^0.4757, along which "
        "b ~ T^0.688 and eta ~ T^-0.263; here C_1/C_0 = T_1/T_0, the model as it is"),
    Fit("StepLaw", "StepLaw, Li et al. (2025) and their data", "AdamW", "T", 0.571, 0.307, (None, None), 0.58, 4e9,
        1e11, (2.15e8, 1.07e9), "eta* = 1.79 N^-0.713 T^0.307; here N is as it is"),
    Fit("von Ruette", "von Ruette et al. (2025) and their notebooks", "LaProp", "T", 0.8225, 0.2806, (0.0104, None),
        10**-2.4, 1.3e8, 1.6e10, (2.52e7, 5.667e8), "diffusion models; T is the fewest tokens to a given loss; "
        "eta* ~ (b*)^0.3412"),
    Fit("Filatov", "Filatov et al. (2025)", "Scion", "T", 0.45, -0.28, (0.07, 0.07), None, None, 1.38e11, (None, 1.3e9),
        "the largest T and N are the study's, the fit's own were not at hand"),
)  # fmt: skip


def step_law(N: float, T: float) -> dict[str, float]:
    """Return what StepLaw sets for N parameters and T tokens, eta = 1.79 N^-0.713 T^0.307 and b = 0.58 T^0.571."""
    (fit,) = (fit for fit in FITS if fit.name == "StepLaw")
    return {"eta": 1.79 * N**-0.713 * T**fit.eta, "b": float(fit.tokens or 0) * T**fit.b}


class Applied(NamedTuple):
    """A fit taken from a start to another budget."""

    fit: Fit  # the fit
    eta: float | None  # eta_0 (T_1/T_0)^eta; None where the start has no eta
    b: float | None  # b_0 (T_1/T_0)^b; None where it has no b
    own_b: float | None  # the fit's own at T_1, which knows nothing of the start; None where it asks for more than T
    beyond: bool | None  # whether T_1 is outside what was fitted; None where that is a range of compute


def applied(fit: Fit, start: Setting, T: float) -> Applied:
    """Return what a fit makes of a start at another budget, the model as it is."""
    longer, in_tokens = T / start.T, fit.budget == "T"
    return Applied(
        fit=fit,
        eta=None if start.eta is None else start.eta * longer**fit.eta,
        b=None if start.b is None else start.b * longer**fit.b,
        own_b=fit.tokens * T**fit.b if in_tokens and fit.tokens is not None else None,
        beyond=not (fit.low or 0.0) <= T <= (fit.high or math.inf) if in_tokens else None,
    )


# --- Marek et al.: a moment's half-life in tokens stays, so that b to kappa b takes beta to beta^kappa ---


class Kept(NamedTuple):
    """A momentum whose half-life in tokens is that of the start, at another batch size."""

    b: float  # the batch size in tokens
    kappa: float  # how many times larger it is
    alpha: float | None  # 1 - beta^kappa; None where the start has no momentum
    alpha2: float | None  # the same of beta2


def half_life(b: float, alpha: float) -> float:
    """Return the half-life in tokens, b ln 2/(-ln beta); 0 at beta = 0.

    Source: Marek et al. (2025), as section 4 of Shulgin et al. has it.
    """
    return 0.0 if alpha == 1 else b * math.log(2) / -math.log1p(-alpha)


def powered(alpha: float, kappa: float) -> float:
    """Return 1 - beta^kappa from 1 - beta, exact next to 1. Source: Shulgin et al., section 4, Marek et al."""
    return 1.0 if alpha == 1 else -math.expm1(kappa * math.log1p(-alpha))


def kept(start: Setting, alpha2: float | None, rows: Sequence[Row]) -> dict[str, Kept]:
    """Return the momenta of a start at each row's batch size, their half-lives in tokens the same."""
    if start.b is None or (start.alpha is None and alpha2 is None):
        return {}
    sizes = {row.regime: row.at.b for row in rows if row.at.b is not None}
    momenta = start.alpha, alpha2
    return {
        regime: Kept(b, b / start.b, *(None if x is None else powered(x, b / start.b) for x in momenta))
        for regime, b in sizes.items()
    }


class Life(NamedTuple):
    """Momentum's half-life in tokens under one rule."""

    regime: str  # the rule's
    tokens: float  # at the new budget
    times: float  # over that at the old one; NaN where that is 0
    # of T_1/T_0: where b is the regime's own, or momentum tuned again at it; None where a limit keeps it from that
    power: Fraction | None
    retuned: NDArray[np.float64] | None  # with eq. (4)'s own best of what the row tunes, for each of the constants
    depends: str  # on what it depends, in words


def life(row: Row, start: Setting, rules: Rules, retuned: Mapping[str, Any] | None) -> Life:
    """Return the half-life under a row's rule; start and row have b and alpha."""
    import numpy as np

    b0, alpha0, b1, alpha1 = (float(x or 0) for x in (start.b, start.alpha, row.at.b, row.at.alpha))
    before, after = half_life(b0, alpha0), half_life(b1, alpha1)
    powers = {name: of["T"] for name, of in rules.powers(row.tuned).items()}
    power = Fraction(powers.get("b", 0) - powers.get("alpha", 0))
    # b/alpha is off its power by rounding alone, or by what a limit makes of it.
    times, longer = b1 / alpha1 / (b0 / alpha0), (row.at.T / start.T) ** float(power)
    follows = math.isclose(times, longer, rel_tol=1e-9) and alpha1 != 1
    if alpha1 == 1:
        depends = "nothing: beta is 0, there is none"
    elif "alpha" in row.tuned:
        law, cap = "T, as T^(1/2), and not on b: alpha ~ b T^(-1/2)", "eta, b and T: alpha is tuned at the cap on eta"
        depends = law if follows else cap
    elif row.own:
        depends = "b alone: beta is held" + (", b ~ T^(1/2)" if "b" in row.tuned else "")
    else:
        depends = "b alone: b and beta are held"
    best = None
    if retuned is not None:
        with np.errstate(divide="ignore"):  # -ln beta is infinite at beta = 0
            best = retuned["b"] * math.log(2) / -np.log1p(-retuned["alpha"])
    return Life(row.regime, after, after / before if before else math.nan, power if follows else None, best, depends)


# --- Appendix C.3: eta* ~ b^kappa K^-lambda, and along a path b ~ T^p ---


class Move(NamedTuple):
    """What quadrupling b does to the best eta."""

    method: str  # "LMO" or "SGD"
    momentum: str  # "held", "tuned again", or "" where it does not enter
    at_K: Fraction  # the exponent of b in eta* at fixed K
    at_T: Fraction  # the same at fixed T, K = T/b


def moves(lmo: Rules, sgd: Rules) -> tuple[Move, ...]:
    """Return the exponents of b in eta*: b^kappa at fixed K, so b^(kappa + lambda) at fixed T.

    Source: Shulgin et al., Appendix C.3 (i), (ii), for LMO methods; B.6 for SGD.
    """
    laws = (("LMO", "held", lmo, ("eta",)), ("LMO", "tuned again", lmo, ("eta", "alpha")), ("SGD", "", sgd, ("eta",)))
    powers = [(method, momentum, rules.powers(tuned, ("b",))["eta"]) for method, momentum, rules, tuned in laws]
    return tuple(Move(method, momentum, p["b"] + p["T"], p["b"]) for method, momentum, p in powers)


class Path(NamedTuple):
    """A batch path b ~ T^p between two budgets."""

    p: float  # ln(b_1/b_0)/ln(T_1/T_0)
    regimes: tuple[str, ...]  # those that take it
    fixed: float  # eta's exponent along it at a fixed momentum
    tuned: float  # with a tuned one, as long as alpha is below 1
    alpha: float  # the exponent of alpha there; above 0, alpha reaches 1 in the end


def paths(start: Setting, T: float, rows: Sequence[Row], rules: Rules) -> tuple[Path, ...]:
    """Return the paths that the rows take, the shallowest first; none where the budget or b is not known to change.

    Source: Shulgin et al., eqs. (46) to (49).
    """
    if start.T == T or start.b is None:
        return ()
    taken: dict[float, list[str]] = {}
    for row in rows:
        if row.at.b is not None:
            p = round(math.log(row.at.b / start.b) / math.log(T / start.T), 12)
            taken.setdefault(p + 0.0, []).append(row.regime)
    laws = [rules.powers(tuned, ("b",)) for tuned in (("eta",), ("eta", "alpha"))]
    followed = (laws[0]["eta"], laws[1]["eta"], laws[1]["alpha"])
    return tuple(
        Path(p, tuple(regimes), *(float(law["b"] * Fraction(p) + law["T"]) for law in followed))
        for p, regimes in sorted(taken.items())
    )


def rises(rules: Rules) -> tuple[Fraction, Fraction]:
    """Return where eta rises along a path: p above these, momentum held and tuned. Source: Shulgin et al., eq. (48)."""
    laws = (rules.powers(tuned, ("b",))["eta"] for tuned in (("eta",), ("eta", "alpha")))
    held, tuned = (-law["T"] / law["b"] for law in laws)
    return held, tuned
