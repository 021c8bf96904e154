"""Appendix D and the figures: contours of the risk and their three regimes, panels, captions."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from hpgrid.claims import measures as m
from hpgrid.claims.ledger import Measured, claim, claims
from hpgrid.config import load, shipped
from hpgrid.curves import PERFORMANCE
from hpgrid.grid import Grid
from hpgrid.paper import compute
from hpgrid.readings import Reading, of_exponent
from hpgrid.refinement.profile import bisect, grid_excess
from hpgrid.slopes import Slope, fit_slope
from hpgrid.theory import iso_loss, theorems
from hpgrid.theory.printed import trivial_level

ALPHA = 1e-3

#: Eq. (3) and eq. (11) there, all constants 1.
OF_EQ3, OF = iso_loss.of_proxy(ALPHA, 1.0, 1.0, 1.0), iso_loss.of_bound(ALPHA, 1.0, 1.0, 1.0)

#: A level whose contour crosses the middle of Figure 4's box on eq. (11).
LEVEL = 0.01


def _above(K: ArrayLike, b: ArrayLike) -> np.ndarray:
    """Where eq. (11)'s least risk over eta is above the level."""
    return m.along(m.EQ11, m.setting("eta", "b", budget="K", alpha=ALPHA), "b", b, K).risk > LEVEL


@claim("S.D.parts", "App. D", "with eta tuned, u = C_det/K^(1/2) + C_burn/(K b^(1/2)) + C_floor/b^(1/2)")
def parts() -> Measured:
    K, b = np.geomspace(1e2, 1e16, 8), np.array([[1.0], [1e4], [1e9]])
    measured = m.along(m.EQ11, m.setting("eta", "b", budget="K", alpha=ALPHA), "b", b, K).risk
    yield m.same("24 (K, b), eq. (11)", "refined", measured, iso_loss.risk(K, b, OF))


@claim(
    "S.D.iterations",
    "App. D, regime 1; section 4",
    "a target needs at least K_min = (C_det/c)^2 iterations, reached as b grows",
)
def iterations() -> Measured:
    # b so large that nothing of the noise is left: what remains is C_det/K^(1/2).
    least = m.crossing(lambda K: _above(K, m.FARTHER), 1.0, 1e40)
    yield m.same("K at b = 1e60 over K_min", "refined", least, iso_loss.minimum_iterations(LEVEL, OF), 4 * m.SOLVER)


@claim(
    "S.D.batch",
    "App. D, regime 2; section 4",
    "a target needs at least the batch size b_min = (C_floor/c)^2, reached as K grows",
)
def batch() -> Measured:
    # K so large that nothing but the floor is left.
    least = m.crossing(lambda b: _above(m.FARTHER, b), 1.0, 1e40)
    yield m.same("b at K = 1e60 over b_min", "refined", least, iso_loss.minimum_batch_size(LEVEL, OF), 4 * m.SOLVER)


def _burn_in_share(level: float, of: iso_loss.TunedRisk = OF_EQ3) -> float:
    """The largest share that the burn-in term has of the risk along a contour, K >= 1 and b >= 1."""
    det, burn, floor = of
    # In x = K^(-1/2), from where b = 1 to where b runs off: b^(1/2) is (floor + burn x^2)/(level - det x).
    left = max(level - floor, 0.0)
    x = np.linspace(2 * left / (det + np.sqrt(det**2 + 4 * burn * left)), min(level / det, 1.0), 10_001)
    return float((burn * x**2 * (level - det * x) / (level * (floor + burn * x**2))).max())


