"""Write what commands print below each ``$ hpgrid ...`` of the README and the documentation: none is typed by hand.

``python scripts/docs_outputs.py`` runs every command and writes the pages again; names of pages choose some, and
``--only transfer,fit`` the commands. Where a page left lines out, [...], those that are most like what it showed stay.
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

#: What `hpgrid verify` and `hpgrid compare` write whole.
MADE = {"ledger.md", "atlas.md"}

#: A command, and what is printed up to the next one or the end of its block.
SHOWN = re.compile(r"^\$ hpgrid (.+)\n((?:(?!\$ |```).*\n)*)", re.MULTILINE)

#: Lines that are left out.
CUT = "[...]"

#: Columns of what is printed: those of a page's text.
COLUMNS = 120


def pages() -> list[Path]:
    """Return the README, and the documentation's pages that are written by hand."""
    found = [p for p in sorted((ROOT / "docs").rglob("*.md")) if "_build" not in p.parts and p.name not in MADE]
    return [ROOT / "README.md", *found]


def work_in(folder: Path) -> None:
    """Make a folder in which commands find the examples, and write what they write."""
    for name in ("examples", "configs"):
        (folder / name).symlink_to(ROOT / name)


def kept(shown: Sequence[str], fresh: Sequence[str]) -> list[str]:
    """Return the fresh lines in place of the shown ones: all, or, where some were cut, those most like them."""
    if CUT not in (line.strip() for line in shown):
        return list(fresh)
    places: list[int] = []
    for line in shown:
        after = places[-1] + 1 if places else 0
        if line and (like := difflib.get_close_matches(line, fresh[after:], 1, cutoff=0.5)):
            places.append(fresh.index(like[0], after))
    lines: list[str] = []
    for last, place in zip([-1, *places], [*places, len(fresh)]):
        between = fresh[last + 1 : place]
        lines += [CUT] if any(between) else between
        lines += fresh[place : place + 1]
    return lines


def rewritten(text: str, run: Callable[[list[str]], str], only: Collection[str] = ()) -> str:
    """Return a page in which each command, or each of those named, has what ``run`` prints for its arguments."""

    def one(found: re.Match[str]) -> str:
        command, old = found.groups()
        arguments = shlex.split(command, comments=True)
        if only and arguments[0] not in only:
            return found[0]
        printed = run(arguments)
        fresh = [line.rstrip() for line in printed.strip("\n").splitlines()]
        lines = kept([line.rstrip() for line in old.strip("\n").splitlines()], fresh)
        return "\n".join([f"$ hpgrid {command}", *lines, *[""] * old.endswith("\n\n"), ""])

    return SHOWN.sub(one, text)


def main() -> None:
    """Write the pages again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="*", type=Path)
    parser.add_argument("--only", default="", help="the commands to run, between commas")
    given = parser.parse_args()
    wanted = set(given.only.split(",")) - {""}
    for page in [p.resolve() for p in given.pages] or pages():
        with tempfile.TemporaryDirectory() as folder:
            work_in(Path(folder))
            page.write_text(
                rewritten(page.read_text(encoding="utf-8"), partial(_run, folder), wanted), encoding="utf-8"
            )


def _run(folder: str, arguments: list[str]) -> str:
    environment = {**os.environ, "COLUMNS": str(COLUMNS), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "hpgrid", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment)
    if done.returncode != 0:
        sys.exit(f"hpgrid {shlex.join(arguments)}\n{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
