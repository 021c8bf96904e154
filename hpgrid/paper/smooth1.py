"""D-smoothness: over random pairs, in its worst case, and what noise needs of it; Muon's oracle as it is run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hpgrid.checks import NOISE_KINDS, OPTIMIZERS, bad, check_choice, check_count, read_shape
from hpgrid.config import Config
from hpgrid.norms import Norm, named
from hpgrid.paper.data import FigureData, config_data
from hpgrid.plotting.style import decades, label_values, new_figure
from hpgrid.readings import Reading
from hpgrid.shapes import Floats
from hpgrid.theory import cesista_laws as theory

#: How many standard errors a mean may be off: one in 16000 by chance.
SURE = 4.0

#: The norms whose panels show what noise needs; of an inner product's it is 1.
NEEDED = ("max", "spectral")

#: A sum of up to some thousand terms, relatively.
ROUNDING = 1e-12


def compute(config: Config) -> FigureData:
    """Return the figure's arrays and checks."""
    from hpgrid.newton_schulz import singular_value_map
    from hpgrid.stochastic.smoothness import worst_case

    own = config.parameters
    for norm in own["norms"]:
        check_choice("norm", norm, tuple(dict.fromkeys(OPTIMIZERS.values())))
    for noise in own["noises"]:
        check_choice("noise", noise, NOISE_KINDS)
    for name, least in {"seed": 0, "pairs": 2, "halvings": 2, "draws": 2}.items():
        check_count(name, own[name], least)
    for b in own["batches"]:
        check_count("a batch size", b, 1)
    if len(set(own["norms"])) < len(own["norms"]):
        raise bad("norms are named once", own["norms"], 'norms = ["max", "spectral"], say')
    shapes = [read_shape(text) for text in own["shapes"]]
    options = {**own, "shapes": shapes, "noise_shape": read_shape(own["noise_shape"])}

    arrays: dict[str, Any] = {"s_in": np.logspace(-4, 0, 400)}
    arrays["s_out"] = singular_value_map(arrays["s_in"])
    checks: list[Reading] = []
    verdicts = {}
    for norm in map(named, options["norms"]):
        for shape in options["shapes"]:
            checks += _pairs(arrays, norm, shape, options)
        worst = worst_case(norm, options["shapes"][-1], seed=options["seed"], halvings=options["halvings"])
        arrays[f"halved_{norm.name}"], verdicts[norm.name] = worst.steepest, worst.verdict
        for noise in options["noises"] if norm.name in NEEDED else ():
            checks.append(_noise(arrays, norm, noise, options))
    return FigureData(config.figure, config_data(config), arrays, tuple(checks), {"worst_case": verdicts})


# --- measuring ---


def _pairs(arrays: dict[str, Any], norm: Norm, shape: tuple[int, int], options: Mapping[str, Any]) -> Iterator[Reading]:
    """Random pairs of one norm and shape: their statistics, and what the text says of them."""
    from hpgrid.stochastic.smoothness import quotients, statistics

    size = f"{shape[0]}x{shape[1]}"
    values = quotients(norm, shape, options["pairs"], seed=options["seed"])._asdict()
    every = {kind: statistics(own) for kind, own in values.items()}
    for kind, one in every.items():
        # Nine tenths of the pairs lie between.
        low, high = one.quantiles[0.05], one.quantiles[0.95]
        arrays[f"{kind}_{norm.name}_{size}"] = np.array([one.mean, low, high, one.maximum])
        if shape == options["shapes"][-1]:
            arrays[f"counts_{kind}_{norm.name}"], arrays[f"running_{kind}_{norm.name}"] = one.counts, one.running
    one = every["oracle"]
    numbers = one.error, one.pairs
    yield _check(f"mean quotient, {norm.name}, {size}", one.mean, theory.PRINTED_D, *numbers)
    if norm.name == "max":
        closed = theory.sign_quotient(math.prod(shape))
        yield _check(f"mean quotient against d/N, {norm.name}, {size}", one.mean, closed, *numbers)


