"""A sweep's store: a Zarr group whose blocks count once their marker, written last, is there.

A block is one chunk of every array: some combinations of what is swept, under every regime. Its marker holds the
SHA-256 of each of these files, and of all that they are read by, metadata and coordinates, so that whatever cut a
write short, or damaged it later, is found; the block is computed again, and what it is read by made again. The store
itself is made aside and renamed, whole. Writers hold a lock that the system drops when they die.
"""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import json
import math
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numcodecs import VLenUTF8, Zstd
from numpy.typing import NDArray

from hpgrid.checks import bad, shortened
from hpgrid.grid import LogAxis
from hpgrid.record import SAVED, flat_attributes, make_folder, read_whole, write_table
from hpgrid.sweeps.plan import MOST, Plan, restore
from hpgrid.text import counted
from hpgrid.variables import COUNTED_IN

if TYPE_CHECKING:
    import xarray

Array = NDArray[Any]
Floats = NDArray[np.float64]

# --- what is swept, in blocks ---

#: Combinations in a block, where nobody says otherwise: a second's work on two cores, which is what a kill loses;
#: writing a block takes a twentieth of one.
BLOCK = 1024


@dataclass(frozen=True, eq=False)
class Combinations:
    """What is swept, laid out as the axes of the result.

    Attributes:
        dims: the axes of the result that combinations make: what is swept, or "row".
        shape: their lengths.
        columns: by swept name, its values: shape (length of its axis,), or (rows,).
        block: how much of each axis a block takes.
        contents: what is written for each.
    """

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    columns: Mapping[str, Floats]
    block: tuple[int, ...]
    contents: Contents

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
        if self.dims == (ROW,):
            return {name: column[where[0]] for name, column in self.columns.items()}
        parts = [column[part] for column, part in zip(self.columns.values(), where)]
        mesh = np.meshgrid(*parts, indexing="ij")
        return {name: whole.ravel() for name, whole in zip(self.columns, mesh)}

    def extremes(self) -> dict[str, Floats]:
        """Return by swept name its value where any is least or largest: what is refused of a sweep is refused there.

        Of all combinations those of the ends; of rows the ones in which some column ends.
        """
        ends = {name: [int(column.argmin()), int(column.argmax())] for name, column in self.columns.items()}
        if self.dims == (ROW,):
            rows = sorted({k for each in ends.values() for k in each})
            return {name: column[rows] for name, column in self.columns.items()}
        corners = itertools.product(*({*each} for each in ends.values()))
        places = np.array(list(corners))
        return {name: column[places[:, k]] for k, (name, column) in enumerate(self.columns.items())}


def contents_of(plan: Plan) -> Contents:
    """Return what a plan's store holds."""
    ranges = [plan.space.all[name] for name in plan.hyperparameters]
    leaving = tuple(v.name for v in ranges if v.low > 0 or v.high < math.inf)
    return Contents(plan.hyperparameters, leaving)