@claim(
    "S.D.intermediate",
    "App. D, regime 3",
    "between the two there is a region where burn-in dominates, K b^(1/2) = C_burn/c",
)
def intermediate() -> Measured:
    """Its largest share along the highest contour that says something: all constants 1, and where noise is strong."""
    trivial = trivial_level(1.0, 0.25)  # Delta0 = C1 = 1, L = C3/4
    strong = iso_loss.of_proxy(1e-5, 1.0, 30.0, 1.0)
    shares = {level: _burn_in_share(level) for level in (0.01, 0.1, 1.0, 10.0)}
    half = bisect(lambda level: _burn_in_share(level) < 0.5, 1.0, 100.0)
    what = f"largest share of burn-in on the contour c = {trivial:.3g}, eq. (3)"
    shown = ", ".join(f"{share:.2g} on c = {level:g}" for level, share in shares.items())
    yield m.at_least(f"{what}, C1 = C2 = C3 = 1, alpha = 0.001", "arithmetic", _burn_in_share(trivial), 0.5)
    yield m.at_least(f"{what}, C2 = 30, alpha = 1e-5", "arithmetic", _burn_in_share(trivial, strong), 0.5)
    yield (
        f"with the figures' constants there is none below (2 L Delta0)^(1/2) = {trivial:.3g}, which the gradient at x0 "
        f"never exceeds: burn-in is at most {shown}, half of the risk from c = {half:.3g} on. Where noise is strong "
        "and alpha small there is one"
    )


def _on_contour(level: float) -> tuple[m.Array, m.Array]:
    """Points of eq. (3)'s contour with b >= 1."""
    # From next to the asymptote K = K_min, where b runs off, to where b has come down to its own least value.
    K = iso_loss.minimum_iterations(level, OF_EQ3) * (1 + np.geomspace(1e-8, 1e12, 500))
    b = iso_loss.batch_size(K, level, OF_EQ3)
    kept = np.isfinite(b) & (b >= 1)
    return K[kept], b[kept]


@claim(
    "S.D.hyperbola",
    "App. D; section 4",
    "(c K^1/2 - C_det)(c b^1/2 - (C_floor + C_burn/K)) = C_det (C_floor + C_burn/K)",
)
def hyperbola() -> Measured:
    """At points of refined contours: for each b the K at which eq. (11)'s risk is c."""
    ladder = iso_loss.minimum_batch_size(LEVEL, OF) * np.array([1.5, 10.0, 1e3])
    K = np.array([m.crossing(partial(_above, b=b), 1.0, 1e40) for b in ladder])
    left, right = iso_loss.hyperbola(K, ladder, LEVEL, OF)
    # The left side is a product of differences: K's error grows by c K^(1/2)/(c K^(1/2) - C_det), at most.
    grown = float((LEVEL * np.sqrt(K) / (LEVEL * np.sqrt(K) - OF.deterministic)).max())
    yield m.same("3 points, eq. (11)", "refined", left, right, 4 * m.SOLVER * grown)
    yield from m.on_grid("fig4")
    yield "Figure 4's contours are eq. (3)'s"


@claim("S.D.representative", "App. D", "the 1/K in C_floor + C_burn/K is slowly varying: one representative K0 does")
def representative() -> Measured:
    """The log risk on the hyperbola with K0 in place of K, off the level; K0 = 4 K_min, the hyperbola's vertex."""
    notes = []
    for level in (0.1, 0.01):
        K, _ = _on_contour(level)
        K_min = iso_loss.minimum_iterations(level, OF_EQ3)
        noise = np.sqrt(ALPHA) + 1 / (ALPHA * 4 * K_min)
        b = (noise / (level - level * np.sqrt(K_min / K))) ** 2
        off = m.worst(iso_loss.risk(K, b, OF_EQ3), level)
        what = f"largest |log risk/c|, c = {level}, eq. (3)"
        yield m.at_most(what, "arithmetic", off, -float(np.log(PERFORMANCE)))
        notes.append(f"{1 / (ALPHA * K_min * np.sqrt(ALPHA)):.2g} at c = {level}")
    yield (
        "to the paper's one per cent. What matters is that C_burn/K_min is a small part of C_floor, "
        f"{' and '.join(notes)}; along a contour 1/K falls to nothing"
    )


