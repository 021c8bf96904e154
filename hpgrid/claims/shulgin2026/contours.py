"""Appendix D: iso-loss curves and their three regimes; Figure 4."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hpgrid.claims.ledger import Finding, Reading, claim
from hpgrid.claims.readings import at_least, at_most, on_grid, same, together, worst
from hpgrid.claims.routes import EQ11, FARTHER, SOLVER, Array, bisect, refined, setting
from hpgrid.curves import PERFORMANCE
from hpgrid.theory import iso_loss
from hpgrid.theory.printed import trivial_level

ALPHA = 1e-3
#: Eq. (3) and eq. (11) there, all constants 1.
OF_EQ3, OF = iso_loss.of_proxy(ALPHA, 1.0, 1.0, 1.0), iso_loss.of_bound(ALPHA, 1.0, 1.0, 1.0)

#: A level whose contour crosses the middle of Figure 4's box on eq. (11).
LEVEL = 0.01


def _risk(bound: str, K: float, b: float) -> float:
    return float(refined(bound, setting("eta", budget="K", b=b, alpha=ALPHA), K).risk[0])


@claim("S.D.parts", "App. D", "with eta tuned, u = C_det/K^(1/2) + C_burn/(K b^(1/2)) + C_floor/b^(1/2)")
def parts() -> Finding:
    K, ladder = np.geomspace(1e2, 1e16, 8), (1.0, 1e4, 1e9)
    found = [refined(EQ11, setting("eta", budget="K", b=b, alpha=ALPHA), K).risk for b in ladder]
    predicted = [iso_loss.risk(K, b, OF) for b in ladder]
    return Finding((same("24 (K, b), eq. (11)", "refined", np.array(found), np.array(predicted)),))


@claim(
    "S.D.iterations",
    "App. D, regime 1; section 4",
    "a target needs at least K_min = (C_det/c)^2 iterations, reached as b grows",
)
def iterations() -> Finding:
    least = bisect(lambda K: _risk(EQ11, K, FARTHER) > LEVEL, 1.0, 1e40)
    return Finding(
        (same("K at b = 1e60 over K_min", "refined", least, iso_loss.least_iterations(LEVEL, OF), 4 * SOLVER),)
    )


@claim(
    "S.D.batch",
    "App. D, regime 2; section 4",
    "a target needs at least the batch size b_min = (C_floor/c)^2, reached as K grows",
)
def batch() -> Finding:
    least = bisect(lambda b: _risk(EQ11, FARTHER, b) > LEVEL, 1.0, 1e40)
    return Finding(
        (same("b at K = 1e60 over b_min", "refined", least, iso_loss.least_batch_size(LEVEL, OF), 4 * SOLVER),)
    )


def _burn_in_share(K: Array, b: Array) -> Array:
    """The burn-in term's share of eq. (3)'s risk with eta tuned."""
    burn_in = 1 / (ALPHA * K * np.sqrt(b))
    return burn_in / iso_loss.risk(K, b, OF_EQ3)


@claim(
    "S.D.intermediate",
    "App. D, regime 3",
    "between the two there is a region where burn-in dominates, K b^(1/2) = C_burn/c",
)
def intermediate() -> Finding:
    """The least level at which burn-in is half of the risk anywhere on K >= 1, b >= 1, against what is trivial."""
    K, b = np.geomspace(1.0, 1e16, 1601), np.geomspace(1.0, 1e15, 301)[:, None]
    risk = iso_loss.risk(K, b, OF_EQ3)
    reached = _burn_in_share(K, b) >= 0.5
    least = float(risk[reached].min())
    check = float(max(_burn_in_share(*_on_contour(level)).max() for level in (0.1, 0.01)))
    trivial = trivial_level(1.0, 0.25)  # Delta0 = C1 = 1, L = C3/4
    most = float(_burn_in_share(K, b).max())
    return Finding(
        (replace(at_least("largest share of burn-in, eq. (3)", "arithmetic", most, 0.5), empty=least >= trivial),),
        f"such a region exists, but at levels from {least:.3g} up alone (all constants 1): above (2 L Delta0)^(1/2) = "
        f"{trivial:.3g}, which the gradient at x0 never exceeds. On the contours c = 0.1 and 0.01 burn-in is at most "
        f"{check:.2g} of the risk: they pass from one regime straight to the other",
    )


def _on_contour(level: float) -> tuple[Array, Array]:
    """Points of eq. (3)'s contour with b >= 1."""
    K = iso_loss.least_iterations(level, OF_EQ3) * (1 + np.geomspace(1e-8, 1e12, 500))
    b = iso_loss.batch_size(K, level, OF_EQ3)
    kept = np.isfinite(b) & (b >= 1)
    return K[kept], b[kept]


