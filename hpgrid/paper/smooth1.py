"""D-smoothness: over random pairs, in its worst case, and what noise needs of it; Muon's oracle as it is run."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from hpgrid.checks import NOISE_KINDS, OPTIMIZERS, bad, check_choice, check_count, read_shape
from hpgrid.config import Config
from hpgrid.norms import Norm, named
from hpgrid.paper.data import FigureData, config_data
from hpgrid.plotting.style import letter, new_figure, power_of_ten, styled
from hpgrid.readings import Reading
from hpgrid.theory import cesista_laws as theory

#: How many standard errors a mean may be off: one in 16000 by chance.
SURE = 4.0

#: The norms whose panels show what noise needs; of an inner product's it is 1.
NEEDED = ("max", "spectral")

#: A sum of up to some thousand terms, relatively.
ROUNDING = 1e-12


def compute(config: Config, name: str = "smooth1") -> FigureData:
    """Return the figure's arrays and checks."""
    from hpgrid.stochastic.oracles import singular_value_map

    started = time.perf_counter()
    given = _checked(config.parameters)
    arrays: dict[str, Any] = {"s_in": np.logspace(-4, 0, 400)}
    arrays["s_out"] = singular_value_map(arrays["s_in"])
    checks: list[Reading] = []
    verdicts = {}
    for norm in given["norms"]:
        for shape in given["shapes"]:
            checks += _pairs(arrays, named(norm), shape, given)
        verdicts[norm] = _worst(arrays, named(norm), given)
        for noise in given["noises"] if norm in NEEDED else ():
            checks += _noise(arrays, named(norm), noise, given)
    notes = {"worst_case": verdicts}
    return FigureData(name, config_data(config), arrays, tuple(checks), notes, time.perf_counter() - started)


def _checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with names known and ranges held, shapes as pairs of numbers."""
    for norm in given["norms"]:
        check_choice("norm", norm, tuple(dict.fromkeys(OPTIMIZERS.values())))
    for noise in given["noises"]:
        check_choice("noise", noise, NOISE_KINDS)
    for least, names in ((0, ("seed",)), (2, ("pairs", "halvings", "draws"))):
        for one in names:
            check_count(one, given[one], least)
    for b in given["batches"]:
        check_count("a batch size", b, 1)
    if len(set(given["norms"])) < len(given["norms"]):
        raise bad("norms are named once", given["norms"], 'norms = ["max", "spectral"], say')
    shapes = [read_shape(text) for text in given["shapes"]]
    return {**given, "shapes": shapes, "noise_shape": read_shape(given["noise_shape"])}


def _text(shape: tuple[int, int]) -> str:
    return f"{shape[0]}x{shape[1]}"


# --- measuring ---


def _pairs(arrays: dict[str, Any], norm: Norm, shape: tuple[int, int], given: Mapping[str, Any]) -> list[Reading]:
    """Random pairs of one norm and shape: their statistics, and what the text says of them."""
    from hpgrid.stochastic.smoothness import quotients, statistics

    found = quotients(norm, shape, given["pairs"], seed=given["seed"])._asdict()
    every = {kind: statistics(values) for kind, values in found.items()}
    for kind, one in every.items():
        low, high = one.quantiles[0.05], one.quantiles[0.95]
        arrays[f"{kind}_{norm.name}_{_text(shape)}"] = np.array([one.mean, low, high, one.maximum])
        if shape == given["shapes"][-1]:
            arrays[f"counts_{kind}_{norm.name}"], arrays[f"running_{kind}_{norm.name}"] = one.counts, one.running
    one = every["oracle"]
    tolerance = SURE * one.error + ROUNDING
    where = f"{norm.name}, {_text(shape)}"
    checks = [_check(f"mean quotient, {where}", one.mean, theory.PRINTED_D, tolerance, (1, one.pairs))]
    if norm.name == "max":
        predicted = theory.sign_quotient(math.prod(shape))
        checks.append(_check(f"mean quotient against d/N, {where}", one.mean, predicted, tolerance, (1, one.pairs)))
    return checks


def _worst(arrays: dict[str, Any], norm: Norm, given: Mapping[str, Any]) -> str:
    from hpgrid.stochastic.smoothness import worst_case

    found = worst_case(norm, given["shapes"][-1], seed=given["seed"], halvings=given["halvings"])
    arrays[f"halved_{norm.name}"] = found.steepest
    return found.verdict


def _noise(arrays: dict[str, Any], norm: Norm, noise: str, given: Mapping[str, Any]) -> list[Reading]:
    """The constant that Lemma 5 needs, held at the largest batch size against the text's D."""
    from hpgrid.stochastic.samples import NOISES, effective

    shape, batches = given["noise_shape"], sorted(set(given["batches"]))
    found = effective(norm, NOISES[noise], shape, batches, draws=given["draws"], seed=given["seed"])
    arrays["b"] = found.b
    arrays[f"needed_{norm.name}_{noise}"] = found.constant
    arrays[f"needed_error_{norm.name}_{noise}"] = found.error
    arrays[f"needed_most_{norm.name}"] = np.array(found.bound)
    tolerance = SURE * float(found.error[-1]) + ROUNDING
    what = f"what {noise} noise needs, {norm.name}, b = {found.b[-1]}"
    return [_check(what, float(found.constant[-1]), theory.PRINTED_D, tolerance, (1, int(found.b[-1])))]


