"""A survey as a table, as plain data, and as an xarray Dataset, which netCDF keeps whole."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hpgrid.record import made_with, plain, write_whole
from hpgrid.tuning.survey import Survey, SurveySlope

if TYPE_CHECKING:
    import xarray

#: In what each quantity is counted; the others have no unit.
UNITS = {"b": "tokens", "T": "tokens", "K": "iterations"}

#: The numbers of a slope, and what they mean.
SLOPE = {
    "slope": "d log / d log budget, fitted to the grid's curve",
    "tolerance": "how far that may be from the law's exponent: the grid's part and the window's",
    "error": "the grid's part: the argmin's uncertainty over the window",
    "bias": "the window's part: the continuous optimum's slope there, less its slope twenty decades further out",
    "far": "local exponent of the refined optimum, twenty decades beyond the largest budget; NaN: none",
    "exact": "exact exponent as the budget grows; NaN: none",
    "window_lo": "the first budget of the fit",
    "window_hi": "the last",
    "points": "budgets that were used",
    "edge_points": "budgets in the window that were left out, an optimum being at the edge",
}


def columns(found: Survey) -> dict[str, tuple[np.ndarray[Any, Any], str]]:
    """Return every array over the budgets with what it means, by name."""
    out: dict[str, tuple[np.ndarray[Any, Any], str]] = {}
    for v in ("risk", *found.question.regime.tuned):
        what = "the least risk" if v == "risk" else f"the best {v}"
        out[f"{v}_hat"] = (found.hat[v], f"{what} on the grid; {'inf' if v == 'risk' else 'NaN'} where there is none")
        if v != "risk":
            out[f"{v}_edge"] = (found.edge[v], f"{what} on the grid sits on its border: it says nothing")
        out[f"{v}_star"] = (found.star[v], f"{what}, refined; NaN where there is none")
        out[f"{v}_exponent"] = (found.exponent[v], f"d log {v} / d log {found.question.budget} of the refined optimum")
        if v != "risk":
            out[f"{v}_runs_off"] = (found.runs_off[v], f"{v} has no best value: it runs off to 0 or infinity")
    out["below_one_K"] = (found.below_one_K, "the grid's best cell has fewer than one iteration")
    if found.unresolved is not None:
        out["unresolved"] = (found.unresolved, "float32 can't say which cell is best")
    return out


def slope_numbers(slope: SurveySlope) -> dict[str, float | int]:
    """Return the numbers of a slope, by the names of ``SLOPE``."""
    fit = slope.measured.fit
    return {
        "slope": fit.slope,
        "tolerance": slope.measured.tolerance,
        "error": fit.error,
        "bias": slope.measured.bias,
        "far": slope.far,
        "exact": float("nan") if slope.exact is None else float(slope.exact),
        "window_lo": fit.window[0],
        "window_hi": fit.window[1],
        "points": fit.points,
        "edge_points": fit.edge_points,
    }


def asked(found: Survey) -> dict[str, Any]:
    """Return what was asked, as plain data."""
    question = found.question
    regime = question.regime
    return {
        "bound": question.proxy.name,
        "constants": dict(question.proxy.constants),
        "budget": question.budget,
        "tuned": list(regime.tuned),
        "fixed": dict(regime.fixed),
        "path": {v: str(power) for v, power in regime.path.items()},
        "caps": question.caps,
        "min_K": question.min_K,
        "grid": dict(question.grid.describe()),
        "dtype": question.dtype,
    }


def survey_dict(found: Survey) -> dict[str, Any]:
    """Return a survey as plain data for JSON: NaN and infinity become null, fractions text."""
    slopes = {
        slope.measured.name: slope_numbers(slope)
        | {"exact": None if slope.exact is None else str(slope.exact), "verdict": slope.verdict}
        for slope in found.slopes
    }
    arrays = {name: array.tolist() for name, (array, _) in columns(found).items()}
    whole = {
        **asked(found),
        "points": found.points,
        "no_law": found.no_law,
        "budgets": found.question.budgets.tolist(),
        **arrays,
        "slopes": slopes,
    }
    return dict(plain(whole))


def write_csv(found: Survey, path: Path) -> None:
    """Write a row for every budget to a CSV file, whole; numbers read back as the same bits."""
    arrays = {found.question.budget: found.question.budgets} | {k: x for k, (x, _) in columns(found).items()}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(arrays)
    writer.writerows(zip(*(array.tolist() for array in arrays.values())))
    write_whole(path, lambda file: file.write(text.getvalue().encode()))


def dataset(found: Survey) -> xarray.Dataset:
    """Return a survey as an xarray Dataset over the budgets and over the quantities that slopes are of."""
    import xarray

    budget = found.question.budget
    names = [slope.measured.name for slope in found.slopes]
    data: dict[str, Any] = {}
    for name, (array, meaning) in columns(found).items():
        data[name] = ((budget,), array, _attributes(name.rsplit("_", 1)[0], meaning, array.dtype))
    rows = [slope_numbers(slope) for slope in found.slopes]
    for key, meaning in SLOPE.items():
        unit = {"window_lo": budget, "window_hi": budget}.get(key, "")
        array = np.array([row[key] for row in rows])
        data[key] = (("quantity",), array, _attributes(unit, meaning, array.dtype))
    texts = {
        "exact_exponent": (["" if s.exact is None else str(s.exact) for s in found.slopes], "the same, as a fraction"),
        "verdict": ([s.verdict for s in found.slopes], "what the grid's slope says of the exact exponent"),
    }
    data |= {key: (("quantity",), values, {"long_name": meaning}) for key, (values, meaning) in texts.items()}
    axes = {
        budget: ((budget,), found.question.budgets, {"long_name": "budget", "units": UNITS[budget]}),
        "quantity": (("quantity",), names, {"long_name": "what a slope is of"}),
    }
    return xarray.Dataset(data, axes, _global(found))


def _attributes(quantity: str, meaning: str, dtype: np.dtype[Any]) -> dict[str, str]:
    exponent = "exponent" in meaning or meaning.startswith("d log")
    unit = "1" if exponent or dtype.kind == "b" else UNITS.get(quantity, "1")
    return {"long_name": meaning, "units": unit}


def _global(found: Survey) -> dict[str, Any]:
    """What was asked and what it was made with, in what netCDF's attributes can hold: text and numbers."""
    import json

    made = made_with(found.question.dtype)
    told = {key: x if isinstance(x, (str, float)) else json.dumps(x) for key, x in asked(found).items()}
    told["min_K"] = "none" if found.question.min_K is None else found.question.min_K
    versions = ", ".join(f"{name} {version}" for name, version in made["versions"].items())
    no_law = {"no_law": found.no_law} if found.no_law else {}
    return {"title": "hpgrid search", **told, **no_law, "cells": float(found.points), "versions": versions}


def write_netcdf(found: Survey, path: Path) -> None:
    """Write a survey to a netCDF file, whole: ``xarray.open_dataset`` gives back every name, flag and attribute."""
    content = dataset(found).to_netcdf(engine="scipy")
    write_whole(path, lambda file: file.write(content))
