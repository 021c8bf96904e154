"""Plans: from TOML to frozen dataclasses, and an answer to every mistake in one."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from hpgrid.checks import complement
from hpgrid.regime import Regime
from hpgrid.sweeps.plan import Plan, load, parse, restore

JOINT = {"tuned": ["eta", "b", "alpha"]}
HOLDS_ALPHA = {"tuned": ["eta", "b"]}


def plan(**changes: object) -> dict:
    return {"bound": "lmo", "constants": {"C2": [1.0, 10.0]}, "regime": [JOINT]} | changes


def test_numbers_lists_and_ranges_are_told_apart() -> None:
    found = parse(plan(constants={"C1": 2, "C2": {"lo": 1e-3, "hi": 1e3, "n": 25}, "C3": [0.1, 1.0, 10.0]}))
    assert found.bound.constants == {"C1": 2.0}
    assert dict(found.swept) == {"C2": {"lo": 1e-3, "hi": 1e3, "n": 25}, "C3": (0.1, 1.0, 10.0)}
    assert (found.combinations, found.combine, found.min_K) == (75, "all", None)


def test_a_bound_may_have_a_table_with_options() -> None:
    found = parse(plan(bound={"name": "lmo", "q": "1/3", "C1": 3.0}))
    assert (found.bound.options["q"], found.bound.constants["C1"]) == ("1/3", 3.0)


def test_a_range_of_exponents_is_even_and_of_short_decimals() -> None:
    constants = {"C1": 1.0, "C2": 2.0, "g": {"lo": 0.1, "hi": 0.5, "n": 5}}
    found = parse(plan(bound="C1/(eta*T) + C2*eta**g", constants=constants, regime=[{"tuned": ["eta"]}]))
    assert dict(found.swept) == {"g": (0.1, 0.2, 0.3, 0.4, 0.5)}
    # What stands in front of a term, too, is an exponent all the same: each value has a search of its own.
    both = parse(
        plan(bound="C2/(eta*T) + g*eta**g", constants={"C2": 2.0, "g": [0.5, 0.25]}, regime=[{"tuned": ["eta"]}])
    )
    assert both.swept_exponents == ("g",)
    assert [str(both.proxy("T", {"g": g}).terms[1]) for g in both.swept["g"]] == ["g*eta^(1/2)", "g*eta^(1/4)"]


THIRDS = {
    "a number": ("1/3", Fraction(1, 3)),
    "a list": (["1/3", 0.5, "0.25"], (Fraction(1, 3), 0.5, 0.25)),
    "a range": ({"lo": "1/3", "hi": 1, "n": 3}, (Fraction(1, 3), Fraction(2, 3), 1.0)),
    "a table": ("1/3\n0.5\n", (Fraction(1, 3), 0.5)),
}


@pytest.mark.parametrize(("given", "values"), THIRDS.values(), ids=THIRDS)
@pytest.mark.parametrize("bound", ["lmo", "C1*b/(eta*T) + C2*b**(-q)*sqrt(alpha) + C1*eta/alpha"])
def test_an_exponent_is_the_fraction_that_was_written(tmp_path: Path, bound: str, given: Any, values: Any) -> None:
    constants: dict[str, Any] = {"C1": 1.0, "C2": [1.0, 2.0], "q": given}
    tabled = isinstance(given, str) and "\n" in given
    if tabled:
        write(tmp_path, f"q\n{given}")
        constants = {"C1": 1.0, "C2": 2.0}
    found = parse(plan(bound=bound, constants=constants) | ({"rows": "constants.csv"} if tabled else {}), tmp_path)
    again = restore(json.loads(json.dumps(found.describe())))
    for each in (found, again):
        if given == "1/3":
            assert Fraction(each.bound.options["q"]) == values
            continue
        assert each.swept["q"] == values
        # Arrays hold floats: from there, too, the law has the fraction.
        rows = [each.proxy("T", {"q": float(q)}).terms for q in values]
        assert [min(term.exponent("b") for term in row) for row in rows] == [-Fraction(q) for q in values]


def test_an_exponent_may_be_all_that_its_bound_takes() -> None:
    found = parse(plan(bound="heavy_tails", constants={"sigma": [1.0, 2.0], "p": ["4/3", 2]}))
    assert found.swept["p"] == (Fraction(4, 3), 2.0)
    assert found.proxy("T").variables() == found.proxy("T", {"p": 2.0}).variables()
    with pytest.raises(ValueError, match="the exponent p is one with 1 < p <= 2"):
        parse(plan(bound="heavy_tails", constants={"p": [0.5]}))


def test_two_exponents_that_are_one_in_arrays_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the values of q differ"):
        parse(plan(constants={"q": ["1/3", 1 / 3]}))
    with pytest.raises(ValueError, match=r"two values of q in constants.csv are one in 16 digits"):
        parse(plan(constants={}, rows="constants.csv"), write(tmp_path, f"q\n1/3\n{1 / 3}\n"))


def test_a_path_is_described_as_the_one_it_is() -> None:
    for path in ("T^1/2", "123/457", "0.29*T^0.571", "1/3*T^1/7"):
        found = parse(plan(regime=[{"tuned": ["eta", "alpha"], "path": {"b": path}}]))
        assert restore(json.loads(json.dumps(found.describe()))) == found


def test_what_regimes_hold_may_be_swept() -> None:
    found = parse(plan(constants={"beta": [0.9, 0.99], "q": [0.3, 0.5]}, regime=HOLDS_ALPHA))
    assert found.combinations == 4
    assert found.regimes["eta b"].fixed == {}


def test_a_single_beta_is_held_by_every_regime() -> None:
    found = parse(plan(constants={"C2": [1.0, 2.0], "beta": 0.9}, regime=HOLDS_ALPHA))
    assert found.regimes["eta b"].fixed == {"alpha": 0.1}


@pytest.mark.parametrize(("beta", "alpha"), [(0.9, 0.1), (0.95, 0.05), (0.999, 0.001), (0.0, 1.0)])
def test_the_complement_is_of_the_beta_that_was_written(beta: float, alpha: float) -> None:
    assert complement(beta) == alpha


def test_regimes_are_named_by_what_they_tune_or_as_one_likes() -> None:
    named = {"name": "large runs", "tuned": ["b", "eta"], "fixed": {"alpha": 0.1}, "caps": {"b": 1e6}}
    found = parse(plan(regime=[JOINT, named, {"tuned": ["eta", "alpha"], "path": {"b": "1/2"}}]))
    assert list(found.regimes) == ["eta b alpha", "large runs", "eta alpha"]
    assert found.regimes["large runs"] == Regime(("eta", "b"), fixed={"alpha": 0.1}, caps={"b": 1e6})
    assert found.regimes["eta alpha"].path == {"b": Fraction(1, 2)}


def write(folder: Path, text: str) -> Path:
    (folder / "constants.csv").write_text(text)
    return folder


def test_a_table_gives_a_combination_for_each_row(tmp_path: Path) -> None:
    found = parse(
        {"bound": "lmo", "rows": "constants.csv", "regime": JOINT}, write(tmp_path, "C1, C2\n1,10\n\n2,20\n3,30\n")
    )
    assert (found.combine, found.combinations) == ("rows", 3)
    assert dict(found.swept) == {"C1": (1.0, 2.0, 3.0), "C2": (10.0, 20.0, 30.0)}


TABLES = {
    "missing": (None, "readable CSV file .*No such file"),
    "empty": ("", "a header and a row"),
    "header alone": ("C1,C2\n", "a header and a row"),
    "unknown column": ("C1,C4\n1,2\n", r"no column of constants.csv of that name. Given: 'C4'. Write 'C"),
    "column twice": ("C1,C1\n1,2\n", "the columns of constants.csv differ"),
    "missing column": (
        "C1,C2\n1,2\n3\n",
        "constants.csv, row 3: a row has a number for each of C1, C2. Given: .1 c",
    ),
    "not a number": ("C1,C2\n1,2\n3,x\n", "constants.csv, row 3: C2 is a number. Given: 'x'"),
    "negative": ("C1,C2\n1,-2\n", "constants.csv, row 2: constant C2 must be a finite number >= 0"),
}


def test_a_file_that_is_no_table_is_not_printed(tmp_path: Path) -> None:
    write(tmp_path, "root:x:0:0:root:/root:/bin/bash\nbin:x:1:1\n")
    with pytest.raises(ValueError, match="the names of its columns, and they are no names") as caught:
        parse({"bound": "lmo", "rows": "constants.csv", "regime": JOINT}, tmp_path)
    assert "root" not in str(caught.value).replace(str(tmp_path), "")


@pytest.mark.parametrize("name", ["/dev/zero", "constants.csv\0", ""])
def test_rows_are_in_a_regular_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="the table of rows must be a readable CSV file"):
        parse({"bound": "lmo", "rows": name, "regime": JOINT}, write(tmp_path, "C1\n1\n"))


@pytest.mark.parametrize(("text", "message"), TABLES.values(), ids=TABLES)
def test_a_table_that_can_not_be_is_named_with_its_row(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        write(tmp_path, text)
    with pytest.raises(ValueError, match=message):
        parse({"bound": "lmo", "rows": "constants.csv", "regime": JOINT}, tmp_path)


MISTAKES = {
    "unknown key": (plan(regimes=[JOINT]), "no key of a sweep of that name. Given: 'regimes'. Write 'regime'"),
    "unknown bound": (plan(bound="lmoo"), "no bound of that name"),
    "unknown constant": (plan(constants={"C4": [1.0]}), "no constant of the bound lmo of that name"),
    "constant twice": (plan(bound={"name": "lmo", "C2": 1.0}), r"C2 stands in \[bound\] and in \[constants\]"),
    "range without n": (plan(constants={"C2": {"lo": 1, "hi": 2}}), "has lo, hi and n"),
    "range of zero points": (plan(constants={"C2": {"lo": 1, "hi": 2, "n": 0}}), "n of C2 must be a whole number >= 2"),
    "range reversed": (plan(constants={"C2": {"lo": 2, "hi": 1, "n": 3}}), "needs lo < hi"),
    "range of beta": (plan(constants={"beta": {"lo": 0.1, "hi": 0.9, "n": 3}}), "one of its complement"),
    "empty list": (plan(constants={"C2": []}), "a list of C2 has one value or more"),
    "value twice": (plan(constants={"C2": [1.0, 1.0]}), "the values of C2 differ"),
    "negative": (plan(constants={"C2": [1.0, -1.0]}), "constant C2 must be a finite number >= 0"),
    "text": (plan(constants={"C2": "large"}), "constant C2 must be a finite number >= 0"),
    "beta of 1": (plan(constants={"beta": [1.0]}), "0 <= beta < 1"),
    "q of 2": (plan(constants={"q": [2.0]}), "0 < q <= 1"),
    "no regime": ({"bound": "lmo", "constants": {"C2": [1.0]}}, "one regime or more"),
    "regime tunes nothing": (plan(regime=[{"tuned": []}]), "names what is tuned"),
    "regimes of one name": (plan(regime=[JOINT, JOINT]), "regimes have names that differ"),
    "name that is no formula": (plan(regime=[JOINT | {"name": "$\\frac{$"}]), "a formula that Matplotlib can set"),
    "name of two lines": (plan(regime=[JOINT | {"name": "a\nb"}]), "name is one line of text"),
    "name of nothing": (plan(regime=[JOINT | {"name": ""}]), "a regime's name is text"),
    "beta swept and tuned": (plan(constants={"beta": [0.9]}), "beta is swept, so that every regime holds it"),
    "beta and alpha swept": (
        plan(constants={"beta": [0.9], "alpha": [0.1]}, regime=HOLDS_ALPHA),
        "is swept, so that every regime holds it, and nothing else says where",
    ),
    "no minimum": (plan(min_K=0), "min_K must be positive"),
    "path of a word": (
        plan(regime=[HOLDS_ALPHA | {"path": {"alpha": "half"}}]),
        "a path is a power of the budget T or K",
    ),
    "two roles": (plan(regime=[JOINT | {"fixed": {"b": 32}}]), "b is either tuned or fixed or on a path"),
    "rows of numbers": (plan(rows=3, constants={}), "rows names a CSV file"),
    "too many": (
        plan(constants={name: {"lo": 1, "hi": 2, "n": 2000} for name in ("C1", "C2", "C3")}),
        "8e[+]09 combinations are more than a sweep takes.*would take 74 days.*2000 C1 x 2000 C2 x 2000 C3",
    ),
}


@pytest.mark.parametrize(("data", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named(data: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(data)


def test_a_file_is_read_and_its_mistakes_are_named_with_it(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('bound = "lmo"\n[constants]\nC2 = [1.0, 2.0]\n[regime]\ntuned = ["eta", "b", "alpha"]\n')
    assert isinstance(load(path), Plan)
    path.write_text('bound = "lmo"\nconstant = 3\n')
    with pytest.raises(ValueError, match=r"own.toml: there is no key of a sweep of that name"):
        load(path)


@pytest.mark.parametrize("form", ['bound = "{}"', '[bound]\nformula = "{}"'])
def test_variables_may_be_declared_beside_a_file(tmp_path: Path, form: str) -> None:
    formula, path = "C/(eta*T) + eta*(1 + wd) + C/(wd*T)", tmp_path / "own.toml"
    axes = "".join(f"\n[grid.{v}]\nlo = 1e-6\nhi = 1\nn = 9\n" for v in ("eta", "wd"))
    rest = f'\n[constants]\nC = [1.0, 2.0]\n[grid]\nT = [1e6, 1e7]\n{axes}[[regime]]\ntuned = ["eta", "wd"]\n'
    path.write_text(form.format(formula) + rest)
    assert load(path, variables=["wd > 0"]).hyperparameters == ("eta", "wd")
    with pytest.raises(ValueError, match="wd"):
        load(path)
    path.write_text(f'bound = "{formula}"\n[variables]\nwd = "> 0"{rest}')
    with pytest.raises(ValueError, match="variables stand in one place"):
        load(path, variables=["wd > 0"])


def test_a_plan_is_described_as_plain_data() -> None:
    found = parse(plan(bound={"name": "lmo", "q": 0.5}, regime=[JOINT | {"caps": {"b": 1e6}}]))
    written = json.loads(json.dumps(found.describe()))
    assert written == found.describe()
    assert restore(written) == found


def test_reading_a_plan_loads_no_array_library() -> None:
    code = (
        "import sys, hpgrid.sweeps.plan as p\n"
        "p.parse({'bound': 'lmo', 'constants': {'C2': [1.0]}, 'regime': {'tuned': ['eta', 'b', 'alpha']}})\n"
        "assert not {'numpy', 'jax', 'zarr', 'xarray', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
