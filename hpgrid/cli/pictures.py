"""Pictures as commands write them: which formats there are, and whole files without a date."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpgrid.checks import unknown
from hpgrid.cli import given

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "pdf", "svg")

#: What keeps the same picture the same file.
_UNDATED: dict[str, dict[str, Any]] = {
    "png": {"Software": None}, "pdf": {"CreationDate": None, "ModDate": None}, "svg": {"Date": None},
}  # fmt: skip


def format_of(path: Path) -> str:
    """Return a picture's format, by its suffix.

    Raises:
        ValueError: there is no such format.
    """
    return check_format(path.suffix.lstrip("."))


def check_format(name: str) -> str:
    """Return a picture's format if there is one of that name."""
    if name not in FORMATS:
        raise unknown("picture format", name, FORMATS)
    return name


def check_picture(path: Path | None, rule: str, example: str) -> None:
    """Refuse a picture that can't be written before anything is computed; make its folder.

    Args:
        path: where it goes, or None.
        rule: what is written to a file, as a sentence without its full stop.
        example: a file's name, for the message.

    Raises:
        ValueError: no format, a folder, or its folder can't be written to.
    """
    if path is not None and not path.is_dir():
        format_of(path)
    given.check_file(path, rule, example)


def write_picture(figure: Figure, *paths: Path) -> None:
    """Write a figure to files, whole, each in the format of its suffix."""
    from hpgrid.plotting.style import styled
    from hpgrid.record import write_whole

    with styled():
        for path in paths:
            kind = format_of(path)
            write_whole(path, partial(figure.savefig, format=kind, metadata=_UNDATED[kind]))
            figure.set_layout_engine("none")  # laid out once is enough
