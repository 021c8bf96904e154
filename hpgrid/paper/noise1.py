"""Gradient noise as it is: the momentum's error against its bounds, the D it needs, and the update's noise."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hpgrid.checks import METHODS, bad, check_count, check_value
from hpgrid.config import Config
from hpgrid.paper.data import FigureData, config_data
from hpgrid.plotting.lines import METHOD_COLORS, METHOD_MARKERS, bound_line, level, measured, padded
from hpgrid.plotting.style import letter, log_axes, new_figure, styled
from hpgrid.readings import Reading
from hpgrid.shapes import Floats as Array
from hpgrid.slopes import MeasuredSlope

#: The moments that are drawn, and what each is called.
SHOWN = {"momentum2": "$M_t$", "nesterov2": "$C_t$"}

#: In the trajectories: kinds whose sigma is known exactly in every norm.
KINDS = ("gaussian", "one-hot")

#: What sums of a few hundred products may be off by, relative to 1.
ROUNDING = 1e-12

#: The runs that are scaled, each in its words.
WHERE = {"far": "gradient stands out", "near": "settled in its noise"}

#: What four times the batch size with twice the learning rate may keep.
KEPT = {"update": "update\nnoise", "gradient": "gradient\nnorm", "loss": "loss"}


def compute(config: Config, name: str = "noise1") -> FigureData:
    """Return the figure's arrays and checks."""
    started = time.perf_counter()
    options = _checked(config.parameters)
    arrays: dict[str, Any] = {"b": np.asarray(options["batches"], float)}
    checks = _moments(options, arrays)
    checks += _samples(options, arrays)
    checks += _updates(options, arrays)
    _scaling(options, arrays)
    notes = {"level_of_all_intervals_of_a_kind_together": 0.99, "seeds": options["seeds"]}
    return FigureData(name, config_data(config), arrays, checks, notes, time.perf_counter() - started)


def _checked(options: Mapping[str, Any]) -> dict[str, Any]:
    """Refuse what can't be run, or where the bounds do not hold, before anything is."""
    for name in ("batches", "update_batches", "scaling_batches"):
        for b in options[name]:
            check_value("b", b)
    for eta in options["eta"]:
        check_value("eta", eta)
    for beta in options["beta"]:
        if not 0 <= beta < 1:
            raise bad("beta must satisfy 0 <= beta < 1", beta, "beta = [0.9], say")
    most = max(options["lam"])
    if min(options["lam"]) < 0 or most * max(max(options["eta"]), options["size"]) > 1:
        raise bad(
            "the bounds need 0 <= lam, lam eta <= 1 and lam ||W_0|| <= 1", options["lam"], "lam = [0.0, 1.0], say"
        )
    for name, least in (("seeds", 2), ("steps", 1), ("samples", 2)):
        check_count(name, options[name], least=least)
    return dict(options)


# --- moments against bounds ---


def _moments(options: Mapping[str, Any], arrays: dict[str, Any]) -> tuple[Reading, ...]:
    """Every norm and noise against Proposition 6 and Corollary 7, with D = 1."""
    from hpgrid.stochastic.momentum import BOUNDS, Experiment, every, held, measure
    from hpgrid.stochastic.problems import quadratic
    from hpgrid.stochastic.samples import NOISES

    setting = every(options["eta"], options["beta"], options["lam"])
    what = Experiment(options["batches"], setting, options["steps"], options["seeds"], options["seed"])
    beta = 1.0 - setting.alpha
    # The column of the smallest step without decay, where most of the error is noise.
    shown = (setting.eta == min(options["eta"])) & (setting.lam == min(options["lam"]))
    column = int(np.flatnonzero(shown)[np.abs(beta[shown] - options["shown_beta"]).argmin()])
    checks = []
    for norm in METHODS:
        problem = quadratic(norm, tuple(options["shape"]), size=options["size"])
        for kind in KINDS:
            means = measure(problem, NOISES[kind], what)
            against = held(problem, means, what)
            for moment in SHOWN:
                one = against[moment]
                arrays[f"{norm}_{kind}_{moment}"] = one.measured.mean[:, column]
                arrays[f"{norm}_{kind}_{moment}_half"] = one.measured.half[:, column]
                arrays[f"{norm}_bound_{moment}"] = one.bound[:, column]
            for moment in BOUNDS:
                checks.append(
                    _at_most(f"{moment}/bound, D = 1, {METHODS[norm]}, {kind}", against[moment], options["batches"])
                )
    return tuple(checks)


