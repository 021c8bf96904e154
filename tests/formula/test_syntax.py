"""Text to a checked expression: what is read, where errors point, and that nothing is ever run."""

from __future__ import annotations

import builtins
import random
import time
from fractions import Fraction
from typing import Any

import pytest
from commands import refused

from hpgrid.checks import InputError
from hpgrid.formula.bound import parse
from hpgrid.formula.syntax import DEEPEST, LONGEST, read

EQ4 = "C1*b/(eta*T) + C2/sqrt(b)*(b + alpha**(3/2)*T)/(alpha*T) + C3*eta*(1 + 1/alpha)"


def test_names_are_variables_or_constants_in_order_of_appearance_and_numbers_fractions() -> None:
    found = read("g*C2*b**p + max(C1, beta*K)")
    assert found.names() == ("g", "C2", "p", "C1")
    assert found.coefficients() == ("g", "C2", "C1")
    assert found.in_exponents() == {"p"}
    assert found.variables() == ("b", "alpha", "K")
    # One name in an exponent and elsewhere; an exponent with a variable is no power.
    assert (read("p*b**p").coefficients(), read("p*b**p").in_exponents()) == (("p",), {"p"})
    assert read("beta**(c*K)").coefficients() == ("c",)
    # Numbers are the fractions that they look like.
    (term,) = parse("0.1*b**0.3/3").terms
    assert (term.number, term.factors["b"]) == (Fraction(1, 30), Fraction(3, 10))


#: Powers divided by a number, by text; and what is plain.
DIVIDED = {
    "b**3/2": "b**(3/2)",
    "C1*b**3/2*T": "b**(3/2)",
    "T + b**-1 + eta ** 1 / 4": "eta**(1/4)",
    "C2/b**1/2": "b**(1/2)",
    "C2*b**-1/2": "b**(-1/2)",
    "C2*(b/T)**1/2": "(b/T)**(1/2)",
    "C2/max(b, T)**3/4*eta": "max(b, T)**(3/4)",
}
PLAIN = ("(b**3)/2", "b**(3/2)", "b/2", "b**3/T", "b**2/1e20", "b**3*T/2", "b**4/2", "b**3/200")


def test_a_power_divided_by_a_number_is_remarked_on_and_what_is_plain_is_not() -> None:
    for text, power in DIVIDED.items():
        (remark,) = read(text).remarks
        assert "divided by" in remark, text
        assert power in remark, text
    assert [text for text in PLAIN if read(text).remarks] == []
    with pytest.warns(UserWarning, match=r"b\*\*3/2 is b\*\*3 divided by 2"):
        assert [str(term) for term in parse("b**3/2").terms] == ["1/2*b^3"]


#: What is wrong, by text: the column that the message points at, and some of its words.
WRONG = {
    "b^2": (2, r"Write \*\* for a power"),
    "C1 b": (4, "a product has a \\*"),
    "2.5eta": (4, "a product has a \\*"),
    "2 b": (3, "a product has a \\*"),
    "2b": (2, "a product has a \\*"),
    "2(b)": (2, "a product has a \\*"),
    "ln(b)": (1, "Write log"),
    "pow(b, 2)": (1, r"Write b\*\*2"),
    "(b)(T)": (1, "there is no function"),
    "C1*": (3, "something is missing after"),
    "C1*(b+)": (6, "something is missing after"),
    "*b": (1, "something is missing"),
    "b**": (2, "something is missing after"),
    "eta.real": (1, "no attributes"),
    "eta.__class__": (1, "no attributes"),
    "__import__('os')": (12, "no such character"),
    "__import__(os)": (1, "there is no function __import__"),
    "__name__*b": (1, "two underscores"),
    **dict.fromkeys(("b[0]", "b; T", "b\\T", "b@T", "b%T", "b<T", "b:T"), (2, "no such character")),
    "b = T": (3, "the right-hand side alone"),
    "b # T": (3, "no such character"),
    '"b"': (1, "no such character"),
    "{b}": (1, r"Write \( and \)"),
    "lambda*b": (1, "Write lam"),
    **dict.fromkeys(("b if T else eta", "b and T", "b is T", "b in T"), (3, "a reserved word")),
    **dict.fromkeys(("not b", "None*b", "await b"), (1, "a reserved word")),
    "b, T": (1, "one expression"),
    "()": (1, "one expression"),
    "b//2": (1, r"\+ - \* / \*\* alone"),
    "((b)": (1, "never closed"),
    "b)": (2, "closes none"),
    "(b))": (4, "closes none"),
    **dict.fromkeys(("1e999*b", "1e-999*b", "(1e300*1e300)*b"), (1, "1e-308 and 1e308")),
    **dict.fromkeys(("1j*b", "0x10*b", "0b1*b", "1_000*b", "..."), (1, "no number")),
    "sqrt(b, T)": (1, "1 argument"),
    "sqrt()": (1, "1 argument"),
    "max(b)": (1, "2 to 20 arguments"),
    "max(*b, T)": (5, "something on both sides"),
    "sqr(b)": (1, "Write sqrt"),
    "C1(b)": (1, r"C1\*\(\.\.\.\) for a product"),
    "sqrt*b": (1, "is a function"),
    "b + log": (5, "is a function"),
    "\u03b7*b": (1, "Write eta"),
    "b\u00b7T": (2, r"Write \*"),
    "b \u2212 T": (3, "Write -"),
    "+++++b": (1, "a row of signs"),
    "b**1e6": (4, "an exponent lies between"),
    **dict.fromkeys(("b**(10**10)", "10**10**10*b", "2**(1/10**40)*b"), (5, "an exponent lies between")),
    "b/0": (3, "a quotient of nought"),
    "0**-1*b": (1, "a quotient of nought"),
    "(b - b)/T + T/(b - b)": (16, "a quotient of nought"),
    "b*K - T + 0*eta": (1, "terms cancel"),
}