@claim("S.D.shape", "App. D, title; section 4", "a hyperbolic (K, b^1/2) tradeoff")
def shape() -> Measured:
    """Along a contour (x - x_min)(y - y_min) is constant on a hyperbola: largest over smallest, K^(1/2) and K for x."""
    K, b = _on_contour(0.01)
    K_min, b_min = iso_loss.minimum_iterations(0.01, OF_EQ3), iso_loss.minimum_batch_size(0.01, OF_EQ3)
    middle = (K_min * 1.1 < K) & (K_min * 1e4 > K)
    K, b = K[middle], b[middle]
    y = np.sqrt(b) - np.sqrt(b_min)
    in_K, in_root = (K - K_min) * y, (np.sqrt(K) - np.sqrt(K_min)) * y
    spread, root_spread = (float(product.max() / product.min()) for product in (in_K, in_root))
    # What C_burn/K, which the shift leaves out, adds on both factors.
    share = float((1 / (ALPHA * K) / np.sqrt(ALPHA)).max())
    yield Reading("spread of (K - K_min)(b^1/2 - b_min^1/2)", "arithmetic", spread, 1.0, 4 * share)
    yield f"the contour is a hyperbola in K^(1/2) and b^(1/2), where the spread is {root_spread:.4g}; in K it is none"


# --- Figure 10 ---
@claim("S.fig10", "Figure 10; App. D", "under fixed momentum the near-optimal batch size follows T^1/2")
def figure_10() -> Measured:
    checks = m.on_grid("fig10")
    yield from checks[1:]
    yield "middle and right panel; the left one has no point off the wall of eta: S.fig10.saturates"


@claim(
    "S.fig10.saturates", "App. D", "in the left panel the near-optimal line saturates at large T: eta is lower bounded"
)
def saturates() -> Measured:
    """The near-optimal batch size's slope over the last five decades, each panel; and eta on its floor."""
    arrays = m.figure("fig10").arrays

    def last_decades(panel: int) -> Slope:
        T, near, b = (arrays[f"{name}_{panel}"] for name in ("budget", "near", "b"))
        return fit_slope(T[T >= 1e17], near[T >= 1e17], step=float(np.log(b[1] / b[0])))

    left, right = last_decades(0), last_decades(2)
    held = bool(arrays["near_held_0"][arrays["budget_0"] >= 1e17].all())
    yield of_exponent("near-optimal b ~ T^p, T >= 1e17, left panel", "grid", left.slope, 0.0, left.error)
    yield Reading("eta is on its floor all along", "grid", held, True)
    yield f"in the right panel it goes on rising, as T^{right.slope:.2g}"


@claim("S.fig10.reason", "App. D", "a smaller momentum complement requires a proportionally smaller eta")
def proportional() -> Measured:
    """The power of alpha in eta_T* at the best batch size, as alpha goes to 0: 1 + alpha is a factor of its own."""
    regime = m.setting("eta", "b", alpha=1e-3)
    yield from m.power("eta", "alpha", Fraction(1), regime, m.EQ5, between=(1e-14, 1e-13))
    yield "'smaller momentum' is read as smaller alpha; it is the larger beta that needs the smaller eta"


@claim(
    "S.fig10.minimum", "section 4; App. D", "under fixed momentum a target requires a minimum batch size (Figure 10)"
)
def minimum_batch() -> Measured:
    """The least batch size on the right panel's grid that reaches a level at any budget, over b_min."""
    arrays = m.figure("fig10").arrays
    b, risk = arrays["b_2"], arrays["risk_2"]
    ratios = []
    for level in arrays["levels"]:
        reached = (risk <= level).any(axis=1)
        needed = iso_loss.minimum_batch_size(float(level), iso_loss.of_proxy(0.0658, 1.0, 1.0, 1.0))
        if reached.any() and needed > b[0]:
            ratios.append(float(b[reached.argmax()] / needed))
    yield m.at_least(f"smallest ratio of {len(ratios)} levels, alpha = 0.0658", "grid", min(ratios), 1.0)
    yield f"levels with b_min > 1; the largest ratio is {max(ratios):.3g}, and S.D.batch shows that b_min is attained"


