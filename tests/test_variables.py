"""Variables that a bound declares: what is read, what is refused, and that every route takes them by their names."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from scipy.optimize import linprog

from hpgrid import Grid, LogAxis, Proxy, Regime, check, exponents, grid_search, parse, refine, transfer
from hpgrid.config import BoundConfig
from hpgrid.formula.declared import declared
from hpgrid.plotting.style import declaring, short, symbol
from hpgrid.statements.stated import held_at
from hpgrid.tuning.advice import advise
from hpgrid.tuning.problem import tuning_problem
from hpgrid.variables import STANDARD

EQ4 = "C1*b/(eta*T) + C2*sqrt(b)/(alpha*T) + C2*sqrt(alpha/b) + C3*eta + C3*eta/alpha"
ONES = {"C1": 1.0, "C2": 1.0, "C3": 1.0}
RENAMED = {"eta": "step", "b": "batch", "alpha": "mix"}
LOCAL_SGD = "D0/(eta*H*R) + L*eta*s2/n + L**2*eta**2*H**2*z2"
OF_LOCAL_SGD = ["H >= 1, whole", "n >= 1, whole", "R >= 1, budget", "T = n*H*R*b"]


def renamed() -> Proxy:
    text = re.sub(r"\b(eta|b|alpha)\b", lambda name: RENAMED[name[0]], EQ4)
    proxy = parse(text, ONES, variables=["step > 0", "batch >= 1", "0 < mix <= 1", "T = K*batch"])
    assert isinstance(proxy, Proxy)
    return proxy


# --- what is declared ---


def test_ranges_kinds_and_definitions_are_read() -> None:
    space = declared(["H >= 1, whole", "0 < delta <= 1", "2 <= c < 5", "lam", "R >= 1k, budget", "T = 2*H*R*b"])
    assert space.hyperparameters == ("eta", "b", "alpha", "H", "delta", "c", "lam")
    assert space.budget_names == ("R", "T")
    assert [space.all[v].rule for v in ("H", "delta", "c", "lam", "R")] == [
        "H >= 1", "0 < delta <= 1", "2 <= c < 5", "lam > 0", "R >= 1000",
    ]  # fmt: skip
    assert (space.all["H"].whole, space.all["delta"].whole) == (True, False)
    (relation,) = space.relations
    assert (relation.name, relation.other, relation.names) == ("T", "R", ("H", "b"))


def test_a_table_of_a_file_says_the_same_and_more() -> None:
    table = {
        "H": {"range": "H >= 1", "whole": True, "words": "local steps"},
        "mix": {"range": "0 < mix <= 1", "complement": "keep", "symbol": "m"},
        "R": {"range": ">= 1", "budget": True},
        "T": {"is": "H*R*b"},
    }
    space = declared(table)
    assert space.all["H"] == declared(["H >= 1, whole"]).all["H"].__class__("H", 1.0, whole=True, words="local steps")
    assert space.complements["keep"] == "mix"
    assert space.relations == declared(["H >= 1", "R >= 1, budget", "T = H*R*b"]).relations


def test_the_standard_variables_are_those_that_are_declared_by_default() -> None:
    assert declared([]) == STANDARD
    assert declared(["b >= 32"]).all["b"].low == 32
    assert declared(["b >= 32"]).relations == STANDARD.relations


@pytest.mark.parametrize(("given", "words"), [
    (["H >= 1", "H >= 2"], "a variable is declared once. Given: 'H'"),
    (["H"] * 2, "a variable is declared once. Given: 'H'"),
    (["5 <= H <= 2"], "its smaller end first. Given: '5 <= H <= 2'"),
    (["H > -1"], "the range of H lies above nought"),
    (["H >= x"], "the ends of a variable's range are numbers. Given: 'H >= x'"),
    (["H ~ 1"], "declared by its range, or by what it is. Given: 'H ~ 1'"),
    (["1 > H > 0"], "declared by its range, or by what it is"),
    (["H >= 1, wide"], "no kind of variable of that name. Given: 'wide'"),
    (["R >= 1, budget", "R = T*2", "T = R*b"], "definitions do not go round in a circle"),
    (["H >= 1", "R >= 1, budget", "R = C*2", "C = R*H"], "'R = C*2, C = R*H'. Write these without C = R*H"),
    (["T = T*2"], "definitions do not go round in a circle"),
    (["T = n*H"], "the budget T is one other budget times something. Given: 'T = n*H'"),
    (["W = K + T"], "the budget W is one other budget times something"),
    (["W = K*log(b)"], "the budget W is another one times a sum of powers"),
    (["beta > 0"], "a name means one thing. Given: 'beta'"),
    ([3], "declared by its range, or by what it is. Given: 3"),
    ({"H": {"rnage": "H >= 1"}}, "no key of the variable H of that name. Given: 'rnage'"),
    ({"H": "G >= 1"}, "the range of H is one of H"),
    ({"H": {"range": "H >= 1", "whole": "yes"}}, "whole is true or false"),
])  # fmt: skip
def test_a_declaration_that_says_nothing_is_refused(given: Any, words: str) -> None:
    with pytest.raises(ValueError, match=r"Given: .* Write ") as refusal:
        declared(given)
    assert words in str(refusal.value)


def test_what_a_bound_lacks_or_no_relation_joins_is_refused() -> None:
    proxy = parse("1/(eta*R) + eta*H", variables=["H >= 1", "R >= 1, budget"])
    for call, words in (
        (lambda: parse("1/(eta*R) + eta*G", variables=["H >= 1", "R >= 1, budget"]), "is a constant and needs a value"),
        (lambda: proxy.form("T"), "two budgets take a relation between them, and R and T have none"),
        (lambda: parse("1/(eta*R) + eta*T", variables=["R >= 1, budget"]), "T and R have none"),
        (lambda: refine(proxy, ("eta",), fixed={"H": 0.5}, R=1e6), "H must be a finite number with H >= 1"),
        (lambda: refine(proxy, ("eta", "h"), R=1e6), "no tuned axis of that name. Given: 'h'"),
        (lambda: refine(proxy, ("eta",), fixed={"H": 2.0}, S=1e6), "a refinement has budgets in R or in T or in K"),
        (
            lambda: transfer({"eta": 1e-3, "H": 4.0, "R": 1e8}, {"T": 1e10}, bound=proxy),
            "there is no name in where a transfer goes of that name. Given: 'T'",
        ),
        (
            lambda: parse("1/(eta*R) + eta*H", variables=["H >= 4", "R >= 1, budget"], domain=["H <= 2"]),
            "H >= 4, so that",
        ),
    ):
        with pytest.raises(ValueError, match="Given: ") as refusal:
            call()
        assert words in str(refusal.value)


# --- every route takes them ---


def test_eq_4_renamed_has_the_same_bits() -> None:
    own, new, grid = parse(EQ4, ONES), renamed(), Grid.footnote(25)
    there = Grid(new.space, step=grid.eta, batch=grid.b, mix=grid.alpha, T=grid.T)
    for over in (("eta",), ("eta", "b"), ("eta", "b", "alpha")):
        one, other = grid_search(own, grid, over), grid_search(new, there, [RENAMED[v] for v in over])
        np.testing.assert_array_equal(one.risk, other.risk)
        assert one.cells_below_one_K == other.cells_below_one_K
        np.testing.assert_array_equal(one.below_one_K, other.below_one_K)
        for v in over:
            np.testing.assert_array_equal(one.index[v], other.index[RENAMED[v]])
            np.testing.assert_array_equal(one.edge[v], other.edge[RENAMED[v]])
    budgets = np.geomspace(1e4, 1e30, 9)
    one, other = refine(own, tuple(RENAMED), T=budgets, min_K=1.0), refine(new, RENAMED.values(), T=budgets, min_K=1.0)
    np.testing.assert_array_equal(one.risk, other.risk)
    for v in RENAMED:
        np.testing.assert_array_equal(one.at[v], other.at[RENAMED[v]])
    law, same = exponents(own, tuple(RENAMED), min_K=1.0), exponents(new, tuple(RENAMED.values()), min_K=1.0)
    assert {RENAMED.get(v, v): x for v, x in law.exponent.items()} == same.exponent
    assert [m.exponent for m in law.identifiable] == [m.exponent for m in same.identifiable]


def test_a_path_and_a_cap_are_those_of_their_names() -> None:
    own, new = parse(EQ4, ONES), renamed()
    roles: dict[str, Any] = {"path": {"b": Fraction(1, 2)}, "caps": {"alpha": 0.1}}
    moved = {role: {RENAMED[v]: x for v, x in values.items()} for role, values in roles.items()}
    one = exponents(own, ("eta", "alpha"), **roles)
    assert one.exponent["eta"] == exponents(new, ("step", "mix"), **moved).exponent["step"]
    with pytest.raises(ValueError, match="batch leaves its range along this path"):
        Regime(("step",), path={"batch": Fraction(-1, 2)}, space=new.space)


def test_a_budget_follows_from_another_by_its_definition() -> None:
    """T = n H R b: at fixed n, H and b the laws in T and in R are one another's, and values move by the factor."""
    proxy = parse(LOCAL_SGD, {"D0": 1.0, "L": 2.0, "s2": 1.0, "z2": 1.0}, variables=OF_LOCAL_SGD)
    at = {"eta": 0.01, "n": 8.0, "H": 4.0, "b": 2.0}
    assert proxy.form("T").risk(**at, T=8 * 4 * 2 * 1e3) == pytest.approx(float(proxy.risk(**at, R=1e3)), rel=1e-15)
    assert proxy.form("T").form("R").risk(**at, R=1e3) == proxy.risk(**at, R=1e3)
    fixed = {"n": 8.0, "H": 4.0}
    # eta* = (D0 n/(H L s2 R))^(1/2)
    assert refine(proxy, ("eta",), fixed=fixed, R=1e30).at["eta"] == pytest.approx(
        (8 / (4 * 2 * 1e30)) ** 0.5, rel=1e-12
    )
    law = exponents(proxy, ("eta",), fixed={**fixed, "b": 2.0}, budget="T")
    assert law.exponent["eta"] == Fraction(-1, 2)
    grid = grid_search(proxy, Grid(proxy.space, eta=LogAxis(1e-6, 1, 61), H=LogAxis(1, 64, 7), R=LogAxis(1e2, 1e8, 7)),
                       ("eta", "H"), fixed={"n": 8.0})  # fmt: skip
    assert set(np.unique(grid.at["H"])) <= set(range(1, 65))


