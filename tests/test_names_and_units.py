"""What people write for a number of tokens, for a hyperparameter and for momentum, and what it is here."""

from __future__ import annotations

import inspect
import warnings
from fractions import Fraction
from typing import Any

import pytest
from commands import Capture, printed, refused, status

import hpgrid
from hpgrid import Grid, LogAxis, Regime, bounds
from hpgrid.checks import (
    Note,
    alpha_of,
    as_written,
    bad,
    check_exponent,
    unknown,
    without_unit,
)
from hpgrid.config import parse
from hpgrid.plotting.transfer_plot import count
from hpgrid.statements.language import parse as claim_of
from hpgrid.sweeps.plan import parse as plan_of
from hpgrid.variables import Power, settings

# --- units ---

#: By hand: a decimal number times a power of 10, or of 2.
SIZES = {
    "512k": 512_000, "512K": 512_000, "1.5k": 1500, "4M": 4_000_000, "2.5B": 2_500_000_000, "2.5G": 2_500_000_000,
    "1T": 10**12, "512Ki": 524_288, "4Mi": 4_194_304, "1.5Gi": 1_610_612_736, "1Ti": 1_099_511_627_776, ".5k": 500,
    "0.3T": 300_000_000_000, "1 M": 1_000_000,
}  # fmt: skip


@pytest.mark.parametrize("text", SIZES)
def test_a_number_of_tokens_has_a_unit_in_every_place(text: str, capsys: Capture) -> None:
    size = SIZES[text]
    assert without_unit(text) == size
    assert Regime(fixed={"b": text}, caps={"b": text}, min_K=text) == Regime(
        fixed={"b": size}, caps={"b": size}, min_K=size
    )
    assert Grid(b=text, T=text) == Grid(b=size, T=size)
    assert Grid(b=[1, text], T=9.0).b == LogAxis.from_values([1, size])
    start = {"eta": 1e-3, "beta": 0.9, "T": 10**13}
    by_text = hpgrid.transfer(start | {"b": text}, {"T": text}, max_b=text)
    assert by_text == hpgrid.transfer(start | {"b": size}, {"T": size}, max_b=size)


def test_a_floor_has_a_unit_too() -> None:
    assert bounds.lmo().with_floors(b="1k") == bounds.lmo().with_floors(b=1000)


def test_signatures_say_that_text_is_taken() -> None:
    """Or a checker of types refuses fixed={"b": "512k"} and path={"b": "T^1/2"}."""
    said = {
        (name, role): str(parameter.annotation)
        for name in hpgrid.__all__
        if inspect.isfunction(function := getattr(hpgrid, name)) and name != "open_sweep"  # whose path is a file's
        for role, parameter in inspect.signature(function).parameters.items()
        if role in ("fixed", "path", "caps", "floors", "min_K", "max_K")
    }
    assert len(said) > 15
    assert {key: type_ for key, type_ in said.items() if "Given" not in type_} == {}


def test_budgets_have_units_in_python() -> None:
    proxy, held = bounds.lmo(), {"alpha": 0.1}
    roles = {"tuned": ("eta", "b"), "fixed": held}
    by_text, by_size = (hpgrid.refine(proxy, **roles, T=T).at["b"].tolist() for T in (["1M", "2.5B"], [1e6, 2.5e9]))
    assert by_text == by_size
    assert hpgrid.regret(proxy, "b", 10, **roles, T="1B") == hpgrid.regret(proxy, "b", 10, **roles, T=1e9)
    problem = hpgrid.tuning_problem(proxy, Grid.footnote(6), Regime(("eta", "b"), held))
    assert hpgrid.advise(problem, "1B").as_dict() == hpgrid.advise(problem, 1e9).as_dict()
    by_text, by_size = (hpgrid.reach(problem, 0.1, max_K=K).as_dict() for K in ("1M", 1e6))
    assert by_text == by_size
    law = hpgrid.exponents(proxy, **roles)
    assert law.plot("b", budgets=["1M", "1B"]).lines[0].get_ydata().tolist() == law.laws["b"].at([1e6, 1e9]).tolist()
    assert law.laws["b"].at("1M") == law.laws["b"].at(1e6)
    fit = hpgrid.fit("examples/constant_rate.csv")
    assert fit.regret({"eta": 1e-3}, "96k") == fit.regret({"eta": 1e-3}, 96000)
    stars = [line for line in fit.plot("eta", budgets=["96k"]).lines if line.get_marker() == "*"]
    assert [line.get_xdata().tolist() for line in stars] == [[96000.0]]