def _check(what: str, measured: float, predicted: float, tolerance: float, window: tuple[int, int]) -> Reading:
    enough = math.isfinite(measured + tolerance)
    note = f"{SURE:g} standard errors" if enough else "too few pairs that differ"
    return Reading(what, "sampled", measured, predicted, tolerance, window=window, note=note)


# --- drawing ---

#: How each norm is called, and drawn: a colour, a marker, dashes.
_LOOK: dict[str, dict[str, Any]] = {
    "frobenius": {"label": "Frobenius (SGD)", "color": "0.45", "marker": "s"},
    "max": {"label": "max (signSGD, AdamW)", "color": "#d95f02", "marker": "^"},
    "spectral": {"label": "spectral (Muon, SOAP)", "color": "#1b4f9c", "marker": "o"},
}
_NOISE_LOOK: dict[str, dict[str, Any]] = {
    "gaussian": {"color": "0.45", "marker": "s"},
    "one-hot": {"color": "#d95f02", "marker": "^"},
    "rank-one": {"color": "#1b4f9c", "marker": "o"},
}


def draw(data: FigureData) -> Figure:
    """Return the figure, six panels."""
    given, arrays = data.config["parameters"], data.arrays
    norms, last = given["norms"], _times(given["shapes"][-1])
    with styled():
        figure, axes = new_figure(2, 3, (10.2, 6.0))
        _by_shape(axes[0], arrays, norms, given["shapes"])
        letter(axes[0], 0, "quotient of random pairs")
        _running(axes[1], arrays, norms)
        letter(axes[1], 1, f"largest of so many, {last}")
        _halved(axes[2], arrays, norms)
        letter(axes[2], 2, f"worst pair, halved, {last}")
        for k, norm in enumerate(NEEDED, 3):
            if norm in norms:
                _needed(axes[k], arrays, norm, given["noises"])
            letter(axes[k], k, f"what noise needs, {norm}, {_times(given['noise_shape'])}")
        _newton_schulz(axes[5], arrays)
        letter(axes[5], 5, "Newton-Schulz, 5 steps")
    return figure


def _times(shape: str) -> str:
    return shape.replace("x", r"$\times$")


def _printed(axes: Axes, label: str | None = "text: $D = 1$") -> None:
    axes.axhline(theory.PRINTED_D, linestyle="--", color="0.1", linewidth=1.2, label=label, zorder=6)


def _by_shape(axes: Axes, arrays: Mapping[str, Any], norms: list[str], shapes: list[str]) -> None:
    """Mean, the middle 90% and the maximum; filled on the unit sphere, hollow in general position."""
    for i, norm in enumerate(norms):
        look = _LOOK[norm]
        for kind, shift in (("oracle", -0.06), ("gaussian", 0.06)):
            mean, low, high, most = np.array([arrays[f"{kind}_{norm}_{shape}"] for shape in shapes]).T
            x = np.arange(len(shapes)) + 0.27 * (i - (len(norms) - 1) / 2) + shift
            face = look["color"] if kind == "oracle" else "white"
            axes.vlines(x, low, high, color=look["color"], linewidth=1.2, zorder=3)
            axes.plot(x, most, "_", color=look["color"], markersize=5, zorder=3)
            axes.plot(
                x, mean, look["marker"], color=look["color"], markersize=4, markerfacecolor=face, zorder=4,
                label=look["label"] if kind == "oracle" else None,
            )  # fmt: skip
    _printed(axes)
    axes.plot([], [], "_", color="0.3", label="largest")
    axes.plot([], [], "D", color="0.3", markersize=4, label="pairs of LMOs (A2)")
    axes.plot([], [], "D", color="0.3", markersize=4, markerfacecolor="white", label="Gaussian pairs")
    axes.set_yscale("log")
    _plain_ticks(axes, [1, 2, 5, 10, 20, 50])
    axes.set_xticks(range(len(shapes)), [_times(shape) for shape in shapes], rotation=35)
    axes.tick_params(axis="x", labelsize="small")
    axes.set_ylabel("quotient: $D$ is at least")
    handles, labels = axes.get_legend_handles_labels()
    axes.figure.legend(handles, labels, loc="outside lower center", ncols=4)