def test_wall_clock_with_a_cost_a_step_is_a_budget() -> None:
    """W = K (c0 + c1 b): with large batches the cost of a token alone counts, and b* ~ W^(1/2) as in tokens."""
    costs = {**ONES, "c0": 1.0, "c1": 1e-3}
    proxy = parse("C1/(eta*K) + C2/sqrt(b) + C3*eta", costs, variables=["W >= 1", "W = K*(c0 + c1*b)"])
    seconds = proxy.form("W")
    W, b = 1e9, 300.0
    own = proxy.risk(eta=1e-3, b=b, K=W / (1.0 + 1e-3 * b))
    assert seconds.risk(eta=1e-3, b=b, W=W) == pytest.approx(float(own), rel=1e-14)
    law = exponents(proxy, ("eta", "b"), budget="W")
    assert (law.exponent["b"], law.exponent["eta"]) == (Fraction(1, 2), Fraction(-1, 4))
    # b* = C2 W^1/2/(2 (C1 C3 c1)^1/2), exact where c0 is nothing to c1 b.
    assert refine(proxy, ("eta", "b"), W=1e40).at["b"] == pytest.approx(0.5 * (1e40 / 1e-3) ** 0.5, rel=1e-9)
    with pytest.raises(ValueError, match="is a sum, so that whole powers of it alone can be multiplied out"):
        parse("C1/(eta*sqrt(K)) + eta", {"C1": 1.0, "c0": 1.0, "c1": 1.0}, variables=["W = K*(c0 + c1*b)"]).form("W")