def lay_out(plan: Plan, block: int = BLOCK) -> Combinations:
    """Return a plan's combinations in blocks of at most ``block``."""
    columns = {
        name: LogAxis(x["lo"], x["hi"], x["n"]).values if isinstance(x, Mapping) else np.array(x, float)
        for name, x in plan.swept.items()
    }
    if plan.combine == "rows":
        n = plan.combinations
        return Combinations((ROW,), (n,), columns, (min(block, n),), contents_of(plan))
    shape = tuple(len(column) for column in columns.values())
    sides: list[int] = []
    # Whole axes from the last one on, as far as they fit, in parts of one length.
    for n in reversed(shape):
        sides.insert(0, math.ceil(n / math.ceil(n / min(n, block))))
        block = max(1, block // sides[0])
    return Combinations(tuple(columns), shape, columns, tuple(sides), contents_of(plan))


# --- what a store holds ---

#: Raised when the meaning of a store changes.
SCHEMA = 2

#: The axes beside the combinations': the budget's is called T or K. That of combinations that are rows.
REGIME, BUDGET, QUANTITY, HYPERPARAMETER, ROW = "regime", "budget", "quantity", "hyperparameter", "row"

#: The exact exponents, as numbers and as text.
EXACT = ("exponent", "exponent_exact")


class Spec(NamedTuple):
    """An array of a store: what follows regime and combinations among its axes, what it means, its dtype."""

    after: tuple[str, ...]
    meaning: str
    dtype: str = "float64"


def _specs_of(name: str) -> dict[str, Spec]:
    """What is said at every budget of the risk, or of a hyperparameter."""
    best = "the least risk" if name == "risk" else f"the best {name}"
    specs = {
        f"{name}_hat": Spec((BUDGET,), f"{best} on the grid"),
        f"{name}_star": Spec((BUDGET,), f"{best}, refined; NaN where there is none"),
        f"{name}_exponent": Spec((BUDGET,), f"d log {name} / d log budget of the refined optimum"),
    }
    if name != "risk":
        edge = f"the best {name} sits on the border of the grid: it says nothing"
        specs[f"{name}_edge"] = Spec((BUDGET,), edge, "bool")
    return specs


#: What is fitted over budgets, to all of them.
FITTED = {
    "slope_hat": Spec((QUANTITY,), "d log / d log budget, fitted to the grid's curve"),
    "slope_star": Spec((QUANTITY,), "the same, fitted to the refined curve over the same budgets"),
    "slope_error": Spec((QUANTITY,), "how far slope_hat may be from slope_star: how far the curves are apart"),
    "apart": Spec((QUANTITY,), "largest distance of the logs of the two curves over the window"),
    "points": Spec((QUANTITY,), "budgets that the slopes were fitted over", "int64"),
    "window_lo": Spec((QUANTITY,), "the first of them"),
    "window_hi": Spec((QUANTITY,), "the last of them"),
    "burn_in_hat": Spec((HYPERPARAMETER,), "the budget from which the grid's has left its bound; NaN: never"),
    "burn_in_star": Spec((HYPERPARAMETER,), "the same of the refined optimum, by more than a step of the grid"),
    "edge_points": Spec((), "budgets after burn-in that were left out, an optimum being at the edge", "int64"),
}


@dataclass(frozen=True)
class Contents:
    """What a store holds of a bound.

    Args:
        names: its hyperparameters.
        burning: those that have a bound of their own to leave, b = 1 and alpha = 1.
    """

    names: tuple[str, ...]
    burning: tuple[str, ...]

    @property
    def quantities(self) -> tuple[str, ...]:
        """What slopes are fitted to."""
        return ("risk", *self.names)

    @cached_property
    def specs(self) -> dict[str, Spec]:
        """Every array that blocks are written to, in the order in which they are."""
        each = [item for name in self.quantities for item in _specs_of(name).items()]
        return {**dict(sorted(each, key=lambda item: item[1].dtype == "bool")), **FITTED}

    @property
    def parts(self) -> tuple[int, int]:
        """The hashes of a marker, and their bytes."""
        return len(self.specs) + 1, 32

    def after(self, spec: Spec, budgets: int) -> dict[str, int]:
        """Return what follows the combinations among an array's axes, with its length."""
        sizes = {BUDGET: budgets, QUANTITY: len(self.quantities), HYPERPARAMETER: len(self.burning)}
        return {axis: sizes[axis] for axis in spec.after}

    def size(self, budgets: int) -> int:
        """Return the bytes of one combination's numbers under one regime, as they are before they are packed."""
        each = (np.dtype(s.dtype).itemsize * math.prod(self.after(s, budgets).values()) for s in self.specs.values())
        return sum(each)


#: What a block's parts hash to, and last what all blocks are read by: written last, it makes the block count.
MARKER, MARKER_AXES = "block_sha256", ("block", "part", "byte")


def check_names(plan: Plan, combinations: Combinations, budget: str) -> None:
    """Refuse what is swept, and a bound's variables, where a store has something else of that name.

    Raises:
        ValueError: which.
    """
    taken = {REGIME, ROW, QUANTITY, HYPERPARAMETER, budget, MARKER, *MARKER_AXES, *EXACT, *FITTED, *_specs_of("risk")}
    other = plan.space.complements
    named = [(name, array) for name in combinations.columns for array in (name, other.get(name, "")) if array]
    named += [(name, array) for name in combinations.contents.names for array in _specs_of(name)]
    for name, array in named:
        if array in taken:
            raise bad(f"{array} is something else in a sweep's store", name, f"another name for {name} in the bound")
        taken.add(array)


#: What begins a Zstandard frame.
_ZSTD = b"\x28\xb5\x2f\xfd"

#: How blocks are packed.
_PACKED = Zstd(level=0)


@dataclass(frozen=True)
class Store:
    """A store, whose blocks are read and written by their number.

    Attributes:
        path: where it lies.
        combinations: how its blocks are laid out.
        regimes: how many regimes there are.
        budgets: how many budgets.
    """

    path: Path
    combinations: Combinations
    regimes: int
    budgets: int

    @property
    def contents(self) -> Contents:
        """What is written of each combination."""
        return self.combinations.contents

    @cached_property
    def corners(self) -> tuple[tuple[slice, ...], ...]:
        """Where each block lies, by its number."""
        return tuple(self.combinations.corners())

    def is_whole(self, number: int) -> bool:
        """Return whether a block's marker is there, and every part of it and what it is read by is what it says."""
        size = math.prod(self.contents.parts)
        marked = _content(self._marker(number), size) or b""
        return len(marked) == size and marked == b"".join((*self._digests(number), self.frame))

    def begun(self, number: int) -> bool:
        """Return whether a block has a marker at all."""
        return os.path.lexists(self._marker(number))

    def marked(self) -> list[int]:
        """Return the numbers of the blocks that have a marker."""
        folder, blocks = self.path / MARKER / "c", math.prod(self.combinations.blocks)
        numbers = {int(file.name) for file in folder.glob("*") if file.name.isdecimal()}
        return sorted(k for k in numbers if k < blocks and self.begun(k))

    def write(self, number: int, parts: Mapping[str, Array]) -> None:
        """Write a block: every part, on the disk, and then its marker.

        Raises:
            ValueError: it can't be written.
        """
        lengths = [part.stop - part.start for part in self.corners[number]]

        def put(file: Path, name: str, spec: Spec) -> bytes:
            # At the end of an axis a block is as large as elsewhere: what is beyond is never read.
            whole = np.zeros(self.chunk(spec), spec.dtype)
            own = whole[:, *map(slice, lengths)]
            own[...] = parts[name].reshape(own.shape)
            content = _PACKED.encode(whole)
            _put(file, content)
            return hashlib.sha256(content).digest()

        files, specs = (file for file, _ in self._files(number)), self.contents.specs
        try:
            # Each part is on the disk before the marker that speaks of it; a disk is waited for once for several.
            with ThreadPoolExecutor() as pool:
                digests = [*pool.map(put, files, specs, specs.values())]
            _put(self._marker(number), b"".join((*digests, self.frame)))
        except OSError as error:
            rule = f"block {number} of the store can't be written ({error.strerror})"
            raise bad(rule, str(self.path), "the same command again where it can be: whole blocks are kept") from None

    @cached_property
    def frame(self) -> bytes:
        """The SHA-256 of all that blocks are read by: metadata, coordinates, exact exponents."""
        said = _metadata(self.path)
        # When it was made is no part of what it is: the same sweep ends in the same bytes.
        said["attributes"] = {key: x for key, x in said["attributes"].items() if key != "created"}
        digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
        for file in _frame_files(self.path)[1:]:
            digest.update(hashlib.sha256(_content(file, SAVED) or b"").digest())
        return digest.digest()

    def _marker(self, number: int) -> Path:
        return self.path / MARKER / "c" / str(number) / "0" / "0"

    def _files(self, number: int) -> Iterator[tuple[Path, int]]:
        """The file of each part of a block, and what it unpacks to in bytes."""
        place = [str(k) for k in np.unravel_index(number, self.combinations.blocks)]
        for name, spec in self.contents.specs.items():
            size = math.prod(self.chunk(spec)) * np.dtype(spec.dtype).itemsize
            yield self.path.joinpath(name, "c", "0", *place, *("0" for _ in spec.after)), size

    def _digests(self, number: int) -> Iterator[bytes]:
        """The SHA-256 of each of a block's files; nothing for one that is missing, or unpacks to another size."""
        for file, size in self._files(number):
            content = _content(file, 2 * size + 1024)
            yield hashlib.sha256(content).digest() if content and _unpacked(content) == size else b""

    def chunk(self, spec: Spec) -> tuple[int, ...]:
        """Return the shape of an array's part in a block."""
        return (self.regimes, *self.combinations.block, *self.contents.after(spec, self.budgets).values())


def _content(file: Path, most: int) -> bytes | None:
    """What a file of a store holds; None where it is missing, a link, or none of a store's."""
    try:
        return read_whole(file, most, links=False)
    except OSError:
        return None


def _unpacked(frame: bytes) -> int:
    """The bytes to which a Zstandard frame says it unpacks; -1 where it does not say.

    Source: RFC 8878, section 3.1.1.1.
    """
    if len(frame) < 5 or frame[:4] != _ZSTD:
        return -1
    kind, single, dictionary = frame[4] >> 6, frame[4] >> 5 & 1, frame[4] & 3
    size = (single, 2, 4, 8)[kind]
    at = 6 - single + (0, 1, 2, 4)[dictionary]
    return int.from_bytes(frame[at : at + size], "little") + (256 if kind == 1 else 0) if size else -1


def _frame_files(path: Path) -> list[Path]:
    """The files that all blocks are read by, as the store's own metadata names them, which come first."""
    files = [path / "zarr.json"]
    for name, array in sorted(_metadata(path)["consolidated_metadata"]["metadata"].items()):
        files.append(path / name / "zarr.json")
        # What blocks are written to is packed; the rest is whole, in one file.
        if array["codecs"][-1]["name"] != "zstd" and name != MARKER:
            files.append(_only_chunk(path, name, array["shape"]))
    return files


def _only_chunk(path: Path, name: str, shape: Sequence[int]) -> Path:
    return path.joinpath(name, "c", *("0" for _ in shape))


def _put(file: Path, content: bytes) -> None:
    """Write a file aside, and put it in place and on the disk."""
    # Unlike other files: under a name that the next try takes over, and by several threads, which share one umask.
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f".{file.name}.part")
    aside.unlink(missing_ok=True)
    # Never what a link leads to.
    with aside.open("xb") as opened:
        opened.write(content)
    aside.replace(file)
    _flush(file)


