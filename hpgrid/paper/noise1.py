"""Gradient noise as it is: the momentum's error against its bounds, the D it needs, and the update's noise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from hpgrid.checks import METHODS, bad, check_count
from hpgrid.config import Config
from hpgrid.paper.data import FigureData, config_data
from hpgrid.plotting.lines import METHOD_LOOK, bound_line, level, measured, padded
from hpgrid.plotting.style import log_axes, new_figure
from hpgrid.readings import Reading
from hpgrid.slopes import MeasuredSlope
from hpgrid.variables import check_value

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


def compute(config: Config) -> FigureData:
    """Return the figure's arrays and checks."""
    from hpgrid.stochastic.momentum import after_scaling

    own = config.parameters
    for name, values in {"b": ("batches", "update_batches", "scaling_batches"), "eta": ("eta",)}.items():
        for value in (value for key in values for value in own[key]):
            check_value(name, value)
    for beta in own["beta"]:
        if not 0 <= beta < 1:
            raise bad("beta must satisfy 0 <= beta < 1", beta, "beta = [0.9], say")
    if min(own["lam"]) < 0 or max(own["lam"]) * max(max(own["eta"]), own["size"]) > 1:
        raise bad("the bounds need 0 <= lam, lam eta <= 1 and lam ||W_0|| <= 1", own["lam"], "lam = [0.0, 1.0], say")
    for name, least in {"seeds": 2, "steps": 1, "samples": 2}.items():
        check_count(name, own[name], least)

    arrays: dict[str, Any] = {"b": np.asarray(own["batches"], float)}
    # Of runs whose update is measured.
    runs = {"shape": tuple(own["shape"]), "counts": (own["steps"], own["seeds"]), "seed": own["seed"]}
    checks = [*_moments(own, arrays), *_samples(own, arrays), *_updates(own, arrays, runs)]
    # What is kept as b grows four times and eta twice: ratios of after to before.
    for where in WHERE:
        eta, size = own[f"scaling_{where}"]
        for norm in METHODS:
            kept = after_scaling(norm, tuple(own["scaling_batches"]), eta, size=size, **runs)
            arrays |= {f"kept_{where}_{norm}_{name}": np.array([kept[name].mean, kept[name].half]) for name in KEPT}
    notes = {"level_of_all_intervals_of_a_kind_together": 0.99, "seeds": own["seeds"]}
    return FigureData(config.figure, config_data(config), arrays, tuple(checks), notes)


def _moments(own: Mapping[str, Any], arrays: dict[str, Any]) -> Iterator[Reading]:
    """Every norm and noise against Proposition 6 and Corollary 7, with D = 1."""
    from hpgrid.stochastic.momentum import BOUNDS, Experiment, every, held, measure
    from hpgrid.stochastic.problems import quadratic
    from hpgrid.stochastic.samples import NOISES

    setting = every(own["eta"], own["beta"], own["lam"])
    what = Experiment(own["batches"], setting, own["steps"], own["seeds"], own["seed"])
    beta = 1.0 - setting.alpha
    # The column of the smallest step without decay, where most of the error is noise.
    shown = (setting.eta == min(own["eta"])) & (setting.lam == min(own["lam"]))
    column = int(np.flatnonzero(shown)[np.abs(beta[shown] - own["shown_beta"]).argmin()])
    note = "largest over b, eta, beta and lam; intervals are simultaneous"
    for norm in METHODS:
        problem = quadratic(norm, tuple(own["shape"]), size=own["size"])
        for kind in KINDS:
            against = held(problem, measure(problem, NOISES[kind], what), what)
            for moment in SHOWN:
                one = against[moment]
                arrays[f"{norm}_{kind}_{moment}"] = one.measured.mean[:, column]
                arrays[f"{norm}_{kind}_{moment}_half"] = one.measured.half[:, column]
                arrays[f"{norm}_bound_{moment}"] = one.bound[:, column]
            for moment in BOUNDS:
                ratio = against[moment].reading(f"{moment}/bound, D = 1, {METHODS[norm]}, {kind}")
                yield replace(ratio, window=_span(own["batches"]), note=note)


def _span(b: Sequence[float]) -> tuple[float, float]:
    return float(min(b)), float(max(b))


def _samples(own: Mapping[str, Any], arrays: dict[str, Any]) -> Iterator[Reading]:
    """The D that Lemma 5 needs, by noise and norm."""
    from hpgrid.norms import NORMS
    from hpgrid.stochastic.samples import NOISES, draws, farthest, needed_smoothness

    shape = tuple(own["sample_shape"])
    for kind, noise in NOISES.items():
        means = draws(noise, own["seed"], (1, own["samples"]), own["batches"], shape)[0]
        for norm in METHODS:
            D = needed_smoothness(noise, NORMS[norm], means, own["batches"], shape)
            arrays[f"D_{norm}_{kind}"], arrays[f"D_{norm}_{kind}_half"] = D.mean, D.half
            k = farthest(np.abs(D.mean - 1.0), D.half + ROUNDING)
            name, note = f"D of Lemma 5, {METHODS[norm]}, {kind}", "A2 has it close to 1; farthest from it over b"
            numbers = float(D.mean[k]), 1.0, float(D.half[k] + ROUNDING)
            yield Reading(name, "sampled", *numbers, window=_span(own["batches"]), note=note)


