"""Tables 2 and 3 as printed: against each other and against the theorems."""

from __future__ import annotations

import pytest

from hpgrid.theory import printed, theorems


def test_table_2_is_the_theorems() -> None:
    table = printed.TABLE_2
    assert table["B"] == {x: theorems.THEOREM_2[x] for x in ("alpha", "eta")}
    assert table["C"] == {x: theorems.THEOREM_1[x] for x in ("b", "eta")}
    moved = printed.rule("D", {"b": 2.0, "alpha": 0.1, "eta": 0.3}, 10.0**12)
    assert moved == pytest.approx({"b": 200.0, "alpha": 1e-5, "eta": 3e-8})
    assert printed.rule("A", {"eta": 0.3, "b": 7.0}, 100.0) == pytest.approx({"eta": 0.03, "b": 7.0})


def test_table_3_is_table_2_where_the_batch_size_stays_and_theorem_1_or_2_where_it_does_not() -> None:
    short, long = printed.Run(1e9, 64.0), printed.Run(1e11, 64.0)
    start = {"eta": 0.3, "alpha": 0.1}
    assert printed.fixed_momentum(0.3, short, long) == pytest.approx(printed.rule("A", start, 100.0)["eta"])
    assert printed.tuned_momentum(start, short, long) == pytest.approx(printed.rule("B", start, 100.0))
    larger = printed.Run(1e11, 256.0)
    assert printed.fixed_momentum(0.3, short, larger) == pytest.approx(0.3 * 2 / 10)
    assert printed.sgd(0.3, short, larger) == pytest.approx(0.3 * 4 / 10)
    tuned = printed.tuned_momentum(start, short, larger)
    assert tuned == pytest.approx({"alpha": 0.1 * 4 / 10, "eta": 0.3 * 4 / 1000**0.5})


def test_table_3s_invariant_gives_the_first_row_and_not_the_others() -> None:
    short, long = printed.Run(1e9, 64.0), printed.Run(1e11, 256.0)
    c = printed.printed_invariant(0.3, short)
    assert printed.fixed_momentum_from_invariant(c, long) == pytest.approx(printed.fixed_momentum(0.3, short, long))
    assert printed.from_invariant(c, long) == pytest.approx(8.0 * printed.sgd(0.3, short, long))
