"""What a figure is drawn from: arrays, checks and notes, on disk as NAME.npz and NAME.json."""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from hpgrid.checks import InputError, bad
from hpgrid.config import Config, Panel
from hpgrid.grid import TUNABLE, Grid
from hpgrid.paper import FIGURES
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.readings import Reading
from hpgrid.record import SCHEMA, made_with, read_whole, write_arrays, write_json
from hpgrid.shapes import Floats


@dataclass(frozen=True, eq=False)
class FigureData:
    """A computed figure."""

    name: str  # what its files are called
    config: Mapping[str, Any]  # what it was made from, as plain data
    arrays: Mapping[str, NDArray[Any]]  # every array that is drawn
    checks: tuple[Reading, ...]  # measured against predicted
    notes: Mapping[str, Any] = field(default_factory=dict)  # further numbers that were measured, by name
    seconds: float = 0.0  # how long computing took

    @property
    def budget(self) -> str:
        """The name of the budget, of figures of curves: its array comes first."""
        return next(iter(self.arrays))


class OneRegime(NamedTuple):
    """What a figure that shows one regime is computed from."""

    panel: Panel
    grid: Grid
    proxy: Proxy | FunctionProxy

    @property
    def budget(self) -> str:
        """The name of the budget."""
        return self.grid.budget

    @property
    def budgets(self) -> NDArray[np.float64]:
        """The budgets of the grid, shape (n,)."""
        return self.grid.axes[self.budget].values

    @property
    def ends(self) -> tuple[float, float]:
        """The smallest and the largest budget."""
        return float(self.budgets[0]), float(self.budgets[-1])


def one_regime(config: Config, tuned: Sequence[str] | None = None) -> OneRegime:
    """Return the regime of a figure that shows one, with its grid and its bound.

    Args:
        config: the figure.
        tuned: what it is about, where it is about some hyperparameters.

    Raises:
        ValueError: some regimes, another regime, or axes that the figure does not show.
    """
    if len(config.panels) != 1:
        raise bad(f"{config.figure} shows one regime", len(config.panels), "one [regime]")
    (panel,) = config.panels
    if tuned is not None and set(panel.tuned) != set(tuned):
        every = len(tuned) == len(TUNABLE)
        what = "all three hyperparameters" if every else " and ".join(tuned)
        instead = json.dumps(tuned) if every else str(tuned)
        raise bad(f"this figure tunes {what}", list(panel.tuned), f"tuned = {instead}")
    grid = config.grid.build(panel.axes)
    proxy = config.bound.build(grid.budget)
    if config.bound.formula is not None:  # a preset has what this bound may not depend on
        named = (*proxy.variables(), *panel.tuned, *panel.fixed, grid.budget)
        grid = grid.with_axes(**{v: None for v in grid.axes if v not in named})
    check_axes(grid, panel, (*panel.tuned, grid.budget))
    return OneRegime(panel, grid, proxy)


def check_positive(risk: Floats) -> None:
    """Refuse a risk that log axes and levels can show nothing of.

    Raises:
        ValueError: none of it is positive and finite.
    """
    if not (np.isfinite(risk) & (risk > 0)).any():
        given = f"none, of {risk.size}; the largest is {risk.max(initial=-np.inf):.3g}"
        raise bad("a plot is logarithmic: some best risk on the grid is positive and finite", given, "another bound")


def check_axes(grid: Grid, panel: Panel, wanted: tuple[str, ...]) -> None:
    """Refuse a regime that leaves other axes than a figure shows or tunes."""
    left = tuple(name for name in grid.axes if name not in panel.fixed)
    if set(left) != set(wanted):
        raise bad("the axes of this figure are " + ", ".join(wanted), list(left), "the others as fixed = { ... }")


def save(data: FigureData, folder: Path) -> list[Path]:
    """Write NAME.npz and NAME.json, each whole; return their paths."""
    arrays, record = folder / f"{data.name}.npz", folder / f"{data.name}.json"
    write_arrays(arrays, data.arrays)
    content = {
        "schema": SCHEMA,
        "name": data.name,
        "config": data.config,
        **made_with(data.config["dtype"]),
        "checks": [as_check(check) for check in data.checks],
        "notes": data.notes,
        "seconds": {"compute": round(data.seconds, 3)},
    }
    write_json(record, content)
    return [arrays, record]


