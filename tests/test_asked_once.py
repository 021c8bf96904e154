"""What a person gives is asked once: where it comes in, and nowhere on its way to the kernel."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
from commands import status

from hpgrid.checks import check_constants
from hpgrid.refinement.optimum import posed
from hpgrid.refinement.problem import check_arrays
from hpgrid.regime import Regime
from hpgrid.search.many import _columns

#: What asks: about names and values of roles, about their bound, about constants one by one and in arrays.
ASKING = {Regime.__post_init__, Regime.settled, posed, check_constants, check_arrays, _columns}

#: A regime is made and settled once, and what takes arrays from a person isn't called.
ONCE = Counter({"__post_init__": 1, "settled": 1})


def asked(run: Callable[[], Any]) -> tuple[Counter[str], Counter[tuple[str, float]]]:
    """How often each of ``ASKING`` is called, and about each value of a constant."""
    names: dict[CodeType, str] = {function.__code__: function.__name__ for function in ASKING}
    calls, constants = Counter(), Counter()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code in names:
            calls[names[frame.f_code]] += 1
            if frame.f_code is check_constants.__code__:
                constants.update(frame.f_locals["constants"].items())

    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(None)
    return calls, constants


@pytest.mark.parametrize("question", ["", "--T 1e10", "--risk 0.05", "--risk 0.05 --max-K 1e5"])
def test_over_is_asked_once(question: str) -> None:
    """Is each a hyperparameter, and has everything a role: by the grid, by refinement and by the exact law no more."""
    arguments = f"lmo --over eta,b --fix beta=0.999 --n 12 {question}".split()
    calls, _ = asked(lambda: status("search", *arguments))
    assert calls - Counter({"check_constants": 9}) == ONCE


def test_a_sweeps_constants_are_asked_once(tmp_path: Path) -> None:
    """C2 is positive and finite: by the search, by refinement and by the bound no more; it is built with 1 in place."""
    sweep = """
        bound = "lmo"
        constants = { C1 = 2.0, C2 = { lo = 0.25, hi = 4.0, n = 2 }, C3 = [0.5, 3.0] }
        regime = { tuned = ["eta", "b"], fixed = { alpha = 0.1 } }
        grid = { n = 12 }
    """
    (tmp_path / "sweep.toml").write_text(sweep)
    calls, constants = asked(lambda: status("sweep", str(tmp_path / "sweep.toml"), "--out", str(tmp_path / "s.zarr")))
    assert calls - Counter({"check_constants": 99}) == ONCE
    swept = {("C2", 0.25): 1, ("C2", 4.0): 1, ("C3", 0.5): 1, ("C3", 3.0): 1}
    assert {key: times for key, times in constants.items() if key[0] != "C1" and key[1] != 1.0} == swept
