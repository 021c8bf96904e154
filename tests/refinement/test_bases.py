"""Every basis of a posynomial's rows, exactly, and the layers that never load jax."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from itertools import combinations, permutations

import numpy as np
import pytest

from hpgrid.checks import InputError
from hpgrid.refinement import bases as module
from hpgrid.refinement.bases import MOST_ROWS, all_bases, coordinates

#: Two rows that depend on each other, one on two others, a unit row, and thirds.
ROWS = tuple(
    tuple(Fraction(x) for x in row)
    for row in [("-1", "1", "0"), ("-2", "2", "0"), ("1/3", "0", "-1/2"), ("-2/3", "1", "-1/2"), ("0", "0", "1")]
)

COUNT = len(ROWS) + 3
EVERY = np.vstack([np.array(ROWS, float), np.eye(3)])


def test_in_each_basis_the_rows_are_what_they_were() -> None:
    bases = all_bases(ROWS)
    independent = 0
    for chosen in combinations(range(COUNT), 3):
        s = bases.place.reshape(COUNT, COUNT, COUNT)[chosen]
        if np.linalg.matrix_rank(EVERY[list(chosen)]) < 3:
            continue
        independent += 1
        np.testing.assert_allclose(bases.terms[..., s] @ EVERY[list(chosen)], np.array(ROWS, float), atol=1e-14)
        np.testing.assert_allclose(bases.variables[..., s] @ EVERY[list(chosen)], np.eye(3), atol=1e-14)
        assert bases.unit[:, s].tolist() == [r - len(ROWS) if r >= len(ROWS) else -1 for r in chosen]
        for order in permutations(chosen):
            assert bases.place.reshape(COUNT, COUNT, COUNT)[order] == s
    assert independent > 30


def test_a_term_that_is_a_product_of_others_has_exact_noughts() -> None:
    """Row 3 is row 0 + row 2: in their coordinates and any third one, its entry there is 0.0 and not 1e-17."""
    bases = all_bases(ROWS)
    for third in (4, 5, 6, 7):
        s = bases.place.reshape(COUNT, COUNT, COUNT)[0, 2, third]
        assert bases.terms[3, :, s].tolist() == [1.0, 1.0, 0.0]
        assert bases.terms[1, :, s].tolist() == [2.0, 0.0, 0.0]


def test_the_spans_hold_what_depends_on_independent_rows() -> None:
    spans = all_bases(ROWS).spans
    assert [span.shape for span in spans] == [(COUNT, COUNT**k) for k in range(3)]
    for k in range(3):
        for chosen in permutations(range(COUNT), k):
            given = EVERY[list(chosen)].reshape(k, 3)
            found = spans[k].reshape((COUNT,) * (k + 1))[:, *chosen]
            rank = np.linalg.matrix_rank(given) if k else 0
            if rank < k:
                continue  # what is no part of a basis is never asked for
            depends = [np.linalg.matrix_rank(np.vstack([given, row])) == rank for row in EVERY]
            assert [bool(x) for x in found] == depends


@pytest.mark.parametrize("tabled", [True, False], ids=["from tables", "by elimination"])
def test_a_basis_is_of_the_first_independent_rows_in_each_problems_order(
    tabled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of rows that come at once, the first is the one with the smaller number."""
    monkeypatch.setattr(module, "_TABLED", 3 if tabled else 2)
    tables = all_bases.__wrapped__(ROWS)
    order = np.random.default_rng(0).integers(0, 12, (COUNT, 200)).astype(np.float32)
    terms, variables, unit = coordinates(tables, order)
    for p in range(200):
        chosen: list[int] = []
        for r in np.argsort(order[:, p], kind="stable").tolist():
            if np.linalg.matrix_rank(EVERY[[*chosen, r]]) == len(chosen) + 1:
                chosen.append(r)
        assert sorted(unit[:, p]) == sorted(r - len(ROWS) if r >= len(ROWS) else -1 for r in chosen)
        basis = EVERY[sorted(chosen) if tabled else chosen]
        np.testing.assert_allclose(terms[..., p] @ basis, np.array(ROWS, float), atol=1e-13)
        np.testing.assert_allclose(variables[..., p] @ basis, np.eye(3), atol=1e-13)


def test_too_many_terms_are_refused() -> None:
    rows = tuple((Fraction(j),) for j in range(MOST_ROWS))
    with pytest.raises(InputError, match="at most 61 terms"):
        all_bases(rows)


def test_posing_a_problem_loads_no_jax() -> None:
    code = (
        "import sys\n"
        "import hpgrid.refinement, hpgrid.refinement.bases\n"
        "from hpgrid import bounds\n"
        "from hpgrid.refinement.optimum import posed\n"
        "from hpgrid.refinement.problem import powers\n"
        "hpgrid.refinement.bases.all_bases(powers(posed(bounds.lmo(), ('eta', 'b', 'alpha'), T=1e10))[0])\n"
        "print(*{'jax', 'jaxlib', 'scipy'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == []
