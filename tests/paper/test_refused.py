"""What a figure can't be made from, each in its own words, before anything is computed."""

from __future__ import annotations

from typing import Any

import pytest
from paper_figures import config

from hpgrid.config import Panel, parse
from hpgrid.paper import compute
from hpgrid.regime import Regime

#: By figure: what is changed, and what is said of it.
MISTAKES: dict[str, list[tuple[dict[str, Any], str]]] = {
    "cbs1": [
        ({"b_low": 10.0, "b_high": 1.0}, "0 < b_low < b_high"),
        ({"sigma": -1.0}, "constant sigma must be a positive finite number"),
        ({"beta": [1.0]}, "0 <= beta < 1"),
    ],
    "cbs2": [({"lam_low": 1.0}, "the axis lam needs 0 < low < high"), ({"eta": 100.0}, "lam eta <= 1")],
    "cbs3": [({"eps_prime_low": 0.0}, "0 < eps_prime_low < eps_prime_high")],
    "smooth1": [
        ({"norms": ["nuclear"]}, "there is no norm of that name"),
        ({"norms": ["max", "max"]}, "norms are named once"),
        ({"noises": ["one_hot"]}, "there is no noise of that name"),
        ({"shapes": ["3x0"]}, "a shape is two positive whole numbers"),
        ({"noise_shape": "33"}, "a shape is two positive whole numbers"),
        ({"pairs": 1}, "pairs must be a whole number >= 2"),
        ({"seed": -1}, "seed must be a whole number >= 0"),
        ({"batches": [0]}, "a batch size must be a whole number >= 1"),
    ],
    "noise1": [
        ({"batches": [0]}, "b must be a finite number with b >= 1"),
        ({"eta": [0.0]}, "eta must be a finite number with eta > 0"),
        ({"beta": [1.0]}, "0 <= beta < 1"),
        ({"lam": [-1.0]}, "lam eta <= 1"),
        ({"lam": [0.0, 30.0]}, "lam eta <= 1"),
        ({"seeds": 1}, "seeds must be a whole number >= 2"),
        ({"shape": [8]}, "two positive whole numbers"),
    ],
    "lmo1": [
        ({"shown": "muon"}, "there is no norm of that name"),
        ({"b": [0]}, "b must be a finite number with b >= 1"),
        ({"alpha": [2.0]}, "alpha must be a finite number with 0 < alpha <= 1"),
        ({"fixed_alpha": 0.0}, "alpha must be a finite number"),
        ({"eta": [0.1, 0.01]}, "the least and the largest learning rate"),
        ({"eta": [0.1]}, "the least and the largest learning rate"),
        ({"seeds": 1}, "seeds must be a whole number >= 2"),
        ({"noise": 0.0}, "rho sigma must be > 0"),
        ({"shape": [3, 3]}, "two rows or two columns"),
        ({"K": [64, 16]}, "iterations are whole numbers >= 1 that increase"),
    ],
    "fig1": [
        (
            {"panels": (Panel(Regime(("eta", "b"), {"alpha": 0.1}), title="$\\frac{$"),)},
            "formula that Matplotlib can set",
        ),
    ],
    "fig9": [({"panels": (Panel(Regime(("eta", "b"), {"alpha": 0.1})),)}, "tunes all three")],
    "flatness": [({"panels": (Panel(Regime(("eta", "b"), {"alpha": 0.1})),)}, "tunes all three")],
    "fig10": [
        ({"panels": (Panel(Regime(tuned, fixed)),)}, "contours have one variable on an axis")
        for tuned, fixed in ((("eta", "b"), {"alpha": 0.1}), (("eta",), {"b": 32.0, "alpha": 0.1}))
    ],
}


@pytest.mark.parametrize(
    ("name", "changes", "message"), [(name, *case) for name, cases in MISTAKES.items() for case in cases]
)
def test_what_a_figure_can_not_be_made_from_is_named(name: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=rf"{message}.*\. Given: .*\. Write "):
        compute(config(name, **changes))


def test_an_unknown_parameter_is_named() -> None:
    with pytest.raises(ValueError, match="no key of \\[parameters\\] of that name"):
        parse({"figure": "cbs1", "parameters": {"betas": [0.9]}})