def _flush(file: Path) -> None:
    """Have a file, and its name in its folder, on the disk itself."""
    for path in (file, file.parent):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


# --- making and opening ---
def create(path: Path, combinations: Combinations, static: Mapping[str, Any], attributes: Mapping[str, Any]) -> bool:
    """Make a store aside, and put it in place; one that is there already is left as it is. Return whether it was made.

    Args:
        path: where it goes.
        combinations: how its blocks are laid out.
        static: by name, what is known beforehand: (dims, values, attributes); the coordinates are among it.
        attributes: what the store says of itself.

    Raises:
        ValueError: the folder can't be written to.
    """
    make_folder(path.parent, "--out DIR/RUN.zarr")
    aside = _aside(path)
    try:
        _fill(aside, combinations, static, attributes)
        # A temporary folder is its owner's alone.
        aside.chmod(0o755)
        # Another process was first.
        with suppress(OSError):
            aside.rename(path)
            return True
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return False


def _aside(path: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part"))


def mend(path: Path, combinations: Combinations, static: Mapping[str, Any], attributes: Mapping[str, Any]) -> int:
    """Make again what blocks are read by where it is not as ``create`` makes it; return how many files that were."""
    aside, mended = _aside(path), 0
    try:
        _fill(aside, combinations, static, attributes)
        for file in _frame_files(aside):
            there, content = path / file.relative_to(aside), file.read_bytes()
            if _content(there, len(content)) != content:
                there.parent.mkdir(parents=True, exist_ok=True)
                file.replace(there)
                mended += 1
    except OSError as error:
        raise bad(f"the store can't be mended ({error.strerror})", str(path), "another --out") from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return mended


def _fill(path: Path, combinations: Combinations, static: Mapping[str, Any], attributes: Mapping[str, Any]) -> None:
    sizes = {dims[0]: len(values) for dims, values, _ in static.values() if len(dims) == 1}
    opened = Store(path, combinations, sizes[REGIME], sizes[attributes["budget"]])
    arrays = _of_blocks(opened, attributes["budget"])
    for name, (dims, values, notes) in static.items():
        data = np.asarray(values)
        text = data.dtype.kind == "U"
        arrays[name] = _array(data.shape, data.shape, "string" if text else data.dtype.name, dims, notes)
        file = _only_chunk(path, name, data.shape)
        file.parent.mkdir(parents=True)
        file.write_bytes(VLenUTF8().encode(data.astype(object)) if text else data.tobytes())
    for name, array in arrays.items():
        (path / name).mkdir(exist_ok=True)
        (path / name / "zarr.json").write_text(json.dumps(array, indent=2))
    # Not yet in Zarr's specification, but what xarray looks for first.
    every = {"kind": "inline", "must_understand": False, "metadata": arrays}
    group = {"attributes": attributes, "zarr_format": 3, "consolidated_metadata": every, "node_type": "group"}
    (path / "zarr.json").write_text(json.dumps(group, indent=2))


def _of_blocks(opened: Store, budget: str) -> dict[str, dict[str, Any]]:
    """The metadata of all that blocks are written to."""
    contents, combinations = opened.contents, opened.combinations
    arrays: dict[str, dict[str, Any]] = {}
    for name, spec in contents.specs.items():
        counted = COUNTED_IN.get(name.split("_")[0]) if name.endswith(("_hat", "_star")) else None
        shape = opened.regimes, *combinations.shape, *contents.after(spec, opened.budgets).values()
        dims = REGIME, *combinations.dims, *(budget if axis == BUDGET else axis for axis in spec.after)
        notes = {"long_name": spec.meaning, **({"units": counted} if counted else {})}
        arrays[name] = _array(shape, opened.chunk(spec), spec.dtype, dims, notes, packed=True)
    meaning = "SHA-256 of the files of each block, and of what it is read by; none where not whole"
    of_markers = (math.prod(combinations.blocks), *contents.parts), (1, *contents.parts), "uint8"
    return arrays | {MARKER: _array(*of_markers, MARKER_AXES, {"long_name": meaning})}


def _array(shape: Any, chunks: Any, dtype: str, dims: Any, notes: Any, packed: bool = False) -> dict[str, Any]:
    """An array's metadata.

    Source: https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html
    """
    plain = {"name": "bytes", "configuration": {"endian": sys.byteorder}}
    text = {"name": "vlen-utf8", "configuration": {}}
    zstd = {"name": "zstd", "configuration": {"level": _PACKED.level, "checksum": False}}
    return {
        "shape": [*shape],
        "data_type": dtype,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [*chunks]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": {"float64": "NaN", "int64": 0, "uint8": 0, "bool": False, "string": ""}[dtype],
        "codecs": [text if dtype == "string" else plain, *[zstd] * packed],
        "attributes": {**notes},
        "dimension_names": [*dims],
        "zarr_format": 3,
        "node_type": "array",
    }


def _metadata(path: Path) -> dict[str, Any]:
    """What a store's own metadata say, unchecked."""
    return dict(json.loads(read_whole(path / "zarr.json", SAVED)))


def attributes_of(path: Path, instead: str = "a folder that hpgrid sweep made") -> dict[str, Any]:
    """Return what a store says of itself.

    Args:
        path: the store.
        instead: what else a person would write.

    Raises:
        ValueError: it is no sweep's store, or was made by another version's rules.
    """
    try:
        attributes = _metadata(path)["attributes"]
        schema = attributes["hpgrid_sweep"]
    except OSError as error:
        raise bad(f"this is no sweep's store (its zarr.json: {error.strerror})", str(path), instead) from None
    except (ValueError, TypeError, KeyError, RecursionError):
        raise bad("this is no sweep's store, or its zarr.json is damaged", str(path), instead) from None
    if schema != SCHEMA:
        rule = f"this sweep's store is of version {str(schema)[:20]} of its schema, and this hpgrid reads {SCHEMA}"
        raise bad(rule, str(path), "another --out, or the hpgrid that made it")
    return dict(attributes)


def check_same(path: Path, there: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """Refuse a store that was made by another config, version or grid than is expected, saying what differs.

    Raises:
        ValueError: see the message.
    """
    # When it was made is no difference.
    theirs, ours = ({k: v for k, v in each.items() if k != "created"} for each in (there, expected))
    lines = list(_differences(theirs, ours, ""))
    # The grid is the plan's: where that differs, its own lines say how.
    lines = [line for line in lines if not line.startswith("grid.")] or lines
    if lines:
        more = f" and {len(lines) - 3} more" if len(lines) > 3 else ""
        rule = "this store was made otherwise: " + "; ".join(lines[:3]) + more
        raise bad(rule, str(path), "another --out, or the config and versions that made it")


def _differences(there: Any, here: Any, name: str) -> Iterator[str]:
    if isinstance(there, Mapping) and isinstance(here, Mapping):
        for key in dict.fromkeys((*there, *here)):
            yield from _differences(there.get(key), here.get(key), f"{name}.{key}" if name else str(key))
    elif isinstance(there, list) and isinstance(here, list) and len(there) != len(here):
        yield f"{name} has {len(there)} there, {len(here)} here"
    elif isinstance(there, list) and isinstance(here, list):
        apart = [k for k, (one, other) in enumerate(zip(there, here)) if one != other]
        for k in apart[:1]:
            yield from _differences(there[k], here[k], f"{name}[{k}]" + f" (of {len(apart)})" * (len(apart) > 1))
    elif there != here:
        yield f"{name} is {shortened(repr(there))} there, {shortened(repr(here))} here"


# --- who writes ---
@contextmanager
def writing(path: Path, processes: int, process: int) -> Iterator[None]:
    """Hold the right to write the blocks of one process of several.

    Raises:
        ValueError: another process holds it, or writes as one of another number of processes.
    """
    with _lock(path / ".writers") as everyone, _lock(path / f".writer-{process}") as mine:
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
        number = everyone.read(20)
        if number != str(processes):
            rule = f"the processes that write this store are {number}"
            raise bad(rule, processes, f"--processes {number}, or wait for their end")
        yield


def _lock(file: Path) -> IO[str]:
    """A lock, opened; never what a link leads to, which would be written over."""
    try:
        return os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o666), "a+")
    except OSError as error:
        rule = f"{file.name} is a store's lock, and can't be opened ({error.strerror})"
        raise bad(rule, str(file.parent), "a store that can be written to, without that file") from None


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


