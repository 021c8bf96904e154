"""What a figure is made from that is no grid search: the shipped config is the schema."""

from __future__ import annotations

import tomllib

import pytest

from hpgrid.config import parse, shipped
from hpgrid.parameters import MOST, with_own

OWN = {"beta": [0.0, 0.9], "sigma": 1.0, "seeds": 8, "form": "seed", "shapes": ["128x32"], "grid": [[1.0, 2.0]]}


def test_what_is_not_given_is_the_shipped_value_and_a_whole_number_is_a_number() -> None:
    assert with_own(OWN, {}) == OWN
    assert with_own(OWN, {"beta": [0.5], "seeds": 3}) == OWN | {"beta": [0.5], "seeds": 3}
    assert with_own(OWN, {"sigma": 2})["sigma"] == 2


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
        ({"seeds": 2.5}, r"seeds is a whole number from 1 to 1e\+09. Given: 2.5. Write seeds = 8"),
        ({"seeds": 0}, "seeds is a whole number from 1"),
        ({"seeds": -1}, "seeds is a whole number from 1"),
        ({"seeds": 10**18}, "seeds is a whole number from 1"),
        ({"seeds": 801}, "at most 100 times the numbers.*not 100 times.*Write seeds = 8, as it is shipped"),
        ({"seeds": 80, "shapes": ["128x32"] * 11}, "at most 100 times the numbers"),
        ({"shapes": ["9999x9999"]}, "at most 100 times the numbers"),
        ({"beta": [1.0]}, "0 <= beta < 1"),
        ({"sigma": 0.0}, r"sigma is from 1e-50 to 1e\+50"),
        ({"sigma": 1e60}, r"sigma is from 1e-50 to 1e\+50"),
        ({"form": 1}, "form is text"),
        ({"shapes": [3]}, "shapes is text"),
        ({"grid": [1.0]}, "grid is a list"),
    ],
)
def test_another_name_or_kind_is_refused(given: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        with_own(OWN, given)


def test_a_figure_with_a_grid_takes_no_parameters() -> None:
    with pytest.raises(ValueError, match=r"no key of that name. Given: 'parameters'"):
        parse({"figure": "fig4", "parameters": {"n": 1}})


#: What memory or hours would go into, what NumPy or JAX would abort at, by figure.
OUT_OF_RANGE = {
    "cbs2": ({"n": 1}, {"n": 10**5}),
    "cbs3": ({"n": 0}, {"n": -1}, {"n": 10**18}, {"eps_prime_low": 0.0}),
    "smooth1": ({"halvings": 10**9}, {"shapes": ["9999999x9999999"]}, {"seed": 2**63}, {"batches": [10**9]}),
    "noise1": (
        {"seed": 2**63},
        {"sample_shape": [-3]},
        {"steps": 10**9},
        {"shape": [10**6, 2]},
        {"b": [1]},
        {"scaling_far": [1.0]},
        {"scaling_batches": [16]},
        {"sample_shape": [4]},
        {"shape": [8]},
    ),
    "lmo1": (
        {"shown_b": -1},
        {"K": [10**9]},
        {"seeds": 10**9},
        {"eta": [float("inf"), 1.0]},
        {"K": [16]},
        {"alpha": [0.1]},
    ),
}


@pytest.mark.parametrize(("figure", "given"), [(name, each) for name, every in OUT_OF_RANGE.items() for each in every])
def test_what_is_out_of_range_is_refused_before_numpy_is_there(figure: str, given: dict) -> None:
    with pytest.raises(ValueError, match=r"Given: .*Write "):
        parse({"figure": figure, "parameters": given})


@pytest.mark.parametrize("figure", ["cbs1", *OUT_OF_RANGE])
def test_what_is_shipped_is_in_range_and_may_be_larger(figure: str) -> None:
    own = tomllib.loads(shipped(figure).read_text())["parameters"]
    assert parse({"figure": figure, "parameters": own}).parameters == own
    for name in set(own) & {"n", "steps", "seeds", "pairs"}:
        assert parse({"figure": figure, "parameters": {name: own[name] * min(MOST, 40)}})
