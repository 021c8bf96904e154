"""What the README and the pages beside it show is what comes of it: commands with what they print, and Python."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from commands import Capture, printed

ROOT = Path(__file__).resolve().parent.parent
PAGES = "\n".join(
    (ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "docs/fit.md", "docs/own_variables.md")
)

#: A command, and what is printed up to the next one: lines that are left out are [...].
SHOWN = re.findall(r"^\$ hpgrid (.+)\n((?:(?!\$ |```).*\n)*)", PAGES, re.M)


@pytest.mark.parametrize(("command", "lines"), SHOWN, ids=[command.split()[0] for command, _ in SHOWN])
def test_a_command_of_a_page_prints_what_it_shows(
    command: str, lines: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    name, *arguments = shlex.split(command, comments=True)
    answer = [line.rstrip() for line in printed(name, capsys, *arguments).splitlines()]
    shown = [line.rstrip() for line in lines.splitlines() if line.strip() not in ("", "[...]")]
    places = [answer.index(line) for line in shown]
    assert places == sorted(places)


def test_there_are_commands_to_look_at() -> None:
    assert {command.split()[0] for command, _ in SHOWN} == {"exponents", "search", "check", "transfer", "fit"}
    assert sum(command.startswith("fit ") for command, _ in SHOWN) >= 6


@pytest.mark.parametrize("page", ["README.md", "docs/python.md"])
def test_the_python_of_a_page_runs_as_it_is_printed(page: str) -> None:
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.S):
        exec(block, names)
    assert len(names["best"].at["b"]) == len(names["exact"].at["b"]) == 100
    # Theorem 1: b ~ T^(1/2) where momentum is held; all three tuned: T^(1/6).
    assert str(names["law"].exponent["b"]) == {"README.md": "1/2"}.get(page, "1/6")