# --- many variables ---


def random_bound(rng: np.random.Generator, n: int) -> tuple[Proxy, tuple[str, ...], np.ndarray]:
    """A sum of n + 3 products of powers of n variables that has a minimum, and the rows of their exponents and T's."""
    names = tuple(f"x{k}" for k in range(n))
    while True:
        rows = rng.integers(-3, 4, (n + 3, n)) / rng.integers(1, 3, (n + 3, 1))
        # The optimum exists where 0 is inside the rows' hull: positive weights that make them cancel.
        best = linprog(
            np.zeros(n + 3), A_eq=np.vstack([rows.T, np.ones(n + 3)]), b_eq=[0.0] * n + [1.0], bounds=(0.02, 1)
        )
        if best.status == 0 and np.linalg.matrix_rank(rows) == n:
            break
    shifts = [Fraction(int(s), 4) for s in rng.integers(-6, 3, n + 3)]
    terms = (
        "*".join(
            [f"c{j}", *(f"{v}**({Fraction(x).limit_denominator(6)})" for v, x in zip(names, row) if x), f"T**({s})"]
        )
        for j, (row, s) in enumerate(zip(rows, shifts))
    )
    constants = {f"c{j}": float(x) for j, x in enumerate(np.exp(rng.uniform(-2, 2, n + 3)))}
    proxy = parse(" + ".join(terms), constants, variables=[f"{v} > 0" for v in names])
    assert isinstance(proxy, Proxy)
    return proxy, names, np.array([*rows.T, [float(s) for s in shifts]]).T


def newton_in_60_digits(proxy: Proxy, rows: np.ndarray, T: float, start: np.ndarray) -> tuple[Any, Any]:
    """The log of the least risk, and where it is, by Newton's method on the log of the sum: no code of hpgrid."""
    n = rows.shape[1] - 1
    with mpmath.workdps(60):
        logs = [mpmath.log(proxy.constants[f"c{j}"]) + row[n] * mpmath.log(T) for j, row in enumerate(rows.tolist())]
        z = mpmath.matrix([mpmath.mpf(float(x)) for x in start])
        for _ in range(30):
            sizes = [mpmath.exp(c + sum(row[i] * z[i] for i in range(n))) for c, row in zip(logs, rows.tolist())]
            total = mpmath.fsum(sizes)
            w = [s / total for s in sizes]
            gradient = mpmath.matrix([mpmath.fsum(p * row[i] for p, row in zip(w, rows.tolist())) for i in range(n)])
            hessian = mpmath.matrix(n, n)
            for i in range(n):
                for k in range(n):
                    second = mpmath.fsum(p * row[i] * row[k] for p, row in zip(w, rows.tolist()))
                    hessian[i, k] = second - gradient[i] * gradient[k]
            z = z - mpmath.lu_solve(hessian, gradient)
        return mpmath.log(total), z