@pytest.mark.parametrize("text", WRONG)
def test_a_mistake_points_at_its_column(text: str) -> None:
    column, words = WRONG[text]
    with pytest.raises(InputError, match=f"^column {column}: .*{words}"):
        parse(text)


def test_a_name_without_a_value_gets_the_nearest_one() -> None:
    with pytest.raises(InputError, match=r"column 4: .*Given: 'etaa'. Write eta"):
        parse("C1*etaa", {"C1": 1.0})
    with pytest.raises(InputError, match=r"Given: 'C2'. Write its value: C2=1.0"):
        parse("C1*eta + C2*b", {"C1": 1.0})
    with pytest.raises(InputError, match=r"no constant of this bound.*Given: 'C3'. Write 'C1'"):
        parse("C1*eta", {"C1": 1.0, "C3": 1.0})


NO_NUMBERS = (float("nan"), float("inf"), "a", None, True)


@pytest.mark.parametrize(
    ("text", "constants", "message"),
    [
        *(("C1*eta", {"C1": value}, "C1") for value in (*NO_NUMBERS, -1.0, 0.0)),
        *(("eta**p", {"p": value}, "the exponent p") for value in (*NO_NUMBERS, "1/0", "9" * 60)),
        *((given, {}, "a bound is text") for given in (None, 3, b"b", ["b"])),
        ("eta*C1**400", {"C1": 1e3}, "coefficient of every term"),
        ("C1*eta", [1.0], "constants are values by name"),
        ("C1 + 2", {"C1": 1.0}, "a bound depends on some of eta"),
    ],
)
def test_what_is_no_text_and_what_no_constant_can_be_is_refused(text: Any, constants: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse(text, constants)


def hostile() -> list[str]:
    """Return texts that are no bound: built to be long, deep, large or to reach something; the last ones at random."""
    found = [
        *("", " ", "\n", "\t\n ", "(" * 10_000, "(" * 10_000 + "b" + ")" * 10_000, "((" * DEEPEST, ")" * 500),
        "(" * (DEEPEST + 1) + "b" + ")" * (DEEPEST + 1),
        *("-" * 3000 + "b", "+b" * 3000, "b**" * 1500, "b**" * 1300 + "b", "sqrt(" * 60 + "b" + ")" * 60),
        *("9" * (LONGEST + 1), "9" * LONGEST, "1e" + "9" * 300, "1/" * 1000 + "0", "b" * (LONGEST + 1)),
        *("10**10**10*b", "2**1000000*b", "b**(9**9**9)", "(b**999)**999", "1e308*1e308*b", "((2**999)**999)*b"),
        *("eval(b)", "exec(b)", "open(b)", "getattr(b, T)", "print(b)", "globals()", "b.__class__.__mro__", "b.real"),
        *("[b for b in T]", "{b: T}", "(lambda: b)()", "(yield b)", "(b := T)", "b if T", "f'{b}'", "b'b'", "*b"),
        *("import os", "os.system(1)", "b\x00", "b\u2028T", "\u202eb", "b\u00a0T", "\U0001d4b7", "b\\\nT", "#b"),
        *("b T", "b+*T", "b***T", "b/*T", "()", "(,)", "b,", ",b", "b()", "max()", "max(b,)", "min(b, T,, eta)"),
        *("~b", "!b", "b!", "b!=T", "b==T", "b>=T", "b|T", "b&T", "b<<2", "b?T:1", "$b", "`b`", "b'", "b->T", "@b"),
    ]  # fmt: skip
    chance = random.Random(2026)
    characters = "bTK()+-*/^.,eE0129_ \"'[]{}=:;@#%&|<>!~\\\u03b7\u221e"
    while len(found) < 400:
        text = list(EQ4)
        for _ in range(chance.randrange(1, 12)):
            place = chance.randrange(len(text))
            text[place : place + chance.randrange(2)] = chance.choice(characters)
        found.append("".join(text))
    return found


def test_hostile_text_is_one_clear_line_quickly_and_nothing_of_it_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("text was run")

    refused = 0
    for text in hostile():
        started = time.process_time()
        with monkeypatch.context() as patched:
            for name in ("eval", "exec", "compile", "open"):
                # Python's own parser is compile with a flag that stops at the tree.
                patched.setattr(builtins, name, only_trees if name == "compile" else never)
            try:
                parse(text, dict.fromkeys(("C1", "C2", "C3"), 1.0))
            except InputError as error:
                refused += 1
                message = str(error)
                assert "\n" not in message, text
                assert 20 < len(message) < 400, text
            except UserWarning:
                pass  # a remark, where a mutation made one: the bound was read
        assert time.process_time() - started < 1.0, text
    assert refused >= 200


COMPILE = compile


def only_trees(source: str, filename: str, mode: str, flags: int, **more: object) -> object:
    import ast

    assert flags & ast.PyCF_ONLY_AST
    return COMPILE(source, filename, mode, flags, **more)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "text", ["C1*b^2", "__import__('os')", "(" * 10_000, "b.real", "etaa*b", "10**10**10*b"], ids=range(6)
)
def test_the_command_line_says_so_in_one_line(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    refused("exponents", capsys, ["--bound", text, "--tune", "b", "--set", "C1=1"], "")


def test_nought_is_0_however_it_is_written() -> None:
    """As a fraction 0e999999999 would take hours."""
    assert parse("1/(eta*T) + eta*b**0e999999999 + 0.0e-999999999*b") == parse("1/(eta*T) + eta*b**0 + 0*b")