def open_sweep(path: Path | str, check: bool = True) -> xarray.Dataset:
    """Return a sweep's store as an xarray Dataset, read as it is used; it may be of a sweep that still runs.

    Its attributes say how many ``blocks`` there are, and how many of them are ``whole_blocks``: what is not
    whole yet is NaN, False or 0. They are text and numbers, so that all of it, or a part, can be saved: what is
    more, the ``plan`` say, is JSON.

    Args:
        path: the store.
        check: whether every file is held against its block's marker first, which takes as long as reading them all;
            otherwise what is damaged is read as it is.

    Raises:
        ValueError: it is no sweep's, or is damaged.
    """
    import xarray

    path = Path(path)
    attributes = attributes_of(path)
    try:
        opened, known = _described(path, attributes)
        marked = opened.marked()
        damaged = [k for k in marked if not opened.is_whole(k)] if check else []
        if not damaged:
            _check_arrays(opened, attributes["budget"], known)
            data = xarray.open_zarr(path, chunks=None)
            if check and not all(np.array_equal(data[name].values, values) for name, values in known.items()):
                raise ValueError
    # Whatever a file that is not a sweep's own says, and wherever it is found out.
    except (ArithmeticError, AttributeError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError):
        raise bad("what this store says of itself is damaged", str(path), _ANOTHER) from None
    if damaged:
        n = math.prod(opened.combinations.blocks)
        rule = (
            f"{len(damaged)} of the store's {counted(n, 'block')}, or what they are read by, are not what was written"
        )
        raise bad(rule, str(path), _AGAIN)
    blocks = {"blocks": math.prod(opened.combinations.blocks), "whole_blocks": len(marked)}
    data = data.drop_vars(MARKER).assign_attrs(flat_attributes({**data.attrs, **blocks}))
    return data.set_coords([name for name in ("alpha",) if name in data.variables])