@pytest.mark.parametrize("n", [4, *(pytest.param(n, marks=pytest.mark.thorough) for n in (5, 6, 7, 8))])
def test_bounds_of_many_variables_have_the_optimum_of_newton_and_the_exponents_of_a_linear_program(n: int) -> None:
    proxy, names, rows = random_bound(np.random.default_rng(n), n)
    found = refine(proxy, names, T=1e3)
    assert found.converged
    log_risk, z = newton_in_60_digits(proxy, rows, 1e3, np.log([float(found.at[v]) for v in names]))
    # Rounding of the log coefficients and of a sum of eleven terms is some 1e-15; the bound asked for is 1e-10.
    assert float(found.log_risk) == pytest.approx(float(log_risk), abs=1e-12)
    assert [float(np.log(found.at[v])) for v in names] == pytest.approx([float(x) for x in z], abs=1e-10)
    # min over q of the largest exponent of a term along x = T^q.
    A = np.hstack([rows[:, :n], -np.ones((len(rows), 1))])
    program = linprog([0.0] * n + [1.0], A_ub=A, b_ub=-rows[:, n], bounds=(None, None))
    exact = exponents(proxy, names).exponent
    assert float(exact["risk"]) == pytest.approx(program.fun, abs=1e-9)
    # Its point is feasible there, in fractions: no exponent of a term is above.
    terms = [[Fraction(x).limit_denominator(6) for x in row] for row in rows.tolist()]
    assert max(sum((p * exact[v] for p, v in zip(row, names)), row[n]) for row in terms) == exact["risk"]


# --- what is said of them ---


def test_advice_says_what_rounding_costs_and_what_else_a_run_takes() -> None:
    """C1/(n R) + n is least at n = (C1/R)^(1/2) = 7.6; at n = 8 it is 7.22 + 8 of 15.2. Tokens are n R 4."""
    proxy = parse("C1/(n*R) + n", {"C1": 57.76}, variables=["n >= 1, whole", "R >= 1, budget", "T = 4*n*R"])
    grid = Grid(proxy.space, n=LogAxis(1, 64, 7), R=LogAxis(1, 100, 5))
    advice = advise(tuning_problem(proxy, grid, Regime(("n",), space=proxy.space)), 1.0)
    assert advice.point.set["n"] == pytest.approx(7.6, rel=1e-9)
    assert advice.whole == {"n": 8.0}
    assert advice.whole_cost == pytest.approx(15.22 / 15.2 - 1, rel=1e-6)
    assert advice.point.also == pytest.approx({"T": 30.4})
    assert "in whole numbers n = 8, which costs 0.13%" in advice.text().replace("\n   ", " ")


@pytest.mark.parametrize(("cap", "value"), [(np.inf, 1072.0), (64.0, 8.0), (2000.0, 1072.0)])
def test_what_nobody_gives_a_value_is_held_below_its_cap(cap: float, value: float) -> None:
    assert held_at(declared(["H >= 1, whole"]), "H", cap) == value


def test_a_claim_may_be_of_a_budget_that_follows_from_another() -> None:
    """All three terms fall as C^-1/7, so that K ~ C^2/7, N ~ C^3/7, and T = C/(6 N) ~ C^4/7."""
    split = parse("N**(-1/3) + b**(-1/2) + K**(-1/2)", variables=["N >= 1", "C = 6*N*b*K"]).form("C")
    assert [each.verdict for each in check(split, ["T ~ C^4/7", "K ~ C^2/7", "K ~ C^3/7"])] == [
        "holds", "holds", "fails",
    ]  # fmt: skip


def test_pictures_have_declared_words_and_symbols() -> None:
    table = {"H": {"range": ">= 1", "symbol": "h", "words": "local steps"}, "R": {"range": ">= 1", "budget": True}}
    with declaring(declared(table)):
        assert (symbol("H"), short("H"), symbol("R")) == ("local steps $h$", "h", "$R$")
        assert symbol("eta") == r"learning rate $\eta$"
    assert symbol("H") == "$H$"


def test_a_bound_in_iterations_alone_is_asked_about_them() -> None:
    assert BoundConfig(formula="1/(eta*K) + eta").budget == "K"
    assert BoundConfig(formula="1/(eta*K) + eta/b").budget == "T"
