"""The JSON contract: what commands said once, key by key, they say."""

from __future__ import annotations

import json
from pathlib import Path

import golden
import pytest

ROOT = Path(__file__).parent.parent

#: A refined log is sure to 1e-9; what is below is rounding, of differences of such numbers among it.
TOLERANCE = 1e-8


@pytest.mark.parametrize("name", golden.CONTRACT)
def test_a_command_says_what_it_said(name: str) -> None:
    status, _, text = golden.answer(golden.CONTRACT[name]).partition("\n")
    assert status == "status 0"
    if name == "latex":
        assert text == (ROOT / "tests" / "golden" / "latex.tex").read_text()
        return
    kept = json.loads((ROOT / "tests" / "golden" / f"{name}.json").read_text())
    assert golden.differences(kept, golden.plain(json.loads(text)), tolerance=TOLERANCE) == []


def test_a_difference_is_seen() -> None:
    kept = {"a": [1.0, {"name": "b", "value": "holds"}], "seconds": 1.0}
    assert golden.differences(kept, {"a": [1.0 + 1e-9, {"name": "b", "value": "holds"}]}, tolerance=TOLERANCE) == [
        "/seconds: only in the old"
    ]
    changed = golden.differences(kept, {"a": [1.1, {"name": "b", "value": "fails"}], "seconds": 1.0})
    assert [line.split(":")[0] for line in changed] == ["/a/0", "/a/b/value"]