# --- Figure 11 ---
def _panels() -> list[m.Array]:
    """K, b, and the risk in the left, middle and right panel."""
    return [m.figure("fig11").arrays[name] for name in ("budget_1", "b_1", "risk_0", "risk_1", "risk_2")]


@claim(
    "S.fig11.left",
    "App. D",
    "if alpha and eta are tuned unrestrictedly, the final performance is better than in the other panels",
)
def left_panel() -> Measured:
    _, _, left, middle, right = _panels()
    final = left[-1, -1]
    what = "its risk at the largest K and b over the {} panel's"
    yield m.below(what.format("middle"), "grid", float(final / middle[-1, -1]), 1.0)
    yield m.below(what.format("right"), "grid", float(final / right[-1, -1]), 1.0)
    yield (
        f"and its largest ratio anywhere is {(left / middle).max():.4g} (middle), {(left / right).max():.4g} (right); "
        "its grids of alpha and eta are the footnote's"
    )


@claim("S.fig11.reason", "App. D", "because a larger batch size requires a much smaller learning rate")
def reason() -> Measured:
    """The power of b in eta* at a fixed K, alpha tuned as in the left panel: it should be negative."""
    regime = m.setting("eta", "alpha", budget="K", b=1e3)
    what = "eta ~ b^p at fixed K, alpha tuned, eq. (3)"
    refined = m.moves(what, 0.0, m.EQ4, regime, "eta", "b")
    yield replace(refined, relation="<=", exponent=False)
    yield m.at_most(what, "exact", m.power_in(m.EQ4, regime, "eta", "b"), 0)
    in_K = m.exponent(m.EQ4, regime, "eta")
    yield (
        "it is the other way round: a larger b lets eta grow, and at a fixed alpha leaves it as it is "
        f"(S.eq6.independent). More iterations require a smaller one, eta ~ K^({in_K}): that is what the floor forbids"
    )


@claim(
    "S.fig11.same",
    "App. D",
    "with eta lower bounded there is no significant difference between fixed alpha (middle) and tuned alpha (right)",
)
def no_difference() -> Measured:
    K, b, _, middle, right = _panels()
    ratio = middle / right
    largest = np.unravel_index(int(ratio.argmax()), ratio.shape)
    close = float((ratio <= 1 / PERFORMANCE).mean())
    yield m.at_most("largest middle/right over the panels", "grid", float(ratio.max()), 1 / PERFORMANCE)
    yield (
        f"K = 1e2 to 1e16, b = 1 to 1e15: {ratio.max():.3g} times at K = {K[largest[1]]:.1g}, b = {b[largest[0]]:.1g}, "
        f"{np.median(ratio):.3g} times in the median; within 1%, the paper's near-optimal, on {close:.0%} of the cells"
    )


@claim("S.fig11.hyperbola", "App. D", "the middle panel shows the hyperbolic relation, momentum fixed and eta tuned")
def middle_hyperbola() -> Measured:
    """The middle panel's risk over Appendix D's u, up to the K at which the best eta meets the floor."""
    K, b, _, middle, _ = _panels()
    lowest, step = 1.07e-7, 10 / 99 * float(np.log(10.0))  # the captions' eta: ten decades, 100 values
    reached = 1 / ((1 + 1 / ALPHA) * lowest**2) >= K
    parts = iso_loss.of_proxy(ALPHA, 1.0, 1.0, 1.0)
    off = np.abs(np.log(middle / iso_loss.risk(K, b[:, None], parts))).max(axis=0)
    # A/eta + B eta within half a step: cosh(step/2) - 1, and at the floor's own end a whole step.
    tolerance = float(np.log(np.cosh(step)))
    largest = float(off[reached].max())
    yield Reading("largest |log risk/u| where eta* is above the floor", "grid", largest, 0.0, tolerance)
    yield (
        f"that is up to K = {K[reached][-1]:.2g}; beyond it the contours follow the floor, and the risk is up to "
        f"{float(np.exp(off.max())):.3g} times u"
    )


