"""What a figure is made from that is no grid search: the shipped config is the schema."""

from __future__ import annotations

import pytest

from hpgrid.checks import checked
from hpgrid.config import parse

OWN = {"beta": [0.0, 0.9], "sigma": 1.0, "seeds": 8, "form": "seed", "shapes": ["128x32"], "grid": [[1.0, 2.0]]}


def test_what_is_not_given_is_the_shipped_value_and_a_whole_number_is_a_number() -> None:
    assert checked(OWN, {}) == OWN
    assert checked(OWN, {"beta": [0.5], "seeds": 3}) == OWN | {"beta": [0.5], "seeds": 3}
    assert checked(OWN, {"sigma": 2})["sigma"] == 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"bta": [0.5]}, r"no key of \[parameters\] of that name. Given: 'bta'. Write 'beta'"),
        ({"beta": 0.5}, "beta is a list"),
        ({"beta": []}, "beta is a list"),
        ({"beta": [0.5, "much"]}, "beta is a finite number. Given: 'much'"),
        ({"sigma": float("nan")}, "sigma is a finite number"),
        ({"sigma": True}, "sigma is a finite number"),
        ({"seeds": True}, "seeds is a whole number"),
        ({"seeds": 2.5}, r"seeds is a whole number. Given: 2.5. Write seeds = 8"),
        ({"form": 1}, "form is text"),
        ({"shapes": [3]}, "shapes is text"),
        ({"grid": [1.0]}, "grid is a list"),
    ],
)
def test_another_name_or_kind_is_refused(given: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        checked(OWN, given)


def test_a_figure_with_a_grid_takes_no_parameters() -> None:
    with pytest.raises(ValueError, match=r"no key of that name. Given: 'parameters'"):
        parse({"figure": "fig4", "parameters": {"n": 1}})
