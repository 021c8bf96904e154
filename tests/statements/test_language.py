"""Claims as they are written: what they are read as, and how mistakes are pointed at."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, strategies as st

import hpgrid
from hpgrid.checks import InputError
from hpgrid.statements.language import LONGEST, Powers, Statement, parse

#: What a claim may be of.
LEFT = ("risk", "eta", "b", "alpha", "T", "K")

F = Fraction

# --- what is read ---
POWERS = {
    "T": {"T": F(1)}, "T^2": {"T": F(2)}, "T^1/2": {"T": F(1, 2)}, "T^(1/2)": {"T": F(1, 2)},
    "T^-3/4": {"T": F(-3, 4)}, "T^(-3/4)": {"T": F(-3, 4)}, "T^+1/2": {"T": F(1, 2)}, "T^0.25": {"T": F(1, 4)},
    "T ^ .5": {"T": F(1, 2)}, "b T^-3/4": {"b": F(1), "T": F(-3, 4)}, "b*T^-3/4": {"b": F(1), "T": F(-3, 4)},
    "b/T": {"b": F(1), "T": F(-1)}, "C1^1/2/b": {"C1": F(1, 2), "b": F(-1)},
    "C2/C1 b": {"C2": F(1), "C1": F(-1), "b": F(1)},
    "C2 (C1 C3)^-1/2 T^1/2": {"C2": F(1), "C1": F(-1, 2), "C3": F(-1, 2), "T": F(1, 2)},
    "1/(C1 T)": {"C1": F(-1), "T": F(-1)}, "((b/T)^1/2)^1/3": {"b": F(1, 6), "T": F(-1, 6)},
    "T^1/2 T^1/3": {"T": F(5, 6)}, "b/b": {"b": F(0)}, "1": {},
    "T^0.3271": {"T": F(3271, 10000)}, "T^1829/3568": {"T": F(1829, 3568)},
    "T^-0.7419393843827164": {"T": F(-7419393843827164, 10**16)},
    "T^34781923/134781923": {"T": F(34781923, 134781923)},
}  # fmt: skip


@pytest.mark.parametrize("text", POWERS)
def test_products_are_read_from_left_to_right(text: str) -> None:
    found = parse(f"eta = {text}").right
    assert {name: p for name, p in found.items() if name.isidentifier()} == POWERS[text]


#: The exponents of T and of log T.
LOGS = {
    "log T": (F(0), F(1)), "log(T)": (F(0), F(1)), "(log T)^1/3": (F(0), F(1, 3)),
    "T^-1/3 (log T)^1/3": (F(-1, 3), F(1, 3)), "(log T/T)^(1/3)": (F(-1, 3), F(1, 3)),
    "(T/log T)^(2/3)": (F(2, 3), F(-2, 3)), "(T/log T)^0.667": (F(667, 1000), F(-667, 1000)),
    "T^2/3/(log T)^2/3": (F(2, 3), F(-2, 3)), "T * log T": (F(1), F(1)),
}  # fmt: skip


@pytest.mark.parametrize("text", LOGS)
def test_logarithms_are_of_the_budget(text: str) -> None:
    found = parse(f"b ~ {text}").right
    assert (found.get("T", F(0)), found["log T"]) == LOGS[text]


def test_a_law_with_its_constant() -> None:
    found = parse("b = 0.315 2^-1/2 T^1/6")
    assert found.right == {"0.315": F(1), "2": F(-1, 2), "T": F(1, 6)}
    assert found.number == pytest.approx(0.315 / 2**0.5, rel=1e-15)
    assert found.rounding == pytest.approx(0.0005 / 0.315)
    assert parse("alpha = 3/2 b T^-1/2").number == F(3, 2)
    assert parse("alpha = 2 b").rounding == 0.0


@pytest.mark.parametrize(
    "text",
    [
        "D/(eta*T) + s*sqrt(2*alpha) + 2*L*eta/alpha",
        "2*sqrt(6)*D/(eta*T) + sqrt(3*alpha) + 5*sqrt(2/3)*s*eta/alpha",
        "7/2*L*eta + 2**(1/3)*D/(eta**2*T) + alpha + s*eta/alpha/4",
    ],
)
def test_a_law_as_it_is_printed_is_a_claim_that_says_the_same(text: str) -> None:
    bound = hpgrid.parse(text, {name: 3.0 for name in "DsL" if name in text})
    for name, whole in hpgrid.exponents(bound, ("eta", "alpha")).laws.items():
        found = parse(f"{name} = {whole.right()}")
        assert float(found.number) == pytest.approx(whole.number.value({}), rel=1e-14)
        named = {symbol: power for symbol, power in found.right.items() if not symbol[0].isdigit()}
        assert named == whole.powers | {"T": whole.exponent}


CONDITIONS: dict[str, dict[str, Any]] = {
    "fixed eta, b=1072, alpha <= 1/10": {"fixed": {"eta": None, "b": F(1072)}, "caps": {"alpha": F(1, 10)}},
    "b tuned, alpha fixed": {"tuned": ("b",), "fixed": {"alpha": None}},
    "tuned eta, b fixed, alpha": {"tuned": ("eta", "alpha"), "fixed": {"b": None}},
    "b = T^1/4, tuned eta, alpha": {"tuned": ("eta", "alpha"), "path": {"b": ("T", F(1, 4))}},
    "fixed beta=0.999": {"fixed": {"alpha": F(1, 1000)}},
    "alpha=1e-3": {"fixed": {"alpha": F(1, 1000)}},
    "fixed T, alpha -> 0": {"fixed": {"T": None}, "small": ("alpha",)},
}


@pytest.mark.parametrize("text", CONDITIONS)
def test_conditions(text: str) -> None:
    assert parse(f"risk ~ C2 @ {text}") == Statement({"risk": F(1)}, {"C2": F(1)}, **CONDITIONS[text])


# --- what is written reads back ---

fractions = st.fractions(-20, 20, max_denominator=30)
positive = st.fractions(F(1, 100), 10**6, max_denominator=1000).filter(bool)
numbers = st.one_of(st.integers(1, 10**6).map(str), st.decimals("0.001", 99, places=3).map(str))
NAMES = ("b", "alpha", "T", "K", "C1", "C2", "sigma", "b_max")


def products(names: tuple[str, ...], *, least: int = 0) -> st.SearchStrategy[dict[str, Fraction]]:
    return st.dictionaries(st.sampled_from(names), fractions, min_size=least, max_size=4)


@st.composite
def statements(draw: Any) -> Statement:
    """Each hyperparameter has one role or none."""
    exact = draw(st.booleans())
    beside = st.dictionaries(numbers, fractions.filter(lambda p: abs(p) < 5), min_size=1, max_size=2)
    right = draw(products(NAMES)) | draw(beside if exact else products(("log T", "log K")))
    roles = {v: draw(st.sampled_from(["", "fixed", "held", "path", "cap", "small", "tuned"])) for v in LEFT[1:4]}
    held = {v: None if role == "held" else draw(positive) for v, role in roles.items() if role in ("fixed", "held")}
    return Statement(
        # A budget alone is what a risk takes, and read the other way round.
        draw(products(LEFT, least=1).filter(lambda left: [v for v, p in left.items() if p] not in (["T"], ["K"]))),
        right,
        exact,
        tuple(v for v, role in roles.items() if role == "tuned") or None,
        held | draw(st.sampled_from([{}, {"T": None}])),
        {v: ("T", draw(fractions)) for v, role in roles.items() if role == "path"},
        {v: draw(positive) for v, role in roles.items() if role == "cap"},
        tuple(v for v, role in roles.items() if role == "small"),
    )


def written(said: Statement) -> str:
    conditions = [f"fixed {name}" + ("" if x is None else f"={x}") for name, x in said.fixed.items()]
    conditions += [f"{name} -> 0" for name in said.small]
    conditions += [f"{name} = {budget}^{p}" for name, (budget, p) in said.path.items()]
    conditions += [f"{name} <= {x}" for name, x in said.caps.items()]
    conditions += [f"tuned {', '.join(said.tuned)}"] if said.tuned is not None else []
    law = f"{product(said.left)} {'=' if said.exact else '~'} {product(said.right)}"
    return f"{law} @ {', '.join(conditions)}" if conditions else law


def product(powers: Powers) -> str:
    return " ".join(f"({symbol})^({p})" for symbol, p in powers.items()) or "1"


@given(statements())
def test_what_is_written_reads_back(statement: Statement) -> None:
    assert parse(written(statement)) == statement


def read(text: str) -> Statement | str:
    try:
        return parse(text)
    except InputError as error:
        return str(error)


@given(st.text(alphabet="bTK12/^()~=@,.*+-> logfixedtuned", max_size=40))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    found = read(text)
    if isinstance(found, str):
        assert len(found.splitlines()) == 1
    else:
        assert parse(written(found)) == found


# --- mistakes ---

#: What is said, and the claims that it is said of, with the column that is pointed at.
MISTAKES: dict[str, list[tuple[str, int]]] = {
    "LEFT ~ RIGHT": [("b", 2), ("b T^1/2", 8), ("b <= T", 3), ("b -> T", 3)],
    "a name, a number or (": [
        ("b ~", 4), ("~ T", 1), ("~", 1), ("=", 1), ("b ~ ~ T", 5), ("b == T", 4), ("b ~ -T", 5), ("b ~ T*", 7),
        ("b ~ T/", 7), ("b ~ */T", 5), ("b ~ T**2", 7), ("b ~ T//2", 7), ("b ~ ()", 6),
    ],
    "'~' has no place here": [("b ~ T ~ T", 7)],
    "',' has no place here": [("b ~ T,", 6)],
    "')' has no place here": [("b ~ T)", 6)],
    "'-' has no place here": [("b ~ T - 1", 7)],
    "'+' has no place here": [("b ~ T + 1", 7)],
    "rational number": [
        ("b ~ T^", 6), ("b ~ T^^2", 6), ("b ~ T^-", 6), ("b ~ T^--1", 6), ("b ~ T^+-1", 6), ("b ~ T^b", 6),
        ("b ~ T^(b)", 6), ("b ~ T^()", 6), ("b ~ T^((1/2))", 6), ("b ~ T^1e3", 6),
        ("b ~ T^0.1234567890123456789012345678901", 6), ("b ~ T @ alpha = T^", 18),
    ],
    "one rational number and )": [("b ~ T^(1/2", 6), ("b ~ T^(1/2/3)", 6), ("b ~ T^(1 2)", 6)],
    "the second not 0": [("b ~ T^1/0", 9), ("b ~ T^0/0", 9)],
    "two whole numbers": [("b ~ T^1/2.5", 9), ("b ~ T^1.5/2", 11)],
    "two numbers after ^": [
        ("b ~ T^1/2/3", 11), ("b ~ T^1/2 3", 11), ("b ~ T^2/3/4 C1", 11), ("b ~ T^1 2", 9),
        ("b ~ T @ alpha = T^1/2/3", 23),
    ],
    "one power": [("b ~ T^1/2^3", 10), ("b ~ T^(1/2)^3", 12)],
    "~ leaves the constant open": [("b ~ T^1/(2)", 5), ("b ~ 2", 5), ("b ~ 2 T", 5), ("b ~ T 2", 5), ("b ~ 1 1", 5)],
    "between -1000 and 1000": [
        ("b ~ T^1001", 5), ("b ~ T^1234567", 5), ("b ~ (T^999)^999", 5),
        ("b ~ (T^1/123456789012345678901)^1/123456789012345678903", 5),
    ],
    "a number is positive": [("b = 0 T", 5), ("b = 0.0", 5)],
    "without an e": [("b = 1e3 T", 5)],
    "at most 30 digits": [("b = 1234567890123456789012345678901", 5)],
    "between 1e-130 and 1e130": [("b = 999999999999999999999999999999^9", 5)],
    "never closed": [("b ~ (T", 5), ("b ~ ((T)", 5), ("b ~ (T @ fixed alpha)", 5), ("(b ~ T)", 1)],
    "at most 4 deep": [("b ~ (((((T)))))", 9), ("((((((b)))))) ~ T", 5)],
    "one of the budget": [
        ("b ~ log", 8), ("b ~ log b", 9), ("b ~ log C1", 9), ("b ~ log log T", 9), ("b ~ log (log T)", 10),
        ("b ~ log 2", 9), ("b ~ T log^2 T", 10), ("log b ~ log T", 5),
    ],
    "the budget alone": [("b ~ log(T", 10), ("b ~ log(T/b)", 10)],
    "two things": [("b ~ log T^2", 5), ("b ~ log(T)^2", 5)],
    "on the left stand": [("log T ~ b", 1), ("2 b ~ T", 1)],
    "settles too slowly": [("b = log T", 5), ("b = 2 T/log T", 5)],
    "alpha = 1 - beta": [("beta ~ T", 1), ("b ~ beta T", 5)],
    "no quantity on the left of that name": [("B ~ T", 1), ("batch ~ T", 1), ("alpha C1 ~ T", 7)],
    "Write 'eta'": [("etta ~ T", 1)],
    "the risk stands on the left": [("b ~ risk T", 5)],
    "has a name": [
        ("b ~ T^1/2 @", 12), ("b ~ T @ 3", 9), ("b ~ T @ fixed", 14), ("b ~ T @ fixed,", 14), ("b ~ T @ fixed b,", 17),
        ("b ~ T @ tuned", 14), ("b ~ T @@ fixed b", 8),
    ],
    "no hyperparameter of that name": [("b ~ T @ nonsense", 9), ("b ~ T @ fixed c", 15)],
    "'b' has no place here": [("b ~ T @ fixed eta b", 19)],
    "'tuned' has no place here": [("b ~ T @ fixed b tuned", 17), ("b ~ T @ b=2 tuned", 13)],
    "nothing is said of alpha": [("b ~ T @ alpha", 9)],
    "all that a condition can say of T": [("b ~ T @ T", 9), ("b ~ T @ T=1e6", 9), ("b ~ T @ fixed T=1e6", 15)],
    "all that a condition can say of K": [("b ~ T @ tuned K", 15)],
    "one condition": [
        ("b ~ T @ fixed alpha, tuned alpha", 28), ("b ~ T @ fixed alpha, fixed alpha", 28),
        ("b ~ T @ alpha=0.1, alpha -> 0", 20), ("b ~ T @ alpha=0.1, beta=0.9", 20),
    ],
    "beta is held at a number": [
        ("b ~ T @ fixed beta", 15), ("b ~ T @ tuned beta", 15), ("b ~ T @ beta <= 1", 9), ("b ~ T @ beta -> 0", 9),
        ("b ~ T @ beta = T^1/2", 16),
    ],
    "tends to 0": [("b ~ T @ alpha -> 1", 9), ("b ~ T @ alpha -> T", 9)],
    "is held at a number, or follows the budget": [
        ("b ~ T @ alpha =", 16), ("b ~ T @ alpha = eta", 17), ("b ~ T @ alpha = -1", 17),
    ],
    "a positive number": [
        ("b ~ T @ alpha = 0", 17), ("b ~ T @ alpha = 1/0", 17), ("b ~ T @ alpha = 1/b", 17),
        ("b ~ T @ alpha = 1e999999999", 17), ("b ~ T @ eta <=", 15), ("b ~ T @ eta <= b", 16),
    ],
    "beta is below 1": [("b ~ T @ fixed beta=2", 20)],
    "';' has no place in a claim": [("b ~ T; import os", 6)],
    "'[' has no place in a claim": [("b ~ T[0]", 6)],
    "'½' has no place in a claim": [("b ~ T^½", 7)],
    "has no place in a claim": [("b ~ T\n", 6), ("b ∝ T", 3)],
    "a claim says what follows what": [("", 0), ("   ", 0)],
    "at most 400 characters": [("b" * 10_000, LONGEST + 1), ("b ~ " + "(" * 9_000, LONGEST + 1)],
}  # fmt: skip


def test_there_are_a_hundred_mistakes() -> None:
    texts = [text for claims in MISTAKES.values() for text, _ in claims]
    assert len(set(texts)) == len(texts) >= 100


@pytest.mark.parametrize(("text", "column", "said"), [(*claim, said) for said in MISTAKES for claim in MISTAKES[said]])
def test_a_mistake_is_one_line_that_points_at_it(text: str, column: int, said: str) -> None:
    with pytest.raises(InputError) as error:
        parse(text)
    line = str(error.value)
    assert said in line
    assert len(line.splitlines()) == 1
    assert len(line) < 300
    if column:
        assert f"column {column}" in line
