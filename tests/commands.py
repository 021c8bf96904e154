"""Running a command as a person does: its exit status, what it prints, and how it says no."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpgrid.cli import main

Capture = pytest.CaptureFixture[str]


def status(command: str, *arguments: str) -> int:
    """Return a command's exit status."""
    with pytest.raises(SystemExit) as exit_:
        main((command, *arguments))
    return exit_.value.code


def printed(command: str, capsys: Capture, *arguments: str) -> str:
    """Return what a command prints that ends well and says nothing else."""
    assert status(command, *arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def refused(command: str, capsys: Capture, arguments: list[str], words: str, folder: Path | None = None) -> None:
    """Assert that a command says no in one line with some words, by status 2, and leaves nothing in a folder."""
    assert status(command, *arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("hpgrid: error: ")
    assert words in err
    assert len(err.splitlines()) == 1
    assert folder is None or list(folder.iterdir()) == []
