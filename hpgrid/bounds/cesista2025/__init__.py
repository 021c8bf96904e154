"""The bounds of Cesista (2025): steepest descent under any norm, with Nesterov momentum and weight decay.

The source's T, the number of iterations, is K here. All is computed from alpha = 1 - beta, so that momenta
next to 1 lose no digits. The revised forms are the author's later ones.
"""

from hpgrid.bounds.cesista2025.arrays import kept
from hpgrid.bounds.cesista2025.decay import best_learning_rate, in_domain, least_weight_decay
from hpgrid.bounds.cesista2025.lemmas import (
    Error,
    gradient_norm,
    mean_momentum_error,
    mean_nesterov_error,
    minibatch_noise,
    momentum_error,
    momentum_size,
    weight_norm,
    weighted_noise,
)
from hpgrid.bounds.cesista2025.parts import FORMS, NORMS, Parts, gap_parts, loss_parts, parts
from hpgrid.bounds.cesista2025.proxies import frank_wolfe, star_convex, steepest

__all__ = [
    "FORMS",
    "NORMS",
    "Error",
    "Parts",
    "best_learning_rate",
    "frank_wolfe",
    "gap_parts",
    "gradient_norm",
    "in_domain",
    "kept",
    "least_weight_decay",
    "loss_parts",
    "mean_momentum_error",
    "mean_nesterov_error",
    "minibatch_noise",
    "momentum_error",
    "momentum_size",
    "parts",
    "star_convex",
    "steepest",
    "weight_norm",
    "weighted_noise",
]
