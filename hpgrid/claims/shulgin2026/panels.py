"""Figures 10 and 11, and what the text says about their panels."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from hpgrid.claims.ledger import Finding, Reading, claim
from hpgrid.claims.readings import at_least, at_most, on_grid, power
from hpgrid.claims.routes import EQ4, EQ5, Array, elasticity, exponent, figure, power_in, setting
from hpgrid.curves import PERFORMANCE
from hpgrid.slopes import fit_slope
from hpgrid.theory import iso_loss

ALPHA = 1e-3


# --- Figure 10 ---


@claim("S.fig10", "Figure 10; App. D", "under fixed momentum the near-optimal batch size follows T^1/2")
def figure_10() -> Finding:
    found = on_grid("fig10")
    return Finding(
        found[1:], "middle and right panel; the left one has no point off the wall of eta: S.fig10.saturates"
    )


@claim(
    "S.fig10.saturates", "App. D", "in the left panel the near-optimal line saturates at large T: eta is lower bounded"
)
def saturates() -> Finding:
    """The near-optimal batch size's slope over the last five decades, each panel; and eta on its floor."""
    arrays = figure("fig10").arrays
    slopes = []
    for k in (0, 2):
        T, near = arrays[f"budget_{k}"], arrays[f"near_{k}"]
        last = T >= 1e17
        step = float(np.log(arrays[f"b_{k}"][1] / arrays[f"b_{k}"][0]))
        slopes.append(fit_slope(T[last], near[last], step=step))
    held = bool(arrays["near_held_0"][arrays["budget_0"] >= 1e17].all())
    left, right = slopes
    return Finding(
        (
            Reading("near-optimal b ~ T^p, T >= 1e17, left panel", "grid", left.slope, 0.0, left.error),
            Reading("eta is on its floor all along", "grid", held, True),
        ),
        f"in the right panel it goes on rising, as T^{right.slope:.2g}",
    )


@claim("S.fig10.reason", "App. D", "a smaller momentum complement requires a proportionally smaller eta")
def proportional() -> Finding:
    """The power of alpha in eta_T* at the best batch size, as alpha goes to 0: 1 + alpha is a factor of its own."""
    regime = setting("eta", "b", alpha=1e-3)
    return Finding(
        power("eta", "alpha", Fraction(1), regime, EQ5, between=(1e-14, 1e-13)),
        "'smaller momentum' is read as smaller alpha; it is the larger beta that needs the smaller eta",
    )


@claim(
    "S.fig10.minimum", "section 4; App. D", "under fixed momentum a target requires a minimum batch size (Figure 10)"
)
def minimum_batch() -> Finding:
    """The least batch size on the right panel's grid that reaches a level at any budget, over b_min."""
    arrays = figure("fig10").arrays
    b, risk = arrays["b_2"], arrays["risk_2"]
    ratios = []
    for level in arrays["levels"]:
        reached = (risk <= level).any(axis=1)
        needed = iso_loss.least_batch_size(float(level), iso_loss.of_proxy(0.0658, 1.0, 1.0, 1.0))
        if reached.any() and needed > b[0]:
            ratios.append(float(b[reached.argmax()] / needed))
    return Finding(
        (at_least(f"smallest ratio of {len(ratios)} levels, alpha = 0.0658", "grid", min(ratios), 1.0),),
        f"levels with b_min > 1; the largest ratio is {max(ratios):.3g}, and S.D.batch shows that b_min is attained",
    )


# --- Figure 11 ---


def _panels() -> tuple[Array, Array, Array, Array, Array]:
    arrays = figure("fig11").arrays
    return arrays["budget_1"], arrays["b_1"], arrays["risk_0"], arrays["risk_1"], arrays["risk_2"]


@claim(
    "S.fig11.left",
    "App. D",
    "if alpha and eta are tuned unrestrictedly, the final performance is better than in the other panels",
)
def left_panel() -> Finding:
    _, _, left, middle, right = _panels()
    final = left[-1, -1]
    return Finding(
        tuple(
            at_most(
                f"its risk at the largest K and b over the {name} panel's", "grid", float(final / other[-1, -1]), 1.0
            )
            for name, other in (("middle", middle), ("right", right))
        ),
        f"and its largest ratio anywhere is {(left / middle).max():.4g} (middle), {(left / right).max():.4g} (right); "
        "its grids of alpha and eta are the footnote's",
    )


@claim("S.fig11.reason", "App. D", "because a larger batch size requires a much smaller learning rate")
def reason() -> Finding:
    """The power of b in eta* at a fixed K, alpha tuned as in the left panel: it should be negative."""
    regime = setting("eta", "alpha", budget="K", b=1e3)
    measured, error = elasticity(EQ4, regime, "eta", "b", (1e3, 1e4))
    what = "eta ~ b^p at fixed K, alpha tuned, eq. (3)"
    in_b, in_K = power_in(EQ4, regime, "eta", "b"), exponent(EQ4, regime, "eta")
    return Finding(
        (at_most(what, "refined", measured, 0.0, error), at_most(what, "exact", in_b, 0)),
        "it is the other way round: a larger b lets eta grow, and at a fixed alpha leaves it as it is "
        f"(S.eq6.independent). More iterations require a smaller one, eta ~ K^({in_K}): that is what the floor forbids",
    )


@claim(
    "S.fig11.same",
    "App. D",
    "with eta lower bounded there is no significant difference between fixed alpha (middle) and tuned alpha (right)",
)
def no_difference() -> Finding:
    K, b, _, middle, right = _panels()
    ratio = middle / right
    largest = np.unravel_index(int(ratio.argmax()), ratio.shape)
    close = float((ratio <= 1 / PERFORMANCE).mean())
    return Finding(
        (at_most("largest middle/right over the panels", "grid", float(ratio.max()), 1 / PERFORMANCE),),
        f"K = 1e2 to 1e16, b = 1 to 1e15: {ratio.max():.3g} times at K = {K[largest[1]]:.1g}, b = {b[largest[0]]:.1g}, "
        f"{np.median(ratio):.3g} times in the median; within 1%, the paper's near-optimal, on {close:.0%} of the cells",
    )


@claim("S.fig11.hyperbola", "App. D", "the middle panel shows the hyperbolic relation, momentum fixed and eta tuned")
def middle_hyperbola() -> Finding:
    """The middle panel's risk over Appendix D's u, up to the K at which the best eta meets the floor."""
    K, b, _, middle, _ = _panels()
    lowest, step = 1.07e-7, 10 / 99 * float(np.log(10.0))  # the captions' eta: ten decades, 100 values
    reached = 1 / ((1 + 1 / ALPHA) * lowest**2) >= K
    parts = iso_loss.of_proxy(ALPHA, 1.0, 1.0, 1.0)
    off = np.abs(np.log(middle / iso_loss.risk(K, b[:, None], parts))).max(axis=0)
    # A/eta + B eta within half a step: cosh(step/2) - 1, and at the floor's own end a whole step.
    tolerance = float(np.log(np.cosh(step)))
    return Finding(
        (
            Reading(
                "largest |log risk/u| where eta* is above the floor", "grid", float(off[reached].max()), 0.0, tolerance
            ),
        ),
        f"that is up to K = {K[reached][-1]:.2g}; beyond it the contours follow the floor, and the risk is up to "
        f"{float(np.exp(off.max())):.3g} times u",
    )