SEARCH = "search lmo --tune eta,b --fix beta=0.9"


@pytest.mark.parametrize(("units", "plain"), [
    (f"{SEARCH} --T 2.5B", f"{SEARCH} --T 2.5e9"),
    ("exponents lmo --tune eta --fix b=512k,beta=0.9", "exponents lmo --tune eta --fix b=512000,beta=0.9"),
    (f"exponents {SEARCH[7:]} --cap b=4Mi", f"exponents {SEARCH[7:]} --cap b=4194304"),
    (f"{SEARCH} --risk 0.01 --max-K 1M", f"{SEARCH} --risk 0.01 --max-K 1e6"),
    (
        f"{SEARCH} --n 9 --min-K 1k --axis b=512k,1M,4M --axis T=1G:1T:20 --window 1G:1T",
        f"{SEARCH} --n 9 --min-K 1000 --axis T=1e9:1e12:20,b=512000,1e6,4e6 --window 1e9:1e12",
    ),
    (
        "transfer --from eta=3e-4,b=128,T=2.5B --to 1T --max-b 1k --round-b 0.5k --seq-len 4Ki",
        "transfer --from eta=3e-4,b=128,T=2.5e9 --to 1e12 --max-b 1000 --round-b 500 --seq-len 4096",
    ),
])  # fmt: skip
def test_a_command_reads_units(units: str, plain: str, capsys: Capture) -> None:
    first, second = ((line.split()[0], line.split()[1:]) for line in (units, plain))
    assert printed(first[0], capsys, *first[1]) == printed(second[0], capsys, *second[1])


def test_a_file_reads_units() -> None:
    def figure(**axes: object) -> dict:
        return {
            "figure": "fig1",
            "regime": {"tuned": ["eta"], "fixed": {"alpha": 0.1, "b": axes["b"]}},
            "grid": {"T": axes["T"]},
            "window": axes["T"],
        }

    assert parse(figure(b="4Mi", T=["1B", "2.5T"])) == parse(figure(b=4194304, T=[1e9, 2.5e12]))

    def sweep(**sizes: Any) -> dict:
        held = {"tuned": ["eta"], "fixed": {"alpha": 0.1}, "caps": {"eta": 1.0}}
        return {
            "constants": {"b": sizes["b"], "C1": [1.0]},
            "regime": held,
            "min_K": sizes["K"],
            "grid": {"T": {"lo": sizes["T"], "hi": 1e15}},
        }

    assert plan_of(sweep(b=["512k", "1M"], K="1k", T="1B")) == plan_of(sweep(b=[512e3, 1e6], K=1e3, T=1e9))


def test_a_claim_reads_units() -> None:
    said = claim_of("eta ~ T^-1/4 @ fixed b=512k")
    assert (said.fixed, claim_of("b ~ T^1/2 @ b <= 4Mi").caps) == ({"b": 512_000}, {"b": 4_194_304})
    with pytest.raises(ValueError, match="'k' has no place here"):
        claim_of("b ~ T^1/2 @ fixed eta=1k")


@pytest.mark.parametrize("text", ["512m", "4KB", "1tokens", "2.5b", "1t", "3e"])
def test_an_unknown_unit_is_refused(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"one of the units k, K, M, G, B, T, Ki, Mi, Gi, Ti. Given: '.*'. Write 512k, 2.5B"
    ):
        without_unit(text)


@pytest.mark.parametrize("given", ["few", "1e9", "k", "", "1e5k", None, 3.5, True])
def test_what_is_no_number_with_a_unit_is_left_as_it_is(given: object) -> None:
    assert without_unit(given) is given


@pytest.mark.parametrize("value", [128, 999, 1000, 512000, 524e3, 2.5e6, 1e9, 2.5e9, 999e9, 1e12, 4.19e6])
def test_what_a_picture_writes_can_be_read(value: float) -> None:
    assert float(without_unit(count(value))) == value


