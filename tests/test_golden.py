"""The JSON contract: what commands said once, key by key, they say."""

from __future__ import annotations

import json
from pathlib import Path

import golden
import pytest

ROOT = Path(__file__).parent.parent

#: From one processor to another the last bits differ. A minimiser is flat to the root of rounding, 1.5e-8 in its log; a
#: tolerance of 1e-9 is itself a difference of such logs, and what samples leave of an exact 0 is rounding alone.
TOLERANCE = {"share": 1e-7, "least": 1e-12}

#: Newton-Schulz in float32, too, is said: five steps whose polynomials multiply the rounding of 6e-8.
SINGLE = {"smoothness": {"share": 1e-5, "least": 1e-12}}


@pytest.mark.parametrize("name", golden.CONTRACT)
def test_a_command_says_what_it_said(name: str) -> None:
    status, _, text = golden.answer(golden.CONTRACT[name]).partition("\n")
    assert status == "status 0"
    if name == "latex":
        assert text == (ROOT / "tests" / "golden" / "latex.tex").read_text()
        return
    kept = json.loads((ROOT / "tests" / "golden" / f"{name}.json").read_text())
    assert golden.differences(kept, golden.plain(json.loads(text)), **SINGLE.get(name, TOLERANCE)) == []


def test_a_difference_is_seen() -> None:
    kept = {"a": [1.0, {"name": "b", "value": "holds"}], "seconds": 1.0}
    assert golden.differences(kept, {"a": [1.0 + 1e-9, {"name": "b", "value": "holds"}]}, **TOLERANCE) == [
        "/seconds: only in the old"
    ]
    changed = golden.differences(kept, {"a": [1.1, {"name": "b", "value": "fails"}], "seconds": 1.0})
    assert [line.split(":")[0] for line in changed] == ["/a/0", "/a/b/value"]
