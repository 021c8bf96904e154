"""Running a command as a person does: its exit status, what it prints, what it loads, and how it says no."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import hpgrid
from hpgrid.cli import main

Capture = pytest.CaptureFixture[str]

#: The environment of a process in which this ``hpgrid`` is the one that is imported, wherever it runs.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(hpgrid.__file__).parent.parent)}

#: Runs a command, and says which of the slow packages it has loaded. Help loads rich, but not its bars.
_LOADED = """
import atexit, sys
slow = {"numpy", "jax", "jaxlib", "scipy", "matplotlib", "contourpy", "sympy", "xarray", "zarr", "torch", "numba"}
slow |= {"rich", "rich.progress"}
atexit.register(lambda: print("loaded:", *slow & set(sys.modules), file=sys.stderr))
from hpgrid.cli import main
main(sys.argv[1:])
"""


def status(*arguments: object) -> int:
    """Return the exit status of a command."""
    with pytest.raises(SystemExit) as exit_:
        main([str(argument) for argument in arguments])
    return int(exit_.value.code or 0)


def printed(command: str, capsys: Capture, *arguments: object) -> str:
    """Return what a command prints that ends well and says nothing else."""
    assert status(command, *arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def refused(command: str, capsys: Capture, arguments: Sequence[object], words: str, folder: Path | None = None) -> None:
    """Assert that a command says no in one line with some words, by status 2, and leaves nothing in a folder."""
    assert status(command, *arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("hpgrid: error: ")
    assert words in err
    assert len(err.splitlines()) == 1
    assert folder is None or list(folder.iterdir()) == []


def loaded(*arguments: object, code: int = 0, folder: Path | None = None) -> set[str]:
    """Return the slow packages that a command has loaded when it ends, in a process of its own, by an exit status."""
    command = [sys.executable, "-c", _LOADED, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=folder, env=ENVIRONMENT)
    error, _, packages = done.stderr.rpartition("loaded:")
    assert (done.returncode, error.count("\n")) == (code, int(code != 0)), done.stderr
    return set(packages.split())
