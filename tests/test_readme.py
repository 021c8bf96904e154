"""What the README and the pages beside it show is what comes of it: commands with what they print, and Python."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import docs_outputs
import pytest
from commands import Capture, status

from hpgrid.cli import app

ROOT = Path(__file__).resolve().parent.parent
PAGES = "\n".join(page.read_text(encoding="utf-8") for page in docs_outputs.pages())

#: A command and the lines shown of it, once where several pages have the same.
SHOWN = sorted(set(docs_outputs.SHOWN.findall(PAGES)))

#: A command in a block, whether or not what it prints is shown.
BLOCKS = "\n".join(re.findall(r"^```(?:bash)?\n(.*?)^```", PAGES, re.M | re.S))
TYPED = sorted(set(re.findall(r"^(?:\$ )?hpgrid (.+)$", BLOCKS, re.M)))


@pytest.mark.parametrize(("command", "lines"), SHOWN, ids=[command.split()[0] for command, _ in SHOWN])
def test_a_command_of_a_page_prints_what_it_shows(
    command: str, lines: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COLUMNS", str(docs_outputs.COLUMNS))
    docs_outputs.work_in(tmp_path)
    monkeypatch.chdir(tmp_path)
    name, *arguments = shlex.split(command, comments=True)
    assert status(name, *arguments) == 0
    answer = [line.rstrip() for line in capsys.readouterr().out.splitlines() if line.strip()]
    cut = False
    for line in filter(None, (line.rstrip() for line in lines.splitlines())):
        if line.strip() == docs_outputs.CUT:
            cut = True
        else:  # what comes next, or after lines that are left out
            place = answer.index(line)
            assert cut or place == 0
            answer, cut = answer[place + 1 :], False
    assert cut or not answer


def test_there_are_commands_to_look_at() -> None:
    names = {"exponents", "search", "check", "transfer", "fit", "bounds", "critical-batch", "verify"}
    assert names <= {command.split()[0] for command, _ in SHOWN}
    assert sum(command.startswith("fit ") for command, _ in SHOWN) >= 6


@pytest.mark.parametrize("command", TYPED)
def test_a_command_of_a_page_is_one(command: str) -> None:
    called, bound, _ = app.parse_args(shlex.split(command, comments=True), exit_on_error=False, print_error=False)
    assert called is not None
    assert bound.arguments or len(command.split()) == 1


def test_outputs_are_written_again_where_lines_are_left_out() -> None:
    shown = ["first", "", "[...]", "c 0.1 holds", "[...]"]
    fresh = ["first!", "", "a 0.3 fails", "c 0.2 holds", "end"]
    assert docs_outputs.kept(shown, fresh) == ["first!", "[...]", "c 0.2 holds", "[...]"]
    assert docs_outputs.kept(["end", "[...]"], fresh) == ["[...]", "end"]
    assert docs_outputs.kept(["[...]", "first"], fresh[:2]) == ["first!", ""]
    page = "```\n$ hpgrid a\nold\n\n$ hpgrid b c\n```\n"
    assert docs_outputs.rewritten(page, " ".join) == "```\n$ hpgrid a\na\n\n$ hpgrid b c\nb c\n```\n"


@pytest.mark.parametrize("page", ["README.md", "docs/python.md"])
def test_the_python_of_a_page_runs_as_it_is_printed(page: str) -> None:
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.S):
        exec(block, names)
    assert len(names["best"].at["b"]) == len(names["exact"].at["b"]) == 100
    # Theorem 1: b ~ T^(1/2) where momentum is held; all three tuned: T^(1/6).
    assert str(names["law"].exponent["b"]) == {"README.md": "1/2"}.get(page, "1/6")
