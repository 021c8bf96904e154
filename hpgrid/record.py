"""Files: read if they are files of a size that can be, written whole or not at all; and what they were made with."""

from __future__ import annotations

import csv
import errno
import io
import json
import math
import os
import platform
import re
import stat
import sys
import tempfile
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from hpgrid.checks import bad, note

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Raised when the meaning of a written file changes.
SCHEMA = 1

#: The packages whose versions decide the bits of a result.
_PACKAGES = ("hpgrid", "jax", "jaxlib", "numpy", "matplotlib")


#: The most bytes of a file that a person writes, and of one that hpgrid does: what is larger is another file.
WRITTEN, SAVED = 2**26, 2**34


def read_whole(path: Path, most: int = WRITTEN, links: bool = True) -> bytes:
    """Return what a file holds.

    Args:
        path: the file.
        most: the most bytes it may have.
        links: whether it may be a symbolic link.

    Raises:
        OSError: it can't be read, or is a pipe or a device, which may never end, or is larger.
    """
    # A pipe that nobody writes to would be waited for.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | (0 if links else os.O_NOFOLLOW))
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is a folder" if stat.S_ISDIR(found.st_mode) else "it is no regular file")
        if found.st_size > most:
            raise OSError(errno.EFBIG, f"it has more than {most} bytes")
        return file.read(found.st_size)


#: Bytes that no text has, whatever its encoding, but for UTF-16.
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1f]")


def read_text(path: Path, rule: str, most: int = WRITTEN, other: str | None = None) -> str:
    """Return the text of a file that a person wrote: UTF-8, or what a byte order mark says is UTF-16.

    Args:
        path: the file.
        rule: what it must be, for the message.
        most: the most bytes it may have.
        other: the encoding of a text that is neither, which is remarked on; by default there is none.

    Raises:
        ValueError: it can't be read, or is no text.
    """
    try:
        held = read_whole(path, most)
        try:
            return held.decode("utf-16" if held[:2] in (BOM_UTF16_LE, BOM_UTF16_BE) else "utf-8-sig")
        except UnicodeDecodeError:
            if other is None or _NO_TEXT.search(held):
                raise
            text = held.decode(other)
        note(f"{path.name} is not UTF-8 text: it is read as {other}")
        return text
    except UnicodeDecodeError:
        reason: object = "it is not UTF-8 text"
    except OSError as error:
        reason = error.strerror
    except ValueError as error:
        reason = error
    raise bad(f"{rule} ({reason})", str(path), "the path of one")


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file aside and put it in place once it is whole.

    Args:
        path: where it goes.
        write: writes the content to an open binary file.

    Raises:
        ValueError: the folder can't be written to.
    """
    try:
        handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        raise bad(f"the output folder must be writable ({error.strerror})", str(path.parent), "--out DIR") from None
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
        # mkstemp makes files that nobody else can read; a mask is read by setting one.
        mask = os.umask(0)
        os.umask(mask)
        Path(aside).chmod(0o666 & ~mask)
        Path(aside).replace(path)
    except BaseException as error:
        Path(aside).unlink()
        if isinstance(error, OSError):
            raise bad(
                f"{path.name} can't be written ({error.strerror})", str(path), "another folder, or room"
            ) from None
        raise


def check_local(path: Path) -> None:
    """Refuse what can be no file's name here: the address of one elsewhere, which would become a folder of that name.

    Raises:
        ValueError: it is an address, or has a character that no name has.
    """
    # Of s3://bucket a path makes s3:/bucket; a letter and a colon are a drive.
    if (len(path.parts) > 1 and re.fullmatch(r"[A-Za-z][\w+.-]+:", path.parts[0])) or "\0" in str(path):
        raise bad("a path leads to a file on this machine", str(path), "a path here, without an address in front")


def make_folder(folder: Path, instead: str = "--out DIR") -> None:
    """Make the output folder, and check that it can be written to before anything is computed.

    Args:
        folder: where files will go.
        instead: what a person would write to choose another, for the message.

    Raises:
        ValueError: it can't be made or written to.
    """
    check_local(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, probe = tempfile.mkstemp(dir=folder, prefix=".probe.")
    except OSError as error:
        raise bad(f"the output folder must be writable ({error.strerror})", str(folder), instead) from None
    os.close(handle)
    Path(probe).unlink()


def write_text(path: Path, text: str) -> None:
    """Write text, whole."""
    write_whole(path, lambda file: file.write(text.encode()))


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write JSON, whole; NaN and infinities, which JSON lacks, become null."""
    write_text(path, json.dumps(plain(data), indent=2, allow_nan=False) + "\n")


def write_table(path: Path, columns: Mapping[str, NDArray[Any]]) -> None:
    """Write columns of one length to a CSV file, whole; numbers read back as the same bits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*(column.tolist() for column in columns.values())))
    write_text(path, text.getvalue())


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays to an .npz file, whole."""
    import numpy as np

    write_whole(path, lambda file: np.savez_compressed(file, **dict(arrays)))  # type: ignore[arg-type]


def made_with(dtype: str) -> dict[str, Any]:
    """Return versions, device and dtype: what decides the bits of a result."""
    import jax

    devices = jax.devices()
    return {
        "versions": versions(),
        "device": {"platform": devices[0].platform, "kind": devices[0].device_kind, "count": len(devices)},
        "dtype": dtype,
    }


def versions() -> dict[str, str]:
    """Return those of Python and of the packages, none of which is loaded for it."""
    return {"python": platform.python_version()} | {name: _version(name) for name in _PACKAGES}


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version  # 15 ms

    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def flat_attributes(data: Mapping[str, Any]) -> dict[str, str | int | float]:
    """Return plain data as attributes that netCDF can hold: text and numbers as they are, all else as JSON."""
    return {key: x if isinstance(x, (str, int, float)) else json.dumps(x) for key, x in data.items()}


def plain(value: Any) -> Any:
    """Return a value as JSON has it: records as tables, None for NaN and infinities, text for what has no form."""
    numpy = sys.modules.get("numpy")  # where it isn't loaded, no value is of its kinds: JSON alone need not wait for it
    if numpy is not None and isinstance(value, (numpy.ndarray, numpy.generic)):
        return plain(value.tolist())
    if is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    elif hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, (int, str, bool, type(None))) else str(value)
