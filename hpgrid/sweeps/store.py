"""A sweep's store: a Zarr group whose blocks count once their marker, written last, is there.

A block is one chunk of every array: some combinations of what is swept, under every regime. Its marker holds the
SHA-256 of each of these files, so that whatever cut a write short, or damaged it later, is found, and the block
computed again. The store itself is made aside and renamed, whole. Writers hold a lock that the system drops when
they die.
"""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import math
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np
import zarr
from numpy.typing import NDArray

from hpgrid.checks import TUNABLE, bad
from hpgrid.grid import LogAxis
from hpgrid.record import write_table
from hpgrid.sweeps.plan import Plan

if TYPE_CHECKING:
    import xarray

Array = NDArray[Any]
Floats = NDArray[np.float64]

#: In what each is counted.
UNITS = {"b": "tokens", "T": "tokens", "K": "iterations"}

# --- what is swept, in blocks ---

#: Combinations in a block, where nobody says otherwise: two seconds' work on two cores, which is what a kill loses;
#: writing a block takes a tenth of one.
BLOCK = 1024


@dataclass(frozen=True)
class Combinations:
    """What is swept, laid out as the axes of the result.

    Attributes:
        dims: the axes of the result that combinations make: what is swept, or "row".
        shape: their lengths.
        columns: by swept name, its values: shape (length of its axis,), or (rows,).
        block: how much of each axis a block takes.
    """

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    columns: Mapping[str, Floats]
    block: tuple[int, ...]

    @property
    def blocks(self) -> tuple[int, ...]:
        """How many blocks there are along each axis."""
        return tuple(-(-n // side) for n, side in zip(self.shape, self.block))

    def corners(self) -> Iterator[tuple[slice, ...]]:
        """Yield where each block lies, in order of its number."""
        for place in itertools.product(*(range(n) for n in self.blocks)):
            yield tuple(slice(k * s, min((k + 1) * s, n)) for k, s, n in zip(place, self.block, self.shape))

    def values(self, where: tuple[slice, ...]) -> dict[str, Floats]:
        """Return by swept name its value in every combination of a block, row-major: shape (n,)."""
        if self.dims == ("row",):
            return {name: column[where[0]] for name, column in self.columns.items()}
        parts = [column[part] for column, part in zip(self.columns.values(), where)]
        mesh = np.meshgrid(*parts, indexing="ij")
        return {name: whole.ravel() for name, whole in zip(self.columns, mesh)}

    def extremes(self) -> dict[str, Floats]:
        """Return by swept name its value where any is least or largest: what is refused of a sweep is refused there.

        Of all combinations those of the ends; of rows the ones in which some column ends.
        """
        ends = {name: [int(column.argmin()), int(column.argmax())] for name, column in self.columns.items()}
        if self.dims == ("row",):
            rows = sorted({k for each in ends.values() for k in each})
            return {name: column[rows] for name, column in self.columns.items()}
        corners = itertools.product(*({*each} for each in ends.values()))
        places = np.array(list(corners))
        return {name: column[places[:, k]] for k, (name, column) in enumerate(self.columns.items())}


def lay_out(plan: Plan, block: int = BLOCK) -> Combinations:
    """Return a plan's combinations in blocks of at most ``block``."""
    columns = {
        name: LogAxis(x["lo"], x["hi"], x["n"]).values if isinstance(x, Mapping) else np.array(x, float)
        for name, x in plan.swept.items()
    }
    if plan.combine == "rows":
        n = plan.combinations
        return Combinations(("row",), (n,), columns, (min(block, n),))
    shape = tuple(len(column) for column in columns.values())
    sides: list[int] = []
    # Whole axes from the last one on, as far as they fit, in parts of one length.
    for n in reversed(shape):
        sides.insert(0, math.ceil(n / math.ceil(n / min(n, block))))
        block = max(1, block // sides[0])
    return Combinations(tuple(columns), shape, columns, tuple(sides))


# --- what a store holds ---

#: The axes beside the combinations': the budget's is called T or K.
BUDGET, QUANTITY, HYPERPARAMETER = "budget", "quantity", "hyperparameter"


class Spec(NamedTuple):
    """An array of a store: what follows regime and combinations among its axes, what it means, its dtype."""

    after: tuple[str, ...]
    meaning: str
    dtype: str = "float64"


_CURVES: dict[str, Spec] = {}
for _v, _best in {"risk": "the least risk", **{v: f"the best {v}" for v in TUNABLE}}.items():
    _CURVES[f"{_v}_hat"] = Spec((BUDGET,), f"{_best} on the grid")
    _CURVES[f"{_v}_star"] = Spec((BUDGET,), f"{_best}, refined; NaN where there is none")
    _CURVES[f"{_v}_exponent"] = Spec((BUDGET,), f"d log {_v} / d log budget of the refined optimum")

_EDGE = "the best {} sits on the border of the grid: it says nothing"

#: Every array that blocks are written to, in the order in which they are.
SPECS: dict[str, Spec] = {
    **_CURVES,
    **{f"{v}_edge": Spec((BUDGET,), _EDGE.format(v), "bool") for v in TUNABLE},
    "slope_hat": Spec((QUANTITY,), "d log / d log budget, fitted to the grid's curve"),
    "slope_star": Spec((QUANTITY,), "the same, fitted to the refined curve over the same budgets"),
    "slope_error": Spec((QUANTITY,), "how far slope_hat may be from slope_star, by how far the curves are apart"),
    "apart": Spec((QUANTITY,), "largest distance of the logs of the two curves over the window"),
    "points": Spec((QUANTITY,), "budgets that the slopes were fitted over", "int64"),
    "window_lo": Spec((QUANTITY,), "the first of them"),
    "window_hi": Spec((QUANTITY,), "the last of them"),
    "burn_in_hat": Spec((HYPERPARAMETER,), "the budget from which the grid's has left its bound; NaN: never"),
    "burn_in_star": Spec((HYPERPARAMETER,), "the same of the refined optimum, by more than a step of the grid"),
    "edge_points": Spec((), "budgets after burn-in that were left out, an optimum being at the edge", "int64"),
}


#: What a block's parts hash to: written last, it makes the block count.
MARKER = "block_sha256"


@dataclass(frozen=True)
class Store:
    """An open store, whose blocks are read and written by their number.

    Attributes:
        path: where it lies.
        combinations: how its blocks are laid out.
    """

    path: Path
    combinations: Combinations

    @cached_property
    def group(self) -> zarr.Group:
        """The Zarr group."""
        return zarr.open_group(self.path, mode="r+", use_consolidated=False)

    @cached_property
    def corners(self) -> tuple[tuple[slice, ...], ...]:
        """Where each block lies, by its number."""
        return tuple(self.combinations.corners())

    def is_whole(self, number: int) -> bool:
        """Return whether a block's marker is there and every part of it is what it says."""
        marker = np.asarray(self.group[MARKER][number])  # type: ignore[index]
        return bool(marker.any()) and all(
            digest == bytes(written) for digest, written in zip(self._digests(number), marker, strict=True)
        )

    def begun(self, number: int) -> bool:
        """Return whether a block has a marker at all."""
        return bool(np.asarray(self.group[MARKER][number]).any())  # type: ignore[index]

    def write(self, number: int, parts: Mapping[str, Array]) -> None:
        """Write a block: every part, on the disk, and then its marker."""
        where = self.corners[number]
        shape = tuple(part.stop - part.start for part in where)
        # A part of zeros has a file, too.
        with zarr.config.set({"array.write_empty_chunks": True}):
            for name in SPECS:
                array = parts[name]
                whole = array.reshape(array.shape[0], *shape, *array.shape[2:])
                self.group[name][(slice(None), *where)] = whole  # type: ignore[index]
        # Each part is on the disk before the marker that speaks of it.
        digests = np.array([list(digest) for digest in self._digests(number, flush=True)], np.uint8)
        self.group[MARKER][number] = digests  # type: ignore[index]
        _flush(self.path / MARKER / "c" / str(number) / "0" / "0")

    def _digests(self, number: int, flush: bool = False) -> Iterator[bytes]:
        """The SHA-256 of each of a block's files; nothing for one that is missing."""
        place = np.unravel_index(number, self.combinations.blocks)
        for name, spec in SPECS.items():
            file = self.path.joinpath(name, "c", "0", *map(str, place), *("0" for _ in spec.after))
            try:
                if flush:
                    _flush(file)
                yield hashlib.sha256(file.read_bytes()).digest()
            except FileNotFoundError:
                yield b""


def _flush(file: Path) -> None:
    """Have a file, and its name in its folder, on the disk itself."""
    for path in (file, file.parent):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


# --- making and opening ---
def create(path: Path, combinations: Combinations, static: Mapping[str, Any], attributes: Mapping[str, Any]) -> None:
    """Make a store aside, and put it in place; one that is there already is left as it is.

    Args:
        path: where it goes.
        combinations: how its blocks are laid out.
        static: by name, what is known beforehand: (dims, values, attributes); the coordinates are among it.
        attributes: what the store says of itself.

    Raises:
        ValueError: the folder can't be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part"))
    except OSError as error:
        raise bad(
            f"the store's folder must be writable ({error.strerror})", str(path.parent), "--out DIR/RUN.zarr"
        ) from None
    try:
        _fill(aside, combinations, static, attributes)
        # A temporary folder is its owner's alone.
        aside.chmod(0o755)
        # Another process was first.
        with suppress(OSError):
            aside.rename(path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _fill(path: Path, combinations: Combinations, static: Mapping[str, Any], attributes: Mapping[str, Any]) -> None:
    group = zarr.create_group(path, attributes=dict(attributes))
    sizes = {dims[0]: len(values) for dims, values, _ in static.values() if len(dims) == 1}
    for name, (dims, values, notes) in static.items():
        data = np.asarray(values)
        text = data.dtype.kind == "U"
        made = group.create_array(
            name, shape=data.shape, chunks=data.shape or (), dtype=str if text else data.dtype,
            dimension_names=dims, attributes=dict(notes),
        )  # fmt: skip
        made[...] = data.astype(object) if text else data
    for name, spec in SPECS.items():
        after = tuple(attributes["budget"] if axis == "budget" else axis for axis in spec.after)
        rest = tuple(sizes[axis] for axis in after)
        regimes = sizes["regime"]
        counted = UNITS.get(name.split("_")[0]) if name.endswith(("_hat", "_star")) else None
        group.create_array(
            name,
            shape=(regimes, *combinations.shape, *rest),
            chunks=(regimes, *combinations.block, *rest),
            dtype=spec.dtype,
            fill_value={"float64": np.nan, "bool": False, "int64": 0}[spec.dtype],
            dimension_names=("regime", *combinations.dims, *after),
            attributes={"long_name": spec.meaning, **({"units": counted} if counted else {})},
        )
    group.create_array(
        MARKER,
        shape=(int(np.prod(combinations.blocks)), len(SPECS), 32),
        chunks=(1, len(SPECS), 32),
        dtype="uint8",
        dimension_names=("block", "part", "byte"),
        attributes={"long_name": "SHA-256 of the files of each block; 0 where it is not whole"},
    )
    # Not yet in Zarr's specification, but what xarray looks for first.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", zarr.errors.ZarrUserWarning)
        zarr.consolidate_metadata(path)


def attributes_of(path: Path) -> dict[str, Any]:
    """Return what a store says of itself.

    Raises:
        ValueError: it is no sweep's store.
    """
    instead = "a folder that hpgrid sweep made, or one that does not exist yet"
    try:
        attributes = dict(zarr.open_group(path, mode="r", use_consolidated=False).attrs)
    except (FileNotFoundError, ValueError, OSError, KeyError) as error:
        raise bad(f"this is no sweep's store ({type(error).__name__})", str(path), instead) from None
    if "hpgrid_sweep" not in attributes:
        raise bad("this Zarr store is not a sweep's", str(path), instead)
    return attributes


def check_same(path: Path, there: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """Refuse a store that was made by another config, version or grid than is expected, saying what differs.

    Raises:
        ValueError: see the message.
    """
    # When it was made is no difference.
    theirs, ours = ({k: v for k, v in each.items() if k != "created"} for each in (there, expected))
    lines = list(_differences(theirs, ours, ""))
    if lines:
        more = f" and {len(lines) - 3} more" if len(lines) > 3 else ""
        rule = "this store was made otherwise: " + "; ".join(lines[:3]) + more
        raise bad(rule, str(path), "another --out, or the config and versions that made it")


def _differences(there: Any, here: Any, name: str) -> Iterator[str]:
    if isinstance(there, Mapping) and isinstance(here, Mapping):
        for key in dict.fromkeys((*there, *here)):
            yield from _differences(there.get(key), here.get(key), f"{name}.{key}" if name else str(key))
    elif isinstance(there, list) and isinstance(here, list) and len(there) == len(here):
        for k, (one, other) in enumerate(zip(there, here)):
            yield from _differences(one, other, f"{name}[{k}]")
    elif there != here:
        yield f"{name} is {there!r} there, {here!r} here"


# --- who writes ---
@contextmanager
def writing(path: Path, processes: int, process: int) -> Iterator[None]:
    """Hold the right to write the blocks of one process of several.

    Raises:
        ValueError: another process holds it, or writes as one of another number of processes.
    """
    with (path / ".writers").open("a+") as everyone, (path / f".writer-{process}").open("a+") as mine:
        if not _locked(mine):
            raise bad("another process writes these blocks", str(path), "another --process-id, or wait for its end")
        # Nobody else writes: say in how many parts.
        if _locked(everyone):
            everyone.truncate(0)
            everyone.write(str(processes))
            everyone.flush()
        # Shared among the writers, so that the next one alone finds out that nobody is left.
        fcntl.flock(everyone, fcntl.LOCK_SH)
        everyone.seek(0)
        number = everyone.read()
        if number != str(processes):
            rule = f"the processes that write this store are {number}"
            raise bad(rule, processes, f"--processes {number}, or wait for their end")
        yield


def _locked(file: IO[str]) -> bool:
    """Whether this process alone has a file now."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


# --- reading ---


#: What the table of slopes has of each, beside the regime and the constants.
COLUMNS = ("exponent", "slope_star", "slope_hat", "slope_error", "window_lo", "window_hi", "points", "edge_points")


def open_sweep(path: Path | str) -> xarray.Dataset:
    """Return a sweep's store as an xarray Dataset, read as it is used; it may be of a sweep that still runs.

    Its attributes say how many ``blocks`` there are, and how many of them are ``whole_blocks``: what is not
    whole yet is NaN, False or 0.

    Args:
        path: the store.

    Raises:
        ValueError: it is no sweep's.
    """
    import xarray

    attributes_of(Path(path))
    data = xarray.open_zarr(Path(path), chunks=None)
    marked = np.asarray(data[MARKER].any(("part", "byte")))
    data = data.drop_vars(MARKER).assign_attrs(
        {**data.attrs, "blocks": int(marked.size), "whole_blocks": int(marked.sum())}
    )
    return data.set_coords([name for name in ("alpha",) if name in data.variables])


def write_slopes(data: xarray.Dataset, path: Path) -> None:
    """Write a row for every combination, regime and quantity of a sweep to a CSV file, whole."""
    like = data["slope_hat"]
    order = tuple(str(dim) for dim in like.dims)
    burned = {
        name: data[name].rename({HYPERPARAMETER: QUANTITY}).reindex({QUANTITY: data[QUANTITY].values})
        for name in ("burn_in_hat", "burn_in_star")
    }
    held = [str(name) for name in data.coords if set(data[name].dims) <= {*order} - {"regime", QUANTITY}]
    columns = {name: data[name] for name in ("regime", *held, QUANTITY, *COLUMNS)} | burned
    write_table(path, {k: x.broadcast_like(like).transpose(*order).values.ravel() for k, x in columns.items()})
