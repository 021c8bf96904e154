"""Maxima, roots and products of sums: exact laws by hand, and random ones against a linear program and refinement."""

from __future__ import annotations

import os
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from generalised import RANGES, Node, Range, drawn, grown, limited, linear_program

import hpgrid
from hpgrid import FunctionProxy, Proxy, exponents, parse, refine
from hpgrid.asymptotics import Law, segments
from hpgrid.checks import InputError
from hpgrid.refinement.descent import SHARPENED

F = Fraction
XYZ = ["x > 0", "y > 0", "z > 0"]

#: How many random ones are drawn, and every how many of them is refined, which takes seconds.
DRAWN, EVERY = int(os.environ.get("HPGRID_RANDOM_POSYNOMIALS", "15")), int(os.environ.get("HPGRID_REFINED_EVERY", "20"))

#: What the log of a risk is known to: up to 300 in size, of some ten operations each rounded to 1e-16 of it.
ROUNDING = 1e-12

#: How far above its minimum refinement may end: kinks are rounded off at p, which moves an optimum by 1/p in the logs,
#: along slopes that are exponents: 4 at the most, to three powers of at most 7/2.
KINK = 4 * 3.5**3 / SHARPENED[-1]

#: A bound, what is tuned, what else is given, and laws of it that were worked out by hand.
LAWS: dict[str, tuple[str, tuple[str, ...], dict[str, Any], dict[str, str]]] = {
    "a maximum of powers is least where all three meet": (
        "max(C1*b/(eta*T), C2*sqrt(alpha/b), C3*eta/alpha)", ("eta", "b"), {"fixed": {"alpha": 0.1}},
        {"risk": "C1^1/4 C2^1/2 C3^1/4 T^-1/4", "b": "C2 C1^-1/2 C3^-1/2 alpha T^1/2"},
    ),
    "a root of a sum is least where the sum is": (
        "sqrt(C1/(eta*K) + C2*eta)", ("eta",), {"budget": "K"},
        {"risk": "2^1/2 C1^1/4 C2^1/4 K^-1/4", "eta": "C1^1/2 C2^-1/2 K^-1/2"},
    ),
    "and to any power, beside what falls faster": (
        "(C1/(eta*K) + C2*eta)**(7/3) + C3*eta**3", ("eta",), {"budget": "K"},
        {"risk": "2^7/3 C1^7/6 C2^7/6 K^-7/6", "eta": "C1^1/2 C2^-1/2 K^-1/2"},
    ),
    "a sum in a maximum: x^2 + 1/x^2 or C1, whichever is larger, and here it is the sum": (
        "max(x**2 + 1/x**2, C1) + C2*x/T", ("x",), {}, {"risk": "2", "x": "1"},
    ),
    "products of sums, K + 1, roots in roots": (
        "(K + 1)*max(C1/(eta*K), C2*eta)**(1/3)*sqrt(1 + sqrt(eta))", ("eta",), {"budget": "K"},
        {"risk": "C1^1/6 C2^1/6 K^5/6", "eta": "C1^1/2 C2^-1/2 K^-1/2"},
    ),
    "K + 1 and K - 1 are K as it grows, below the line too": (
        "C1/(eta*(K + 1)) + C2*eta*sqrt(1 - 1/K)", ("eta",), {"budget": "K"},
        {"risk": "2 C1^1/2 C2^1/2 K^-1/2", "eta": "C1^1/2 C2^-1/2 K^-1/2"},
    ),
    "what a minimum divides is a maximum": (
        "C1/(eta*K) + eta/min(b, C2)", ("eta", "b"), {"budget": "K", "caps": {"b": 5.0}},
        {"risk": "2 C1^1/2 b_max^-1/2 K^-1/2", "eta": "C1^1/2 b_max^1/2 K^-1/2"},
    ),
    # max(x + e, 1/x) is least at x = 1 - e/2, where it is 1 + e/2: y/T counts by half against 1/(y T^3).
    "what is left of a branch decides what the branch leaves open": (
        "max(x + y/T, 1/x) + 1/(y*T**3)", ("x", "y"), {}, {"risk": "1", "x": "1", "y": "2^1/2 T^-1"},
    ),
    "and so does what is left of a sum under a root, level after level": (
        "sqrt(1 + y/T) + 1/(y*T**3) + x/T + 1/(x*T)", ("x", "y"), {}, {"x": "1", "y": "2^1/2 T^-1"},
    ),
    "what does not hold decides nothing: x*y/T^2 is far below 1/x": (
        "max(x, x*y/T**2, 1/x) + y/T + 1/(y*T**3)", ("x", "y"), {}, {"x": "1", "y": "T^-1"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LAWS)
def test_laws_are_those_by_hand(case: str) -> None:
    text, tuned, given, expected = LAWS[case]
    own = {"variables": XYZ} if "x" in tuned else {}
    constants = {name: value for name, value in {"C1": 1.9, "C2": 0.7, "C3": 2.3}.items() if name in text}
    constants |= {"C2": 100.0} if "min(" in text else {}
    law = exponents(parse(text, constants, **own), tuned, **given)
    assert {name: law.laws[name].right() for name in expected} == expected


def test_a_computed_law_is_that_of_its_program() -> None:
    """x + 1/x^2 + 3 is least at x = 2^1/3; in a maximum with a smaller branch, under a root with 1 beside it."""
    law = exponents(parse("sqrt(max(x + 1/x**2 + 3, 1/2)*T + 1)/T", variables=XYZ), ("x",))
    assert (law.exponent["risk"], law.laws["x"].numeric) == (F(-1, 2), True)
    assert law.laws["x"].constant == pytest.approx(2 ** (1 / 3), rel=1e-11)
    assert law.laws["risk"].constant == pytest.approx((3 + 3 * 2 ** (-2 / 3)) ** 0.5, rel=1e-12)


def test_a_plateau_is_one() -> None:
    """The bound of Islamov et al. as a whole: every b from (mu rho sigma/L)^2 to (T mu rho sigma/L)^(2/3) is best."""
    text = "max(L*b/(mu**2*T), (L*rho**2*sigma**2/(mu**4*T))**(1/3), rho*sigma/(mu*(T**2*b)**(1/6)))"
    law = exponents(parse(text, dict.fromkeys(("L", "mu", "rho", "sigma"), 1.0)), ("b",))
    assert law.exponent == {"risk": F(-1, 3), "b": None}
    assert law.flat == {"b": (0, F(2, 3))}
    assert law.laws["risk"].right() == "L^1/3 rho^2/3 sigma^2/3 mu^-4/3 T^-1/3"
    (branches,) = law.branches.values()
    assert branches == ("(L*rho^2*sigma^2/(mu^4*T))^(1/3)",)


def test_a_report_says_which_branches_meet_and_what_comes_of_one_part_is_one_term() -> None:
    law = exponents(parse("max(C1*b/(eta*T), C3*eta) + sqrt(1/b + 1/T)", {"C1": 1.0, "C3": 1.0}), ("eta", "b"))
    text = law.text()
    assert "max(C1*b/(eta*T), C3*eta) = C1*b/(eta*T) = C3*eta at the optimum" in " ".join(text.split())
    (first, *_) = law.levels
    assert first.terms == ("max(C1*b/(eta*T), C3*eta)", "sqrt(1/b + 1/T)")
    assert (sum(first.weights), first.weights) == (1, (F(1, 2), F(1, 2)))
    assert set(law.as_dict()["branches"]) == {"max(C1*b/(eta*T), C3*eta)"}
    assert "branches" not in exponents(hpgrid.bounds.lmo(), ("eta",)).as_dict()


def test_a_constant_of_0_drops_its_branch_and_a_root_or_a_maximum_of_nothing_is_nought() -> None:
    text = "D/(eta*K) + L*eta + max(E0*alpha, C2/b) + sqrt(E0*eta + C2/b)"
    for E0, C2 in ((0.0, 1.0), (1.0, 0.0), (0.0, 0.0)):
        law = exponents(parse(text, {"D": 1.0, "L": 1.0, "E0": E0, "C2": C2}), ("eta",), budget="K")
        assert law.exponent["risk"] == (F(0) if E0 or C2 else F(-1, 2))


def test_along_paths_a_maximum_bends_as_its_branches_do() -> None:
    bound = parse("max(b/(eta*T), sqrt(1/b), eta)")
    found = segments(bound, ("eta",))
    assert [(segment.lo, segment.hi, str(segment.exponent["risk"])) for segment in found] == [
        (F(0), F(1, 2), "-1/2 phi"), (F(1, 2), F(1), "1/2 phi - 1/2"),
    ]  # fmt: skip
    assert exponents(bound, ("eta",), path={"b": "3/4"}).exponent["risk"] == F(-1, 8)


def test_a_domain_may_have_sums_and_need_not_hold_at_constants() -> None:
    """eta = 1/b far out: D b/K + L/b^2 is least at b^3 = 2 L K/D. And eta K <= b holds for no constant eta and b."""
    text, constants = "D/(eta*K) + L*eta/b", {"D": 3.0, "L": 0.5}
    law = exponents(parse(text, constants, domain=["eta*b + 1/b <= 1"]), ("eta", "b"), budget="K")
    assert law.laws["b"].right() == "2^1/3 L^1/3 D^-1/3 K^1/3"
    assert law.active == {"eta": "eta*b + 1/b <= 1", "b": "eta*b + 1/b <= 1"}
    tight = exponents(parse(text, constants, domain=["eta*K <= b", "b <= 2*eta**(1/2)*K"]), ("eta", "b"), budget="K")
    assert tight.exponent == {"risk": -1, "eta": 0, "b": 1}
    with pytest.raises(InputError, match="nothing is left of the bound's domain as the budget grows"):
        exponents(parse(text, constants, domain=["eta*K <= b", "b**2 <= eta"]), ("eta", "b"), budget="K")
    with pytest.raises(InputError, match="sums of powers that are at most a product of them"):
        exponents(parse(text, constants, domain=["eta <= b + 1/b"]), ("eta", "b"), budget="K")


@pytest.mark.parametrize(
    ("text", "given", "words"),
    [
        ("eta + 1/(b*eta) + b*log(T)/T", {}, "column 21: log.T. is no power"),
        ("eta*(b - 1) + 1/(b*eta)", {}, "eta is taken away"),
        ("1/eta + eta/(1 + b)", {}, "a sum stands in its denominator"),
        ("1/eta + eta*min(b, 2)", {}, "is a minimum, and the bound rises with it"),
        ("1/eta + eta*exp(b)", {}, "exp.b. is no power"),
        ("1/eta + eta*b*(1 - 2*alpha)", {}, "whether 1 - 2.alpha is positive hangs on alpha.*alpha fixed at a value"),
        ("1/eta + eta*b*(1 - 2*alpha)", {"fixed": {"alpha": 0.75}}, "in this one 1 - 2.alpha is -0.5"),
    ],
)
def test_what_has_no_exact_exponents_says_why(text: str, given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        exponents(parse(text), ("eta", "b"), **given)


#: A bound whose dominant term hangs on nothing that is tuned, what else is given, what is said of b, and the risk.
OPEN: dict[str, tuple[str, dict[str, Any], dict[str, Any], str, str]] = {
    "a floor does not stop b": (
        "C0/T + C1*b**(-1/2)*T**(-2)", {"variables": ["b >= 300"]}, {},
        "a cap on b", "C0 T^-1",
    ),
    "nor does one that grows": (
        "C0/T + C1*b**(-1/2)*T**(-2)", {"domain": ["b >= sqrt(T)"]}, {},
        "a cap on b", "C0 T^-1",
    ),
    "a cap below 1 does not stop alpha, nor a floor b": (
        "C0/T + C1*alpha/T**2/b", {"caps": {"alpha": 0.5}, "variables": ["b >= 7"]}, {"tuned": ("b", "alpha")},
        "a cap on b and a floor under alpha", "C0 T^-1",
    ),
    "along a path": (
        "C0*eta + C1*b**(-1/2)*T**(-2)", {"variables": ["b >= 300"]}, {"path": {"eta": "-1/2"}},
        "a cap on b", "C0 T^-1/2",
    ),
    "a cap does": (
        "C0/T + C1*b**(-1/2)*T**(-2)", {"variables": ["b >= 300"], "caps": {"b": 900.0}}, {}, "b_max", "C0 T^-1"
    ),
    "a floor where it falls": ("C0/T + C1*sqrt(b)*T**(-2)", {"variables": ["b >= 300"]}, {}, "b_min", "C0 T^-1"),
    "neither holds": ("C0/T + C1*(1/b + b)/T**2", {"variables": ["b >= 0.01"], "caps": {"b": 9.0}}, {}, "1", "C0 T^-1"),
    "on both sides of a maximum": (
        "max(C0/T, C1/(b*T**2))", {"variables": ["b >= 300"]}, {}, "0", "C0 T^-1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", OPEN)
def test_where_the_dominant_term_hangs_on_nothing_that_is_tuned_a_bound_on_b_is_still_told_from_none(case: str) -> None:
    text, own, given, of_b, risk = OPEN[case]
    bound = parse(text, {"C0": 4.0, "C1": 1e-9}, **own)
    given = {"tuned": ("b",), **given}
    law, T = exponents(bound, budget="T", **given), np.array([1e20, 1e40])
    said = (
        law.laws["b"].right() if law.laws["b"] else law.unbounded["b"].cure if law.unbounded else str(law.flat["b"][0])
    )
    assert said == of_b
    assert law.laws["risk"].right() == risk
    assert refine(bound, T=T, **given).log_risk == pytest.approx(np.log(law.laws["risk"].at(T)), abs=ROUNDING)


def test_what_no_constants_meet_is_refused_whatever_meets_it_in_exponents() -> None:
    for domain in (["eta*b <= 1", "eta >= 2"], ["eta + 1/eta <= 3/2"], ["eta*b + eta <= 1", "eta >= 2/3"]):
        with pytest.raises(InputError, match="nothing is left of the bound's domain as the budget grows"):
            exponents(parse("1/(eta*T) + eta*b", domain=domain), ("eta", "b"), budget="T")


@pytest.mark.parametrize("size", [1e-8, 1e-20, 1e-200])
@pytest.mark.parametrize("whole", ["{}", "max({}, 1e-300)"])
def test_a_term_of_any_size_decides_what_hangs_on_it_alone(size: float, whole: str) -> None:
    """x + 1/x is least at x = 1, and 7 x y + 3/y at y^2 = 3/(7 x): x moves by some ten times the size."""
    text = whole.format(f"x + 1/x + {size}*(7*x*y + 3/y)")
    law = exponents(parse(text, variables=XYZ), ("x", "y"), budget="T")
    assert law.laws["y"].constant == pytest.approx((3 / 7) ** 0.5, rel=max(1e-11, size * 10))


# --- random ones ---


def disagreement(law: Law, program: tuple[float, dict[str, tuple[float, float]]] | None) -> str:
    """Return where exact exponents are not those of SciPy's program, which is feasible to 1e-7: "" where nowhere."""
    if program is None or law.exponent["risk"] is None:
        return "" if program is None and law.exponent["risk"] is None else f"{program} and {law.exponent}"
    least, ends = program
    wrong = [] if abs(float(law.exponent["risk"]) - least) < 1e-6 else [f"risk {law.exponent['risk']} and {least}"]
    for name, (low, high) in ends.items():
        lowest, highest = law.flat.get(name, (law.exponent[name],) * 2)
        known = law.exponent[name] is not None or name in law.flat
        for own, end, sign in ((lowest, low, -1), (highest, high, 1)):
            if known and sign * (sign * np.inf if own is None else float(own)) > sign * end + 1e-6:
                wrong.append(f"{name} {own} and {low} to {high}")
    return "; ".join(wrong)


def posed(seed: int, floors: bool) -> tuple[Node, tuple[str, ...], dict[str, Range], Proxy | FunctionProxy]:
    """A random bound, what is tuned in it, the ranges of that, and itself as one of hpgrid's."""
    whole, tuned = drawn(seed)
    ranges = limited(seed, tuned) if floors else {v: RANGES[v] for v in tuned}
    ends = {v: f" <= {RANGES[v][1]!r}" if RANGES[v][1] < np.inf else "" for v in tuned}
    floor = [f"{low!r} <= {v}{ends[v]}" for v, (low, _) in ranges.items() if low > RANGES[v][0]]
    caps = {v: high for v, (_, high) in ranges.items() if high < RANGES[v][1]}
    return whole, tuned, ranges, parse(whole.text(), variables=floor, caps=caps)


@pytest.mark.parametrize("floors", [False, True], ids=["", "floors and caps"])
@pytest.mark.parametrize("seed", range(DRAWN))
def test_exponents_are_those_of_a_linear_program(seed: int, floors: bool) -> None:
    whole, tuned, ranges, bound = posed(seed, floors)
    assert disagreement(exponents(bound, tuned, budget="T"), linear_program(whole, tuned, ranges)) == ""


@pytest.mark.parametrize("floors", [False, True], ids=["", "floors and caps"])
@pytest.mark.parametrize("seed", range(0, DRAWN, EVERY))
def test_refinement_is_between_the_law_and_the_bound_at_its_point(seed: int, floors: bool) -> None:
    """From 1e30 to 1e40, without a tolerance for how far a law is from its limit: both ends are computed.

    Terms are positive, so that no risk is below the least of its leading ones, which is the law; and the least risk is
    not above what the bound is where the law puts the variables. That tends to the law as T^-gap, the gap being the
    least power of T by which a part is below another at the program's exponents.
    """
    whole, tuned, ranges, bound = posed(seed, floors)
    law = exponents(bound, tuned, budget="T")
    risk, T = law.laws["risk"], np.array([1e30, 1e40])
    if risk is None:
        assert law.exponent["risk"] is None
        return
    level = risk.coefficient.log(risk.values)
    near, far = refine(bound, tuned, T=T).log_risk - level - float(risk.exponent) * np.log(T)
    if law.unbounded and far == -np.inf:  # what runs off passes the largest float before the risk is at its infimum
        return
    assert min(near, far) > -ROUNDING
    # The log of a posynomial is convex in all logs, and so its least is in log T: it falls to its asymptote.
    assert far < near + KINK
    if any(law.laws[v] is None for v in tuned):  # a law leaves a variable open: it has no one point
        return
    logs = {v: law.laws[v].coefficient.log(law.laws[v].values) for v in tuned}
    power, limit, gap = grown(whole, law.exponent, logs)
    assert power == law.exponent["risk"]
    assert limit == pytest.approx(level, abs=ROUNDING)
    for x, off in zip(T, (near, far)):
        # Where a variable has yet to leave its bound, as b = 1 that goes with T^(1/228), the law's point is none.
        begun = all(
            low <= law.laws[v].at(x) * (1 + ROUNDING) <= high * (1 + 2 * ROUNDING) for v, (low, high) in ranges.items()
        )
        assert not begun or off < grown(whole, law.exponent, logs, np.log(x))[1] - level + KINK
    # Where T^gap is e^100, nothing is left of what falls.
    assert gap is None or grown(whole, law.exponent, logs, 100 / float(gap))[1] == pytest.approx(level, abs=ROUNDING)