def _running(axes: Axes, arrays: Mapping[str, Any], norms: list[str]) -> None:
    styles = {"oracle": ("-", "pairs of LMOs (A2)"), "gaussian": (":", "Gaussian pairs")}
    for kind, (style, label) in styles.items():
        for norm in norms:
            x, y = arrays[f"counts_{kind}_{norm}"], arrays[f"running_{kind}_{norm}"]
            axes.plot(x, y, style, color=_LOOK[norm]["color"])
        axes.plot([], [], style, color="0.3", label=label)
    _printed(axes, None)
    _log(axes.xaxis, axes.set_xscale)
    axes.set_xlabel("pairs")
    axes.set_ylabel("largest quotient")
    axes.legend(loc="center right")


def _halved(axes: Axes, arrays: Mapping[str, Any], norms: list[str]) -> None:
    for norm in norms:
        look = _LOOK[norm]
        y = arrays[f"halved_{norm}"]
        axes.plot(np.arange(len(y)), y, color=look["color"], marker=look["marker"], markersize=3.5)
    _printed(axes, None)
    _log(axes.yaxis, axes.set_yscale)
    axes.set_xlabel("halvings")
    axes.set_ylabel("quotient")


def _needed(axes: Axes, arrays: Mapping[str, Any], norm: str, noises: list[str]) -> None:
    """b E||mean||^2/E||xi||^2 by b, and what it can't exceed."""
    b = arrays["b"]
    for noise in noises:
        y, error = arrays[f"needed_{norm}_{noise}"], arrays[f"needed_error_{norm}_{noise}"]
        axes.errorbar(b, y, 1.96 * error, markersize=3.5, elinewidth=1, label=noise, **_NOISE_LOOK[noise])
    most = float(arrays[f"needed_most_{norm}"])
    axes.axhline(most, linestyle=":", color="0.1", linewidth=1.2, label=r"$\kappa_2^2/\kappa_1^2$", zorder=5)
    _printed(axes, None)
    _log(axes.xaxis, axes.set_xscale)
    axes.set_yscale("log")
    _plain_ticks(axes, [1, 2, 5, 10, 20] if most < 100 else [1, 10, 100, 1000])
    axes.set_xlabel("batch size $b$")
    axes.set_ylabel(r"$b\,E\|\bar\xi\|^{\dagger 2}/E\|\xi\|^{\dagger 2}$")
    place: dict[str, Any] = (
        {"loc": "center right"} if most < 100 else {"loc": "upper left", "bbox_to_anchor": (0, 0.93)}
    )
    axes.legend(**place)


def _newton_schulz(axes: Axes, arrays: Mapping[str, Any]) -> None:
    axes.plot(arrays["s_in"], arrays["s_out"], color=_LOOK["spectral"]["color"])
    axes.axhline(1.0, linestyle="--", color="0.1", linewidth=1.2, label="exact oracle")
    _log(axes.xaxis, axes.set_xscale)
    axes.set_ylim(0, 1.3)
    axes.set_xlabel(r"singular value, of $\|C\|_F$")
    axes.set_ylabel("singular value of the answer")
    axes.legend(loc="lower right")


def _log(axis: Axis, set_scale: Callable[[str], None]) -> None:
    """Give one axis a log scale, its decades alone."""
    set_scale("log")
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(power_of_ten)


def _plain_ticks(axes: Axes, ticks: list[int]) -> None:
    """Label a log axis with plain numbers, those of ``ticks`` that it reaches."""
    lo, hi = axes.get_ylim()
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_yticks([t for t in ticks if lo <= t <= hi], [f"{t:g}" for t in ticks if lo <= t <= hi])