def _at_most(name: str, held: Any, b: Sequence[float]) -> Reading:
    """Hold the largest ratio of a measured mean to its bound against 1."""
    note = "largest over b, eta, beta and lam; intervals are simultaneous"
    return replace(held.reading(name), window=_span(b), note=note)


def _span(b: Sequence[float]) -> tuple[float, float]:
    return float(min(b)), float(max(b))


# --- the D that Lemma 5 needs ---


def _samples(options: Mapping[str, Any], arrays: dict[str, Any]) -> tuple[Reading, ...]:
    from hpgrid.norms import NORMS
    from hpgrid.stochastic.samples import NOISES, draws, farthest, needed_smoothness

    shape, checks = tuple(options["sample_shape"]), []
    for kind, noise in NOISES.items():
        means = draws(noise, options["seed"], (1, options["samples"]), options["batches"], shape)[0]
        for norm in METHODS:
            D = needed_smoothness(noise, NORMS[norm], means, options["batches"], shape)
            arrays[f"D_{norm}_{kind}"], arrays[f"D_{norm}_{kind}_half"] = D.mean, D.half
            k = farthest(np.abs(D.mean - 1.0), D.half + ROUNDING)
            name, note = f"D of Lemma 5, {METHODS[norm]}, {kind}", "A2 has it close to 1; farthest from it over b"
            numbers = float(D.mean[k]), 1.0, float(D.half[k] + ROUNDING)
            checks.append(Reading(name, "sampled", *numbers, window=_span(options["batches"]), note=note))
    return tuple(checks)


# --- the update's noise ---


def _updates(options: Mapping[str, Any], arrays: dict[str, Any]) -> tuple[Reading, ...]:
    """At weights that hardly move, so that the gradient and its share of the noise stay what they are."""
    from hpgrid.stochastic.momentum import frozen, power
    from hpgrid.stochastic.samples import Interval

    b = np.asarray(options["update_batches"], float)
    arrays["update_b"], checks = b, []
    for norm in METHODS:
        noise = frozen(norm, b, gradient=options["update_gradient"], **_runs(options))
        arrays[f"update_{norm}"], arrays[f"update_{norm}_half"] = noise.mean, noise.half
        for where, part in (("below the noise", slice(0, 3)), ("above the noise", slice(-3, None))):
            slope = power(b[part], Interval(noise.mean[part], noise.half[part]))
            check = MeasuredSlope("update noise", slope, 0.0).reading(
                -1.0, f"update noise ~ b^p, {METHODS[norm]}, gradient {where}", "sampled"
            )
            checks.append(replace(check, note="error from the intervals"))
    return tuple(checks)


def _scaling(options: Mapping[str, Any], arrays: dict[str, Any]) -> None:
    """What is kept as b grows four times and eta twice: ratios of after to before."""
    from hpgrid.stochastic.momentum import after_scaling

    for where in WHERE:
        eta, size = options[f"scaling_{where}"]
        for norm in METHODS:
            kept = after_scaling(norm, tuple(options["scaling_batches"]), eta, size=size, **_runs(options))
            for name in KEPT:
                arrays[f"kept_{where}_{norm}_{name}"] = np.array([kept[name].mean, kept[name].half])


def _runs(options: Mapping[str, Any]) -> dict[str, Any]:
    """Shape, steps, seeds and seed of runs whose update is measured."""
    counts = options["steps"], options["seeds"]
    return {"shape": tuple(options["shape"]), "counts": counts, "seed": options["seed"]}


# --- drawing ---

#: Noises by colour and marker; dark to light, so that grey tells them apart.
NOISES = {"gaussian": ("#1b2a6b", "o"), "one-hot": ("#d62728", "^"), "rank-one": ("#e69f00", "s")}

CALLED = {"gaussian": "Gaussian", "one-hot": "one-hot", "rank-one": "rank one"}


def draw(data: FigureData) -> Figure:
    """Return the figure: moments against bounds, the D that is needed, the update's noise, what scaling keeps."""
    arrays = data.arrays
    with styled():
        figure, axes = new_figure(2, 3, (7.4, 5.6))
        # One range for the three panels of moments: heights are compared between norms.
        limits = padded(*(arrays["b"] * arrays[key] for key in _curves(arrays)))
        for k, norm in enumerate(METHODS):
            _draw_moments(axes[k], norm, arrays, limits)
            letter(axes[k], k, METHODS[norm])
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=3)
        _draw_needed(axes[3], arrays)
        letter(axes[3], 3, "$D$ that Lemma 5 needs")
        _draw_updates(axes[4], arrays)
        letter(axes[4], 4, "update noise")
        _draw_kept(axes[5], arrays)
        letter(axes[5], 5, r"$b\to4b$ with $\eta\to2\eta$")
    return figure