@claim(
    "S.D.hyperbola",
    "App. D; section 4",
    "(c K^1/2 - C_det)(c b^1/2 - (C_floor + C_burn/K)) = C_det (C_floor + C_burn/K)",
)
def hyperbola() -> Finding:
    """At points of refined contours: for each b the K at which eq. (11)'s risk is c."""
    ladder = iso_loss.least_batch_size(LEVEL, OF) * np.array([1.5, 10.0, 1e3])
    K = np.array([bisect(lambda k, b=b: _risk(EQ11, k, b) > LEVEL, 1.0, 1e40) for b in ladder])  # type: ignore[misc]
    left, right = iso_loss.hyperbola(K, ladder, LEVEL, OF)
    # The left side is a product of differences: K's error grows by c K^(1/2)/(c K^(1/2) - C_det), at most.
    grown = float((LEVEL * np.sqrt(K) / (LEVEL * np.sqrt(K) - OF.deterministic)).max())
    return Finding(
        together(same("3 points, eq. (11)", "refined", left, right, 4 * SOLVER * grown), on_grid("fig4")),
        "Figure 4's contours are eq. (3)'s",
    )


@claim("S.D.representative", "App. D", "the 1/K in C_floor + C_burn/K is slowly varying: one representative K0 does")
def representative() -> Finding:
    """The log risk on the hyperbola with K0 in place of K, off the level; K0 = 4 K_min, the hyperbola's vertex."""
    readings, told = [], []
    for level in (0.1, 0.01):
        K, _ = _on_contour(level)
        K_min = iso_loss.least_iterations(level, OF_EQ3)
        noise = np.sqrt(ALPHA) + 1 / (ALPHA * 4 * K_min)
        b = (noise / (level - level * np.sqrt(K_min / K))) ** 2
        off = worst(iso_loss.risk(K, b, OF_EQ3), level)
        what = f"largest |log risk/c|, c = {level}, eq. (3)"
        readings.append(at_most(what, "arithmetic", off, -float(np.log(PERFORMANCE))))
        told.append(f"{1 / (ALPHA * K_min * np.sqrt(ALPHA)):.2g} at c = {level}")
    return Finding(
        tuple(readings),
        "to the paper's one per cent. What matters is that C_burn/K_min is a small part of C_floor, "
        f"{' and '.join(told)}; along a contour 1/K falls to nothing",
    )


@claim("S.D.shape", "App. D, title; section 4", "a hyperbolic (K, b^1/2) tradeoff")
def shape() -> Finding:
    """Along a contour (x - x_min)(y - y_min) is constant on a hyperbola: largest over smallest, K^(1/2) and K for x."""
    K, b = _on_contour(0.01)
    K_min, b_min = iso_loss.least_iterations(0.01, OF_EQ3), iso_loss.least_batch_size(0.01, OF_EQ3)
    middle = (K_min * 1.1 < K) & (K_min * 1e4 > K)
    K, b = K[middle], b[middle]
    y = np.sqrt(b) - np.sqrt(b_min)
    in_K, in_root = (K - K_min) * y, (np.sqrt(K) - np.sqrt(K_min)) * y
    spread, root_spread = (float(product.max() / product.min()) for product in (in_K, in_root))
    # What C_burn/K, which the shift leaves out, adds on both factors.
    share = float((1 / (ALPHA * K) / np.sqrt(ALPHA)).max())
    return Finding(
        (Reading("spread of (K - K_min)(b^1/2 - b_min^1/2)", "arithmetic", spread, 1.0, 4 * share),),
        f"the contour is a hyperbola in K^(1/2) and b^(1/2), where the spread is {root_spread:.4g}; in K it is none",
    )
