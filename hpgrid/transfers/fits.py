"""Table 1: what four studies fitted, what each is a power of, and over which range.

Numbers are those of the studies themselves where they could be looked up; None where they were not at hand.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from hpgrid.transfers.given import Setting


class Fit(NamedTuple):
    """A fitted pair of laws, b* ~ x^b and eta* ~ x^eta.

    Attributes:
        name: the study.
        source: where it says so.
        optimizer: what was trained with.
        budget: "T" for tokens, "C" for compute in FLOPs: what x is.
        b: the exponent of the best batch size in tokens.
        eta: the exponent of the best learning rate.
        errors: how far b and eta may be off, as reported; None where nothing is.
        tokens: the batch size in tokens at x = 1, so that b* = tokens x^b; None where it was not at hand.
        low: the least x that was fitted.
        high: the largest x.
        sizes: the least and the largest number of parameters.
        remark: what else to know of it.
    """

    name: str
    source: str
    optimizer: str
    budget: str
    b: float
    eta: float
    errors: tuple[float | None, float | None]
    tokens: float | None
    low: float | None
    high: float | None
    sizes: tuple[float | None, float | None]
    remark: str


#: Source: Shulgin et al., Table 1; DeepSeek's eqs. (1) and (4) as two summaries of that paper quote them; StepLaw's
#: ranges from the runs of dense models that it published; von Ruette's from the figures of their notebooks, by eye;
#: Filatov's from its abstract.
FITS = (
    Fit(
        name="DeepSeek",
        source="DeepSeek LLM (2024), eq. (1)",
        optimizer="AdamW",
        budget="C",
        b=0.3271,
        eta=-0.1250,
        errors=(None, None),
        tokens=0.2920,
        low=1e17,
        high=2e19,
        sizes=(None, None),
        remark="fitted to compute C, not to tokens, models growing with it: T ~ C^0.4757, along which b ~ T^0.688 and "
        "eta ~ T^-0.263; here C_1/C_0 = T_1/T_0, the model as it is",
    ),
    Fit(
        name="StepLaw",
        source="StepLaw, Li et al. (2025) and their data",
        optimizer="AdamW",
        budget="T",
        b=0.571,
        eta=0.307,
        errors=(None, None),
        tokens=0.58,
        low=4e9,
        high=1e11,
        sizes=(2.15e8, 1.07e9),
        remark="eta* = 1.79 N^-0.713 T^0.307; here N is as it is",
    ),
    Fit(
        name="von Ruette",
        source="von Ruette et al. (2025) and their notebooks",
        optimizer="LaProp",
        budget="T",
        b=0.8225,
        eta=0.2806,
        errors=(0.0104, None),
        tokens=10**-2.4,
        low=1.3e8,
        high=1.6e10,
        sizes=(2.52e7, 5.667e8),
        remark="diffusion models; T is the fewest tokens to a given loss; eta* ~ (b*)^0.3412",
    ),
    Fit(
        name="Filatov",
        source="Filatov et al. (2025)",
        optimizer="Scion",
        budget="T",
        b=0.45,
        eta=-0.28,
        errors=(0.07, 0.07),
        tokens=None,
        low=None,
        high=1.38e11,
        sizes=(None, 1.3e9),
        remark="the largest T and N are the study's, the fit's own were not at hand",
    ),
)


class Applied(NamedTuple):
    """A fit taken from a start to another budget.

    Attributes:
        fit: the fit.
        eta: eta_0 (T_1/T_0)^eta; None where the start has no eta.
        b: b_0 (T_1/T_0)^b; None where it has no b.
        own_b: the fit's own batch size at T_1, which knows nothing of the start; None where it asks for more than T.
        beyond: whether T_1 is outside what was fitted; None where that is a range of compute.
    """

    fit: Fit
    eta: float | None
    b: float | None
    own_b: float | None
    beyond: bool | None


def applied(fit: Fit, start: Setting, T: float) -> Applied:
    """Return what a fit makes of a start at another budget, the model as it is."""
    longer = T / start.T
    in_tokens = fit.budget == "T"
    low, high = fit.low or 0.0, fit.high or math.inf
    return Applied(
        fit,
        None if start.eta is None else start.eta * longer**fit.eta,
        None if start.b is None else start.b * longer**fit.b,
        fit.tokens * T**fit.b if in_tokens and fit.tokens is not None else None,
        not low <= T <= high if in_tokens else None,
    )
