"""The paper's figures: each computes its arrays and checks, and draws them."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

#: The figures, by name, and what each shows.
FIGURES = {
    "fig1": "Theorem 1 at beta = 0.999: batch size and learning rate tuned",
    "fig2": "Theorem 2 at b = 1072: momentum and learning rate tuned",
    "fig4": "iso-loss contours over iterations and batch size, and their hyperbola",
    "fig5": "Theorem 1 at beta = 0.934",
    "fig6": "Theorem 1 at beta = 0.9999",
    "fig7": "Theorem 2 at b = 32",
    "fig8": "Theorem 2 at b = 35111",
    "fig9": "Theorem 3: all three tuned, the raw grid argmin and the optimum it wanders about",
    "fig10": "iso-loss contours over tokens and batch size at three momenta",
    "fig11": "iso-loss contours over iterations and batch size in three regimes",
    "star1": "star-convex bound with weight decay at beta = 0.95: batch size and learning rate tuned",
    "star2": "star-convex bound with weight decay at b = 32: momentum and learning rate tuned",
    "fw1": "Frank-Wolfe gap with weight decay at beta = 0.95: batch size and learning rate tuned",
    "fw2": "Frank-Wolfe gap with weight decay at b = 32: momentum and learning rate tuned",
    "cbs1": "tokens and iterations to a target against batch size, and where formulas put the fewest",
    "cbs2": "critical batch size over momentum, weight decay and learning rate, and where bounds say nothing",
    "cbs3": "Theorem 12 of Cesista against the exact minimiser of tokens, over targets",
    "flatness": "what a factor of ten costs under joint tuning, and what is as good to 1%",
    "smooth1": "D-smoothness by norm and shape: random pairs, the worst case, what noise needs; Newton-Schulz",
    "noise1": "momentum's error and the update's noise, measured, against Lemma 5 to Corollary 7 and A1.14",
    "lmo1": "normalised SGD, signSGD and Muon run against eq. (2), and how their best eta and alpha move",
}


def figure_module(name: str) -> ModuleType:
    """Return the module of a figure: ``compute(config, name)`` and ``draw(data)``."""
    return import_module(f"hpgrid.paper.{name}")
