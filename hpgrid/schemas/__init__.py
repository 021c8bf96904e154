"""JSON Schemas of what ``--json`` gives: a file a command, whose version is in what the key ``schema`` must be.

What an answer says is closed: a key more, or one less, is another version.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def commands() -> list[str]:
    """Return the commands that have a schema, by their names."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def schema(command: str) -> dict[str, Any]:
    """Return the JSON Schema, draft 2020-12, of what a command gives as JSON, with all that it refers to."""
    found: dict[str, Any] = json.loads((FOLDER / f"{command}.json").read_text(encoding="utf-8"))
    for each in [*found.get("$defs", {}).values()]:
        file, _, _ = each.get("$ref", "#").partition("#")
        found["$defs"] |= schema(Path(file).stem)["$defs"] if file else {}
    return found


def stamped(command: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a command gives as JSON under the name and version of its schema."""
    return {"schema": schema(command)["properties"]["schema"]["const"], **data}