def test_a_learning_rate_has_no_unit(capsys: Capture) -> None:
    refused("search", capsys, ["lmo", "--over", "b", "--fix", "eta=1k"], "eta is a finite number. Given: '1k'")


# --- beta ---

#: 1 - beta in decimals, by hand.
COMPLEMENTS = {0.9: 0.1, 0.95: 0.05, 0.999: 0.001, 0.0: 1.0, 0.5: 0.5, 0.123: 0.877}


@pytest.mark.parametrize("beta", COMPLEMENTS)
def test_a_beta_is_its_alpha_wherever_an_alpha_is_given(beta: float) -> None:
    alpha = COMPLEMENTS[beta]
    assert alpha_of(beta) == alpha
    assert Regime(fixed={"beta": beta}) == Regime(fixed={"alpha": alpha})
    assert Grid(beta=beta, T=1e9) == Grid(alpha=alpha, T=1e9)
    assert Grid.footnote(3).with_axes(beta=beta) == Grid.footnote(3).with_axes(alpha=alpha)
    here, there = ({"tuned": ["eta", "b"], "fixed": {name: x}} for name, x in (("beta", beta), ("alpha", alpha)))
    assert parse({"figure": "fig1", "regime": here}) == parse({"figure": "fig1", "regime": there})
    on_grid = (
        {"figure": "fig1", "regime": {"tuned": ["eta"]}, "grid": {name: x}}
        for name, x in (("beta", beta), ("alpha", alpha))
    )
    assert parse(next(on_grid)) == parse(next(on_grid))
    swept = ({"constants": {"C2": [1.0]}, "regime": regime} for regime in (here, there))
    assert plan_of(next(swept)) == plan_of(next(swept))
    assert bounds.lmo().risk(eta=0.1, b=2.0, T=9.0, beta=beta) == bounds.lmo().risk(eta=0.1, b=2.0, T=9.0, alpha=alpha)


def test_values_of_beta_are_values_of_alpha_in_their_order() -> None:
    by_hand = LogAxis.from_values([0.001, 0.01, 0.1])
    assert Grid(beta=LogAxis.from_values([0.9, 0.99, 0.999]), T=1e9).alpha == by_hand
    figure = {"figure": "fig4", "panel": [{"tuned": ["eta"], "beta": [0.9, 0.99, 0.999]}]}
    assert parse(figure).panels[0].axes == {"alpha": [0.001, 0.01, 0.1]}


def test_functions_take_a_beta() -> None:
    proxy, tuned = bounds.lmo(), ("eta", "b")
    by_beta, by_alpha = (hpgrid.exponents(proxy, tuned, fixed=held) for held in ({"beta": 0.9}, {"alpha": 0.1}))
    assert by_beta == by_alpha
    with pytest.raises(ValueError, match=r"beta is 1 - alpha. Given: 'beta and alpha'"):
        hpgrid.check(proxy, "b ~ T^1/2", tuned=tuned, fixed={"beta": 0.9, "alpha": 0.1})


def test_who_tunes_beta_tunes_alpha_and_is_told_where() -> None:
    with pytest.warns(Note, match="beta is tuned as alpha = 1 - beta") as told:
        assert Regime(("eta", "beta")).tuned == ("eta", "alpha")
    assert told[0].filename == __file__


# --- other names ---

OTHER = {"lr": "eta", "learning_rate": "eta", "batch": "b", "batch_size": "b", "tokens": "T"}


@pytest.mark.parametrize("name", [*OTHER, "momentum", "beta1"])
def test_what_others_call_it_is_understood_and_said(name: str) -> None:
    here, value = (OTHER.get(name, "alpha"), 0.5 if name in ("momentum", "beta1") else 2.0)
    with pytest.warns(Note, match=f"^{name} is {OTHER.get(name, 'beta')} here"):
        assert settings({name: value, "K": 3.0}) == {here: value, "K": 3.0}
    with (
        pytest.warns(Note, match=name),
        pytest.raises(ValueError, match=f"given once.* and {name}'. Write one of the two"),
    ):
        settings({here: 0.5, name: 0.5})
    assert str(unknown("axis", name, ("eta", "b", "alpha", "T"))).endswith(f"Write '{here}' (all: eta, b, alpha, T).")


