"""A small sweep: two regimes, six combinations, three blocks."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

TOML = """
bound = "lmo"
[constants]
C1 = 2.0
C2 = [0.1, 1.0, 30.0]
C3 = [0.5, 4.0]
[grid]
n = 12
[[regime]]
name = "joint"
tuned = ["eta", "b", "alpha"]
[[regime]]
name = "held"
tuned = ["eta", "b"]
fixed = { alpha = 1e-3 }
"""

SMALL: dict[str, Any] = tomllib.loads(TOML)


def contents(store: Path) -> dict[str, bytes]:
    """Every file of a store but those that say when, and who writes."""
    files = [path for path in store.rglob("*") if path.is_file() and not path.name.startswith(".")]
    return {str(path.relative_to(store)): path.read_bytes() for path in files if path != store / "zarr.json"}