def _noise(arrays: dict[str, Any], norm: Norm, noise: str, options: Mapping[str, Any]) -> Reading:
    """The constant that Lemma 5 needs, held at the largest batch size against the text's D."""
    from hpgrid.stochastic.samples import NOISES, effective

    shape, batches = options["noise_shape"], sorted(set(options["batches"]))
    needed = effective(norm, NOISES[noise], shape, batches, draws=options["draws"], seed=options["seed"])
    arrays["b"] = needed.b
    arrays[f"needed_{norm.name}_{noise}"] = needed.constant
    arrays[f"needed_error_{norm.name}_{noise}"] = needed.error
    arrays[f"needed_most_{norm.name}"] = np.array(needed.bound)
    what = f"what {noise} noise needs, {norm.name}, b = {needed.b[-1]}"
    constant, error = float(needed.constant[-1]), float(needed.error[-1])
    return _check(what, constant, theory.PRINTED_D, error, int(needed.b[-1]))


def _check(what: str, measured: float, predicted: float, error: float, last: int) -> Reading:
    tolerance = SURE * error + ROUNDING
    enough = math.isfinite(measured + tolerance)
    note = f"{SURE:g} standard errors" if enough else "too few pairs that differ"
    return Reading(what, "sampled", measured, predicted, tolerance, window=(1, last), note=note)


# --- drawing ---

#: How each norm is called, and drawn: a colour, a marker, dashes.
_LOOK: dict[str, dict[str, Any]] = {
    "frobenius": {"label": "Frobenius (SGD)", "color": "0.45", "marker": "s"},
    "max": {"label": "max (signSGD, AdamW)", "color": "#d95f02", "marker": "^"},
    "spectral": {"label": "spectral (Muon, SOAP)", "color": "#1b4f9c", "marker": "o"},
}

#: How pairs are drawn at random.
_SAMPLINGS = {"oracle": "pairs of LMOs (A2)", "gaussian": "Gaussian pairs"}

_NOISE_LOOK: dict[str, dict[str, Any]] = {
    "gaussian": {"color": "0.45", "marker": "s"},
    "one-hot": {"color": "#d95f02", "marker": "^"},
    "rank-one": {"color": "#1b4f9c", "marker": "o"},
}


def draw(data: FigureData) -> Figure:
    """Return the figure, six panels."""
    options, arrays = data.config["parameters"], data.arrays
    norms, last = options["norms"], _times(options["shapes"][-1])
    needs = [f"what noise needs, {norm}, {_times(options['noise_shape'])}" for norm in NEEDED]
    titles = ["quotient of random pairs", f"largest of so many, {last}", f"worst pair, halved, {last}", *needs]
    figure, axes = new_figure(2, 3, (10.2, 6.0), [*titles, "Newton-Schulz, 5 steps"])
    by_shape, running, halved, *needed, newton_schulz = axes
    _by_shape(by_shape, arrays, norms, options["shapes"])

    for kind, style in (("oracle", "-"), ("gaussian", ":")):
        for norm in norms:
            x = arrays[f"counts_{kind}_{norm}"]
            running.plot(x, arrays[f"running_{kind}_{norm}"], style, color=_LOOK[norm]["color"])
        running.plot([], [], style, color="0.3", label=_SAMPLINGS[kind])
    _printed(running)
    _log_x(running, x)
    running.set(xlabel="pairs", ylabel="largest quotient")
    running.legend(loc="center right")

    for norm in norms:
        look, y = _LOOK[norm], arrays[f"halved_{norm}"]
        halved.plot(np.arange(len(y)), y, color=look["color"], marker=look["marker"], markersize=3.5)
    _printed(halved)
    halved.set_yscale("log")
    label_values(halved.yaxis, decades(*halved.get_ylim(), 8))
    halved.set(xlabel="halvings", ylabel="quotient")

    for ax, norm in zip(needed, NEEDED):
        if norm in norms:
            _needed(ax, arrays, norm, options["noises"])

    newton_schulz.plot(arrays["s_in"], arrays["s_out"], color=_LOOK["spectral"]["color"])
    newton_schulz.axhline(1.0, linestyle="--", color="0.1", linewidth=1.2, label="exact oracle")
    _log_x(newton_schulz, arrays["s_in"])
    newton_schulz.set(ylim=(0, 1.3), xlabel=r"singular value, of $\|C\|_F$", ylabel="singular value of the answer")
    newton_schulz.legend(loc="lower right")
    return figure


