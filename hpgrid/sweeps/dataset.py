"""A store as an xarray Dataset, and its slopes as a flat table."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hpgrid.record import write_whole
from hpgrid.sweeps.layout import HYPERPARAMETER, MARKER, QUANTITY
from hpgrid.sweeps.store import attributes_of

if TYPE_CHECKING:
    import xarray

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
    told = {"blocks": int(marked.size), "whole_blocks": int(marked.sum())}
    named = data.drop_vars(MARKER).assign_attrs({**data.attrs, **told})
    return named.set_coords([name for name in ("alpha",) if name in named.variables])


def write_slopes(data: xarray.Dataset, path: Path) -> None:
    """Write a row for every combination, regime and quantity to a CSV file, whole.

    Args:
        data: the sweep.
        path: where it goes.
    """
    like = data["slope_hat"]
    order = tuple(str(dim) for dim in like.dims)
    burned = {
        name: data[name].rename({HYPERPARAMETER: QUANTITY}).reindex({QUANTITY: data[QUANTITY].values})
        for name in ("burn_in_hat", "burn_in_star")
    }
    held = [str(name) for name in data.coords if set(data[name].dims) <= {*order} - {"regime", QUANTITY}]
    columns = {name: data[name] for name in ("regime", *held, QUANTITY, *COLUMNS)} | burned
    flat = [column.broadcast_like(like).transpose(*order).values.ravel().tolist() for column in columns.values()]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*flat))
    write_whole(path, lambda file: file.write(text.getvalue().encode()))
