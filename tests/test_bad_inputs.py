"""Bad inputs over all commands, files and Python doors: each is refused in one line that says what to do.

``bad_inputs.txt`` has them by what they begin with: a command; a command that reads own.toml, a row being what stands
there, a line up to each semicolon; or Python. After => stand some words of the rule, and of what to write instead.
"""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from commands import Capture, status

import hpgrid
from hpgrid.checks import InputError

#: Characters of a message, at the most.
LONGEST = 300

#: What takes all the rest of a row as one argument.
WHOLE = ("--bound", "--claim", "--out")


def table() -> dict[str, list[tuple[str, str]]]:
    """By what inputs begin with, the rest of each and the words of its answer."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in Path(__file__).with_name("bad_inputs.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("  "):
            row, _, words = line[2:].rpartition("  =>  ")
            found[head].append((row, words))
        elif line:
            head = line
            assert head not in found
            found[head] = []
    return found


TABLE = table()


def answered(head: str, row: str, capsys: Capture) -> str:
    """What is said to an input: a message, or what is wrong with how it ends."""
    if head == "python":
        names = {"hpgrid": hpgrid, "P": hpgrid.bounds.lmo(), "G": hpgrid.Grid.footnote(4)}
        with pytest.raises(InputError) as caught:
            eval(row, names)
        return str(caught.value)
    before, _, command = head.rpartition("hpgrid")
    arguments = shlex.split(command)
    if before:
        Path("own.toml").write_text(row.replace("; ", "\n"), encoding="utf-8")
    else:
        arguments += [row.strip('"')] if arguments and arguments[-1] in WHOLE else shlex.split(row)
    code = status(*arguments)
    out, err = capsys.readouterr()
    left = [path.name for path in Path().iterdir() if path.name != "own.toml"]
    whole = (code, out, err.count("\n"), left) == (2, "", 1, []) and err.startswith("hpgrid: error: ")
    return err.removeprefix("hpgrid: error: ") if whole else f"exit {code}, {out[:100]!r}, {err[:300]!r}, leaves {left}"


@pytest.mark.parametrize("head", TABLE)
def test_a_bad_input_is_refused_in_a_line_that_says_what_to_do(
    head: str, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wrong = []
    for row, words in TABLE[head]:
        said = answered(head, row, capsys)
        rule, _, instead = words.partition(" ... ")
        if rule not in said or instead not in said.rpartition(" Write ")[2] or len(said) > LONGEST:
            wrong.append((row, said))
    assert wrong == []


def test_there_are_more_than_three_hundred_of_all_commands() -> None:
    assert sum(map(len, TABLE.values())) > 500
    named = {head.rpartition("hpgrid")[2].split()[0] for head in TABLE if head not in ("python", "hpgrid")}
    assert {name for name in hpgrid.cli.app if not name.startswith("-")} == named