def restore(name: str, folder: Path, figures: Collection[str] = FIGURES, again: str = "") -> FigureData:
    """Return a figure that was saved.

    Args:
        name: what its files are called.
        folder: where they are.
        figures: of what it may be.
        again: the command that makes it, for messages.

    Raises:
        ValueError: nothing whole was saved under that name.
    """
    again = again or f"hpgrid reproduce {name}"
    instead = f"{again} again, without --redraw"
    try:
        record = json.loads(read_whole(folder / f"{name}.json"))
        if record["schema"] != SCHEMA or record["config"]["figure"] not in figures:
            raise bad("the saved data are of another version of hpgrid", str(folder / name), instead)
        arrays = _read_arrays(folder / f"{name}.npz")
        checks = tuple(_reading(entry) for entry in record["checks"])
        return FigureData(
            name, record["config"], arrays, checks, dict(record["notes"]), float(record["seconds"]["compute"])
        )
    except InputError:
        raise
    except FileNotFoundError as error:
        first = f"{again} first, without --redraw"
        raise bad("redrawing needs what a run has saved", str(error.filename), first) from None
    except UNREADABLE as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise bad(f"the saved data can't be read ({reason})", str(folder / name), instead) from None


#: What comes of files that are damaged, or were put together by hand, wherever it is found out.
UNREADABLE = (
    *(ArithmeticError, AttributeError, BadZipFile, EOFError, LookupError, MemoryError, OSError, RuntimeError),
    *(StopIteration, TypeError, ValueError, zlib.error),
)


def _read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an .npz file that unpacks to what a figure may have; nothing is unpickled."""
    content = io.BytesIO(read_whole(path, _LARGEST))
    with ZipFile(content) as members:
        if sum(member.file_size for member in members.infolist()) > _LARGEST:
            raise MemoryError
    with np.load(content, allow_pickle=False) as stored:
        return {key: stored[key] for key in stored.files}


#: The most bytes of a figure's arrays, a hundred times the largest's.
_LARGEST = 2**30


#: What a record has of a reading, beside its name and its verdict.
_NUMBERS, _PLACE = ("measured", "predicted", "tolerance"), ("window", "edge_points", "note")


def as_check(reading: Reading) -> dict[str, Any]:
    """Return a reading as a figure's record has it."""
    numbers, place = ({key: getattr(reading, key) for key in keys} for keys in (_NUMBERS, _PLACE))
    return {"name": reading.what, **numbers, "holds": reading.holds, **place}


def _reading(entry: Mapping[str, Any]) -> Reading:
    """A reading out of a record, which has its verdict in place of what leads to it."""
    lo, hi = (np.nan if end is None else float(end) for end in entry["window"])
    of: dict[str, Any] = {"window": (lo, hi), "edge_points": int(entry["edge_points"]), "note": str(entry["note"])}
    of |= {key: np.nan if entry[key] is None else float(entry[key]) for key in _NUMBERS}
    # The relation is not in the record: it is the one under which the numbers give the verdict that is.
    tells = entry["holds"] is not None
    readings = [Reading(str(entry["name"]), "", relation=each, identifiable=tells, **of) for each in ("=", "<=", ">=")]
    return next((reading for reading in readings if reading.holds is entry["holds"]), readings[0])


def config_data(
    config: Config, proxy: Proxy | FunctionProxy | None = None, grids: Sequence[Grid] = ()
) -> dict[str, Any]:
    """Return a config as it will be read back from JSON, with nothing left to a default.

    Args:
        config: the config.
        proxy: the bound it names; its constants are written out.
        grids: the grid of each panel; its axes are written out.
    """
    data = json.loads(json.dumps(config.describe(), default=str))
    if proxy is not None:
        data["bound"]["constants"] = dict(proxy.constants)
    for panel, grid in zip(data.get("panels", ()), grids):
        panel["grid"] = dict(grid.describe())
    return dict(data)
