"""A few of the cases that ``scripts/fuzz.py`` draws by the thousand."""

from __future__ import annotations

import pytest
from fuzz import case


@pytest.mark.parametrize("number", range(30))
def test_what_is_malformed_is_answered_or_refused_in_one_line(number: int) -> None:
    kind, fault = case(2026, number)
    assert fault is None, f"{kind}: {fault}"