#: What to do about a store that does not say what it is of, and about one that is damaged.
_ANOTHER = "a copy of it from before, or another --out"
_AGAIN = "the hpgrid sweep command that made it once more, which makes damaged files again"


def _described(path: Path, attributes: Mapping[str, Any]) -> tuple[Store, dict[str, Any]]:
    """A store as it describes itself, and by axis its values."""
    plan, budget = restore(attributes["plan"]), attributes["budget"]
    if plan.combinations > MOST:
        raise ValueError
    combinations = in_blocks(lay_out(plan), attributes["block"])
    budgets = attributes["grid"][budget]
    opened = Store(path, combinations, len(plan.regimes), len(budgets))
    rows = combinations.dims == (ROW,)
    known: dict[str, Any] = {ROW: np.arange(combinations.shape[0])} if rows else dict(combinations.columns)
    known |= {REGIME: list(plan.regimes), budget: budgets, QUANTITY: combinations.contents.quantities}
    known |= {HYPERPARAMETER: combinations.contents.burning}
    return opened, known


def in_blocks(combinations: Combinations, sides: Any) -> Combinations:
    """Return combinations in blocks of the sides that a store has.

    Raises:
        ValueError: they are none.
    """
    shape = combinations.shape
    if not isinstance(sides, list) or len(sides) != len(shape):
        raise bad("a store's blocks have a side for each axis", sides, _ANOTHER)
    if not all(isinstance(side, int) and 0 < side <= n for side, n in zip(sides, shape)):
        raise bad("the side of a store's block is at least 1 and at most its axis", sides, _ANOTHER)
    return replace(combinations, block=tuple(sides))