@claim(
    "S.fig1",
    "Figure 1, caption",
    "at beta = 0.999 the trends hold after a burn-in phase where the optimal batch size is b = 1",
)
def figure_1() -> Measured:
    """Up to the budget where b* leaves 1 the grid's best b is 1, or a step from it; the trends are S.eq7's."""
    arrays = m.figure("fig1").arrays
    ends = theorems.pays_from_at_momentum(1e-3, 1.0, 1.0, 1.0)
    largest = float(np.log(arrays["b_hat"][arrays["T"] < ends]).max())
    yield m.at_most("largest log b before b* leaves 1", "grid", largest, 0.0, Grid.footnote().axes["b"].step)
    yield from m.on_grid("fig1")
    yield f"the burn-in ends at T = {ends:.2g}; the slopes are those of S.eq7"


@claims(
    ("S.fig2", "Figure 2, caption", "at b = 1072 Theorem 2's trends hold", "fig2", "the slopes are those of S.eq8"),
    ("S.fig5", "Figure 5", "at beta = 0.934 Theorem 1's trends hold", "fig5"),
    ("S.fig6", "Figure 6", "at beta = 0.9999 Theorem 1's trends hold", "fig6"),
    ("S.fig7", "Figure 7", "at b = 32 Theorem 2's trends hold", "fig7"),
    ("S.fig8", "Figure 8", "at b = 35111 Theorem 2's trends hold", "fig8"),
)
def trends(figure: str, note: str = "") -> Measured:
    yield from m.on_grid(figure)
    yield note


@claim("S.fig9", "Figure 9, caption", "on the grid, Theorem 3's exponents of b, alpha and eta are verified")
def figure_9() -> Measured:
    yield from m.on_grid("fig9", "slope of risk", "slope of b", "slope of alpha", "slope of eta")
    yield "the grid cannot tell them: its argmin may lie anywhere along the flat direction. S.eq9 does, by refinement"


@claim("S.fig9.captions", "Figure 9, on the grid of the captions' labels", "Theorem 3's exponents are verified")
def figure_9_labels() -> Measured:
    config = load(shipped("fig9"))
    checks = {
        check.what: check for check in compute(replace(config, grid=replace(config.grid, preset="captions"))).checks
    }
    for name in ("risk", "b", "alpha", "eta"):
        yield replace(checks[f"slope of {name}"], route="grid")
    yield (
        "nor can this grid tell them, and the argmin is on a wall of eta or alpha at "
        f"{checks['slope of risk'].edge_points} of the budgets that are fitted"
    )


@claim(
    "S.fig9.oscillations",
    "Figure 9, caption",
    "oscillations are due to the grid search and to similar performance among choices",
)
def oscillations() -> Measured:
    """The refined curve does not jump; and where the grid's argmin is, the risk is within the grid's own excess."""
    data = m.figure("fig9")
    T, b = data.arrays["T"], data.arrays["b_hat"]
    grid = Grid.footnote()
    excess = grid_excess(m.BOUNDS[m.EQ4], {v: grid.axes[v].step for v in ("eta", "b", "alpha")})
    exact = m.refined(m.EQ4, m.JOINT, T)
    inside = ~data.arrays["any_edge"]
    measured = float(np.log(data.arrays["risk_hat"] / exact.risk)[inside].max())
    jump = float(np.abs(np.diff(np.log10(b))).max())
    smooth = float(np.abs(np.diff(np.log10(exact.at["b"]))).max())
    step = float(np.log10(T[1] / T[0]))
    yield m.at_most("largest log(grid's risk/least risk)", "grid", measured, excess)
    yield m.at_most("largest step of the refined log10 b", "refined", smooth, step)
    yield (
        f"the grid's best b jumps by up to {10**jump:.3g} between neighbouring budgets, the refined one by "
        f"{10**smooth:.3g}: all of them are as good to what the grid's own steps cost"
    )