def _curves(arrays: Mapping[str, Array]) -> list[str]:
    """The names of all moments and bounds that are drawn."""
    kinds = [*KINDS, "bound"]
    names = [f"{norm}_{kind}_{moment}" for norm in METHODS for kind in kinds for moment in SHOWN]
    return [name for name in names if name in arrays]


def _draw_moments(axes: Axes, norm: str, arrays: Mapping[str, Array], limits: tuple[float, float]) -> None:
    """b times the second moments: level where they are noise, rising where they are drift and the start."""
    b = arrays["b"]
    for (moment, symbol), (line, fill) in zip(SHOWN.items(), (("-", None), ("-.", "white"))):
        for kind in KINDS:
            (color, marker), key = NOISES[kind], f"{norm}_{kind}_{moment}"
            mean, half = b * arrays[key], b * arrays[f"{key}_half"]
            label = f"{symbol}, {CALLED[kind]}"
            measured(axes, b, mean, half, color=color, marker=marker, label=label, line=line, fill=fill)
        bound, shade = b * arrays[f"{norm}_bound_{moment}"], "0.1" if fill is None else "0.55"
        bound_line(axes, b, bound, color=shade, label=f"{symbol}, bound with $D=1$")
    log_axes(axes, (0.7, 1.4 * b[-1]), limits, ("b", "b"))
    axes.set_ylabel(r"$b\,E\|\nabla f-\cdot\,\|_*^2/\sigma^2$" if norm == "frobenius" else "")


def _draw_needed(axes: Axes, arrays: Mapping[str, Array]) -> None:
    b, shown = arrays["b"], []
    for kind, (color, marker) in NOISES.items():
        for norm, line in (("max", "-"), ("spectral", "-.")):
            mean, half = arrays[f"D_{norm}_{kind}"], arrays[f"D_{norm}_{kind}_half"]
            label = f"{METHODS[norm]}, {CALLED[kind]}"
            measured(axes, b, mean, half, color=color, marker=marker, label=label, line=line)
            shown.append(mean)
    level(axes, 1.0)
    low, high = padded(*shown)
    log_axes(axes, (0.7, 1.4 * b[-1]), (low, high * 12), ("b", "b"))
    axes.set_ylabel(r"$b\,E\|\xi_S\|_*^2/\sigma^2$")
    axes.legend(loc="upper left", fontsize=6.5)


def _draw_updates(axes: Axes, arrays: Mapping[str, Array]) -> None:
    b = arrays["update_b"]
    for norm in METHODS:
        mean, half = arrays[f"update_{norm}"], arrays[f"update_{norm}_half"]
        some = mean > 0
        color, marker = METHOD_COLORS[norm], METHOD_MARKERS[norm]
        # A bar that reaches 0 has no end on a log axis.
        low = np.where(half < mean, half, 0.9 * mean)
        bars = np.array([low[some], half[some]])
        measured(axes, b[some], mean[some], bars, color=color, marker=marker, label=METHODS[norm])
    last = arrays["update_frobenius"]
    bound_line(axes, b, last[-1] * b[-1] / b, label="$1/b$")
    log_axes(axes, (0.5, 2 * b[-1]), (0.3 * last[-1], 60.0), ("b", "b"))
    axes.set_ylabel(r"$E\|\Delta W^{\rm noise}\|^2/\eta^2$")
    axes.legend(loc="lower left", fontsize=6.5)


def _draw_kept(axes: Axes, arrays: Mapping[str, Array]) -> None:
    for where, shift, fill in (("far", -0.22, None), ("near", 0.22, "white")):
        for k, norm in enumerate(METHODS):
            values = np.array([arrays[f"kept_{where}_{norm}_{name}"] for name in KEPT])
            x = np.arange(len(KEPT), dtype=float) + (shift + 0.11 * (k - 1))
            color, marker = METHOD_COLORS[norm], METHOD_MARKERS[norm]
            word = WHERE[where] if k == 0 else None
            measured(axes, x, *values.T, color=color, marker=marker, label=word, line="", fill=fill)
    level(axes, 1.0, "kept")
    axes.set_xticks(range(len(KEPT)), list(KEPT.values()))
    axes.set_xlim(-0.6, len(KEPT) - 0.4)
    axes.set_ylim(0.0, 6.0)
    axes.set_ylabel("after / before")
    axes.legend(loc="upper right")