def _times(shape: str) -> str:
    return shape.replace("x", r"$\times$")


def _printed(axes: Axes, label: str | None = None) -> None:
    """Draw the D of the text."""
    axes.axhline(theory.PRINTED_D, linestyle="--", color="0.1", linewidth=1.2, label=label, zorder=6)


def _by_shape(axes: Axes, arrays: Mapping[str, Any], norms: list[str], shapes: list[str]) -> None:
    """Mean, the middle 90% and the maximum; filled on the unit sphere, hollow in general position."""
    for i, norm in enumerate(norms):
        look = _LOOK[norm]
        for kind, shift in (("oracle", -0.06), ("gaussian", 0.06)):
            mean, low, high, most = np.array([arrays[f"{kind}_{norm}_{shape}"] for shape in shapes]).T
            # Norms side by side at each shape, and the two samplings of each a little apart.
            x = np.arange(len(shapes)) + 0.27 * (i - (len(norms) - 1) / 2) + shift
            face = look["color"] if kind == "oracle" else "white"
            axes.vlines(x, low, high, color=look["color"], linewidth=1.2, zorder=3)
            axes.plot(x, most, "_", color=look["color"], markersize=5, zorder=3)
            axes.plot(
                x, mean, look["marker"], color=look["color"], markersize=4, markerfacecolor=face, zorder=4,
                label=look["label"] if kind == "oracle" else None,
            )  # fmt: skip
    _printed(axes, "text: $D = 1$")
    axes.plot([], [], "_", color="0.3", label="largest")
    for kind, face in (("oracle", "0.3"), ("gaussian", "white")):
        axes.plot([], [], "D", color="0.3", markersize=4, markerfacecolor=face, label=_SAMPLINGS[kind])
    _log_y(axes, [1, 2, 5, 10, 20, 50])
    axes.set_xticks(range(len(shapes)), [_times(shape) for shape in shapes], rotation=35)
    axes.tick_params(axis="x", labelsize="small")
    axes.set_ylabel("quotient: $D$ is at least")
    axes.figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4)


def _needed(axes: Axes, arrays: Mapping[str, Any], norm: str, noises: list[str]) -> None:
    """b E||mean||^2/E||xi||^2 by b, and what it can't exceed."""
    b = arrays["b"]
    for noise in noises:
        y, error = arrays[f"needed_{norm}_{noise}"], arrays[f"needed_error_{norm}_{noise}"]
        axes.errorbar(b, y, 1.96 * error, markersize=3.5, elinewidth=1, label=noise, **_NOISE_LOOK[noise])
    most = float(arrays[f"needed_most_{norm}"])
    axes.axhline(most, linestyle=":", color="0.1", linewidth=1.2, label=r"$\kappa_2^2/\kappa_1^2$", zorder=5)
    _printed(axes)
    _log_x(axes, b)
    _log_y(axes, [1, 2, 5, 10, 20] if most < 100 else [1, 10, 100, 1000])
    axes.set(xlabel="batch size $b$", ylabel=r"$b\,E\|\bar\xi\|^{\dagger 2}/E\|\xi\|^{\dagger 2}$")
    elsewhere: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (0, 0.93)}
    axes.legend(**({"loc": "center right"} if most < 100 else elsewhere))


def _log_x(axes: Axes, x: Floats) -> None:
    """Give the x axis a log scale, its decades alone."""
    axes.set_xscale("log")
    label_values(axes.xaxis, decades(float(x[0]), float(x[-1])))


def _log_y(axes: Axes, ticks: list[int]) -> None:
    """Give the y axis a log scale with plain numbers, those of ``ticks`` that it reaches."""
    axes.set_yscale("log")
    lo, hi = axes.get_ylim()
    label_values(axes.yaxis, [t for t in ticks if lo <= t <= hi], "{:g}".format)
