"""Combinations: every one once, in blocks that are chunks of the result's axes."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from hpgrid.sweeps.plan import Plan, parse
from hpgrid.sweeps.store import lay_out

JOINT = {"tuned": ["eta", "b", "alpha"]}


def plan(*lengths: int) -> Plan:
    names = ("C1", "C2", "C3", "E0")
    constants = {name: [float(k + 1) for k in range(n)] for name, n in zip(names, lengths)}
    return parse({"bound": "lmo", "constants": constants, "regime": JOINT})


@given(lengths=st.lists(st.integers(1, 7), min_size=1, max_size=4), block=st.integers(1, 400))
def test_blocks_hold_every_combination_once_and_no_more_than_they_may(lengths: list[int], block: int) -> None:
    found = lay_out(plan(*lengths), block)
    assert math.prod(found.block) <= block
    seen: list[tuple[float, ...]] = []
    for where in found.corners():
        values = found.values(where)
        seen += zip(*values.values())
    assert sorted(seen) == sorted(itertools.product(*([float(k + 1) for k in range(n)] for n in lengths)))


def test_combinations_of_a_block_are_in_row_major_order() -> None:
    found = lay_out(plan(2, 3), 6)
    (where,) = found.corners()
    assert found.values(where)["C1"].tolist() == [1, 1, 1, 2, 2, 2]
    assert found.values(where)["C2"].tolist() == [1, 2, 3, 1, 2, 3]


def test_blocks_take_whole_axes_from_the_last_one_on() -> None:
    assert lay_out(plan(25, 10, 4), 100).block == (2, 10, 4)
    assert lay_out(plan(25, 10, 4), 4).block == (1, 1, 4)
    assert lay_out(plan(25, 10, 4), 3).block == (1, 1, 2)


@given(lengths=st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_the_extremes_are_all_corners_once(lengths: list[int]) -> None:
    found = lay_out(plan(*lengths)).extremes()
    corners = itertools.product(*(sorted({1.0, float(n)}) for n in lengths))
    assert sorted(zip(*found.values())) == sorted(corners)


def test_a_range_is_log_uniform_with_its_ends(tmp_path: object) -> None:
    found = lay_out(parse({"bound": "lmo", "constants": {"C2": {"lo": 1e-3, "hi": 1e3, "n": 7}}, "regime": JOINT}))
    np.testing.assert_allclose(found.columns["C2"], 10.0 ** np.arange(-3, 4), rtol=1e-15)


@pytest.mark.parametrize("block", [1, 2, 5])
def test_rows_are_taken_one_after_the_other(tmp_path, block: int) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "t.csv").write_text("C1,C2\n1,10\n2,20\n3,30\n")
    found = lay_out(parse({"bound": "lmo", "rows": "t.csv", "regime": JOINT}, tmp_path), block)
    rows = [row for where in found.corners() for row in zip(*found.values(where).values())]
    assert rows == [(1, 10), (2, 20), (3, 30)]
    assert found.dims == ("row",)
    assert list(zip(*found.extremes().values())) == [(1, 10), (3, 30)]