def _updates(own: Mapping[str, Any], arrays: dict[str, Any], runs: Mapping[str, Any]) -> Iterator[Reading]:
    """The update's noise at weights that hardly move, so that the gradient's share of the noise stays what it is."""
    from hpgrid.stochastic.momentum import frozen, power
    from hpgrid.stochastic.samples import Interval

    b = np.asarray(own["update_batches"], float)
    arrays["update_b"] = b
    for norm in METHODS:
        noise = frozen(norm, b, gradient=own["update_gradient"], **runs)
        arrays[f"update_{norm}"], arrays[f"update_{norm}_half"] = noise.mean, noise.half
        for where, part in (("below the noise", slice(0, 3)), ("above the noise", slice(-3, None))):
            slope = power(b[part], Interval(noise.mean[part], noise.half[part]))
            what = f"update noise ~ b^p, {METHODS[norm]}, gradient {where}"
            check = MeasuredSlope("update noise", slope, 0.0).reading(-1.0, what, "sampled")
            yield replace(check, note="error from the intervals")


# --- drawing ---

#: Noises by colour and marker; dark to light, so that grey tells them apart.
NOISES: dict[str, Any] = {
    "gaussian": {"color": "#1b2a6b", "marker": "o"},
    "one-hot": {"color": "#d62728", "marker": "^"},
    "rank-one": {"color": "#e69f00", "marker": "s"},
}

CALLED = {"gaussian": "Gaussian", "one-hot": "one-hot", "rank-one": "rank one"}


def draw(data: FigureData) -> Figure:
    """Return the figure: moments against bounds, the D that is needed, the update's noise, what scaling keeps."""
    arrays = data.arrays
    titles = [*METHODS.values(), "$D$ that Lemma 5 needs", "update noise", r"$b\to4b$ with $\eta\to2\eta$"]
    figure, axes = new_figure(2, 3, (7.4, 5.6), titles)
    *moments, needed, updates, kept = axes
    b = arrays["b"]
    across = (0.7, 1.4 * b[-1])

    # b times the second moments: level where they are noise, rising where they are drift and the start. One range
    # for the three panels: heights are compared between norms.
    keys = [f"{norm}_{kind}_{moment}" for norm in METHODS for kind in (*KINDS, "bound") for moment in SHOWN]
    limits = padded(*(b * arrays[key] for key in keys))
    for ax, norm in zip(moments, METHODS):
        for (moment, symbol), (line, fill) in zip(SHOWN.items(), (("-", None), ("-.", "white"))):
            for kind in KINDS:
                mean, half = (b * arrays[f"{norm}_{kind}_{moment}{part}"] for part in ("", "_half"))
                label = f"{symbol}, {CALLED[kind]}"
                measured(ax, b, mean, half, **NOISES[kind], label=label, line=line, fill=fill)
            bound, shade = b * arrays[f"{norm}_bound_{moment}"], "0.1" if fill is None else "0.55"
            bound_line(ax, b, bound, color=shade, label=f"{symbol}, bound with $D=1$")
        y_label = r"$b\,E\|\nabla f-\cdot\,\|_*^2/\sigma^2$" if norm == "frobenius" else ""
        log_axes(ax, across, limits, ("b", y_label))
    figure.legend(*moments[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)

    for kind, look in NOISES.items():
        for norm, line in (("max", "-"), ("spectral", "-.")):
            mean, half = arrays[f"D_{norm}_{kind}"], arrays[f"D_{norm}_{kind}_half"]
            measured(needed, b, mean, half, **look, label=f"{METHODS[norm]}, {CALLED[kind]}", line=line)
    level(needed, 1.0)
    low, high = padded(*(arrays[f"D_{norm}_{kind}"] for kind in NOISES for norm in ("max", "spectral")))
    log_axes(needed, across, (low, high * 12), ("b", r"$b\,E\|\xi_S\|_*^2/\sigma^2$"))
    needed.legend(loc="upper left", fontsize=6.5)

    b = arrays["update_b"]
    for norm in METHODS:
        mean, half = arrays[f"update_{norm}"], arrays[f"update_{norm}_half"]
        some = mean > 0
        # A bar that reaches 0 has no end on a log axis.
        bars = np.array([np.where(half < mean, half, 0.9 * mean), half])[:, some]
        measured(updates, b[some], mean[some], bars, **METHOD_LOOK[norm], label=METHODS[norm])
    last = arrays["update_frobenius"]
    bound_line(updates, b, last[-1] * b[-1] / b, label="$1/b$")
    y_label = r"$E\|\Delta W^{\rm noise}\|^2/\eta^2$"
    log_axes(updates, (0.5, 2 * b[-1]), (0.3 * last[-1], 60.0), ("b", y_label))
    updates.legend(loc="lower left", fontsize=6.5)

    for where, shift, fill in (("far", -0.22, None), ("near", 0.22, "white")):
        for k, norm in enumerate(METHODS):
            values = np.array([arrays[f"kept_{where}_{norm}_{name}"] for name in KEPT])
            x = np.arange(len(KEPT), dtype=float) + (shift + 0.11 * (k - 1))
            word = WHERE[where] if k == 0 else None
            measured(kept, x, *values.T, **METHOD_LOOK[norm], label=word, line="", fill=fill)
    level(kept, 1.0, "kept")
    kept.set_xticks(range(len(KEPT)), list(KEPT.values()))
    kept.set(xlim=(-0.6, len(KEPT) - 0.4), ylim=(0.0, 6.0), ylabel="after / before")
    kept.legend(loc="upper right")
    return figure