def test_a_command_says_once_what_it_understood(capsys: Capture) -> None:
    start = ["transfer", "--to", "1T", "--regime", "A", "--from"]
    assert status(*start, "eta=3e-4,b=524288,beta=0.95,T=2.5e9") == 0
    plain = capsys.readouterr().out
    assert status(*start, "lr=3e-4,batch_size=524288,momentum=0.95,tokens=2.5e9") == 0
    notes = ("lr is eta", "batch_size is b", "momentum is beta here, and alpha = 1 - beta", "tokens is T")
    assert capsys.readouterr() == (
        plain,
        "".join(f"hpgrid: note: {x}{'' if 'here' in x else ' here'}\n" for x in notes),
    )


def test_an_option_may_have_another_name_too(capsys: Capture) -> None:
    plain = printed("critical-batch", capsys, "--eta", "1e-3", "--beta=0.9", "--eps", "30")
    assert status("critical-batch", "--lr", "1e-3", "--momentum=0.9", "--eps", "30") == 0
    notes = "hpgrid: note: lr is eta here\nhpgrid: note: momentum is beta here, and alpha = 1 - beta\n"
    assert capsys.readouterr() == (plain, notes)


def test_a_constant_of_that_name_is_no_hyperparameter(capsys: Capture) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Note)
        regime = Regime(("lr",))
    bound = hpgrid.parse("lr*eta + 1/(eta*T)", {"lr": 2.0})
    with pytest.raises(
        ValueError, match=r"lr is a constant of the bound formula, and could mean eta, too. .*Write eta for"
    ):
        regime.settled(bound)
    with pytest.raises(ValueError, match=r"'lr'. Write eta, or a value of it: lr=1.0, say"):
        hpgrid.parse("lr*b + 1/(b*T)")
    swept = plan_of({"bound": "lr*eta + 1/(eta*T)", "constants": {"lr": [1.0, 2.0]}, "regime": {"tuned": ["eta"]}})
    assert dict(swept.swept) == {"lr": (1.0, 2.0)}


# --- what a message shows ---


def test_what_was_given_is_shown_as_far_as_it_fits() -> None:
    long = "x" * 100_000
    for error in (bad(f"no {long}", long, f"{long}=1"), unknown("key", long, ["eta"])):
        assert len(str(error)) < 1500
        assert "xxx..." in str(error)
    assert "Given: a number of thousands of digits." in str(bad("small", 10**5000, "less"))
    with pytest.raises(ValueError, match=r"key of that name. Given: 'x{290,}\.\.\.") as refusal:
        parse({"figure": "fig1", long: 1})
    assert len(str(refusal.value)) < 1000


@pytest.mark.parametrize("values", ["12", None, ["a", "b"], ["1", "2"], 3.0])
def test_an_axis_is_made_of_numbers(values: Any) -> None:
    with pytest.raises(ValueError, match=r"an axis' values are numbers. Given: "):
        LogAxis.from_values(values)


# --- exponents as they are written ---

#: By hand.
WRITTEN = {
    "0.1": (1, 10), "-1/3": (-1, 3), ".5": (1, 2), "1e-5": (1, 100_000), "2": (2, 1), "+2": (2, 1),
    "0.34781923": (34781923, 10**8),
}  # fmt: skip

#: As a fraction the first two would take hours, the third minutes.
ENDLESS = ("1e999999999", "1e-999999999", "1" * 10**6, "1/0", "nan", "x", "", "1/2/3", "1.5/2", "1 2")


@pytest.mark.parametrize("text", WRITTEN)
def test_an_exponent_is_the_fraction_that_is_written(text: str) -> None:
    exact = Fraction(*WRITTEN[text])
    assert as_written(text) == check_exponent("p", text) == Power.read("b", text) == exact
    assert as_written(float(exact)) == Fraction(str(float(exact)))
    assert as_written(True) is None


@pytest.mark.parametrize("text", ENDLESS)
def test_what_is_no_short_number_is_refused_at_once(text: str) -> None:
    assert as_written(text) is None
    for read in (check_exponent, Power.read, lambda name, text: bounds.lmo(q=text)):
        with pytest.raises(ValueError, match="Write "):
            read("b", text)
