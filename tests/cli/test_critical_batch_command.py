"""``hpgrid critical-batch``: what it prints, and how it says no."""

from __future__ import annotations

import json

import pytest
from commands import Capture, loaded, printed, refused

import hpgrid
from hpgrid.schemas import stamped

#: A vacuous target: the gradient is 1 at the start.
VACUOUS = "--beta 0.95 --lam 0 --sigma 1 --L 1 --D 1 --Delta0 1 --G0 1 --eta 1e-3 --eps 2"
LARGE = "--beta 0.95 --eta 1e-2 --sigma 100 --Delta0 100 --G0 10 --eps 4"

FOUND = """\
The critical batch size is 653.761: 6.32919e+06 tokens in 9681.2 iterations.
Batch sizes that take at most so many more tokens: 1% 591.482 to 730.188; 5% 530.799 to 847.534; 20% 455.446 to 1136.28.

                                     b        K        tokens       over the fewest
fewest tokens, numerically           653.761  9681.2   6.32919e+06  1
Theorem 12: 2 Y/eps', Z at b -> inf  322.038  223078   7.18395e+07  11.3505
Theorem 12: 2 Y/eps', Z at this b    519.099  12965.9  6.73057e+06  1.06342
smallest batch size                  314.374  inf      inf
"""
DETAILS = """
mean gradient norm, first form: beta = 0.95, eta = 0.01, lam = 0
X = 12328.7, Y = 493.59, Z = 0.93459 + 26.5133/b^(1/2), eps' = eps - Z = 3.06541
eps = 4 is between Z = 0.93459 and what holds trivially, G0 = 10

fewest tokens                    b        K        tokens
in closed form                   653.761
on a grid, step 0.0005 in log b  653.803  9680.58  6.32919e+06

K falls with b and is convex; tokens fall, then rise, convex up to b = 3.37e+03, concave beyond

LMO bound, fewest tokens  b        K        tokens
  eta tuned               500      4527.12  2.26356e+06  eta = 0.02253
  eta = 0.01              356.552  8533.99  3.04281e+06
"""


def test_what_is_found_as_text(capsys: Capture) -> None:
    assert printed("critical-batch", capsys, *LARGE.split(), "--details") == FOUND + DETAILS
    short, _, more = printed("critical-batch", capsys, *LARGE.split()).rpartition("\n--details adds ")
    assert (short, more.split()[:3]) == (FOUND, ["the", "bound's", "constants,"])


def test_it_prints_what_the_function_returns(capsys: Capture) -> None:
    asked = {"beta": 0.95, "eta": 1e-3, "eps": 30.0, "lam": 0.1, "sigma": 100.0, "Delta0": 100.0, "G0": 10.0}
    answer = hpgrid.critical_batch(**asked, form="revised", measure="loss")
    line = " ".join(f"--{name} {value}" for name, value in asked.items()) + " --form revised --measure loss"
    assert printed("critical-batch", capsys, *line.split()) == answer.text() + "\n"
    assert json.loads(printed("critical-batch", capsys, *line.split(), "--json")) == json.loads(
        json.dumps(stamped("critical-batch", answer.as_dict()))
    )


MISTAKES = {
    "--beta 1.5 --eta 1e-3 --eps 2": "beta must be a finite number with 0 <= beta < 1. Given: 1.5",
    "--beta 0.9 --eta 1e-3 --eps 2 --form sead": "there is no form of that name. Given: 'sead'. Write 'seed'",
    "--beta 0.9 --eta 1e-3 --epz 2": "--epz",
    "--beta nine --eta 1e-3 --eps 2": "nine",
    "--beta 0.9 --eps 2": "--eta",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_mistakes_are_one_line_and_status_2(capsys: Capture, line: str) -> None:
    refused("critical-batch", capsys, line.split(), MISTAKES[line])


def test_it_loads_numpy_alone_and_a_mistake_not_even_that() -> None:
    """NumPy and cyclopts take a fifth of a second; jax, scipy or matplotlib would take more alone."""
    assert loaded("critical-batch", *LARGE.split()) == {"numpy"}
    assert loaded("critical-batch", *VACUOUS.split(), "--form", "sead", code=2) == set()
