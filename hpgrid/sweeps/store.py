"""A sweep's store: a Zarr group whose blocks count once their marker, written last, is there.

A block is one chunk of every array. Its marker holds the SHA-256 of each of these files, so that whatever cut
a write short, or damaged it later, is found, and the block computed again. The store itself is made aside and
renamed, whole. Writers hold a lock that the system drops when they die.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np
import zarr
from numpy.typing import NDArray

from hpgrid.checks import bad
from hpgrid.sweeps.combinations import Combinations
from hpgrid.sweeps.layout import MARKER, SPECS, UNITS

Array = NDArray[Any]

#: Attributes that a store may differ in and still be gone on with.
LOOSE = ("created",)


@dataclass(frozen=True)
class Store:
    """An open store.

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
            digest == bytes(said) for digest, said in zip(self._digests(number), marker, strict=True)
        )

    def begun(self, number: int) -> bool:
        """Return whether a block has a marker at all."""
        return bool(np.asarray(self.group[MARKER][number]).any())  # type: ignore[index]

    def write(self, number: int, parts: Mapping[str, Array]) -> None:
        """Write a block: every part, on the disk, and then its marker."""
        where = self.corners[number]
        shape = tuple(part.stop - part.start for part in where)
        with zarr.config.set({"array.write_empty_chunks": True}):  # a part of zeros has a file, too
            for name in SPECS:
                array = parts[name]
                whole = array.reshape(array.shape[0], *shape, *array.shape[2:])
                self.group[name][(slice(None), *where)] = whole  # type: ignore[index]
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
        aside.chmod(0o755)
        with suppress(OSError):  # another process was first
            aside.rename(path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _fill(path: Path, combinations: Combinations, static: Mapping[str, Any], attributes: Mapping[str, Any]) -> None:
    group = zarr.create_group(path, attributes=dict(attributes))
    sizes = {dims[0]: len(values) for dims, values, _ in static.values() if len(dims) == 1}
    for name, (dims, values, said) in static.items():
        data = np.asarray(values)
        text = data.dtype.kind == "U"
        made = group.create_array(
            name, shape=data.shape, chunks=data.shape or (), dtype=str if text else data.dtype,
            dimension_names=dims, attributes=dict(said),
        )  # fmt: skip
        made[...] = data.astype(object) if text else data
    for name, spec in SPECS.items():
        after = tuple(attributes["budget"] if axis == "budget" else axis for axis in spec.after)
        rest = tuple(sizes[axis] for axis in after)
        regimes = sizes["regime"]
        group.create_array(
            name,
            shape=(regimes, *combinations.shape, *rest),
            chunks=(regimes, *combinations.block, *rest),
            dtype=spec.dtype,
            fill_value={"float64": np.nan, "bool": False, "int64": 0}[spec.dtype],
            dimension_names=("regime", *combinations.dims, *after),
            attributes=_said(name, spec.meaning),
        )
    group.create_array(
        MARKER,
        shape=(int(np.prod(combinations.blocks)), len(SPECS), 32),
        chunks=(1, len(SPECS), 32),
        dtype="uint8",
        dimension_names=("block", "part", "byte"),
        attributes={"long_name": "SHA-256 of the files of each block; 0 where it is not whole"},
    )
    with warnings.catch_warnings():  # not yet in Zarr's specification, but what xarray looks for first
        warnings.simplefilter("ignore", zarr.errors.ZarrUserWarning)
        zarr.consolidate_metadata(path)


def _said(name: str, meaning: str) -> dict[str, Any]:
    counted = UNITS.get(name.split("_")[0]) if name.endswith(("_hat", "_star")) else None
    return {"long_name": meaning} | ({"units": counted} if counted else {})


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
    """Refuse a store that was made by another config, version or grid, saying what differs.

    Args:
        path: the store.
        there: what it says of itself.
        expected: what this run would have it say.

    Raises:
        ValueError: see the message.
    """
    theirs, ours = ({k: v for k, v in each.items() if k not in LOOSE} for each in (there, expected))
    found = list(_differences(theirs, ours, ""))
    if found:
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        rule = "this store was made otherwise: " + "; ".join(found[:3]) + more
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
        if not _locked(mine, fcntl.LOCK_EX):
            raise bad("another process writes these blocks", str(path), "another --process-id, or wait for its end")
        if _locked(everyone, fcntl.LOCK_EX):  # nobody else writes: say in how many parts
            everyone.truncate(0)
            everyone.write(str(processes))
            everyone.flush()
        _share(everyone)
        everyone.seek(0)
        said = everyone.read()
        if said != str(processes):
            rule = f"the processes that write this store are {said}"
            raise bad(rule, processes, f"--processes {said}, or wait for their end")
        yield


def _locked(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _share(file: IO[str]) -> None:
    fcntl.flock(file, fcntl.LOCK_SH)