def _check_arrays(opened: Store, budget: str, known: Mapping[str, Any]) -> None:
    """Refuse arrays of another shape than a sweep's, or packed otherwise, before any of them is read."""
    arrays, expected = _metadata(opened.path)["consolidated_metadata"]["metadata"], _of_blocks(opened, budget)
    if not {*expected, *known} <= set(arrays):
        raise ValueError
    for name, array in arrays.items():
        if name not in expected:
            shape = [len(known[axis]) for axis in array["dimension_names"]]
            expected[name] = _array(shape, shape, array["data_type"], array["dimension_names"], {})
        if _laid_out(array) != _laid_out(expected[name]):
            raise ValueError


def _laid_out(array: Mapping[str, Any]) -> tuple[Any, ...]:
    """What of an array's metadata decides how much is read, and how."""
    said = (array[key] for key in ("shape", "data_type", "chunk_grid", "dimension_names"))
    return *said, [codec["name"] for codec in array["codecs"]]


def loaded(data: xarray.Dataset) -> xarray.Dataset:
    """Return what is read of a sweep in memory.

    Raises:
        ValueError: it is too large, or damaged.
    """
    if data.nbytes > SAVED:
        rule = f"{data.nbytes / 2**30:,.0f} GiB of a sweep are read at once, more than {SAVED / 2**30:.0f}"
        raise bad(rule, dict(data.sizes), "a part of it in Python: hpgrid.open_sweep(STORE).sel(...)")
    try:
        return data.load()
    except (OSError, RuntimeError, ValueError) as error:
        raise bad(f"the store is damaged ({type(error).__name__})", dict(data.sizes), _AGAIN) from None


def write_slopes(data: xarray.Dataset, path: Path) -> None:
    """Write a row for every combination, regime and quantity of a sweep to a CSV file, whole."""
    data = loaded(data[["slope_hat", "burn_in_hat", "burn_in_star", *COLUMNS]])
    like = data["slope_hat"]
    order = tuple(str(dim) for dim in like.dims)
    burned = {
        name: data[name].rename({HYPERPARAMETER: QUANTITY}).reindex({QUANTITY: data[QUANTITY].values})
        for name in ("burn_in_hat", "burn_in_star")
    }
    held = [str(name) for name in data.coords if set(data[name].dims) <= {*order} - {REGIME, QUANTITY}]
    columns = {name: data[name] for name in (REGIME, *held, QUANTITY, *COLUMNS)} | burned
    write_table(path, {k: x.broadcast_like(like).transpose(*order).values.ravel() for k, x in columns.items()})
