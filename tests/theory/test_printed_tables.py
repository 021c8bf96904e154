"""Tables 2 and 3 as printed: against each other and against the theorems."""

from __future__ import annotations

import pytest

from hpgrid.theory import theorems, transfer


def test_table_2_is_the_theorems() -> None:
    table = transfer.TABLE_2
    assert table["B"] == {x: theorems.THEOREM_2[x] for x in ("alpha", "eta")}
    assert table["C"] == {x: theorems.THEOREM_1[x] for x in ("b", "eta")}
    moved = transfer.rule("D", {"b": 2.0, "alpha": 0.1, "eta": 0.3}, 10.0**12)
    assert moved == pytest.approx({"b": 200.0, "alpha": 1e-5, "eta": 3e-8})
    assert transfer.rule("A", {"eta": 0.3, "b": 7.0}, 100.0) == pytest.approx({"eta": 0.03, "b": 7.0})


def test_table_3_is_table_2_where_the_batch_size_stays_and_theorem_1_or_2_where_it_does_not() -> None:
    short, long = transfer.Run(1e9, 64.0), transfer.Run(1e11, 64.0)
    start = {"eta": 0.3, "alpha": 0.1}
    assert transfer.fixed_momentum(0.3, short, long) == pytest.approx(transfer.rule("A", start, 100.0)["eta"])
    assert transfer.tuned_momentum(start, short, long) == pytest.approx(transfer.rule("B", start, 100.0))
    larger = transfer.Run(1e11, 256.0)
    assert transfer.fixed_momentum(0.3, short, larger) == pytest.approx(0.3 * 2 / 10)
    assert transfer.sgd(0.3, short, larger) == pytest.approx(0.3 * 4 / 10)
    assert transfer.tuned_momentum(start, short, larger) == pytest.approx(
        {"alpha": 0.1 * 4 / 10, "eta": 0.3 * 4 / 1000**0.5}
    )


def test_table_3s_invariant_gives_the_first_row_and_not_the_others() -> None:
    short, long = transfer.Run(1e9, 64.0), transfer.Run(1e11, 256.0)
    c = transfer.printed_invariant(0.3, short)
    assert transfer.fixed_momentum_from_invariant(c, long) == pytest.approx(transfer.fixed_momentum(0.3, short, long))
    assert transfer.from_invariant(c, long) == pytest.approx(8.0 * transfer.sgd(0.3, short, long))
